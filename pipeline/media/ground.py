"""What lies under a caption: where a part of a photo is on the screen at a moment, and how bright it is there."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from pipeline.media.frames import Bytes
from pipeline.media.motion import Box, CameraPath

if TYPE_CHECKING:
    from pipeline.media.timeline import Shot

_SMALL = 384  # pixels of a photo's longer side: enough to tell what lies under one letter
_SOFT_GROUND = 110.0  # luma that the soft ground around a card stays under (see stage.py)
_UNKNOWN = 255.0  # what a clip may show


def seen(path: CameraPath, share: float, part: Box, size: tuple[int, int]) -> Box:
    """Where `part` of a photo (fractions) is on a screen of `size` pixels at `share` (0 to 1) of a move."""
    window, place = path.window(share), path.on_canvas(part)
    kx, ky = size[0] / window.w, size[1] / window.h
    return Box((place.x - window.x) * kx, (place.y - window.y) * ky, place.w * kx, place.h * ky)


def luma(shots: Sequence[Shot], size: tuple[int, int], box: Box, first: int, end: int) -> float:
    """The brightest there is under `box` (pixels) in frames `first` to `end`, 0 to 255: all but 2% are darker.

    Photos are looked at where the camera begins, halfway and at the end. Of clips nothing is known: 255.
    """
    found = 0.0
    for shot in shots:
        last = min(end, shot.end) - 1
        if last < first or shot.start > last or shot.path is None:
            continue
        if shot.kind == "clip":
            return _UNKNOWN
        photos = [(shot.photo, shot.path)]
        if shot.beside is not None:
            photos.append((shot.beside.photo, shot.beside.path(shot.path)))
        for frame in (max(first, shot.start), (max(first, shot.start) + last) // 2, last):
            found = max(found, *(_under(Path(photo), path, shot.share(frame), size, box) for photo, path in photos))
    return found


def _under(name: Path, path: CameraPath, share: float, size: tuple[int, int], box: Box) -> float:
    photo = _photo(name, name.stat().st_mtime_ns)
    whole = seen(path, share, Box(0, 0, 1, 1), size)
    height, width = photo.shape
    x0, x1 = ((x - whole.x) / whole.w * width for x in (box.x, box.right))
    y0, y1 = ((y - whole.y) / whole.h * height for y in (box.y, box.bottom))
    part = photo[max(0, int(y0)) : max(0, int(y1) + 1), max(0, int(x0)) : max(0, int(x1) + 1)]
    brightest = float(np.percentile(part, 98)) if part.size else 0.0
    return max(brightest, _SOFT_GROUND) if path.fill else brightest


@lru_cache(maxsize=16)
def _photo(path: Path, _written: int) -> Bytes:
    """A photo in grey, small."""
    with Image.open(path) as photo:
        photo.draft("L", (_SMALL, _SMALL))
        grey = photo.convert("L")
    grey.thumbnail((_SMALL, _SMALL))
    return np.asarray(grey, np.uint8)
