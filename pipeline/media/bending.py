"""How much a picture is bent between two looks at one shot: what is left of its movement without the camera's own.

A camera over a flat photo shifts and grows it, no more. Depth moves who stands in front a little further, and what is
beside them gives way. Too much of that, or at the wrong place, is seen as a face that swells, a door frame that leans,
or a seam. It is measured in the film's own pictures, so it does not matter how they were drawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from pipeline.media.flow import Picture
from pipeline.media.motion import Box

Field = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]

_LONGEST = 640  # pixels of the longer side that are looked at
_REACH = 0.006  # of it, on both sides of a point: over which bending is measured
_EDGE = 0.03  # of it, along the frame, that is not looked at: pictures come and go there
_CLEAR = 12.0  # of 255: what changes less over that reach has nothing to tell a movement by


class Bend(NamedTuple):
    """`torn`: the most that anything is stretched or turned against what is beside it, in shares (0.1 is 6 degrees).

    `face`: by how much distances within a face change, of its height, where it changes most; 0 without faces.
    """

    torn: float
    face: float


def bent(first: Picture, last: Picture, faces: Sequence[Box] = (), taken: Sequence[Box] = ()) -> Bend | None:
    """How a shot's picture is bent between two stills of one size; None where there is too little to tell by.

    `faces` are where they stand in `first`, `taken` what is written over either, both in pixels. A tenth of a CPU
    second.
    """
    scale = _LONGEST / max(first.shape)
    size = round(first.shape[1] * scale), round(first.shape[0] * scale)
    before, after = (np.asarray(cv2.resize(one, size, interpolation=cv2.INTER_AREA), np.uint8) for one in (first, last))
    clear = _clear(before, [box.scaled(scale, scale) for box in taken])
    if clear.mean() < 0.02:
        return None
    moved = _flow(before, after)
    y, x = np.nonzero(clear)
    here = np.stack([x, y], axis=1)[:: max(1, len(x) // 4000)].astype(np.float32)
    there = here + moved[here[:, 1].astype(int), here[:, 0].astype(int)]
    camera: Any = cv2.estimateAffinePartial2D(here, there, method=cv2.RANSAC, ransacReprojThreshold=0.01 * _LONGEST)[0]
    if camera is None:
        return None
    # Seen once more without the camera's move, what is left is small, and measured well; what only one of them shows
    # is taken to stay.
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    shown = cv2.warpAffine(np.full_like(after, 255), camera, size, flags=flags) == 255
    still = np.where(shown, cv2.warpAffine(after, camera, size, flags=flags), before)
    left = _flow(before, np.asarray(still, np.uint8))
    edge = 2 * round(_EDGE * _LONGEST) + 1
    clear &= cv2.erode(shown.astype(np.uint8), np.ones((edge, edge)), borderValue=1) > 0
    turned = _turned(left, before)[clear]
    heads = [_changed(left, clear, face.scaled(scale, scale)) for face in faces]
    return Bend(float(np.percentile(turned, 99.5)) if turned.size else 0.0, max(heads, default=0.0))


def _flow(one: Picture, other: Picture) -> Field:
    """By how many pixels each pixel of one picture has moved in the other, (h, w, 2).

    DIS (Kroeger et al., "Fast Optical Flow using Dense Inverse Search", ECCV 2016).
    """
    dis = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    return np.asarray(dis.calc(one, other, np.zeros((*one.shape, 2), np.float32)), np.float32)


def _clear(picture: Picture, taken: Sequence[Box]) -> Mask:
    """Where there are edges to tell a movement by, away from the frame and from what is written."""
    reach = _odd(_REACH * _LONGEST)
    change = cv2.morphologyEx(cv2.GaussianBlur(picture, (0, 0), 1.0), cv2.MORPH_GRADIENT, np.ones((reach, reach)))
    found = np.asarray(change > _CLEAR, np.bool_)
    edge = round(_EDGE * _LONGEST)
    found[:edge] = found[-edge:] = found[:, :edge] = found[:, -edge:] = False
    for box in taken:
        rows = slice(max(0, round(box.y) - edge), round(box.bottom) + edge)
        found[rows, max(0, round(box.x) - edge) : round(box.right) + edge] = False
    return found


def _turned(moved: Field, picture: Picture) -> Field:
    """How much each edge of a picture is turned, or drawn apart, by a field of movements: the derivative of what the
    field does across the edge. What it does along one cannot be seen, so nobody can measure it either.
    """
    soft = cv2.GaussianBlur(moved, (0, 0), 0.5 * _REACH * _LONGEST)
    step = round(_REACH * _LONGEST)
    kernel = np.zeros(2 * step + 1, np.float32)
    kernel[0], kernel[-1] = -1 / (2 * step), 1 / (2 * step)
    flat = np.ones(1, np.float32)
    by_x, by_y = cv2.sepFilter2D(soft, -1, kernel, flat), cv2.sepFilter2D(soft, -1, flat, kernel)
    # Across the edge: the main direction of the structure tensor.
    dx, dy = (cv2.Sobel(picture, cv2.CV_32F, *order) for order in ((1, 0), (0, 1)))
    xx, yy, xy = (cv2.GaussianBlur(one, (0, 0), 3.0) for one in (dx * dx, dy * dy, dx * dy))
    angle = np.arctan2(2 * xy, xx - yy) / 2
    nx, ny = np.cos(angle), np.sin(angle)
    return np.asarray(
        np.hypot(nx * by_x[..., 0] + ny * by_x[..., 1], nx * by_y[..., 0] + ny * by_y[..., 1]), np.float32
    )


def _changed(moved: Field, clear: Mask, face: Box) -> float:
    """By how much a face's points leave where a shift, a turn and a growth of all of it would take them, of its height.

    The root of the mean square: one eyelid is nothing, half a face is all.
    """
    rows = slice(max(0, round(face.y)), max(0, round(face.bottom)))
    columns = slice(max(0, round(face.x)), max(0, round(face.right)))
    y, x = np.nonzero(clear[rows, columns])
    if len(x) < 40:
        return 0.0
    u, v = (moved[rows, columns][y, x, axis].astype(np.float64) for axis in (0, 1))
    x, y = x - x.mean(), y - y.mean()
    u, v = u - u.mean(), v - v.mean()
    power = float((x * x + y * y).sum())
    grow, turn = float((x * u + y * v).sum()) / power, float((x * v - y * u).sum()) / power
    rest = (u - grow * x + turn * y) ** 2 + (v - grow * y - turn * x) ** 2
    return float(np.sqrt(rest.mean())) / face.h


def _odd(value: float) -> int:
    return 2 * (round(value) // 2) + 1
