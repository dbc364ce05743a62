"""Staff give money back: alone up to a limit, above it only when a second person agrees."""

from __future__ import annotations

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Sum
from django.utils.translation import gettext as _

from accounts import audit
from accounts.models import User
from billing import refunds
from billing.models import Refund, RefundSource, RefundState
from billing.refunds import NotRefundable
from orders.models import Order

from .models import RefundRequest, RequestState


class NotYours(Exception):  # noqa: N818  (said to people)
    """This person may not decide this request. The message is a sentence for them."""


def by_staff(order: Order) -> int:
    """How much of an order staff have given back already, or are about to, in minor units."""
    given = Refund.objects.filter(payment__order=order, source=RefundSource.STAFF).exclude(state=RefundState.FAILED)
    total: int = given.aggregate(sum=Sum("amount"))["sum"] or 0
    return total


def needs_two(order: Order, amount: int) -> bool:
    """Whether this much more passes what one person may give back of one order."""
    limit = settings.REFUND_FOUR_EYES
    return bool(limit) and by_staff(order) + amount > limit


def alone(order: Order) -> int:
    """How much more of an order one person may give back alone, in minor units."""
    room = refunds.refundable(order)
    return min(room, max(0, settings.REFUND_FOUR_EYES - by_staff(order))) if settings.REFUND_FOUR_EYES else room


def give_back(*, order: Order, amount: int, reason: str, note: str, by: User, key: str) -> Refund | RefundRequest:
    """Give `amount` (minor units) back, or ask a second person where that is too much for one.

    The same key is the same refund, or the same request. Raises NotRefundable.
    """
    if (asked := RefundRequest.objects.filter(key=key).first()) is not None:
        return asked
    with order.locked():  # two who each stay below the limit stand in line, so that together they do not pass it
        again = Refund.objects.filter(key=key).exists()
        if not again and amount > refunds.refundable(order):
            raise NotRefundable(_("That is more than is left of the payment. Look at the order again."))
        if not again and needs_two(order, amount):
            return _ask(order, amount, reason, note, by, key)
        made = refunds.refund(
            order=order, amount=amount, reason=reason, note=note, actor=by.email, source=RefundSource.STAFF, key=key
        )
        if not again:
            said = {"refund": str(made), "amount": amount}
            audit.write(actor=by, verb="refund.begun", target=order, reason=note, data=said)
    return made


def _ask(order: Order, amount: int, reason: str, note: str, by: User, key: str) -> RefundRequest:
    try:
        with transaction.atomic():
            asked = RefundRequest.objects.create(
                order=order, key=key, amount=amount, reason=reason, note=note, asked_by=by
            )
    except IntegrityError:
        if (known := RefundRequest.objects.filter(key=key).first()) is not None:
            return known
        raise NotRefundable(_("A refund of this order waits for a second person already.")) from None
    order.tell("refund.asked", actor=by.email, amount=amount, reason=reason)
    audit.write(actor=by, verb="refund.asked", target=order, reason=note, data={"amount": amount, "code": reason})
    return asked


def confirm(*, asked: RefundRequest, by: User) -> Refund:
    """The second person agrees: the money goes back. Raises NotYours for the first one, NotRefundable."""
    _not_the_same(asked, by)
    with asked.order.locked():
        if not asked.decide(RequestState.CONFIRMED, by):
            raise NotRefundable(_("This was decided already."))
        made = refunds.refund(
            order=asked.order,
            amount=asked.amount,
            reason=asked.reason,
            note=asked.note,
            actor=f"{asked.asked_by.email}, {by.email}"[:120],
            source=RefundSource.STAFF,
            key=asked.key,
        )
        audit.write(
            actor=by,
            verb="refund.confirmed",
            target=asked.order,
            reason=asked.note,
            data={"refund": str(made), "amount": asked.amount, "asked_by": asked.asked_by.email},
        )
    return made


def decline(*, asked: RefundRequest, by: User, reason: str) -> None:
    """The second person does not agree. Raises NotYours, NotRefundable."""
    _not_the_same(asked, by)
    with asked.order.locked():
        if not asked.decide(RequestState.REFUSED, by):
            raise NotRefundable(_("This was decided already."))
        asked.order.tell("refund.declined", actor=by.email, amount=asked.amount, reason=reason)
        audit.write(actor=by, verb="refund.declined", target=asked.order, reason=reason, data={"amount": asked.amount})


def _not_the_same(asked: RefundRequest, by: User) -> None:
    if asked.asked_by_id == by.pk:
        raise NotYours(_("You asked for this refund yourself. Somebody else has to look at it."))
