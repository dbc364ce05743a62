"""What is left of films for us: by order, by creator, by day. Questions to the ledger, each one query."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db.models import BigIntegerField, F, FloatField, OuterRef, Q, QuerySet, Subquery, Sum, Value
from django.db.models.functions import Coalesce, TruncDate

from accounts.models import Creator
from orders.models import Order

from . import fees, shares
from .models import Account, LedgerEntry, Payment, PaymentState

GATEWAY = Q(account=Account.GATEWAY)


def _sum(which: Q, sign: int = 1) -> Coalesce:
    total: Any = Sum("amount", filter=which)
    return Coalesce(total if sign > 0 else -total, Value(0), output_field=BigIntegerField())


SUMS = {
    "price": _sum(GATEWAY & Q(fact__startswith="charge:")),
    "refunded": _sum(GATEWAY & Q(fact__startswith="refund"), -1),
    "cost": _sum(Q(account=Account.PROVIDERS), -1),
    "share": _sum(Q(account=Account.CREATOR), -1),
    "fee": _sum(Q(account=Account.FEES)),
}


@dataclass(frozen=True, slots=True)
class Margin:
    """What came in and what it cost, in minor units of the site's currency.

    `held` says that the price is still only held: the fee and the share are those that its capture will bring.
    """

    price: int = 0
    refunded: int = 0
    cost: int = 0
    share: int = 0
    fee: int = 0
    held: bool = False

    @property
    def margin(self) -> int:
        """What is left for us."""
        return self.price - self.refunded - self.cost - self.share - self.fee

    @property
    def percent(self) -> int | None:
        """The margin as a part of the price, rounded; None where there is no price."""
        return round(100 * self.margin / self.price) if self.price else None


def of_order(order: Order) -> Margin:
    """One order's margin; while its money is only held, what it will be if all of that is taken."""
    return of_orders([order])[order.pk]


def of_orders(orders: Iterable[Order]) -> dict[int, Margin]:
    """Many orders' margins by their ids, in two queries."""
    wanted = [order.pk for order in orders]
    found = dict.fromkeys(wanted, Margin())
    found |= _margins(_lines().filter(order__in=wanted), "order")
    held = Payment.objects.filter(order__in=wanted, state=PaymentState.AUTHORIZED).select_related("order__creator")
    for payment in held:
        amount = payment.amount - payment.refunded
        points = payment.share_points
        found[payment.order_id] = Margin(
            price=amount,
            cost=found[payment.order_id].cost,
            share=shares.of(amount, shares.rate_for(payment.order.creator) if points is None else points),
            fee=fees.estimate(amount),
            held=True,
        )
    return found


def sold_low(since: dt.datetime, part: float) -> QuerySet[Payment]:
    """Payments taken since then of whose orders less than this part of what was taken is left for us.

    What is left stands on two accounts, sales and fees, since each fact sums to zero: an index has all of it.
    """
    lines = LedgerEntry.objects.filter(order=OuterRef("order"), account__in=(Account.SALES, Account.FEES)).order_by()
    left: Any = lines.values("order").annotate(left=-Sum("amount")).values("left")
    least = F("captured") * Value(part, output_field=FloatField())
    sold = Payment.objects.filter(captured_at__gte=since, captured__gt=0)
    return sold.annotate(left=Subquery(left)).filter(left__lt=least)


def by_creator(since: dt.datetime, until: dt.datetime) -> dict[Creator, Margin]:
    """What was written between two moments, by creator, those with the largest margin first."""
    rows = _margins(_between(since, until), "creator")
    creators = Creator.objects.in_bulk(pk for pk in rows if pk is not None)
    found = {creators[pk]: margin for pk, margin in rows.items() if pk in creators}
    return dict(sorted(found.items(), key=lambda pair: -pair[1].margin))


def by_day(since: dt.datetime, until: dt.datetime) -> dict[dt.date, Margin]:
    """What was written between two moments, day by day in the site's own time; days without anything as well."""
    found = _margins(_between(since, until).annotate(day=TruncDate("at")), "day")
    return {day: found.get(day, Margin()) for day in _days(since, until)}


def _days(since: dt.datetime, until: dt.datetime) -> Iterator[dt.date]:
    day, last = since.date(), (until - dt.timedelta(microseconds=1)).date()
    while day <= last:
        yield day
        day += dt.timedelta(days=1)


def _lines() -> QuerySet[LedgerEntry]:
    """The lines that make a margin: payouts, which are of no order, move only what was earned before."""
    return LedgerEntry.objects.filter(currency=settings.CURRENCY, order__isnull=False).order_by()


def _between(since: dt.datetime, until: dt.datetime) -> QuerySet[LedgerEntry]:
    return _lines().filter(at__gte=since, at__lt=until)


def _margins(lines: QuerySet[Any], by: str) -> dict[Any, Margin]:
    rows: Iterable[dict[str, Any]] = lines.values(by).annotate(**SUMS)
    return {row.pop(by): Margin(**row) for row in rows}
