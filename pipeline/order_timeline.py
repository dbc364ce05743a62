"""One timeline of an order: money, steps, calls, mails, reviews and what staff did, newest first."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import CharField, IntegerField, QuerySet, Value
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from orders import history as order_history
from orders.models import Order, OrderEvent

from . import history
from .line import STAGES
from .models import Call, CallState, Event, Notice, NoticeKind
from .order_lists import lasting

# What may be picked, in the order of the picks.
KINDS: dict[str, str | Promise] = {
    "fan": gettext_lazy("Fan"),
    "staff": gettext_lazy("Staff"),
    "money": gettext_lazy("Money"),
    "review": gettext_lazy("Review"),
    "making": gettext_lazy("Making"),
    "call": gettext_lazy("Calls"),
    "mail": gettext_lazy("Mails"),
}
# The board says these already: they are told only where somebody asks for the making, or for everything.
QUIET = {"step.done", "line.read", "shot.filmed", "shot.conformed", "photo.added", "photos.sorted", "message.written"}
MONEY = ("payment.", "refund.")
# Who is no person of the staff.
NOT_STAFF = {"system", "fan", "command line", ""}
MOST = 400


@dataclass(frozen=True)
class Entry:
    """One line of the timeline. `tone` is good, bad or nothing; `note` is the reason, the error or the figures."""

    at: dt.datetime
    kind: str
    title: str
    who: str = ""
    note: str = ""
    tone: str = ""
    quiet: bool = False


def read(order: Order, *, calls: Iterable[Call], money: bool, mails: bool, making: bool) -> list[Entry]:
    """All entries, newest first. `calls` are the order's, as the page has them already; `money`, `mails` and
    `making` say what whoever looks may see: what went wrong in a making may quote the fan.
    """
    found = list(_events(order))
    for call in calls:
        found += _call(call, errors=making)
    if mails:
        for notice in Notice.objects.filter(order=order).select_related("by"):
            found += _mail(notice)
    hidden = ({"money"} if not money else set()) | ({"making", "review", "staff"} if not making else set())
    found = [entry for entry in found if entry.kind not in hidden]
    return sorted(found, key=lambda entry: entry.at, reverse=True)


def picked(entries: Sequence[Entry], kind: str) -> list[Entry]:
    """The entries of one kind, of all kinds (`all`), or without the quiet ones."""
    if kind in KINDS:
        return [entry for entry in entries if entry.kind == kind][:MOST]
    return [entry for entry in entries if kind == "all" or not entry.quiet][:MOST]


def _events(order: Order) -> Iterator[Entry]:
    """Both histories, in one query."""
    told: QuerySet[Any, Any] = OrderEvent.objects.filter(order=order).order_by()
    made: QuerySet[Any, Any] = Event.objects.filter(production__order=order).order_by()
    columns = ("at", "name", "data", "actor", "of", "stage_", "item_")
    mine = told.annotate(
        of=Value(0), stage_=Value("", output_field=CharField()), item_=Value(0, output_field=IntegerField())
    ).values_list(*columns)
    theirs = made.values_list(
        "at", "name", "data", Value("", output_field=CharField()), "production__number", "stage", "item"
    )
    for at, name, data, actor, number, stage, item in mine.union(theirs, all=True):
        yield _event(at, name, data, actor, number, stage, item)


def _event(at: dt.datetime, name: str, data: dict[str, Any], actor: str, number: int, stage: str, item: int) -> Entry:
    if number:
        title = str(history.NAMES.get(name, name))
        where = _stage(stage, item) if name.startswith("step.") else ""
        note = "; ".join(filter(None, (where, str(data.get("reason", "")), str(data.get("error", "")))))
        kind = "review" if name.startswith("review.") else "making"
        who = str(data.get("by", "")) or _("making %(number)d") % {"number": number}
        return Entry(at, kind, title, who, note, _tone(name), name in QUIET)
    title = str(order_history.NAMES.get(name, name))
    if name.startswith(MONEY):
        kind = "money"
    else:
        kind = "fan" if actor == "fan" else "making" if actor in NOT_STAFF else "staff"
    said = [str(data[key]) for key in ("payment", "refund", "what", "reason", "note") if data.get(key)]
    return Entry(at, kind, title, actor, " · ".join(said), _tone(name), name in QUIET)


def _stage(stage: str, item: int) -> str:
    line = STAGES.get(stage)
    label = str(line.label) if line and line.label else stage
    return f"{label} {item}" if item else label


def _tone(name: str) -> str:
    if name.endswith((".failed", ".refused", ".cancelled")):
        return "bad"
    return "good" if name.endswith((".delivered", ".approved", ".captured")) else ""


def _call(call: Call, *, errors: bool) -> Iterator[Entry]:
    what = _("%(provider)s was asked: %(job)s %(number)s") % {
        "provider": f"{call.provider} {call.model}".strip(),
        "job": call.job,
        "number": call.step.item or "",
    }
    took = call.latency
    figures = [
        str(CallState(call.state).label),
        lasting(took) if took else "",
        f"{call.cost / 1_000_000:.4f} $" if call.cost else "",
        _("attempt %(n)d") % {"n": call.attempt} if call.attempt > 1 else "",
        _("may have been paid twice") if call.maybe_paid_twice else "",
        call.external_id,
        call.error if errors else "",
    ]
    tone = "bad" if call.state in (CallState.FAILED, CallState.EXPIRED) else ""
    yield Entry(
        call.created_at, "call", what.strip(), note=" · ".join(filter(None, figures)), tone=tone, quiet=not tone
    )


def _joined(parts: Iterable[str]) -> str:
    return " · ".join(filter(None, parts))


def _mail(notice: Notice) -> Iterator[Entry]:
    title = notice.subject if notice.kind == NoticeKind.MESSAGE else str(notice.get_kind_display())
    state = _("sent") if notice.sent_at is not None else _("not sent yet, %(n)d tries") % {"n": notice.tries}
    note = _joined((state, notice.error, notice.body))
    who = str(notice.by) if notice.by is not None else ""
    at = notice.sent_at or notice.created_at
    yield Entry(at, "mail", title, who, note, "bad" if notice.error else "")
