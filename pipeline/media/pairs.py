"""Two photos in one picture: which of a film's neighbours belong together, and how they lie beside each other.

Where a photo would lie as a card on its ground, because it stands and the film lies or the other way round, there is
room for a second one. The first of two is shown alone with its own line, then beside the second with that one's.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
from PIL import Image

from pipeline.media import likeness, motion
from pipeline.media.motion import Box, CameraPath, Kind, hull

if TYPE_CHECKING:
    from pipeline.media.timeline import SceneIn

SCENES = 4  # in so many scenes there is one such picture at the most: more would be a pattern
TOGETHER = timedelta(hours=3)  # photos of one occasion were taken within this
SAME_LIGHT = 11.0  # CIE distance between the mean colours of two photos without dates that look like one occasion
_STANDS = 0.95  # width over height below which a photo stands; above 1 / 0.8 it lies
_LIES = 1.25


@dataclass(frozen=True, slots=True)
class Pane:
    """The photo beside a shot's own: `crop` (fractions of it) lies at `card` on the canvas; `scene` is the one it is
    from."""

    photo: str
    scene: int
    crop: Box
    card: Box

    def path(self, of: CameraPath) -> CameraPath:
        """The shot's move as it goes over this photo."""
        return CameraPath(of.kind, of.fill, of.canvas, self.crop, self.card, of.start, of.end)


def chosen(scenes: Sequence[SceneIn], frame: tuple[int, int]) -> dict[int, int]:
    """For scenes that are shown with a second photo, by number: the number of the scene before, whose photo that is.

    Both stand (or lie, in a tall film), both show people and no page, and belong to the same chapter and occasion.
    Never the first or the last scene: a film opens and ends on one picture. Takes are not looked at: one that lands
    changes nothing for the other scenes.
    """
    found: dict[int, int] = {}
    for number in range(2, len(scenes) - 1):
        if found and number - max(found) < SCENES:
            continue
        if _belong(scenes[number - 1], scenes[number], frame):
            found[number] = number - 1
    return found


def _belong(one: SceneIn, two: SceneIn, frame: tuple[int, int]) -> bool:
    if one.photo == two.photo or one.chapter != two.chapter or one.page or two.page:
        return False
    if not (one.faces and two.faces) or not all(_fits(scene.photo, frame) for scene in (one, two)):
        return False
    if _repeats(one.photo, two.photo):
        return False
    if one.taken and two.taken:
        try:
            first, second = (datetime.fromisoformat(text).replace(tzinfo=None) for text in (one.taken, two.taken))
        except ValueError:
            return False
        return abs(first - second) <= TOGETHER
    alone = len(one.faces) == 1, len(two.faces) == 1
    light = np.linalg.norm(_colour(one.photo) - _colour(two.photo))
    return alone[0] == alone[1] and float(light) <= SAME_LIGHT


def _fits(photo: Path, frame: tuple[int, int]) -> bool:
    """Whether a photo stands in a film that lies, or the reverse."""
    with Image.open(photo) as picture:
        shape = picture.width / picture.height
    if frame[0] > 1.2 * frame[1]:
        return 0.5 <= shape <= _STANDS
    return frame[1] > 1.2 * frame[0] and _LIES <= shape <= 2.0


@lru_cache(maxsize=32)
def _repeats(one: Path, two: Path) -> bool:
    return likeness.alike(likeness.picture_hash(one), likeness.picture_hash(two))


@lru_cache(maxsize=32)
def _colour(photo: Path) -> np.ndarray:
    """A photo's mean colour, CIE L*a*b*; lightness counts half, since people step out of the sun."""
    with Image.open(photo) as picture:
        picture.draft("RGB", (64, 64))
        small = np.asarray(picture.convert("RGB").resize((32, 32), Image.Resampling.BOX), np.float32) / 255
    lab = cv2.cvtColor(small, cv2.COLOR_RGB2LAB).reshape(-1, 3)
    return np.asarray(lab.mean(axis=0) * (0.5, 1, 1))


def lay_out(
    one: SceneIn, two: SceneIn, scene: int, frame: tuple[int, int], *, seed: int, before: Kind | None
) -> tuple[CameraPath, Pane] | None:
    """Both photos as cards on the second one's soft ground, beside each other or, in a tall film, one over the other,
    and the move over both; `scene` is the first one's. None where they would be too small to be worth it."""
    across = frame[0] > frame[1]
    w, h = frame
    gap = 0.018 * min(frame)
    room = (0.45 * w, 0.8 * h) if across else (0.88 * w, 0.3 * h)
    crops, sizes = [], []
    for each in (one, two):
        faces = [motion.spread(Box(*face), motion.HEADROOM) for face in each.faces]
        with Image.open(each.photo) as picture:
            size = picture.size
        crop = motion.trim(size, room, hull(faces) if faces else None, Box(*each.interest))
        crops.append(crop)
        sizes.append((crop.w * size[0], crop.h * size[1]))
    # The same height beside each other, the same width over each other.
    side, other = (1, 0) if across else (0, 1)
    most = min([room[side], *(motion.SHARP / motion.CLOSER * size[side] for size in sizes)])
    shapes = [size[other] / size[side] for size in sizes]
    total = (0.92 * w if across else 0.62 * h) - gap
    length = min(most, total / sum(shapes))
    if length < 0.7 * room[side]:
        return None
    extents = [length * shape for shape in shapes]
    begin = ((w if across else 0.72 * h) - sum(extents) - gap) / 2
    begin = begin if across else max(0.04 * h, begin)
    level = (0.48 * h if across else 0.5 * w) - length / 2
    places = [begin, begin + extents[0] + gap]
    cards = [
        Box(at, level, extent, length) if across else Box(level, at, length, extent)
        for at, extent in zip(places, extents, strict=True)
    ]
    whole, both = Box(0, 0, w, h), hull(cards)
    edge = 0.012 * min(frame)
    held = Box(both.x - edge, both.y - edge, both.w + 2 * edge, both.h + 2 * edge)
    middle = (both.x + both.w / 2, both.y + both.h / 2)
    canvas = motion.Canvas(True, (float(w), float(h)), crops[1], cards[1], held, middle, whole, motion.CLOSER)
    # Straight in or out: any other way would leave one of the two nearer to the edge.
    zoom = min(motion.CLOSER, w / held.w, h / held.h)
    ends = [canvas.look(1.0), canvas.look(max(1.0, zoom))]
    inwards = before != "push_in" and (before == "pull_out" or random.Random(f"{seed}:{frame}").random() < 0.5)
    path = canvas.path("push_in", *ends) if inwards else canvas.path("pull_out", *reversed(ends))
    return path, Pane(str(one.photo), scene, crops[0], cards[0])
