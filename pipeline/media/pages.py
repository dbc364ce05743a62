"""Is this a page or a screen rather than a photograph? A letter, a ticket, a chat: nobody may cut a word off it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image

_LONGEST, _CELL = 768, 8  # pixels looked at on the longer side, and of a cell
_FLAT, _WRITTEN = 2.5, 14.0  # of 255, standard deviation in a cell: paper at the most, ink on it at the least
_NEAR = 7  # of 255: how far paper may be from the paper around it
_BARE = 0.4  # of a written cell is bare paper: leaves and grass have no ground of one brightness
_DARKEST = 56  # a black ground with lights on it is a night sky
_PAPER, _INK = 0.3, 0.085  # shares of all cells: flat ones, and written ones; photographs come to 0.05 of these


def is_page(path: Path) -> bool:
    """Whether a picture is mostly even ground with writing or drawing on it.

    Cells of 8 pixels are compared with the median of what lies around them, so that a lamp's light over a page does not
    matter: at least three in ten are flat, and at least one in twenty has strong edges on that same ground.
    Photographs have skies as flat, and nothing written on them.
    """
    paper, ink = shares(path)
    return paper >= _PAPER and ink >= _INK


def shares(path: Path) -> tuple[float, float]:
    """Which shares of a picture's cells are bare paper, and have something written on it."""
    with Image.open(path) as image:
        image.draft("L", (_LONGEST, _LONGEST))
        small = image.convert("L")
        small.thumbnail((_LONGEST, _LONGEST), Image.Resampling.BOX)
    rows, columns = small.height // _CELL, small.width // _CELL
    if not rows or not columns:
        return 0.0, 0.0
    grey = np.asarray(small)[: rows * _CELL, : columns * _CELL]
    ground = cv2.medianBlur(grey, 6 * _CELL + 1)
    near = _cells(np.abs(grey.astype(np.int16) - ground) <= _NEAR, rows, columns).mean(axis=1)
    spread = _cells(grey, rows, columns).std(axis=1)
    light = _cells(ground, rows, columns).mean(axis=1) >= _DARKEST
    flat = light & (spread < _FLAT) & (near > 0.9)
    written = light & (spread > _WRITTEN) & (near >= _BARE)
    return float(flat.mean()), float(written.mean())


def _cells(values: np.ndarray[Any, Any], rows: int, columns: int) -> np.ndarray[Any, np.dtype[np.float32]]:
    parts = values.reshape(rows, _CELL, columns, _CELL).swapaxes(1, 2)
    return np.asarray(parts.reshape(rows * columns, _CELL * _CELL), np.float32)
