"""The film's sound: reads cleaned, evened and placed, music laid under them, mastered to −14 LUFS.

The chain: reads to 48 kHz, high-pass, one level, de-esser, light compression, fades → music under them, lowered where
somebody speaks → the quiet of a room → gain, true-peak limiter, trim. Quality control measures what is heard in the
film, and `python -m benchmarks.loudness` many of them.
"""

from __future__ import annotations

import math
import re
import wave
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipeline.media import ffmpeg
from pipeline.media.music import DUCK, bed, duck
from pipeline.media.samples import RATE, Signal, clean, decode, factor, faded, limited, loudness_of, quick, smooth

TARGET = -14.0  # LUFS, what the large platforms play at
CEILING = -2.0  # dBTP of the master: the WAV stays under −1.5, and AAC's overshoot under −1.0
SPEECH = -18.0  # LUFS each read is brought to before mastering
MUSIC = -8.0  # LU of the music relative to the speech where nobody speaks
SIBILANT = 5000.0  # Hz from which on an s is heard and little else
ROOM = -66.0  # dBFS rms of the quiet under everything
LARGEST_GAIN = 30.0  # dB; a film that would need more has nothing in it but the quiet


@dataclass(frozen=True, slots=True)
class Loudness:
    """EBU R128 of one file: integrated LUFS (-inf for silence), true peak in dBTP, loudness range in LU."""

    lufs: float
    true_peak: float
    range: float


def mix(
    reads: Sequence[tuple[Path, float]],
    music: Path | None,
    seconds: float,
    out: Path,
    *,
    words: Sequence[tuple[float, float]] = (),
) -> None:
    """Write `out`, a 48 kHz stereo 16-bit WAV of exactly `seconds`, from reads placed at their start seconds.

    `words` are the (start, end) seconds of everything spoken, in the film's time; without them the speech is found in
    the reads themselves. What would be heard after the end is faded out there.

    Raises BadMedia for a file that cannot be read, ValueError for a length or a start that makes no sense.
    """
    length = round(seconds * RATE)
    if length <= 0 or any(not 0 <= start < seconds for _, start in reads):
        raise ValueError("a film has a length, and every read starts inside it")
    speech = np.zeros(length, np.float32)
    spans = [(max(0.0, a), min(seconds, b)) for a, b in words if a < seconds and b > a]
    for path, start in reads:
        samples, rate = decode(path, "mono")
        read = _evened(clean(samples[0], rate))
        at = round(start * RATE)
        read = faded(read[: length - at], 0.005, 0.010 if len(read) <= length - at else 0.15)
        speech[at : at + len(read)] += read
        if not words:
            spans += [(start + a, start + b) for a, b in _spoken(read)]
    film = np.tile(speech, (2, 1))
    if music is not None:
        laid = bed(music, seconds)
        own = loudness_of(laid)
        laid *= factor((SPEECH + MUSIC if reads else SPEECH) - own) if math.isfinite(own) else 1.0
        film += laid * factor(-DUCK * duck(spans, seconds))
    film += _room(length)
    film = master(film)
    _save(film, out)


def loudness(path: Path, *, timeout: float = 120) -> Loudness:
    """Measure a file with FFmpeg's ebur128 (EBU R128, ITU-R BS.1770-4). Raises ffmpeg.FfmpegError."""
    graph = "ebur128=peak=true:framelog=quiet"
    return read_summary(ffmpeg.run(["-i", path, "-vn", "-af", graph, "-f", "null", "-"], timeout=timeout).stderr)


def read_summary(log: str) -> Loudness:
    """The figures of ebur128's closing summary in FFmpeg's log; -inf where there was none (no sound at all)."""
    summary = log.rpartition("Summary:")[2]

    def figure(name: str) -> float:
        found = re.search(rf"^\s+{name}:\s+(-?[\d.]+|-?inf|nan) ", summary, re.MULTILINE)
        return float(found[1]) if found else -math.inf

    lufs = figure("I")
    return Loudness(lufs if lufs > -70 else -math.inf, figure("Peak"), max(0.0, figure("LRA")))


def _evened(read: Signal) -> Signal:
    """A read at the common level, its sharp s softened, gently compressed, and at the common level again."""
    if not math.isfinite(loudness_of(read[np.newaxis])):
        return read
    read = _softened(_leveled(read))
    # Speech at −18 LUFS has its loud vowels around −14 dBFS rms in 5 ms: only those are held back.
    return _leveled(read * _held(read, SPEECH + 4.0, 1 - 1 / 2.5))


def _leveled(read: Signal) -> Signal:
    # At most 20 dB: a read that is nearly silent must not come back as loud noise.
    return np.asarray(read * factor(float(np.clip(SPEECH - loudness_of(read[np.newaxis]), -20, 20))), np.float32)


def _softened(read: Signal) -> Signal:
    """A read whose sibilants (what lies above SIBILANT Hz) are held back where they stand out, and nothing else."""
    count = quick(len(read))
    spectrum = np.fft.rfft(read, count)
    frequency = np.arange(len(spectrum)) * (RATE / count)
    above = np.clip(frequency / 1000 - SIBILANT / 1000 + 0.5, 0, 1).astype(np.float32)
    high = np.fft.irfft(spectrum * above, count)[: len(read)].astype(np.float32)
    return np.asarray(read + high * (_held(high, SPEECH - 6.0, 0.6) - 1), np.float32)


def _held(signal: Signal, level: float, share: float) -> Signal:
    """A gain per sample that takes back `share` of the decibels a signal is above `level` dBFS (rms over 5 ms).

    It takes hold at once and lets go over 120 ms.
    """
    hop = RATE // 200
    frames = len(signal) // hop + 1
    power = np.square(np.pad(signal, (0, frames * hop - len(signal)))).reshape(frames, hop).mean(axis=1)
    up, down = math.exp(-5 / 5), math.exp(-5 / 120)
    over, held = np.zeros(frames), 0.0
    for i, now in enumerate(10 * np.log10(power + 1e-12)):
        excess = max(0.0, float(now) - level)
        held = excess + (held - excess) * (up if excess > held else down)
        over[i] = held
    gain = factor((-over * share).astype(np.float32))
    return np.interp(np.arange(len(signal)) / hop - 0.5, np.arange(frames), gain).astype(np.float32)


def _spoken(read: Signal) -> list[tuple[float, float]]:
    """Where a read is louder than 30 dB under its own level, as (start, end) seconds."""
    hop = RATE // 50
    frames = len(read) // hop
    if frames == 0:
        return []
    power = np.square(read[: frames * hop]).reshape(frames, hop).mean(axis=1)
    loud = np.flatnonzero(power > max(1e-10, float(power.max()) * 1e-3))
    if len(loud) == 0:
        return []
    breaks = np.flatnonzero(np.diff(loud) > 5)
    starts, ends = loud[np.r_[0, breaks + 1]], loud[np.r_[breaks, len(loud) - 1]] + 1
    return [(float(a) * hop / RATE, float(b) * hop / RATE) for a, b in zip(starts, ends, strict=True)]


def master(film: Signal) -> Signal:
    """Bring (2, samples) to TARGET under CEILING: gain, true-peak limiter, and again for what the limiter took."""
    gain = TARGET - loudness_of(film)
    if gain > LARGEST_GAIN:  # also +inf, for silence
        return film
    out, slope, before = film, 1.0, (gain, TARGET)
    for _ in range(6):
        out = limited(film * factor(gain), CEILING)
        level = loudness_of(out)
        if abs(TARGET - level) < 0.05:
            break
        # The limiter takes back part of each decibel; from two tries one knows how much (secant, kept sane).
        if gain != before[0]:
            slope = min(1.0, max(0.2, (level - before[1]) / (gain - before[0])))
        before = gain, level
        gain += (TARGET - level) / slope
    return out


def _room(length: int) -> Signal:
    """The quiet of a room as (2, length): soft noise, so that no player and no meter meets digital silence."""
    noise = np.random.default_rng(48).standard_normal((2, length), dtype=np.float32)
    return smooth(noise, 8) * factor(ROOM) * 3.0


def _save(film: Signal, out: Path) -> None:
    """Write (2, samples) as a 16-bit WAV."""
    whole = np.round(np.clip(film, -1, 1) * 32767).astype("<i2")
    with wave.open(str(out), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(np.ascontiguousarray(whole.T).tobytes())
