"""From frame to frame: frames that do not belong, jumps, and a camera that shakes, from small grey pictures of all.

A `Stack` is uint8 of shape (frames, height, width). Every film's pictures change slowly: cameras glide and shots
dissolve. What does not is seen at once, and is measured here without any threshold (see verdict.LIMITS).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Stack = npt.NDArray[np.uint8]
Rates = npt.NDArray[np.float32]

LONGEST_STRAY = 3  # frames; what stands longer is a shot, or a fault of another kind


class Odd(NamedTuple):
    """Something at frame `frame`, by `figure` (of 255, the mean over the picture)."""

    frame: int
    figure: float


def strays(small: Stack) -> list[Odd]:
    """The most foreign frames: one to three of them that differ from what lies around, which is alike; worst first.

    Of a flash, a lost frame of another shot, or a dissolve that goes back: by how much both of its edges are harder
    than what they interrupt, and than the changes around them. A smooth film has about 0, whatever it shows.
    """
    found: dict[int, float] = {}
    edge = _apart(small, 1)
    for long in range(1, LONGEST_STRAY + 1):
        across = _apart(small, long + 1)
        count = len(across)
        inner = np.minimum(edge[:count], edge[long : long + count])
        # What is fast on purpose, a whip or a dip into the dark, is as fast before and after.
        before = np.concatenate([edge[:1] * 0, edge[: count - 1]])
        after = np.concatenate([edge[long + 1 :], edge[:1] * 0])[:count]
        figures = inner - np.maximum(across, np.maximum(before, after))
        for at in _peaks(figures):
            found[int(at) + 1] = max(float(figures[at]), found.get(int(at) + 1, 0.0))
    return sorted((Odd(*one) for one in found.items()), key=lambda odd: -odd.figure)


def jumps(small: Stack) -> list[Odd]:
    """The hardest cuts, as the first frame after each; worst first. A dissolve has none: it goes a little at a time."""
    edge = _apart(small, 1)
    if len(edge) < 3:
        return []
    figures = edge[1:-1] - np.maximum(edge[:-2], edge[2:])
    return sorted((Odd(int(at) + 2, float(figures[at])) for at in _peaks(figures)), key=lambda odd: -odd.figure)


def shake(small: Stack) -> float:
    """How much the camera's pace changes from one frame to the next: the median, in shares of the shorter side.

    The pace is the least-squares shift of the whole picture (Lucas and Kanade, 1981, one step), good to a hundredth of
    a pixel here, since every pixel has its say. The median overlooks what happens once, and repeats of a slower clip.
    """
    if len(small) < 4:
        return 0.0
    picture: Rates = small.astype(np.float32)
    change: Rates = np.diff(picture, axis=0)[:, 1:-1, 1:-1]
    middle: Rates = np.asarray((picture[1:] + picture[:-1]) / 2, np.float32)
    across: Rates = np.asarray((middle[:, 1:-1, 2:] - middle[:, 1:-1, :-2]) / 2, np.float32)
    down: Rates = np.asarray((middle[:, 2:, 1:-1] - middle[:, :-2, 1:-1]) / 2, np.float32)
    xx, xy, yy = _dot(across, across), _dot(across, down), _dot(down, down)
    x, y = _dot(across, change), _dot(down, change)
    # A picture without detail has no pace: the 25 (of 255², each pixel) keeps the division calm.
    whole = xx * yy - xy * xy + 25.0 * (xx + yy) + 1.0
    pace = np.stack([(xy * y - yy * x) / whole, (xy * x - xx * y) / whole], axis=1)
    return float(np.median(np.linalg.norm(np.diff(pace, axis=0), axis=1))) / float(min(small.shape[1:]))


def _apart(small: Stack, frames: int) -> Rates:
    """The mean difference between each picture and the one so many frames later."""
    if len(small) <= frames:
        return np.zeros(0, np.float32)
    first, then = small[:-frames], small[frames:]
    return np.asarray((np.maximum(first, then) - np.minimum(first, then)).mean(axis=(1, 2)), np.float32)


def _peaks(figures: Rates) -> npt.NDArray[np.intp]:
    """Where figures are above 1 of 255 and no neighbour within three frames is higher."""
    high = [int(at) for at in np.flatnonzero(figures > 1)]
    return np.array([at for at in high if figures[at] == figures[max(0, at - 3) : at + 4].max()], np.intp)


def _dot(one: Rates, other: Rates) -> Rates:
    return np.asarray(np.einsum("nij,nij->n", one, other), np.float32)
