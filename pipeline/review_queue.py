"""The queue of films that wait for a look: oldest promise first, and what of it is green."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import Any

from django.db.models import DateTimeField, Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Coalesce
from django.utils import timezone

from .models import Concern, Review, ReviewState
from .reviewing import DECIDED

WANTED_BY = Coalesce("due_at", "cut__production__order__promised_at", "asked_at", output_field=DateTimeField())

_CONCERNED = Exists(Concern.objects.filter(production=OuterRef("cut__production")))


def waiting(rows: QuerySet[Review]) -> QuerySet[Review]:
    """Those that wait, in the order in which they should be looked at."""
    return rows.filter(state=ReviewState.WAITING).order_by(WANTED_BY, "pk")


def free(rows: QuerySet[Review], user: Any) -> QuerySet[Review]:
    """Those that nobody else is looking at."""
    return rows.filter(Q(claimed_by=None) | Q(claimed_by=user.pk) | Q(claimed_until__lt=timezone.now()))


def after(rows: QuerySet[Review], user: Any, review: Review | None = None) -> Review | None:
    """The next film for someone: the one that comes after `review`, else the first; never that one itself."""
    queue = list(free(waiting(rows), user).values_list("pk", flat=True))
    if review is not None:
        at = queue.index(review.pk) + 1 if review.pk in queue else 0
        queue = [pk for pk in queue[at:] + queue[:at] if pk != review.pk]
    return rows.filter(pk=queue[0]).first() if queue else None


def flagged(rows: QuerySet[Review]) -> QuerySet[Review]:
    """With `flagged`: whether moderation had something to say about the film."""
    return rows.annotate(flagged=_CONCERNED)


def green(rows: QuerySet[Review], user: Any) -> QuerySet[Review]:
    """Free films that wait, with nothing found and nothing flagged."""
    return free(waiting(rows), user).filter(~_CONCERNED, cut__verdict="pass")


@dataclass(frozen=True)
class Decided:
    """What one click has decided and another can still take back, with the whole `seconds` that are left for it."""

    reviews: list[Review]
    seconds: int


def undoable(user: Any) -> list[Decided]:
    """What someone can still take back, what was decided last first."""
    now = timezone.now()
    rows = Review.objects.filter(decided_by=user.pk, takes_effect_at__gt=now, state__in=DECIDED)
    rows = rows.select_related("cut__production__order__brief").order_by("-takes_effect_at", "pk")
    return [
        Decided(list(same), max(1, round((until - now).total_seconds())))
        for until, same in groupby(rows, key=lambda review: review.takes_effect_at)
        if until is not None
    ]
