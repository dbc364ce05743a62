"""Photos of one film look as if they belonged together: too dark or light ones and colour casts are nudged, no more.

Each photo is measured against the same aim, so that what one looks like does not depend on its neighbours, and what is
encoded of it stays good when they change.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]

LIGHT = (0.34, 0.62)  # where a photo's mean lightness (CIE L*, 0 to 1) needs no help
LOW_KEY = 0.6  # L* that a hundredth of the pixels reach where a dark photo has its lights: it is meant to be dark
_EXPOSURE = 0.6  # of the way to the aim is gone
_GAMMA = (0.78, 1.22)
UNDER, _LIFT = 0.45, 0.6  # L* that hardly a pixel reaches where far too little light was taken, and its least gamma
_NEUTRAL = 14.0  # CIE chroma: what may be grey under another light
_GREYS = 0.06  # share of the picture that must be, or nothing is known of the light
_CAST = 0.5  # of a cast is taken away
_SHIFT = 0.035  # at most, of a channel's value
_NO_CHANGE = 0.004


def look_up(rgb: Bytes) -> Bytes | None:
    """The table, (256, 3), that grades a photo, from a small (h, w, 3) copy of it; None where it is well as it is.

    Lightness goes part of the way into `LIGHT` by a gamma. Of the colour cast of its near-greys (the grey-world
    assumption, on those pixels alone that could be grey) half is taken away, and never towards orange: red gains
    nothing and blue loses nothing, because that is where faces suffer.
    """
    small = np.asarray(cv2.resize(rgb, (64, 64), interpolation=cv2.INTER_AREA), np.float32) / np.float32(255)
    lab = np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2LAB), np.float32)
    gamma = _gamma(lab[..., 0] / np.float32(100))
    gains = _gains(small, lab)
    if abs(gamma - 1) < _NO_CHANGE and np.abs(gains - 1).max() < _NO_CHANGE:
        return None
    steps = np.linspace(0, 1, 256, dtype=np.float32)[:, None] ** gamma
    # Black stays black and white stays white: a cast lies in the middle tones.
    bent = steps * (1 + (gains - 1) * 4 * steps * (1 - steps))
    return np.asarray(np.clip(bent * 255 + 0.5, 0, 255), np.uint8)


def apply(rgb: Bytes, table: Bytes) -> Bytes:
    """An (h, w, 3) picture through the table of `look_up`."""
    return np.asarray(cv2.LUT(rgb, table[None]), np.uint8)


def _gamma(light: NDArray[np.float32]) -> float:
    mean = float(light.mean())
    if mean < LIGHT[0]:
        lights = float(np.percentile(light, 99))
        if lights > LOW_KEY:
            return 1.0
        aim, least = LIGHT[0], _GAMMA[0] if lights > UNDER else _LIFT
    elif mean > LIGHT[1]:
        aim, least = LIGHT[1], _GAMMA[0]
    else:
        return 1.0
    mean = min(0.98, max(0.02, mean))
    aim = mean + (aim - mean) * _EXPOSURE
    return float(np.clip(np.log(aim) / np.log(mean), least, _GAMMA[1]))


def _gains(rgb: NDArray[np.float32], lab: NDArray[np.float32]) -> NDArray[np.float32]:
    chroma = np.hypot(lab[..., 1], lab[..., 2])
    grey = (chroma < _NEUTRAL) & (lab[..., 0] > 18) & (lab[..., 0] < 94)
    if grey.mean() < _GREYS:
        return np.ones(3, np.float32)
    mean = rgb[grey].mean(axis=0)
    gains = 1 + (mean.mean() / np.maximum(mean, 1e-3) - 1) * _CAST
    red, green, blue = np.clip(gains, 1 - _SHIFT, 1 + _SHIFT)
    return np.array([min(1.0, red), green, max(1.0, blue)], np.float32)
