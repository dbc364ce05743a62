"""Asks the vendor who moderates, in calls of a step, and writes what was flagged down for staff and the creator.

A vendor who is away stops no film: after a short while our own rules, which every caller asks as well, stand alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from django.utils import timezone

from orders.models import Photo

from . import files, roster
from .calls import ask, latest, pause
from .engine import Wait, Work
from .history import tell
from .models import CallState, Concern, Subject
from .providers.base import JudgeRequest, ProviderError
from .providers.moderation import Flag

# Seconds the vendor is waited for, counted for each call.
PATIENCE = 20.0


@dataclass(frozen=True)
class Noticed:
    """A flag and what it is about: the subject, and which one of its kind (see Concern)."""

    what: Subject
    number: int
    flag: Flag


def words(work: Work, name: str, texts: Sequence[str]) -> list[Flag] | Wait:
    """What the vendor flags in these texts, in a call of this name; nothing where none is set up, or it is away."""
    return _judged(work, name, JudgeRequest(texts=tuple(texts)))


def photos(work: Work, seen: Sequence[Photo]) -> list[Flag] | Wait:
    """What the vendor flags in these photos, from their thumbnails; a flag's `where` counts them from 0.

    Nothing where it is shown none, or is away. Nobody is shown a photo whose fan was not told so.
    """
    if not (roster.moderates_photos() and roster.agreed(work.order, roster.CHECKED)):
        return []
    shown = [where for where, photo in enumerate(seen) if photo.thumb]
    if not shown:
        return []
    judged = _judged(work, "photos", JudgeRequest(pictures=tuple(seen[where].thumb for where in shown)))
    return judged if isinstance(judged, Wait) else [replace(flag, where=shown[flag.where]) for flag in judged]


def keep(work: Work, noticed: Iterable[Noticed]) -> None:
    """Write concerns down, each once; inside the caller's fence."""
    new = False
    for one in noticed:
        flag = one.flag
        _concern, created = Concern.objects.get_or_create(
            production=work.production,
            what=one.what,
            number=one.number,
            category=flag.category[:40],
            source=flag.source,
            defaults={"score": flag.score, "ends": flag.ends},
        )
        new = new or created
    if new:
        tell(work.production, "moderation.flagged", stage=work.step.stage)


def _judged(work: Work, name: str, request: JudgeRequest) -> list[Flag] | Wait:
    vendor = roster.moderator()
    if vendor is None:
        return []
    begun = latest(work.step, name)
    age = (timezone.now() - work.step.calls.filter(name=name).earliest("pk").created_at).total_seconds() if begun else 0
    try:
        with files.workspace("judge") as folder:
            if begun is None or begun.state != CallState.SUCCEEDED:
                for picture in request.pictures:
                    files.fetch(picture, folder)
            call = ask(work, vendor, request.to_json(), folder, name=name)
    except ProviderError:
        call = None
    if call is not None and call.state == CallState.SUCCEEDED:
        return [Flag.from_json(flag) for flag in call.result["flags"]]
    if call is not None and call.trouble != "locked" and age < PATIENCE:
        return Wait(max(1.0, pause(call)))
    if not work.production.events.filter(name="moderation.stood_in").exists():
        tell(work.production, "moderation.stood_in", stage=work.step.stage)
    return []
