"""Measures of a finished film: one decode for all that is heard and seen over time, and stills; then what those show.

A still is a film's brightness, uint8 of shape (height, width), 16 to 235, at most STILL pixels on its shorter side.
"""

from __future__ import annotations

import math
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import av
import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from pipeline.media import ffmpeg, flow
from pipeline.media.expected import TextBox
from pipeline.media.flow import Picture, Stack
from pipeline.media.probe import BadMedia, Media, probe
from pipeline.media.sound import Loudness, read_summary

Span = tuple[float, float]
Levels = npt.NDArray[np.float32]

STILL = 720
SMALL = 120  # pixels on the longer side of the pictures that are taken of every frame
# Seconds by which a key frame may be shown later than an index says, which knows when frames are decoded.
_REORDERED = 0.5
SILENCE = "silencedetect=n=-50dB:d=1"


@dataclass(frozen=True, slots=True)
class Measures:
    """What was found in one film. Spans and still times are in seconds; `loudness` is None without sound.

    `errors` are the decoder's complaints over the whole film, none for a sound file. `small` are pictures of every
    frame (see flow). `frozen` is where nothing moves, `held` where the camera does not. `blunt` is the share of samples
    near the sound's tops where it is worst (see `bluntness`). `heard` are the words that were understood, None where
    nobody listened.
    """

    media: Media
    black: tuple[Span, ...]
    frozen: tuple[Span, ...]
    silent: tuple[Span, ...]
    loudness: Loudness | None
    errors: tuple[str, ...]
    stills: Mapping[float, Picture]
    small: Stack = field(default_factory=lambda: np.zeros((0, 2, 2), np.uint8))
    held: tuple[Span, ...] = ()
    blunt: float = 0.0
    heard: tuple[str, ...] | None = None


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
    graph = "[0:v]split[t][w];[t]" if numbers else "[0:v]"
    graph += f"extractplanes=y,scale={small[0]}:{small[1]}:flags=fast_bilinear[small]"
    if numbers:
        wanted = "+".join(f"eq(n,{number})" for number in numbers)
        graph += f";[w]select='{wanted}',extractplanes=y,scale={size[0]}:{size[1]}:flags=area[stills]"
    if media.audio_codec:
        graph += f";[0:a]asplit=2[l][p];[l]ebur128=peak=true:framelog=quiet,{SILENCE}[sound]"
        graph += ";[p]aformat=sample_fmts=s16[samples]"
    with tempfile.TemporaryDirectory() as folder:
        raw = {name: Path(folder) / name for name in ("small", "stills", "samples")}
        # Without the deblocking filter the picture is a little rougher, nothing here minds, and a fifth of the decoding
        # is saved; every bit is still read and every error still found.
        args: list[str | Path] = ["-loglevel", "level+info", "-skip_loop_filter", "all", "-i", path]
        args += ["-filter_complex", graph]
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
        flow.spans(flow.black(every), media.fps),
        flow.spans(flow.standing(every, media.fps, alive=True), media.fps),
        _silences(log, media.duration),
        read_summary(log) if media.audio_codec else None,
        tuple(line for line in log.splitlines() if re.search(r"\[(error|fatal)\]", line))[:20],
        {second: found[_number(second, media)] for second in at if _number(second, media) in found},
        every,
        flow.spans(flow.standing(every, media.fps), media.fps),
        bluntness(samples) if media.audio_codec else 0.0,
        tuple(ear(samples)) if ear is not None and audible else None,
    )


def frames_at(path: Path, seconds: Sequence[float]) -> Iterator[tuple[float, Picture]]:
    """Each of `seconds` in order of time, once, with the RGB frame, (height, width, 3) at full size, nearest to it.

    Seconds count from the first frame. One frame is held at a time; what lies between two is decoded, unless a key
    frame stands between them. Raises BadMedia.
    """
    try:
        with av.open(f"file:{path.absolute()}", options={"protocol_whitelist": "file"}) as container:
            stream = container.streams.video[0]
            half = 0.5 / float(stream.average_rate or 25)
            start = float((stream.start_time or 0) * (stream.time_base or 0))
            frames, frame, at = container.decode(stream), None, -math.inf
            for second in sorted(set(seconds)):
                early = max(0.0, start + second - _REORDERED)
                if at < _key_before(stream, early):
                    container.seek(round(early * av.time_base))
                    frames, at = container.decode(stream), -math.inf
                while at < start + second - half and (following := next(frames, None)) is not None:
                    frame, at = following, following.time or 0.0
                if frame is None:
                    raise BadMedia("The film has no picture.")
                yield second, np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)
    except (av.FFmpegError, IndexError, ValueError) as problem:
        raise BadMedia("The film cannot be read at that place.") from problem


def sample_frames(path: Path, seconds: Sequence[float]) -> list[Picture]:
    """The frames nearest to each of `seconds`, in the order asked for; see `frames_at`. Raises BadMedia."""
    found = dict(frames_at(path, seconds))
    return [found[second] for second in seconds]


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

    `width` is the film's width in pixels. A stroke is at least 52 levels brighter than what lies around it (white
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
        strokes = cv2.morphologyEx(part, cv2.MORPH_TOPHAT, square) >= 52
        strokes |= cv2.morphologyEx(part, cv2.MORPH_BLACKHAT, square) >= 52
        held = strokes if held is None else held & strokes
    return 0.0 if held is None else float(held.mean())


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


def steps(picture: Picture) -> Levels:
    """How high the step is at each place of a picture where two plain planes meet, 0 elsewhere: gradients have none.

    A step is 1.6 to 32 levels high, more than what grain there is, and nearly level for 13 pixels on either side. Means
    of places are compared, since an encoder leaves no pixel as it was. One level more or less is no step: any gradient
    is written so.
    """
    exact = picture.astype(np.float32)
    grain = cv2.blur(cv2.absdiff(exact, cv2.GaussianBlur(exact, (0, 0), 1.5)), (15, 15))
    found = np.zeros(picture.shape, np.float32)
    for whole, rough, out in ((exact, grain, found), (exact.T, grain.T, found.T)):
        mean = cv2.blur(np.ascontiguousarray(whole), (6, 11))
        count = whole.shape[1] - 24
        if count <= 0:
            continue
        # Four places in a row: two before the step, two behind it.
        far, near, behind, past = (mean[:, at : at + count] for at in (0, 7, 16, 23))
        step = np.abs(behind - near)
        level = np.abs(near - far) + np.abs(past - behind) < 0.3 * step
        high = (step > np.maximum(1.6, 1.5 * rough[:, 12 : 12 + count])) & (step < 32)
        out[:, 12 : 12 + count] = np.maximum(out[:, 12 : 12 + count], step * (level & high))
    return found


def _key_before(stream: av.VideoStream, second: float) -> float:
    """When the last key frame up to `second` is decoded, as the file's index says; 0 where it has none."""
    if stream.time_base is None:
        return 0.0
    number = stream.index_entries.search_timestamp(int(second / stream.time_base))
    return float(stream.index_entries[number].timestamp * stream.time_base) if number >= 0 else 0.0


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


def _silences(log: str, end: float) -> tuple[Span, ...]:
    """The pairs of a silence's start and end in a log; what has no end goes to the film's end."""
    starts = [float(value) for value in re.findall(r"silence_start: ?(-?[\d.]+)", log)]
    ends = [float(value) for value in re.findall(r"silence_end: ?(-?[\d.]+)", log)]
    return tuple((max(0.0, a), ends[i] if i < len(ends) else end) for i, a in enumerate(starts))
