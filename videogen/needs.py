"""What needs whoever opens the desk: a few counts, each a link to where it is done."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.scoping import owned, sees_all
from orders.models import Order
from pipeline import order_lists, review_queue
from pipeline.models import Escalation, Review, Vendor

Tone = Literal["calm", "act", "alarm"]


@dataclass(frozen=True)
class Need:
    """A thing to do: how many, in words, where, and how pressing."""

    count: int
    words: str
    url: str
    tone: Tone


def reviews_of(user: Any) -> QuerySet[Review]:
    """The films that wait for this person's look."""
    return review_queue.waiting(owned(Review.objects.all(), user, "creator"))


def needs(request: HttpRequest) -> list[Need]:
    """Everything that waits for this person, most pressing kind first; empty when nothing does."""
    user = request.user
    found: list[Need] = []
    if user.has_perm("pipeline.view_review"):
        found += _reviews(user)
    if sees_all(user) and user.has_perm("orders.view_order"):
        found += _orders(user)
    if sees_all(user) and user.has_perm("pipeline.view_vendor"):
        away = Vendor.objects.filter(open_until__gt=timezone.now()).exclude(name="").count()
        words = ngettext("%(n)d vendor is left alone for now", "%(n)d vendors are left alone for now", away)
        found.append(Need(away, words % {"n": away}, reverse("admin:pipeline_vendor_changelist"), "alarm"))
    return [need for need in found if need.count]


def _reviews(user: Any) -> list[Need]:
    waiting = reviews_of(user)
    late = waiting.filter(due_at__lt=timezone.now()).count()
    count = waiting.count()
    queue = reverse("admin:pipeline_review_changelist")
    tone: Tone = "alarm" if late else "act"
    words = ngettext("%(n)d film waits for a look", "%(n)d films wait for a look", count) % {"n": count}
    if late:
        words += " · " + ngettext("%(n)d is late", "%(n)d are late", late) % {"n": late}
    return [Need(count, words, queue, tone)]


def _orders(user: Any) -> list[Need]:
    orders = Order.objects.all()
    at = reverse("admin:orders_order_changelist")
    keys = ["late", "failed"] + (["confirm"] if user.has_perm("billing.view_refund") else [])
    counts = order_lists.counts(orders, [order_lists.saved(key, user) for key in keys])
    late, confirm = counts.get("late", 0), counts.get("confirm", 0)
    calls = Escalation.objects.filter(settled_at=None).count()
    return [
        Need(
            calls,
            ngettext("%(n)d call for staff is not settled", "%(n)d calls for staff are not settled", calls)
            % {"n": calls},
            f"{at}?show=late",
            "alarm",
        ),
        Need(
            late,
            ngettext("%(n)d order is late against its promise", "%(n)d orders are late against their promise", late)
            % {"n": late},
            f"{at}?show=late",
            "alarm",
        ),
        Need(
            confirm,
            ngettext("%(n)d refund waits for a second person", "%(n)d refunds wait for a second person", confirm)
            % {"n": confirm},
            f"{at}?show=confirm",
            "act",
        ),
    ]


def lately(user: Any) -> dict[str, int]:
    """What this person has decided today, to see that it was done."""
    today = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    return {"decided_today": Review.objects.filter(decided_by=user.pk, decided_at__gte=today).count()}


def greeting(found: list[Need]) -> str:
    """The page's first words."""
    return _("What needs you") if found else _("Nothing needs you just now")
