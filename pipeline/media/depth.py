"""Depth in a photo: who stands in front moves a little more than what is behind them, as in a camera that moves.

Nothing is cut out. A matte says where people are; the picture is bent so that they move as one piece, whole to the last
hair, and what is near them gives way softly. There is no edge that could tear, and no hole that would have to be
painted.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pipeline.media import frames
from pipeline.media.frames import Bytes, Planes
from pipeline.media.motion import Box, CameraPath

Map = NDArray[np.float32]

_LOOK, _KEPT = 192, 96  # pixels of the photo's longer side: where people are looked for, and what is kept of it
_AGREE = 0.93  # shared area of three looks with other guesses of how wide a body is; sure mattes have 0.95 to 0.99
_AREA = (0.06, 0.85)  # of the photo: less is no foreground, more has no background
_SHARP = 1.2  # how much stronger than elsewhere the picture's edges are along the outline
_HEAD = 0.12  # of the photo's height: smaller people are part of the scene
_MOST_FACES = 3
GROW, SHIFT = 0.03, 0.016  # how much nearer people come, and of the window's width, how far they drift, over a move
_ROOM, _RAMP = 0.025, 0.14  # of the photo's shorter side: what moves with people, and over which the rest gives way
_BENT = 0.15  # the most a line behind people is turned, or the picture stretched, at any place: 9 degrees
_STEP = 8  # pixels between the points where the bend is worked out


@dataclass(frozen=True, slots=True)
class Relief:
    """How the foreground of a shot moves against the rest, from the first to the last frame of its camera's move.

    `grow` is a share of its size about `centre`, `shift` pixels of the canvas sideways; `matte` as from `matte`.
    """

    matte: str
    centre: tuple[float, float]
    grow: tuple[float, float]
    shift: tuple[float, float]

    def at(self, share: float) -> tuple[float, float]:
        """How much it has grown and shifted at `share` (0 to 1), eased as the camera is."""
        t = min(1.0, max(0.0, share))
        t = t * t * (3 - 2 * t)
        return tuple(a + (b - a) * t for a, b in (self.grow, self.shift))  # type: ignore[return-value]


def matte(photo: Path, faces: Sequence[tuple[float, float, float, float]]) -> str:
    """Where the people of a photo are, as text (a small PNG in base64); empty where that is not certain.

    GrabCut (Rother, Kolmogorov and Blake, SIGGRAPH 2004) from what faces tell about bodies. It is certain where other
    guesses end in nearly the same outline, and where that runs along edges of the picture.
    """
    if not 1 <= len(faces) <= _MOST_FACES or max(face[3] for face in faces) < _HEAD:
        return ""
    with Image.open(photo) as source:
        source.draft("RGB", (2 * _LOOK, 2 * _LOOK))
        small = source.convert("RGB")
    small.thumbnail((_LOOK, _LOOK), Image.Resampling.BOX)
    rgb = np.asarray(small)
    found = _people(rgb, faces, 1.0)
    if not _AREA[0] <= float(found.mean()) <= _AREA[1] or found[0].any():
        return ""
    if _contrast_along(rgb, found) < _SHARP or any(
        _shared(found, _people(rgb, faces, k)) < _AGREE for k in (0.87, 1.15)
    ):
        return ""
    scale = _KEPT / max(found.shape)
    size = max(1, round(found.shape[1] * scale)), max(1, round(found.shape[0] * scale))
    kept = cv2.resize(found * 255, size, interpolation=cv2.INTER_AREA)
    _, png = cv2.imencode(".png", (kept >= 128).astype(np.uint8) * 255, [cv2.IMWRITE_PNG_BILEVEL, 1])
    return base64.b64encode(png.tobytes()).decode()


def relief(text: str, path: CameraPath, faces: Sequence[Box]) -> Relief | None:
    """The foreground's own move in a camera's move over a photo that fills the frame; None where there is none."""
    near = _near(text)
    if near is None or path.fill or path.kind == "travel" or not faces:
        return None
    w, h = path.canvas
    centre = np.mean([(face.x + face.w / 2, face.y + face.h / 2) for face in faces], axis=0) * (w, h)
    aside = path.end.x - path.start.x
    most = GROW * min(1.0, _BENT / max(1e-6, _bent(near, centre[0] / w, centre[1] / h)))
    free = float(max(near[:, 0].max(), near[:, -1].max())) < 0.1  # nobody is cut by the photo's own sides
    grow, shift = (0.0, most), (0.0, 0.0)
    if path.kind == "drift" and free and abs(aside) > abs(path.end.y - path.start.y):
        far = float(np.sign(aside)) * SHIFT / 2 * path.start.w
        grow, shift = (most / 3, most / 3), (far, -far)
    elif path.kind in ("pull_out", "reveal"):
        grow = (most, 0.0)
    return Relief(text, (float(centre[0]), float(centre[1])), grow, shift)


def _bent(near: Map, x: float, y: float) -> float:
    """How much the worst place is turned or stretched where the foreground grows by GROW about (x, y), in shares."""
    h, w = near.shape
    ways = near * (np.arange(w) - x * w), near * (np.arange(h) - y * h)[:, None]
    return GROW * max(float(np.abs(np.diff(way, axis=axis)).max()) for way in ways for axis in (0, 1))


def bend(
    source: Planes,
    window: Box,
    near: Map,
    about: tuple[float, float],
    moved: tuple[float, float],
    out: Planes,
) -> None:
    """As `frames.warp`, with the foreground grown about a point and shifted (`moved`, the latter in source pixels).

    `near` says for each eighth pixel of the source, without margins, how much it is foreground, 0 to 1.
    """
    w, h = out.size
    grow, shift = moved
    n, m = max(1, round(w / _STEP)), max(1, round(h / _STEP))
    kx, ky = window.w / n, window.h / m
    x = np.arange(n, dtype=np.float32) * kx + (window.x + kx / 2 - 0.5)
    y = np.arange(m, dtype=np.float32) * ky + (window.y + ky / 2 - 0.5)
    place = np.array(
        [[kx / _STEP, 0, (x[0] + 0.5) / _STEP - 0.5], [0, ky / _STEP, (y[0] + 0.5) / _STEP - 0.5]], np.float64
    )
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    here = cv2.warpAffine(near, place, (n, m), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    # Where the source of a pixel lies: against the way the foreground went.
    across = -here * (grow * (x - about[0]) + shift)[None, :]
    down = -here * (grow * (y - about[1]))[:, None]
    for plane, to, half in ((source.y, out.y, 1), (source.u, out.u, 2), (source.v, out.v, 2)):
        tall, wide = to.shape
        kx, ky = window.w / w, window.h / h
        left = (window.x if half == 1 else window.x / 2 - kx / 4) + kx / 2 - 0.5 + frames.MARGIN
        top = window.y / half + ky / 2 - 0.5 + frames.MARGIN
        if half == 1 or plane is source.u:  # the two planes of colour are bent alike
            to_x = np.asarray(cv2.resize(across / half, (wide, tall), interpolation=cv2.INTER_LINEAR), np.float32)
            to_y = np.asarray(cv2.resize(down / half, (wide, tall), interpolation=cv2.INTER_LINEAR), np.float32)
            to_x += (np.arange(wide, dtype=np.float32) * kx + np.float32(left))[None, :]
            to_y += (np.arange(tall, dtype=np.float32) * ky + np.float32(top))[:, None]
        cv2.remap(plane, to_x, to_y, cv2.INTER_LINEAR, dst=to, borderMode=cv2.BORDER_REPLICATE)


def near_on(text: str, photo: tuple[float, float], visited: Box, size: tuple[int, int]) -> Map | None:
    """The foreground of `visited` (pixels of the photo) for a stage of `size` pixels, as `bend` takes it."""
    near = _near(text)
    if near is None:
        return None
    n, m = max(1, round(size[0] / _STEP)), max(1, round(size[1] / _STEP))
    kx, ky = near.shape[1] / photo[0], near.shape[0] / photo[1]
    sx, sy = visited.w / n * kx, visited.h / m * ky
    place = np.array([[sx, 0, visited.x * kx + sx / 2 - 0.5], [0, sy, visited.y * ky + sy / 2 - 0.5]], np.float64)
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    drawn = cv2.warpAffine(near, place, (n, m), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(np.clip(drawn, 0, 1), np.float32)


@lru_cache(maxsize=16)
def _near(text: str) -> Map | None:
    """1 where people are and a little around them, softly falling to 0; None for no matte."""
    try:
        raw = np.frombuffer(base64.b64decode(text, validate=True), np.uint8)
        picture = cv2.imdecode(raw, cv2.IMREAD_GRAYSCALE) if raw.size else None
    except (binascii.Error, ValueError, cv2.error):
        return None
    if picture is None:
        return None
    short = min(picture.shape)
    far = cv2.distanceTransform((picture < 128).astype(np.uint8), cv2.DIST_L2, 5)
    t = np.clip((far - _ROOM * short) / (_RAMP * short), 0, 1)
    return np.asarray(cv2.GaussianBlur(1 - t * t * (3 - 2 * t), (0, 0), max(0.8, 0.02 * short)), np.float32)


def _people(rgb: Bytes, faces: Sequence[tuple[float, float, float, float]], broad: float) -> Bytes:
    """1 where people are, by GrabCut; `broad` is the guess of how wide bodies are, against the usual."""
    h, w = rgb.shape[:2]
    guess = np.full((h, w), cv2.GC_BGD, np.uint8)
    # From what may be to what is: around the head and a body that widens below it; head and trunk; face and breast.
    for wide, kind in ((True, cv2.GC_PR_BGD), (False, cv2.GC_PR_FGD)):
        for x, y, fw, fh in (_scaled(face, w, h) for face in faces):
            cx, cy = x + fw / 2, y + fh / 2
            head = (0.95 * broad, 0.85 * broad) if wide else (0.55, 0.52)
            neck, shoulder, hip, from_, to = (0.9, 2.2, 2.4, 0.75, 2.0) if wide else (0.35, 1.3, 1.5, 0.9, 1.6)
            right = [(neck * (broad if wide else 1), from_), (shoulder * broad, to), (hip * broad, h / fh)]
            body = [(cx + a * fw, y + b * fh) for a, b in right] + [(cx - a * fw, y + b * fh) for a, b in right[::-1]]
            cv2.ellipse(guess, (int(cx), int(cy)), (int(head[0] * fw), int(head[1] * fh)), 0, 0, 360, kind, -1)
            cv2.fillPoly(guess, [np.array(body, np.int32)], kind)
    for x, y, fw, fh in (_scaled(face, w, h) for face in faces):
        middle = int(x + fw / 2)
        cv2.ellipse(guess, (middle, int(y + 0.55 * fh)), (int(0.36 * fw), int(0.38 * fh)), 0, 0, 360, cv2.GC_FGD, -1)
        cv2.rectangle(guess, (middle - int(0.22 * fw), int(y + fh)), (middle + int(0.22 * fw), h), cv2.GC_FGD, -1)
    cv2.setRNGSeed(1)  # the same photo always gives the same
    cv2.grabCut(rgb, guess, (0, 0, 0, 0), np.zeros((1, 65)), np.zeros((1, 65)), 4, cv2.GC_INIT_WITH_MASK)
    found = np.isin(guess, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.uint8)
    _, parts = cv2.connectedComponents(cv2.morphologyEx(found, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8)))
    heads = {int(parts[min(h - 1, int(y + fh / 2)), min(w - 1, int(x + fw / 2))]) for x, y, fw, fh in
             (_scaled(face, w, h) for face in faces)} - {0}  # fmt: skip
    found = np.isin(parts, list(heads)).astype(np.uint8)
    _, holes = cv2.connectedComponents(1 - found)
    outer = set(np.concatenate([holes[0], holes[-1], holes[:, 0], holes[:, -1]]).tolist())
    return np.asarray(~np.isin(holes, list(outer | {0})) & (found == 0) | (found == 1), np.uint8)


def _scaled(face: tuple[float, float, float, float], w: int, h: int) -> tuple[float, float, float, float]:
    return face[0] * w, face[1] * h, face[2] * w, face[3] * h


def _shared(one: Bytes, two: Bytes) -> float:
    return float((one & two).sum()) / max(1.0, float((one | two).sum()))


def _contrast_along(rgb: Bytes, found: Bytes) -> float:
    """How much more the picture changes along an outline than elsewhere."""
    grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
    change = cv2.morphologyEx(grey, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)).astype(np.float32)
    outline = cv2.morphologyEx(found, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)) > 0
    outline[-3:] = False
    return float(change[outline].mean() / max(1.0, change[~outline].mean())) if outline.any() else 0.0
