"""The visible label that says the film was made with AI: where it may stand and how it is drawn."""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image, ImageDraw

from pipeline.media import fonts, frames
from pipeline.media.motion import HEADROOM, Box


def type_size(frame: tuple[int, int]) -> int:
    """The size the label is set in, in pixels per em: small, but read without effort on a phone."""
    return max(9, round(min(frame) * 0.0245))


def corners(text: str, frame: tuple[int, int]) -> tuple[Box, ...]:
    """The boxes the label may stand in, best first, in pixels: all inside the frame and clear of the captions."""
    size = type_size(frame)
    w = min(frame[0] - 8, round(fonts.width(text, "label", size) + size * 1.5) // 2 * 2 + 2)
    h = round(size * 1.9) // 2 * 2
    tall = frame[1] > 1.2 * frame[0]
    left = round(frame[0] * (0.045 if tall else 0.03)) // 2 * 2
    top = round(frame[1] * (0.045 if tall else 0.035)) // 2 * 2
    right = (frame[0] - left - w) // 2 * 2
    low = round(frame[1] * (0.845 if tall else 0.975)) // 2 * 2 - (0 if tall else h)
    right = max(0, right)
    return Box(left, top, w, h), Box(right, top, w, h), Box(left, low, w, h), Box(right, low, w, h)


def free(boxes: Sequence[Box], faces: Sequence[Box], pages: Sequence[Box] = (), *, heads: bool = True) -> Box | None:
    """The first of `boxes` no page and no face touches, nor the hair and chin around one unless `heads` is false; None
    without."""
    left, top, right, bottom = HEADROOM if heads else (0.0, 0.0, 0.0, 0.0)
    kept = [Box(f.x - left * f.w, f.y - top * f.h, f.w * (1 + left + right), f.h * (1 + top + bottom)) for f in faces]
    return next((box for box in boxes if not any(box.touches(one) for one in [*kept, *pages])), None)


def bitmap(text: str, box: Box, frame: tuple[int, int]) -> frames.Overlay:
    """The label as a bitmap that fills its box: white on a soft dark pill, so that it reads on any picture."""
    size = type_size(frame)
    while size > 6 and fonts.width(text, "label", size) > box.w - size:
        size -= 1
    area = (int(box.w), int(box.h))
    big = Image.new("L", (area[0] * 4, area[1] * 4))
    ImageDraw.Draw(big).rounded_rectangle((0, 0, area[0] * 4 - 1, area[1] * 4 - 1), area[1] * 2, fill=150)
    ground = Image.new("RGB", area, (10, 11, 16))
    picture = Image.merge("RGBA", (*ground.split(), big.resize(area, Image.Resampling.BOX)))
    mask = Image.new("L", area)
    ascent, descent = fonts.height("label", size)
    x = (area[0] - fonts.width(text, "label", size)) / 2
    fonts.draw(mask, (x, (area[1] + ascent - descent) / 2), text, "label", size, fill=240)
    white = Image.new("RGBA", area, (255, 255, 255, 0))
    white.putalpha(mask)
    picture.alpha_composite(white)
    return frames.overlay(picture, int(box.x), int(box.y))
