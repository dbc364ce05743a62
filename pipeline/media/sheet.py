"""A contact sheet: frames of a finished film side by side in one small JPEG, each to be found by its second."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from pipeline.media.meters import frames_at
from pipeline.media.probe import BadMedia, probe

LONGER = 320  # pixels on a frame's longer side: twice what a page shows, once what a thumb can tell apart
ACROSS = 6
MOST = 36  # frames on a sheet
_NEAR = 0.2  # seconds: two places so near show the same
# Where a scene is looked at, as shares of its length: what it begins with may still be dissolving.
_SHARES = (0.2, 0.5, 0.8)


@dataclass(frozen=True)
class Sheet:
    """What stands where: the frame of `seconds[i]` is the i-th tile, row by row, `across` in a row."""

    tile: tuple[int, int]
    across: int
    seconds: tuple[float, ...]


def places(scenes: Iterable[Sequence[float]], evidence: Iterable[float], length: float) -> tuple[float, ...]:
    """The seconds worth a look: the beginning and the end, three of every scene's, and where something was found."""
    spans = [(span[0], span[1]) for span in scenes]
    # Evidence first: where there is too much of everything, that stays.
    wanted = [*evidence, 0.5, length - 0.7]
    wanted += [start + share * (end - start) for share in (_SHARES[1], _SHARES[0], _SHARES[2]) for start, end in spans]
    kept: list[float] = []
    for second in (min(max(0.0, asked), max(0.0, length - 0.1)) for asked in wanted):
        if len(kept) < MOST and all(abs(second - other) >= _NEAR for other in kept):
            kept.append(round(second, 3))
    return tuple(sorted(kept))


def make(film: Path, seconds: Sequence[float], out: Path) -> Sheet:
    """Write the sheet of these seconds' frames, which are in order of time, to `out`. Raises BadMedia."""
    media = probe(film)
    if not (media.width and media.height and seconds):
        raise BadMedia("There is nothing to be shown of this film.")
    scale = LONGER / max(media.width, media.height)
    tile = (max(2, round(media.width * scale)), max(2, round(media.height * scale)))
    across = min(ACROSS, len(seconds))
    sheet = Image.new("RGB", (tile[0] * across, tile[1] * math.ceil(len(seconds) / across)))
    for number, (_second, frame) in enumerate(frames_at(film, seconds)):
        small = Image.fromarray(frame).resize(tile, Image.Resampling.LANCZOS)
        sheet.paste(small, (number % across * tile[0], number // across * tile[1]))
    sheet.save(out, "JPEG", quality=80, optimize=True)
    return Sheet(tile, across, tuple(seconds))
