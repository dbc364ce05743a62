"""What matters in a photo, as one box: the faces, or what stands out from the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

Box = tuple[float, float, float, float]
Map = np.ndarray[Any, np.dtype[np.float32]]

_GRID = 48  # cells along the longest side in which the box is searched
_SMALLEST = 0.3  # of either side: a camera that goes closer shows grain


def interest(path: Path, faces: Sequence[Box] = ()) -> Box:
    """The box (x, y, width, height, in fractions) of what the camera should keep in view.

    With faces: the box round all of them, padded by a third of a face to the sides and with some chest below.
    Without: the box that gathers the most contrast for its size.
    """
    return _round_faces(faces) if faces else _densest(contrast(path))


def contrast(path: Path) -> Map:
    """How much each cell stands out, 0 to 1, on a grid of at most 48 cells a side.

    Colour distance from the picture's own median (after Achanta et al., "Frequency-tuned salient region detection",
    CVPR 2009) and from the surroundings at three scales (after Itti, Koch and Niebur, PAMI 1998), weighted towards the
    middle, where people put what they photograph.
    """
    with Image.open(path) as image:
        image.draft("RGB", (256, 256))
        small = image.convert("RGB")
        small.thumbnail((256, 256), Image.Resampling.BOX)
    lab = cv2.cvtColor(np.asarray(small).astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    lab = cv2.GaussianBlur(lab, (0, 0), 1.5)
    unlike_all = _unit(np.linalg.norm(lab - np.median(lab, axis=(0, 1)), axis=2))
    near = np.zeros_like(unlike_all)
    for sigma in (6, 14, 30):
        near += _unit(np.linalg.norm(lab - cv2.GaussianBlur(lab, (0, 0), sigma), axis=2))
    height, width = unlike_all.shape
    map_ = (unlike_all + _unit(near)) * _towards_middle(width, height)
    scale = _GRID / max(width, height)
    cells = (max(1, round(width * scale)), max(1, round(height * scale)))
    return _unit(cv2.resize(map_, cells, interpolation=cv2.INTER_AREA))


def _unit(values: np.ndarray[Any, Any]) -> Map:
    """Scaled to 0 to 1, the brightest hundredth cut off so that one spark does not hide the rest."""
    low, high = float(values.min()), float(np.percentile(values, 99))
    return ((values - low) / max(high - low, 1e-6)).clip(0, 1).astype(np.float32)


def _towards_middle(width: int, height: int) -> Map:
    x = (np.arange(width) + 0.5) / width - 0.5
    y = (np.arange(height) + 0.5) / height - 0.5
    return np.exp(-(x[None, :] ** 2 + y[:, None] ** 2) / (2 * 0.3**2)).astype(np.float32)


def _densest(map_: Map) -> Box:
    """The rectangle, of all there are, with the largest sum of "cell minus the usual" (Kadane's method, row by row)."""
    gain = map_ - (map_.mean() + 0.5 * map_.std())
    height, width = gain.shape
    best, found = -np.inf, (0, 0, width, height)
    for top in range(height):
        # Row r: the columns' sums from `top` to `top + r`, then their running sums from the left, with a 0 in front.
        sums = np.pad(np.cumsum(np.cumsum(gain[top:], axis=0), axis=1), ((0, 0), (1, 0)))
        totals = sums[:, 1:] - np.minimum.accumulate(sums, axis=1)[:, :-1]
        row, column = divmod(int(np.argmax(totals)), width)
        if totals[row, column] > best:
            left = int(np.argmin(sums[row, : column + 1]))
            best, found = float(totals[row, column]), (left, top, column + 1, top + row + 1)
    left, top, right, bottom = found
    return _framed(left / width, top / height, right / width, bottom / height, pad=0.05)


def _round_faces(faces: Sequence[Box]) -> Box:
    wide = max(face[2] for face in faces)
    tall = max(face[3] for face in faces)
    left = min(face[0] for face in faces) - wide / 3
    right = max(face[0] + face[2] for face in faces) + wide / 3
    top = min(face[1] for face in faces) - tall / 6
    bottom = max(face[1] + face[3] for face in faces) + tall / 2
    return _framed(left, top, right, bottom, pad=0.0)


def _framed(left: float, top: float, right: float, bottom: float, *, pad: float) -> Box:
    """The padded box, grown to the smallest useful size and moved back inside the picture."""
    x, width = _span(left - pad, right + pad)
    y, height = _span(top - pad, bottom + pad)
    return (x, y, width, height)


def _span(low: float, high: float) -> tuple[float, float]:
    low, high = max(0.0, low), min(1.0, high)
    size = max(high - low, _SMALLEST)
    start = min(max(0.0, (low + high - size) / 2), 1.0 - size)
    return round(start, 4), round(size, 4)
