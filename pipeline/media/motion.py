"""How the camera moves over a photo: two windows and an eased way between them, never cutting a face at any moment.

Every window on the way is a straight mix of the first and the last one, so what lies inside both lies inside all.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

Kind = Literal["push_in", "pull_out", "drift", "reveal", "travel"]

KEPT = 0.5  # a crop to the frame's shape must keep at least this share of the photo
SHARP = 1.3  # enlargement that is not seen; no window of a move is closer than that
GLIDE, JOURNEY = 0.09, 0.2  # frame widths a second: a glance along a photo, and the journey along a panorama
PANORAMA = 1.9  # how much longer than the frame a photo is that can only be travelled along
BAND = (0.36, 0.66)  # of the frame's other side: how deep a panorama lies on its ground
SEEN = 0.55  # of the photo must come by where it is glanced along instead of shown whole
_PART = 0.4  # of a panorama that is in sight at once where people in it keep the camera from travelling
HEADROOM = (0.22, 0.38, 0.22, 0.22)  # hair, ears and chin around a face box, in face sizes: left, top, right, bottom
_TIGHT = (0.05, 0.06, 0.05, 0.05)
CLOSER = 1.06  # a card may always come so much closer


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


CALM = 0.4  # of a move's motion, where less of it is wanted


@dataclass(frozen=True, slots=True)
class CameraPath:
    """One camera move. Windows live on a canvas: the photo's own pixels, or, with `fill`, a ground in frame pixels.

    With `fill` the photo lies on that ground as a card: `crop` (fractions of the photo) shown at `card` (frame pixels).
    The ground has the frame's size, or, under a panorama that is travelled along, the panorama's length.
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

    def calmer(self) -> CameraPath:
        """The same move with two fifths of its motion."""
        end = Box(*(a + (b - a) * CALM for a, b in zip(self.start, self.end, strict=True)))
        return replace(self, end=end)

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
    whole: bool = False,
) -> CameraPath:
    """Choose how to move over a photo of `photo` pixels in a frame of `frame` pixels for `seconds`.

    `faces` and `interest` are fractions of the photo. The photo fills the frame where that keeps every face whole, most
    of the picture, and enough sharpness; a panorama is travelled along; otherwise it lies whole on a soft ground of
    itself, and so does a page or a screenshot (`whole`). `before` is the neighbour's move, which this one will not
    repeat. The same arguments give the same path.
    """
    dice = random.Random(f"{seed}:{photo}:{frame}:{len(faces)}")
    if not whole:
        for margin in (HEADROOM, _TIGHT):
            cover = _covering(photo, frame, faces, interest, margin)
            if cover is not None:
                way = move(cover, frame, seconds, dice, before, most=1.16)
                if way is not None:
                    return way
        if before != "travel":
            journey = _journey(photo, frame, faces, interest, seconds, dice, before)
            if journey is not None:
                return journey
    card = _on_ground(photo, frame, faces, interest, whole=whole)
    return move(card, frame, seconds, dice, before, most=1.09) or card.path("push_in", card.whole, card.whole)


@dataclass(frozen=True, slots=True)
class Canvas:
    """Where a camera moves: the canvas, the part that must stay in sight, the point to look at, and the largest window
    of the frame's shape."""

    fill: bool
    canvas: tuple[float, float]
    crop: Box
    card: Box
    keep: Box | None
    focus: tuple[float, float]
    whole: Box
    zoom: float  # closest that still looks sharp

    def path(self, kind: Kind, start: Box, end: Box) -> CameraPath:
        """A move over it from one window to another."""
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
        # A card grows where it lies: in a tall film it would slide down into the captions.
        level = self.focus[1] / self.canvas[1] if self.fill and self.canvas[1] <= self.whole.h else 0.44
        corner = []
        for axis, size, anchor in ((0, w, 0.5), (1, h, level)):
            low, high = self.room(size, axis)
            corner.append(min(high, max(low, self.focus[axis] + (shift[axis] - anchor) * size)))
        return Box(corner[0], corner[1], w, h)


def spread(face: Box, margin: tuple[float, float, float, float]) -> Box:
    """A face (fractions) with a margin in face sizes: left, top, right, bottom."""
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
) -> Canvas | None:
    """The photo over the whole frame, or None where that loses too much, looks soft, or cuts a face."""
    width = min(photo[0], photo[1] * frame[0] / frame[1])
    height = width * frame[1] / frame[0]
    upscale = frame[0] / width
    if width * height < KEPT * photo[0] * photo[1] or upscale > SHARP / 1.06:
        return None
    keep = hull([spread(face, margin) for face in faces]).scaled(*photo) if faces else None
    if keep is not None and (keep.w > width or keep.h > height):
        return None
    focus = _middle(keep or interest.scaled(*photo))
    zoom = SHARP / upscale
    whole = Box(0, 0, *photo)
    return Canvas(
        False, (float(photo[0]), float(photo[1])), Box(0, 0, 1, 1), whole, keep, focus, Box(0, 0, width, height), zoom
    )


def _journey(
    photo: tuple[int, int],
    frame: tuple[int, int],
    faces: Sequence[Box],
    interest: Box,
    seconds: float,
    dice: random.Random,
    before: Kind | None,
) -> CameraPath | None:
    """Along a photo that is much longer than the frame: a panorama as a band on its ground, another over the whole
    frame where most of it comes by. Where faces leave no way to go, another move over that band. None where that would
    be soft, cut a face, or show too little."""
    along = 0 if photo[0] / photo[1] > frame[0] / frame[1] else 1
    across = 1 - along
    longer = (photo[along] / photo[across]) / (frame[along] / frame[across])
    depth, pace, level = 1.0, GLIDE, 0.5
    if longer >= PANORAMA and max(photo) >= 2 * min(photo):
        # As deep as it may be for its whole length to come by.
        pace, level = JOURNEY, on_ground(frame)[2] if across == 1 else 0.5
        depth = min(BAND[1], max(BAND[0], (1 + pace * seconds) / longer))
    scale = depth * frame[across] / photo[across]
    if scale > SHARP:
        return None
    length, window = photo[along] * scale, float(frame[along])
    travel = min(length - window, pace * seconds * window)
    if depth == 1.0 and (window + travel < SEEN * length or faces):
        return None
    low, high = 0.0, length - window
    if faces:
        keep = hull([spread(face, HEADROOM) for face in faces])
        low, high = max(low, keep[along + 2] * length + keep[along] * length - window), min(high, keep[along] * length)
        if low > high:
            return None
    travel = min(travel, high - low)
    about = (interest[along] + interest[along + 2] / 2) * length - (window + travel) / 2
    first = min(high - travel, max(low, about))
    ends = [first, first + travel]
    if dice.random() < 0.4:
        ends.reverse()
    deep = photo[across] * scale
    edge = max(0.0, level * frame[across] - deep / 2)
    card = Box(0, edge, length, deep) if along == 0 else Box(edge, 0, deep, length)
    canvas = (length, float(frame[1])) if along == 0 else (float(frame[0]), length)
    if faces and travel < 0.1 * window:
        if window < _PART * length:
            return None
        plain = CameraPath("travel", True, canvas, Box(0, 0, 1, 1), card, Box(0, 0, *frame), Box(0, 0, *frame))
        held = plain.on_canvas(hull([spread(face, HEADROOM) for face in faces]))
        zoom = min(1.12, SHARP / scale)
        band = Canvas(True, canvas, plain.crop, card, held, _middle(held), plain.start, zoom)
        return move(band, frame, seconds, dice, before, most=1.09)
    start, end = (Box(at, 0, *frame) if along == 0 else Box(0, at, *frame) for at in ends)
    whole = Box(0, 0, 1, 1)
    if depth < 1.0:
        return CameraPath("travel", True, canvas, whole, card, start, end)
    inside = [w.scaled(1 / scale, 1 / scale) for w in (start, end)]
    return CameraPath("travel", False, (float(photo[0]), float(photo[1])), whole, Box(0, 0, *photo), *inside)


def on_ground(frame: tuple[int, int], *, read: bool = False) -> tuple[float, float, float]:
    """The most a card covers of a frame's width and height, and the share of the height its middle lies at. In a tall
    film it ends above two rows of captions, and these above what players lay over the lower third; in others captions
    may stand across the lower part of a picture, and our label on its corner, but not of a page that is `read`."""
    if frame[1] > 1.2 * frame[0]:
        return 0.88, 0.46, 0.315
    return (0.88, 0.6, 0.405) if read else (0.88, 0.85, 0.48)


def _on_ground(
    photo: tuple[int, int], frame: tuple[int, int], faces: Sequence[Box], interest: Box, *, whole: bool
) -> Canvas:
    """The photo as a card on a soft ground of itself; all of it where it must be `whole`."""
    wide, high, level = on_ground(frame, read=whole)
    room = (frame[0] * wide, frame[1] * high)
    keep = hull([spread(face, HEADROOM) for face in faces]) if faces else None
    crop = Box(0, 0, 1, 1) if whole else trim(photo, room, keep, interest)
    fit = min(room[0] / (crop.w * photo[0]), room[1] / (crop.h * photo[1]))
    if fit > SHARP / CLOSER:  # too small a photo: smaller on the screen, and all of it
        crop = Box(0, 0, 1, 1)
        fit = min(room[0] / photo[0], room[1] / photo[1], SHARP / CLOSER)
    w, h = crop.w * photo[0] * fit, crop.h * photo[1] * fit
    card = Box((frame[0] - w) / 2, frame[1] * level - h / 2, w, h)
    plain = CameraPath(
        "push_in", True, (float(frame[0]), float(frame[1])), crop, card, Box(0, 0, *frame), Box(0, 0, *frame)
    )
    edge = 0.015 * min(frame)
    held = Box(card.x - edge, card.y - edge, w + 2 * edge, h + 2 * edge)  # the whole card stays in sight
    focus = _middle(plain.on_canvas(keep or interest))
    # Half-way between the card's middle and its subject: the card should not slide out of the frame.
    focus = ((focus[0] + frame[0] / 2) / 2, (focus[1] + card.y + h / 2) / 2)
    return Canvas(True, plain.canvas, crop, card, held, focus, plain.start, max(CLOSER, min(1.12, SHARP / fit)))


def trim(photo: tuple[int, int], room: tuple[float, float], keep: Box | None, interest: Box) -> Box:
    """Trim a photo towards the room's shape, by a quarter at the most, never into a face. Fractions of the photo."""
    wide, wanted = photo[0] / photo[1], room[0] / room[1]
    share = max(0.76, min(wide, wanted) / max(wide, wanted))
    axis = 0 if wide > wanted else 1
    size = max(share, keep[axis + 2]) if keep else share
    middle = _middle(keep or interest)[axis]
    low, high = (max(0.0, keep[axis] + keep[axis + 2] - size), min(1 - size, keep[axis])) if keep else (0.0, 1 - size)
    at = min(max(high, low), max(low, middle - size / 2))
    return Box(at, 0, size, 1) if axis == 0 else Box(0, at, 1, size)


def move(
    scene: Canvas, frame: tuple[int, int], seconds: float, dice: random.Random, before: Kind | None, *, most: float
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
        up = 1 if scene.fill else rise  # a card never comes from below, out of the captions
        aside = scene.look(1 + (zoom - 1) * 0.15, (0.06 * side, 0.0))
        options.append(scene.path("reveal", scene.look(zoom, (-0.05 * side, 0.03 * up)), aside))
    sway = _drift(scene, min(limit, 1.0 if not scene.fill else 1.055), seconds, side, rise)
    sway = sway or _drift(scene, min(limit, 1.07), seconds, side, rise)
    if sway is not None:
        options += [sway, sway]
    unlike = [path for path in options if path.kind != before and {path.kind, before} != {"pull_out", "reveal"}]
    return dice.choice(unlike or options) if options else None


def going_on(last: CameraPath, path: CameraPath, pace: float = 1.0) -> CameraPath | None:
    """`path` from where `last` has ended, to its own end or, where that is nearer, to its start; a journey goes back,
    by the share `pace` of its way. None where the two are over different ground.

    What lies inside all windows of both lies inside all of this one's.
    """
    if last.kind == "travel":
        back = (b + (a - b) * min(1.0, pace) for a, b in zip(last.start, last.end, strict=True))
        return replace(last, start=last.end, end=Box(*back))
    if (last.fill, last.canvas, last.crop, last.card) != (path.fill, path.canvas, path.crop, path.card):
        return None
    end = max(path.end, path.start, key=lambda window: sum(abs(a - b) for a, b in zip(window, last.end, strict=True)))
    grown = end.w / last.end.w
    kind: Kind = "push_in" if grown < 0.985 else "pull_out" if grown > 1.015 else "drift"
    return replace(path, kind=kind, start=last.end, end=end)


def _drift(scene: Canvas, zoom: float, seconds: float, side: int, rise: int) -> CameraPath | None:
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
