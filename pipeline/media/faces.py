"""Where the faces are, so that no camera move and no crop cuts one. Finds faces; never asks whose they are."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image, ImageFile

from pipeline.media import motion, stills

if TYPE_CHECKING:
    from pathlib import Path

Box = tuple[float, float, float, float]

# The detector finds upright faces of 80 px and more, so the picture's size decides which faces count: 8 % of the
# longest side at 1,000 px (0.09 CPU s), 5 % at 1,600 px (0.22 CPU s).
_FIRST_LOOK = 1000
_CLOSE_LOOK = 1600
_TURNED_LOOK = 800
_HEADS_LOOK = 800
_SMALL = 0.14  # of the longest side: where one face is as small as this, smaller ones may stand beside it

# Scores are distances from the detector's decision plane. Measured on nine photos, upright and turned: faces 0.8 to
# 2.0, everything else (flag, helmet, rocket, galaxies, moon, cup, cat) at most 0.01. Small faces score lower, so the
# plane is set between the two; a whole picture is turned on stronger evidence only.
_FACE = 0.35
_TURNED_FACE = 0.6
_SURE = 1.0

# The detector's square starts above the brows and ends on the chin. Landmarks on the sample portraits put the brows at
# 0.05 to 0.18 and the chin at 1.06 to 1.12 of its height, the jaw at -0.04 to 1.06 of its width; a forehead is as high
# as brow to nose (about 0.48), and hair comes on top.
_ABOVE, _BELOW, _BESIDE = 0.50, 0.18, 0.14


@dataclass(frozen=True, slots=True)
class Faces:
    """Boxes (x, y, width, height) in fractions of the upright picture, forehead and chin inside, largest first.

    `turned`: degrees, clockwise, by which the picture must be turned to be upright: 0, 90, 180 or 270.
    """

    boxes: tuple[Box, ...]
    turned: int = 0


@dataclass(frozen=True, slots=True)
class _Hit:
    """A detection: the square's left, top and size in fractions of width, height and width; and its score."""

    x: float
    y: float
    width: float
    height: float
    score: float


def find_faces(path: Path) -> Faces:
    """Find the faces in a clean upright JPEG (see stills.ingest); tries the other three ways up when there are none.

    Loads the detector at the first call (about 3 s, 130 MB): for worker processes only.
    """
    luma = Image.fromarray(stills.grey(path, _CLOSE_LOOK))
    hits = _detect(luma, _FIRST_LOOK, _FACE)
    turned = 0
    if max((hit.score for hit in hits), default=0.0) < _SURE:
        turned, turned_hits = _other_ways_up(luma, hits)
        if turned:
            luma = _clockwise(luma, turned)
            hits = turned_hits
    smallest = min((hit.height * luma.height for hit in hits), default=0.0)
    if not turned and (len(hits) != 1 or smallest < _SMALL * max(luma.size)):
        hits = _merge(hits + _detect(luma, _CLOSE_LOOK, _FACE))
    boxes = sorted((_whole_head(hit) for hit in hits), key=lambda box: box[2] * box[3], reverse=True)
    return Faces(tuple(boxes), turned)


def heads(picture: np.ndarray[Any, np.dtype[np.uint8]]) -> tuple[motion.Box, ...]:
    """The upright heads in a grey picture, as fractions of it, largest first; those of a tenth of its longer side, and
    more. For worker processes, as `find_faces`.
    """
    hits = _merge(_detect(Image.fromarray(picture), _HEADS_LOOK, _FACE))
    boxes = [motion.Box(*_whole_head(hit)) for hit in hits]
    return tuple(sorted(boxes, key=lambda box: box.w * box.h, reverse=True))


def square(head: motion.Box) -> motion.Box:
    """The detector's own square within a whole head (see `_whole_head`), as fractions of the picture; a little off
    where the picture's edge cuts the head."""
    w, h = head.w / (1 + 2 * _BESIDE), head.h / (1 + _ABOVE + _BELOW)
    return motion.Box(head.x + _BESIDE * w, head.y + _ABOVE * h, w, h)


def load() -> None:
    """Load the detector now: a worker that forks for each photo does it once, before its first fork."""
    recognition()


@cache
def recognition() -> Any:
    """The library that finds faces, loaded at the first call (see `find_faces`)."""
    # Imported here and not above: it loads five models and costs every process that only wants a type 3 s and 130 MB.
    patience = ImageFile.LOAD_TRUNCATED_IMAGES
    import face_recognition.api as library  # noqa: PLC0415

    # Its import makes Pillow accept half photos for the whole process; ours does not.
    ImageFile.LOAD_TRUNCATED_IMAGES = patience
    return library


def _detect(luma: Image.Image, longest: int, threshold: float) -> list[_Hit]:
    pixels = np.ascontiguousarray(_scaled(luma, longest))
    squares, scores, _ = recognition().face_detector.run(pixels, 0, threshold)
    height, width = pixels.shape
    return [
        _Hit(square.left() / width, square.top() / height, square.width() / width, square.height() / height, score)
        for square, score in zip(squares, scores, strict=True)
    ]


def _scaled(luma: Image.Image, longest: int) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """The picture at `longest` pixels; small ones are enlarged, because the detector's smallest face is in pixels."""
    scale = longest / max(luma.size)
    size = (max(1, round(luma.width * scale)), max(1, round(luma.height * scale)))
    return np.asarray(luma.resize(size, Image.Resampling.BOX if scale < 0.5 else Image.Resampling.BILINEAR))


def _clockwise(luma: Image.Image, degrees: int) -> Image.Image:
    return luma.transpose(stills.CLOCKWISE[degrees])


def _other_ways_up(luma: Image.Image, upright: list[_Hit]) -> tuple[int, list[_Hit]]:
    """The turn in which faces are clearly found, better than as it is, with those faces; (0, []) when there is none."""
    best = max((hit.score for hit in upright), default=0.0)
    to_beat = max(_TURNED_FACE, best + 0.5)
    found: tuple[int, list[_Hit]] = (0, [])
    for degrees in (90, 270, 180):
        hits = _detect(_clockwise(luma, degrees), _TURNED_LOOK, _FACE)
        score = max((hit.score for hit in hits), default=0.0)
        if score >= to_beat:
            to_beat, found = score, (degrees, hits)
    return found


def _merge(hits: list[_Hit]) -> list[_Hit]:
    """The same face found twice counts once, as it was found best."""
    kept: list[_Hit] = []
    for hit in sorted(hits, key=lambda hit: hit.score, reverse=True):
        if all(_overlap(hit, other) < 0.3 for other in kept):
            kept.append(hit)
    return kept


def _overlap(a: _Hit, b: _Hit) -> float:
    """Shared area over the smaller one's: a close look may find only the middle of a large face."""
    width = min(a.x + a.width, b.x + b.width) - max(a.x, b.x)
    height = min(a.y + a.height, b.y + b.height) - max(a.y, b.y)
    if width <= 0 or height <= 0:
        return 0.0
    return width * height / min(a.width * a.height, b.width * b.height)


def _whole_head(hit: _Hit) -> Box:
    left = max(0.0, hit.x - _BESIDE * hit.width)
    top = max(0.0, hit.y - _ABOVE * hit.height)
    right = min(1.0, hit.x + (1 + _BESIDE) * hit.width)
    bottom = min(1.0, hit.y + (1 + _BELOW) * hit.height)
    return (round(left, 4), round(top, 4), round(right - left, 4), round(bottom - top, 4))
