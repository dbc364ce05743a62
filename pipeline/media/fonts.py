"""Which font draws which character: the film's own fonts, emoji, Noto for other scripts, the system's."""

from __future__ import annotations

import os
import re
import struct
import sys
import unicodedata
from collections.abc import Iterator
from functools import cache, lru_cache
from importlib.resources import files
from itertools import chain
from pathlib import Path
from threading import RLock
from typing import Literal

from PIL import Image, ImageDraw, ImageFont, features

Style = Literal["caption", "caption-serif", "caption-round", "label", "title", "title-round", "note"]

_STYLES: dict[Style, tuple[str, str]] = {
    "caption": ("font_manrope", "Manrope-Bold.ttf"),
    "caption-serif": ("font_source_serif_pro", "SourceSerifPro-Bold.ttf"),
    "caption-round": ("font_fredoka_one", "FredokaOne-Regular.ttf"),
    "label": ("font_manrope", "Manrope-SemiBold.ttf"),
    "title": ("font_source_serif_pro", "SourceSerifPro-Semibold.ttf"),
    "title-round": ("font_fredoka_one", "FredokaOne-Regular.ttf"),
    "note": ("font_manrope", "Manrope-Medium.ttf"),
}
_LIGHTER = {"title": 600, "label": 600, "note": 500}  # what a variable font is set to; captions are bold
# Both Noto Emoji are bundled beside this file (see NotoEmoji-OFL.txt). The one in colour holds what people send each
# other most and their combinations, as bitmaps of one size; the other one has a shape for every emoji.
_EMOJI = Path(__file__).parent / "fonts" / "NotoEmoji-Bold.ttf"
_COLOUR = Path(__file__).parent / "fonts" / "NotoColorEmoji-Common.ttf"
_STRIKE, _COLOUR_SCALE = 109, 0.9  # pixels per em of its bitmaps; how large it is set beside letters
_JOINER, _KEYCAP = 0x200D, 0x20E3
# Scripts that come out in the wrong order or shape unless HarfBuzz and FriBiDi set them: Hebrew to Myanmar, Khmer.
_SHAPED = ((0x0590, 0x109F), (0x1780, 0x17FF), (0xFB1D, 0xFDFF), (0xFE70, 0xFEFC))
# FreeType faces may not be used by two threads at once, and Pillow keeps no lock of its own.
_LOCK = RLock()


@cache
def style_path(style: Style) -> Path:
    """The font file a style is set in."""
    package, name = _STYLES[style]
    return Path(str(files(package) / "files" / name))


def literal(text: str) -> str:
    """`text` as it can be drawn on one line: line breaks and control characters become spaces, nothing else changes."""
    return "".join(" " if unicodedata.category(ch) in ("Cc", "Zl", "Zp") else ch for ch in text)


def missing_glyphs(text: str) -> set[str]:
    """The characters of `text` that nothing at hand can draw: no font has them, or nobody here can shape their script.

    They would show as an empty box or as a jumble. Pillow's wheels hold HarfBuzz, but take FriBiDi from the machine.
    """
    shapes = shaping()
    return {
        ch
        for ch in literal(text)
        if not _invisible(ch)
        and (
            (not shapes and any(first <= ord(ch) <= last for first, last in _SHAPED))
            or not any(_has(path, ch) for path in _candidates("caption"))
        )
    }


@cache
def shaping() -> bool:
    """Whether Arabic, Hebrew and Indic scripts can be set on this machine."""
    return bool(features.check("raqm"))


def width(text: str, style: Style, size: int, *, tracking: float = 0.0) -> float:
    """How far `text` advances in pixels at `size` pixels per em; `tracking` is extra space per character, in em."""
    way = _way(text)
    with _LOCK:
        drawn = sum(_advance(run, path, style, size, way) for run, path in runs(text, style))
    return float(drawn) + tracking * size * len(text)


def draw(
    image: Image.Image,
    at: tuple[float, float],
    text: str,
    style: Style,
    size: int,
    *,
    fill: tuple[int, ...] | int,
    tracking: float = 0.0,
) -> None:
    """Draw `text` on `image` with its baseline starting at `at` (pixels); emoji as shapes of that colour."""
    pen, (x, y), way = ImageDraw.Draw(image), at, _way(text)
    with _LOCK:
        for run, path in _as_seen(text, style):
            # Letters that join or swap places must stay together.
            for piece in clusters(run) if tracking and path == style_path(style) else (run,):
                if path == _COLOUR:
                    for place, emoji in _emoji(piece, (x, y), size):
                        image.paste(fill, place, emoji.getchannel("A"))
                else:
                    pen.text((x, y), piece, font=_font(path, style, size), fill=fill, anchor="ls", direction=way)
                x += _advance(piece, path, style, size, way) + tracking * size * len(piece)


def tint(image: Image.Image, at: tuple[float, float], text: str, style: Style, size: int) -> None:
    """Paint those emoji of a `text` that was drawn at `at` in colour, on an RGB or RGBA `image`."""
    (x, y), way = at, _way(text)
    with _LOCK:
        for run, path in _as_seen(text, style):
            if path == _COLOUR:
                for place, emoji in _emoji(run, (x, y), size):
                    image.paste(emoji, place, emoji.getchannel("A"))
            x += _advance(run, path, style, size, way)


def height(style: Style, size: int) -> tuple[int, int]:
    """The style's ascent and descent in pixels at `size` pixels per em."""
    with _LOCK:
        ascent, descent = _font(style_path(style), style, size).getmetrics()
    return ascent, descent


@lru_cache(maxsize=4096)
def runs(text: str, style: Style) -> tuple[tuple[str, Path], ...]:
    """`text` cut into (piece, font file) runs; joined emoji and accents stay with the character they belong to.

    A word is set in one font where one has all of it: a name must not change its face at one letter.
    """
    found: list[tuple[str, Path]] = []
    for word in re.findall(r"\s+|\S+", literal(text)):
        whole = _whole(word, style)
        for cluster in clusters(word):
            path = _emoji_font(cluster) or whole or _font_for(cluster, style)
            if word.isspace() and found and found[-1][1] not in (_EMOJI, _COLOUR):
                path = found[-1][1]
            if path not in (_EMOJI, _COLOUR):  # a text font draws a box for the selector that asks for the emoji look
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


def in_order(words: list[str], *, backwards: bool) -> list[int]:
    """In which order `words` stand from left to right in a line that reads from right to left if `backwards`.

    Words that read the other way keep their own order among themselves (Unicode's bidirectional algorithm, by words).
    """
    ways = [next((d != "L" for d in map(unicodedata.bidirectional, w) if d in ("L", "R", "AL")), None) for w in words]
    order: list[int] = []
    at = 0
    while at < len(words):
        end = at + 1
        if ways[at] is (not backwards):
            after = at + 1
            while after < len(words) and ways[after] in (None, not backwards):
                after += 1
                end = after if ways[after - 1] is not None else end
        run = list(range(at, end))
        order += run[::-1] if end - at > 1 else run
        at = end
    return order[::-1] if backwards else order


def clusters(text: str) -> list[str]:
    """`text` in pieces that must not be parted: a letter with its accents, an emoji with all that is joined to it."""
    found: list[str] = []
    for ch in text:
        code = ord(ch)
        sticks = code in (_JOINER, _KEYCAP) or 0xFE00 <= code <= 0xFE0F or 0x1F3FB <= code <= 0x1F3FF
        sticks |= unicodedata.category(ch)[0] == "M"
        if found:
            last = found[-1][-1]
            flag = len(found[-1]) == 1 and _is_flag(last) and _is_flag(ch)
            conjunct = unicodedata.combining(last) == 9 and ch.isalpha()  # a virama binds the next consonant
            sticks |= flag or conjunct or ord(last) == _JOINER
        if found and sticks:
            found[-1] += ch
        else:
            found.append(ch)
    return found


def _is_flag(ch: str) -> bool:
    return 0x1F1E6 <= ord(ch) <= 0x1F1FF


def _way(text: str) -> Literal["rtl"] | None:
    return "rtl" if shaping() and right_to_left(text) else None


def _as_seen(text: str, style: Style) -> tuple[tuple[str, Path], ...]:
    found = runs(text, style)
    return found[::-1] if right_to_left(text) else found


def _emoji_font(cluster: str) -> Path | None:
    """The font for a cluster that is an emoji: in colour where there is a bitmap of just that, otherwise as a shape."""
    wanted = "\ufe0f" in cluster or chr(_KEYCAP) in cluster
    if not _has(_EMOJI, cluster[0]) or not (wanted or not _has_text(cluster[0])):
        return None
    visible = [ch for ch in cluster if not _invisible(ch)]
    return _COLOUR if all(_has(_COLOUR, ch) for ch in visible) and _is_one(cluster) else _EMOJI


def _has_text(ch: str) -> bool:
    return any(_has(style_path(style), ch) for style in ("caption", "title"))


@lru_cache(maxsize=1024)
def _is_one(cluster: str) -> bool:
    """Whether the colour font makes one picture of it: what it cannot join would stand side by side."""
    with _LOCK:
        font = _load(_COLOUR, _STRIKE, 0)
        return bool(0 < font.getlength(cluster) < 1.5 * font.getlength("⭐"))


@lru_cache(maxsize=256)
def _emoji_picture(cluster: str, size: int) -> Image.Image:
    """One emoji in colour at `size` pixels per em, with its baseline at 4/5 of the picture's height."""
    font = _load(_COLOUR, _STRIKE, 0)
    picture = Image.new("RGBA", (round(font.getlength(cluster)), 160))
    ImageDraw.Draw(picture).text((0, 128), cluster, font=font, embedded_color=True, anchor="ls")
    scale = size / _STRIKE * _COLOUR_SCALE
    area = max(1, round(picture.width * scale)), max(1, round(picture.height * scale))
    return picture.resize(area, Image.Resampling.LANCZOS)


def _emoji(run: str, at: tuple[float, float], size: int) -> Iterator[tuple[tuple[int, int], Image.Image]]:
    x, y = at
    for cluster in clusters(run):
        picture = _emoji_picture(cluster, size)
        yield (round(x), round(y - 0.8 * picture.height)), picture
        x += picture.width


def _advance(run: str, path: Path, style: Style, size: int, way: Literal["rtl"] | None) -> float:
    if path == _COLOUR:
        return float(sum(_emoji_picture(cluster, size).width for cluster in clusters(run)))
    return float(_font(path, style, size).getlength(run, direction=way))


def _whole(word: str, style: Style) -> Path | None:
    """The first of our own fonts that has every letter of a word; emoji do not count."""
    letters = {ch for cluster in clusters(word) if _emoji_font(cluster) is None for ch in cluster}
    letters = {ch for ch in letters if not _invisible(ch)}
    own = (path for path in (style_path(style), style_path("caption"), *_packaged()) if letters <= _coverage(path))
    return next(own, None) if letters else None


def _font_for(cluster: str, style: Style) -> Path:
    visible = [ch for ch in cluster if not _invisible(ch)] or [" "]
    whole = (p for p in _candidates(style) if all(_has(p, ch) for ch in visible))
    part = (p for p in _candidates(style) if _has(p, visible[0]))
    return next(whole, None) or next(part, None) or style_path(style)


def _invisible(ch: str) -> bool:
    return ch.isspace() or unicodedata.category(ch) in ("Cf", "Cc") or 0xFE00 <= ord(ch) <= 0xFE0F


def _candidates(style: Style) -> Iterator[Path]:
    """All fonts there are for a style, best first; the system's are looked for only by who comes that far."""
    yield from (style_path(style), style_path("caption"), _EMOJI, *_packaged())
    yield from _system_fonts()


@cache
def _packaged() -> tuple[Path, ...]:
    """Noto for other scripts, from its packages: Latin, Greek and Cyrillic first, Chinese and its neighbours last."""
    noto = Path(str(files("manimgx_fonts")))
    found = sorted(path for path in noto.glob("NotoSans*.ttf") if "Italic" not in path.name)
    found.sort(key=lambda path: (not path.name.startswith("NotoSans["), "Symbols" in path.name))
    return (*found, Path(str(files("noto_cjk_sans_jp_bold") / "NotoSansCJKjp-Bold.otf")))


@cache
def _system_fonts() -> tuple[Path, ...]:
    places = ["/usr/share/fonts", "/usr/local/share/fonts", "~/.fonts", "~/.local/share/fonts"]
    if sys.platform == "darwin":
        places += ["/System/Library/Fonts", "/Library/Fonts", "~/Library/Fonts"]
    found = [
        Path(folder) / name
        for folder, _, names in chain.from_iterable(os.walk(os.path.expanduser(place)) for place in places)
        for name in names
        if name.lower().endswith((".ttf", ".otf", ".ttc")) and "mono" not in name.lower()
    ]
    # Noto first, sans before serif, upright bold before others; the name last, so that the order never varies.
    # One in colour has bitmaps of one size only, which is not ours.
    wish = ("Noto", "Sans", "Bold")
    return tuple(
        sorted(
            (path for path in found if "Color" not in path.name),
            key=lambda p: (*(w not in p.name for w in wish), "Italic" in p.name or "Oblique" in p.name, str(p)),
        )
    )


def _font(path: Path, style: Style, size: int) -> ImageFont.FreeTypeFont:
    return _load(path, size, _LIGHTER.get(style, 700))


@lru_cache(maxsize=256)
def _load(path: Path, size: int, weight: int) -> ImageFont.FreeTypeFont:
    font = ImageFont.truetype(str(path), size)
    if "[wght]" in path.name:
        font.set_variation_by_axes([weight])
    return font


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
