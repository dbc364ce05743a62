"""Pixels as the encoder wants them: planar BT.709, limited range, warped, mixed and laid over with no RGB between."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import av
import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pipeline.media.motion import Box

Bytes = NDArray[np.uint8]

# ITU-R BT.709-6 section 3.2 and 3.4: Kr = .2126, Kb = .0722; 8 bits, luma 16-235, chroma 16-240 around 128.
_KR, _KB = 0.2126, 0.0722
_KG = 1 - _KR - _KB
_Y = np.array([_KR, _KG, _KB]) * 219 / 255
_U = (np.array([0, 0, 1]) - np.array([_KR, _KG, _KB])) / (2 * (1 - _KB)) * 224 / 255
_V = (np.array([1, 0, 0]) - np.array([_KR, _KG, _KB])) / (2 * (1 - _KR)) * 224 / 255


class Planes(NamedTuple):
    """One picture: y is (height, width), u and v half of that each way; may be views of an encoder's frame."""

    y: Bytes
    u: Bytes
    v: Bytes

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.y.shape[1], self.y.shape[0]


@dataclass(frozen=True, slots=True)
class Overlay:
    """A bitmap ready to be laid over a picture: colours already multiplied by alpha, and what is left of the ground.

    `x` and `y` are even pixels; `colour` and `through` hold three planes each.
    """

    x: int
    y: int
    colour: Planes
    through: Planes


def blank(width: int, height: int) -> Planes:
    """A new black picture of even size."""
    half = (height // 2, width // 2)
    return Planes(np.full((height, width), 16, np.uint8), np.full(half, 128, np.uint8), np.full(half, 128, np.uint8))


def of_frame(frame: av.VideoFrame) -> Planes:
    """The planes of a yuv420p frame as writable views: what is written here is what gets encoded."""
    y, u, v = (
        np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)[: plane.height, : plane.width]  # type: ignore[call-overload]
        for plane in frame.planes
    )
    return Planes(y, u, v)


def from_rgb(rgb: Bytes, *, dither: int | None = None) -> Planes:
    """Convert an (h, w, 3) picture of even size; `dither` seeds ±1 of noise on luma against banding in soft grounds."""
    y = _affine(rgb, _Y, 16)
    if dither is not None:
        noise = np.random.default_rng(dither).integers(-1, 2, y.shape, dtype=np.int16)
        y = np.clip(y + noise, 16, 235).astype(np.uint8)
    small = cv2.resize(rgb, (rgb.shape[1] // 2, rgb.shape[0] // 2), interpolation=cv2.INTER_AREA)
    return Planes(y, _affine(small, _U, 128), _affine(small, _V, 128))


def to_image(planes: Planes) -> Image.Image:
    """The picture as RGB, for posters and for looking at."""
    w, h = planes.size
    full = [planes.y, *(cv2.resize(p, (w, h), interpolation=cv2.INTER_LINEAR) for p in (planes.u, planes.v))]
    y, u, v = (p.astype(np.float32) for p in full)
    y, u, v = (y - 16) * (255 / 219), (u - 128) * (255 / 224), (v - 128) * (255 / 224)
    red, blue = y + 2 * (1 - _KR) * v, y + 2 * (1 - _KB) * u
    green = (y - _KR * red - _KB * blue) / _KG
    rgb = np.clip(np.stack([red, green, blue], -1) + 0.5, 0, 255).astype(np.uint8)
    return Image.fromarray(rgb)


def warp(source: Planes, window: Box, out: Planes) -> None:
    """Show `window` (source pixels, fractions count) of `source` over the whole of `out`.

    One bilinear warp per plane. Chroma of the source sits in the middle of its four pixels, chroma of the film at the
    left edge of each pair, as H.264 players take it (H.264 Annex E, chroma_loc_type 0).
    """
    w, h = out.size
    kx, ky = window.w / w, window.h / h
    _warp(source.y, (kx, window.x + kx / 2 - 0.5), (ky, window.y + ky / 2 - 0.5), out.y)
    at_x = (kx, (window.x + kx / 2 - 0.5) / 2 - 0.25)
    at_y = (ky, (window.y + ky - 0.5) / 2 - 0.25)
    _warp(source.u, at_x, at_y, out.u)
    _warp(source.v, at_x, at_y, out.v)


def mix(first: Planes, second: Planes, share: float, out: Planes) -> None:
    """A dissolve's frame: `share` (0..1) of the second picture over the first."""
    for a, b, to in zip(first, second, out, strict=True):
        cv2.addWeighted(a, 1 - share, b, share, 0, dst=to)


def copy(source: Planes, out: Planes) -> None:
    """Write the whole of `source` to `out` (same size)."""
    for a, to in zip(source, out, strict=True):
        np.copyto(to, a)


def overlay(image: Image.Image, x: int, y: int) -> Overlay:
    """Turn an RGBA bitmap with its corner at (x, y) into an Overlay; an odd corner or size is padded with nothing."""
    left, top = x % 2, y % 2
    right, bottom = (image.width + left) % 2, (image.height + top) % 2
    rgba = np.pad(np.asarray(image.convert("RGBA")), ((top, bottom), (left, right), (0, 0)))
    rgb, alpha = np.ascontiguousarray(rgba[..., :3]), rgba[..., 3].astype(np.float32) / 255
    half = (rgba.shape[1] // 2, rgba.shape[0] // 2)
    thin = cv2.resize(alpha, half, interpolation=cv2.INTER_AREA)
    luma = _affine(rgb, _Y, 16) * alpha
    chroma = [cv2.resize(_affine(rgb, m, 128) * alpha, half, interpolation=cv2.INTER_AREA) for m in (_U, _V)]
    colour = Planes(*(np.rint(p).astype(np.uint8) for p in (luma, *chroma)))
    through = Planes(*(np.rint(255 * (1 - p)).astype(np.uint8) for p in (alpha, thin, thin)))
    return Overlay(x - left, y - top, colour, through)


def lay(picture: Planes, bitmap: Overlay, opacity: float = 1.0) -> None:
    """Lay a bitmap over a picture inside the bitmap's own box, faded to `opacity` (0..1); what falls outside is cut."""
    if opacity <= 0:
        return
    for plane, colour, through, step in zip(picture, bitmap.colour, bitmap.through, (1, 2, 2), strict=True):
        x, y = bitmap.x // step, bitmap.y // step
        x0, y0 = max(0, x), max(0, y)
        x1, y1 = min(plane.shape[1], x + colour.shape[1]), min(plane.shape[0], y + colour.shape[0])
        if x1 <= x0 or y1 <= y0:
            continue
        ground = plane[y0:y1, x0:x1]
        ink, hole = colour[y0 - y : y1 - y, x0 - x : x1 - x], through[y0 - y : y1 - y, x0 - x : x1 - x]
        if opacity < 1:
            ink = _bytes(cv2.convertScaleAbs(ink, alpha=opacity))
            hole = _bytes(cv2.convertScaleAbs(hole, alpha=opacity, beta=255 * (1 - opacity)))
        cv2.add(cv2.multiply(ground, hole, scale=1 / 255), ink, dst=ground)


def _bytes(array: cv2.typing.MatLike) -> Bytes:
    return np.asarray(array, np.uint8)


def _affine(rgb: cv2.typing.MatLike, weights: NDArray[np.float64], offset: int) -> Bytes:
    return _bytes(cv2.transform(rgb, np.array([[*weights, offset]]))).reshape(rgb.shape[:2])


def _warp(source: Bytes, x: tuple[float, float], y: tuple[float, float], out: Bytes) -> None:
    matrix = np.array([[x[0], 0, x[1]], [0, y[0], y[1]]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    cv2.warpAffine(source, matrix, (out.shape[1], out.shape[0]), dst=out, flags=flags, borderMode=cv2.BORDER_REPLICATE)
