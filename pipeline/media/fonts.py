"""Which font draws which character: the film's own fonts, an emoji font, then the system's for other scripts."""

from __future__ import annotations

import os
import struct
import sys
import unicodedata
from functools import cache, lru_cache
from importlib.resources import files
from pathlib import Path
from threading import RLock
from typing import Literal

from PIL import Image, ImageDraw, ImageFont

Style = Literal["caption", "label", "title", "note"]

# Noto Emoji is bundled beside this file (see NotoEmoji-OFL.txt); the other two come from their own packages.
_STYLES: dict[Style, tuple[str, str]] = {
    "caption": ("font_manrope", "Manrope-Bold.ttf"),
    "label": ("font_manrope", "Manrope-SemiBold.ttf"),
    "title": ("font_source_serif_pro", "SourceSerifPro-Semibold.ttf"),
    "note": ("font_manrope", "Manrope-Medium.ttf"),
}
_EMOJI = Path(__file__).parent / "fonts" / "NotoEmoji-Bold.ttf"
_JOINER, _KEYCAP = 0x200D, 0x20E3
# FreeType faces may not be used by two threads at once, and Pillow keeps no lock of its own.
_LOCK = RLock()


def style_path(style: Style) -> Path:
    """The font file a style is set in."""
    package, name = _STYLES[style]
    return Path(str(files(package) / "files" / name))


def literal(text: str) -> str:
    """`text` as it can be drawn on one line: line breaks and control characters become spaces, nothing else changes."""
    return "".join(" " if unicodedata.category(ch) in ("Cc", "Zl", "Zp") else ch for ch in text)


def missing_glyphs(text: str) -> set[str]:
    """The characters of `text` that no font at hand can draw (they would show as an empty box)."""
    return {
        ch for ch in literal(text) if not _invisible(ch) and not any(_has(p, ch) for p in _fallbacks("caption", ch))
    }


def width(text: str, style: Style, size: int, *, tracking: float = 0.0) -> float:
    """How far `text` advances in pixels at `size` pixels per em; `tracking` is extra space per character, in em."""
    with _LOCK:
        drawn = sum(_load(path, size).getlength(run) for run, path in runs(text, style))
    return float(drawn) + tracking * size * len(text)


def draw(
    image: Image.Image,
    at: tuple[float, float],
    text: str,
    style: Style,
    size: int,
    *,
    fill: tuple[int, ...] | int,
    stroke: float = 0.0,
    tracking: float = 0.0,
) -> None:
    """Draw `text` on `image` with its baseline starting at `at` (pixels); `stroke` is the outline's width in pixels."""
    pen, (x, y) = ImageDraw.Draw(image), at
    with _LOCK:
        for run, path in runs(text, style):
            font = _load(path, size)
            for piece in run if tracking else (run,):
                pen.text((x, y), piece, font=font, fill=fill, anchor="ls", stroke_width=stroke)
                x += font.getlength(piece) + tracking * size


def height(style: Style, size: int) -> tuple[int, int]:
    """The style's ascent and descent in pixels at `size` pixels per em."""
    with _LOCK:
        ascent, descent = _load(style_path(style), size).getmetrics()
    return ascent, descent


@lru_cache(maxsize=4096)
def runs(text: str, style: Style) -> tuple[tuple[str, Path], ...]:
    """`text` cut into (piece, font file) runs; joined emoji and accents stay with the character they belong to."""
    found: list[tuple[str, Path]] = []
    for cluster in clusters(literal(text)):
        path = _font_for(cluster, style)
        if path != _EMOJI:  # a text font draws a box for the selector that asks for the emoji look
            cluster = "".join(ch for ch in cluster if not 0xFE00 <= ord(ch) <= 0xFE0F)  # noqa: PLW2901
        if found and found[-1][1] == path:
            found[-1] = (found[-1][0] + cluster, path)
        elif cluster:
            found.append((cluster, path))
    return tuple(found)


def right_to_left(text: str) -> bool:
    """Whether the first letter with a direction reads from right to left (Arabic, Hebrew)."""
    strong = (unicodedata.bidirectional(ch) for ch in text)
    return next((d != "L" for d in strong if d in ("L", "R", "AL")), False)


def clusters(text: str) -> list[str]:
    """`text` in pieces that must not be parted: a letter with its accents, an emoji with all that is joined to it."""
    found: list[str] = []
    for ch in text:
        code = ord(ch)
        sticks = code in (_JOINER, _KEYCAP) or 0xFE00 <= code <= 0xFE0F or 0x1F3FB <= code <= 0x1F3FF
        if found and (sticks or unicodedata.category(ch)[0] == "M" or ord(found[-1][-1]) == _JOINER):
            found[-1] += ch
        else:
            found.append(ch)
    return found


def _font_for(cluster: str, style: Style) -> Path:
    wanted = "\ufe0f" in cluster or chr(_KEYCAP) in cluster
    if wanted and _has(_EMOJI, cluster[0]):
        return _EMOJI
    visible = [ch for ch in cluster if not _invisible(ch)] or [" "]
    for path in _fallbacks(style, visible[0]):
        if all(_has(path, ch) for ch in visible):
            return path
    return next((p for p in _fallbacks(style, visible[0]) if _has(p, visible[0])), style_path(style))


def _invisible(ch: str) -> bool:
    return ch.isspace() or unicodedata.category(ch) in ("Cf", "Cc") or 0xFE00 <= ord(ch) <= 0xFE0F


def _fallbacks(style: Style, ch: str) -> tuple[Path, ...]:
    near = (style_path(style), style_path("caption"), _EMOJI)
    return near if any(_has(path, ch) for path in near) else near + _system_fonts()


@cache
def _system_fonts() -> tuple[Path, ...]:
    places = ["/usr/share/fonts", "/usr/local/share/fonts", "~/.fonts", "~/.local/share/fonts"]
    if sys.platform == "darwin":
        places += ["/System/Library/Fonts", "/Library/Fonts", "~/Library/Fonts"]
    found = [
        Path(folder) / name
        for place in places
        for folder, _, names in os.walk(os.path.expanduser(place))
        for name in names
        if name.lower().endswith((".ttf", ".otf", ".ttc")) and "mono" not in name.lower()
    ]
    # Noto first, sans before serif, upright bold before others; the name last, so that the order never varies.
    wish = ("Noto", "Sans", "Bold")
    return tuple(
        sorted(
            found, key=lambda p: (*(w not in p.name for w in wish), "Italic" in p.name or "Oblique" in p.name, str(p))
        )
    )


@lru_cache(maxsize=256)
def _load(path: Path, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(path), size)


def _has(path: Path, ch: str) -> bool:
    return ord(ch) in _coverage(path)


@lru_cache(maxsize=512)
def _coverage(path: Path) -> frozenset[int]:
    """Every code point a font file maps to a glyph: OpenType's cmap table, formats 4 and 12 (all a modern font has)."""
    data = path.read_bytes()
    try:
        start = struct.unpack_from(">I", data, 12)[0] if data[:4] == b"ttcf" else 0
        tables = (struct.unpack_from(">4sIII", data, start + 12 + 16 * i) for i in range(_u16(data, start + 4)))
        cmap = next(offset for tag, _, offset, _ in tables if tag == b"cmap")
        codes: set[int] = set()
        for i in range(_u16(data, cmap + 2)):
            platform, _, offset = struct.unpack_from(">HHI", data, cmap + 4 + 8 * i)
            if platform in (0, 3):
                codes |= _subtable(data, cmap + offset)
    except (struct.error, StopIteration):  # not a font after all: it draws nothing
        return frozenset()
    return frozenset(codes)


def _subtable(data: bytes, at: int) -> set[int]:
    codes: set[int] = set()
    if (form := _u16(data, at)) == 12:
        for i in range(struct.unpack_from(">I", data, at + 12)[0]):
            first, last, _ = struct.unpack_from(">III", data, at + 16 + 12 * i)
            codes.update(range(first, min(last, 0x10FFFF) + 1))
    elif form == 4:
        count = _u16(data, at + 6) // 2
        for i in range(count):
            last, first = _u16(data, at + 14 + 2 * i), _u16(data, at + 16 + 2 * (count + i))
            if first != 0xFFFF:
                codes.update(range(first, last + 1))
    return codes


def _u16(data: bytes, at: int) -> int:
    return int(struct.unpack_from(">H", data, at)[0])
