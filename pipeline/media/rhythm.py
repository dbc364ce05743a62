"""Where a piece of music has its beats, its bars and its close, and where one may go from one beat to another.

What was found in the tracks that come with the product is kept in `rhythm.json`, so that a film waits for no analysis:
`python -m pipeline.media.rhythm` makes that file anew (some ten seconds).
"""

from __future__ import annotations

import functools
import hashlib
import json
import re
from dataclasses import dataclass
from importlib import metadata
from itertools import pairwise
from pathlib import Path
from typing import Any

import immich_memories_music
import numpy as np
import numpy.typing as npt

from pipeline.media.samples import RATE, Signal, clean, decode, smooth

Floats = npt.NDArray[np.float64]

KEPT = Path(__file__).with_name("rhythm.json")
BAR = 4  # beats; all of the music is in four
HOP, WINDOW = RATE // 100, 2048  # samples: a hundred looks a second
TIGHTNESS = 150.0  # how dear a beat is that comes early or late (Ellis, "Beat tracking by dynamic programming", 2007)
SHORTEST_RUN = 8  # beats from one jump to the next
JUMPS = 2  # kept of each length


@dataclass(frozen=True, slots=True)
class Rhythm:
    """A track's beats in seconds; `bar` is the number of a beat that opens a bar, `close` of the one it can close on.

    `rings`: after `close` the track dies away by itself; otherwise it goes on, and an ending has to be made. `jumps`
    are (from, to, cost): in place of beat `from`, beat `to` may follow; a cost of 0 is not heard, of 1 is.
    """

    beats: tuple[float, ...]
    bar: int
    close: int
    rings: bool
    jumps: tuple[tuple[int, int, float], ...]


def of(path: Path) -> Rhythm:
    """A track's rhythm: as it is kept, or for a track nobody has listened to, found now. Raises BadMedia."""
    found = _kept().get(path.stem)
    return found if found is not None and path.suffix == ".opus" else _found_now(path)


@functools.cache
def _kept() -> dict[str, Rhythm]:
    entries = json.loads(KEPT.read_text(encoding="utf-8"))
    return {name: _rhythm(entry) for name, entry in entries.items()}


def _rhythm(entry: dict[str, Any]) -> Rhythm:
    beats, jumps = tuple(entry["beats"]), tuple((a, b, cost) for a, b, cost in entry["jumps"])
    return Rhythm(beats, entry["bar"], entry["close"], entry["rings"], jumps)


@functools.lru_cache(maxsize=4)
def _found_now(path: Path) -> Rhythm:
    track, rate = decode(path, "mono")
    return find(track[0] if rate == RATE else clean(track[0], rate))


def find(track: Signal, tempo: float | None = None, tonic: tuple[int, ...] = ()) -> Rhythm:
    """The rhythm of one channel at 48 kHz. `tempo` is what it was written in, in beats a minute, where that is known.

    `tonic` are the pitch classes (0 is C) of the chord it is at rest on; without them, of the one it begins with.
    """
    spectrum = _spectrum(track)
    onsets = _onsets(spectrum)
    beats = _beats(onsets, tempo)
    chroma, colour = _by_beat(spectrum, beats)
    bar = _bar(onsets, beats, chroma)
    close, rings = _close(track, beats, bar, chroma, tonic)
    seconds = tuple(round(float(beat) * HOP / RATE, 3) for beat in beats)
    return Rhythm(seconds, bar, close, rings, _jumps(chroma, colour, close))


def _spectrum(track: Signal) -> Floats:
    """Magnitudes, one row for each look, its middle at the look's time."""
    padded = np.pad(track, (WINDOW // 2, WINDOW))
    looks = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[: len(track) : HOP]
    return np.abs(np.fft.rfft(looks * np.hanning(WINDOW).astype(np.float32))).astype(np.float64)


def _bands(spectrum: Floats, count: int) -> Floats:
    edges = np.unique(np.round(np.geomspace(2, WINDOW // 2, count + 1)).astype(int))
    parts = [spectrum[:, a:b].mean(axis=1) for a, b in pairwise(edges)]
    return np.asarray(np.log1p(30 * np.stack(parts, axis=1)))


def _onsets(spectrum: Floats) -> Floats:
    """How much begins at each look: what rises in forty bands, over its own mean; 1 is an ordinary stroke."""
    bands = _bands(spectrum, 40)
    rise = np.maximum(0.0, np.diff(bands, axis=0, prepend=bands[:1])).mean(axis=1)
    rise = np.maximum(0.0, rise - smooth(rise.astype(np.float32), 25))
    return np.asarray(rise / max(float(np.percentile(rise, 95)), 1e-3))


def _beats(onsets: Floats, tempo: float | None) -> npt.NDArray[np.intp]:
    """Looks on which the beats fall: the row of steady steps that meets the most onsets (Ellis, 2007)."""
    period = 6000 / _tempo(onsets, tempo)
    kernel = np.exp(-0.5 * (np.arange(-12, 13) / 3.0) ** 2)
    local = np.convolve(onsets, kernel / kernel.sum(), "same")
    steps = np.arange(-round(1.4 * period), -round(0.7 * period) + 1)
    dear = TIGHTNESS * np.log(-steps / period) ** 2
    best, came = local.copy(), np.full(len(local), -1)
    for now in range(round(0.7 * period), len(local)):
        usable = steps[steps + now >= 0]
        scores = best[now + usable] - dear[-len(usable) :]
        best[now] = local[now] + scores.max()
        came[now] = now + usable[scores.argmax()]
    at = len(best) - 1 - int(np.argmax(best[: -round(period) - 1 : -1]))
    found = [at]
    while came[found[-1]] >= 0:
        found.append(int(came[found[-1]]))
    found.reverse()
    found = [beat for beat in found if beat < len(local) - 10] or [0]
    while found[0] > period - 4:
        found.insert(0, max(0, round(found[0] - period)))
    return np.array(found)


def _tempo(onsets: Floats, near: float | None) -> float:
    """Beats a minute whose multiples the onsets repeat at; within 4 % of `near`."""
    size = 1 << (2 * len(onsets) - 1).bit_length()
    again = np.fft.irfft(np.abs(np.fft.rfft(onsets - onsets.mean(), size)) ** 2)[: len(onsets)]
    tempi = np.arange(near * 0.96, near * 1.04, 0.1) if near else np.arange(64.0, 152.0, 0.25)
    lags = np.arange(1, 9)[:, None] * (6000 / tempi)
    return float(tempi[np.interp(lags, np.arange(len(again)), again, right=0.0).sum(axis=0).argmax()])


def _by_beat(spectrum: Floats, beats: npt.NDArray[np.intp]) -> tuple[Floats, Floats]:
    """Each beat's harmony (twelve pitch classes, unit length) and colour (bands of both its halves, in nepers)."""
    frequency = np.fft.rfftfreq(WINDOW, 1 / RATE)
    heard = (frequency > 100) & (frequency < 2100)
    classes = np.round(12 * np.log2(frequency[heard] / 261.63)).astype(int) % 12
    bands = _bands(spectrum, 16)
    ends = np.append(beats[1:], min(len(spectrum), 2 * beats[-1] - beats[-2]))
    chroma, colour = [], []
    for first, last in zip(beats, np.maximum(ends, beats + 2), strict=True):
        power = np.square(spectrum[first:last, heard]).mean(axis=0)
        row = np.sqrt(np.bincount(classes, power, 12))
        chroma.append(row / max(float(np.linalg.norm(row)), 1e-9))
        middle = (first + last) // 2
        colour.append(np.concatenate([bands[first:middle].mean(axis=0), bands[middle:last].mean(axis=0)]))
    return np.array(chroma), np.array(colour)


def _bar(onsets: Floats, beats: npt.NDArray[np.intp], chroma: Floats) -> int:
    """Which of the first four beats opens a bar: harmony changes there, and strokes are strong."""
    change = np.zeros(len(beats))
    for i in range(2, len(beats) - 1):
        change[i] = 1 - float(_unit(chroma[i - 2 : i].sum(axis=0)) @ _unit(chroma[i : i + 2].sum(axis=0)))
    strength = np.array([onsets[max(0, beat - 3) : beat + 4].max() for beat in beats])
    weight = change / max(change.mean(), 1e-9) + 0.5 * strength / max(strength.mean(), 1e-9)
    return int(np.argmax([weight[first::BAR].mean() for first in range(min(BAR, len(beats)))]))


def _close(
    track: Signal, beats: npt.NDArray[np.intp], bar: int, chroma: Floats, tonic: tuple[int, ...]
) -> tuple[int, bool]:
    """The beat nearest to the last stroke of a track that dies away, and True; else a late bar at rest, and False."""
    frames = len(track) // HOP
    power = np.square(track[: frames * HOP]).reshape(frames, HOP).mean(axis=1).astype(np.float32)
    level = 10 * np.log10(smooth(power, 3) + 1e-9)
    usual = float(np.median(level))
    if level[-30:].mean() < usual - 12:
        rises = 10 + np.flatnonzero(level[10:] - level[:-10] > 4.0)
        strokes = rises[(rises > frames - 500) & (level[rises] > usual - 12)]
        last = int(strokes[-1]) - 7 if len(strokes) else int(np.flatnonzero(level > usual - 6)[-1])
        return int(np.abs(beats - last).argmin()), True
    rest = np.zeros(12)
    if tonic:
        rest[list(tonic)] = (1.0, 0.8, 0.8)
    else:
        rest = chroma[bar : bar + 2].sum(axis=0)
    late = [i for i in range(bar, len(beats), BAR) if frames - 1000 < beats[i] < frames - 60]
    return max(late or [max(0, len(beats) - BAR)], key=lambda i: float(_unit(rest) @ _unit(chroma[i]))), False


def _jumps(chroma: Floats, colour: Floats, close: int) -> tuple[tuple[int, int, float], ...]:
    """From where to where whole bars may be left out or repeated, the least audible of each length."""
    count = len(chroma)
    differ = 1 - chroma @ chroma.T + 0.5 * np.sqrt(np.square(colour[:, None] - colour[None]).mean(axis=2))
    found = []
    for bars in range(-count // BAR, count // BAR + 1):
        far = bars * BAR
        costs = []
        for a in range(SHORTEST_RUN, close - BAR):
            b = a + far
            if abs(far) < BAR or not SHORTEST_RUN // 2 <= b <= close - BAR:
                continue
            # What was heard before and what would have come after are both like what comes now.
            cost = np.mean([differ[a - 2, b - 2], differ[a - 1, b - 1], differ[a, b], differ[a + 1, b + 1]])
            costs.append((round(float(cost), 2), a, b))
        found += [(a, b, cost) for cost, a, b in sorted(costs)[:JUMPS]]
    return tuple(found)


def _unit(row: Floats) -> Floats:
    return np.asarray(row / max(float(np.linalg.norm(row)), 1e-9))


def listen() -> dict[str, dict[str, object]]:
    """What there is to know about every track of the package: tempo and key are in its licence file."""
    licence = next(file for file in metadata.files("immich-memories-music") or () if file.name == "LICENSE-MUSIC")
    written = re.findall(r"(\w+)\.opus\s+(\d+) bpm\s+([A-G])([b#]?) (major|minor)", licence.read_text())
    found: dict[str, dict[str, object]] = {}
    for name, tempo, letter, sign, mode in sorted(written):
        path = next(immich_memories_music.tracks_dir().glob(f"*/{name}.opus"))
        root = ("C D EF G A B".index(letter) + (sign == "#") - (sign == "b")) % 12
        tonic = (root, (root + (4 if mode == "major" else 3)) % 12, (root + 7) % 12)
        rhythm = find(decode(path, "mono")[0][0], float(tempo), tonic)
        found[name] = {"sha256": hashlib.sha256(path.read_bytes()).hexdigest()} | {
            key: getattr(rhythm, key) for key in ("beats", "bar", "close", "rings", "jumps")
        }
    return found


if __name__ == "__main__":
    lines = (f"{json.dumps(name)}: {json.dumps(entry)}" for name, entry in listen().items())
    KEPT.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
