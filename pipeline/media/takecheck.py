"""A vendor's take, looked at before it is used: does it begin with its photo, is that left at the end, and do people
stay who and how many they are?

A few frames are looked at, the first and the last among them. Faces are found and measured; whose they are is asked
only where the fan agreed (see resemblance).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from pipeline.media import conform, faces, meters, resemblance, sighting, startframe
from pipeline.media.flow import Picture
from pipeline.media.limits import Finding, beyond
from pipeline.media.motion import Box
from pipeline.media.resemblance import Colour

LOOKS = (0.0, 0.25, 0.5, 0.75, 1.0)  # shares of the clip: the first frame is one, and the last
_LAST = 0.02  # seconds before its end in which the last frame surely stands
_LARGE = 0.12  # of the longer side: a head that size must be found again, a smaller one may be missed


def check(
    clip: Path,
    photo: Path,
    shape: tuple[int, int],
    known: Sequence[Box],
    interest: Box,
    folder: Path,
    *,
    alike: bool = False,
    on_progress: Callable[[], None] = lambda: None,
) -> tuple[Finding, ...]:
    """What is wrong with a clip of `photo`, filmed from its start picture of `shape` (see startframe).

    `known` faces and `interest` are fractions of the photo. `folder` gets the start picture. With `alike` faces are
    compared, to which the fan must have agreed. About half a CPU second, twice that with `alike`, and the models, so
    for worker processes that have them (see faces). Raises BadMedia for a clip that cannot be read, OSError for a photo
    that cannot.
    """
    start = folder / "start-of-take.jpg"
    startframe.write(photo, start, shape, known, interest)
    first = sighting.grey(start, max(startframe.LONGEST, startframe.LEAST))
    seconds, _size = conform.measure(clip)
    moments = [max(0.0, min(share * seconds, seconds - _LAST)) for share in LOOKS]
    pictures = meters.sample_frames(clip, moments)
    frames: list[Picture] = [np.asarray(cv2.cvtColor(one, cv2.COLOR_RGB2GRAY), np.uint8) for one in pictures]
    people = [faces.heads(first)]
    for frame in frames:
        people.append(faces.heads(frame))
        on_progress()
    found = [*_photo(first, frames, moments), *crowd(people, moments, known=len(known))]
    if alike and people[0]:
        found += _persons(start, people, pictures, moments)
    return tuple(found)


def _photo(first: Picture, frames: Sequence[Picture], moments: Sequence[float]) -> Iterator[Finding]:
    """The photo in the first frame, and what is left of it in the last."""
    missing = 1 - sighting.sight(frames[0], first).likeness
    if severity := beyond("take_start", missing):
        yield Finding("take_start", severity, "The take does not begin with its photo.", 0.0, missing)
    # What the take made of the photo in its first frame is its own manner, and no loss.
    lost = 1 - sighting.kept(frames[0], frames[-1])
    if severity := beyond("take_end", lost):
        yield Finding("take_end", severity, "At its end the take shows something else.", moments[-1], lost)


def _persons(
    start: Path, people: Sequence[Sequence[Box]], pictures: Sequence[Colour], moments: Sequence[float]
) -> Iterator[Finding]:
    """Whether the largest face of the photo stays who it is."""
    with Image.open(start) as opened:
        photo = np.asarray(opened.convert("RGB"), np.uint8)
    found = resemblance.apart(photo, people[0][0], list(zip(pictures, people[1:], strict=True)))
    seen = [(far, second) for far, second in zip(found, moments, strict=True) if far is not None]
    far, second = max(seen, default=(0.0, 0.0))
    if severity := beyond("take_person", far):
        yield Finding("take_person", severity, "A face in the take is not that of the photo.", second, far)


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
