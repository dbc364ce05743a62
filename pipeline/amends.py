"""How much should go back: a table of rules over the facts of an order, each with its reason in words."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing import refunds
from billing.models import RefundReason
from orders.models import WITHOUT_FILM, Order, OrderState

from .models import Call, Event, Review, ReviewState, Take
from .models.story import TakeKind
from .order_lists import lasting
from .roster import LOCAL_STUDIO


@dataclass(frozen=True)
class Facts:
    """What counts for amends: `late` against the promise, shots where a photo stood in for a filmed one, of how many;
    whether our own writer stood in, and whether checks found something that went out all the same.
    """

    state: str
    late: dt.timedelta
    stood_in: int
    shots: int
    writer_stood_in: bool
    warned: bool


@dataclass(frozen=True)
class Rule:
    """One rule: what share of the price (percent) goes back by these facts, why, and under which reason."""

    key: str
    percent: Callable[[Facts], float]
    says: Callable[[Facts], str]
    reason: RefundReason


def _late(facts: Facts) -> float:
    hours = facts.late.total_seconds() / 3600
    return next((share for more, share in LATE if hours > more), 0)


# More hours late than this: so many percent back.
LATE = ((72, 50.0), (24, 25.0), (1, 10.0), (0, 5.0))
# All shots stood in for: half of the price, and less in proportion.
ALL_STOOD_IN = 50.0
WRITER = 10.0

RULES: tuple[Rule, ...] = (
    Rule(
        "no_film",
        lambda facts: 100.0 if facts.state in WITHOUT_FILM else 0.0,
        lambda facts: _("There is no film: all of it goes back."),
        RefundReason.FAILED,
    ),
    Rule(
        "late",
        _late,
        lambda facts: _("Late by %(time)s.") % {"time": lasting(facts.late)},
        RefundReason.LATE,
    ),
    Rule(
        "stood_in",
        lambda facts: ALL_STOOD_IN * facts.stood_in / facts.shots if facts.shots else 0.0,
        lambda facts: (
            _("In %(n)d of %(all)d shots the photo stood in for a filmed one.")
            % {"n": facts.stood_in, "all": facts.shots}
        ),
        RefundReason.QUALITY,
    ),
    Rule(
        "writer",
        lambda facts: WRITER if facts.writer_stood_in else 0.0,
        lambda facts: _("Our own writer stood in for the one that was meant."),
        RefundReason.QUALITY,
    ),
)
WHOLE: str | Promise = gettext_lazy("More than all of it cannot go back.")


@dataclass(frozen=True)
class Line:
    """One rule that applies: what it says, its percent, and the amount in minor units."""

    says: str
    percent: float
    amount: int
    reason: str


@dataclass(frozen=True)
class Proposal:
    """What the rules propose: `amount` in minor units, never more than `room`, what could still go back."""

    lines: tuple[Line, ...]
    amount: int
    room: int
    reason: str
    held: bool


def facts_of(order: Order) -> Facts:
    """The facts of an order, from the film the fan has, or the newest making."""
    delivery = getattr(order, "delivery", None)
    made = delivery.cut.production if delivery else order.productions.order_by("-number").first()
    selected = Take.objects.filter(shot__scene__script__production=made, selected=True)
    takes = list(selected.values_list("kind", "shot__scene__number"))
    # A photo stood in where a vendor was asked for the shot, and the photo is what is seen.
    tried = Call.objects.filter(step__production=made, step__stage="shot").exclude(provider=LOCAL_STUDIO)
    asked = set(tried.values_list("step__item", flat=True)) if made else set()
    by_us = made is not None and Event.objects.filter(production=made, name="writer.stood_in").exists()
    late = dt.timedelta()
    if order.promised_at is not None and order.ended_at is not None and order.state == OrderState.DELIVERED:
        late = max(late, order.ended_at - order.promised_at)
    return Facts(
        state=order.state,
        late=late,
        stood_in=sum(kind == TakeKind.STILL and number in asked for kind, number in takes),
        shots=len(takes),
        writer_stood_in=by_us,
        warned=bool(delivery and delivery.cut.verdict == "warn"),
    )


def propose(order: Order) -> Proposal:
    """The amount the facts speak for, with each rule that applies. What went back already counts against it."""
    facts, room = facts_of(order), refunds.refundable(order)
    payment = refunds.payment_of(order)
    price = payment.amount if payment is not None else 0
    lines = []
    for rule in RULES:
        percent = rule.percent(facts)
        if percent > 0:
            lines.append(Line(rule.says(facts), percent, round(price * percent / 100), rule.reason))
    back = price - room
    wanted = max(0, min(price, sum(line.amount for line in lines)) - back)
    refused = Review.objects.filter(cut__production__order=order, state=ReviewState.REFUSED).exists()
    largest = max(lines, key=lambda line: line.amount).reason if lines else RefundReason.GOODWILL
    if refused and largest == RefundReason.FAILED:
        largest = RefundReason.REFUSED
    held = payment is not None and not payment.captured
    return Proposal(tuple(lines), min(wanted, room), room, str(largest), held)
