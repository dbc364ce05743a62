"""The desk's lists of orders: saved filters, search, and what each row says. All of it stays on the indexes."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db.models import Count, F, Q, QuerySet, Sum, Value
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.models import User
from billing import margins
from billing.models import Payment, Refund, RefundState
from orders import cashier
from orders.models import Brief, Order, OrderState

from .line import LINE
from .models import Call, Production, ProductionState, RefundRequest, RequestState, Review, ReviewState, Step, StepState

# A search that means more than this is no search.
MOST_FOUND = 500
# A promise that runs out within this is shown in time to do something.
MARGIN_DAYS = dt.timedelta(days=7)
SOON = dt.timedelta(hours=1)


@dataclass
class Amount:
    """Money, as `orders.cashier.money` takes it."""

    amount: int
    currency: str


def money(amount: int | None, currency: str) -> str:
    """An amount in minor units as people write it; a dash for none."""
    if amount is None:
        return "–"
    return f"{'−' if amount < 0 else ''}{cashier.money(Amount(abs(amount), currency or 'EUR'))}"


# --- saved filters ----------------------------------------------------------------------------------------------------


def late(orders: QuerySet[Order]) -> QuerySet[Order]:
    """Being made, and past the promise."""
    return orders.filter(state=OrderState.PLACED, promised_at__lt=timezone.now())


def making(orders: QuerySet[Order]) -> QuerySet[Order]:
    """Placed and not ended."""
    return orders.filter(state=OrderState.PLACED)


def failed(orders: QuerySet[Order]) -> QuerySet[Order]:
    """Ended without a film, through no wish of the fan's."""
    return orders.filter(state__in=[OrderState.FAILED, OrderState.REFUSED])


def in_review(orders: QuerySet[Order]) -> QuerySet[Order]:
    """With the creator."""
    waiting = Review.objects.filter(state=ReviewState.WAITING, cut__production__state=ProductionState.RUNNING)
    return orders.filter(state=OrderState.PLACED, pk__in=waiting.values("cut__production__order"))


def paused(orders: QuerySet[Order]) -> QuerySet[Order]:
    """Held by staff."""
    held = Production.objects.filter(state=ProductionState.RUNNING, paused_at__isnull=False)
    return orders.filter(pk__in=held.values("order"))


def refunded_today(orders: QuerySet[Order]) -> QuerySet[Order]:
    """Money went back, or is on its way, since midnight."""
    midnight = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    back = Refund.objects.filter(created_at__gte=midnight).exclude(state=RefundState.FAILED)
    return orders.filter(pk__in=back.values("payment__order"))


def low_margin(orders: QuerySet[Order]) -> QuerySet[Order]:
    """Sold in the last days, and little of the price is left for us."""
    low = margins.sold_low(timezone.now() - MARGIN_DAYS, settings.LOW_MARGIN)
    return orders.filter(pk__in=low.order_by().values("order"))


def to_confirm(orders: QuerySet[Order]) -> QuerySet[Order]:
    """A refund waits for a second person."""
    return orders.filter(pk__in=RefundRequest.objects.filter(state=RequestState.WAITING).values("order"))


def placed(orders: QuerySet[Order]) -> QuerySet[Order]:
    """Every order that was paid for."""
    return orders.filter(placed_at__isnull=False)


def drafts(orders: QuerySet[Order]) -> QuerySet[Order]:
    """Begun and never paid."""
    return orders.filter(state=OrderState.DRAFT)


@dataclass(frozen=True)
class Saved:
    """A saved filter: its name in the address, its words, its rows and their order; `counted` ones say how many."""

    key: str
    label: str | Promise
    rows: Callable[[QuerySet[Order]], QuerySet[Order]]
    order_by: tuple[str, ...] = ("-placed_at", "-pk")
    counted: bool = True
    permission: str = ""

    def open_to(self, user: Any) -> bool:
        """Whether this person may use it."""
        return not self.permission or bool(user.has_perm(self.permission))


SAVED: tuple[Saved, ...] = (
    Saved("", gettext_lazy("All orders"), placed, counted=False),
    Saved("making", gettext_lazy("Being made"), making, ("promised_at", "pk")),
    Saved("late", gettext_lazy("Late against promise"), late, ("promised_at", "pk")),
    Saved("review", gettext_lazy("In review"), in_review, ("promised_at", "pk")),
    Saved("paused", gettext_lazy("Paused"), paused, ("promised_at", "pk")),
    Saved("failed", gettext_lazy("Failed or refused"), failed),
    Saved("confirm", gettext_lazy("Refunds to confirm"), to_confirm, permission="billing.view_refund"),
    Saved("refunded", gettext_lazy("Refunded today"), refunded_today, permission="billing.view_refund"),
    Saved(
        "margin",
        gettext_lazy("Low margin this week"),
        low_margin,
        counted=False,
        permission="billing.view_ledgerentry",
    ),
    Saved("drafts", gettext_lazy("Drafts"), drafts, ("-created_at", "-pk"), counted=False),
)


def saved(key: str | None, user: Any) -> Saved:
    """The saved filter of this name; the first for none, an unknown one, or one that is not for this person."""
    return next((one for one in SAVED if one.key == key and one.open_to(user)), SAVED[0])


def counts(orders: QuerySet[Order], filters: Iterable[Saved]) -> dict[str, int]:
    """How many orders each filter has, in one query."""
    parts = [
        one.rows(orders).order_by().annotate(of=Value(one.key)).values_list("of").annotate(n=Count("pk"))
        for one in filters
        if one.counted
    ]
    return dict(parts[0].union(*parts[1:], all=True)) if parts else {}


# --- search -----------------------------------------------------------------------------------------------------------


def search(orders: QuerySet[Order], term: str) -> QuerySet[Order]:
    """Orders by code, by a fan's mail, by a payment's or refund's number or the gateway's id, by a vendor's id or our
    key of a call, or by the beginning of the name the film is for. Every word must be found.
    """
    for word in term.split()[:5]:
        orders = orders.filter(pk__in=_meant(word))
    return orders


def _meant(word: str) -> list[int]:
    """The orders one word means; each look-up is one step along an index but the last, a walk over names."""
    exact = _of_code(word).values_list("pk")
    if "@" in word:
        of_mail = User.objects.filter(email=word.lower()) if "." in word.rpartition("@")[2] else _begins(word)
        return _pks(Order.objects.filter(fan__in=of_mail).values_list("pk"))
    found = _pks(
        exact.union(
            Payment.objects.filter(Q(external_id=word) | Q(key=word)).order_by().values_list("order"),
            Refund.objects.filter(Q(external_id=word) | Q(key=word)).order_by().values_list("payment__order"),
            Call.objects.filter(Q(external_id=word) | Q(key=word)).order_by().values_list("step__production__order"),
        )
    )
    if found or any(c.isdigit() for c in word):
        return found
    of_fan = Order.objects.filter(fan__in=_begins(word)).order_by("-pk").values_list("pk")
    return _pks(_of_name(word).values_list("order")) + _pks(of_fan)


def _of_code(word: str) -> QuerySet[Order]:
    """The order whose code this is, however it was typed, or whose payment or refund has this number."""
    code = word.upper().split("-P-")[0].split("-R-")[0]
    if len(code) == 8 and code.isalnum():
        code = f"{code[:4]}-{code[4:]}"
    return Order.objects.filter(code__in={code, "-".join(code.split("-")[:2])}).order_by()


def named(term: str) -> list[int]:
    """The latest orders of this code, or for a name that begins so; of those being made, all that anyone would read."""
    found = _pks(_of_code(term.strip()).values_list("pk"))
    if found:
        return found
    by_name = _of_name(term.strip()).values_list("order")
    found = _pks(by_name)
    return found if len(found) < MOST_FOUND else found + _pks(by_name.filter(order__state=OrderState.PLACED))


def _of_name(word: str) -> QuerySet[Brief]:
    """Whom films are for whose name begins so, the latest order's first: along the index, until enough are found."""
    return Brief.objects.filter(name__istartswith=word).order_by("-order_id")


def _begins(word: str) -> QuerySet[User]:
    """Users whose address begins so, by a range that the index has."""
    return User.objects.filter(email__gte=word.lower(), email__lt=word.lower() + "\U0010ffff")


def _pks(rows: Any) -> list[int]:
    return [pk for (pk,) in rows[:MOST_FOUND]]


# --- rows -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Promised:
    """An order's promise in words, and how they look: `good`, `soon`, `late`, or nothing."""

    words: str
    look: str


@dataclass
class Row:
    """What the list says about an order besides its own columns."""

    production: Production | None = None
    now: str = ""
    makings: int = 0
    refunded: int = 0
    waits_for_second: bool = False


def rows(orders: Sequence[Order]) -> dict[int, Row]:
    """The rows of one page: three queries, however many there are."""
    found: dict[int, Row] = {order.pk: Row() for order in orders}
    for production in Production.objects.filter(order__in=list(found)).order_by("number"):
        row = found[production.order_id]
        row.production, row.makings = production, row.makings + 1
    running = {row.production.pk: row for row in found.values() if row.production and row.production.state == "running"}
    open_stages: dict[int, set[str]] = defaultdict(set)
    steps = Step.objects.filter(production__in=list(running)).exclude(state__in=[StepState.DONE, StepState.BLOCKED])
    for production_pk, stage in steps.values_list("production", "stage"):
        open_stages[production_pk].add(stage)
    for pk, row in running.items():
        row.now = next((str(line.label or line.key) for line in LINE if line.key in open_stages[pk]), "")
    back = Refund.objects.filter(payment__order__in=list(found)).exclude(state=RefundState.FAILED).order_by()
    for pk, amount in back.values_list(F("payment__order")).annotate(sum=Sum("amount")):
        found[pk].refunded = amount
    return found


def promised(order: Order) -> Promised:
    """How an order stands against its promise."""
    if order.promised_at is None or order.placed_at is None:
        return Promised("–", "")
    if order.state == OrderState.PLACED:
        left = order.promised_at - timezone.now()
        if left < dt.timedelta():
            return Promised(_("%(time)s late") % {"time": lasting(-left)}, "late")
        return Promised(_("in %(time)s") % {"time": lasting(left)}, "soon" if left < SOON else "good")
    if order.state == OrderState.DELIVERED and order.ended_at is not None:
        over = order.ended_at - order.promised_at
        if over > dt.timedelta():
            return Promised(_("kept %(time)s late") % {"time": lasting(over)}, "was-late")
        return Promised(_("kept"), "")
    return Promised("–", "")


def lasting(time: dt.timedelta) -> str:
    """A time in its two largest units: 4 s, 12 min, 3 h 5 min, 2 days."""
    seconds = int(time.total_seconds())
    if seconds < 60:
        return _("%(n)d s") % {"n": seconds}
    if seconds < 3600:
        return _("%(n)d min") % {"n": seconds // 60}
    if seconds < 86400:
        hours, minutes = seconds // 3600, seconds % 3600 // 60
        return _("%(h)d h %(m)d min") % {"h": hours, "m": minutes} if minutes else _("%(h)d h") % {"h": hours}
    days = seconds // 86400
    return ngettext("%(n)d day", "%(n)d days", days) % {"n": days}
