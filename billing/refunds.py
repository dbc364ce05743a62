"""Money going back: whole or in part, never more than was paid, whoever asks at the same moment.

A refund claims its share of the payment in its row first; sending it is another step, which may be repeated. What is
only held is let go, or not taken, and nothing travels back.
"""

from __future__ import annotations

import datetime as dt
import logging

from django.core.exceptions import ImproperlyConfigured
from django.db.models import F, Max, Q, Sum
from django.utils import timezone
from django.utils.translation import gettext as _

from orders import services as orders
from orders.faults import faultpoint
from orders.models import Order, OrderState

from . import facts, fees, signals
from .gateways import chosen
from .gateways.base import Back, GatewayError
from .models import Payment, PaymentState, Refund, RefundReason, RefundSource, RefundState

log = logging.getLogger(__name__)

OPEN = (RefundState.CREATED, RefundState.SENT)
LEASE = dt.timedelta(seconds=60)
# Minutes until a refund is looked at again; the last one repeats. Banks take days.
PAUSES = (1, 2, 5, 15, 60, 240)
# By these keys refunds are known that follow from how an order ended, and those made elsewhere.
AUTOMATIC, ELSEWHERE = "auto", "outside"


class NotRefundable(Exception):  # noqa: N818  (said to people)
    """This cannot be refunded. The message is a sentence for whoever asked."""


class WrittenDown(Exception):  # noqa: N818  (nothing is wrong)
    """Another process wrote this refund down in the same moment."""


def payment_of(order: Order) -> Payment | None:
    """The payment money could go back from: the one that holds or took it. None when nothing was paid."""
    live = order.payments.filter(Q(state__in=(PaymentState.AUTHORIZED, PaymentState.CAPTURED)) | Q(captured__gt=0))
    return live.order_by("-state", "-pk").first()


def refundable(order: Order) -> int:
    """How much of what was paid could still go back, in minor units; what is only held counts, too."""
    payment = payment_of(order)
    return 0 if payment is None else max(0, payment.amount - payment.refunded)


def is_whole(order: Order) -> bool:
    """Whether everything that was paid or held has gone back, or is on its way."""
    payment = payment_of(order)
    return payment is not None and payment.refunded >= payment.amount


def refund(*, order: Order, amount: int, reason: str, note: str, actor: str, source: RefundSource, key: str) -> Refund:
    """Give money back: `amount` in minor units, for a reason (RefundReason). Asked twice under one key it is one.

    All of it ends an order that is being made. Raises NotRefundable; sending it to the gateway comes after the commit.
    """
    if reason not in RefundReason.values:
        raise NotRefundable(_("Choose one of the reasons."))
    found = Refund.objects.filter(key=key).select_related("payment").first()
    if found is None:
        payment = payment_of(order)
        if payment is None:
            raise NotRefundable(_("Nothing was paid for this order."))
        try:
            with order.locked():
                return _claim(payment, amount, reason=reason, note=note, actor=actor, source=source, key=key)
        except (WrittenDown, NotRefundable):
            found = Refund.objects.filter(key=key).select_related("payment").first()
            if found is None:
                raise
            # The same click, at the same moment.
    if (found.payment.order_id, found.amount) != (order.pk, amount):
        raise NotRefundable(_("This was another refund. Look at the order again, and begin anew."))
    return found


def give_all_back(*, payment: Payment, reason: RefundReason, note: str = "") -> None:
    """Our promise was broken: whatever is left of a payment goes back by itself, once."""
    left = payment.amount - payment.refunded
    key = f"{AUTOMATIC}:{payment.key}"
    if left <= 0 or Refund.objects.filter(key=key).exists():
        return
    try:
        with payment.order.locked():
            _claim(payment, left, reason=reason, note=note, actor="system", source=RefundSource.SYSTEM, key=key)
    except (WrittenDown, NotRefundable):
        log.info("Somebody else gives %s back.", payment)


def _claim(
    payment: Payment, amount: int, *, reason: str, note: str, actor: str, source: RefundSource, key: str
) -> Refund:
    """Take the refund's share of the payment. While the caller has the order. Raises NotRefundable, WrittenDown."""
    room = Payment.objects.filter(pk=payment.pk, refunded__lte=F("amount") - amount)
    # What nobody has begun to take is not taken; all else has to travel back.
    held = room.filter(state=PaymentState.AUTHORIZED, wanted=None, captured=0)
    back = room.filter(Q(state=PaymentState.AUTHORIZED) | Q(captured__gt=0))
    share = {"refunded": F("refunded") + amount}
    released = bool(amount > 0 and held.update(**share))
    if not released and not (amount > 0 and back.update(**share)):
        raise NotRefundable(_("That is more than is left of the payment. Look at the order again."))
    _only_once(key)
    payment.refresh_from_db()
    order = payment.order
    whole = payment.refunded >= payment.amount
    now = timezone.now()
    last = payment.refunds.aggregate(last=Max("number"))["last"] or 0
    made = Refund.objects.create(
        payment=payment,
        number=last + 1,
        key=key,
        source=source,
        state=RefundState.DONE if released else RefundState.CREATED,
        amount=amount,
        reason=reason,
        note=note,
        actor=actor,
        released=released,
        look_at=None if released else now,
        ended_at=now if released else None,
    )
    said = {"refund": str(made), "amount": amount, "reason": reason}
    order.tell("refund.released" if released else "refund.begun", actor=actor, **said)
    if whole and source != RefundSource.SYSTEM:
        orders.cancel(order=order, actor=actor, ending=_("Your money goes back to you."))
    if released and whole:
        signals.money_due.send(Order, order_id=order.pk)
    signals.refund_moved.send(Refund, refund_id=made.pk)
    return made


def due() -> list[int]:
    """Refunds that are to be sent, or asked about, now."""
    rows = Refund.objects.filter(state__in=OPEN, look_at__lte=timezone.now())
    return list(rows.order_by("look_at").values_list("pk", flat=True)[:200])


def send(pk: int) -> None:
    """Send one refund, if nobody else is at it. Called outside transactions; the gateway does it once per key."""
    now = timezone.now()
    if not Refund.objects.filter(pk=pk, state=RefundState.CREATED, look_at__lte=now).update(
        look_at=now + LEASE, looks=F("looks") + 1
    ):
        return
    refund = Refund.objects.select_related("payment__order").get(pk=pk)
    if not refund.payment.captured:
        return  # it is being taken just now: looked at again in a minute
    faultpoint("refund.before_send")
    try:
        back = chosen.named(refund.payment.gateway).refund(refund)
    except (GatewayError, ImproperlyConfigured) as error:
        if isinstance(error, GatewayError) and error.final:
            failed(refund, str(error))
            return
        log.warning("Refund %s was not sent yet: %s", refund, error)
        Refund.objects.filter(pk=pk, state=RefundState.CREATED).update(
            error=str(error)[:200], look_at=now + _pause(refund.looks)
        )
        return
    faultpoint("refund.after_send")
    landed(refund, back)


def landed(refund: Refund, back: Back) -> None:
    """Write down what the gateway says of a refund of ours. Said twice, or in another order, it is the same."""
    now = timezone.now()
    if back.state == "failed":
        failed(refund, back.error or "it came back")
        return
    done = back.state == "done"
    with refund.payment.order.locked():
        values = {"external_id": back.external_id, "error": "", "look_at": None if done else now + _pause(refund.looks)}
        new = RefundState.DONE if done else RefundState.SENT
        ends = {"ended_at": now} if done else {}
        if refund.move(RefundState.CREATED, new, **values, **ends):
            facts.sent_back(refund)
            _say(refund, "refund.sent")
            if done:
                _say(refund, "refund.done")
        elif done and refund.move(RefundState.SENT, RefundState.DONE, **values, **ends):
            _say(refund, "refund.done")
        elif not done:
            Refund.objects.filter(pk=refund.pk, state=RefundState.SENT).update(**values, looks=F("looks") + 1)


def failed(refund: Refund, error: str) -> None:
    """A refund did not go, or came back later: its share of the payment is free again, and staff are told."""
    with refund.payment.order.locked():
        values = {"error": error[:200], "ended_at": timezone.now(), "look_at": None}
        was_sent = refund.move((RefundState.SENT, RefundState.DONE), RefundState.FAILED, **values)
        if not was_sent and not refund.move(RefundState.CREATED, RefundState.FAILED, **values):
            return
        Payment.objects.filter(pk=refund.payment_id).update(refunded=F("refunded") - refund.amount)
        if was_sent:
            facts.came_back(refund)
        log.warning("Refund %s failed: %s", refund, error)
        _say(refund, "refund.failed")


def even_out(payment: Payment) -> None:
    """Somebody at the gateway may have taken less of a hold than was left of it, or more. In the capture's transaction.

    What they did not take is written down as let go; what was let go here and was taken after all travels back.
    """
    let_go = payment.refunds.filter(released=True, state=RefundState.DONE)
    over = payment.captured - payment.amount + (let_go.aggregate(sum=Sum("amount"))["sum"] or 0)
    if over < 0:
        _write_down(payment, Back(f"not-taken:{payment.key}", -over, "done"), released=True)
    for refund in let_go.order_by("-number"):
        if 0 < refund.amount <= over and refund.reopen():
            over -= refund.amount
            _say(refund, "refund.begun")
    if over > 0:
        log.error("%s took %s more than was left of %s.", payment.gateway, over, payment)


def record(payment: Payment, back: Back) -> None:
    """Money went back at the gateway: ours is brought up to date; another, or a bank's, is written down as a fact."""
    ours = payment.refunds.filter(key=back.key).first() if back.key else None
    ours = ours or payment.refunds.filter(external_id=back.external_id).first()
    if ours is None and back.state == "failed":
        return  # over before we heard of it: nothing has gone
    if ours is None:
        try:
            with payment.order.locked():
                ours = _write_down(payment, back)
        except WrittenDown:
            ours = Refund.objects.get(key=_key(back))
    if back.state == "failed":
        failed(ours, back.error)
    else:
        landed(ours, back)
    if back.dispute:
        fees.disputed(ours, back.fee)


def _key(back: Back) -> str:
    return f"{ELSEWHERE}:{back.external_id}"[:64]


def _write_down(payment: Payment, back: Back, *, released: bool = False) -> Refund:
    """A refund that somebody made at the gateway, or money a bank took. It happened: no room is asked for.

    In a transaction of the caller's, which it ends with WrittenDown where another did so before.
    """
    now, key = timezone.now(), _key(back)
    Payment.objects.filter(pk=payment.pk).update(refunded=F("refunded") + back.amount)
    _only_once(key)
    payment.refresh_from_db()
    last = payment.refunds.aggregate(last=Max("number"))["last"] or 0
    made = Refund.objects.create(
        payment=payment,
        number=last + 1,
        key=key,
        external_id=back.external_id,
        source=RefundSource.BANK if back.dispute else RefundSource.STAFF,
        amount=back.amount,
        reason=RefundReason.CHARGEBACK if back.dispute else RefundReason.OUTSIDE,
        actor=payment.gateway,
        state=RefundState.DONE if released else RefundState.CREATED,
        released=released,
        look_at=None if released else now,
        ended_at=now if released else None,
    )
    order, name = payment.order, "refund.released" if released else "refund.begun"
    order.tell(name, actor=payment.gateway, refund=str(made), amount=back.amount, reason=made.reason)
    if payment.refunded >= payment.amount and order.state == OrderState.PLACED:
        orders.cancel(order=order, actor=payment.gateway, ending=_("Your money goes back to you."))
    return made


def _only_once(key: str) -> None:
    """For whoever has the order's row. Raises WrittenDown."""
    if Refund.objects.filter(key=key).exists():
        raise WrittenDown(key)


def _say(refund: Refund, name: str) -> None:
    order = refund.payment.order
    order.tell(name, actor=refund.actor, refund=str(refund), amount=refund.amount, reason=refund.reason)
    signals.refund_moved.send(Refund, refund_id=refund.pk)


def _pause(looks: int) -> dt.timedelta:
    return dt.timedelta(minutes=PAUSES[min(looks, len(PAUSES) - 1)])
