"""What is said, as text: WebVTT and SubRip captions, and a transcript to read."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

Cue = tuple[float, float, str]  # start and end in seconds, and the words

WIDTH = 32  # characters a line, as in the picture


def vtt(cues: Sequence[Cue]) -> str:
    """WebVTT (W3C, "WebVTT: The Web Video Text Tracks Format"), with `&`, `<`, `>` and so `-->` escaped in the text."""
    blocks = ["WEBVTT\n"]
    for start, end, text in _ready(cues):
        escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        blocks.append(f"{_clock(start, '.')} --> {_clock(end, '.')}\n{escaped}\n")
    return "\n".join(blocks)


def srt(cues: Sequence[Cue]) -> str:
    """SubRip. The format has no escapes: `<` and `-->` would be read as markup, so look-alikes take their place."""
    blocks = []
    for number, (start, end, text) in enumerate(_ready(cues), 1):
        plain = text.replace("-->", "→").replace("<", "‹").replace(">", "›")
        blocks.append(f"{number}\n{_clock(start, ',')} --> {_clock(end, ',')}\n{plain}\n")
    return "\n".join(blocks)


def transcript(scenes: Sequence[str]) -> str:
    """The whole text, one paragraph a scene; empty scenes are left out."""
    paragraphs = (" ".join(scene.split()) for scene in scenes)
    return "\n\n".join(paragraph for paragraph in paragraphs if paragraph) + "\n"


def wrapped(text: str, width: int = WIDTH) -> str:
    """`text` in as few lines of at most `width` characters as needed, about equally long; longer words stay whole."""
    words = text.split()
    lines = _greedy(words, width)
    # As many lines as at full width, but as narrow as that allows: "a b c d / e" becomes "a b c / d e".
    narrow = width
    while narrow > 1 and len(_greedy(words, narrow - 1)) == len(lines):
        narrow -= 1
    return "\n".join(_greedy(words, narrow))


def _greedy(words: Sequence[str], width: int) -> list[str]:
    lines: list[str] = []
    for word in words:
        if lines and len(lines[-1]) + 1 + len(word) <= width:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines


def _ready(cues: Sequence[Cue]) -> list[Cue]:
    """The cues in order, wrapped, none empty, none under a millisecond. Raises ValueError for impossible times."""
    out = []
    for start, end, text in sorted(cues):
        if start < 0 or end <= start:
            raise ValueError(f"a caption cannot go from {start} s to {end} s")
        # A blank line would end a cue, and zero bytes end everything: all white space becomes a space or a line break.
        words = wrapped("".join(c for c in text if c.isspace() or unicodedata.category(c) not in {"Cc", "Cs"}))
        if words:
            out.append((start, max(end, start + 0.001), words))
    return out


def _clock(seconds: float, point: str) -> str:
    """Seconds as 00:01:02.345, with the given decimal point."""
    whole = round(seconds * 1000)
    return f"{whole // 3_600_000:02}:{whole // 60_000 % 60:02}:{whole // 1000 % 60:02}{point}{whole % 1000:03}"
