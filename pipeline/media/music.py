"""The film's music: which track, cut or looped to length, and how far it goes down under speech."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import immich_memories_music
import numpy as np

from pipeline.media.samples import RATE, Signal, clean, decode, faded, smooth

LICENCE = "MIT"
DUCK = 10.0  # dB the music goes down under speech
ATTACK, RELEASE = 0.15, 0.5  # s before and after speech
HOLD, RECOVER = 0.8, 2.0  # s: pauses up to HOLD stay ducked, from RECOVER on the music comes back all the way
BEND = 0.06  # s by which the corners of the curve are rounded

_BY_TONE = {"warm": "tender", "funny": "happy", "heartfelt": "nostalgic", "epic": "energetic"}
# Where the occasion knows better than the tone: nobody wants a joke's music at a funeral.
_BY_OCCASION = {"condolence": "calm", "sorry": "calm"}
_BY_BOTH = {
    ("new_baby", "heartfelt"): "tender",
    ("new_baby", "epic"): "happy",
    ("pet", "heartfelt"): "tender",
    ("wedding", "heartfelt"): "tender",
    ("retirement", "warm"): "nostalgic",
    ("anniversary", "warm"): "nostalgic",
    ("team", "warm"): "happy",
    ("graduation", "warm"): "happy",
    ("thank_you", "epic"): "happy",
}


@dataclass(frozen=True, slots=True)
class Track:
    """One piece of music: its file, a title for the credits, its mood and its licence (SPDX name)."""

    path: Path
    title: str
    mood: str
    licence: str


def moods() -> list[str]:
    """The moods there are tracks for."""
    return sorted(folder.name for folder in immich_memories_music.tracks_dir().iterdir() if any(folder.glob("*.opus")))


def choose(mood_or_tone: str, occasion: str, seed: int) -> Track:
    """The track for an order: the same for the same seed, another of the same mood for the next one.

    A mood is taken as it is (except where the occasion asks for quiet), a tone is turned into one with the occasion.
    Raises ValueError for a word that is neither.
    """
    known = moods()
    wanted = mood_or_tone if mood_or_tone in known else _BY_TONE.get(mood_or_tone, "")
    mood = _BY_OCCASION.get(occasion) or _BY_BOTH.get((occasion, mood_or_tone)) or wanted
    if mood not in known or not wanted:
        raise ValueError(f"no music for {mood_or_tone!r}; the moods are {', '.join(known)}")
    tracks = sorted((immich_memories_music.tracks_dir() / mood).glob("*.opus"))
    path = tracks[seed % len(tracks)]
    return Track(path, path.stem.replace("_s", " ").replace("_", " ").capitalize(), mood, LICENCE)


def licence_note() -> str:
    """What the credits and the documents say about the music."""
    return (
        "Music: Immich Memories Contributors (immich-memories-music), made with ACE-Step 1.5, MIT licence. "
        "No attribution is required and nothing in it comes from other recordings."
    )


def bed(path: Path, seconds: float) -> Signal:
    """`seconds` of a track as (2, samples): looped on the beat when too short, faded in and out. Raises BadMedia."""
    track, rate = decode(path, "stereo", seconds + 30)
    if rate != RATE:
        track = np.stack([clean(channel, rate) for channel in track])
    length = round(seconds * RATE)
    if track.shape[1] < length:
        track = _looped(track, length)
    return faded(track[:, :length], min(0.8, seconds / 8), min(3.0, seconds / 5))


def _looped(track: Signal, length: int) -> Signal:
    """Repeat a track to `length` samples, going back where the beat, and the music around it, fits best.

    The last seconds before the track's own ending are compared with every earlier place (correlation of the onset
    curve, 4 ms steps); the best place continues them under a 0.4 s crossfade.
    """
    hop, fade = RATE // 250, round(0.4 * RATE)
    usable = track.shape[1] - round(1.5 * RATE)  # tracks end with a tail that must not be heard in the middle
    window = 4 * 250
    if usable < 3 * window * hop:
        return np.tile(track, (1, -(-length // track.shape[1])))
    frames = usable // hop
    energy = np.square(track[:, : frames * hop].mean(axis=0)).reshape(frames, hop).mean(axis=1)
    onsets = np.maximum(0.0, np.diff(10 * np.log10(energy + 1e-7), prepend=-70.0))
    tail = onsets[-window:] - onsets[-window:].mean()
    scores = np.correlate(onsets[: frames // 2], tail, "valid")
    back_to = (int(scores.argmax()) + window) * hop
    end = frames * hop
    ramp = np.sin(np.linspace(0, np.pi / 2, fade, dtype=np.float32))
    out = track[:, :end]
    while out.shape[1] < length:
        seam = out[:, -fade:] * ramp[::-1] + track[:, back_to - fade : back_to] * ramp
        out = np.concatenate([out[:, :-fade], seam, track[:, back_to:end]], axis=1)
    return out[:, :length]


def duck(spans: Sequence[tuple[float, float]], seconds: float) -> Signal:
    """How far the music is down, 0 (open) to 1 (all of DUCK), one value per sample, from the known speech.

    Down over ATTACK before a span, up over RELEASE after it (ramps with round corners). A pause of up to HOLD seconds
    keeps the music down; a longer one lets it rise as far as it has time to, so the music breathes and never pumps.
    """
    length = round(seconds * RATE)
    merged: list[list[float]] = []
    for start, end in sorted(spans):
        if merged and start - merged[-1][1] <= HOLD:
            merged[-1][1] = max(merged[-1][1], end)
        else:
            merged.append([start, end])
    points: list[tuple[float, float]] = [(-1.0, 0.0)]
    for i, (start, end) in enumerate(merged):
        gap = start - merged[i - 1][1] if i else RECOVER
        floor = min(1.0, max(0.0, (RECOVER - gap) / (RECOVER - HOLD)))
        if i:
            points.append((merged[i - 1][1] + BEND + RELEASE, floor))
        points += [(start - ATTACK - BEND, floor), (start - BEND, 1.0), (end + BEND, 1.0)]
    if merged:
        points.append((merged[-1][1] + BEND + RELEASE, 0.0))
    at = np.arange(length) / RATE
    times, levels = zip(*points, strict=True)
    curve = np.interp(at, times, levels).astype(np.float32)
    return smooth(curve, round(BEND * RATE))  # rounds the corners; the ramps are moved so that speech is never late
