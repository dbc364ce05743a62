"""What a trial comes to: times, throughput, what was paid, who stood in, what is broken.

At `speed` 20 a vendor's minute passes in three seconds here. An order's time is told as it would be at speed 1: the
time a vendor worked for it counts `speed` times, all our own time as it was. Shots are filmed side by side, so the
vendor's time is the union of its jobs, each until the vendor was done (its own books say when), and no longer than
the step that asked for it was open.
"""

from __future__ import annotations

import datetime as dt
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass

from django.db.models import Count, Sum

from orders.models import Order
from pipeline.line import LINE
from pipeline.models import Call, CallState, Cut, Delivery, FirstLook, HookEvent, Script, Step, Take
from pipeline.models.story import TakeKind

Span = tuple[float, float]
LOCAL = ("local-writer", "local-voice", "local-studio")


@dataclass(frozen=True)
class Books:
    """What the pretended video vendor wrote down: how often each key was charged, when each was over (Unix seconds)."""

    charged: Mapping[str, int]
    over: Mapping[str, float | None]


@dataclass(frozen=True)
class Figures:
    """A trial in numbers; minutes and seconds are simulated ones, see above. `unknown` are outcomes never learnt."""

    orders: int
    seed: int
    faults: str
    speed: float
    success_rate: float
    repaid_calls: int
    p50_minutes: float
    p90_minutes: float
    p99_minutes: float
    first_look_p50_seconds: float
    first_look_p90_seconds: float
    films_per_hour: float
    own_seconds_per_film: float
    own_seconds_by_stage: dict[str, float]
    vendor_p50_seconds: float
    own_wall_p50_seconds: float
    after_last_shot_p50_seconds: float
    master_after_last_shot_p50_seconds: float
    paid_calls: int
    unknown: int
    retries: int
    hedges: int
    local_takes: int
    orders_with_local_takes: int
    local_scripts: int
    bells: dict[str, int]
    faults_fired: dict[str, int]
    kills: dict[str, int]
    not_as_expected: list[str]
    wrong_money: list[str]
    invariants_broken: list[str]

    @property
    def good(self) -> bool:
        """Every order ended as it should, its money too, nothing was paid twice, nothing is broken."""
        right = self.success_rate == 1.0 and not self.wrong_money
        return right and not self.repaid_calls and not self.invariants_broken


def united(spans: Iterable[Span]) -> float:
    """How long at least one of the spans lasts, in their own unit."""
    total, reach = 0.0, -math.inf
    for start, end in sorted(spans):
        total += max(0.0, end - max(start, reach))
        reach = max(reach, end)
    return total


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that `share` of all are not above; NaN of nothing."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else math.nan


def simulated(begun: float, ended: float, vendor: Iterable[Span], speed: float) -> float:
    """Seconds from `begun` to `ended` as they would be at speed 1."""
    waited = united((max(begun, a), min(ended, b)) for a, b in vendor if min(ended, b) > max(begun, a))
    return (ended - begun - waited) + speed * waited


@dataclass(frozen=True)
class Timed:
    """One delivered order, in seconds: till to film, till to first look (None without), and what it is made of."""

    film: float
    first_look: float | None
    vendor: float
    own_wall: float
    after_last_shot: float
    master_after_last_shot: float


def timed(order: Order, books: Books, speed: float) -> Timed:
    """How long a delivered order took."""
    assert order.placed_at is not None
    placed = order.placed_at.timestamp()
    delivery = Delivery.objects.get(order=order)
    delivered = delivery.delivered_at.timestamp()
    calls = list(Call.objects.filter(step__production__order=order).exclude(provider__in=LOCAL).select_related("step"))
    spans = {call.pk: span for call in calls if (span := _span(call, books))}
    look = FirstLook.objects.filter(production__order=order).values_list("created_at", flat=True).first()
    before_shots = [spans[call.pk] for call in calls if call.pk in spans and call.job != "video"]
    vendor = united((max(placed, a), min(delivered, b)) for a, b in spans.values() if min(delivered, b) > placed)
    # Of all its makings: a change that was asked for, or a re-run after the delivery, is another production.
    shots = Step.objects.filter(production__order=order, stage="shot", ended_at__lte=delivery.delivered_at)
    last_shot = max((at.timestamp() for at in shots.values_list("ended_at", flat=True) if at), default=delivered)
    master = Cut.objects.filter(production__order=order, created_at__lte=delivery.delivered_at).latest("created_at")
    return Timed(
        film=simulated(placed, delivered, spans.values(), speed),
        first_look=simulated(placed, look.timestamp(), before_shots, speed) if look else None,
        vendor=vendor * speed,
        own_wall=delivered - placed - vendor,
        after_last_shot=delivered - last_shot,
        master_after_last_shot=master.created_at.timestamp() - last_shot,
    )


def _span(call: Call, books: Books) -> Span | None:
    """When the vendor worked on a call, in Unix seconds."""
    if call.sent_at is None:
        return None
    ends = [at.timestamp() for at in (call.ended_at, call.step.ended_at) if at is not None]
    over = books.over.get(call.key)
    ends += [over] if over is not None else []
    return (call.sent_at.timestamp(), min(ends)) if ends and min(ends) > call.sent_at.timestamp() else None


def repaid(books: Books) -> list[str]:
    """Our keys under which money was lost: charged twice, unknown to us, or asked anew although the vendor had it.

    A take that the vendor made and we could not use is bought again knowingly; its call says why. A call whose outcome
    was never learnt says so itself (`maybe_paid_twice`).
    """
    calls = {call.key: call for call in Call.objects.filter(key__in=books.charged)}
    lost = [key for key, times in books.charged.items() if times > 1 or key not in calls]
    for key, call in calls.items():
        later = Call.objects.filter(step=call.step, name=call.name, attempt__gt=call.attempt).exists()
        reasoned = call.state == CallState.FAILED and call.external_id and call.error
        if later and not reasoned and not call.maybe_paid_twice:
            lost.append(key)
    return sorted(set(lost))


def figures(
    *,
    placed: Mapping[str, str],
    books: Books,
    speed: float,
    seed: int,
    faults: str,
    cpu_seconds: float,
    fired: Mapping[str, int],
    kills: Sequence[str],
    broken: list[str],
    wrong_money: list[str],
) -> Figures:
    """The whole trial. `placed` is how each order, by its code, should have ended."""
    orders = list(Order.objects.filter(code__in=placed))
    wrong = [f"{o} is {o.state}, not {placed[o.code]}" for o in orders if o.state != placed[o.code]]
    times = [timed(order, books, speed) for order in orders if order.state == "delivered"]
    looks = [one.first_look for one in times if one.first_look is not None]
    video = Call.objects.filter(job="video").exclude(provider__in=LOCAL)
    stills = Take.objects.filter(selected=True, kind=TakeKind.STILL)
    finished = list(Delivery.objects.filter(order__code__in=placed).values_list("delivered_at", flat=True))
    begun = min((o.placed_at for o in orders if o.placed_at), default=dt.datetime.now(dt.UTC))
    hours = (max(finished, default=begun) - begun).total_seconds() / 3600
    films = [one.film / 60 for one in times]
    return Figures(
        orders=len(placed),
        seed=seed,
        faults=faults,
        speed=speed,
        success_rate=round(1 - len(wrong) / len(placed), 4) if placed else 0.0,
        repaid_calls=len(repaid(books)),
        p50_minutes=round(percentile(films, 0.5), 2),
        p90_minutes=round(percentile(films, 0.9), 2),
        p99_minutes=round(percentile(films, 0.99), 2),
        first_look_p50_seconds=round(percentile(looks, 0.5), 1),
        first_look_p90_seconds=round(percentile(looks, 0.9), 1),
        films_per_hour=round(len(finished) / hours, 1) if hours else 0.0,
        own_seconds_per_film=round(cpu_seconds / len(finished), 1) if finished else math.nan,
        own_seconds_by_stage=_by_stage(orders),
        vendor_p50_seconds=round(percentile([one.vendor for one in times], 0.5), 1),
        own_wall_p50_seconds=round(percentile([one.own_wall for one in times], 0.5), 1),
        after_last_shot_p50_seconds=round(percentile([one.after_last_shot for one in times], 0.5), 1),
        master_after_last_shot_p50_seconds=round(percentile([one.master_after_last_shot for one in times], 0.5), 1),
        paid_calls=sum(books.charged.values()),
        unknown=Call.objects.filter(maybe_paid_twice=True).count(),
        retries=Call.objects.filter(attempt__gt=1).count(),
        hedges=video.filter(name__startswith="take-").exclude(name="take-1").filter(attempt=1).count(),
        local_takes=stills.count(),
        orders_with_local_takes=stills.values("shot__scene__script__production__order").distinct().count(),
        local_scripts=Script.objects.filter(call__provider="local-writer").count(),
        bells=dict(HookEvent.objects.values_list("outcome").annotate(Count("pk"))),
        faults_fired=dict(sorted(fired.items())),
        kills=dict(Counter(kills)),
        not_as_expected=wrong,
        wrong_money=wrong_money,
        invariants_broken=broken,
    )


def _by_stage(orders: Sequence[Order]) -> dict[str, float]:
    """CPU seconds per order of each stage's steps, those of their child processes included."""
    steps = Step.objects.filter(production__order__in=orders).values_list("stage").annotate(Sum("cpu_seconds"))
    spent = dict(steps)
    return {line.key: round(spent.get(line.key, 0.0) / max(1, len(orders)), 2) for line in LINE}


def plain(found: Figures) -> dict[str, object]:
    """Figures as plain data, for JSON; what could not be measured is null."""
    return {
        name: None if isinstance(value, float) and math.isnan(value) else value for name, value in asdict(found).items()
    }
