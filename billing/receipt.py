"""What the fan reads about money: what is held, paid or released, and what goes back, in sentences."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from orders.cashier import money
from orders.models import Order

from .models import PaymentState, Refund, RefundState
from .refunds import payment_of


@dataclass
class Line:
    """One line of the receipt; minor units."""

    label: str | Promise
    amount: int
    currency: str


@dataclass(frozen=True)
class Receipt:
    """The lines, and a sentence for each refund, the latest last."""

    lines: tuple[Line, ...]
    sentences: tuple[str, ...]
    taken: bool


LABELS = {
    PaymentState.AUTHORIZED: gettext_lazy("Held on your card"),
    PaymentState.CAPTURED: gettext_lazy("Paid"),
    PaymentState.CANCELLED: gettext_lazy("Released"),
    PaymentState.EXPIRED: gettext_lazy("Released"),
}


def of(order: Order) -> Receipt:
    """The receipt of an order. Two queries."""
    payment = payment_of(order) or order.payments.filter(state__in=LABELS).order_by("-pk").first()
    if payment is None:
        return Receipt((), (), taken=False)
    refunds = [one for one in payment.refunds.order_by("number") if one.state != RefundState.FAILED]
    lines = [Line(LABELS.get(PaymentState(payment.state), ""), payment.amount, payment.currency)]
    lines += [
        Line(_("Not taken") if one.released else _("Paid back"), one.amount, payment.currency)
        for one in refunds
        if one.amount < payment.amount or payment.captured
    ]
    said = tuple(sentence(one) for one in payment.refunds.order_by("number"))
    return Receipt(tuple(lines), said, taken=bool(payment.captured))


def sentence(refund: Refund) -> str:
    """A refund, as the fan reads it."""
    sum_ = {"amount": money(_Sum(refund.amount, refund.payment.currency))}
    if refund.released:
        return _("%(amount)s of what was held on your card is not taken.") % sum_
    return {
        RefundState.CREATED: _("%(amount)s go back to your card. We are sending them."),
        RefundState.SENT: _("%(amount)s are on their way back to your card. Some banks take a few days to show it."),
        RefundState.DONE: _("%(amount)s went back to your card. Some banks take a few days to show it."),
        RefundState.FAILED: _(
            "%(amount)s could not be sent back to your card. We know of it, and look for another way."
        ),
    }[RefundState(refund.state)] % sum_


@dataclass
class _Sum:
    amount: int
    currency: str
