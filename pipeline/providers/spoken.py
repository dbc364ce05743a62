"""What voice vendors have in common: a line checked and worded before it is sent, audio and timings made ours after.

line = understood(request)                       # refused here: nothing to say, too long, not a ReadRequest
text = as_said(line.text, line.said_as)          # what the vendor is sent
sound = finished(raw_bytes, workdir, key, text)  # a mono 24 kHz WAV in workdir, or trouble "passing"
words = by_characters(sound, line.text, alignment) or by_words(sound, line.text, heard)
return answer(sound, words, cost=...)
"""

from __future__ import annotations

import hashlib
import math
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.media import alignment, samples, voicebox
from pipeline.media.probe import BadMedia
from pipeline.media.voicebox import Samples

from .base import Answer, Json, ProviderError, Reading, ReadRequest, SpokenWord
from .local_voice import LEAD, NOTHING_TO_SAY, RATE, TAIL, TOO_LONG
from .say import say

MAX_TEXT = 3_000  # characters; the narrowest of the servers people run themselves take so many
SILENT_LUFS = -60.0
# Seconds a letter of what is said may take. Speech has 10 to 20 letters a second; outside of this it is not the line.
QUICKEST, SLOWEST, SPARE = 1 / 40, 0.25, 4.0
DRIFT = 0.5  # seconds a vendor's times may reach beyond its audio
# A line of so many letters is known again by the share of three letters in a row that it has in common with what was
# heard (Dice's coefficient): other lines have a tenth, misheard ones half and more.
RECOGNIZABLE, ALIKE = 20, 0.2
ABRUPT = 0.02  # seconds of rest at the end below which a sound was cut off
MARKUP = str.maketrans(dict.fromkeys("<>[]{}|\\`", " "))  # what engines take for tags, pauses or phonemes
MARKS = ",;:.!?…—"


@dataclass(frozen=True, slots=True)
class Sound:
    """A line as we keep it: `path` the WAV (mono, 16 bit, 24 kHz), `seconds` its measured length, its `samples`.

    `before` is how many seconds of the vendor's audio were cut from the front (below 0: added), `whole` how long that
    audio was, `is_cut` that it stopped in the middle of a sound.
    """

    path: Path
    seconds: float
    samples: Samples
    before: float
    whole: float
    is_cut: bool


def understood(request: Json, longest: int = MAX_TEXT) -> ReadRequest:
    """The request, checked for its shape. Raises ProviderError, trouble "refused", with the fan's sentence."""
    try:
        line = ReadRequest.from_json(request)
    except (TypeError, AttributeError) as error:
        raise ProviderError(f"not a request to read: {error}", retryable=False) from error
    given = (isinstance(line.text, str), isinstance(line.voice, str), isinstance(line.settings, Mapping))
    if not all(given) or not isinstance(line.said_as, Mapping):
        raise ProviderError("not a request to read: wrong types", retryable=False)
    if len(line.text) > longest:
        raise ProviderError(f"{len(line.text)} characters are too many", retryable=False, fan=TOO_LONG)
    if not _letters(line.text):
        raise ProviderError("no word in the text can be said", retryable=False, fan=NOTHING_TO_SAY)
    return line


def as_said(text: str, said_as: Mapping[str, str]) -> str:
    """The text with the fan's respellings in the place of the written words, and without anything like markup.

    Everything else stays as it is written: vendors read numbers and dates themselves.
    """
    given = {key: value for key, value in said_as.items() if str(key).strip() and str(value).strip()}
    ours = {unit.text for key in given for unit in say(str(key), given)[:1] if unit.respelt}
    words = text.split()
    out: list[str] = []
    for unit in say(text, given):
        plain = unit.text.rstrip(MARKS)
        respelt = unit.respelt and (plain in ours or plain.removesuffix("'s") in ours)
        out += [unit.text] if respelt else words[unit.first : unit.first + unit.count]
    clean = " ".join(out).translate(MARKUP)
    return " ".join("".join(char for char in clean if char.isprintable() or char == " ").split())


def characters(request: Json) -> int:
    """How many characters of a `ReadRequest` a vendor will be sent; 0 for what `understood` refuses."""
    try:
        line = understood(request)
    except ProviderError:
        return 0
    return len(as_said(line.text, line.said_as))


def price_of(count: int, price: int) -> int:
    """What `count` characters cost at `price` for 1,000, rounded up; both in millionths of a US dollar."""
    return -(-count * price // 1000)


def pace_of(settings: Mapping[str, Any]) -> float | None:
    """Our own setting `pace`, which every voice understands: 1 is the voice's own. Raises ProviderError, "refused"."""
    pace = settings.get("pace")
    if pace is None:
        return None
    if type(pace) not in (int, float) or not math.isfinite(pace) or pace <= 0:
        raise ProviderError(f"no pace {pace!r}", retryable=False)
    return float(pace)


def finished(raw: bytes, workdir: Path, key: str, text: str) -> Sound:
    """A vendor's audio of `text`, in any container we read, trimmed, levelled and written as a WAV in `workdir`.

    Raises ProviderError, trouble "passing", for what is no sound (a page, an error's JSON, nothing), cannot be read, is
    silent, or too short or too long to be this text.
    """
    if not raw:
        raise broken("nothing")
    if raw[:256].lstrip()[:1] in (b"<", b"{"):
        raise broken("text and no sound")
    name = hashlib.sha256(key.encode()).hexdigest()[:16]
    letters = _letters(text)
    most = SPARE + SLOWEST * letters
    draft = workdir / f".read-{name}.part"
    try:
        draft.write_bytes(raw)
        heard, rate = samples.decode(draft, "mono", seconds=most + 1)
        whole = heard.shape[1] / rate
        sound = _at_our_rate(heard[0], rate)
        begin, end = _spoken_part(sound, letters, most)
        piece = voicebox.level(voicebox.clip(sound, RATE, begin - LEAD, end + TAIL), RATE)
        voicebox.write_wav(draft, piece, RATE)
        path = workdir / f"read-{name}.wav"
        os.replace(draft, path)
    except BadMedia as error:
        raise broken(str(error)) from error
    finally:
        draft.unlink(missing_ok=True)
    return Sound(path, round(len(piece) / RATE, 4), piece, begin - LEAD, whole, whole - end < ABRUPT)


def by_words(sound: Sound, written: str, heard: Any) -> tuple[SpokenWord, ...]:
    """Timings of the `written` words from words heard, (text, start, end) with seconds in the vendor's own audio.

    Times that make no sense, or None, are left aside for the length of the words and the pauses in the sound. Raises
    ProviderError, trouble "passing", when the times say that the audio was cut off, or the words that it is another
    line.
    """
    try:
        texts, starts, ends = [list(column) for column in zip(*heard, strict=True)] or [[], [], []]
    except (TypeError, ValueError):
        texts, starts, ends = [], [], []
    words = written.split()
    if not _make_sense(sound, texts, starts, ends):
        return _by_length(sound, words)
    _recognize(sound, written, " ".join(texts))
    moved = zip(texts, _moved(sound, starts), _moved(sound, ends), strict=True)
    return _ours(alignment.from_words(words, list(moved), sound.seconds))


def by_characters(sound: Sound, written: str, said: Any) -> tuple[SpokenWord, ...]:
    """As `by_words`, from three lists: characters, and the seconds at which each of them starts and ends."""
    try:
        characters, starts, ends = map(list, said)
    except (TypeError, ValueError):
        characters, starts, ends = [], [], []
    words = written.split()
    if not _make_sense(sound, characters, starts, ends):
        return _by_length(sound, words)
    _recognize(sound, written, "".join(characters))
    found = alignment.from_characters(words, characters, _moved(sound, starts), _moved(sound, ends), sound.seconds)
    return _ours(found)


def answer(sound: Sound, words: tuple[SpokenWord, ...], *, external_id: str = "", cost: int = 0) -> Answer:
    """The finished answer of a voice."""
    reading = Reading(seconds=sound.seconds, words=words)
    return Answer("done", reading.to_json(), {"audio": sound.path}, external_id=external_id, cost=cost)


@contextmanager
def paid(cost: int) -> Iterator[None]:
    """Whatever is wrong with the sound looked at in here, the vendor did read the line and charges `cost`."""
    try:
        yield
    except ProviderError as error:
        error.cost = cost
        raise


def broken(what: str) -> ProviderError:
    """Audio we cannot use: nothing is kept, another try may bring better."""
    return ProviderError(f"the audio cannot be used: {what}", retryable=True, trouble="passing")


def is_plain(ident: str) -> bool:
    """Whether a vendor's id can stand in an address as it is."""
    return re.fullmatch(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,119}", ident) is not None


def _letters(text: str) -> int:
    """Letters of what is heard: "1998" has twenty."""
    return sum(char.isalpha() for unit in say(text) for char in unit.text)


def _at_our_rate(sound: Samples, rate: int) -> Samples:
    """The samples at RATE: the spectrum cut, or extended with zeros, to the new length. Raises BadMedia."""
    if not np.isfinite(sound).all():
        raise BadMedia("The sound is not made of numbers.")
    if rate == RATE:
        return sound
    unit = rate // math.gcd(rate, RATE)  # lengths divisible by this are a whole number of samples at both rates
    padded = -(-(len(sound) + rate // 2) // unit) * unit
    wanted = padded * RATE // rate
    spectrum = np.fft.rfft(sound, padded)[: wanted // 2 + 1]
    heard = -(-len(sound) * RATE // rate)
    return (np.fft.irfft(spectrum, wanted)[:heard] * (wanted / padded)).astype(np.float32)


def _spoken_part(sound: Samples, letters: int, most: float) -> tuple[float, float]:
    """Seconds at which the voice begins and ends. Raises BadMedia where there is none or it cannot be the line."""
    if voicebox.loudness(sound, RATE) < SILENT_LUFS:
        raise BadMedia("It is silent.")
    begin, end = voicebox.sounding(sound, RATE)
    if end - begin < QUICKEST * letters:
        raise BadMedia(f"{end - begin:.1f} s are too short for {letters} letters.")
    if len(sound) / RATE > most:
        raise BadMedia(f"It is longer than {most:.0f} s, for {letters} letters.")
    return begin, end


def _make_sense(sound: Sound, texts: Sequence[Any], starts: Sequence[Any], ends: Sequence[Any]) -> bool:
    """Whether times run forward, inside the audio and over most of it. Raises ProviderError where it was cut off."""
    if not texts or not len(texts) == len(starts) == len(ends) or not all(isinstance(text, str) for text in texts):
        return False
    if not all(type(time) in (int, float) and math.isfinite(time) for time in (*starts, *ends)):
        return False
    forward = all(one <= other + 0.05 for times in (starts, ends) for one, other in pairwise(times))
    if not forward or min(starts) < -0.05 or any(end < start - 0.05 for start, end in zip(starts, ends, strict=True)):
        return False
    last = max(ends)
    if last > sound.whole + DRIFT:
        if sound.is_cut:
            sound.path.unlink(missing_ok=True)
            raise broken(f"it stops at {sound.whole:.1f} s of {last:.1f}")
        return False
    return bool(last - min(starts) > 0.5 * (sound.seconds - LEAD - TAIL))


def _recognize(sound: Sound, written: str, heard: str) -> None:
    """Raise ProviderError where what was heard is quite another line; misheard names and numerals do not matter."""
    spoken = _triples(heard)
    if sum(map(str.isalpha, written)) < RECOGNIZABLE:
        return
    expected = (_triples(written), _triples(" ".join(unit.text for unit in say(written))))
    alike = max(2 * len(line & spoken) / max(1, len(line) + len(spoken)) for line in expected)
    if alike < ALIKE:
        sound.path.unlink(missing_ok=True)
        raise broken(f"it says something else: {heard[:100]!r}")


def _triples(text: str) -> set[str]:
    letters = "".join(char for char in text.casefold() if char.isalnum())
    return {letters[at : at + 3] for at in range(len(letters) - 2)}


def _moved(sound: Sound, times: Sequence[float]) -> list[float]:
    return [time - sound.before for time in times]


def _by_length(sound: Sound, words: Sequence[str]) -> tuple[SpokenWord, ...]:
    return _ours(alignment.proportional(words, sound.seconds, sound.samples, RATE))


def _ours(spans: Sequence[alignment.Span]) -> tuple[SpokenWord, ...]:
    return tuple(SpokenWord(*span) for span in spans)
