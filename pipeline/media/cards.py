"""The title and the end card: type on a ground, drawn once. The end card comes in by a small MoviePy animation."""

from __future__ import annotations

import colorsys
import contextlib
import hashlib
import os
import zlib
from collections.abc import Sequence
from itertools import combinations, pairwise
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from pipeline.media import encode, fonts, frames, lettering, templates
from pipeline.media.frames import Bytes, Overlay, Planes

TITLE_IN, TITLE_DELAY = 10, 1  # frames: it stands for a second and a half
_ENTRANCE = 0.9  # seconds
_PAPER = (255, 252, 246)
_BRIGHTEST = 95  # luma in the middle of a ground: white letters must read there, whatever the accent
_FULL = 0.2  # lightness of a ground from which it is coloured, not dark
# Raise it when the end card is drawn differently, or in other letters: what is kept of it outlives its code.
_STYLE_OF_END = 3


def title_bitmap(
    frame: tuple[int, int], title: str, subtitle: str, accent: str, template: str = templates.DEFAULT
) -> Overlay:
    """The title, its line of small type and an accent rule, centred a little above the middle of the frame."""
    w, h = frame
    style = templates.of(template).title
    rows, size = _set(title, style, frame, largest=0.112, most_rows=4)
    small = max(10, round(min(frame) * 0.033))
    step = round(size * 1.12)
    block = (small * 2.6 if subtitle.strip() else 0) + step * len(rows) + size * 0.75
    y = h * 0.46 - block / 2
    mask = Image.new("L", frame)
    spots: list[tuple[float, float]] = []
    if subtitle.strip():
        for line in _wrapped(subtitle, "note", small, w * 0.8, tracking=0.06)[:2]:
            y += small * 1.3
            x = (w - fonts.width(line, "note", small, tracking=0.06)) / 2
            fonts.draw(mask, (x, y), line, "note", small, fill=225, tracking=0.06)
        y += small * 1.3
    for row in rows:
        y += step
        spots.append(((w - fonts.width(row, style, size)) / 2, y - size * 0.18))
        fonts.draw(mask, spots[-1], row, style, size, fill=255)
    halo = mask.filter(ImageFilter.GaussianBlur(size * 0.22)).point(lambda v: v * 0.75)
    picture = Image.merge("RGBA", (*Image.new("RGB", frame, (0, 0, 0)).split(), halo))
    white = Image.new("RGBA", frame, (*_PAPER, 0))
    white.putalpha(mask)
    picture.alpha_composite(white)
    for row, at in zip(rows, spots, strict=True):
        fonts.tint(picture, at, row, style, size)
    if rows:
        _rule(picture, (w / 2, y + size * 0.42), size, lettering.rgb(accent))
    return _trimmed(picture)


def end_ground(frame: tuple[int, int], accent: str, template: str = templates.DEFAULT) -> Planes:
    """A ground tinted with the accent, as light as the template wants, lit from above, with noise against banding."""
    w, h = frame
    red, green, blue = lettering.rgb(accent)
    hue, _, saturation = colorsys.rgb_to_hls(red / 255, green / 255, blue / 255)
    light = templates.of(template).ground
    tint = np.array([[colorsys.hls_to_rgb(hue, light, min(0.5, saturation * (0.55 if light < _FULL else 1.2)))]]) * 255
    base = frames.from_rgb(np.tile(tint.astype(np.uint8), (2, 2, 1)))
    x, y = np.meshgrid(np.linspace(-1, 1, w, dtype=np.float32), np.linspace(0, 1, h, dtype=np.float32))
    glow = np.exp(-(x * x * 0.8 + ((y - 0.38) * 1.9) ** 2))
    chance = np.random.default_rng(11)
    noise = chance.random((h, w), np.float32) - chance.random((h, w), np.float32)  # triangular, as dither should be
    # One chroma for the whole ground: with so few levels in the dark, a gradient of it would show as rings.
    out = frames.blank(w, h)
    level = min(float(base.y[0, 0]) - 16, (_BRIGHTEST - 16) / 1.55)
    out.y[:] = np.clip(16 + (0.55 + 1.0 * glow) * level + 1.4 * noise + 0.5, 16, 235)
    out.u[:], out.v[:] = base.u[0, 0], base.v[0, 0]
    return out


def end_bitmaps(
    frame: tuple[int, int],
    title: str,
    note: str,
    accent: str,
    template: str = templates.DEFAULT,
    *,
    fps: int,
    keep_in: Path,
) -> tuple[Overlay, ...]:
    """The end card's type as it comes in, one bitmap a frame; the last one stays.

    Made once for the same words, colour and size, and kept in the folder `keep_in` by content; a file there that was
    used has its time set to now, and one that cannot be read is made anew.
    """
    told = repr((_STYLE_OF_END, _ENTRANCE, _PAPER, frame, title, note, accent, templates.of(template), fps))
    kept = keep_in / f"end-{hashlib.sha256(told.encode()).hexdigest()[:24]}.npz"
    found = _kept(kept)
    if found is None:
        found = _animated(_end_layers(frame, title, note, accent, template), fps)
        # What cannot be kept, on a full disk, is drawn again next time.
        with contextlib.suppress(OSError):
            keep_in.mkdir(parents=True, exist_ok=True)
            with encode.replaced(kept) as temporary:
                np.savez_compressed(temporary, pictures=found[0], at=np.array(found[1]))
    pictures, (x, y) = found
    return tuple(frames.overlay(Image.fromarray(picture), x, y) for picture in pictures)


def _kept(path: Path) -> tuple[Bytes, tuple[int, int]] | None:
    try:
        with np.load(path) as stored:
            pictures, (x, y) = stored["pictures"], stored["at"]
        os.utime(path)
    except (OSError, ValueError, KeyError, EOFError, BadZipFile, zlib.error):
        return None
    return np.asarray(pictures, np.uint8), (int(x), int(y))


def _animated(layers: Sequence[Image.Image], fps: int) -> tuple[Bytes, tuple[int, int]]:
    """Title, rule and note come in one after the other: (n, h, w, 4) pictures and where their corner lies."""
    # MoviePy takes half a second to load and is needed only when an end card is made for the first time.
    from moviepy import CompositeVideoClip, ImageClip, vfx  # noqa: PLC0415

    boxes = [layer.getbbox() for layer in layers]
    drawn = [box for box in boxes if box]
    if not drawn:
        return np.zeros((1, 2, 2, 4), np.uint8), (0, 0)
    x, y = (min(box[i] for box in drawn) // 2 * 2 for i in (0, 1))
    right, bottom = (max(box[i] for box in drawn) for i in (2, 3))
    cut = [np.asarray(layer.crop((x, y, right, bottom))) for layer in layers]
    clips = [
        ImageClip(picture, transparent=True, duration=_ENTRANCE - delay)
        .with_start(delay)
        .with_effects([vfx.CrossFadeIn(0.45)])
        for picture, delay in zip(cut, (0.05, 0.2, 0.35), strict=True)
    ]
    film = CompositeVideoClip(clips, size=(right - x, bottom - y), bg_color=None).with_duration(_ENTRANCE)
    shots = []
    for i in range(round(_ENTRANCE * fps) - 1):
        alpha = np.clip(film.mask.get_frame(i / fps), 0, 1)
        colour = film.get_frame(i / fps).astype(np.float32)
        # MoviePy composes on black, so what it shows is already multiplied by alpha once.
        straight = np.where(alpha[..., None] > 0, colour / np.maximum(alpha[..., None], 1e-4), 0)
        shots.append(np.dstack([np.clip(straight, 0, 255), alpha * 255 + 0.5]).astype(np.uint8))
    whole = Image.new("RGBA", (right - x, bottom - y))
    for picture in cut:
        whole.alpha_composite(Image.fromarray(picture))
    return np.stack([*shots, np.asarray(whole)]), (x, y)


def _end_layers(
    frame: tuple[int, int], title: str, note: str, accent: str, template: str
) -> tuple[Image.Image, Image.Image, Image.Image]:
    (w, h), look = frame, templates.of(template)
    head, rule, foot = (Image.new("RGBA", frame) for _ in range(3))
    rows, size = _set(title, look.title, frame, largest=0.08, most_rows=3)
    small = max(10, round(min(frame) * 0.031))
    lines = _wrapped(note, "note", small, w * 0.78)[:4]
    step = round(size * 1.15)
    y = h * 0.47 - (step * len(rows) + size * 1.1 + small * 1.55 * len(lines)) / 2
    for row in rows:
        y += step
        at = (w - fonts.width(row, look.title, size)) / 2, y - size * 0.2
        fonts.draw(head, at, row, look.title, size, fill=(*_PAPER, 255))
        fonts.tint(head, at, row, look.title, size)
    if rows:
        # On a ground full of the accent, the accent would be lost.
        _rule(rule, (w / 2, y + size * 0.45), size, lettering.rgb(accent) if look.ground < _FULL else _PAPER)
        y += size * 1.0
    for line in lines:
        y += small * 1.55
        at = (w - fonts.width(line, "note", small)) / 2, y
        fonts.draw(foot, at, line, "note", small, fill=(255, 255, 255, 205))
    return head, rule, foot


def _rule(picture: Image.Image, middle: tuple[float, float], size: int, colour: tuple[int, int, int]) -> None:
    long, thick = size * 0.5, max(1.5, size * 0.03)
    box = (middle[0] - long, middle[1] - thick, middle[0] + long, middle[1] + thick)
    ImageDraw.Draw(picture).rounded_rectangle(box, thick, fill=(*colour, 255))


def _set(
    text: str, style: fonts.Style, frame: tuple[int, int], *, largest: float, most_rows: int
) -> tuple[list[str], int]:
    """Set a title as large as it may be in a few even rows; a very long one gets small, at last an ellipsis."""
    room = frame[0] * (0.72 if frame[0] > 1.2 * frame[1] else 0.84)
    size = round(min(frame) * largest)
    rows: list[str] = []
    for percent in range(100, 40, -6):
        now = max(10, size * percent // 100)
        rows = _wrapped(text, style, now, room)
        whole = all(fonts.width(word, style, now) <= room for word in fonts.literal(text).split())
        # Smaller before a word is broken; a word that never fits is broken at the smallest size.
        if whole and len(rows) <= most_rows and now * 1.12 * len(rows) < frame[1] * 0.5:
            return _evened(rows, style, now, room), now
    kept = rows[:most_rows]
    kept[-1] = kept[-1].rstrip() + "…"
    return kept, max(10, size * 40 // 100)


def _wrapped(text: str, style: fonts.Style, size: int, room: float, *, tracking: float = 0.0) -> list[str]:
    rows: list[str] = []
    for line in text.splitlines():
        fresh = True  # a line break in the text is kept
        for word in fonts.literal(line).split():
            for piece in _pieces(word, style, size, room, tracking):
                longer = piece if fresh else f"{rows[-1]} {piece}"
                if not fresh and fonts.width(longer, style, size, tracking=tracking) <= room:
                    rows[-1] = longer
                else:
                    rows.append(piece)
                fresh = False
    return rows


def _pieces(word: str, style: fonts.Style, size: int, room: float, tracking: float) -> list[str]:
    letters = fonts.clusters(word)
    if len(letters) < 2 or fonts.width(word, style, size, tracking=tracking) <= room:
        return [word]
    half = (len(letters) + 1) // 2
    parts = "".join(letters[:half]), "".join(letters[half:])
    return [p for part in parts for p in _pieces(part, style, size, room, tracking)]


def _evened(rows: list[str], style: fonts.Style, size: int, room: float) -> list[str]:
    """The same number of rows, of like width and broken where a reader pauses: no lonely last word."""
    words = " ".join(rows).split()
    if len(rows) < 2 or len(words) > 14 or len(words) < len(rows):
        return rows

    def cost(tried: list[str]) -> float:
        widest = max(fonts.width(row, style, size) for row in tried)
        paused = sum(row.endswith((",", ".", "!", "?", ":", ";", "–", "—")) for row in tried[:-1])
        return widest / room - 0.3 * paused if widest <= room else 9.0

    cuts = ((0, *middle, len(words)) for middle in combinations(range(1, len(words)), len(rows) - 1))
    return min(([" ".join(words[a:b]) for a, b in pairwise(cut)] for cut in cuts), key=cost)


def _trimmed(picture: Image.Image) -> Overlay:
    box = picture.getbbox() or (0, 0, 2, 2)
    return frames.overlay(picture.crop(box), box[0], box[1])
