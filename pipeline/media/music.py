"""The film's music: which track, how it fills the film and closes it, and how far it goes down under speech."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import immich_memories_music
import numpy as np

from pipeline.media import rhythm
from pipeline.media.rhythm import Rhythm
from pipeline.media.samples import RATE, Signal, clean, decode, faded, smooth

LICENCE = "MIT"
DUCK = 10.0  # dB the music goes down under speech
ATTACK, RELEASE = 0.15, 0.5  # s before and after speech
HOLD, RECOVER = 0.8, 2.0  # s: pauses up to HOLD stay ducked, from RECOVER on the music comes back all the way
LATEST_ENTRY = 0.7  # s the music may let the title wait
LEAST_AFTER_CLOSE, AFTER_CLOSE, MOST_AFTER_CLOSE = 1.0, 2.4, 3.2  # s from the closing beat on; 2.4 is the end card
JOIN = 0.2  # what one more join costs, next to 2 for one that is plainly heard
JOIN_SECONDS = 0.12  # s over which one part of the track gives way to the next
RING = 2.2  # s in which a made ending dies away by 60 dB
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


@dataclass(frozen=True, slots=True)
class Arrangement:
    """How a track fills a film: when it begins, which of its parts follow each other, and when it closes.

    `entry` and `close` are seconds of the film, `parts` (from, to) seconds of the track, joined on beats; after `close`
    only its sound dies away. `beats` are seconds of the film.
    """

    entry: float
    parts: tuple[tuple[float, float], ...]
    close: float
    beats: tuple[float, ...]


def beats(path: Path, seconds: float) -> tuple[float, ...]:
    """When the beats of a track fall in a film of `seconds`, in the film's seconds, from its entry to its close.

    They belong to that length: settle how long the film is before cuts are moved onto them. Quick, and the tracks of
    the package are not even opened. Raises BadMedia for another track that cannot be read.
    """
    return arranged(path, seconds).beats


@lru_cache(maxsize=64)
def arranged(path: Path, seconds: float) -> Arrangement:
    """The way through a track that closes it near the film's end with the fewest and least audible joins."""
    track = rhythm.of(path)
    steps = np.diff(track.beats)
    longest = int(seconds / max(0.2, float(np.median(steps)))) + 1
    found: tuple[float, Arrangement] | None = None
    for way, joins in _ways(track, longest):
        parts = [(0.0 if i == 0 else track.beats[a], track.beats[b]) for i, (a, b) in enumerate(way)]
        length = sum(b - a for a, b in parts)
        entry = min(LATEST_ENTRY, max(0.0, seconds - AFTER_CLOSE - length))
        rest = seconds - entry - length
        if rest < min(LEAST_AFTER_CLOSE, seconds / 4):
            continue
        cost = joins + 0.3 * abs(rest - AFTER_CLOSE) + max(0.0, rest - MOST_AFTER_CLOSE)
        if found is None or cost < found[0]:
            found = cost, Arrangement(entry, tuple(parts), entry + length, _heard_at(track, way, entry))
    if found is None or found[1].close < seconds - 2 * AFTER_CLOSE - LATEST_ENTRY:
        # Shorter than anything that closes: the beginning, faded out.
        kept = tuple(beat for beat in track.beats if beat < seconds)
        return Arrangement(0.0, ((0.0, seconds),), seconds, kept)
    return found[1]


def _heard_at(track: Rhythm, way: Sequence[tuple[int, int]], entry: float) -> tuple[float, ...]:
    times, now = [], entry + track.beats[way[0][0]]
    for first, last in way:
        times += [now + track.beats[i] - track.beats[first] for i in range(first, last)]
        now += track.beats[last] - track.beats[first]
    return tuple(round(time, 3) for time in [*times, now])


def _ways(track: Rhythm, longest: int) -> Iterator[tuple[list[tuple[int, int]], float]]:
    """For every number of beats up to `longest` that leads from the first beat to the close: the cheapest way, as
    (from, to) beats, and what it costs."""
    count = track.close + 1
    cost = np.full((longest + 1, count), np.inf)
    came = np.full((longest + 1, count), -1)  # the beat one jumped from
    cost[0, 0] = 0.0
    for n in range(longest + 1):
        if n:
            cost[n, 1:] = cost[n - 1, :-1]
        before = cost[n].copy()
        for a, b, heard in track.jumps:
            joined = before[a] + JOIN + 2 * heard**2  # several that are hardly heard are better than one that is
            if joined < cost[n, b]:
                cost[n, b], came[n, b] = joined, a
    for length in range(1, longest + 1):
        if not np.isfinite(cost[length, track.close]):
            continue
        way, last, at = [], track.close, track.close
        for n in range(length, 0, -1):
            if came[n, at] >= 0:
                way.append((at, last))
                at = last = int(came[n, at])
            at -= 1
        yield [(0, last), *reversed(way)], float(cost[length, track.close])


def bed(path: Path, seconds: float) -> Signal:
    """`seconds` of a track as (2, samples), begun and closed as music is, joined on the beat. Raises BadMedia."""
    plan = arranged(path, seconds)
    track, rate = decode(path, "stereo")
    if rate != RATE:
        track = np.stack([clean(channel, rate) for channel in track])
    length = round(seconds * RATE)
    track = np.pad(track, ((0, 0), (0, RATE)))
    out = np.zeros((2, length), np.float32)
    now = plan.entry
    for i, (a, b) in enumerate(plan.parts):
        # A join is over when the beat sounds: its stroke is heard whole, and once.
        first, last = (a - JOIN_SECONDS if i else a), b
        piece = track[:, round(first * RATE) : round((last + 0.01) * RATE)]
        _lay(faded(piece, JOIN_SECONDS if i else 0.02, JOIN_SECONDS), out, now - (a - first))
        now += b - a
    if plan.close < seconds:
        _lay(_ending(track, plan.parts[-1][1], rhythm.of(path)), out, plan.close - JOIN_SECONDS)
    return faded(out, 0.0, min(0.8 if plan.close < seconds else 3.0, seconds / 5))


def _lay(piece: Signal, out: Signal, at: float) -> None:
    first = round(at * RATE)
    if first < 0:
        piece, first = piece[:, -first:], 0
    piece = piece[:, : max(0, out.shape[1] - first)]
    out[:, first : first + piece.shape[1]] += piece


def _ending(track: Signal, close: float, found: Rhythm) -> Signal:
    """What sounds from JOIN_SECONDS before the closing beat on: the track's own last sound, or one made of the beat."""
    first = round((close - JOIN_SECONDS) * RATE)
    if found.rings:
        return faded(track[:, first:], JOIN_SECONDS, 0.3)
    beat = float(np.median(np.diff(found.beats)))
    stroke = faded(track[:, first : round((close + 0.9 * beat) * RATE)], JOIN_SECONDS, 0.6 * beat)
    rng = np.random.default_rng(7)
    at = np.arange(round(RING * RATE)) / RATE
    room = rng.standard_normal((2, len(at)), dtype=np.float32) * (10 ** (-3 * at / RING)).astype(np.float32)
    room = smooth(room, 3) * np.minimum(1.0, at / 0.03).astype(np.float32)
    size = 1 << (stroke.shape[1] + len(at)).bit_length()
    rung = np.fft.irfft(np.fft.rfft(stroke, size) * np.fft.rfft(room, size))[:, : stroke.shape[1] + len(at)]
    rung *= np.sqrt(np.square(stroke).mean() / max(np.square(rung[:, : stroke.shape[1]]).mean(), 1e-12))
    out = (0.7 * rung).astype(np.float32)
    out[:, : stroke.shape[1]] += stroke
    return out


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
