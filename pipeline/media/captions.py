"""Captions that follow the voice: broken where a reader would pause, clear of faces, the spoken word on a pill."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Literal, Protocol

import cv2
import numpy as np
from PIL import Image, ImageChops, ImageDraw

from pipeline.media import fonts, frames
from pipeline.media.motion import Box

Place = Literal["low", "high"]

ROW_CHARACTERS = 32
FADE = 4  # frames in which a caption comes and goes
_LEAD, _TAIL = 0.12, 0.55  # seconds a caption stands before its first and after its last word
# Words that belong to the next one: a row that ends in one of them reads badly.
_CLINGING = (
    "a an the and or but of to in on at for with from by as is are was were be that who which your my our his her "
    "their its this these those not no so very than then when while if because into i you he she we they"
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
class PlacedWord:
    """A word on the screen: where its baseline starts and how wide it is (pixels), and the frames it is spoken in."""

    text: str
    x: float
    baseline: float
    width: float
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Caption:
    """One caption: shown in frames `start` to `end` (not included), inside `box` (pixels of the frame)."""

    start: int
    end: int
    size: int
    box: Box
    words: tuple[PlacedWord, ...]

    @property
    def text(self) -> str:
        """What it says."""
        return " ".join(word.text for word in self.words)

    def opacity(self, frame: int) -> float:
        """How much of it is to be seen in a frame, 0 to 1."""
        if not self.start <= frame < self.end:
            return 0.0
        return min(1.0, (frame - self.start + 1) / FADE, (self.end - frame) / FADE)

    def spoken(self, frame: int) -> int | None:
        """Which of its words is being said in a frame."""
        return next((i for i, word in enumerate(self.words) if word.start <= frame < word.end), None)


@dataclass(frozen=True, slots=True)
class _Piece:
    text: str
    start: float
    end: float
    width: float


def type_size(frame: tuple[int, int]) -> int:
    """The size captions are set in, in pixels per em."""
    return max(10, round(min(frame) * 0.052))


def zone(frame: tuple[int, int], place: Place) -> Box:
    """Where captions of two rows stand: clear of players' buttons (the lowest 17% of a tall film) and of the label."""
    w, h = frame
    tall = h > 1.2 * w
    deep = 2 * _row_height(type_size(frame)) + _pad(type_size(frame)) * 2
    side = w * (0.075 if tall else 0.1)
    low_edge = h * (0.815 if tall else 0.925)
    top = low_edge - deep if place == "low" else h * (0.125 if tall else 0.11)
    return Box(side, top, w - 2 * side, deep)


def lay_out(
    words: Sequence[TimedWord], frame: tuple[int, int], fps: int, *, place: Place, until: float
) -> tuple[Caption, ...]:
    """Set one scene's words as captions, none of which outlasts `until` (seconds).

    Rows hold at most 32 characters and always fit the frame; a word too long for a row is cut into pieces.
    """
    size, area = type_size(frame), zone(frame, place)
    limit = area.w - 2 * _pad(size)
    pieces = [piece for word in words for piece in _cut(word, size, limit)]
    found: list[Caption] = []
    groups = _groups(pieces, size, limit)
    for i, rows in enumerate(groups):
        flat = [piece for row in rows for piece in row]
        follower = groups[i + 1][0][0].start - _LEAD if i + 1 < len(groups) else until
        end = min(max(follower, flat[-1].start + 0.2), max(flat[-1].end + _TAIL, flat[-1].start + 0.3), until)
        start = max(flat[0].start - _LEAD, found[-1].end / fps if found else 0.0)
        first, last = round(start * fps), round(end * fps)
        if last > first:
            found.append(Caption(first, last, size, *_placed(rows, size, area, place, (fps, last))))
    return tuple(found)


def _placed(
    rows: Sequence[Sequence[_Piece]], size: int, area: Box, place: Place, clock: tuple[int, int]
) -> tuple[Box, tuple[PlacedWord, ...]]:
    (fps, last), (ascent, descent) = clock, fonts.height("caption", size)
    step, pad, gap = _row_height(size), _pad(size), fonts.width(" ", "caption", size)
    spare = (2 - len(rows)) * step
    top = area.y + pad + (spare if place == "low" else 0)
    flat = [piece for row in rows for piece in row]
    placed: list[PlacedWord] = []
    left = right = area.x + area.w / 2
    for number, row in enumerate(rows):
        long = sum(piece.width for piece in row) + gap * (len(row) - 1)
        x = area.x + (area.w - long) / 2
        left, right = min(left, x), max(right, x + long)
        baseline = top + number * step + (step - ascent - descent) / 2 + ascent
        backwards = fonts.right_to_left(row[0].text)
        spots: dict[int, float] = {}
        for piece in reversed(row) if backwards else row:
            spots[id(piece)] = x
            x += piece.width + gap
        for piece in row:
            after = flat[len(placed) + 1].start if len(placed) + 1 < len(flat) else piece.end + 0.2
            until = min(max(after, piece.end) if after - piece.end < 0.35 else piece.end + 0.2, after)
            spoken = round(piece.start * fps), max(round(piece.start * fps) + 1, min(last - FADE, round(until * fps)))
            placed.append(PlacedWord(piece.text, spots[id(piece)], baseline, piece.width, *spoken))
    deep = len(rows) * step + 2 * pad
    x0, y0 = int(left - pad) // 2 * 2, int(top - pad) // 2 * 2
    return Box(x0, y0, -(-int(right + pad - x0) // 2) * 2, -(-int(deep) // 2) * 2), tuple(placed)


def _row_height(size: int) -> int:
    return round(size * 1.42)


def _pad(size: int) -> int:
    return round(size * 0.5)


def _cut(word: TimedWord, size: int, limit: float) -> list[_Piece]:
    text = "".join(fonts.literal(word.text).split())
    if not text:
        return []
    parts = [text]
    while any(len(part) > ROW_CHARACTERS or fonts.width(part, "caption", size) > limit for part in parts):
        parts = [
            half for part in parts for half in (part[: (len(part) + 1) // 2], part[(len(part) + 1) // 2 :]) if half
        ]
        if all(len(part) == 1 for part in parts):
            break
    share = max(0.0, word.end - word.start) / len(parts)
    return [
        _Piece(part, word.start + i * share, word.start + (i + 1) * share, fonts.width(part, "caption", size))
        for i, part in enumerate(parts)
    ]


def _groups(pieces: Sequence[_Piece], size: int, limit: float) -> list[list[list[_Piece]]]:
    """Cut a scene into captions of one or two rows at the least cost: dynamic programming over where they end."""
    gap = fonts.width(" ", "caption", size)
    best: list[tuple[float, int, tuple[int, ...]]] = [(0.0, 0, ())]
    for end in range(1, len(pieces) + 1):
        options: list[tuple[float, int, tuple[int, ...]]] = []
        for begin in range(end - 1, -1, -1):
            rows = _rows(pieces[begin:end], gap, limit)
            if rows is None:
                break
            cost, split = rows
            options.append((best[begin][0] + cost + _break_cost(pieces, end, whole=True), begin, split))
        best.append(min(options))
    found: list[list[list[_Piece]]] = []
    end = len(pieces)
    while end > 0:
        _, begin, split = best[end]
        cuts = (0, *split, end - begin)
        found.append([list(pieces[begin + a : begin + b]) for a, b in pairwise(cuts)])
        end = begin
    return found[::-1]


def _rows(part: Sequence[_Piece], gap: float, limit: float) -> tuple[float, tuple[int, ...]] | None:
    """The cheapest way to set `part` in one or two rows: (cost, where the second row starts); None if it cannot be."""

    def fits(row: Sequence[_Piece]) -> bool:
        characters = sum(len(piece.text) for piece in row) + len(row) - 1
        return characters <= ROW_CHARACTERS and sum(p.width for p in row) + gap * (len(row) - 1) <= limit

    total = sum(piece.width for piece in part) + gap * (len(part) - 1)
    # Short flashes tire the eye; about one and a half rows reads best.
    filled = 3.0 * max(0.0, 1.1 - total / limit) ** 2 + (2.0 if len(part) == 1 else 0.0)
    if fits(part):
        return filled, ()
    options = []
    for cut in range(1, len(part)):
        if fits(part[:cut]) and fits(part[cut:]):
            upper = sum(piece.width for piece in part[:cut]) + gap * (cut - 1)
            uneven = abs(2 * upper - total) / total
            options.append((filled + uneven + 0.6 * _break_cost(part, cut, whole=False), (cut,)))
    return min(options) if options else None


def _break_cost(pieces: Sequence[_Piece], at: int, *, whole: bool) -> float:
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


def bitmaps(caption: Caption, accent: str) -> tuple[frames.Overlay, tuple[frames.Overlay, ...]]:
    """A caption as bitmaps: all of its text, and for each word the pill that stands over it while it is spoken."""
    size = caption.size
    bleed = _pad(size)  # the shadow runs out softly beyond the box
    area = (int(caption.box.w) + 2 * bleed, int(caption.box.h) + 2 * bleed)
    origin = (int(caption.box.x) - bleed, int(caption.box.y) - bleed)
    mask = Image.new("L", area)
    for word in caption.words:
        at = (word.x - origin[0], word.baseline - origin[1])
        fonts.draw(mask, at, word.text, "caption", size, fill=255)
    picture = shadowed(mask, size)
    words = tuple(_pill(word, size, accent) for word in caption.words)
    return frames.overlay(picture, *origin), words


def shadowed(mask: Image.Image, size: int) -> Image.Image:
    """White text from its mask, on a soft dark halo: a close dark edge against bright pictures, a wide one for calm."""
    close, wide = _swollen(mask, size * 0.1, size * 0.035), _swollen(mask, size * 0.3, size * 0.2)
    dark = ImageChops.lighter(close.point(lambda v: v * 0.94), wide.point(lambda v: v * 0.66))
    alpha = ImageChops.lighter(dark, mask)
    colour = Image.new("RGB", mask.size, (8, 9, 14))
    colour.paste((255, 255, 255), mask=mask)
    return Image.merge("RGBA", (*colour.split(), alpha))


def _swollen(mask: Image.Image, side: float, blur: float) -> Image.Image:
    """A mask grown by a square of `side` pixels and blurred by `blur` (both of the size's share)."""
    grown = cv2.dilate(np.asarray(mask), np.ones((_odd(side), _odd(side)), np.uint8))
    return Image.fromarray(np.asarray(cv2.GaussianBlur(grown, (0, 0), blur), np.uint8))


def _pill(word: PlacedWord, size: int, accent: str) -> frames.Overlay:
    ascent, descent = fonts.height("caption", size)
    pad_x, pad_y = size * 0.15, size * 0.06
    x0, y0 = int(word.x - pad_x) - 1, int(word.baseline - ascent * 0.9 - pad_y) - 1
    area = (int(word.width + 2 * pad_x) + 4, int(ascent * 0.9 + descent + 2 * pad_y) + 4)
    ground, ink = pill_colours(accent)
    picture = Image.merge("RGBA", (*Image.new("RGB", area, ground).split(), _rounded(area, size * 0.26)))
    text = Image.new("L", area)
    fonts.draw(text, (word.x - x0, word.baseline - y0), word.text, "caption", size, fill=255)
    picture.paste((*ink, 255), mask=text)
    return frames.overlay(picture, x0, y0)


def _rounded(area: tuple[int, int], radius: float) -> Image.Image:
    big = Image.new("L", (area[0] * 4, area[1] * 4))
    ImageDraw.Draw(big).rounded_rectangle((4, 4, area[0] * 4 - 5, area[1] * 4 - 5), radius * 4, fill=255)
    return big.resize(area, Image.Resampling.BOX)


def _odd(value: float) -> int:
    return max(3, int(value) // 2 * 2 + 1)


@lru_cache(maxsize=64)
def pill_colours(accent: str) -> tuple[tuple[int, int, int], tuple[int, int, int]]:
    """The accent as (red, green, blue) and the ink that reads on it: white where its contrast
    is at least 3 (WCAG 2.2, large type), otherwise near black."""
    ground, white = rgb(accent), (255, 255, 255)
    return ground, white if contrast(white, ground) >= 3 else (16, 16, 20)


def rgb(accent: str) -> tuple[int, int, int]:
    """`#rrggbb` as numbers. Raises ValueError for anything else."""
    if len(accent) != 7 or accent[0] != "#":
        raise ValueError(f"not a colour: {accent!r}")
    return int(accent[1:3], 16), int(accent[3:5], 16), int(accent[5:7], 16)


def contrast(one: tuple[int, int, int], two: tuple[int, int, int]) -> float:
    """How well two colours can be told apart, 1 to 21 (WCAG 2.2, relative luminance of sRGB)."""

    def light(colour: tuple[int, int, int]) -> float:
        parts = [c / 255 / 12.92 if c <= 10 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in colour]
        return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]

    high, low = sorted((light(one), light(two)), reverse=True)
    return (high + 0.05) / (low + 0.05)
