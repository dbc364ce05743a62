"""Reading the truth: how a payment stands at its gateway, and bringing our rows there.

The page a fan comes back to, a gateway's message, the sweep and staff all end up here: whoever comes first, last or
twice, the same is written once.
"""

from __future__ import annotations

import datetime as dt
import logging

from django.core.exceptions import ImproperlyConfigured
from django.db import IntegrityError
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from orders import services as orders
from orders.faults import faultpoint
from orders.models import OrderState

from . import facts, fees, holds, refunds
from .gateways import chosen
from .gateways.base import GatewayError, Stand, Truth
from .models import Payment, PaymentState, Refund, RefundReason, RefundState

log = logging.getLogger(__name__)

LIVE = (PaymentState.AUTHORIZED, PaymentState.CAPTURED)
# Minutes until the gateway is asked again about a payment nobody has told us of; the last one repeats.
PAUSES = (1, 2, 5, 15, 60)
LEASE = dt.timedelta(seconds=60)


def look(payment: Payment) -> Truth:
    """Ask the gateway how a payment stands, and write down what follows. Outside transactions. Raises GatewayError."""
    # A bell that rings while the gateway answers may be about what comes after this answer: it is not taken for heard.
    alarm = Payment.objects.values_list("look_at", flat=True).get(pk=payment.pk)
    truth = chosen.named(payment.gateway).look(payment)
    apply(payment, truth)
    _set_alarm(payment, truth, alarm)
    return truth


def look_if_due(pk: int) -> None:
    """The alarm of a payment has gone off: look, if nobody else does. A gateway that is away is asked again later."""
    now = timezone.now()
    if not Payment.objects.filter(pk=pk, look_at__lte=now).update(look_at=now + LEASE, looks=F("looks") + 1):
        return
    payment = Payment.objects.select_related("order").get(pk=pk)
    try:
        look(payment)
    except (GatewayError, ImproperlyConfigured) as error:
        log.warning("Payment %s could not be looked at: %s", payment, error)
        Payment.objects.filter(pk=pk).update(look_at=now + pause(payment.looks))


def follow_refund(pk: int) -> None:
    """A refund's alarm has gone off: send it, or ask how it stands."""
    refunds.send(pk)
    now = timezone.now()
    if not Refund.objects.filter(pk=pk, state=RefundState.SENT, look_at__lte=now).update(
        look_at=now + LEASE, looks=F("looks") + 1
    ):
        return
    payment = Payment.objects.select_related("order").get(refunds=pk)
    try:
        look(payment)
    except (GatewayError, ImproperlyConfigured) as error:
        log.warning("Refunds of %s could not be looked at: %s", payment, error)


def due() -> list[int]:
    """Payments whose alarm has gone off."""
    return list(
        Payment.objects.filter(look_at__lte=timezone.now()).order_by("look_at").values_list("pk", flat=True)[:200]
    )


def apply(payment: Payment, truth: Truth) -> None:
    """Bring our rows to what the gateway says. Any number of times, in any order. May ask the gateway for more."""
    payment.refresh_from_db()
    if truth.external_id and not payment.external_id:
        Payment.objects.filter(pk=payment.pk).update(external_id=truth.external_id)
        payment.external_id = truth.external_id
    if truth.capture_before:
        Payment.objects.filter(pk=payment.pk).update(capture_before=truth.capture_before)
    paid = truth.stand in (Stand.HELD, Stand.TAKEN)
    fitting = fits(payment, truth)
    if payment.state == PaymentState.CREATED and paid and not (fitting and place(payment)):
        says = "" if fitting else f"{truth.amount} {truth.currency} was paid, not {payment.amount} {payment.currency}"
        payment.move(PaymentState.CREATED, PaymentState.CANCELLED, ended_at=timezone.now(), error=says)
    if payment.state == PaymentState.CREATED and truth.stand == Stand.GONE:
        payment.move(PaymentState.CREATED, PaymentState.EXPIRED, ended_at=timezone.now(), error=truth.error[:200])
    if payment.state == PaymentState.AUTHORIZED and truth.stand == Stand.TAKEN:
        holds.taken(payment, truth.captured)
    elif payment.state == PaymentState.AUTHORIZED and truth.stand == Stand.GONE:
        _lost(payment, truth)
    elif payment.state not in (PaymentState.CREATED, *LIVE):
        _unwanted(payment, truth)
    for back in truth.backs:
        refunds.record(payment, back)
    if truth.fee is not None:
        fees.said(payment, truth.fee)


def fits(payment: Payment, truth: Truth) -> bool:
    """Whether what was paid is what was asked for."""
    return (truth.amount, truth.currency.upper()) == (payment.amount, payment.currency.upper())


def place(payment: Payment) -> bool:
    """Write down that the money is held and place the order, both or neither. False when it cannot be placed."""
    order = payment.order
    try:
        with order.locked():
            # How often was looked whether somebody paid has nothing to do with the pauses there may be from now on.
            now = {"authorized_at": timezone.now(), "looks": 0, "error": ""}
            held = payment.move(PaymentState.CREATED, PaymentState.AUTHORIZED, **now)
            if held:
                orders.place(order=order, amount=payment.amount, currency=payment.currency)
                order.tell("payment.authorized", actor="fan", payment=str(payment))
    except (orders.NotReady, orders.NotADraft, IntegrityError):
        # The draft changed, went, or was paid under another number, between the click and the hold.
        payment.refresh_from_db()
        return False
    payment.refresh_from_db()
    faultpoint("payment.after_place")
    return payment.state in LIVE


def _unwanted(payment: Payment, truth: Truth) -> None:
    """Money came for a payment that is over: a hold is let go, what was taken goes back."""
    if truth.stand in (Stand.HELD, Stand.OPEN):
        chosen.named(payment.gateway).release(payment)
    elif truth.stand == Stand.TAKEN:
        with payment.order.locked():
            mine = Payment.objects.filter(pk=payment.pk, captured=0)
            if mine.update(captured=truth.captured, amount=truth.captured, captured_at=timezone.now()):
                payment.refresh_from_db()
                facts.charged(payment)
                payment.order.tell("payment.unwanted", payment=str(payment), amount=truth.captured)
                refunds.give_all_back(payment=payment, reason=RefundReason.UNPLACED, note=payment.error)


def _lost(payment: Payment, truth: Truth) -> None:
    """A hold ran out or was ended by the bank, or by somebody at the gateway: no film without money."""
    order = payment.order
    if (
        holds.let_go(payment, PaymentState.EXPIRED, truth.error or "the hold ended")
        and order.state == OrderState.PLACED
    ):
        ending = _("The amount was no longer held on your card, so we stopped. Nothing was taken.")
        orders.cancel(order=order, actor=payment.gateway, ending=ending)


def _set_alarm(payment: Payment, truth: Truth, alarm: dt.datetime | None) -> None:
    """Look again while somebody may still pay, and for the gateway's fee; all else is rung for, or swept.

    `alarm` is what it was set to before the gateway was asked: one that was set meanwhile stays.
    """
    opened = truth.stand == Stand.OPEN and payment.state == PaymentState.CREATED
    unsaid = truth.stand == Stand.TAKEN and fees.is_waited_for(payment)
    later = timezone.now() + (dt.timedelta(minutes=1) if truth.stand == Stand.PENDING else pause(payment.looks))
    waits = opened or unsaid or truth.stand == Stand.PENDING
    Payment.objects.filter(pk=payment.pk, look_at=alarm).update(look_at=later if waits else None)


def pause(looks: int) -> dt.timedelta:
    """How long a gateway is left alone that was asked so often."""
    return dt.timedelta(minutes=PAUSES[min(looks, len(PAUSES) - 1)])
