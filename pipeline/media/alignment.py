"""When each written word is heard: from a vendor's characters, from words somebody heard, or from the sound alone.

Whatever is known of the times may be wrong, out of order or about other words ("1998" is heard as three). What comes
out always has one span for every written word, in order and inside the audio.
"""

from __future__ import annotations

import difflib
import math
import unicodedata
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from pipeline.media.voicebox import FLOOR_DB, FRAME_SECONDS, Samples, sounding

PAUSE_SECONDS = 0.12  # a silence this long may stand between two sentences
BRIEFEST = 0.03  # seconds a letter takes at the least; a word that was not heard borrows time below that
SENTENCE_ENDS, CLAUSE_ENDS = ".!?…", ",;:—–"
# Lengths of what is said, in letters. A digit is said as a word; after a mark the voice rests.
DIGIT, SENTENCE_REST, CLAUSE_REST = 4.0, 6.0, 3.0
STRAY_SECONDS = 0.6  # how far from where it is expected the end of a sentence may be heard


class Span(NamedTuple):
    """A word as written and when it is heard, in seconds from the start of the audio."""

    text: str
    start: float
    end: float


def from_characters(
    words: Sequence[str], characters: Sequence[str], starts: Sequence[float], ends: Sequence[float], seconds: float
) -> tuple[Span, ...]:
    """Spans for the written `words` of audio `seconds` long, from the times of every character that was read.

    What was read may differ from what is written (respellings): words are matched as in `from_words`. Lists of unequal
    length are taken as far as the shortest reaches.
    """
    heard: list[tuple[str, float, float]] = []
    inside = False
    for character, start, end in zip(characters, starts, ends, strict=False):
        if not character.strip():
            inside = False
        elif inside:
            text, first, _ = heard[-1]
            heard[-1] = (text + character, first, end)
        else:
            heard.append((character, start, end))
            inside = True
    return from_words(words, heard, seconds)


def from_words(words: Sequence[str], heard: Iterable[tuple[str, float, float]], seconds: float) -> tuple[Span, ...]:
    """Spans for the written `words` of audio `seconds` long, from words heard as (text, start, end).

    Words that differ share the time between their neighbours by length; where nothing was heard, all of it.
    """
    known = _in_order(heard, seconds)
    if not known:
        return proportional(words, seconds)
    written = [_letters(word) for word in words]
    matcher = difflib.SequenceMatcher(None, written, [_letters(text) for text, _, _ in known], autojunk=False)
    groups: list[tuple[int, int, float, float]] = []  # first and last written word but one, start and end
    for kind, i, j, k, m in matcher.get_opcodes():
        if i == j:
            continue  # heard, and not written
        if kind != "delete" and j - i == m - k:
            groups += [(i + n, i + n + 1, known[k + n][1], known[k + n][2]) for n in range(j - i)]
        elif kind == "replace":
            groups.append((i, j, known[k][1], known[m - 1][2]))
        else:
            before, after = known[k - 1][2] if k else 0.0, known[k][1] if k < len(known) else seconds
            groups.append((i, j, before, after))
    spans: list[Span] = []
    for i, j, start, end in _given_room(groups, written):
        spans += _shared(words[i:j], start, end)
    return _tidy(spans, seconds)


def proportional(
    words: Sequence[str], seconds: float, samples: Samples | None = None, rate: int = 0
) -> tuple[Span, ...]:
    """Spans by the length of the words. With the mono `samples`, sentences end where a silence is heard near by."""
    begin, end = sounding(samples, rate) if samples is not None else (0.0, seconds)
    if end <= begin:
        begin, end = 0.0, seconds
    sentences = _sentences(words)
    silences = _silences(samples, rate, begin, end) if samples is not None else []
    edges = [begin, end]
    for stop, start in _rests(sentences, begin, end, silences):
        edges[-1:-1] = [stop, start]
    spans: list[Span] = []
    for sentence, start, stop in zip(sentences, edges[::2], edges[1::2], strict=True):
        spans += _shared(sentence, start, stop)
    return _tidy(spans, seconds)


def _in_order(heard: Iterable[tuple[str, float, float]], seconds: float) -> list[tuple[str, float, float]]:
    """What was heard, made to run forward and to stay inside the audio; nothing where no time has passed."""
    out: list[tuple[str, float, float]] = []
    now = 0.0
    for text, start, end in heard:
        if not (_letters(text) and math.isfinite(start) and math.isfinite(end)):
            continue
        first = min(max(now, start), seconds)
        now = min(max(first, end), seconds)
        out.append((text, first, now))
    return out if now > 0 else []


def _given_room(
    groups: Sequence[tuple[int, int, float, float]], written: Sequence[str]
) -> list[tuple[int, int, float, float]]:
    """Groups of words with time enough to be said; those without join the group before, or the first its next."""
    out: list[tuple[int, int, float, float]] = []
    for group in groups:
        i, j, start, end = group
        letters = sum(len(word) for word in written[i:j])
        poor = letters and end - start < BRIEFEST * letters
        first_was_poor = len(out) == 1 and out[0][2] == out[0][3] and any(written[out[0][0] : out[0][1]])
        if out and (poor or first_was_poor):
            i, _, start, before = out.pop()
            end = max(before, end)
        out.append((i, j, start, end))
    return out


def _shared(words: Sequence[str], start: float, end: float) -> list[Span]:
    """The time from `start` to `end` shared by the length of the words; a voice rests after marks, but the last."""
    sizes = [_size(word) for word in words]
    rests = [CLAUSE_REST * _ends(word, CLAUSE_ENDS) for word in words[:-1]] + [0.0] * bool(words)
    unit = (end - start) / max(sum(sizes) + sum(rests), 1e-9)
    spans, now = [], start
    for word, size, rest in zip(words, sizes, rests, strict=True):
        spans.append(Span(word, now, now + size * unit))
        now += (size + rest) * unit
    return spans


def _tidy(spans: Sequence[Span], seconds: float) -> tuple[Span, ...]:
    """The spans in whole milliseconds, forward and inside the audio whatever the sums came to."""
    out, now = [], 0.0
    for text, start, end in spans:
        first = min(max(now, math.floor(start * 1000 + 1e-6) / 1000), seconds)
        now = min(max(first, math.floor(end * 1000 + 1e-6) / 1000), seconds)
        out.append(Span(text, first, now))
    return tuple(out)


def _sentences(words: Sequence[str]) -> list[list[str]]:
    """The words by sentence; what has no letters (a dash, an emoji) stays with the sentence before it."""
    out: list[list[str]] = [[]]
    over = False
    for word in words:
        if over and _letters(word):
            out.append([])
            over = False
        out[-1].append(word)
        over = over or bool(_letters(word) and _ends(word, SENTENCE_ENDS))
    return out


def _rests(
    sentences: Sequence[Sequence[str]], begin: float, end: float, silences: Sequence[tuple[float, float]]
) -> list[tuple[float, float]]:
    """Where each sentence but the last ends, and its next begins: silences chosen in order, the long and near ones.

    `best[k]` is the least cost of the sentences so far when only silences before the k-th may have been used; a
    sentence without a silence of its own ends where its length says.
    """
    sizes = [sum(_size(word) + CLAUSE_REST * _ends(word, CLAUSE_ENDS) for word in words) for words in sentences]
    unit = (end - begin) / max(sum(sizes) + SENTENCE_REST * (len(sentences) - 1), 1e-9)
    best: list[tuple[float, list[int | None]]] = [(0.0, [])] * (len(silences) + 1)
    expected: list[float] = []
    at = begin
    for size in sizes[:-1]:
        expected.append(at + (size + SENTENCE_REST / 2) * unit)
        at += (size + SENTENCE_REST) * unit
        row: list[tuple[float, list[int | None]]] = []
        for k in range(len(silences) + 1):
            cost, chosen = best[k]
            options = [(cost + STRAY_SECONDS, [*chosen, None])]
            if k:
                start, stop = silences[k - 1]
                cost, chosen = best[k - 1]
                price = abs((start + stop) / 2 - expected[-1]) - min(stop - start, STRAY_SECONDS)
                options += [(cost + price, [*chosen, k - 1]), row[-1]]
            row.append(min(options, key=lambda option: option[0]))
        best = row
    rests, now = [], begin
    for place, silence in zip(expected, best[-1][1], strict=True):
        start, stop = silences[silence] if silence is not None else (place, place)
        start = min(max(start, now), end)
        now = min(max(stop, start), end)
        rests.append((start, now))
    return rests


def _silences(samples: Samples, rate: int, begin: float, end: float) -> list[tuple[float, float]]:
    """Start and end in seconds of every silence of PAUSE_SECONDS or more between `begin` and `end`."""
    size = max(1, round(FRAME_SECONDS * rate))
    count = len(samples) // size
    power = np.square(samples[: count * size], dtype=np.float64).reshape(count, size).mean(axis=1)
    loud = np.flatnonzero(power > max(power.max() * 10 ** (FLOOR_DB / 10), 1e-12)) * size / rate
    step = size / rate
    return [
        (float(one + step), float(other))
        for one, other in pairwise(loud)
        if other - one - step >= PAUSE_SECONDS and begin <= one and other <= end
    ]


def _ends(word: str, marks: str) -> bool:
    """Whether a word closes with one of the marks, inside quotes or not."""
    return word.rstrip("\"'”’)").endswith(tuple(marks))


def _letters(word: str) -> str:
    """A word for comparing: lower case, accents off, letters and digits only."""
    return "".join(c for c in unicodedata.normalize("NFKD", word).casefold() if c.isalnum())


def _size(word: str) -> float:
    """How long a word takes to be said, in letters; nothing for what has none (a dash, an emoji)."""
    return sum(DIGIT if c.isdigit() else 1.0 for c in word if c.isalnum())
