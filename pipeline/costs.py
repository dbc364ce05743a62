"""Books what calls to vendors cost: a call's estimate while it is under way, the rest when it is over.

Done by the sweep, so nothing that makes films waits for it. Vendors count in millionths of a dollar; the ledger has
minor units. Each order's total is rounded, and a call is booked with what it adds to that: no fraction is lost.
"""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

from django.conf import settings
from django.db.models import Q, QuerySet, Sum
from django.utils import timezone

from billing.ledger import post
from billing.models import Account
from orders.models import Order

from .models import OPEN_CALLS, Call

BOOKED_AT_ONCE = 500
UNIT = Decimal(10_000)


def minor(millionths: int) -> int:
    """Millionths of a US dollar in minor units of CURRENCY, by USD_RATE; half a unit counts as one."""
    return int((millionths * Decimal(str(settings.USD_RATE)) / UNIT).to_integral_value(ROUND_HALF_UP))


def due() -> QuerySet[Call]:
    """Calls that have cost something, or will, that the ledger does not know of yet."""
    calls = Call.objects.filter(slot_at__isnull=False, booked_at=None)
    return calls.exclude(Q(state__in=OPEN_CALLS) & (Q(booked__gt=0) | Q(estimate=0)))


def sweep() -> int:
    """Book what is due, order by order. How many calls there were."""
    rows = list(due().order_by("slot_at").values_list("pk", "step__production__order")[:BOOKED_AT_ONCE])
    for order in dict.fromkeys(order for _, order in rows):
        book(order, [pk for pk, theirs in rows if theirs == order])
    return len(rows)


def book(order_id: int, pks: list[int]) -> None:
    """Write the costs of these calls of one order into the ledger, each once."""
    order = Order.objects.select_related("creator").get(pk=order_id)
    with order.locked():  # all who would book for it stand in line: its total is rounded as one
        known = Call.objects.filter(step__production__order=order_id)
        total: int = known.aggregate(sum=Sum("booked"))["sum"] or 0
        for call in due().filter(pk__in=pks).order_by("pk").defer("request", "prepared", "result"):
            over = call.state not in OPEN_CALLS
            worth = call.estimate if call.maybe_paid_twice or not over else call.cost
            change = minor(total + worth - call.booked) - minor(total)
            if worth or call.booked:
                post(
                    order=order,
                    fact=f"{'cost' if over else 'estimate'}:{call.key}",
                    currency=settings.CURRENCY,
                    lines={Account.PROVIDERS: -change},
                )
            total += worth - call.booked
            Call.objects.filter(pk=call.pk).update(booked=worth, booked_at=timezone.now() if over else None)
