"""Is this the same photo again? The same bytes by SHA-256, the same picture by a perceptual hash."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import cv2
import numpy as np

from pipeline.media import stills

if TYPE_CHECKING:
    from pathlib import Path

    from PIL import Image

# Bits of 64 that may differ. Measured: saved again, scaled or cropped by 2 % a side stays within 12; pairs of different
# photos start at 18 and lie around 32.
NEAR = 12


def picture_hash(image: Path | Image.Image) -> str:
    """64 bits as 16 hex digits: which of the 8×8 lowest cosine terms of the 32×32 luma lie above their median.

    This is the "pHash" of Zauner, "Implementation and Benchmarking of Perceptual Image Hash Functions" (2010). The
    picture must be upright; it survives scaling, saving again and small changes of light or crop.
    """
    luma = cv2.resize(stills.grey(image, 256).astype(np.float32), (32, 32), interpolation=cv2.INTER_AREA)
    low = cv2.dct(luma)[:8, :8].ravel()
    bits = low > np.median(low[1:])  # without the first term, which is only the mean brightness
    return np.packbits(bits).tobytes().hex()


def distance(a: str, b: str) -> int:
    """How many of the 64 bits of two picture hashes differ."""
    return (int(a, 16) ^ int(b, 16)).bit_count()


def alike(a: str, b: str) -> bool:
    """Whether two picture hashes are of what people would call the same photo."""
    return distance(a, b) <= NEAR


def file_hash(path: Path) -> str:
    """SHA-256 of the file's bytes, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def same_file(a: Path, b: Path) -> bool:
    """Whether two files hold the same bytes, whatever they are called."""
    return a.stat().st_size == b.stat().st_size and file_hash(a) == file_hash(b)
