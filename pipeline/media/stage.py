"""A photo made ready for the camera: decoded once, only what the move visits, scaled for it, in film planes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from pipeline.media import depth, frames, grade
from pipeline.media.depth import Relief
from pipeline.media.frames import Bytes, Planes
from pipeline.media.motion import Box, CameraPath, hull

# A little more than one pixel of stage per pixel of film keeps bilinear sampling from breathing between sharp and soft.
_DENSITY = 1.15
_KEPT = 0.8  # of a photo's either side is in its soft ground
_DIM, _BRIGHT = 45.0, 80.0  # of 255: what is darker in a soft ground is lifted, what is brighter held down
# A 50-megapixel photo takes 150 MB while it is decoded: never two at once.
_DECODING = Lock()


@dataclass(frozen=True, slots=True)
class Stage:
    """The pixels a camera move needs, with their margins, and how its canvas lies on them."""

    planes: Planes
    origin: tuple[float, float]
    scale: tuple[float, float]
    relief: Relief | None = None
    near: depth.Map | None = None

    def draw(self, path: CameraPath, share: float, out: Planes) -> None:
        """Draw what the camera sees at `share` (0..1) of its move."""
        w = path.window(share)
        corner = (w.x - self.origin[0]) * self.scale[0], (w.y - self.origin[1]) * self.scale[1]
        window = Box(*corner, w.w * self.scale[0], w.h * self.scale[1])
        if self.relief is None or self.near is None:
            frames.warp(self.planes, window, out)
            return
        grow, shift = self.relief.at(share)
        about = [(at - o) * k for at, o, k in zip(self.relief.centre, self.origin, self.scale, strict=True)]
        depth.bend(self.planes, window, self.near, (about[0], about[1]), (grow, shift * self.scale[0]), out)


Card = tuple[Path, Box, Box]  # a photo, the part of it that is shown (fractions), and where it lies on the canvas


def build(
    photo: Path,
    path: CameraPath,
    frame: tuple[int, int],
    *,
    blurred: bool = False,
    card: bool = True,
    beside: Card | None = None,
    relief: Relief | None = None,
    grain: float = 0.0,
) -> Stage:
    """Build the stage of one move over `photo` for a film of `frame` pixels.

    `blurred` puts it far out of focus and dark, for a title to stand on; `card=False` leaves the soft ground empty;
    `beside` is a second card on it, `relief` the foreground's own move, `grain` as for `frames.grained`. Raises OSError
    when a photo cannot be decoded.
    """
    visited = hull([path.start, path.end])
    density = _DENSITY * frame[0] / min(path.start.w, path.end.w)
    size = _even(visited.w * density), _even(visited.h * density)
    with _DECODING:
        if path.fill:
            cards = [(photo, path.crop, path.card)] if card else []
            rgb = _ground_and_cards(photo, [*cards, *([beside] if beside else [])], visited, size)
        else:
            rgb = _read(photo, size, visited)
        if blurred:
            rgb = _defocused(rgb, frame)
        planes = frames.from_rgb(rgb, dither=7 if blurred or path.fill else None)
        planes = frames.grained(planes, grain) if grain > 0 else planes
    near = depth.near_on(relief.matte, path.canvas, visited, size) if relief is not None else None
    scale = size[0] / visited.w, size[1] / visited.h
    return Stage(frames.margined(planes), (visited.x, visited.y), scale, relief, near)


def _even(value: float) -> int:
    return max(2, round(value / 2) * 2)


def _read(photo: Path, size: tuple[int, int], part: Box) -> Bytes:
    """`part` of a photo (pixels of the photo, fractions count) at `size` pixels, as (h, w, 3)."""
    with Image.open(photo) as source:
        full = source.size
        need = round(full[0] * size[0] / part.w), round(full[1] * size[1] / part.h)
        source.draft("RGB", need)  # a JPEG decodes straight to 1/2, 1/4 or 1/8 where that is enough
        kx, ky = source.width / full[0], source.height / full[1]
        box = (part.x * kx, part.y * ky, min(source.width, part.right * kx), min(source.height, part.bottom * ky))
        whole = source if source.mode == "RGB" else source.convert("RGB")
        table = grade.look_up(np.asarray(whole.resize((96, 96), Image.Resampling.BOX, reducing_gap=2.0)))
        picture = whole.resize(size, Image.Resampling.LANCZOS, box=box, reducing_gap=2.0)
    if size[0] > 1.25 * part.w:  # an enlarged photo gets a little of its bite back
        picture = picture.filter(ImageFilter.UnsharpMask(radius=1.2 * size[0] / part.w, percent=55, threshold=2))
    exact = np.array(picture)
    return exact if table is None else grade.apply(exact, table)


def _ground_and_cards(photo: Path, cards: Sequence[Card], visited: Box, size: tuple[int, int]) -> Bytes:
    """Cards with soft shadows on a blurred, darkened enlargement of `photo`, as seen in `visited`."""
    with Image.open(photo) as source:
        source.draft("RGB", (256, 256))
        small = source.convert("RGB")
    small.thumbnail((192, 192))
    ground = Image.fromarray(_soft(np.array(small), size))
    k = size[0] / visited.w
    for name, crop, card in cards:
        with Image.open(name) as source:
            full = source.size
        place = Box((card.x - visited.x) * k, (card.y - visited.y) * k, card.w * k, card.h * k)
        spot = round(place.x), round(place.y)
        extent = _even(place.w), _even(place.h)
        print_ = Image.fromarray(_read(name, extent, crop.scaled(*full)))
        radius = round(0.02 * min(size))
        mask = Image.new("L", (extent[0] * 2, extent[1] * 2))
        ImageDraw.Draw(mask).rounded_rectangle((0, 0, extent[0] * 2 - 1, extent[1] * 2 - 1), radius * 2, fill=255)
        mask = mask.resize(extent, Image.Resampling.BOX)
        ground.paste((0, 0, 0), mask=_shadow(size, spot, extent, radius))
        ground.paste(print_, spot, mask)
    return np.array(ground)


def _shadow(size: tuple[int, int], spot: tuple[int, int], extent: tuple[int, int], radius: int) -> Image.Image:
    """A soft shadow under a card, drawn at an eighth of the size: it has no detail to lose."""
    w, h = max(1, size[0] // 8), max(1, size[1] // 8)
    small = Image.new("L", (w, h))
    x, y, drop = spot[0] / 8, spot[1] / 8, min(size) * 0.012 / 8
    box = (x, y + drop, x + extent[0] / 8, y + extent[1] / 8 + drop)
    ImageDraw.Draw(small).rounded_rectangle(box, radius / 8, fill=165)
    return small.filter(ImageFilter.GaussianBlur(min(size) * 0.022 / 8)).resize(size, Image.Resampling.BICUBIC)


def _soft(small: Bytes, size: tuple[int, int]) -> Bytes:
    """A thumbnail grown over `size`, blurred, a little muted and dark, darker to the edges, and nowhere quite black.

    Of either side at least four fifths are kept, squeezed where they must be: nobody sees that in a blur, but a band
    across a dark suit would stand beside the photo like bars.
    """
    h, w = small.shape[:2]
    keep_w, keep_h = max(_KEPT * w, min(w, h * size[0] / size[1])), max(_KEPT * h, min(h, w * size[1] / size[0]))
    x, y = int((w - keep_w) / 2), int((h - keep_h) / 2)
    part = small[y : y + max(2, int(keep_h)), x : x + max(2, int(keep_w))]
    low = cv2.resize(part, (max(2, size[0] // 8), max(2, size[1] // 8)), interpolation=cv2.INTER_AREA)
    blurred = cv2.GaussianBlur(low, (0, 0), max(low.shape) * 0.05).astype(np.float32)
    grey = blurred.mean(axis=2, keepdims=True)
    toned = (grey + (blurred - grey) * 1.1) * 0.6
    # What would be black takes some of the colour of the photo's lighter half.
    pixels = small.reshape(-1, 3).astype(np.float32)
    lights = pixels[pixels.mean(axis=1) >= np.median(pixels.mean(axis=1))].mean(axis=0) * np.float32(0.6)
    toned += (lights - toned) * (0.4 * np.clip(1 - toned.mean(axis=2, keepdims=True) / _DIM, 0, 1))
    # What is bright must not glare beside the photo, or under a caption; a dark photo comes out of the dark, as far as
    # its own lights allow.
    level = toned.mean(axis=2, keepdims=True)
    toned *= np.minimum(1, (_BRIGHT + (level - _BRIGHT) * 0.25) / np.maximum(level, 1))
    mean = float(toned.mean())
    gain = 84 / mean if mean > 84 else max(1.0, min(2.2, 38 / max(1.0, mean), 98 / max(1.0, float(toned.max()))))
    return _grown(toned * gain * _vignette(low.shape[1], low.shape[0]) + 6, size)


def _vignette(w: int, h: int) -> NDArray[np.float32]:
    x, y = np.meshgrid(np.linspace(-1, 1, w, dtype=np.float32), np.linspace(-1, 1, h, dtype=np.float32))
    return (1.06 - 0.2 * (x * x + y * y))[..., None].astype(np.float32)


def _defocused(rgb: Bytes, frame: tuple[int, int]) -> Bytes:
    """The same picture far out of focus and dark."""
    h, w = rgb.shape[:2]
    low = cv2.resize(rgb, (max(2, w // 6), max(2, h // 6)), interpolation=cv2.INTER_AREA)
    low = cv2.GaussianBlur(low, (0, 0), min(frame) * 0.024 / 6).astype(np.float32)
    low = low * (0.5 * min(1.0, 120 / max(1.0, float(low.mean()))) * _vignette(low.shape[1], low.shape[0]))
    return _grown(np.asarray(low, np.float32), (w, h))


def _grown(low: NDArray[np.float32], size: tuple[int, int]) -> Bytes:
    """A small soft picture at full `size`, one channel after the other: floats of all three would take 40 MB."""
    planes = []
    for i in range(3):
        channel = cv2.resize(np.ascontiguousarray(low[..., i]), size, interpolation=cv2.INTER_CUBIC)
        planes.append(cv2.convertScaleAbs(np.maximum(channel, 0, out=channel)))
    return np.asarray(cv2.merge(planes), np.uint8)
