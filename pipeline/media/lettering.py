"""Captions as bitmaps: white letters, as much dark around them as the picture needs, a mark on the spoken word."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
from PIL import Image, ImageChops, ImageDraw

from pipeline.media import fonts, frames, templates
from pipeline.media.captions import Caption, PlacedWord, pad
from pipeline.media.templates import Template

Colour = tuple[int, int, int]

WHITE: Colour = (255, 255, 255)
INK: Colour = (16, 16, 20)
_DARK: Colour = (8, 9, 14)
# Alpha of the dark around letters at full strength: close to them, and wider; and of a plate behind all of them.
_CLOSE, _WIDE, _PLATE = 0.94, 0.66, 0.74
STRENGTHS = (0.45, 0.6, 0.8, 1.0)
# WCAG 2.2, 1.4.3: 3 for large type, 4.5 for small. A caption on a phone gets what small type needs, and some more.
READABLE = 5.0


def strength(luma: float) -> float:
    """How strong the dark around white letters must be over a picture as bright as `luma` (0 to 255, sRGB grey)."""

    def under(share: float) -> Colour:
        alpha = 0.9 * _WIDE * share  # it is a little thinner where it runs out
        grey = [round(luma * (1 - alpha) + dark * alpha) for dark in _DARK]
        return grey[0], grey[1], grey[2]

    return next((share for share in STRENGTHS if contrast(WHITE, under(share)) >= READABLE), STRENGTHS[-1])


def bitmaps(caption: Caption, accent: str) -> tuple[frames.Overlay, tuple[frames.Overlay, ...]]:
    """A caption as bitmaps: all of its text, and for each word the mark that shows over it while it is spoken."""
    size, template = caption.size, templates.of(caption.template)
    bleed = pad(size)  # the shadow runs out softly beyond the box
    area = (int(caption.box.w) + 2 * bleed, int(caption.box.h) + 2 * bleed)
    origin = (int(caption.box.x) - bleed, int(caption.box.y) - bleed)
    mask = Image.new("L", area)
    spots = [(word, (word.x - origin[0], word.baseline - origin[1])) for word in caption.words]
    for word, at in spots:
        fonts.draw(mask, at, word.text, template.caption, size, fill=255)
    plate = _plate(area, bleed, size) if template.plate else None
    picture = shadowed(mask, size, caption.halo, plate)
    for word, at in spots:
        fonts.tint(picture, at, word.text, template.caption, size)
    mark = _pill if template.mark == "pill" else _bar
    return frames.overlay(picture, *origin), tuple(mark(word, size, accent, template) for word in caption.words)


def shadowed(mask: Image.Image, size: int, share: float = 1.0, plate: Image.Image | None = None) -> Image.Image:
    """White text from its mask on a soft dark halo of strength `share`: close against bright pictures, wide for calm.

    A `plate` (its mask) takes the wide halo's place.
    """
    close = _swollen(mask, size * 0.1, size * 0.035)
    wide, alpha_wide = (_swollen(mask, size * 0.48, size * 0.14), _WIDE) if plate is None else (plate, _PLATE)
    alpha_close = _CLOSE if plate is None else 0.4
    dark = ImageChops.lighter(
        close.point(lambda v: v * alpha_close * share), wide.point(lambda v: v * alpha_wide * share)
    )
    alpha = ImageChops.lighter(dark, mask)
    colour = Image.new("RGB", mask.size, _DARK)
    colour.paste(WHITE, mask=mask)
    return Image.merge("RGBA", (*colour.split(), alpha))


def _plate(area: tuple[int, int], bleed: int, size: int) -> Image.Image:
    plate = Image.new("L", area)
    edge = bleed + round(size * 0.2)  # rows have air of their own above and below
    box = (edge, edge, area[0] - edge - 1, area[1] - edge - 1)
    ImageDraw.Draw(plate).rounded_rectangle(box, size * 0.42, fill=255)
    return Image.fromarray(np.asarray(cv2.GaussianBlur(np.asarray(plate), (0, 0), size * 0.03), np.uint8))


def _swollen(mask: Image.Image, side: float, blur: float) -> Image.Image:
    """A mask grown by a square of `side` pixels and blurred by `blur` (both of the size's share)."""
    grown = cv2.dilate(np.asarray(mask), np.ones((_odd(side), _odd(side)), np.uint8))
    return Image.fromarray(np.asarray(cv2.GaussianBlur(grown, (0, 0), blur), np.uint8))


def _pill(word: PlacedWord, size: int, accent: str, template: Template) -> frames.Overlay:
    ascent, descent = fonts.height("caption", size)
    pad_x, pad_y = size * 0.13, size * 0.06
    x0, y0 = int(word.x - pad_x) - 1, int(word.baseline - ascent * 0.9 - pad_y) - 1
    area = (int(word.width + 2 * pad_x) + 4, int(ascent * 0.9 + descent + 2 * pad_y) + 4)
    ground, ink = pill_colours(accent)
    picture = Image.merge("RGBA", (*Image.new("RGB", area, ground).split(), _rounded(area, size * template.radius)))
    text, at = Image.new("L", area), (word.x - x0, word.baseline - y0)
    fonts.draw(text, at, word.text, template.caption, size, fill=255)
    picture.paste((*ink, 255), mask=text)
    fonts.tint(picture, at, word.text, template.caption, size)
    return frames.overlay(picture, x0, y0)


def _bar(word: PlacedWord, size: int, accent: str, template: Template) -> frames.Overlay:
    """A rule under the word, which stays white; it keeps away from the letters' descenders."""
    thick = max(2, round(size * 0.09))
    x0, y0 = int(word.x), int(word.baseline + size * 0.27)
    area = (max(2, round(word.width)), thick + 4)
    picture = Image.merge("RGBA", (*Image.new("RGB", area, lifted(accent)).split(), _rounded(area, thick)))
    return frames.overlay(picture, x0, y0)


def _rounded(area: tuple[int, int], radius: float) -> Image.Image:
    big = Image.new("L", (area[0] * 4, area[1] * 4))
    ImageDraw.Draw(big).rounded_rectangle((4, 4, area[0] * 4 - 5, area[1] * 4 - 5), radius * 4, fill=255)
    return big.resize(area, Image.Resampling.BOX)


def _odd(value: float) -> int:
    return max(3, int(value) // 2 * 2 + 1)


@lru_cache(maxsize=64)
def pill_colours(accent: str) -> tuple[Colour, Colour]:
    """The accent as (red, green, blue) and the ink that reads on it: white where its contrast
    is at least 3 (WCAG 2.2, large type), otherwise near black."""
    ground = rgb(accent)
    return ground, WHITE if contrast(WHITE, ground) >= 3 else INK


@lru_cache(maxsize=64)
def lifted(accent: str) -> Colour:
    """The accent, as much lighter as it takes to be seen on a dark ground (contrast of at least 6)."""
    red, green, blue = rgb(accent)
    for percent in range(0, 101, 5):
        share = percent / 100
        colour = (_mixed(red, share), _mixed(green, share), _mixed(blue, share))
        if contrast(colour, _DARK) >= READABLE + 1:
            return colour
    return WHITE


def _mixed(part: int, white: float) -> int:
    return round(part + (255 - part) * white)


def rgb(accent: str) -> Colour:
    """`#rrggbb` as numbers. Raises ValueError for anything else."""
    if len(accent) != 7 or accent[0] != "#":
        raise ValueError(f"not a colour: {accent!r}")
    return int(accent[1:3], 16), int(accent[3:5], 16), int(accent[5:7], 16)


def contrast(one: Colour, two: Colour) -> float:
    """How well two colours can be told apart, 1 to 21 (WCAG 2.2, relative luminance of sRGB)."""

    def light(colour: Colour) -> float:
        parts = [c / 255 / 12.92 if c <= 10 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in colour]
        return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]

    high, low = sorted((light(one), light(two)), reverse=True)
    return (high + 0.05) / (low + 0.05)
