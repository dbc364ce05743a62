"""How long a creator's look at a film takes: what is usual for them, and what is left once it has lasted a while."""

from __future__ import annotations

import statistics

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from orders.models import Order

from . import pace
from .models import Review, ReviewState

HISTORY = 30
HOURS_FROM = 90  # minutes, from which on hours are said


def waits_of(order: Order) -> list[float]:
    """Seconds that this creator's last reviews took."""
    # Decided by a person: what the command line approves for itself says nothing about the creator.
    decided = Review.objects.filter(creator=order.creator, decided_by__isnull=False).exclude(decided_at=None)
    return [
        (review.decided_at - review.asked_at).total_seconds()
        for review in decided.order_by("-asked_at")[:HISTORY]
        if review.decided_at
    ]


def left(waits: list[float], waited: float) -> tuple[float, float] | None:
    """The range of seconds that are left after `waited`: of earlier looks that took longer, the usual and the slow one.

    None where none did: nobody can say then.
    """
    longer = [wait - waited for wait in waits if wait > waited]
    return (statistics.median(longer), pace.p90(longer)) if longer else None


def said(order: Order) -> str:
    """What the fan reads about how long it takes. It moves with the time that has passed, and says when it is late."""
    review = (
        Review.objects.filter(cut__production__order=order, state=ReviewState.WAITING).order_by("-asked_at").first()
    )
    waits = waits_of(order)
    words = [_how_long(order, waits, (timezone.now() - review.asked_at).total_seconds() if review else 0.0)]
    if review is not None and review.late_at is not None:
        words.append(_("You should have had it by now, and we are sorry. We have been told, and look after it."))
    return " ".join(words)


def _how_long(order: Order, waits: list[float], waited: float) -> str:
    name = order.creator.name
    if not waits:
        return _("%(name)s has not reviewed a film here yet, so we cannot say how long it takes.") % {"name": name}
    usual = statistics.median(waits)
    if waited <= usual:
        return _("That usually takes %(name)s about %(time)s.") % {"name": name, "time": _time(usual)}
    so_far = {"name": name, "time": _time(waited)}
    rest = left(waits, waited)
    if rest is None:
        return (
            _("It has been with %(name)s for %(time)s, longer than any film before: we cannot say how long yet.")
            % so_far
        )
    words = _("It has been with %(name)s for %(time)s, longer than usual.") % so_far
    low, high = _time(rest[0]), _time(rest[1])
    if low == high:
        return words + " " + _("Going by earlier films, it may take %(time)s more.") % {"time": low}
    return words + " " + _("Going by earlier films, it may take %(low)s to %(high)s more.") % {"low": low, "high": high}


def _time(seconds: float) -> str:
    minutes = max(1, round(seconds / 60))
    if minutes < HOURS_FROM:
        return ngettext("%(count)d minute", "%(count)d minutes", minutes) % {"count": minutes}
    hours = round(minutes / 60)
    return ngettext("%(count)d hour", "%(count)d hours", hours) % {"count": hours}
