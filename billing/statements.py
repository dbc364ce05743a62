"""A creator's month: what was earned, taken back and paid out, line by line from the ledger, and closing it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from django.db import IntegrityError, transaction
from django.db.models import Count, Min, Q, QuerySet, Sum
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.models import Creator
from orders.models import Order

from .models import Account, LedgerEntry, Payment, Statement
from .shares import AGAIN, BACK, EARNED

# A month is closed when nothing that began in it can still be written.
GRACE = dt.timedelta(days=1)
PAYOUT = "payout:"
# What a fact about a creator's money is called, and where the money of the same event stands in the ledger.
KINDS: dict[str, tuple[str | Promise, str]] = {
    EARNED: (_("Film"), "charge:"),
    BACK: (_("Refund"), "refund:"),
    AGAIN: (_("Refund that failed"), "refund-failed:"),
    PAYOUT: (_("Payout"), PAYOUT),
}
ALL = "all"
# Of a fact only its beginning is known to the database: the sums by kind are named by their numbers there.
_NAMES = {kind: f"sum{number}" for number, kind in enumerate((*KINDS, ALL))}
T = TypeVar("T")
# As many keys as one question may name.
CHUNK = 5000


def _of(kind: str) -> Q:
    return Q() if kind == ALL else Q(fact__startswith=kind)


_SUMS = {name: Sum("amount", filter=_of(kind)) for kind, name in _NAMES.items()}


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a statement; amounts in minor units, what the creator gains is positive."""

    at: dt.datetime
    kind: str
    what: str | Promise
    order: Order | None
    paid: int  # of the fan's money, what this is a share of
    points: int | None  # the share, in hundredths of a percent
    amount: int
    balance: int

    @property
    def percent(self) -> float | None:
        """The share in percent."""
        return None if self.points is None else self.points / 100


@dataclass(frozen=True, slots=True)
class Month:
    """A creator's month in one currency, in minor units of what we owe the creator."""

    creator: Creator
    first: dt.date
    currency: str
    opening: int
    sums: Mapping[str, int] = field(default_factory=dict)  # by kind; under "all" of every line
    films: int = 0  # how many were paid
    count: int = 0
    lines: Sequence[Line] = ()  # the latest of them, in their order; all unless fewer were asked for
    closed_at: dt.datetime | None = None

    @property
    def earned(self) -> int:
        """For films, and for refunds that failed."""
        return self._sum(EARNED, AGAIN)

    @property
    def reversed(self) -> int:
        """Taken back for refunds: nothing, or less."""
        return self._sum(BACK)

    @property
    def paid_out(self) -> int:
        """Paid out: nothing, or less."""
        return self._sum(PAYOUT)

    @property
    def closing(self) -> int:
        """What we owe at the end; below nothing, it is carried over."""
        return self.opening + self.sums.get(ALL, 0)

    @property
    def before(self) -> int:
        """How many of its lines are older than those that are here."""
        return self.count - len(self.lines)

    @property
    def figures(self) -> dict[str, int]:
        """What a closed month keeps."""
        names = ("opening", "earned", "reversed", "paid_out", "closing", "films")
        return {name: getattr(self, name) for name in names}

    def _sum(self, *kinds: str) -> int:
        return sum(self.sums.get(kind, 0) for kind in kinds)


def first_of(day: dt.date) -> dt.date:
    """The first day of a day's month."""
    return day.replace(day=1)


def after(first: dt.date) -> dt.date:
    """The first day of the next month."""
    return first_of(first + dt.timedelta(days=31))


def begins(first: dt.date) -> dt.datetime:
    """The moment a month begins, in the site's own time."""
    return timezone.make_aware(dt.datetime.combine(first, dt.time.min), timezone.get_default_timezone())


def of_creator(creator: Creator, currency: str) -> QuerySet[LedgerEntry]:
    """A creator's account: all lines of what we owe them."""
    return LedgerEntry.objects.filter(creator=creator, account=Account.CREATOR, currency=currency)


def balance(creator: Creator, currency: str, before: dt.datetime | None = None) -> int:
    """What we owe a creator, in minor units, now or before a moment; less than nothing after some late refunds."""
    lines = of_creator(creator, currency)
    lines = lines if before is None else lines.filter(at__lt=before)
    return -(lines.aggregate(sum=Sum("amount"))["sum"] or 0)


def balances(creators: Iterable[Creator], currency: str) -> dict[int, int]:
    """The same for many, now, by their ids, in one query."""
    wanted = [creator.pk for creator in creators]
    lines = LedgerEntry.objects.filter(creator__in=wanted, account=Account.CREATOR, currency=currency).order_by()
    found = {pk: -(total or 0) for pk, total in lines.values_list("creator").annotate(sum=Sum("amount")) if pk}
    return dict.fromkeys(wanted, 0) | found


def present() -> dt.date:
    """The first day of the present month, in the site's own time."""
    return first_of(timezone.localdate(timezone=timezone.get_default_timezone()))


def month(creator: Creator, first: dt.date, currency: str, latest: int | None = None) -> Month:
    """A creator's month, from the ledger; whether it is closed is said. `latest` is how many lines are wanted of it."""
    opening = balance(creator, currency, begins(first))
    within = of_creator(creator, currency).filter(at__gte=begins(first), at__lt=begins(after(first)))
    found = within.order_by().aggregate(count=Count("pk"), films=Count("pk", filter=_of(EARNED)), **_SUMS)
    sums = {kind: -(found[name] or 0) for kind, name in _NAMES.items()}
    entries = list(within.select_related("order__brief").order_by("-at", "-pk")[:latest])[::-1]
    paid, points = _paid(entries), _points(entries)
    lines: list[Line] = []
    running = opening + sums[ALL] + sum(entry.amount for entry in entries)
    for entry in entries:
        kind = _kind(entry.fact)
        running -= entry.amount
        what, _money = KINDS.get(kind, (entry.fact, ""))
        lines.append(
            Line(
                at=entry.at,
                kind=kind,
                what=what,
                order=entry.order,
                paid=paid.get(entry.fact, 0),
                points=points.get(entry.order_id or 0),
                amount=-entry.amount,
                balance=running,
            )
        )
    closed = Statement.objects.filter(creator=creator, month=first, currency=currency).first()
    closed_at = closed.closed_at if closed else None
    return Month(creator, first, currency, opening, sums, found["films"], found["count"], lines, closed_at)


def months(creator: Creator, currency: str) -> list[dt.date]:
    """The months of which there is something to say, the latest first; always the present one."""
    return sorted({present(), *_since_first(creator, currency, present())}, reverse=True)


def close_due(now: dt.datetime | None = None) -> int:
    """Close every month that is over, for every creator who has one. How many were closed."""
    moment = (now or timezone.now()) - GRACE
    open_month = first_of(timezone.localdate(moment, timezone.get_default_timezone()))
    done = 0
    known = LedgerEntry.objects.filter(account=Account.CREATOR, at__lt=begins(open_month)).order_by()
    for pk, currency in list(known.values_list("creator", "currency").distinct()):
        creator = Creator.objects.get(pk=pk)
        closed = set(Statement.objects.filter(creator=creator, currency=currency).values_list("month", flat=True))
        for first in _since_first(creator, currency, open_month):
            if first < open_month and first not in closed:
                done += _close(month(creator, first, currency, latest=0))
    return done


def differing() -> Iterator[str]:
    """What closed months say otherwise than the ledger: nothing, ever."""
    for kept in Statement.objects.select_related("creator"):
        found = month(kept.creator, kept.month, kept.currency, latest=0).figures
        if any(getattr(kept, name) != figure for name, figure in found.items()):
            yield f"the statement {kept} is not what the ledger says: {found}"


def _close(found: Month) -> bool:
    if not found.count and not found.opening:
        return False
    try:
        with transaction.atomic():
            Statement.objects.create(creator=found.creator, month=found.first, currency=found.currency, **found.figures)
    except IntegrityError:  # somebody else closed it at the same moment
        return False
    return True


def _since_first(creator: Creator, currency: str, until: dt.date) -> list[dt.date]:
    """Every month from a creator's first line to the one given."""
    begun = of_creator(creator, currency).aggregate(first=Min("at"))["first"]
    found: list[dt.date] = []
    if begun is not None:
        first = first_of(timezone.localdate(begun, timezone.get_default_timezone()))
        while first <= until:
            found.append(first)
            first = after(first)
    return found


def _kind(fact: str) -> str:
    return next((kind for kind in KINDS if fact.startswith(kind)), "")


def _paid(entries: list[LedgerEntry]) -> dict[str, int]:
    """By each fact about a share, what the fan paid or got back in the same event."""
    known = ((entry.fact, _kind(entry.fact)) for entry in entries)
    names = {f"{KINDS[kind][1]}{fact.removeprefix(kind)}": fact for fact, kind in known if kind}
    found: dict[str, int] = {}
    for some in _chunks(names):
        money = LedgerEntry.objects.filter(fact__in=some, account=Account.GATEWAY).exclude(fact__startswith=PAYOUT)
        found |= {names[fact]: amount for fact, amount in money.values_list("fact", "amount")}
    return found


def _points(entries: list[LedgerEntry]) -> dict[int, int]:
    """By order, the share that was agreed."""
    found: dict[int, int] = {}
    for some in _chunks({entry.order_id for entry in entries if entry.order_id}):
        rows = Payment.objects.filter(~Q(share_points=None), order__in=some, captured_at__isnull=False)
        found |= {order: points for order, points in rows.values_list("order", "share_points") if points is not None}
    return found


def _chunks(keys: Iterable[T]) -> Iterator[list[T]]:
    rest = list(keys)
    for at in range(0, len(rest), CHUNK):
        yield rest[at : at + CHUNK]
