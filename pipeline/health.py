"""How making is just now, for the desk: vendors, queues, what failed and why, orders and money by day."""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db.models import CharField, Count, Func, QuerySet
from django.utils import timezone

from billing import margins
from billing.margins import Margin
from orders.models import Order, OrderState

from . import queue, roster, slots
from .line import STAGES
from .models import OPEN_CALLS, Call, CallState, Production, ProductionState, Step, Vendor

DAY = dt.timedelta(days=1)
DAYS = 30
# Of so many of the latest calls within a day the figures are made: more say nothing new, and cost time.
LATEST = 2000


@dataclass(frozen=True)
class VendorHealth:
    """One vendor in the last 24 hours. Seconds are from sent to answered; money is in minor units of CURRENCY."""

    vendor: Vendor
    calls: int
    p50: float | None
    p90: float | None
    bad: int
    under_way: int
    limit: int
    waiting: int
    spent: int

    @property
    def error_rate(self) -> float | None:
        """The share of ended calls that had no answer; None where none has ended."""
        return self.bad / self.calls if self.calls else None

    @property
    def is_open(self) -> bool:
        """Whether it is left alone now."""
        return self.vendor.open_until is not None and self.vendor.open_until > timezone.now()


@dataclass(frozen=True)
class QueueHealth:
    """One queue: jobs that stand in it (None: it cannot be reached), and steps on the board that are due for it."""

    name: str
    jobs: int | None
    due: int


@dataclass(frozen=True)
class Cause:
    """Something that failed, and how often."""

    what: str
    why: str
    times: int


@dataclass
class Day:
    """One day of the shop: what became of the orders placed on it, and what the ledger says of its money."""

    date: dt.date
    ends: Counter[str] = field(default_factory=Counter)
    money: Margin = field(default_factory=Margin)


def minor_units(millionths: int) -> int:
    """What vendors count, millionths of a US dollar, in minor units of CURRENCY: the reverse of `slots.dollars`."""
    rate: float = settings.USD_RATE
    return round(millionths * rate / 10_000)


def percentile(values: Sequence[float], share: float) -> float | None:
    """The value that this share of the sorted values does not pass; None of none."""
    return values[min(len(values) - 1, int(share * len(values)))] if values else None


def vendors() -> list[VendorHealth]:
    """Every vendor we know of, those in trouble first."""
    day = Call.objects.filter(slot_at__gte=timezone.now() - DAY)
    limits, spent = _limits(), slots.spent_by_provider(day)
    known = list(Vendor.objects.exclude(name=slots.EVERYBODY).order_by("name"))
    # By name: the index begins with it.
    theirs = Call.objects.filter(provider__in=[vendor.name for vendor in known])
    waiting = _count(theirs.filter(state=CallState.QUEUED))
    holding = _count(theirs.filter(state__in=[CallState.NEW, CallState.SUBMITTED], slot_at__isnull=False))
    times: dict[str, list[float]] = defaultdict(list)
    bad: Counter[str] = Counter()
    ended = day.filter(sent_at__isnull=False, ended_at__isnull=False)
    ended = ended.exclude(state__in=[*OPEN_CALLS, CallState.CANCELLED]).order_by("-slot_at")
    for name, state, sent_at, ended_at in ended.values_list("provider", "state", "sent_at", "ended_at")[:LATEST]:
        if state == CallState.SUCCEEDED and sent_at is not None and ended_at is not None:
            times[name].append((ended_at - sent_at).total_seconds())
        else:
            bad[name] += 1
    found = [
        VendorHealth(
            vendor=vendor,
            calls=len(times[vendor.name]) + bad[vendor.name],
            p50=percentile(sorted(times[vendor.name]), 0.5),
            p90=percentile(sorted(times[vendor.name]), 0.9),
            bad=bad[vendor.name],
            under_way=holding[vendor.name],
            limit=limits.get(vendor.name, 0),
            waiting=waiting[vendor.name],
            spent=minor_units(spent.get(vendor.name, 0)),
        )
        for vendor in known
    ]
    return sorted(found, key=lambda one: (not one.is_open, one.vendor.name))


def _count(calls: QuerySet[Call]) -> Counter[str]:
    return Counter(dict(calls.order_by().values_list("provider").annotate(times=Count("pk"))))


def _limits() -> dict[str, int]:
    try:
        return {vendor.name: vendor.limit for vendor in roster.vendors()}
    except (ImproperlyConfigured, ValueError):  # said by the doctor
        return {}


def spent_today() -> int:
    """What all vendors' calls of the last 24 hours cost or may cost, in minor units of CURRENCY."""
    return minor_units(slots.spent(Call.objects.filter(slot_at__gte=timezone.now() - DAY)))


def queues() -> list[QueueHealth]:
    """Every queue. The board says what is due even where Redis says nothing."""
    # The steps first, along their index, then whether their productions still run: of those there are few.
    steps = list(Step.objects.takeable(timezone.now()).order_by().values_list("stage", "production_id")[:LATEST])
    running = Production.objects.filter(pk__in={pk for _stage, pk in steps}, state=ProductionState.RUNNING)
    alive = set(running.order_by().values_list("pk", flat=True))
    due = Counter(STAGES[stage].queue for stage, pk in steps if pk in alive and stage in STAGES)
    return [QueueHealth(name, queue.depth(name), due[name]) for name in settings.QUEUES]


def failures(days: int = 7) -> list[Cause]:
    """What failed in the last days, the most frequent cause first: whole productions by stage, calls by trouble."""
    since = timezone.now() - days * DAY
    productions = Production.objects.filter(state=ProductionState.FAILED, ended_at__gte=since)
    calls = Call.objects.filter(slot_at__gte=since, state__in=[CallState.FAILED, CallState.EXPIRED])
    stages = productions.order_by().values_list("failed_stage").annotate(times=Count("pk"))
    troubles = calls.order_by().values_list("provider", "trouble").annotate(times=Count("pk"))
    found = [Cause("film", stage or "?", times) for stage, times in stages]
    found += [Cause(provider, trouble or "expired", times) for provider, trouble, times in troubles]
    return sorted(found, key=lambda cause: -cause.times)


class DayOf(Func):
    """The day of a moment in UTC, as `2026-11-29`, by what the database has itself: Django's own is slow on SQLite."""

    output_field = CharField()

    def as_sqlite(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        """Moments are texts there."""
        return super().as_sql(compiler, connection, template="SUBSTR(%(expressions)s, 1, 10)", **extra)

    def as_postgresql(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        """Moments have a zone there."""
        template = "TO_CHAR(%(expressions)s AT TIME ZONE 'UTC', 'YYYY-MM-DD')"
        return super().as_sql(compiler, connection, template=template, **extra)


def by_day(days: int = DAYS) -> list[Day]:
    """Orders by the day (in UTC) they were placed and what became of them; money by the day it moved. Oldest first."""
    today = timezone.now().astimezone(dt.UTC).date()
    found = {str(date): Day(date) for date in (today - DAY * back for back in range(days - 1, -1, -1))}
    since = dt.datetime.combine(today - DAY * (days - 1), dt.time(), dt.UTC)
    states = [state for state in OrderState if state != OrderState.DRAFT]
    placed = Order.objects.filter(state__in=states, placed_at__gte=since).order_by()
    for day, state, times in placed.values_list(DayOf("placed_at"), "state").annotate(times=Count("pk")):
        if day in found:
            found[day].ends[state] += times
    for date, margin in margins.by_day(since, since + DAY * days).items():
        found[str(date)].money = margin
    return list(found.values())
