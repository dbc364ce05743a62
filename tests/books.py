"""Captures, refunds and payouts for tests of the books: real rows and verbs, no film and no card."""

from __future__ import annotations

import datetime as dt
import itertools

import time_machine
from django.utils import timezone

from accounts.models import Creator
from billing import shares
from billing.ledger import post
from billing.models import Account, LedgerEntry, Payment, PaymentState, Refund, RefundSource, RefundState
from orders.models import Brief, Order, OrderState

_numbers = itertools.count(1)


def sold(creator: Creator, amount: int, *, points: int | None = None, days_ago: float = 0) -> Payment:
    """A film of which the money was taken some days ago, and what that writes."""
    with time_machine.travel(timezone.now() - dt.timedelta(days=days_ago), tick=False):
        now = timezone.now()
        order = Order.objects.create(
            creator=creator, state=OrderState.DELIVERED, amount=amount, currency="EUR", placed_at=now, ended_at=now
        )
        Brief.objects.create(order=order, name="Eileen", seconds=20)
        payment = Payment.objects.create(
            order=order,
            key=f"p{next(_numbers)}-{order.code}",
            gateway="sandbox",
            state=PaymentState.CAPTURED,
            amount=amount,
            captured=amount,
            currency="EUR",
            captured_at=now,
            share_points=shares.rate_for(creator) if points is None else points,
        )
        post(order=order, fact=f"charge:{payment.key}", lines={Account.GATEWAY: amount})
        shares.accrue(payment)
        return payment


def gave_back(payment: Payment, amount: int, *, days_ago: float = 0) -> Refund:
    """Money that went back some days ago, and what that writes."""
    with time_machine.travel(timezone.now() - dt.timedelta(days=days_ago), tick=False):
        refund = Refund.objects.create(
            payment=payment,
            number=payment.refunds.count() + 1,
            key=f"r{next(_numbers)}-{payment.order.code}",
            amount=amount,
            source=RefundSource.STAFF,
            state=RefundState.DONE,
        )
        post(order=payment.order, fact=f"refund:{refund.key}", lines={Account.GATEWAY: -amount})
        shares.reverse(refund)
        return refund


def came_back(refund: Refund) -> None:
    """That refund failed later, and what that writes."""
    Refund.objects.filter(pk=refund.pk).update(state=RefundState.FAILED)
    post(order=refund.payment.order, fact=f"refund-failed:{refund.key}", lines={Account.GATEWAY: refund.amount})
    shares.restore(refund)


def total(account: Account | None = None) -> int:
    """The sum of an account, or of all."""
    lines = LedgerEntry.objects.all() if account is None else LedgerEntry.objects.filter(account=account)
    return sum(lines.values_list("amount", flat=True))
