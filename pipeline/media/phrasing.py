"""Where captions and their rows break: where a reader would pause, at most two rows, and time to read them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

from pipeline.media import fonts

ROW_CHARACTERS = 32
PACE = 17.0  # characters a second that are read without haste (Netflix, Timed Text Style Guide: English, children's 17)
LATE = 1.5  # seconds after its last word that a caption stands, at the most, where it takes that long to read
# Words that belong to the next one: a row that ends in one of them reads badly.
_CLINGING = (
    "a an the and or but of to in on at for with from by as is are was were be that who which your my our his her "
    "their its this these those not no so very than then when while if because into i you he she we they "
    "have has had got will would can could should did another every each some any"
)
_CLINGS = frozenset(_CLINGING.split())


class TimedWord(Protocol):
    """A word and when it is heard, in seconds from the film's start."""

    @property
    def text(self) -> str: ...  # noqa: D102
    @property
    def start(self) -> float: ...  # noqa: D102
    @property
    def end(self) -> float: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class Piece:
    """A word, or what of one fits a row: then `glued` to the piece before it. Seconds, and pixels."""

    text: str
    start: float
    end: float
    width: float
    glued: bool = False


Row = list[Piece]


def cut(word: TimedWord, style: fonts.Style, size: int, limit: float) -> list[Piece]:
    """A word as it is set at `size` pixels per em: whole, or in as few like pieces as rows of `limit` pixels need."""
    whole = fonts.clusters("".join(fonts.literal(word.text).split()))
    if not whole:
        return []
    # Nobody writes more than a few marks on one letter; whoever does gets several.
    parts = [[cluster[i : i + ROW_CHARACTERS] for cluster in whole for i in range(0, len(cluster), ROW_CHARACTERS)]]

    def too_long(part: list[str]) -> bool:
        text = "".join(part)
        return len(part) > 1 and (len(text) > ROW_CHARACTERS or fonts.width(text, style, size) > limit)

    while any(too_long(part) for part in parts):
        halves = ((part[: (len(part) + 1) // 2], part[(len(part) + 1) // 2 :]) for part in parts)
        parts = [half for pair in halves for half in pair if half]
    share = max(0.0, word.end - word.start) / len(parts)
    return [
        Piece(
            "".join(part),
            word.start + i * share,
            word.start + (i + 1) * share,
            fonts.width("".join(part), style, size),
            glued=i > 0,
        )
        for i, part in enumerate(parts)
    ]


def groups(pieces: Sequence[Piece], style: fonts.Style, size: int, limit: float) -> list[list[Row]]:
    """Cut a scene into captions of one or two rows at the least cost: dynamic programming over where they end."""
    gap = space(style, size)
    best: list[tuple[float, int, tuple[int, ...]]] = [(0.0, 0, ())]
    for end in range(1, len(pieces) + 1):
        options: list[tuple[float, int, tuple[int, ...]]] = []
        for begin in range(end - 1, -1, -1):
            rows = _rows(pieces[begin:end], gap, limit)
            if rows is None:
                break
            cost, split = rows
            cost += _haste(pieces, begin, end) + _break_cost(pieces, end, whole=True)
            options.append((best[begin][0] + cost, begin, split))
        best.append(min(options))
    found: list[list[Row]] = []
    end = len(pieces)
    while end > 0:
        _, begin, split = best[end]
        cuts = (0, *split, end - begin)
        found.append([list(pieces[begin + a : begin + b]) for a, b in pairwise(cuts)])
        end = begin
    return found[::-1]


def _haste(pieces: Sequence[Piece], begin: int, end: int) -> float:
    """What it costs that a caption of these pieces is gone before it is read."""
    following = pieces[end].start if end < len(pieces) else pieces[end - 1].end + LATE
    seconds = max(0.1, following - pieces[begin].start)
    return 4.0 * max(0.0, characters(pieces[begin:end]) / seconds / PACE - 1)


def _rows(part: Sequence[Piece], gap: float, limit: float) -> tuple[float, tuple[int, ...]] | None:
    """The cheapest way to set `part` in one or two rows: (cost, where the second row starts); None if it cannot be."""

    def fits(row: Sequence[Piece]) -> bool:
        return len(row) == 1 or (characters(row) <= ROW_CHARACTERS and length(row, gap) <= limit)

    total = length(part, gap)
    # Short flashes tire the eye; about one and a half rows reads best. In a wide film no row comes near the edges.
    full = max(total / limit, characters(part) / ROW_CHARACTERS)
    filled = 3.0 * max(0.0, 1.1 - full) ** 2 + (2.0 if len(part) == 1 else 0.0)
    if fits(part):
        return filled, ()
    options = []
    for at in range(1, len(part)):
        if fits(part[:at]) and fits(part[at:]):
            uneven = abs(2 * length(part[:at], gap) - total) / total
            options.append((filled + uneven + 0.6 * _break_cost(part, at, whole=False), (at,)))
    return min(options) if options else None


def _break_cost(pieces: Sequence[Piece], at: int, *, whole: bool) -> float:
    """What it costs to break before piece `at`: nothing after a full stop, much after a word that clings."""
    if at >= len(pieces):
        return 0.0
    text, pause = pieces[at - 1].text, pieces[at].start - pieces[at - 1].end
    bare = text.rstrip("\"'”’)»]")
    if bare.endswith((".", "!", "?", "…", "。", "！", "？")):
        return 0.0
    if bare.endswith((",", ";", ":", "–", "—", "،", "、")) or (whole and pause > 0.25):
        return 0.35
    return 2.2 if text.lower() in _CLINGS else 1.0


def characters(pieces: Sequence[Piece]) -> int:
    """How many characters there are to read, the spaces between words included."""
    return sum(len(piece.text) + (not piece.glued) for piece in pieces) - 1


def space(style: fonts.Style, size: int) -> float:
    """Between two words: a little more than a space, so that a pill on one keeps away from the next."""
    return fonts.width(" ", style, size) + 0.06 * size


def length(row: Sequence[Piece], gap: float) -> float:
    """How long a row is in pixels, with `gap` pixels between its words."""
    return sum(piece.width for piece in row) + gap * sum(not piece.glued for piece in row[1:])
