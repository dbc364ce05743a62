"""Held money: taken, or let go. What is asked of the gateway is written down first."""

from __future__ import annotations

from django.db.models import F
from django.utils import timezone

from orders.faults import faultpoint

from . import facts, refunds
from .gateways import chosen
from .gateways.base import GatewayError
from .models import Payment, PaymentState, Refund, RefundState


def capture(payment: Payment) -> None:
    """Take what is held, less what has been given up of it. Doing it again is harmless. Raises GatewayError."""
    Payment.objects.filter(pk=payment.pk, state=PaymentState.AUTHORIZED, wanted=None, refunded__lt=F("amount")).update(
        wanted=F("amount") - F("refunded")
    )
    payment.refresh_from_db()
    if payment.state != PaymentState.AUTHORIZED or payment.wanted is None:
        return
    faultpoint("payment.before_capture")
    amount = chosen.named(payment.gateway).capture(payment)
    faultpoint("payment.after_capture")
    if amount <= 0:
        raise GatewayError(f"it says that {amount} was taken")
    taken(payment, amount)


def taken(payment: Payment, amount: int) -> None:
    """Write down that the held money was taken. True stories only: the gateway has said so.

    Who took it may have been somebody at the gateway, and more or less of it than we would have.
    """
    with payment.order.locked():
        now = timezone.now()
        # Looked at once more, since a gateway says only afterwards what it keeps of it.
        said = {"captured": amount, "captured_at": now, "look_at": now, "looks": 0}
        if payment.move(PaymentState.AUTHORIZED, PaymentState.CAPTURED, **said):
            facts.charged(payment)
            payment.order.tell("payment.captured", payment=str(payment), amount=amount)
            refunds.even_out(payment)
            # What waited for it can be sent now.
            payment.refunds.filter(state=RefundState.CREATED).update(look_at=timezone.now())


def release(payment: Payment) -> None:
    """Let held money go. Doing it again is harmless. Raises GatewayError."""
    chosen.named(payment.gateway).release(payment)
    faultpoint("payment.after_release")
    let_go(payment, PaymentState.CANCELLED)


def let_go(payment: Payment, new: PaymentState, error: str = "") -> bool:
    """Write down that nothing is held any more; what was to be given back of it never has to be sent."""
    with payment.order.locked():
        now = timezone.now()
        if not payment.move(PaymentState.AUTHORIZED, new, ended_at=now, error=error[:200]):
            return False
        name = "payment.released" if new == PaymentState.CANCELLED else "payment.lost"
        payment.order.tell(name, payment=str(payment))
        Refund.objects.filter(payment=payment, state=RefundState.CREATED).update(
            state=RefundState.DONE, released=True, ended_at=now, look_at=None
        )
        return True
