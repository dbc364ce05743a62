"""One timeline of an order: money, steps, calls, mails, reviews, other versions and what staff did, newest first.

What staff did stands in the audit, with the reason, and most of it in a history as well: it is told once.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.db.models import Case, CharField, IntegerField, JSONField, QuerySet, Value, When
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts import audit
from orders import history as order_history
from orders.choices import Format
from orders.models import Order, OrderEvent

from . import history, versions
from .line import STAGES
from .models import Call, CallState, Escalation, EscalationKind, Event, Notice, NoticeKind, ReasonCode
from .models.board import ANEW
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
# The escalation says more of it.
QUIET.add("review.escalated")
# What only the audit knows; the rest is called as in the histories.
STAFF_DID: dict[str, str | Promise] = {
    "refund.confirmed": gettext_lazy("A second person agreed to the refund."),
    "escalation.settled": gettext_lazy("Somebody looked after it."),
}
# An audit's line and a history's that are about the same, by the same person, are written in one transaction.
SAME = dt.timedelta(seconds=5)
# In the place of a making's number: rows that are of none.
AUDIT, CALLED = -1, -2
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
    name: str = ""


def read(order: Order, *, calls: Iterable[Call], money: bool, mails: bool, making: bool) -> list[Entry]:
    """All entries, newest first. `calls` are the order's, as the page has them already; `money`, `mails` and
    `making` say what whoever looks may see: what went wrong in a making may quote the fan.
    """
    found = _histories(order)
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


def _histories(order: Order) -> list[Entry]:
    """Both histories, what staff were called for, and the audit: in one query."""
    text, number, nothing = CharField(), IntegerField(), Value({}, output_field=JSONField())

    def of(rows: QuerySet[Any, Any], *columns: Any) -> QuerySet[Any, Any]:
        """In the columns of `_event`: whose number is positive is a making's."""
        return rows.order_by().values_list(*columns)

    mine = OrderEvent.objects.filter(order=order).annotate(
        of=Value(0), stage_=Value("", output_field=text), item_=Value(0, output_field=number)
    )
    made = Event.objects.filter(production__order=order)
    called = Escalation.objects.filter(order=order)
    still = Case(When(settled_at=None, then=Value(1)), default=Value(0))
    raised = ("raised_at", Value("escalation.raised"), nothing, "kind", Value(CALLED), "note", still)
    settled = ("settled_at", Value("escalation.settled"), nothing, "settled_by__email", Value(CALLED), "kind", Value(0))
    rows = of(mine, "at", "name", "data", "actor", "of", "stage_", "item_").union(
        of(made, "at", "name", "data", Value("", output_field=text), "production__number", "stage", "item"),
        of(called, *raised),
        of(called.exclude(settled_at=None), *settled),
        of(audit.of(order), "at", "verb", "data", "who", Value(AUDIT), "reason", Value(0)),
        all=True,
    )
    entries: list[Any] = []
    lines: list[Any] = []
    for row in rows:
        (lines if row[4] == AUDIT else entries).append(row)
    return _with_audit([_event(*row) for row in entries], lines)


def _event(at: dt.datetime, name: str, data: dict[str, Any], actor: str, number: int, stage: str, item: int) -> Entry:
    if number == CALLED:
        return _escalation(at, name, actor or "", stage, still=bool(item))
    if number:
        title = str(history.NAMES.get(name, name))
        where = _stage(stage, item) if name.startswith("step.") else ""
        kind = "review" if name.startswith("review.") else "making"
        who = str(data.get("by", "")) or _("making %(number)d") % {"number": number}
        if name.startswith("rendition."):
            where = _version(data)
            kind = "fan" if name == "rendition.asked" and not data.get("by") else kind
        if name == "review.change_asked":
            where = _change(data)
        note = "; ".join(filter(None, (where, str(data.get("reason", "")), str(data.get("error", "")))))
        return Entry(at, kind, title, who, note, _tone(name), name in QUIET, name)
    title = str(order_history.NAMES.get(name, name))
    if name.startswith(MONEY):
        kind = "money"
    else:
        kind = "fan" if actor == "fan" else "making" if actor in NOT_STAFF else "staff"
    said = [str(data[key]) for key in ("payment", "refund", "what", "reason", "note") if data.get(key)]
    return Entry(at, kind, title, actor, _joined(said), _tone(name), name in QUIET, name)


def _change(data: dict[str, Any]) -> str:
    """What a change was asked for: the kind, the scenes and the words."""
    code, scenes = data.get("code", ""), data.get("change", {}).get("scenes", ())
    kind = str(ReasonCode(code).label) if code in ReasonCode.values else str(code)
    numbers = {"numbers": ", ".join(map(str, scenes))}
    where = ngettext("scene %(numbers)s", "scenes %(numbers)s", len(scenes)) % numbers if scenes else ""
    said = data.get("change", {}).get("respelling", "") or data.get("note", "")
    return _joined((kind, where, said))


def _version(data: dict[str, Any]) -> str:
    """Which other version an event is about."""
    shape = data.get("format", "")
    return versions.name(Format(shape), bool(data.get("captions"))) if shape in Format.values else ""


def _escalation(at: dt.datetime, name: str, who: str, what: str, *, still: bool) -> Entry:
    """What staff were called for, with the note, and that somebody came."""
    if name == "escalation.settled":
        return Entry(at, "staff", str(STAFF_DID[name]), who, str(EscalationKind(what).label), name=name)
    title = _("Staff were called: %(what)s.") % {"what": EscalationKind(who).label}
    return Entry(at, "staff", title, note=what, tone="bad" if still else "", name=name)


def _with_audit(entries: list[Entry], lines: Iterable[Any]) -> list[Entry]:
    """The entries, with what the audit adds: the reason to those that are about the same, else an entry more."""
    told = list(entries)
    for when, verb, _data, who, _audit, reason, _item in lines:
        same = (
            at
            for at, entry in enumerate(told)
            if entry.name == verb and entry.who == who and abs(entry.at - when) < SAME
        )
        at = next(same, None)
        if at is None:
            title = str((STAFF_DID | order_history.NAMES | history.NAMES).get(verb, verb))
            kind = "money" if verb.startswith(MONEY) else "staff"
            told.append(Entry(when, kind, title, who, reason, name=verb))
        elif reason and reason not in told[at].note:
            told[at] = replace(told[at], note=_joined((told[at].note, reason)))
    return told


def _stage(stage: str, item: int) -> str:
    line = STAGES.get(stage)
    label = str(line.label) if line and line.label else stage
    return f"{label} {item % ANEW}" if item else label


def _tone(name: str) -> str:
    if name.endswith((".failed", ".refused", ".cancelled")):
        return "bad"
    return "good" if name.endswith((".delivered", ".approved", ".captured")) else ""


def _call(call: Call, *, errors: bool) -> Iterator[Entry]:
    what = _("%(provider)s was asked: %(job)s %(number)s") % {
        "provider": f"{call.provider} {call.model}".strip(),
        "job": call.job,
        "number": call.step.scene or "",
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
