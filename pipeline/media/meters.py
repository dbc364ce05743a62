"""Measures of a finished film: one decode for all that is heard and seen over time, and stills; then what those show.

A still is a grey picture, uint8 of shape (height, width), at most STILL pixels on its shorter side.
"""

from __future__ import annotations

import math
import re
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import av
import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from pipeline.media import ffmpeg, motion
from pipeline.media.flow import Stack
from pipeline.media.motion import Box
from pipeline.media.probe import BadMedia, Media, probe
from pipeline.media.sound import Loudness, read_summary

Picture = npt.NDArray[np.uint8]
Detail = npt.NDArray[np.float32]
Span = tuple[float, float]

STILL = 720
SMALL = 120  # pixels on the longer side of the pictures that are taken of every frame
# blackdetect: 98% of the pixels within 3% of black. A night photograph has noise and lights above that.
BLACK = "blackdetect=d=0.15:pic_th=0.98:pix_th=0.03"
# freezedetect compares with the frame where the freeze began, so a slow camera move ends it within a second.
FREEZE = "freezedetect=n=0.001:d=1"
SILENCE = "silencedetect=n=-50dB:d=1"
_PLAIN = 3.0  # of 255: standard deviation of detail below which there is too little to be told by
_AIR, _LEAST = 0.02, 0.08  # shares: kept free around what is written, and the least height a photo is known by
_FAINT = 0.1  # of a patch's power: a place in the photo with less cannot be it
_COARSE, _FINE = 96, 288  # pixels on the longer side of a still when it is looked for in a photo
_LONGEST = 1024  # pixels of a photo that is looked for


@dataclass(frozen=True, slots=True)
class Measures:
    """What was found in one film. Spans and still times are in seconds; `loudness` is None without sound.

    `errors` are the decoder's complaints over the whole film, none for a sound file. `small` are pictures of every
    frame (see flow). `blunt` is the share of samples near the sound's tops where it is worst (see `bluntness`).
    `heard` are the words that were understood, None where nobody listened.
    """

    media: Media
    black: tuple[Span, ...]
    frozen: tuple[Span, ...]
    silent: tuple[Span, ...]
    loudness: Loudness | None
    errors: tuple[str, ...]
    stills: Mapping[float, Picture]
    small: Stack = field(default_factory=lambda: np.zeros((0, 2, 2), np.uint8))
    blunt: float = 0.0
    heard: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class TextBox:
    """Where text must stand, in pixels of the film, from `start` to `end` seconds."""

    start: float
    end: float
    x: float
    y: float
    width: float
    height: float


def measure(
    path: Path,
    *,
    at: Sequence[float] = (),
    timeout: float = 300,
    on_progress: Callable[[], None] | None = None,
    ear: Callable[[npt.NDArray[np.int16]], Sequence[str]] | None = None,
) -> Measures:
    """Decode a film once and measure all of it, with a still at each second of `at` (the nearest frame).

    `ear` tells the words that are said in interleaved stereo samples at 48 kHz; without one nobody listens.

    Raises BadMedia for a file that is no film, ffmpeg.FfmpegError when the measuring itself fails.
    """
    media = probe(path)
    if not media.frames or media.fps <= 0:
        raise BadMedia("The file has no moving picture.")
    numbers = sorted({_number(second, media) for second in at})
    size, small = (
        _shape(media, STILL / min(media.width, media.height)),
        _shape(media, SMALL / max(media.width, media.height)),
    )
    graph = f"[0:v]split={3 if numbers else 2}[v][t]{'[w]' if numbers else ''};"
    graph += f"[v]framestep={max(1, round(media.fps / 10))},"
    graph += f"scale={max(2, round(media.width / 8) * 2)}:-2:flags=fast_bilinear,{BLACK},{FREEZE}[meters]"
    graph += f";[t]extractplanes=y,scale={small[0]}:{small[1]}:flags=fast_bilinear[small]"
    if numbers:
        wanted = "+".join(f"eq(n,{number})" for number in numbers)
        graph += f";[w]select='{wanted}',scale={size[0]}:{size[1]}:flags=area,format=gray[stills]"
    if media.audio_codec:
        graph += f";[0:a]asplit=2[l][p];[l]ebur128=peak=true:framelog=quiet,{SILENCE}[sound]"
        graph += ";[p]aformat=sample_fmts=s16[samples]"
    with tempfile.TemporaryDirectory() as folder:
        raw = {name: Path(folder) / name for name in ("small", "stills", "samples")}
        # Without the deblocking filter the picture is a little rougher, nothing here minds, and a fifth of the decoding
        # is saved; every bit is still read and every error still found.
        args: list[str | Path] = ["-loglevel", "level+info", "-skip_loop_filter", "all", "-i", path]
        args += ["-filter_complex", graph, "-map", "[meters]", "-f", "null", "-"]
        args += ["-map", "[small]", "-fps_mode", "passthrough", "-f", "rawvideo", raw["small"]]
        if media.audio_codec:
            args += ["-map", "[sound]", "-f", "null", "-", "-map", "[samples]", "-f", "s16le", raw["samples"]]
        if numbers:
            args += ["-map", "[stills]", "-fps_mode", "passthrough", "-f", "rawvideo", raw["stills"]]
        log = ffmpeg.run(args, timeout=timeout, on_progress=on_progress).stderr
        frames = _pictures(raw["stills"], size) if numbers else ()
        every = _pictures(raw["small"], small)
        samples = np.fromfile(raw["samples"], np.int16) if media.audio_codec else np.zeros(0, np.int16)
    audible = (media.sample_rate, media.channels) == (48_000, 2)
    found = dict(zip(numbers, frames, strict=False))
    return Measures(
        media,
        _spans(log, "black", media.duration),
        _spans(log, "freeze", media.duration),
        _spans(log, "silence", media.duration),
        read_summary(log) if media.audio_codec else None,
        tuple(line for line in log.splitlines() if re.search(r"\[(error|fatal)\]", line))[:20],
        {second: found[_number(second, media)] for second in at if _number(second, media) in found},
        every,
        bluntness(samples) if media.audio_codec else 0.0,
        tuple(ear(samples)) if ear is not None and audible else None,
    )


def sample_frames(path: Path, seconds: Sequence[float]) -> list[Picture]:
    """The RGB frames, (height, width, 3) at full size, nearest to each of `seconds`, in the order asked for.

    Seeks to the key frame before each; cheap for a few. Raises BadMedia.
    """
    taken: dict[float, Picture] = {}
    try:
        with av.open(f"file:{path.absolute()}", options={"protocol_whitelist": "file"}) as container:
            stream = container.streams.video[0]
            half = 0.5 / float(stream.average_rate or 25)
            for second in sorted(set(seconds)):
                container.seek(max(0, round(second * av.time_base)))
                for frame in container.decode(stream):
                    taken[second] = np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)
                    if (frame.time or 0.0) >= second - half:
                        break
            return [taken[second] for second in seconds]
    except (av.FFmpegError, IndexError, KeyError) as problem:
        raise BadMedia("The film cannot be read at that place.") from problem


def thumbnail(film: Path, out: Path, *, box: tuple[int, int] = (480, 480)) -> Path:
    """Write a small JPEG of a film's picture, a third of the way in; `out`. Raises BadMedia."""
    [picture] = sample_frames(film, [probe(film).duration / 3])
    small = Image.fromarray(picture)
    small.thumbnail(box)
    small.save(out, "JPEG", quality=84)
    return out


def inside(box: TextBox, width: int, height: int, margin: float = 0.02) -> bool:
    """Whether a box keeps `margin` (share of the shorter side) away from the edges of a `width` × `height` film."""
    edge = margin * min(width, height)
    return box.x >= edge and box.y >= edge and box.x + box.width <= width - edge and box.y + box.height <= height - edge


def text_strength(stills: Sequence[Picture], box: TextBox, width: int) -> float:
    """How much of `box` is covered by thin bright strokes that stay where they are in all `stills`, 0 to 1.

    `width` is the film's width in pixels. A stroke is at least 60 of 255 brighter than what lies around it (white
    top-hat); the picture's own bright details move with the camera, letters do not. Text covers 0.06 to 0.3 of its box.
    """
    held: npt.NDArray[np.bool_] | None = None
    for still in stills:
        scale = still.shape[1] / width
        x0, y0 = max(0, int(box.x * scale)), max(0, int(box.y * scale))
        part = still[y0 : int((box.y + box.height) * scale) + 1, x0 : int((box.x + box.width) * scale) + 1]
        if part.size == 0:
            return 0.0
        # Wider than the strokes of captions (0.8% of the shorter side): nothing of a letter survives the opening.
        size = max(3, round(min(still.shape) * 0.007) * 2 + 1)
        square = np.ones((size, size), np.uint8)
        strokes = cv2.morphologyEx(part, cv2.MORPH_TOPHAT, square) >= 60
        strokes |= cv2.morphologyEx(part, cv2.MORPH_BLACKHAT, square) >= 60
        held = strokes if held is None else held & strokes
    return 0.0 if held is None else float(held.mean())


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


def bluntness(samples: npt.NDArray[np.int16], channels: int = 2) -> float:
    """How much of the sound (interleaved samples at 48 kHz) is cut off: of half seconds the ninth decile of the share
    of samples that come near the top of theirs.

    Voices and music come there rarely (0.006 of the time), however they are limited; what was clipped stays there, also
    after it was made quieter and encoded: 0.05 for 6 dB too much, 0.17 for 10.
    """
    window = 24_000
    whole = samples[: len(samples) // (window * channels) * window * channels].reshape(-1, window, channels)
    # One channel after the other in turn: what is cut off is so for longer than a second.
    loud = np.concatenate([np.abs(whole[n::channels, :, n].astype(np.int32)) for n in range(channels)])
    if not loud.size:
        return 0.0
    tops = np.percentile(loud, 99.98, axis=1, method="higher")[:, None]
    near = (loud >= 0.88 * tops).mean(axis=1)[tops[:, 0] > 2000]
    return float(np.percentile(near, 90)) if near.size else 0.0


def banding(picture: Picture) -> float:
    """The share of a picture that lies along steps between two plain planes, which an even gradient must not have.

    A step is 3 to 20 of 255 high and has 5 pixels without any change on either side of it.
    """
    reach = 4
    square = np.ones((5, 5), np.uint8)
    plain = cv2.dilate(picture, square) == cv2.erode(picture, square)
    found = np.zeros(picture.shape, bool)
    for axis in (0, 1):
        near, far = (
            (np.s_[: -2 * reach], np.s_[2 * reach :]) if axis == 0 else (np.s_[:, : -2 * reach], np.s_[:, 2 * reach :])
        )
        step = np.maximum(picture[near], picture[far]) - np.minimum(picture[near], picture[far])
        middle = np.s_[reach:-reach] if axis == 0 else np.s_[:, reach:-reach]
        found[middle] |= plain[near] & plain[far] & (step >= 3) & (step <= 20)
    return float(found.mean())


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
    if float(patch.std()) < _PLAIN:
        return Sighting(math.nan)
    scale, (down, across), score = found
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


def _number(second: float, media: Media) -> int:
    """The frame shown at `second`."""
    return min(media.frames - 1, max(0, int(second * media.fps + 1e-6)))


def _shape(media: Media, scale: float) -> tuple[int, int]:
    """The film's size in pixels at `scale`, or its own where that is smaller; both sides even."""
    scale = min(1.0, scale)
    return max(2, round(media.width * scale / 2) * 2), max(2, round(media.height * scale / 2) * 2)


def _pictures(raw: Path, size: tuple[int, int]) -> Stack:
    """The grey pictures of a raw file, each of `size` (width, height); a broken last one is left away."""
    pixels, (width, height) = np.fromfile(raw, np.uint8), size
    return pixels[: len(pixels) // (width * height) * width * height].reshape(-1, height, width)


def _spans(log: str, what: str, end: float) -> tuple[Span, ...]:
    """The `what_start`/`what_end` pairs of a detector's log; what has no end goes to the film's end."""
    starts = [float(value) for value in re.findall(rf"{what}_start: ?(-?[\d.]+)", log)]
    ends = [float(value) for value in re.findall(rf"{what}_end: ?(-?[\d.]+)", log)]
    return tuple((max(0.0, a), ends[i] if i < len(ends) else end) for i, a in enumerate(starts))
