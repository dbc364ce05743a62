"""How making is just now, for the desk: vendors, queues, what failed and why, orders and money by day."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db.models import Count, Q, QuerySet, Sum
from django.db.models.functions import TruncDate
from django.utils import timezone

from billing.models import Payment, PaymentState, Refund, RefundState
from orders.models import Order, OrderState

from . import queue, roster, slots
from .line import STAGES
from .models import OPEN_CALLS, Call, CallState, Production, ProductionState, Step, Vendor

DAY = dt.timedelta(days=1)
DAYS = 30
# Of so many of a vendor's latest calls within a day the figures are made: more say nothing new, and cost time.
LATEST = 1000


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
    """One day of the shop. Money is in minor units of CURRENCY."""

    date: dt.date
    ends: Counter[str] = field(default_factory=Counter)
    taken: int = 0
    given_back: int = 0
    costs: int = 0

    @property
    def margin(self) -> int:
        """What is left of what was taken, before the creators' shares and fees."""
        return self.taken - self.given_back - self.costs


def minor_units(millionths: int) -> int:
    """What vendors count, millionths of a US dollar, in minor units of CURRENCY: the reverse of `slots.dollars`."""
    return round(millionths * settings.USD_RATE / 10_000)


def percentile(values: Sequence[float], share: float) -> float | None:
    """The value that this share of the sorted values does not pass; None of none."""
    return values[min(len(values) - 1, int(share * len(values)))] if values else None


def vendors() -> list[VendorHealth]:
    """Every vendor we know of, those in trouble first."""
    since = timezone.now() - DAY
    limits = _limits()
    waiting = _count(Call.objects.filter(state=CallState.QUEUED))
    holding = _count(Call.objects.filter(state__in=[CallState.NEW, CallState.SUBMITTED], slot_at__isnull=False))
    found = []
    for vendor in Vendor.objects.exclude(name=slots.EVERYBODY).order_by("name"):
        day = Call.objects.filter(provider=vendor.name, slot_at__gte=since)
        ended = list(
            day.filter(sent_at__isnull=False, ended_at__isnull=False)
            .exclude(state__in=[*OPEN_CALLS, CallState.CANCELLED])
            .order_by("-slot_at")
            .values_list("state", "sent_at", "ended_at")[:LATEST]
        )
        times = sorted(
            (ended_at - sent_at).total_seconds()
            for state, sent_at, ended_at in ended
            if state == CallState.SUCCEEDED and sent_at is not None and ended_at is not None
        )
        found.append(
            VendorHealth(
                vendor=vendor,
                calls=len(ended),
                p50=percentile(times, 0.5),
                p90=percentile(times, 0.9),
                bad=len(ended) - len(times),
                under_way=holding[vendor.name],
                limit=limits.get(vendor.name, 0),
                waiting=waiting[vendor.name],
                spent=minor_units(slots.spent(day)),
            )
        )
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
    stages = Step.objects.due(timezone.now()).order_by().values_list("stage").annotate(times=Count("pk"))
    due: Counter[str] = Counter()
    for stage, times in stages:
        due[STAGES[stage].queue if stage in STAGES else "control"] += times
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


def by_day(days: int = DAYS) -> list[Day]:
    """Orders by the day they were placed and what became of them; money by the day it moved. Oldest first."""
    today = timezone.localdate()
    found = {date: Day(date) for date in (today - DAY * back for back in range(days - 1, -1, -1))}
    since = timezone.make_aware(dt.datetime.combine(min(found), dt.time()))
    states = [state for state in OrderState if state != OrderState.DRAFT]
    placed = Order.objects.filter(state__in=states, placed_at__gte=since).order_by()
    for date, state, times in placed.values_list(TruncDate("placed_at"), "state").annotate(times=Count("pk")):
        if date in found:
            found[date].ends[state] += times
    captured = Payment.objects.filter(state=PaymentState.CAPTURED, captured_at__gte=since).order_by()
    for date, amount in captured.values_list(TruncDate("captured_at")).annotate(sum=Sum("amount")):
        if date in found:
            found[date].taken += amount
    refunded = Refund.objects.filter(~Q(state=RefundState.FAILED), created_at__gte=since).order_by()
    for date, amount in refunded.values_list(TruncDate("created_at")).annotate(sum=Sum("amount")):
        if date in found:
            found[date].given_back += amount
    calls = Call.objects.filter(slot_at__gte=since, cost__gt=0).order_by()
    for date, cost in calls.values_list(TruncDate("slot_at")).annotate(sum=Sum("cost")):
        if date in found:
            found[date].costs += minor_units(cost)
    return list(found.values())
