"""Captions that follow the voice: broken where a reader would pause, slow enough to be read, clear of faces."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from pipeline.media import fonts, phrasing, templates
from pipeline.media.motion import Box, hull
from pipeline.media.phrasing import PACE, Row, TimedWord

FADE = 4  # frames in which a caption comes and goes
_LEAD, _TAIL = 0.12, 0.55  # seconds a caption stands before its first and after its last word
_EARLY = 0.6  # seconds before its first word, at the most, where it takes that long to read
_SEEN = 0.067  # seconds before its first word by which a caption has faded in far enough
_ROUNDING = 0.034  # seconds that a caption may lose to whole frames
_BLINK = 0.3  # seconds between two captions that would be seen as a flicker
# (first frame, end frame) → where faces are on the screen meanwhile, in pixels.
Faces = Callable[[int, int], Sequence[Box]]


@dataclass(frozen=True, slots=True)
class PlacedWord:
    """A word on the screen: where its baseline starts and how wide it is (pixels), and the frames it is spoken in.

    `glued`: it is the rest of a word that was too long for a row.
    """

    text: str
    x: float
    baseline: float
    width: float
    start: int
    end: int
    glued: bool = False


@dataclass(frozen=True, slots=True)
class Caption:
    """One caption: shown in frames `start` to `end` (not included), inside `box` (pixels of the frame).

    `halo` is how strong the dark around its letters is, 0 to 1: the picture under it decides.
    """

    start: int
    end: int
    size: int
    box: Box
    words: tuple[PlacedWord, ...]
    template: str = templates.DEFAULT
    halo: float = 1.0

    @property
    def text(self) -> str:
        """What it says."""
        return "".join(("" if word.glued or not i else " ") + word.text for i, word in enumerate(self.words))

    def opacity(self, frame: int) -> float:
        """How much of it is to be seen in a frame, 0 to 1."""
        if not self.start <= frame < self.end:
            return 0.0
        return min(1.0, (frame - self.start + 1) / FADE, (self.end - frame) / FADE)

    def spoken(self, frame: int) -> int | None:
        """Which of its words is being said in a frame."""
        return next((i for i, word in enumerate(self.words) if word.start <= frame < word.end), None)


class _Slot(NamedTuple):
    """Where a caption may stand: its top edge at `y`, or with `hangs` false its bottom edge (pixels)."""

    y: float
    hangs: bool

    def top(self, deep: float) -> float:
        return self.y if self.hangs else self.y - deep


def type_size(frame: tuple[int, int], template: str = templates.DEFAULT) -> int:
    """The size captions are set in, in pixels per em."""
    return max(10, round(min(frame) * 0.048 * templates.of(template).scale))


def safe_area(frame: tuple[int, int]) -> Box:
    """Where no player lays anything over a film, in pixels; captions stand in it unless a face is everywhere.

    Tall films: what is free in all three of YouTube Shorts (288 above, 672 below, 48 left, 192 right of 1080 × 1920:
    Google Ads Help, "About video ad specs", 13547298), Reels (14% above, 35% below, 6% beside: Meta Ads Guide) and
    TikTok (120 left of its template), and as much on the left as on the right, for captions stand in the middle. Wide
    and square ones: inside the graphics safe area (5%: EBU R 95), a little more beside and above, below our label.
    """
    w, h = frame
    if _is_tall(frame):
        return Box(w * 192 / 1080, h * 288 / 1920, w * (1080 - 2 * 192) / 1080, h * (1920 - 288 - 672) / 1920)
    return Box(w * 0.1, h * 0.11, w * 0.8, h * (0.925 - 0.11))


def usual(frame: tuple[int, int]) -> Box:
    """Where captions stand when nothing keeps them from it: the lower half of the safe area, in pixels."""
    safe = safe_area(frame)
    return Box(safe.x, safe.y + safe.h / 2, safe.w, safe.h / 2)


def _is_tall(frame: tuple[int, int]) -> bool:
    return frame[1] > 1.2 * frame[0]


def lay_out(
    words: Sequence[TimedWord],
    frame: tuple[int, int],
    fps: int,
    *,
    since: float = 0.0,
    until: float,
    template: str = templates.DEFAULT,
    faces: Faces | None = None,
) -> tuple[Caption, ...]:
    """Set one scene's words as captions, none of which comes before `since` or outlasts `until` (seconds).

    Rows hold at most 32 characters and always fit the frame; a word too long for a row is cut into pieces. A caption
    that takes longer to read than to say comes earlier and stays longer, as far as its neighbours' words allow; where
    the voice goes on faster than that, words still stand when they are heard. Captions stand low and stay in one place
    as long as no face comes there.
    """
    size, limit = type_size(frame, template), safe_area(frame).w
    style = templates.of(template).caption
    pieces = [piece for word in words for piece in phrasing.cut(word, style, size, limit)]
    groups = phrasing.groups(pieces, style, size, limit)
    backwards = fonts.right_to_left(" ".join(piece.text for piece in pieces))
    times = [(round(start * fps), round(end * fps)) for start, end in _times(groups, since, until)]
    shown = [(rows, at) for rows, at in zip(groups, times, strict=True) if at[1] > at[0]]
    sizes = [_extent(rows, style, size) for rows, _ in shown]
    tops = _tops(frame, size, sizes, [at for _, at in shown], faces)
    return tuple(
        Caption(*at, size, *_placed(rows, (style, size), (frame[0], top), (fps, at[1]), backwards), template)
        for (rows, at), top in zip(shown, tops, strict=True)
    )


def _times(groups: Sequence[Sequence[Row]], since: float, until: float) -> list[tuple[float, float]]:
    """When each caption comes and goes, in seconds: on time for the voice first, then long enough to be read."""
    firsts = [rows[0][0].start for rows in groups]
    lasts = [rows[-1][-1] for rows in groups]
    starts: list[float] = []
    ends: list[float] = []
    for i, (first, last) in enumerate(zip(firsts, lasts, strict=True)):
        following = firsts[i + 1] if i + 1 < len(groups) else until
        # The last word is seen for a moment, and the next caption is there when its first word is heard.
        rest = min(following, max(following - _LEAD, last.start + 0.2)) if i + 1 < len(groups) else until
        starts.append(max(since, first - _LEAD, ends[-1] if ends else since))
        ends.append(max(starts[-1], min(rest, last.end + _TAIL)))
    for i, rows in enumerate(groups):
        need = phrasing.characters([piece for row in rows for piece in row]) / PACE + _ROUNDING
        if ends[i] - starts[i] < need:
            latest = firsts[i + 1] - _SEEN if i + 1 < len(groups) else until
            ends[i] = max(ends[i], min(starts[i] + need, latest, lasts[i].end + phrasing.LATE))
            if i + 1 < len(groups):
                starts[i + 1] = max(starts[i + 1], ends[i])
        if ends[i] - starts[i] < need:
            spare = since
            if i:  # what the caption before has been read in, it may give
                before = phrasing.characters([piece for row in groups[i - 1] for piece in row]) / PACE
                spare = min(starts[i], max(starts[i - 1] + before, lasts[i - 1].end, lasts[i - 1].start + 0.2))
            starts[i] = min(starts[i], max(since, spare, ends[i] - need, firsts[i] - _EARLY))
            if i:
                ends[i - 1] = min(ends[i - 1], starts[i])
    for i in range(len(groups) - 1):
        if 0 < starts[i + 1] - ends[i] < _BLINK:
            ends[i] = starts[i + 1]
    return list(zip(starts, ends, strict=True))


def _extent(rows: Sequence[Row], style: fonts.Style, size: int) -> tuple[float, float]:
    """How wide and deep a caption is, its padding included, in pixels."""
    gap = phrasing.space(style, size)
    return max(phrasing.length(row, gap) for row in rows) + 2 * pad(size), len(rows) * _row_height(size) + 2 * pad(size)


def _tops(
    frame: tuple[int, int],
    size: int,
    sizes: Sequence[tuple[float, float]],
    times: Sequence[tuple[int, int]],
    faces: Faces | None,
) -> list[float]:
    """The top edge of each caption: one place for as many in a row as it stays clear of faces for, as low as can be."""
    safe, spare = _slots(frame, size)
    hidden = [faces(*at) if faces is not None else () for at in times]

    def covered(slot: _Slot, i: int) -> float:
        (wide, deep), top = sizes[i], slot.top(sizes[i][1])
        air = 0.15 * size  # a caption does not rest on a chin
        box = Box((frame[0] - wide) / 2 - air, top - air, wide + 2 * air, deep + 2 * air)
        return sum(_shared(box, face) for face in hidden[i])

    def clear(slot: _Slot, first: int) -> int:
        return next((i for i in range(first, len(sizes)) if covered(slot, i) > 0), len(sizes)) - first

    found: list[float] = []
    while (at := len(found)) < len(sizes):
        for group in (safe, spare):
            slot = max(group, key=lambda slot: clear(slot, at), default=safe[0])
            if count := clear(slot, at):
                break
        else:
            count, slot = 1, min([*safe, *spare], key=lambda slot: covered(slot, at))
        found += [slot.top(sizes[i][1]) for i in range(at, at + count)]
    return found


def _slots(frame: tuple[int, int], size: int) -> tuple[list[_Slot], list[_Slot]]:
    """The places for captions, best first: low, high, what lies between; and beyond the safe area of tall films."""
    area, step = safe_area(frame), _row_height(size) / 2
    deepest = 2 * _row_height(size) + 2 * pad(size)
    between = [_Slot(area.bottom - i * step, hangs=False) for i in range(1, int((area.h - deepest) / step))]
    beyond = [_Slot(frame[1] * share, hangs=False) for share in (0.7, 0.76, 0.815)]  # 0.845 is the label's
    return [_Slot(area.bottom, hangs=False), _Slot(area.y, hangs=True), *between], beyond if _is_tall(frame) else []


def _shared(one: Box, two: Box) -> float:
    w, h = min(one.right, two.right) - max(one.x, two.x), min(one.bottom, two.bottom) - max(one.y, two.y)
    return w * h if w > 0 and h > 0 else 0.0


def _placed(
    rows: Sequence[Row],
    type_: tuple[fonts.Style, int],
    spot: tuple[int, float],
    clock: tuple[int, int],
    backwards: bool,
) -> tuple[Box, tuple[PlacedWord, ...]]:
    """A caption's box and words: centred in a frame of `spot[0]` pixels across, with its top edge at `spot[1]`."""
    (style, size), (across, top), (fps, last) = type_, spot, clock
    (ascent, descent), step, gap = fonts.height(style, size), _row_height(size), phrasing.space(style, size)
    flat = [piece for row in rows for piece in row]
    placed: list[PlacedWord] = []
    lines: list[Box] = []
    for number, row in enumerate(rows):
        long = phrasing.length(row, gap)
        x = (across - long) / 2
        y = top + pad(size) + number * step
        lines.append(Box(x, y, long, step))
        spots: dict[int, float] = {}
        before: int | None = None
        for i in fonts.in_order([piece.text for piece in row], backwards=backwards):
            if before is not None and not (abs(i - before) == 1 and row[max(i, before)].glued):
                x += gap
            spots[i], before = x, i
            x += row[i].width
        for i, piece in enumerate(row):
            after = flat[len(placed) + 1].start if len(placed) + 1 < len(flat) else piece.end + 0.2
            until = min(max(after, piece.end) if after - piece.end < 0.35 else piece.end + 0.2, after)
            spoken = round(piece.start * fps), max(round(piece.start * fps) + 1, min(last - FADE, round(until * fps)))
            baseline = y + (step - ascent - descent) / 2 + ascent
            glued = piece.glued and bool(placed)
            placed.append(PlacedWord(piece.text, spots[i], baseline, piece.width, *spoken, glued))
    whole = hull(lines)
    x0, y0 = int(whole.x - pad(size)) // 2 * 2, int(top) // 2 * 2
    wide, deep = whole.right + pad(size) - x0, whole.h + 2 * pad(size)
    return Box(x0, y0, -(-int(wide) // 2) * 2, -(-int(deep) // 2) * 2), tuple(placed)


def _row_height(size: int) -> int:
    return round(size * 1.42)


def pad(size: int) -> int:
    """How far a caption's box reaches beyond its letters, in pixels."""
    return round(size * 0.5)
