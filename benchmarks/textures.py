"""Made-up photos with as much detail at every size as photographs have, for benchmarks without any at hand."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

SIZES = ((3000, 4000), (4000, 3000), (3000, 3000), (2600, 3900))  # 9 to 12 megapixels


def photos(folder: Path) -> list[Path]:
    """One photo for each of SIZES, written as JPEG; the same every time.

    Natural pictures have amplitudes of about one over the frequency (Field, "Relations between the statistics of
    natural images and the response properties of cortical cells", JOSA A 1987). Made by a process of its own: what that
    takes would count as the memory of whatever is measured next.
    """
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as elsewhere:
        return elsewhere.submit(_written, folder).result()


def _written(folder: Path) -> list[Path]:
    made = []
    for seed, (width, height) in enumerate(SIZES):
        chance = np.random.default_rng(seed)
        light, warmth = _natural(chance, width, height, 45.0), _natural(chance, width, height, 12.0)
        rgb = np.stack([light + warmth, light, light - warmth], -1) + np.float32(120)
        made.append(folder / f"texture-{seed}.jpg")
        Image.fromarray(np.clip(rgb, 0, 255).astype(np.uint8)).save(made[-1], quality=92)
    return made


def _natural(chance: np.random.Generator, width: int, height: int, strength: float) -> np.ndarray:
    """(height, width), around 0, of that standard deviation."""
    h, w = cv2.getOptimalDFTSize(height), cv2.getOptimalDFTSize(width)
    spectrum = np.fft.rfft2(chance.standard_normal((h, w), np.float32))
    frequency = np.hypot(np.fft.fftfreq(h)[:, None], np.fft.rfftfreq(w)[None, :])
    frequency[0, 0] = 1.0
    drawn = np.fft.irfft2(spectrum / frequency, (h, w))[:height, :width]
    return np.asarray(drawn * (strength / drawn.std()), np.float32)
