"""Sound as arrays: reading a file, resampling, fades, BS.1770 loudness, and a limiter that knows true peaks.

Everything is float32 in [-1, 1] at 48 kHz, of shape (channels, samples); one channel alone is (samples,).
Filters work through the FFT, so they have no delay and no settling time.
"""

from __future__ import annotations

import math
from functools import cache
from pathlib import Path
from typing import overload

import av
import cv2
import numpy as np
import numpy.typing as npt

from pipeline.media.probe import FORMATS, BadMedia

Signal = npt.NDArray[np.float32]

RATE = 48_000
_PIECE, _RUN_IN = 32_768, 4_096  # samples, of the pieces the K-weighting works in


def decode(path: Path, layout: str, seconds: float = 600.0) -> tuple[Signal, int]:
    """At most `seconds` of a sound file as (channels, samples) in its own rate, and that rate. Raises BadMedia."""
    try:
        whitelist = {"format_whitelist": FORMATS, "protocol_whitelist": "file"}
        with av.open(f"file:{path.absolute()}", options=whitelist) as container:
            rate = container.streams.audio[0].rate
            if not 4_000 <= rate <= 192_000:
                raise BadMedia(f"A sound of {rate} samples a second cannot be used.")
            resampler = av.AudioResampler(format="fltp", layout=layout)
            parts: list[Signal] = []
            had = 0
            for frame in container.decode(audio=0):
                for part in resampler.resample(frame):
                    parts.append(part.to_ndarray().astype(np.float32, copy=False))
                    had += parts[-1].shape[1]
                if had >= seconds * rate:
                    break
    except (av.FFmpegError, IndexError, ValueError) as problem:
        raise BadMedia("The sound file cannot be read.") from problem
    if had == 0:
        raise BadMedia("The sound file is empty.")
    return np.concatenate(parts, axis=1)[:, : round(seconds * rate)], rate


def clean(samples: Signal, rate: int) -> Signal:
    """Bring a read to 48 kHz and take out the rumble below 80 Hz, both in one spectrum.

    Band-limited (sinc) interpolation: the spectrum is cut or extended with zeros to the new length. The high-pass is
    the magnitude of a second-order Butterworth at 80 Hz, without its phase. Half a second of padding keeps the ends
    apart.
    """
    unit = rate // math.gcd(rate, RATE)  # lengths divisible by this are a whole number of samples at both rates
    padded = quick(-(-(len(samples) + rate // 2) // unit)) * unit
    wanted = padded * RATE // rate
    spectrum = np.fft.rfft(samples, padded)
    frequency = np.arange(len(spectrum)) * (rate / padded)
    spectrum *= (frequency**2 / np.sqrt(frequency**4 + 80.0**4)).astype(np.float32)
    spectrum = spectrum[: wanted // 2 + 1]
    heard = -(-len(samples) * RATE // rate)
    return (np.fft.irfft(spectrum, wanted)[:heard] * (wanted / padded)).astype(np.float32)


def quick(count: int) -> int:
    """The next length from `count` on whose Fourier transform is quick: one without large prime factors."""
    return cv2.getOptimalDFTSize(count)


def faded(samples: Signal, first: float, last: float) -> Signal:
    """A copy with raised-cosine fades over the `first` and the `last` seconds, on the last axis."""
    samples = samples.copy()
    for seconds, part in ((first, np.s_[..., :]), (last, np.s_[..., ::-1])):
        count = min(round(seconds * RATE), samples.shape[-1])
        ramp = 0.5 - 0.5 * np.cos(np.pi * (np.arange(count) + 0.5) / max(count, 1))
        samples[part][..., :count] *= ramp.astype(np.float32)
    return samples


def loudness_of(samples: Signal) -> float:
    """Integrated loudness in LUFS of (channels, samples) at 48 kHz, -inf for silence (ITU-R BS.1770-4).

    The K-weighting is the standard's two biquads, applied as their frequency response; mono counts as both sides.
    """
    block, hop = RATE * 2 // 5, RATE // 10
    count = samples.shape[1]
    # Overlap-save in pieces of 32768, 4096 of them run-in: the filters have died away by 90 dB after half of that.
    step = _PIECE - _RUN_IN
    pieces = -(-max(count, block) // step)
    power = np.zeros(pieces * step, np.float64)
    for channel in samples:
        padded = np.pad(channel, (_RUN_IN, pieces * step - count))
        rows = np.lib.stride_tricks.sliding_window_view(padded, _PIECE)[::step]
        power += np.square(np.fft.irfft(np.fft.rfft(rows) * _k_weighting(), _PIECE)[:, _RUN_IN:]).reshape(-1)
    power = power[: max(count, block)]
    if samples.shape[0] == 1:
        power *= 2
    total = np.concatenate([[0.0], np.cumsum(power)])
    starts = np.arange(0, len(power) - block + 1, hop)
    blocks = (total[starts + block] - total[starts]) / block
    blocks = blocks[blocks > 10 ** ((-70 + 0.691) / 10)]
    if len(blocks) == 0:
        return -math.inf
    blocks = blocks[blocks > blocks.mean() / 10]
    return float(-0.691 + 10 * math.log10(blocks.mean()))


@cache
def _k_weighting() -> npt.NDArray[np.complex64]:
    """The frequency response of BS.1770-4's two biquads (tables 1 and 2, 48 kHz) over one piece."""
    z = np.exp(-2j * np.pi * np.arange(_PIECE // 2 + 1) / _PIECE)
    shelf = (1.53512485958697 - 2.69169618940638 * z + 1.19839281085285 * z**2) / (
        1 - 1.69065929318241 * z + 0.73248077421585 * z**2
    )
    rumble = (1 - 2 * z + z**2) / (1 - 1.99004745483398 * z + 0.99007225036621 * z**2)
    response: npt.NDArray[np.complex64] = (shelf * rumble).astype(np.complex64)
    return response


def limited(film: Signal, ceiling: float) -> Signal:
    """Look-ahead limiter for true peaks: no sample and no point between samples above `ceiling` (dBTP).

    Needed gain per sample from 4 × interpolated peaks (windowed sinc, after ITU-R BS.1770-4 annex 2), its minimum over
    3 ms, smoothed over the same 3 ms: the gain is down before the peak arrives, and never higher than needed.
    """
    limit = factor(ceiling)
    peak = np.abs(film).max(axis=0)
    # Between two samples a wave rises by less than 6 dB over them: only what is near the limit is looked at closely.
    near = np.flatnonzero(peak > limit * 0.5)
    if len(near) == 0:
        return film
    near = np.union1d(near, np.maximum(near - 1, 0))
    taps = np.arange(-11, 13) - np.array([[0.25], [0.5], [0.75]])
    kernels = (np.sinc(taps) * np.cos(np.pi * taps / 26) ** 2).astype(np.float32).T
    for channel in film:
        around = np.lib.stride_tricks.sliding_window_view(np.pad(channel, (11, 12)), 24)[near]
        peak[near] = np.maximum(peak[near], np.abs(around @ kernels).max(axis=1))
    reach = round(0.0015 * RATE)
    needed = np.minimum(1.0, limit / np.maximum(peak, 1e-9))
    # One sample more to both sides: a peak between two samples counts for both.
    gain = smooth(-_largest(-needed, reach + 1), reach)
    return (film * gain).astype(np.float32)


def smooth(samples: Signal, reach: int) -> Signal:
    """Mean over 2 × `reach` + 1 samples on the last axis; beyond the ends the end value goes on."""
    width = [(0, 0)] * (samples.ndim - 1) + [(reach + 1, reach)]
    total = np.cumsum(np.pad(samples, width, mode="edge"), axis=-1, dtype=np.float64)
    return ((total[..., 2 * reach + 1 :] - total[..., : -2 * reach - 1]) / (2 * reach + 1)).astype(np.float32)


def _largest(samples: Signal, reach: int) -> Signal:
    """Maximum over 2 × `reach` + 1 samples around each sample, by doubling: log2(width) passes."""
    wide = np.pad(samples, reach, mode="edge")
    width, have = 2 * reach + 1, 1
    while have < width:
        step = min(have, width - have)
        wide = np.maximum(wide[:-step], wide[step:])
        have += step
    return wide


@overload
def factor(value: float) -> float: ...
@overload
def factor(value: Signal) -> Signal: ...
def factor(value: float | Signal) -> float | Signal:
    """Decibels to a factor."""
    return np.power(10, value / 20, dtype=np.float32) if isinstance(value, np.ndarray) else 10.0 ** (value / 20)
