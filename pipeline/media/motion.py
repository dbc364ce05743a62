"""How the camera moves over a photo: two windows and an eased way between them, never cutting a face at any moment.

Every window on the way is a straight mix of the first and the last one, so what lies inside both lies inside all.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

Kind = Literal["push_in", "pull_out", "drift", "reveal"]

KEPT = 0.5  # a crop to the frame's shape must keep at least this share of the photo
SHARP, SOFT = 1.3, 1.7  # upscaling that is never seen, and the most a full-frame crop may have
_HEADROOM = (0.22, 0.38, 0.22, 0.22)  # hair, ears and chin around a face box, in face sizes: left, top, right, bottom
_TIGHT = (0.05, 0.06, 0.05, 0.05)


class Box(NamedTuple):
    """A rectangle; the unit (pixels, fractions) is said where it is used."""

    x: float
    y: float
    w: float
    h: float

    @property
    def right(self) -> float:
        """The right edge."""
        return self.x + self.w

    @property
    def bottom(self) -> float:
        """The bottom edge."""
        return self.y + self.h

    def scaled(self, kx: float, ky: float) -> Box:
        """This box in a unit `kx` times finer across and `ky` times finer down."""
        return Box(self.x * kx, self.y * ky, self.w * kx, self.h * ky)

    def holds(self, other: Box, slack: float = 1e-6) -> bool:
        """Whether `other` lies inside, give or take `slack`."""
        return (
            other.x >= self.x - slack
            and other.y >= self.y - slack
            and other.right <= self.right + slack
            and other.bottom <= self.bottom + slack
        )

    def touches(self, other: Box) -> bool:
        """Whether the two share any area."""
        return self.x < other.right and other.x < self.right and self.y < other.bottom and other.y < self.bottom


@dataclass(frozen=True, slots=True)
class CameraPath:
    """One camera move. Windows live on a canvas: the photo's own pixels, or, with `fill`, a ground of the frame's size.

    With `fill` the photo lies on that ground as a card: `crop` (fractions of the photo) shown at `card` (frame pixels).
    """

    kind: Kind
    fill: bool
    canvas: tuple[float, float]
    crop: Box
    card: Box
    start: Box
    end: Box

    def window(self, share: float) -> Box:
        """What is seen at `share` (0..1) of the move, in canvas units; the move starts and stops gently."""
        t = min(1.0, max(0.0, share))
        t = t * t * (3 - 2 * t)
        return Box(*(a + (b - a) * t for a, b in zip(self.start, self.end, strict=True)))

    def on_canvas(self, part: Box) -> Box:
        """Where a part of the photo (fractions) lies on the canvas."""
        kx, ky = self.card.w / self.crop.w, self.card.h / self.crop.h
        return Box(
            self.card.x + (part.x - self.crop.x) * kx,
            self.card.y + (part.y - self.crop.y) * ky,
            part.w * kx,
            part.h * ky,
        )

    def on_screen(self, part: Box, size: tuple[int, int]) -> Box:
        """All the ground a part of the photo (fractions) covers on a screen of `size` pixels during the whole move."""
        place = self.on_canvas(part)
        seen = [
            Box(
                (place.x - w.x) * size[0] / w.w,
                (place.y - w.y) * size[1] / w.h,
                place.w * size[0] / w.w,
                place.h * size[1] / w.h,
            )
            for w in (self.start, self.end)
        ]
        return hull(seen)


def hull(boxes: Sequence[Box]) -> Box:
    """The smallest box around all of `boxes` (at least one)."""
    x, y = min(b.x for b in boxes), min(b.y for b in boxes)
    return Box(x, y, max(b.right for b in boxes) - x, max(b.bottom for b in boxes) - y)


def placed(at: float, length: float, window: float, limit: float, anchor: float, *, whole: bool) -> float:
    """Where a window begins on one axis, inside 0..`limit`: the middle of what lies at `at` stands at `anchor` of it.

    With `whole` it holds all of that `length`, if it is long enough.
    """
    low, high = 0.0, limit - window
    if whole:
        low, high = max(low, at + length - window), min(high, at)
    return max(min(low, high), min(high, at + length / 2 - anchor * window))


def choose_path(
    photo: tuple[int, int],
    frame: tuple[int, int],
    faces: Sequence[Box],
    interest: Box,
    *,
    seconds: float,
    seed: int = 0,
    before: Kind | None = None,
) -> CameraPath:
    """Choose how to move over a photo of `photo` pixels in a frame of `frame` pixels for `seconds`.

    `faces` and `interest` are fractions of the photo. The photo fills the frame where that keeps every face whole, most
    of the picture, and enough sharpness; otherwise it lies whole on a soft ground of itself. `before` is the
    neighbour's move, which this one will not repeat. The same arguments give the same path.
    """
    dice = random.Random(f"{seed}:{photo}:{frame}:{len(faces)}")
    for margin in (_HEADROOM, _TIGHT):
        cover = _covering(photo, frame, faces, interest, margin)
        if cover is not None:
            move = _move(cover, frame, seconds, dice, before, most=1.16)
            if move is not None:
                return move
    card = _on_ground(photo, frame, faces, interest)
    return _move(card, frame, seconds, dice, before, most=1.09) or card.path("push_in", card.whole, card.whole)


@dataclass(frozen=True, slots=True)
class _Scene:
    """A canvas, the part that must stay in sight, the point to look at, and the largest window of the frame's shape."""

    fill: bool
    canvas: tuple[float, float]
    crop: Box
    card: Box
    keep: Box | None
    focus: tuple[float, float]
    whole: Box
    zoom: float  # closest that still looks sharp

    def path(self, kind: Kind, start: Box, end: Box) -> CameraPath:
        return CameraPath(kind, self.fill, self.canvas, self.crop, self.card, start, end)

    def room(self, size: float, axis: int) -> tuple[float, float]:
        """Where a window of `size` along an axis may begin: inside the canvas, and not past what must stay in sight."""
        low, high = 0.0, self.canvas[axis] - size
        if self.keep is not None:
            low, high = max(low, self.keep[axis] + self.keep[axis + 2] - size), min(high, self.keep[axis])
        return min(low, high), max(low, high)

    def look(self, zoom: float, shift: tuple[float, float] = (0.0, 0.0)) -> Box:
        """The window at `zoom` that looks at the focus, moved by `shift` window sizes, held back to where it may be."""
        w, h = self.whole.w / zoom, self.whole.h / zoom
        corner = []
        for axis, size, anchor in ((0, w, 0.5), (1, h, 0.44)):
            low, high = self.room(size, axis)
            corner.append(min(high, max(low, self.focus[axis] + (shift[axis] - anchor) * size)))
        return Box(corner[0], corner[1], w, h)


def _spread(face: Box, margin: tuple[float, float, float, float]) -> Box:
    left, top = max(0.0, face.x - margin[0] * face.w), max(0.0, face.y - margin[1] * face.h)
    right, bottom = min(1.0, face.right + margin[2] * face.w), min(1.0, face.bottom + margin[3] * face.h)
    return Box(left, top, right - left, bottom - top)


def _middle(box: Box) -> tuple[float, float]:
    return box.x + box.w / 2, box.y + box.h / 2


def _covering(
    photo: tuple[int, int],
    frame: tuple[int, int],
    faces: Sequence[Box],
    interest: Box,
    margin: tuple[float, float, float, float],
) -> _Scene | None:
    """The photo over the whole frame, or None where that loses too much, looks soft, or cuts a face."""
    width = min(photo[0], photo[1] * frame[0] / frame[1])
    height = width * frame[1] / frame[0]
    upscale = frame[0] / width
    if width * height < KEPT * photo[0] * photo[1] or upscale > SOFT / 1.06:
        return None
    keep = hull([_spread(face, margin) for face in faces]).scaled(*photo) if faces else None
    if keep is not None and (keep.w > width or keep.h > height):
        return None
    focus = _middle(keep or interest.scaled(*photo))
    zoom = max(1.06, SHARP / upscale)
    whole = Box(0, 0, *photo)
    return _Scene(
        False, (float(photo[0]), float(photo[1])), Box(0, 0, 1, 1), whole, keep, focus, Box(0, 0, width, height), zoom
    )


def _on_ground(photo: tuple[int, int], frame: tuple[int, int], faces: Sequence[Box], interest: Box) -> _Scene:
    """The photo as a card on a soft ground of itself."""
    tall = frame[1] > 1.2 * frame[0]
    room = (frame[0] * 0.88, frame[1] * (0.67 if tall else 0.85))
    keep = hull([_spread(face, _HEADROOM) for face in faces]) if faces else None
    crop = _crop(photo, room, keep, interest)
    fit = min(room[0] / (crop.w * photo[0]), room[1] / (crop.h * photo[1]))
    if fit > SHARP:  # too small a photo: smaller on the screen, but not lost on it
        crop = Box(0, 0, 1, 1)
        fit = min(room[0] / photo[0], room[1] / photo[1])
        fit = max(min(fit, SHARP), min(fit * 0.9, 2.2), fit * 0.6)
    w, h = crop.w * photo[0] * fit, crop.h * photo[1] * fit
    card = Box((frame[0] - w) / 2, frame[1] * (0.43 if tall else 0.48) - h / 2, w, h)
    plain = CameraPath(
        "push_in", True, (float(frame[0]), float(frame[1])), crop, card, Box(0, 0, *frame), Box(0, 0, *frame)
    )
    edge = 0.015 * min(frame)
    held = Box(card.x - edge, card.y - edge, w + 2 * edge, h + 2 * edge)  # the whole card stays in sight
    focus = _middle(plain.on_canvas(keep or interest))
    # Half-way between the card's middle and its subject: the card should not slide out of the frame.
    focus = ((focus[0] + frame[0] / 2) / 2, (focus[1] + card.y + h / 2) / 2)
    return _Scene(True, plain.canvas, crop, card, held, focus, plain.start, 1.12)


def _crop(photo: tuple[int, int], room: tuple[float, float], keep: Box | None, interest: Box) -> Box:
    """Trim a photo towards the room's shape, by a quarter at the most, never into a face. Fractions of the photo."""
    wide, wanted = photo[0] / photo[1], room[0] / room[1]
    share = max(0.76, min(wide, wanted) / max(wide, wanted))
    axis = 0 if wide > wanted else 1
    size = max(share, keep[axis + 2]) if keep else share
    middle = _middle(keep or interest)[axis]
    low, high = (max(0.0, keep[axis] + keep[axis + 2] - size), min(1 - size, keep[axis])) if keep else (0.0, 1 - size)
    at = min(max(high, low), max(low, middle - size / 2))
    return Box(at, 0, size, 1) if axis == 0 else Box(0, at, 1, size)


def _move(
    scene: _Scene, frame: tuple[int, int], seconds: float, dice: random.Random, before: Kind | None, *, most: float
) -> CameraPath | None:
    """The move to make on a scene, or None where there is no room for any."""
    limit = min(most, scene.zoom)
    if scene.keep is not None:
        limit = min(limit, scene.whole.w / scene.keep.w, scene.whole.h / scene.keep.h)
    zoom = min(limit, 1 + (0.028 if not scene.fill else 0.018) * max(2.0, seconds))
    side, rise = dice.choice((-1, 1)), dice.choice((-1, 1))
    options: list[CameraPath] = []
    if zoom >= 1.035:
        wide, close = scene.look(1.0), scene.look(zoom)
        options += [scene.path("push_in", wide, close), scene.path("pull_out", close, wide)]
        aside = scene.look(1 + (zoom - 1) * 0.15, (0.06 * side, 0.0))
        options.append(scene.path("reveal", scene.look(zoom, (-0.05 * side, 0.03 * rise)), aside))
    sway = _drift(scene, min(limit, 1.0 if not scene.fill else 1.055), seconds, side, rise)
    sway = sway or _drift(scene, min(limit, 1.07), seconds, side, rise)
    if sway is not None:
        options += [sway, sway]
    unlike = [path for path in options if path.kind != before and {path.kind, before} != {"pull_out", "reveal"}]
    return dice.choice(unlike or options) if options else None


def _drift(scene: _Scene, zoom: float, seconds: float, side: int, rise: int) -> CameraPath | None:
    """A sideways or upward glide along whichever way has more room, at a calm pace."""
    seen = scene.look(zoom)
    rooms = [scene.room(seen[axis + 2], axis) for axis in (0, 1)]
    slack = [(high - low) / seen[axis + 2] for axis, (low, high) in enumerate(rooms)]
    axis = 0 if slack[0] >= slack[1] else 1
    if slack[axis] < 0.03:
        return None
    travel = min(slack[axis], 0.02 * max(2.0, seconds), 0.05 if scene.fill else 0.14) * seen[axis + 2]
    low, high = rooms[axis]
    first = min(high - travel, max(low, seen[axis] - travel / 2))
    ends = [first, first + travel]
    if (side if axis == 0 else rise) < 0:
        ends.reverse()
    first_box, last_box = (seen._replace(x=at) if axis == 0 else seen._replace(y=at) for at in ends)
    return scene.path("drift", first_box, last_box)
