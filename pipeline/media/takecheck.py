"""A vendor's take, looked at before it is used: does it begin with its photo, and do its people stay who and how many?

A few frames are looked at. Faces are found and measured; whose they are is not asked, so a face that becomes another of
the same size goes unseen. No vendor promises the last frame, so only the first is held against the photo.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np

from pipeline.media import conform, faces, meters, startframe
from pipeline.media.meters import Picture
from pipeline.media.motion import Box
from pipeline.media.verdict import Finding, beyond

LOOKS = (0.0, 0.25, 0.5, 0.75, 0.95)  # shares of the clip; the first is its first frame
_LARGE = 0.12  # of the longer side: a head that size must be found again, a smaller one may be missed


def check(
    clip: Path,
    photo: Path,
    shape: tuple[int, int],
    known: Sequence[Box],
    interest: Box,
    folder: Path,
    *,
    on_progress: Callable[[], None] = lambda: None,
) -> tuple[Finding, ...]:
    """What is wrong with a clip of `photo`, filmed from its start picture of `shape` (see startframe).

    `known` faces and `interest` are fractions of the photo. `folder` gets the start picture. About half a CPU second,
    and the models, so for worker processes that have them (see faces). Raises BadMedia for a clip that cannot be read,
    OSError for a photo that cannot.
    """
    start = folder / "start-of-take.jpg"
    startframe.write(photo, start, shape, known, interest)
    first = meters.grey(start, max(startframe.LONGEST, startframe.LEAST))
    seconds, _size = conform.measure(clip)
    moments = [share * seconds for share in LOOKS]
    found = []
    frames: list[Picture] = [
        np.asarray(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY), np.uint8) for frame in meters.sample_frames(clip, moments)
    ]
    missing = 1 - meters.sight(frames[0], first).likeness
    if severity := beyond("take_start", missing):
        found.append(Finding("take_start", severity, "The take does not begin with its photo.", 0.0, missing))
    people = [faces.heads(first)]
    for frame in frames:
        people.append(faces.heads(frame))
        on_progress()
    return (*found, *crowd(people, moments, known=len(known)))


def crowd(people: Sequence[Sequence[Box]], moments: Sequence[float], *, known: int) -> tuple[Finding, ...]:
    """What the heads of the start picture and of each look at the clip say (fractions of the picture, largest first).

    `known` is how many faces the photo has. Fewer heads are none of our business: people turn away.
    """
    found = []
    begun, looks = people[0], people[1:]
    extra = [max(0, len(heads) - max(known, len(begun))) for heads in looks]
    share = sum(count > 0 for count in extra[1:]) / max(1, len(extra) - 1)
    if severity := beyond("take_people", share):
        second = moments[next(i for i, count in enumerate(extra) if count)]
        found.append(
            Finding("take_people", severity, "There are more people in the take than in its photo.", second, share)
        )
    large = bool(begun) and max(begun[0].w, begun[0].h) >= _LARGE
    faceless = sum(not heads for heads in looks[1:]) / max(1, len(looks) - 1) if large else 0.0
    if severity := beyond("take_faceless", faceless):
        second = moments[next(i for i, heads in enumerate(looks) if i and not heads)]
        found.append(Finding("take_faceless", severity, "The face of the photo is lost in the take.", second, faceless))
    growth, second = max(_growths([begun, *looks], [0.0, *moments]), default=(1.0, 0.0))
    if severity := beyond("take_size", growth):
        found.append(Finding("take_size", severity, "A face changes its size too fast to be one.", second, growth))
    return tuple(found)


def _growths(people: Sequence[Sequence[Box]], moments: Sequence[float]) -> list[tuple[float, float]]:
    """From each look to the next: by how much each head grew or shrank, at least 1, and when."""
    found = []
    for before, after, second in zip(people, people[1:], moments[1:], strict=False):
        for head in before:
            near = min(after, key=lambda other: _between(head, other), default=None)
            if near is not None and _between(head, near) < max(head.w, near.w):
                found.append((max(head.h / near.h, near.h / head.h), second))
    return found


def _between(one: Box, other: Box) -> float:
    """How far apart the middles of two heads are."""
    return float(np.hypot(one.x + one.w / 2 - other.x - other.w / 2, one.y + one.h / 2 - other.y - other.h / 2))
