"""Where a photo is in a still of a film, and how surely it is there at all."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from pipeline.media import motion
from pipeline.media.flow import Picture
from pipeline.media.limits import LIMITS
from pipeline.media.motion import Box
from pipeline.media.probe import BadMedia

Detail = npt.NDArray[np.float32]

# Standard deviation of detail, of 255, below which there is too little to be told by: an even ground with an encoder's
# traces in it has up to 3.9, and then a likeness of 0.65 to 0.73 to its own photo.
_PLAIN = 4.0
_NEARLY_PLAIN = 6.0  # below that traces take so much of a right photo's likeness that a warning would say nothing
_AIR, _LEAST = 0.02, 0.08  # shares: kept free around what is written, and the least height a photo is known by
_FAINT = 0.1  # of a patch's power: a place in the photo with less cannot be it
_COARSE, _FINE = 96, 288  # pixels on the longer side of a still when it is looked for in a photo
_FEW = 20  # details of a picture with fewer nothing is told by
_LONGEST = 1024  # pixels of a photo that is looked for


@dataclass(frozen=True, slots=True)
class Sighting:
    """A photo in a still: how surely it is there (0 to 1, NaN for nothing to tell by), and where.

    Its upper left corner lies at `x`, `y` (pixels of the still), each of its pixels is `scale` pixels of the still.
    """

    likeness: float
    x: float = 0.0
    y: float = 0.0
    scale: float = 1.0

    def place(self, part: Box, photo: Picture) -> Box:
        """Where a part of the photo (fractions of it) stands, in pixels of the still; it may lie outside."""
        height, width = photo.shape
        found = part.scaled(width * self.scale, height * self.scale)
        return found._replace(x=found.x + self.x, y=found.y + self.y)


def photo_present(still: Picture, photo: Picture) -> float:
    """How surely `still` shows `photo` (both grey), 0 to 1: see `sight`."""
    return sight(still, photo).likeness


def sight(
    still: Picture,
    photo: Picture,
    *,
    scale: float = 1.0,
    taken: Sequence[Box] = (),
    thorough: bool = False,
    place: Box | None = None,
) -> Sighting:
    """Look for `photo` in `still` (both grey): the best correlation of their detail, and where it is.

    The middle of the still, clear of the ground around a card and of what is written there (`taken`, in its pixels), is
    looked for in the photo at every size it may be shown at (half of fitting to 1.5 × covering), coarsely first, then
    finely around the best place. Zoom, crop, ground, captions, brightness and contrast do not matter. Right pairs
    measure 0.82 to 1, wrong ones up to 0.56. NaN where the still has no detail there (an empty sky), so that nothing
    can be told. A page of even lines of writing looks alike everywhere when it is coarse: a `thorough` search is fine
    at every size, for a fifth of a CPU second. `scale` is what the still is of the film's own size: a small photo is no
    large card. One that is not about the middle is looked for in its `place` (shares of the still).
    """
    # What has all its pixels here is enlarged by no more than is not seen, and a card never by more than this.
    most = motion.SHARP / motion.CLOSER * scale if max(photo.shape) < _LONGEST else math.inf
    found = [
        _sight_band(still, photo, band, most, thorough=thorough) for band in _bands(still, photo, most, taken, place)
    ]
    return max(found, key=lambda one: -1.0 if math.isnan(one.likeness) else one.likeness)


def kept(before: Picture, after: Picture) -> float:
    """The share of a picture's details that another shows again, shifted, turned and grown together as a camera does
    it: 0 to 1, 1 for a picture with too few to tell by. A twentieth of a CPU second.

    SIFT (Lowe, IJCV 2004), with his test that the second best match is much worse.
    """
    sift, longest = cv2.SIFT.create(500), 480
    (spots, one), (places, other) = (
        sift.detectAndCompute(_shrunk(picture, longest / max(picture.shape)), None) for picture in (before, after)
    )
    if one is None or len(one) < _FEW:
        return 1.0
    if other is None or len(other) < 2:
        return 0.0
    pairs = cv2.BFMatcher().knnMatch(one, other, k=2)
    good = [best for best, second in pairs if best.distance < 0.75 * second.distance]
    if len(good) < 4:
        return 0.0
    here, there = np.array([spots[m.queryIdx].pt for m in good]), np.array([places[m.trainIdx].pt for m in good])
    _, together = cv2.estimateAffinePartial2D(here, there, method=cv2.RANSAC, ransacReprojThreshold=0.03 * longest)
    return 0.0 if together is None else float(together.sum()) / len(one)


def _sight_band(still: Picture, photo: Picture, band: Box, most: float, *, thorough: bool) -> Sighting:
    """Look for one `band` of the still (in shares) in the photo."""
    ratio = min(1.0, 1.5 * _COARSE / min(photo.shape))
    rough = _shrunk(photo, ratio)
    fits = [a / b * _COARSE / max(still.shape) for a, b in zip(still.shape, photo.shape, strict=True)]
    low, high = min(0.5 * min(fits), 0.95 * most * _COARSE / max(still.shape)), 1.5 * max(fits)
    patch = _patch(still, _FINE if thorough else _COARSE, band)
    if thorough:
        sizes = np.geomspace(low, high, int(np.log(high / low) / 0.02) + 2) * _FINE / _COARSE
        found = max((_best(patch, photo, factor, 1.0) for factor in sizes), key=lambda found: found[2])
        return _sighting(still, photo, band, patch, found)
    scale, place, _ = max(
        (_best(patch, rough, factor, ratio) for factor in np.geomspace(low, high, int(np.log(high / low) / 0.09) + 2)),
        key=lambda found: found[2],
    )
    patch = _patch(still, _FINE, band)
    near = scale * _FINE / _COARSE * 1.025 ** np.arange(-3, 4)
    found = max((_best(patch, photo, factor, 1.0, place) for factor in near), key=lambda found: found[2])
    return _sighting(still, photo, band, patch, found)


def _sighting(
    still: Picture, photo: Picture, band: Box, patch: Detail, found: tuple[float, tuple[float, float], float]
) -> Sighting:
    """Where the whole photo lies in the still, from where the fine `patch` of its `band` was found."""
    detail = float(patch.std())
    scale, (down, across), score = found
    if detail < _PLAIN or (detail < _NEARLY_PLAIN and 1 - LIMITS["photo"].fail < score < 1 - LIMITS["photo"].warn):
        return Sighting(math.nan)
    grown = float(scale) * max(still.shape) / _FINE
    x, y = (band.x + band.w / 2) * still.shape[1], (band.y + band.h / 2) * still.shape[0]
    return Sighting(
        min(1.0, max(0.0, score)),
        x - across * photo.shape[1] * grown,
        y - down * photo.shape[0] * grown,
        grown,
    )


def _bands(still: Picture, photo: Picture, most: float, taken: Sequence[Box], place: Box | None) -> list[Box]:
    """The part of a still (in shares) where a photo surely is, around its middle; a card is at `most` so large.

    Where something is written across it (`taken`, pixels of the still): what is free above and below, as far as a
    photo goes that fills its room, and as far as a smaller one; as many of these as are high enough to know one by.
    """
    tall, long = still.shape
    wide, high, middle = motion.on_ground((long, tall))
    part_w, part_h = (0.66, 0.34) if tall > 1.2 * long else (0.44, 0.5)
    # A photo that lies whole on a ground may cover less, and drifts: three quarters of it.
    shape = photo.shape[1] / photo.shape[0]
    height = min(high * tall, wide * long / shape, most * photo.shape[0])
    part_w = min(part_w, 0.75 * height * shape / long)
    part_h = min(part_h, 0.75 * height / tall)
    if place is not None:
        middle, height, part_w, part_h = place.y + place.h / 2, place.h * tall, 0.75 * place.w, 0.75 * place.h
    part = Box((0.5 if place is None else place.x + place.w / 2) - part_w / 2, middle - part_h / 2, part_w, part_h)
    air = _AIR * max(still.shape) / tall  # what is written shines as far as detail is looked for
    words = [box.scaled(1 / long, 1 / tall) for box in taken]
    words = [Box(box.x, box.y - air, box.w, box.h + 2 * air) for box in words]
    words = [box for box in words if box.touches(part)]
    if not words:
        return [part]
    above, below = min(box.y for box in words), max(box.bottom for box in words)
    free = []
    for room in (0.85 * height / tall, part_h):
        top, bottom = middle - room / 2, middle + room / 2
        free += [Box(part.x, top, part_w, above - top), Box(part.x, below, part_w, bottom - below)]
    return [box for box in free if box.h >= _LEAST] or [part]


def _patch(still: Picture, longest: int, band: Box) -> Detail:
    """The detail of a part of a still (in shares), which is at `longest` pixels then."""
    small = _detail(_shrunk(still, longest / max(still.shape)))
    height, width = small.shape
    y, x = round(band.y * height), round(band.x * width)
    return small[y : y + round(band.h * height), x : x + round(band.w * width)]


def _best(
    patch: Detail, photo: Picture, scale: float, ratio: float, near: tuple[float, float] | None = None
) -> tuple[float, tuple[float, float], float]:
    """Where `patch` fits a photo (already at `ratio`) at `scale` best: (scale, centre in photo shares, score)."""
    shown = _detail(_shrunk(photo, scale / ratio))
    height, width = shown.shape
    y0 = x0 = 0
    if near is not None:
        reach = 12
        y0, x0 = (max(0, round(c * n - p / 2) - reach) for c, n, p in zip(near, shown.shape, patch.shape, strict=True))
        shown = shown[y0 : y0 + patch.shape[0] + 2 * reach, x0 : x0 + patch.shape[1] + 2 * reach]
    if shown.shape[0] < patch.shape[0] or shown.shape[1] < patch.shape[1]:
        return scale, (0.5, 0.5), 0.0
    scores = cv2.matchTemplate(shown, patch, cv2.TM_CCOEFF_NORMED)
    # Where the photo is plain, as bare paper is, the quotient is nothing by nothing, and may well come to 1.
    power = cv2.boxFilter(shown * shown, -1, patch.shape[::-1], anchor=(0, 0), borderType=cv2.BORDER_CONSTANT)
    scores[power[: scores.shape[0], : scores.shape[1]] < _FAINT * float((patch * patch).mean())] = 0
    _, top, _, (x, y) = cv2.minMaxLoc(scores)
    centre = (y + y0 + patch.shape[0] / 2) / height, (x + x0 + patch.shape[1] / 2) / width
    return scale, centre, float(top) if np.isfinite(top) else 0.0


def _detail(picture: Picture) -> Detail:
    """A picture minus its own blur: broad light and dark are alike in too many photos."""
    exact = picture.astype(np.float32)
    return np.asarray(exact - cv2.GaussianBlur(exact, (0, 0), 4.0), np.float32)


def grey(path: Path, longest: int = _LONGEST) -> Picture:
    """A photo as an upright grey picture of at most about `longest` pixels. Raises BadMedia."""
    picture = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    if picture is None:
        raise BadMedia("The photo cannot be read.")
    exact = np.asarray(picture, np.uint8)
    return _shrunk(exact, min(1.0, longest / max(exact.shape)))


def _shrunk(picture: Picture, scale: float) -> Picture:
    size = max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale))
    if size == (picture.shape[1], picture.shape[0]):
        return picture
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(picture, size, interpolation=how), np.uint8)
