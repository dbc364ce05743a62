"""A creator's month: what was earned, taken back and paid out, line by line from the ledger, and closing it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from django.db import IntegrityError, transaction
from django.db.models import Min, Q, QuerySet, Sum
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
    lines: list[Line] = field(default_factory=list)
    closed_at: dt.datetime | None = None

    @property
    def earned(self) -> int:
        """For films, and for refunds that failed."""
        return self._of(EARNED, AGAIN)

    @property
    def reversed(self) -> int:
        """Taken back for refunds: nothing, or less."""
        return self._of(BACK)

    @property
    def paid_out(self) -> int:
        """Paid out: nothing, or less."""
        return self._of(PAYOUT)

    @property
    def closing(self) -> int:
        """What we owe at the end; below nothing, it is carried over."""
        return self.opening + sum(line.amount for line in self.lines)

    @property
    def films(self) -> int:
        """How many films were paid."""
        return sum(line.kind == EARNED for line in self.lines)

    @property
    def figures(self) -> dict[str, int]:
        """What a closed month keeps."""
        names = ("opening", "earned", "reversed", "paid_out", "closing", "films")
        return {name: getattr(self, name) for name in names}

    def _of(self, *kinds: str) -> int:
        return sum(line.amount for line in self.lines if line.kind in kinds)


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


def month(creator: Creator, first: dt.date, currency: str) -> Month:
    """A creator's month, from the ledger; whether it is closed is said."""
    opening = balance(creator, currency, begins(first))
    within = of_creator(creator, currency).filter(at__gte=begins(first), at__lt=begins(after(first)))
    entries = list(within.select_related("order__brief").order_by("at", "pk"))
    paid, points = _paid(entries), _points(entries)
    lines: list[Line] = []
    running = opening
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
    return Month(creator, first, currency, opening, lines, closed.closed_at if closed else None)


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
                done += _close(month(creator, first, currency))
    return done


def differing() -> Iterator[str]:
    """What closed months say otherwise than the ledger: nothing, ever."""
    for kept in Statement.objects.select_related("creator"):
        found = month(kept.creator, kept.month, kept.currency).figures
        if any(getattr(kept, name) != figure for name, figure in found.items()):
            yield f"the statement {kept} is not what the ledger says: {found}"


def _close(found: Month) -> bool:
    if not found.lines and not found.opening:
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
    money = LedgerEntry.objects.filter(fact__in=names, account=Account.GATEWAY).exclude(fact__startswith=PAYOUT)
    return {names[fact]: amount for fact, amount in money.values_list("fact", "amount")}


def _points(entries: list[LedgerEntry]) -> dict[int, int]:
    """By order, the share that was agreed."""
    orders = {entry.order_id for entry in entries if entry.order_id}
    rows = Payment.objects.filter(~Q(share_points=None), order__in=orders, captured_at__isnull=False)
    return {order: points for order, points in rows.values_list("order", "share_points") if points is not None}
