"""Reads a draft: what still lacks, where to go next, what may be chosen, how long films have really taken."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from typing import Any, NamedTuple

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import Creator, Voice

from . import cashier, consents
from .choices import Length, Occasion
from .models import MAX_PHOTOS, MIN_PHOTOS, ConsentKind, Order, OrderState, Photo

SCREENS = ("for_whom", "photos", "story", "summary")
HISTORY = 100


class Gap(NamedTuple):
    """Something that still lacks: the screen where it is put right, and the sentence for the fan."""

    screen: str
    sentence: str


def occasions(creator: Creator) -> list[Occasion]:
    """The occasions the creator's voice is licensed for today, in the list's own order."""
    try:
        voice = creator.voice
    except Voice.DoesNotExist:
        return []
    today = timezone.localdate()
    licences = [licence for licence in voice.licences.filter(revoked_at=None) if licence.starts_on <= today]
    return [occasion for occasion in Occasion if any(licence.covers(occasion, today) for licence in licences)]


def prices(creator: Creator, occasion: str = "") -> dict[Length, cashier.PriceLike]:
    """The lengths that are for sale with this creator now, for an occasion, each with its price."""
    found = {length: cashier.price(creator, length.value, occasion) for length in Length}
    return {length: price for length, price in found.items() if price is not None}


def given(order: Order) -> set[ConsentKind]:
    """The consents this order holds, in the words that are asked for today."""
    held = dict(order.consents.values_list("kind", "words"))
    return {kind for kind, words in consents.asked().items() if held.get(kind) == words}


def missing(order: Order) -> list[Gap]:
    """What still lacks before the till, in the order of the screens; empty when the order can be paid."""
    gaps: list[Gap] = []
    brief = order.brief
    if brief.occasion not in occasions(order.creator) or not order.creator.is_active:
        gaps.append(
            Gap(
                "for_whom",
                _("%(name)s does not offer films for this occasion at the moment. Please choose another.")
                % {"name": order.creator.name},
            )
        )
    if not brief.name:
        gaps.append(Gap("for_whom", _("Tell us who the film is for.")))
    if cashier.price(order.creator, brief.seconds, brief.occasion) is None:
        gaps.append(Gap("for_whom", _("This length is not for sale at the moment. Please choose another.")))
    usable = order.photos.usable().count()
    if usable < MIN_PHOTOS:
        lacking = MIN_PHOTOS - usable
        gaps.append(
            Gap(
                "photos",
                ngettext(
                    "Add at least %(count)d more photo: a film needs %(min)d to %(max)d.",
                    "Add at least %(count)d more photos: a film needs %(min)d to %(max)d.",
                    lacking,
                )
                % {"count": lacking, "min": MIN_PHOTOS, "max": MAX_PHOTOS},
            )
        )
    if not brief.notes.strip():
        gaps.append(
            Gap("story", _("The story is empty. Tell us at least one thing, so that the film has something to say."))
        )
    held = given(order)
    gaps += [
        Gap("summary", _("Please tick: “%(words)s”") % {"words": words})
        for kind, words in consents.asked().items()
        if kind in consents.REQUIRED - held
    ]
    return gaps


def next_screen(order: Order, after: str = "") -> str:
    """The first screen where something lacks, beginning behind `after`; the summary when nothing does."""
    ahead = SCREENS[SCREENS.index(after) + 1 :] if after else SCREENS
    lacking = {gap.screen for gap in missing(order)}
    return next((screen for screen in ahead if screen in lacking), SCREENS[-1])


def time_range(creator: Creator) -> tuple[int, int] | None:
    """Seconds from placed to delivered of this creator's last films: the tenth and the ninetieth percentile.

    Fewer than ten films give the quickest and the slowest; no film yet gives None. Creators are measured apart, since
    one who looks at every film personally takes longer than a machine.
    """
    times = sorted(
        (ended - placed).total_seconds()
        for placed, ended in Order.objects.filter(
            creator=creator,
            fan__isnull=False,  # films of the command line were not paid for
            state=OrderState.DELIVERED,
            placed_at__isnull=False,
            ended_at__isnull=False,
        )
        .order_by("-ended_at")
        .values_list("placed_at", "ended_at")[:HISTORY]
        if placed is not None and ended is not None and ended > placed
    )
    if not times:
        return None
    if len(times) < 10:
        return round(times[0]), round(times[-1])
    tenths = statistics.quantiles(times, n=10)
    return round(tenths[0]), round(tenths[-1])


def notes_on(photo: Photo, numbers: Mapping[int, int]) -> list[str]:
    """What the check says of a photo, in words: the facts hold each as a text to translate and its figures.

    `numbers` are those the fan knows the order's photos by, by id. What is said of a photo that has gone is left out.
    """
    sentences = []
    for note in photo.facts.get("notes", []):
        match note:
            case [str(text), {"photo": int(other)}]:
                if other in numbers and other != photo.pk:
                    sentences.append(_(text) % {"number": numbers[other]})
            case [str(text), dict(figures)]:
                sentences.append(_filled(text, figures))
            case str(text):
                sentences.append(_(text))
    return sentences


def _filled(text: str, figures: dict[str, Any]) -> str:
    said = _(text)
    try:
        return said % figures if figures else said
    except (KeyError, TypeError, ValueError):  # written by an older check: better unfilled than a broken page
        return said
