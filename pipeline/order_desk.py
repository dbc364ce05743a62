"""What the desk shows of one order: where it stands, its versions, its board, its money. A fixed number of queries."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.db.models import Prefetch, QuerySet
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from accounts.scoping import sees_all
from billing import margins
from billing.models import Payment, Refund, RefundState
from orders.models import Brief, Order, Photo

from . import order_timeline, slots
from .line import LINE
from .media_links import link
from .models import (
    Call,
    Production,
    ProductionState,
    RefundRequest,
    RequestState,
    Review,
    Step,
    StepState,
)
from .order_lists import Promised, lasting, money, promised
from .rerun import label_of

# A side-by-side look is at the last few makings.
MOST_VERSIONS = 4
LOOKS = {
    StepState.DONE: "good",
    StepState.RUNNING: "now",
    StepState.WAITING: "now",
    StepState.READY: "now",
    StepState.FAILED: "bad",
}


@dataclass(frozen=True)
class May:
    """What whoever looks may see and do here, by the rights of their groups."""

    brief: bool
    photos: bool
    films: bool
    board: bool
    history: bool
    money: bool
    ledger: bool
    mail: bool
    refund: bool
    confirm: bool
    rerun: bool
    change: bool
    write: bool
    export: bool
    erase: bool


def may(user: Any) -> May:
    """The rights that count on the order desk; `accounts.roles` gives them. A creator has those of reading alone."""
    staff = sees_all(user)

    def has(right: str) -> bool:
        return staff and bool(user.has_perm(right))

    return May(
        brief=user.has_perm("orders.view_brief"),
        photos=user.has_perm("orders.view_photo"),
        films=user.has_perm("pipeline.view_cut") or user.has_perm("pipeline.view_review"),
        board=has("pipeline.view_step"),
        history=staff,
        money=has("billing.view_payment"),
        ledger=has("billing.view_ledgerentry"),
        mail=has("accounts.view_user"),
        refund=has("billing.add_refund"),
        confirm=has("pipeline.change_refundrequest"),
        rerun=has("pipeline.add_production"),
        change=has("orders.change_order"),
        write=has("pipeline.add_notice"),
        export=has("orders.view_photo") and has("orders.change_order"),
        erase=has("orders.delete_order"),
    )


@dataclass(frozen=True)
class StepLine:
    """One step on the board, as the desk shows it."""

    label: str
    item: int
    state: str | Promise
    look: str
    attempts: int
    failures: int
    took: str
    calls: int
    error: str
    again: str


@dataclass(frozen=True)
class StageGroup:
    """One stage on the board with its steps. `look` is the worst of theirs; `open` where somebody should look."""

    key: str
    label: str
    look: str
    done: int
    total: int
    attempts: int
    took: str
    steps: list[StepLine]
    open: bool


@dataclass(frozen=True)
class Version:
    """One making with its film, where it has one."""

    production: Production
    label: str
    state: str | Promise
    look: str
    video: str
    poster: str
    captions: str
    seconds: float
    verdict: str
    review: Review | None
    delivered: bool
    cost: str
    board: list[StageGroup]
    why: str


@dataclass
class Money:
    """What the order brought and cost, in words; `lines` are payments and refunds."""

    price: str
    refunded: str
    cost: str
    left: str
    low: bool
    by_vendor: list[tuple[str, int, str]]
    payments: list[Payment]
    more: list[tuple[str | Promise, str]] = field(default_factory=list)


@dataclass
class Page:
    """All of an order's page."""

    order: Order
    brief: Brief
    may: May
    promised: Promised
    now: str
    running: Production | None
    versions: list[Version]
    films: list[Version]
    photos: list[tuple[Photo, str, str]]
    money: Money | None
    request: RefundRequest | None
    entries: list[order_timeline.Entry]
    kind: str
    kinds: list[tuple[str, str | Promise]] = field(default_factory=list)


def read(order: Order, user: Any, *, kind: str = "") -> Page:
    """The page of an order (with its fan, creator, brief and delivery loaded) for whoever looks."""
    rights = may(user)
    productions = list(
        Production.objects.filter(order=order).select_related("cut__review__decided_by", "asked_by").order_by("-number")
    )
    steps: dict[int, list[Step]] = defaultdict(list)
    for step in Step.objects.filter(production__in=productions).order_by("pk"):
        steps[step.production_id].append(step)
    calls = list(
        Call.objects.filter(step__production__in=productions)
        .select_related("step")
        .defer("request", "prepared", "result", "files")
    )
    spent: dict[int, list[Call]] = defaultdict(list)
    for call in calls:
        spent[call.step.production_id].append(call)
    delivery = getattr(order, "delivery", None)
    versions = [
        _version(one, steps[one.pk], spent[one.pk], rights, delivery.cut_id if delivery else None)
        for one in productions
    ]
    running = next((one for one in productions if one.state == ProductionState.RUNNING), None)
    entries = (
        order_timeline.read(order, calls=calls, money=rights.money, mails=rights.mail, making=rights.board)
        if rights.history
        else []
    )
    kinds = [("", _("All but the small things")), *order_timeline.KINDS.items(), ("all", _("Everything"))]
    return Page(
        order=order,
        brief=order.brief,
        may=rights,
        promised=promised(order),
        now=_now(running, steps[running.pk]) if running else "",
        running=running,
        versions=versions,
        films=[version for version in versions if version.video][:MOST_VERSIONS],
        photos=_photos(order) if rights.photos else [],
        money=_money(order, calls, ledger=rights.ledger) if rights.money else None,
        request=_request(order) if rights.money else None,
        entries=order_timeline.picked(entries, kind),
        kind=kind,
        kinds=kinds,
    )


def waiting_requests() -> QuerySet[RefundRequest]:
    """Refunds that wait for a second person."""
    return RefundRequest.objects.filter(state=RequestState.WAITING)


def _request(order: Order) -> RefundRequest | None:
    """The one of this order. Whoever loaded the order may know already that there is none."""
    if not getattr(order, "asks", True):
        return None
    return waiting_requests().filter(order=order).select_related("asked_by").first()


def _photos(order: Order) -> list[tuple[Photo, str, str]]:
    photos = Photo.objects.filter(order=order).order_by("place", "pk")
    return [(photo, link(photo.thumb), link(photo.file)) for photo in photos]


def _now(production: Production, steps: Sequence[Step]) -> str:
    """Where a running making stands, in a few words."""
    if production.paused_at is not None:
        return _("Paused for %(time)s") % {"time": lasting(timezone.now() - production.paused_at)}
    at_work = {step.stage for step in steps if step.state not in (StepState.DONE, StepState.BLOCKED)}
    labels = [str(line.label or line.key) for line in LINE if line.key in at_work]
    return ", ".join(labels[:3])


# --- versions and their boards ----------------------------------------------------------------------------------------


def _version(
    production: Production, steps: Sequence[Step], calls: Sequence[Call], rights: May, delivered: int | None
) -> Version:
    cut = getattr(production, "cut", None)
    shown = cut if rights.films else None
    if production.paused_at is not None and production.state == ProductionState.RUNNING:
        state, look = _("Paused"), "soon"
    else:
        state = str(production.get_state_display())
        look = {"done": "good", "failed": "bad", "running": "now"}.get(production.state, "")
    why = ""
    if production.from_stage:
        why = _("made anew from: %(stage)s") % {"stage": label_of(production.from_stage)}
        who = production.asked_by.email if production.asked_by is not None and rights.board else ""
        why = " · ".join(filter(None, (why, production.reason if rights.board else "", who)))
    return Version(
        production=production,
        label=_("Making %(number)d") % {"number": production.number},
        state=state,
        look=look,
        video=link(shown.file) if shown else "",
        poster=link(shown.poster) if shown else "",
        captions=link(shown.captions) if shown else "",
        seconds=cut.seconds if cut else 0,
        verdict={"pass": _("all green"), "warn": _("worth a look"), "fail": _("failed")}.get(cut.verdict, "–")
        if cut
        else "",
        review=getattr(cut, "review", None),
        delivered=cut is not None and cut.pk == delivered,
        cost=_dollars(sum(call.cost for call in calls)) if rights.money else "",
        board=_board(steps, calls) if rights.board else [],
        why=why,
    )


def _board(steps: Sequence[Step], calls: Iterable[Call]) -> list[StageGroup]:
    """The board of one making, in the line's order."""
    asked: dict[int, int] = defaultdict(int)
    for call in calls:
        asked[call.step_id] += 1
    groups = []
    for line in LINE:
        mine = [step for step in steps if step.stage == line.key]
        if not mine:
            continue
        label = str(line.label or line.key.replace("_", " ").capitalize())
        lines = [_step(step, label, asked[step.pk]) for step in sorted(mine, key=lambda step: step.item)]
        looks = {one.look for one in lines}
        look = next((one for one in ("bad", "now") if one in looks), "good" if looks == {"good"} else "")
        trouble = any(one.error or one.failures for one in lines)
        groups.append(
            StageGroup(
                key=line.key,
                label=label,
                look=look,
                done=sum(one.look == "good" for one in lines),
                total=len(lines),
                attempts=sum(one.attempts for one in lines),
                took=_took(
                    min((step.started_at for step in mine if step.started_at), default=None),
                    max((step.ended_at for step in mine if step.ended_at), default=None),
                ),
                steps=lines,
                open=trouble,
            )
        )
    return groups


def _step(step: Step, label: str, calls: int) -> StepLine:
    return StepLine(
        label=f"{label} {step.scene}" if step.item else label,
        item=step.item,
        state=str(step.get_state_display()),
        look=LOOKS.get(StepState(step.state), ""),
        attempts=step.attempts,
        failures=step.failures,
        took=_took(step.started_at, step.ended_at),
        calls=calls,
        error=step.error,
        again=f"from_stage={step.stage}&scenes={step.scene}" if step.stage in ("narration", "shot") else "",
    )


def _took(start: dt.datetime | None, end: dt.datetime | None) -> str:
    return lasting(end - start) if start and end else ""


# --- money ------------------------------------------------------------------------------------------------------------


def _dollars(millionths: int) -> str:
    return f"${millionths / 1_000_000:.2f}"


def minor_units(millionths: int) -> int:
    """A vendor's price in millionths of a dollar, in minor units of our own currency, rounded up."""
    return -(-millionths // slots.dollars(1)) if millionths else 0


def _money(order: Order, calls: Sequence[Call], *, ledger: bool) -> Money:
    refunds = Refund.objects.order_by("number")
    rows = Payment.objects.filter(order=order).order_by("number")
    payments = list(rows.prefetch_related(Prefetch("refunds", refunds)))
    for payment in payments:
        payment.order = order  # its number asks for the code
        for refund in payment.refunds.all():
            refund.payment = payment
    back = sum(
        refund.amount for payment in payments for refund in payment.refunds.all() if refund.state != RefundState.FAILED
    )
    cost = minor_units(sum(call.cost for call in calls))
    by_vendor: dict[str, list[int]] = defaultdict(list)
    for call in calls:
        by_vendor[f"{call.provider} {call.model}".strip()].append(call.cost)
    found = margins.of_order(order) if ledger else None
    more: list[tuple[str | Promise, str]] = []
    if found is not None:
        shares = ((_("Creator’s share"), found.share), (_("Gateway’s fee"), found.fee))
        more = [(label, money(amount, order.currency)) for label, amount in shares]
    return Money(
        price=money(order.amount, order.currency),
        refunded=money(back, order.currency) if back else "",
        cost=money(cost, order.currency),
        left=money(found.margin, order.currency) if found is not None else "",
        low=found is not None and bool(found.price) and found.margin < found.price * settings.LOW_MARGIN,
        more=more,
        by_vendor=[(name, len(costs), _dollars(sum(costs))) for name, costs in sorted(by_vendor.items())],
        payments=payments,
    )
