"""How pretended voices speak: with the local twin, so that the sound and the times of its words are real."""

from __future__ import annotations

import functools
import io
import wave
from dataclasses import dataclass

import av
import numpy as np

from pipeline.media.voicebox import Samples
from pipeline.providers import local_voice
from pipeline.providers.base import SpokenWord
from pipeline.providers.local_voice import RATE, VOICES

HTML = b"<!doctype html><title>502 Bad Gateway</title><h1>Bad Gateway</h1>"


@dataclass(frozen=True, slots=True)
class Speech:
    """A line spoken: samples at RATE, and each word of it with its seconds."""

    samples: Samples
    words: tuple[SpokenWord, ...]


@functools.lru_cache(maxsize=64)
def speak(text: str, voice: str, pace: float = 1.0) -> Speech:
    """Speak a text in one of VOICES. Raises ProviderError when no word of it can be said, KeyError for the voice."""
    return Speech(*local_voice.read(text, VOICES[voice], pace=pace))


def silence(seconds: float = 5.0) -> Samples:
    """Nothing, for so long."""
    return np.zeros(round(seconds * RATE), np.float32)


def as_wav(samples: Samples, rate: int = RATE) -> bytes:
    """Mono, 16 bit."""
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(np.rint(np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())
    return out.getvalue()


def as_mp3(samples: Samples, bits: int = 128_000) -> bytes:
    """Mono MP3 at RATE."""
    out = io.BytesIO()
    with av.open(out, "w", format="mp3") as container:
        stream = container.add_stream("libmp3lame", rate=RATE, layout="mono", bit_rate=bits)
        frame = av.AudioFrame.from_ndarray(samples[None, :], format="fltp", layout="mono")
        frame.rate = RATE
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return out.getvalue()
