"""Finishing of spoken audio as samples: where the sound begins and ends, how loud it is, even levels, a WAV file."""

from __future__ import annotations

import functools
import wave
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]

FLOOR_DB = -42.0  # a frame this far below the loudest is silence
FRAME_SECONDS = 0.005
BLOCK_SECONDS = 0.002  # the limiter's step
PIECE, OVERLAP = 1 << 17, 1 << 12  # samples filtered at a time, and how many of them at each end only give context

# BS.1770-4, table 1 and 2: the two stages of the K filter at 48 kHz, (b, a).
K_FILTER = (
    ((1.53512485958697, -2.69169618940638, 1.19839281085285), (1.0, -1.69065929318241, 0.73248077421585)),
    ((1.0, -2.0, 1.0), (1.0, -1.99004745483398, 0.99007225036621)),
)


def sounding(samples: Samples, rate: int, floor_db: float = FLOOR_DB) -> tuple[float, float]:
    """Seconds at which the sound begins and ends; (0, 0) for silence."""
    size = max(1, round(FRAME_SECONDS * rate))
    frames = len(samples) // size
    if not frames:
        return 0.0, 0.0
    power = np.square(samples[: frames * size], dtype=np.float64).reshape(frames, size).mean(axis=1)
    loud = np.flatnonzero(power > max(power.max() * 10 ** (floor_db / 10), 1e-12))
    if not loud.size:
        return 0.0, 0.0
    return float(loud[0] * size / rate), float((loud[-1] + 1) * size / rate)


def clip(samples: Samples, rate: int, start: float, end: float, fade: float = 0.008) -> Samples:
    """The samples from `start` to `end` (seconds), faded in and out; silence is added where they reach beyond."""
    first, last = round(start * rate), round(end * rate)
    piece = np.zeros(max(0, last - first), np.float32)
    have = samples[max(0, first) : max(0, last)]
    piece[max(0, -first) : max(0, -first) + len(have)] = have
    ramp = min(round(fade * rate), len(piece) // 2)
    if ramp:
        curve = (0.5 - 0.5 * np.cos(np.pi * (np.arange(ramp) + 0.5) / ramp)).astype(np.float32)
        piece[:ramp] *= curve
        piece[-ramp:] *= curve[::-1]
    return piece


def loudness(samples: Samples, rate: int) -> float:
    """Gated loudness of one channel in LUFS (BS.1770-4: K weighting, 400 ms blocks, −70 LUFS and −10 LU gates).

    Less than 400 ms counts as one block. Returns -inf for silence.
    """
    if not len(samples):
        return float("-inf")
    block, hop = round(0.4 * rate), round(0.1 * rate)
    total = np.concatenate(([0.0], np.cumsum(np.square(_k_weighted(samples, rate)))))
    starts = np.arange(0, max(1, len(samples) - block + 1), hop)
    ends = np.minimum(starts + block, len(samples))
    power = (total[ends] - total[starts]) / (ends - starts)
    power = power[power > 10 ** ((-70 + 0.691) / 10)]
    if not power.size:
        return float("-inf")
    power = power[power > power.mean() / 10]
    return float(-0.691 + 10 * np.log10(power.mean()))


def level(samples: Samples, rate: int, lufs: float = -20.0, peak_db: float = -1.5) -> Samples:
    """The samples at `lufs`, no sample above `peak_db` (dBFS). Silence comes back as it is."""
    now = loudness(samples, rate)
    if not np.isfinite(now):
        return samples
    return limit((samples * 10 ** ((lufs - now) / 20)).astype(np.float32), rate, peak_db)


def limit(samples: Samples, rate: int, peak_db: float) -> Samples:
    """Peaks pulled under `peak_db` (dBFS) by a gain that moves smoothly over a few milliseconds."""
    ceiling = 10 ** (peak_db / 20)
    if not len(samples) or np.abs(samples).max() <= ceiling:
        return samples
    size = max(1, round(BLOCK_SECONDS * rate))
    blocks = -(-len(samples) // size)
    peaks = np.abs(np.pad(samples, (0, blocks * size - len(samples)))).reshape(blocks, size).max(axis=1)
    need = np.minimum(1.0, ceiling / np.maximum(peaks, 1e-9))
    # The least need of five blocks, averaged over three of them, is never above a block's own need; nor is a line
    # drawn from the middle of one block to the middle of the next.
    least = np.lib.stride_tricks.sliding_window_view(np.pad(need, 2, mode="edge"), 5).min(axis=1)
    even = np.lib.stride_tricks.sliding_window_view(np.pad(least, 1, mode="edge"), 3).mean(axis=1)
    gain = np.interp(np.arange(len(samples)), (np.arange(blocks) + 0.5) * size, even)
    return np.asarray(np.clip(samples * gain, -ceiling, ceiling), dtype=np.float32)


def write_wav(path: Path, samples: Samples, rate: int) -> None:
    """Write a mono 16-bit WAV (samples from -1 to 1)."""
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(rate)
        out.writeframes(np.rint(np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())


def _k_weighted(samples: Samples, rate: int) -> NDArray[np.float64]:
    """The samples K-filtered, a few seconds at a time: a long text takes no more memory than a line."""
    gain = _k_gain(rate)
    inner = PIECE - 2 * OVERLAP
    padded = np.pad(samples, (OVERLAP, OVERLAP + inner))
    out = np.empty(-(-len(samples) // inner) * inner)
    for start in range(0, len(out), inner):
        filtered = np.fft.irfft(np.fft.rfft(padded[start : start + PIECE], PIECE) * gain, PIECE)
        out[start : start + inner] = filtered[OVERLAP : OVERLAP + inner]
    return out[: len(samples)]


@functools.cache
def _k_gain(rate: int) -> NDArray[np.float64]:
    """The K filter's gain at each frequency of an rfft of one piece (its phase does not matter for power)."""
    turn = np.exp(-2j * np.pi * np.fft.rfftfreq(PIECE, 1 / rate) / 48000)
    gain = np.ones(len(turn))
    for b, a in K_FILTER:
        gain *= np.abs(np.polyval(b[::-1], turn) / np.polyval(a[::-1], turn))
    return gain
