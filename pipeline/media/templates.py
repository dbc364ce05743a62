"""The creators' templates: a film's type, the mark on the spoken word, the ground of its cards."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pipeline.media.fonts import Style


@dataclass(frozen=True, slots=True)
class Template:
    """One way to set a film's words.

    `scale` is the captions' size against the usual one. The spoken word stands on a `pill` in the accent (`radius` in
    em), or over a `bar` of it. `plate` puts a soft dark plate behind a caption instead of a halo around its letters.
    `ground` is the lightness of the end card (HLS, 0 to 1). With `depth`, people stand out from what is behind them
    where that is certain to look right; with `glow`, light falls in where the film turns to its end. `grain` is that of
    its pictures, in grey levels.
    """

    caption: Style
    title: Style
    scale: float
    mark: Literal["pill", "bar"]
    radius: float
    plate: bool
    ground: float
    depth: bool
    glow: bool
    grain: float


DEFAULT = "letter"
TEMPLATES: dict[str, Template] = {
    # Warm and plain: a letter read aloud.
    "letter": Template(
        "caption", "title", 1.0, "pill", 0.26, plate=False, ground=0.115, depth=True, glow=True, grain=0.0
    ),
    # Bookish and calm: serifs on a plate, the spoken word underlined.
    "logbook": Template(
        "caption-serif", "title", 1.0, "bar", 0.0, plate=True, ground=0.075, depth=False, glow=False, grain=3.0
    ),
    # Round and loud: a fat pill, a card full of colour.
    "comic": Template(
        "caption-round", "title-round", 1.06, "pill", 0.5, plate=False, ground=0.34, depth=True, glow=False, grain=0.0
    ),
}


def of(name: str) -> Template:
    """The template of that name; the default one for a name that is none (any more)."""
    return TEMPLATES.get(name, TEMPLATES[DEFAULT])
