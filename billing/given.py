"""Whether an order's money went back: all of it, and then nothing more is made or delivered for it."""

from __future__ import annotations

from django.db.models import Sum

from orders.models import Order

from .models import PaymentState, Refund, RefundState


def all_given_back(order: Order) -> bool:
    """Whether what was taken for an order was given back, whole. An order nothing was taken for is not such a one."""
    taken = order.payments.filter(state=PaymentState.CAPTURED).aggregate(sum=Sum("amount"))["sum"] or 0
    refunds = Refund.objects.filter(payment__order=order).exclude(state=RefundState.FAILED)
    given = refunds.aggregate(sum=Sum("amount"))["sum"] or 0
    return bool(taken) and given >= taken
