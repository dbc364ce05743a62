"""Pixels as the encoder wants them: planar BT.709, limited range, warped, mixed and laid over with no RGB between."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
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

_DARK = (26.0, 128.0, 128.0)  # what a dip goes through: dark, and not the black of a film that has failed
_LEAK = 16  # pixels of the film between the points where falling light is worked out
_SMEAR = 0.11  # of the width, the longest streak of a whip
MARGIN = 64
EXACT = 0.02  # pixels of the film; a slow move is seen to tremble from about 0.1


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


def margined(source: Planes) -> Planes:
    """A picture with its edge repeated MARGIN pixels outwards on every side of every plane, for `warp`."""
    around = (MARGIN, MARGIN, MARGIN, MARGIN)
    return Planes(*(_bytes(cv2.copyMakeBorder(plane, *around, cv2.BORDER_REPLICATE)) for plane in source))


def warp(source: Planes, window: Box, out: Planes) -> None:
    """Show `window` (source pixels, fractions count) of a `margined` picture over the whole of `out`.

    Bilinear, plane by plane. Chroma of the source sits in the middle of its four pixels, chroma of the film at the
    left edge of each pair, as H.264 players take it (H.264 Annex E, chroma_loc_type 0).
    """
    w, h = out.size
    kx, ky = window.w / w, window.h / h
    show(source.y, (window.x, kx), (window.y, ky), out.y, EXACT)
    for plane, to in ((source.u, out.u), (source.v, out.v)):
        show(plane, (window.x / 2 - kx / 4, kx), (window.y / 2, ky), to, 2 * EXACT)


def mix(first: Planes, second: Planes, share: float, out: Planes) -> None:
    """A dissolve's frame: `share` (0..1) of the second picture over the first."""
    for a, b, to in zip(first, second, out, strict=True):
        cv2.addWeighted(a, 1 - share, b, share, 0, dst=to)


def dip(first: Planes, second: Planes, share: float, out: Planes) -> None:
    """A frame of the way through the dark: by half of `share` the first picture has gone, then the second comes."""
    shown, light = (first, 1 - 2 * share) if share < 0.5 else (second, 2 * share - 1)
    for plane, to, dark in zip(shown, out, _DARK, strict=True):
        cv2.addWeighted(plane, light, plane, 0, dark * (1 - light), dst=to)


def whip(first: Planes, second: Planes, share: float, out: Planes) -> None:
    """A frame of a fast pan: both pictures side by side run past to the left, the faster the more they are smeared.

    `share` is how far the pan has come; with an eased one it is fastest, and most blurred, in the middle.
    """
    speed = 4 * share * (1 - share)
    for a, b, to, step in zip(first, second, out, (1, 2, 2), strict=True):
        w = to.shape[1]
        at = min(w, max(0, round(share * w * step) // 2 * 2 // step))
        seen = np.concatenate([a[:, at:], b[:, :at]], axis=1)
        smear = int(_SMEAR * w * speed)
        if smear > 1:
            cv2.blur(seen, (smear, 1), dst=to, borderType=cv2.BORDER_REPLICATE)
        else:
            np.copyto(to, seen)


def glow(first: Planes, second: Planes, share: float, out: Planes) -> None:
    """A frame of a dissolve through which warm light falls in from the side, as into a camera that was opened."""
    mix(first, second, share, out)
    h, w = out.y.shape
    strength = 4 * share * (1 - share)
    if strength <= 0:
        return
    n, m = max(2, w // _LEAK), max(2, h // _LEAK)
    across = np.linspace(0, 1, n, dtype=np.float32)[None, :]
    down = np.linspace(0, 1, m, dtype=np.float32)[:, None]
    # A broad streak that comes in on the right, leans, and has passed the middle when it goes.
    at = 1.15 - 0.6 * share + 0.18 * (down - 0.5)
    light = strength * np.exp(-(((across - at) / 0.34) ** 2)) * (0.75 + 0.25 * np.cos(3.1 * (down - 0.35)))
    for plane, most, sign in ((out.y, 92.0, 1), (out.u, 26.0, -1), (out.v, 24.0, 1)):
        size = plane.shape[1], plane.shape[0]
        fall = _bytes(
            cv2.resize(np.asarray(light * most, np.float32), size, interpolation=cv2.INTER_LINEAR) + _dots(size)
        )
        (cv2.add if sign > 0 else cv2.subtract)(plane, fall, dst=plane)
    np.minimum(out.y, 235, out=out.y)


@lru_cache(maxsize=4)
def _dots(size: tuple[int, int]) -> NDArray[np.float32]:
    """Between 0 and 1 by chance, added before rounding down: broad light has no steps then."""
    return np.random.default_rng(11).random((size[1], size[0]), np.float32)


WAYS = {"dissolve": mix, "dip": dip, "whip": whip, "glow": glow}


def grained(picture: Planes, strength: float) -> Planes:
    """The same picture with film grain of `strength` grey levels (standard deviation) in its middle tones.

    The grain belongs to the picture, as it does in a print, and moves with it: encoded it stays whole and costs 3 %
    more bytes. Grain that is new in every frame costs two or three times the film.
    """
    y = picture.y
    dice = np.random.default_rng(5)
    grains = cv2.GaussianBlur(dice.standard_normal(y.shape, np.float32), (0, 0), 1.0)
    light = (y.astype(np.float32) - 16) / 219
    drawn = y + grains * (strength / float(grains.std())) * (0.25 + 3 * light * (1 - light))
    return Planes(np.clip(np.rint(drawn), 16, 235).astype(np.uint8), picture.u, picture.v)


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


def show(source: Bytes, across: tuple[float, float], down: tuple[float, float], out: Bytes, exact: float) -> None:
    """Fill `out` from a plane with margins, from (start, step) source pixels across and down.

    A plain resize is three times as fast as a warp. It knows whole pixels only, but a crop that is resized a little too
    large and cut again lies nearly everywhere: where one is `exact` pixels of `out` near, it is taken.
    """
    h, w = out.shape
    x, y = _crop(*across, w, source.shape[1], exact), _crop(*down, h, source.shape[0], exact)
    if x is None or y is None:
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        matrix = np.array([[k, 0, MARGIN + start + k / 2 - 0.5] for start, k in (across, down)])
        matrix[1] = matrix[1][[1, 0, 2]]
        cv2.warpAffine(source, matrix, (w, h), dst=out, flags=flags, borderMode=cv2.BORDER_REPLICATE)
        return
    part = source[y.start : y.start + y.length, x.start : x.start + x.length]
    large = cv2.resize(part, (x.drawn, y.drawn), interpolation=cv2.INTER_LINEAR)
    np.copyto(out, large[y.skip : y.skip + h, x.skip : x.skip + w])


class _Crop(NamedTuple):
    """On one axis: `length` source pixels from `start` are drawn as `drawn`, of which the first `skip` are left out."""

    start: int
    length: int
    drawn: int
    skip: int


@lru_cache(maxsize=16)  # the two planes of colour are seen through the same window
def _crop(start: float, step: float, count: int, room: int, exact: float) -> _Crop | None:
    """The crop that shows `count` pixels from `start` at `step` source pixels each, off by the least; None where both
    ends cannot be right to `exact` of a pixel. `room` is the source's length with both its margins."""
    drawn = np.arange(count, count + MARGIN + 1)
    length = np.rint(step * drawn)
    steps = length / drawn
    grown = count * (steps - step)
    fit = np.flatnonzero(np.abs(grown) <= 2 * exact * step)
    if not len(fit):
        return None
    drawn, length, steps, grown = drawn[fit], length[fit, None], steps[fit, None], grown[fit, None]
    skipped = np.arange(MARGIN + 1)
    first = np.rint(start - skipped * steps)
    off = first + skipped * steps - start
    worst = np.maximum(np.abs(off), np.abs(off + grown))
    inside = (skipped <= drawn[:, None] - count) & (first >= -MARGIN) & (first + length <= room - MARGIN)
    row, skip = divmod(int(np.where(inside, worst, np.inf).argmin()), MARGIN + 1)
    if not inside[row, skip] or worst[row, skip] > exact * step:
        return None
    return _Crop(int(first[row, skip]) + MARGIN, int(length[row, 0]), int(drawn[row]), skip)
