"""From frame to frame: frames that do not belong, jumps, and a camera that shakes, from small grey pictures of all.

A `Stack` is uint8 of shape (frames, height, width). Every film's pictures change slowly: cameras glide and shots
dissolve. What does not is seen at once, and is measured here without any threshold (see limits.LIMITS).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Picture = npt.NDArray[np.uint8]  # grey
Stack = npt.NDArray[np.uint8]
Rates = npt.NDArray[np.float32]

BLACK = 22  # of 255: 3 % of the way from black (16) to white (235)
CREEP = 0.05  # pixels of these pictures in a second: moves make 0.37 and more, strong grain on a still up to 0.04
STIR = 2.5  # of 255: of a place of 8 × 8 pixels; a hand changes it by ten and more, a little grain by 1
# Share of places that change by more than 1 of 255: on a still only those under captions, up to 0.08. Without a look
# at them a sky full of stars, whose points no shift explains, would stand still while it moves (0.6 and more), and so
# would a small card that glides slowly behind captions that do not (0.1 and more).
QUIET = 0.09
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


def black(small: Stack) -> npt.NDArray[np.bool_]:
    """Which pictures are black: 98 % of them within 3 % of it. A night photograph has noise and lights above that."""
    return np.asarray((small <= BLACK).mean(axis=(1, 2)) >= 0.98, np.bool_)


def standing(small: Stack, fps: float, *, alive: bool = False) -> npt.NDArray[np.bool_]:
    """In which pictures the camera does not move within a second; with `alive`, nor does anything before it.

    The camera's move is the least-squares shift and growth of the whole picture (as in `shake`), over means of a third
    of a second, in which grain that is new in every frame is gone. What else moves changes the means of places.
    """
    found = np.zeros(len(small), np.bool_)
    step = max(1, round(fps / 3))
    count = len(small) // step
    if count < 4:
        return found
    mean: Rates = small[: count * step].reshape(count, step, *small.shape[1:]).mean(axis=1, dtype=np.float32)
    first, then = mean[:-3], mean[3:]
    stir = _stir(first, then)
    still = (_pace(first, then) < CREEP) & ((stir > 1).mean(axis=1) < QUIET)
    if alive:
        still &= stir.max(axis=1) < STIR
    for at in np.flatnonzero(still):
        found[at * step : (at + 4) * step] = True
    return found


def spans(found: npt.NDArray[np.bool_], fps: float) -> tuple[tuple[float, float], ...]:
    """From which to which second each row of pictures goes that were `found`."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], found, [False]]).astype(np.int8)))
    return tuple((float(a / fps), float(b / fps)) for a, b in edges.reshape(-1, 2))


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


def _pace(one: Rates, other: Rates) -> Rates:
    """How far the camera goes from one stack of pictures to another, in pixels: the root mean square over each."""
    change, middle = (other - one)[:, 1:-1, 1:-1], (one + other) / 2
    across: Rates = np.asarray((middle[:, 1:-1, 2:] - middle[:, 1:-1, :-2]) / 2, np.float32)
    down: Rates = np.asarray((middle[:, 2:, 1:-1] - middle[:, :-2, 1:-1]) / 2, np.float32)
    h, w = change.shape[1:]
    x: Rates = np.asarray(np.arange(w) - (w - 1) / 2, np.float32)
    y: Rates = np.asarray(np.arange(h) - (h - 1) / 2, np.float32)[:, None]
    ways: tuple[Rates, ...] = (across, down, np.asarray(across * x + down * y, np.float32))
    power = np.stack([np.stack([_dot(a, b) for b in ways], axis=1) for a in ways], axis=1).astype(np.float64)
    # A picture without detail has no pace: 25 of 255², each pixel, in the growth as far as it moves a pixel.
    reach = float((x * x).mean() + (y * y).mean())
    power += np.diag([25.0, 25.0, 25.0 * reach])
    wanted = np.stack([_dot(a, change) for a in ways], axis=1).astype(np.float64)
    shift = np.linalg.solve(power, wanted[..., None])[..., 0]
    return np.asarray(np.sqrt(shift[:, 0] ** 2 + shift[:, 1] ** 2 + shift[:, 2] ** 2 * reach), np.float32)


def _stir(one: Rates, other: Rates) -> Rates:
    """How much the mean of each place of 8 × 8 pixels changes from one stack of pictures to another."""
    count, h, w = one.shape
    change = (other - one)[:, : h // 8 * 8, : w // 8 * 8].reshape(count, h // 8, 8, w // 8, 8).mean(axis=(2, 4))
    return np.asarray(np.abs(change).reshape(count, -1), np.float32)


def _dot(one: Rates, other: Rates) -> Rates:
    return np.asarray(np.einsum("nij,nij->n", one, other), np.float32)
