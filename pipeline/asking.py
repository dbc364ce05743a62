"""From a scene to what is asked for it: its line to be read, its shot to be filmed. Stages ask, re-runs count."""

from __future__ import annotations

from pathlib import Path

from orders.models import Order

from . import roster, wishes
from .models import Production, Scene
from .providers import spoken
from .providers.base import ReadRequest, ShotRequest
from .roster import Rung

# Of a voice's pace, for a line that was not understood: clearer, and another read also of a voice that repeats itself.
SLOWER = 0.93


def line(order: Order, production: Production, scene: Scene, *, again: bool = False) -> ReadRequest:
    """The scene's line in the creator's voice, with the words that are said in a way of their own.

    `again`: it was read before and not understood. Raises ProviderError for a voice whose settings make no sense.
    """
    voice = order.creator.voice
    settings = dict(voice.settings)
    if again:
        settings["pace"] = SLOWER * (spoken.pace_of(settings) or 1.0)
    return ReadRequest(
        text=scene.text,
        voice=voice.provider_voice,
        said_as=wishes.said_as(production, order.brief),
        settings=settings,
    )


def shot(order: Order, production: Production, scene: Scene, scenes: int) -> ShotRequest:
    """The scene's shot from its photo, one of `scenes`."""
    width, height = order.brief.size
    wish = wishes.shot(production, scene.number)
    return ShotRequest(
        photo=Path(scene.photo.file).name,
        width=width,
        height=height,
        seconds=order.brief.seconds / max(1, scenes),
        faces=tuple(tuple(face) for face in scene.photo.facts.get("faces", ())),
        interest=tuple(scene.photo.facts.get("interest", (0.25, 0.25, 0.5, 0.5))),
        prompt=scene.idea,
        seed=scene.number + wish.seed,
        calm=wish.calm,
    )


def ladder(order: Order, production: Production, scene: Scene, seconds: float, scenes: int) -> list[Rung]:
    """Who films a scene's shot, best first; a model that was asked for goes before the others. Empty: the local studio.

    A page comes alive as nonsense: what is written on it is shown as it is.
    """
    wish = wishes.shot(production, scene.number)
    page = "page" in scene.photo.facts.get("warnings", ())
    if page or wish.model == wishes.LOCAL or not roster.agreed(order, roster.FILMED):
        return []
    return sorted(roster.ladder(order, seconds, scenes), key=lambda rung: rung.provider.model != wish.model)
