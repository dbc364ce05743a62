"""What the shots of a finished film show: their photos, whole faces, soft gradients, no odd frame and no trembling."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import pairwise, product
from pathlib import Path

import cv2
import numpy as np

from pipeline.media import bending, flow, likeness, meters, pacing, pages
from pipeline.media.expected import DISSOLVE, Expected, ExpectedPhoto, ExpectedShot, shot_times
from pipeline.media.flow import Picture
from pipeline.media.limits import LIMITS, Finding, beyond, of_a_take
from pipeline.media.meters import Measures
from pipeline.media.motion import Box
from pipeline.media.sighting import Sighting, grey, sight

LEAST = 300  # pixels of a still's shorter side: in a smaller one nothing is plain for long enough to end in a step
AIR = 16  # pixels of a still around what is written, and along edges of cards
MOST = 3  # findings of one kind that are told: a film that shakes has a hundred odd frames


def check(measures: Measures, expected: Expected) -> Iterator[Finding]:
    """Everything that is wrong with what the shots show."""
    yield from _photos(measures, expected)
    yield from _repeated(expected)
    yield from _paced(expected)
    yield from _odd_frames(measures, expected)
    yield from _shaken(measures, expected)


def _photos(measures: Measures, expected: Expected) -> Iterator[Finding]:
    for shot, of in ((one, of) for one in expected.shots for of in one.photos):
        photo, seen, still = _photo(of.photo), Sighting(math.nan), None
        stills = [
            (measures.stills[second], _words(expected, measures.stills[second], second, second))
            for second in shot_times(shot)
            if second in measures.stills
        ]
        # A filmed take may leave its photo, so it is not worth the longer search.
        for thorough, (look, words) in product([False] if shot.filmed else [False, True], stills):
            if thorough and math.isnan(seen.likeness):
                break
            scale = look.shape[1] / expected.width
            found = sight(look, photo, scale=scale, taken=words, thorough=thorough, place=of.place)
            if math.isnan(seen.likeness) or found.likeness > seen.likeness:
                seen, still = found, look
            if seen.likeness >= 1 - LIMITS["photo"].warn:
                break
        if still is None:
            continue
        if math.isnan(seen.likeness):
            yield Finding("photo_plain", "info", "This photo is too plain for its shot to be checked.", shot.start)
        elif severity := beyond("photo", 1 - seen.likeness):
            # A filmed take starts from the photo and may well turn away from it.
            severity = of_a_take(severity) if shot.filmed else severity
            yield Finding("photo", severity, "This shot does not seem to show its photo.", shot.start, seen.likeness)
            continue  # whose steps these are, nobody knows
        else:
            yield from _faces(shot, of, seen, still, expected)
            others = [look for look, _ in stills if look is not still]
            if shot.depth and others:
                yield from _bent(shot, of, seen, (still, others[0]), [box for _, words in stills for box in words])
        taken = [box for look, words in stills if look is still for box in words]
        bands = _bands(still, photo, seen, [*taken, *_labels(expected, still)])
        if severity := beyond("banding", bands):
            severity = of_a_take(severity) if shot.filmed else severity
            yield Finding("banding", severity, "Even gradients have steps in this shot.", shot.start, bands)


def _bands(still: Picture, photo: Picture, seen: Sighting, taken: Sequence[Box]) -> float:
    """How much more of steps between plain planes there is in a still than in what it shows of its photo: their mean
    height over the picture. Where something is written, and along the edge of a card, there are others.
    """
    if min(still.shape) < LEAST:
        return 0.0
    where = np.ones(still.shape, bool)
    for box in taken:
        where[max(0, int(box.y) - AIR) : int(box.bottom) + AIR, max(0, int(box.x) - AIR) : int(box.right) + AIR] = False
    found = float(meters.steps(still)[where].mean()) if where.any() else 0.0
    if beyond("banding", found) is None:
        return found
    if math.isnan(seen.likeness):  # nobody knows where in the photo this is
        return found - float(meters.steps(photo).mean())
    place = np.array([[seen.scale, 0, seen.x], [0, seen.scale, seen.y]], np.float64)
    size = still.shape[1], still.shape[0]
    own = cv2.warpAffine(photo, place, size, flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REPLICATE)
    card = cv2.warpAffine(np.ones_like(photo), place, size, flags=cv2.INTER_NEAREST)
    square = np.ones((2 * AIR + 1, 2 * AIR + 1), np.uint8)
    where &= cv2.dilate(card, square) == cv2.erode(card, square, borderValue=1)
    steps = [meters.steps(one) * where for one in (still, np.asarray(own, np.uint8))]
    # Counted twice: writing may be found a line too high or too low, and then none of its steps is where it was.
    return float((steps[0] - 2 * steps[1] * card).sum()) / max(1.0, float(where.sum()))


def _labels(expected: Expected, still: Picture) -> list[Box]:
    """Where labels stand at any time, in pixels of a still."""
    scale = still.shape[1] / expected.width
    return [Box(box.x, box.y, box.width, box.height).scaled(scale, scale) for box in expected.labels]


def _faces(
    shot: ExpectedShot, of: ExpectedPhoto, seen: Sighting, still: Picture, expected: Expected
) -> Iterator[Finding]:
    """Where the photo's faces stand in the film, by where the photo was found in it: cut, or under a caption?"""
    frame = Box(0, 0, *still.shape[::-1])
    # A caption that goes with the shot before, or comes with the next, keeps clear of that one's faces.
    words = _words(expected, still, shot.start + DISSOLVE, shot.end - DISSOLVE)
    heads = [seen.place(face, _photo(of.photo)) for face in of.faces]
    cut = max((1 - _covered(head, frame) for head in heads), default=0.0)
    under = max((_covered(head, box) for head in heads for box in words), default=0.0)
    if severity := beyond("face_cut", cut):
        severity = of_a_take(severity) if shot.filmed else severity
        yield Finding("face_cut", severity, "The frame cuts a face in this shot.", shot.start, cut)
    if severity := beyond("caption_face", under):
        yield Finding("caption_face", severity, "A caption stands over a face in this shot.", shot.start, under)


def _bent(
    shot: ExpectedShot, of: ExpectedPhoto, seen: Sighting, looks: tuple[Picture, Picture], taken: list[Box]
) -> Iterator[Finding]:
    """What depth does to the picture between two looks at a shot, in the first of which the photo was seen."""
    heads = [seen.place(face, _photo(of.photo)) for face in of.faces]
    found = bending.bent(*looks, heads, taken)
    if found is None:
        return
    for code, figure, sentence in (
        ("depth_torn", found.torn, "What is beside people is bent too much in this shot."),
        ("depth_face", found.face, "A face changes its shape in this shot."),
    ):
        if severity := beyond(code, figure):
            yield Finding(code, severity, sentence, shot.start, figure)


def _words(expected: Expected, still: Picture, first: float, last: float) -> list[Box]:
    """Where captions stand between two seconds, in pixels of a still."""
    scale = still.shape[1] / expected.width
    return [
        Box(box.x, box.y, box.width, box.height).scaled(scale, scale)
        for box in expected.captions
        if box.start <= last and box.end >= first
    ]


def _covered(box: Box, by: Box) -> float:
    """The share of `box` that lies under `by`."""
    width = min(box.right, by.right) - max(box.x, by.x)
    height = min(box.bottom, by.bottom) - max(box.y, by.y)
    return max(0.0, width) * max(0.0, height) / max(1e-9, box.w * box.h)


def _repeated(expected: Expected) -> Iterator[Finding]:
    """A photo that follows itself, or one that looks the same, in another scene. One that just stays for a second line,
    in one move, is not shown twice."""
    for one, other in pairwise(expected.shots):
        if one.scene is None or one.scene == other.scene or other.goes_on:
            continue
        if one.photo == other.photo:
            yield Finding("repeat", "warn", "The same photo is shown twice in a row.", other.start)
        elif likeness.alike(_hash(one.photo), _hash(other.photo)):
            yield Finding("repeat_like", "info", "This photo looks very much like the one before.", other.start)


def _paced(expected: Expected) -> Iterator[Finding]:
    """Pictures that go before they have been seen, or stay when they have been."""
    for shot in expected.shots:
        seconds = shot.end - shot.start - pacing.DISSOLVE  # from cut to cut
        if severity := beyond("shot_short", pacing.SHORTEST_SHOT - seconds):
            yield Finding("shot_short", severity, f"This shot is gone after {seconds:.1f} s.", shot.start, seconds)
        if not shot.filmed and (severity := beyond("shot_long", seconds - pacing.LONGEST_SHOT)):
            yield Finding("shot_long", severity, f"This picture stands for {seconds:.1f} s.", shot.start, seconds)


def _odd_frames(measures: Measures, expected: Expected) -> Iterator[Finding]:
    """Frames that do not belong, and hard cuts."""
    stray = flow.strays(measures.small)
    near = {odd.frame + step for odd in stray for step in range(-1, flow.LONGEST_STRAY + 2)}
    for odd in stray[:MOST]:
        if severity := beyond("stray", odd.figure):
            second = odd.frame / measures.media.fps
            severity = of_a_take(severity) if _filmed_at(expected, second) else severity
            sentence = f"Frame {odd.frame} flashes up and does not belong there."
            yield Finding("stray", severity, sentence, round(second, 3), odd.figure)
    hard = [odd for odd in flow.jumps(measures.small) if odd.frame not in near]
    for odd in hard[:MOST]:
        if severity := beyond("jump", odd.figure):
            second = odd.frame / measures.media.fps
            severity = of_a_take(severity) if _filmed_at(expected, second) else severity
            sentence = f"The picture jumps at frame {odd.frame}: every change should be a dissolve."
            yield Finding("jump", severity, sentence, round(second, 3), odd.figure)


def _filmed_at(expected: Expected, second: float) -> bool:
    """Whether nothing but filmed takes is shown at a second."""
    about = [shot.filmed for shot in expected.shots if shot.start <= second < shot.end]
    return bool(about) and all(about)


def _shaken(measures: Measures, expected: Expected) -> Iterator[Finding]:
    for shot in expected.shots:
        first, last = (round(second * measures.media.fps) for second in (shot.start + DISSOLVE, shot.end - DISSOLVE))
        pace = 1000 * flow.shake(measures.small[max(0, first) : max(0, last)])
        if severity := beyond("shake", pace):
            # A take may be held by hand, or follow who runs, and even lines of writing twinkle in pictures as small as
            # these: that alone keeps no film from being approved.
            severity = "info" if shot.filmed or pages.is_page(shot.photo) else severity
            yield Finding("shake", severity, "The picture trembles in this shot.", shot.start, pace)


@lru_cache(maxsize=16)
def _photo(path: Path) -> Picture:
    return grey(path)


@lru_cache(maxsize=16)
def _hash(path: Path) -> str:
    return likeness.picture_hash(path)
