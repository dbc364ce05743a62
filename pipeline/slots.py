"""Who may call a vendor now: its slots, handed to the oldest orders with a fair share per creator, within the budgets.

Handing out begins with one write to a row that all who hand out write first. So two workers never give the same slot,
nor spend the same money, on SQLite and on PostgreSQL alike.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator
from functools import partial

from django.conf import settings
from django.db import transaction
from django.db.models import Case, F, Q, QuerySet, Sum, When
from django.utils import timezone

from .models import OPEN_CALLS, Call, CallState, ProductionState, Step, StepState, Vendor
from .providers.base import ProviderError

# Everybody who spends raises this row's turn: the day's budget is one for all vendors.
EVERYBODY = "*"
LOOKED_AT = 500
# A call that waits, its creator and its place in the queue.
Row = tuple[int, int, dt.datetime]


def take(call: Call, limit: int) -> bool:
    """Give a written call a slot, if one is free and it is its turn; else it stands in the queue.

    `limit` is the most calls of the vendor at once; 0 is no limit. Holding a slot already is having it. Raises
    ProviderError (trouble "capped") when a budget would be passed.
    """
    with transaction.atomic():
        _line_up(call)
        call.refresh_from_db()
        if call.slot_at is not None:
            return True
        if not call.is_open:
            return False
        now = timezone.now()
        free = limit - holding(call.provider).count()
        if limit and (free < 1 or call.pk not in _next(call, free)):
            Call.objects.filter(pk=call.pk).update(state=CallState.QUEUED, look_at=None)
            return False
        _afford(call, call.estimate, now)
        Call.objects.filter(pk=call.pk).update(slot_at=now, state=CallState.NEW, look_at=None)
        call.refresh_from_db()
        return True


def afford_again(call: Call, amount: int) -> None:
    """Reserve `amount` for one more sending of a call that may have been done, and charged, each time it was sent.

    Raises ProviderError (trouble "capped") when a budget would be passed.
    """
    with transaction.atomic():
        _line_up(call)
        _afford(call, amount, timezone.now())
        Call.objects.filter(pk=call.pk).update(estimate=F("estimate") + amount)


def release(call: Call, amount: int) -> None:
    """Let go of what was reserved for a sending that was surely not done."""
    if amount:
        Call.objects.filter(pk=call.pk).update(estimate=F("estimate") - amount)


def give_back(call: Call, after: float) -> None:
    """The vendor has no room after all: back to the queue, to be tried again in `after` seconds."""
    Call.objects.filter(pk=call.pk, state__in=OPEN_CALLS).update(
        state=CallState.QUEUED,
        slot_at=None,
        sent_at=None,
        look_at=timezone.now() + dt.timedelta(seconds=after),
    )


def waiting(provider: str, model: str) -> QuerySet[Call]:
    """Calls in the queue for a vendor's model that somebody waits for, oldest order first."""
    over = Q(step__state__in=[StepState.DONE, StepState.FAILED])
    return _queued(provider, model).filter(
        ~over, step__production__state=ProductionState.RUNNING, step__production__paused_at=None
    )


def queues() -> Iterator[str]:
    """Every vendor somebody waits for."""
    for vendor in Vendor.objects.exclude(name=EVERYBODY).values_list("name", flat=True):
        if any(True for _model in _models(vendor)):
            yield vendor


def _models(provider: str) -> Iterator[str]:
    """Every model of a vendor somebody waits for, one step along the index for each, however many wait."""
    queued = Call.objects.filter(provider=provider, state=CallState.QUEUED).order_by("model")
    model = queued.values_list("model", flat=True).first()
    while model is not None:
        yield model
        model = queued.filter(model__gt=model).values_list("model", flat=True).first()


def following(provider: str) -> Call | None:
    """Whose turn it is at a vendor."""
    rows = _rows(provider)
    if not rows:
        return None
    first = _in_turn(rows, provider, 1)[0]
    return Call.objects.select_related("step__production__order").get(pk=first)


def place(order_id: int) -> int | None:
    """How many calls of older orders wait in front of this order's first waiting call; None when none of it waits."""
    # By its steps, of which there are few: a planner that knows no better would go through all that wait.
    mine = Step.objects.filter(production__order=order_id, production__state=ProductionState.RUNNING)
    calls = Call.objects.filter(step__in=list(mine.values_list("pk", flat=True))).order_by("pk")
    first = next(
        (call for call in calls.defer("request", "prepared", "result") if call.state == CallState.QUEUED), None
    )
    if first is None:
        return None
    before = Call.objects.filter(
        provider=first.provider, state=CallState.QUEUED, model__in=list(_models(first.provider))
    )
    return before.filter(lined_up_at__lt=first.lined_up_at).count()


def _line_up(call: Call) -> None:
    for name in (EVERYBODY, call.provider):
        if not Vendor.objects.filter(name=name).update(turn=F("turn") + 1):
            Vendor.objects.get_or_create(name=name)
            Vendor.objects.filter(name=name).update(turn=F("turn") + 1)


def holding(provider: str) -> QuerySet[Call]:
    """The vendor's calls that have a slot."""
    return Call.objects.filter(provider=provider, state__in=[CallState.NEW, CallState.SUBMITTED], slot_at__isnull=False)


def _queued(provider: str, model: str) -> QuerySet[Call]:
    return Call.objects.filter(provider=provider, model=model, state=CallState.QUEUED).order_by("lined_up_at", "pk")


def _rows(provider: str) -> list[Row]:
    """The calls that wait for a vendor and may be sent now: the oldest of each model, as the index has them.

    Where the queue is longer than what is looked at, the oldest of those creators too of whom there is none among them.
    """
    rows: list[Row] = []
    for model in _models(provider):
        ready = waiting(provider, model).filter(Q(look_at=None) | Q(look_at__lte=timezone.now()))
        oldest = _looked_at(ready)
        if len(oldest) == LOOKED_AT:
            seen = {creator for _, creator, _ in oldest}
            oldest += _looked_at(ready.exclude(step__production__order__creator__in=seen))
        rows += oldest
    return rows


def _looked_at(calls: QuerySet[Call]) -> list[Row]:
    return list(calls.values_list("pk", "step__production__order__creator_id", "lined_up_at")[:LOOKED_AT])


def _next(call: Call, free: int) -> list[int]:
    """The calls that are next, as many as slots are free."""
    rows = _rows(call.provider)
    if call.pk not in {pk for pk, _, _ in rows}:
        rows.append((call.pk, call.step.production.order.creator_id, call.lined_up_at))
    return _in_turn(rows, call.provider, free)


def _in_turn(rows: list[Row], provider: str, count: int) -> list[int]:
    """The first so many of these calls, each time from the creator who holds the fewest, the oldest order first."""
    if len(rows) <= count:
        return [pk for pk, _, _ in rows]
    held = Counter(holding(provider).order_by().values_list("step__production__order__creator_id", flat=True))
    chosen: list[int] = []
    for _ in range(count):
        pk, creator, _ = min(rows, key=lambda row: (held[row[1]], row[2], row[0]))
        rows = [row for row in rows if row[0] != pk]
        chosen.append(pk)
        held[creator] += 1
    return chosen


def _afford(call: Call, amount: int, now: dt.datetime) -> None:
    """Raises ProviderError where so much for this call, on top of what it is reserved for while it has a slot, would
    pass the order's budget or the day's.
    """
    if not amount:
        return
    order = call.step.production.order
    cap, known = order_cap(order.amount), Call.objects.filter(step__production__order=order)
    # Where it has been sent, what it may have cost already stays on it.
    refusal = partial(ProviderError, retryable=False, trouble="capped", cost=0 if call.sent_at is None else None)
    if spent(known if call.slot_at is not None else known.exclude(pk=call.pk)) + amount > cap:
        raise refusal(f"order {order} may not cost more than {cap} millionths")
    day = Call.objects.filter(slot_at__gte=now - dt.timedelta(days=1))
    if settings.DAY_BUDGET and spent(day) + amount > dollars(settings.DAY_BUDGET):
        raise refusal("the day's budget for vendors is spent")


def order_cap(amount: int | None) -> int:
    """The most an order's calls may cost, from its price in minor units (none: ORDER_BUDGET alone); see `dollars`."""
    if amount is None:
        return dollars(settings.ORDER_BUDGET)
    return dollars(min(settings.ORDER_BUDGET, amount * settings.COST_SHARE))


def dollars(minor_units: float) -> int:
    """Money of ours as vendors count: minor units of CURRENCY in millionths of a US dollar, by USD_RATE."""
    return int(minor_units * 10_000 / settings.USD_RATE)


# What a call has cost, or is reserved for while it is under way or nobody knows all that it cost.
RESERVED = Case(
    When(Q(state__in=OPEN_CALLS, slot_at__isnull=False) | Q(maybe_paid_twice=True), then=F("estimate")),
    default=F("cost"),
)


def spent(calls: QuerySet[Call]) -> int:
    """What calls have cost, and what those are reserved for that are under way or of which nobody knows all that they
    cost, in millionths of a US dollar.
    """
    total: int = calls.aggregate(sum=Sum(RESERVED))["sum"] or 0
    return total


def spent_by_provider(calls: QuerySet[Call]) -> dict[str, int]:
    """The same for each provider."""
    return dict(calls.order_by().values_list("provider").annotate(sum=Sum(RESERVED)))
