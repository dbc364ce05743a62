"""Who may call a vendor now: its slots, handed to the oldest orders with a fair share per creator, within the budgets.

Handing out begins with one write to a row that all who hand out write first. So two workers never give the same slot,
nor spend the same money, on SQLite and on PostgreSQL alike.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping

from django.conf import settings
from django.db import transaction
from django.db.models import Case, F, Q, QuerySet, Sum, When
from django.utils import timezone

from .models import OPEN_CALLS, Call, CallState, ProductionState, Vendor
from .providers.base import ProviderError

# Everybody who spends raises this row's turn: the day's budget is one for all vendors.
EVERYBODY = "*"
LOOKED_AT = 500


def take(call: Call, limits: Mapping[str, int]) -> bool:
    """Give a written call a slot, if one is free and it is its turn; else it stands in the queue.

    `limits` are the most calls at once: under "" for the vendor, under a model's name for that model; 0 is no limit.
    Holding a slot already is having it. Raises ProviderError (trouble "capped") when a budget would be passed.
    """
    with transaction.atomic():
        _line_up(call)
        call.refresh_from_db()
        if call.slot_at is not None:
            return True
        if not call.is_open:
            return False
        now = timezone.now()
        if _free(call, limits) < 1 or call.pk not in _next(call, limits):
            Call.objects.filter(pk=call.pk).update(state=CallState.QUEUED)
            return False
        _afford(call, now)
        Call.objects.filter(pk=call.pk).update(slot_at=now, state=CallState.NEW, look_at=None)
        call.refresh_from_db()
        return True


def give_back(call: Call, after: float) -> None:
    """The vendor has no room after all: back to the queue, to be tried again in `after` seconds."""
    Call.objects.filter(pk=call.pk, state__in=OPEN_CALLS).update(
        state=CallState.QUEUED,
        slot_at=None,
        sent_at=None,
        look_at=timezone.now() + dt.timedelta(seconds=after),
    )


def waiting(provider: str) -> QuerySet[Call]:
    """Calls in the queue of a vendor, of orders that are still being made, oldest order first."""
    return Call.objects.filter(
        provider=provider, state=CallState.QUEUED, step__production__state=ProductionState.RUNNING
    ).order_by("step__production__order__placed_at", "pk")


def position(order_id: int) -> int:
    """How many calls of older orders wait in front of this order's first waiting call; 0 when none of its own waits."""
    mine = Call.objects.filter(
        state=CallState.QUEUED,
        step__production__order=order_id,
        step__production__state=ProductionState.RUNNING,
    ).select_related("step__production__order")
    first = mine.order_by("pk").first()
    if first is None:
        return 0
    older = Q(step__production__order__placed_at__lt=first.step.production.order.placed_at)
    return waiting(first.provider).filter(older).exclude(step__production__order=order_id).count()


def _line_up(call: Call) -> None:
    for name in (EVERYBODY, call.provider):
        if not Vendor.objects.filter(name=name).update(turn=F("turn") + 1):
            Vendor.objects.get_or_create(name=name)
            Vendor.objects.filter(name=name).update(turn=F("turn") + 1)


def _holding(call: Call) -> QuerySet[Call]:
    return Call.objects.filter(provider=call.provider, state__in=OPEN_CALLS, slot_at__isnull=False)


def _free(call: Call, limits: Mapping[str, int]) -> int:
    """How many more calls the vendor, and this call's model, take now."""
    room = [limit - _holding(call).count() for limit in (limits.get("", 0),) if limit]
    if limit := limits.get(call.model, 0) if call.model else 0:
        room.append(limit - _holding(call).filter(model=call.model).count())
    return min(room, default=LOOKED_AT)


def _next(call: Call, limits: Mapping[str, int]) -> set[int]:
    """The calls that are next: as many as slots are free, each time from the creator who holds the fewest."""
    now = timezone.now()
    ready = Q(look_at=None) | Q(look_at__lte=now) | Q(pk=call.pk)
    rows = list(
        waiting(call.provider)
        .filter(ready, model=call.model)
        .values_list("pk", "step__production__order__creator_id", "step__production__order__placed_at")[:LOOKED_AT]
    )
    if call.pk not in {pk for pk, _, _ in rows}:
        order = call.step.production.order
        rows.append((call.pk, order.creator_id, order.placed_at))
    held = Counter(_holding(call).values_list("step__production__order__creator_id", flat=True))
    chosen: set[int] = set()
    late = dt.datetime.max.replace(tzinfo=dt.UTC)
    for _ in range(min(_free(call, limits), len(rows))):
        pick = min(
            (row for row in rows if row[0] not in chosen), key=lambda row: (held[row[1]], row[2] or late, row[0])
        )
        chosen.add(pick[0])
        held[pick[1]] += 1
        if pick[0] == call.pk:
            break
    return chosen


def _afford(call: Call, now: dt.datetime) -> None:
    """Raises ProviderError where this call's estimate would pass the order's budget or the day's."""
    if not call.estimate:
        return
    order = call.step.production.order
    cap = order_cap(order.amount)
    if spent(Call.objects.filter(step__production__order=order).exclude(pk=call.pk)) + call.estimate > cap:
        raise ProviderError(f"order {order} may not cost more than {cap} millionths", retryable=False, trouble="capped")
    day = Call.objects.filter(slot_at__gte=now - dt.timedelta(days=1)).exclude(pk=call.pk)
    if settings.DAY_BUDGET and spent(day) + call.estimate > dollars(settings.DAY_BUDGET):
        raise ProviderError("the day's budget for vendors is spent", retryable=False, trouble="capped")


def order_cap(amount: int | None) -> int:
    """The most an order's calls may cost, from its price in minor units (none: ORDER_BUDGET alone); see `dollars`."""
    if amount is None:
        return dollars(settings.ORDER_BUDGET)
    return dollars(min(settings.ORDER_BUDGET, amount * settings.COST_SHARE))


def dollars(minor_units: float) -> int:
    """Money of ours as vendors count: minor units of CURRENCY in millionths of a US dollar, by USD_RATE."""
    return int(minor_units * 10_000 / settings.USD_RATE)


def spent(calls: QuerySet[Call]) -> int:
    """What calls have cost and what those under way are reserved for, in millionths of a US dollar."""
    reserved = Case(
        When(state=CallState.SUCCEEDED, then=F("cost")),
        When(Q(state__in=OPEN_CALLS, slot_at__isnull=False) | Q(maybe_paid_twice=True), then=F("estimate")),
        default=F("cost"),
    )
    total: int = calls.aggregate(sum=Sum(reserved))["sum"] or 0
    return total
