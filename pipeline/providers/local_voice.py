"""The local voice twin: reads a line aloud on this machine, with exact word timings, no key and no network."""

from __future__ import annotations

import functools
import hashlib
import json
import math
import os
import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from pipeline.media import voicebox
from pipeline.media.voicebox import Samples
from pipeline.providers.base import Answer, Json, Provider, ProviderError, Reading, ReadRequest, SpokenWord
from pipeline.providers.say import Said, say
from pipeline.providers.voice_warp import Spectra, VoiceRecipe, warp

RATE = 24000
DURATION_SECONDS = 0.025  # the model counts how long a phoneme lasts in these
DURATIONS_OUTPUT = b"/Clip_output_0"
MAX_PHONEMES = 380  # the model was made for up to 400 at a time
MAX_TEXT = 20_000
PACES = (0.5, 2.0)

LEAD, TAIL = 0.045, 0.11  # seconds kept before and after the sound
PAUSES = {".": 0.42, "!": 0.42, "?": 0.45, "…": 0.55}  # between sentences, sound to sound
BREATH = 0.16  # where a very long sentence had to be cut

VOICES: dict[str, VoiceRecipe] = {
    "mira": VoiceRecipe("Mira, bright and warm", pace=0.92, words_per_second=3.25),
    "bram": VoiceRecipe("Bram, deep and calm", 0.58, 0.86, pace=0.85, lilt=0.9, tilt=-0.5, words_per_second=3.05),
    "pip": VoiceRecipe("Pip, young and lively", 1.22, 1.1, pace=1.03, lilt=1.15, words_per_second=3.4),
}

NOTHING_TO_SAY = "We could not find any words to read in this line. Please write a few words."
NO_SUCH_VOICE = "This voice cannot be used right now. Please choose another one."
TOO_LONG = "This line is too long to be read aloud. Please shorten it."

# Respellings, sounded out: the longest spelling that fits is taken. Symbols are the model's own alphabet.
OPENINGS = {
    "tch": "ʧ", "ch": "ʧ", "sh": "ʃ", "zh": "ʒ", "th": "θ", "dh": "ð", "kh": "k", "gh": "ɡ", "ph": "f", "wh": "w",
    "ng": "ŋ", "ck": "k", "qu": "kw", "gn": "n", "kn": "n", "ts": "ts", "j": "ʤ", "y": "j", "c": "k", "g": "ɡ",
    "r": "ɹ", "x": "ks", "q": "k",
} | {letter: letter for letter in "bdfhklmnpstvwz"}  # fmt: skip
VOWELS = {
    "eye": "I", "igh": "I", "air": "ɛɹ", "ear": "ɪɹ", "eer": "ɪɹ", "ohr": "ɔɹ", "oor": "ʊɹ", "ahr": "ɑɹ", "uhr": "əɹ",
    "our": "Wəɹ", "ah": "ɑ", "aa": "ɑ", "ay": "A", "ai": "A", "ei": "A", "ey": "A", "aw": "ɔ", "au": "ɔ", "ar": "ɑɹ",
    "ee": "i", "ea": "i", "ie": "i", "eh": "ɛ", "er": "əɹ", "ir": "əɹ", "ur": "əɹ", "ew": "u", "ih": "ɪ", "oh": "O",
    "oe": "O", "oa": "O", "oo": "u", "ou": "u", "ow": "W", "or": "ɔɹ", "oy": "Y", "oi": "Y", "uh": "ʌ", "uu": "ʊ",
    "a": "æ", "e": "ɛ", "i": "ɪ", "o": "ɑ", "u": "ʌ", "y": "I",
}  # fmt: skip
OPEN = {"a": "ɑ", "e": "A", "i": "i", "o": "O", "u": "u"}  # a bare vowel that ends its syllable
LONG = {"a": "A", "e": "i", "i": "I", "o": "O", "u": "u", "y": "I"}  # before a consonant and a silent e
MARKS = frozenset(",;:.!?…—")


class LocalVoice(Provider):
    """Provider of the job "voice". Answers at once; the same request gives the same bytes."""

    name = "local-voice"
    job: Literal["writer", "voice", "video"] = "voice"
    recovery: Literal["same_key", "redo", "wait"] = "redo"

    def submit(self, key: str, request: Json, workdir: Path) -> Answer:
        """Read a `ReadRequest` aloud into a WAV in `workdir`. Raises ProviderError, which never helps to retry."""
        line, recipe, pace = _understand(request)
        samples, words = read(line.text, recipe, said_as=line.said_as, pace=pace)
        path = workdir / f"read-{hashlib.sha256(key.encode()).hexdigest()[:16]}.wav"
        part = path.with_suffix(".part")
        voicebox.write_wav(part, samples, RATE)
        os.replace(part, path)
        reading = Reading(seconds=round(len(samples) / RATE, 4), words=words)
        return Answer(state="done", result=reading.to_json(), files={"audio": path})

    def find(self, key: str) -> Answer | None:
        """None: what was done was answered at once, and doing it again costs nothing."""
        return None

    def cancel(self, external_id: str) -> None:
        """Nothing to stop."""


def load() -> None:
    """Load the model now, so that the first line need not wait for it: half a CPU second and some 150 MB."""
    _engine()


def words_per_second(voice: str) -> float:
    """How fast a voice speaks at pace 1, measured over a dozen lines, pauses included; the plain voice's if unknown."""
    return VOICES.get(voice, VOICES["mira"]).words_per_second


def read(
    text: str, recipe: VoiceRecipe, said_as: Mapping[str, str] | None = None, pace: float = 1.0
) -> tuple[Samples, tuple[SpokenWord, ...]]:
    """The finished samples (mono, 24 kHz) and every written word's timing in seconds. Raises ProviderError."""
    units = say(text, said_as)
    engine = _engine()
    speed = min(max(recipe.pace * pace, PACES[0]), PACES[1])
    pieces: list[Samples] = []
    times: dict[int, tuple[float, float]] = {}  # unit → start and end in the joined audio
    length = 0
    mark = ""
    for sentence in _breaths(engine.sound_out(units)):
        samples, spans = engine.speak(sentence, recipe, speed)
        begin, end = voicebox.sounding(samples, RATE)
        if end <= begin:
            continue
        if pieces:
            gap = round(max(0.0, (PAUSES.get(mark, BREATH)) / speed - LEAD - TAIL) * RATE)
            pieces.append(np.zeros(gap, np.float32))
            length += gap
        piece = voicebox.clip(samples, RATE, begin - LEAD, end + TAIL)
        shift = length / RATE - (begin - LEAD)
        for unit, (start, stop) in spans.items():
            first, last = max(start, begin) + shift, min(stop, end) + shift
            times[unit] = (times.get(unit, (first, last))[0], last)
        pieces.append(piece)
        length += len(piece)
        mark = sentence[-1].phonemes[-1:]
    if not pieces:
        raise ProviderError("no word in the text can be said", retryable=False, fan=NOTHING_TO_SAY)
    samples = voicebox.level(np.concatenate(pieces), RATE)
    return samples, _to_written(text.split(), units, times, len(samples) / RATE)


@dataclass(frozen=True, slots=True)
class Sound:
    """One spoken word as phonemes, its closing mark attached, and the number of the unit it belongs to."""

    unit: int
    phonemes: str


class Engine:
    """The model and its pronunciation. One inference thread: no thread pool is left behind in a process that forks, and
    sums are added up in the same order each time."""

    def __init__(self) -> None:
        # Only a process that really speaks should pay for these: a CPU second and some 150 MB.
        import onnxruntime as ort  # noqa: PLC0415
        from hibari import dsp, tts  # noqa: PLC0415
        from hibari.g2p import G2P  # noqa: PLC0415
        from hibari.voices import voice_path  # noqa: PLC0415

        options = ort.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        options.enable_cpu_mem_arena = False  # every line has its own length: the arena would only grow
        model = Path(voice_path("heart", download_missing=False)).read_bytes() + _one_more_output(DURATIONS_OUTPUT)
        self._session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        self._synth = dsp.synth
        self._vocabulary: dict[str, int] = json.loads(Path(tts.ASSETS, "vocab.json").read_text(encoding="utf-8"))
        self._pronounce = G2P()
        self._lock = threading.Lock()  # the pronunciation loads parts of itself as it goes

    def sound_out(self, units: Sequence[Said]) -> list[Sound]:
        """Every spoken word of the units as phonemes, in order; words that come out empty are left away."""
        chunks = [(number, word, unit.respelt) for number, unit in enumerate(units) for word in unit.text.split()]
        # Respelled words go along as plain letters, so that their neighbours are read in context.
        looked_up = self._look_up([word.replace("-", "") if respelt else word for _, word, respelt in chunks])
        sounds = []
        for (number, word, respelt), found in zip(chunks, looked_up, strict=True):
            plain = word.rstrip("".join(MARKS))
            phonemes = respelling(plain) + word[len(plain) :] if respelt and _is_sounded(plain) else found
            if any(char in self._vocabulary and char not in MARKS for char in phonemes):
                sounds.append(Sound(number, phonemes))
            elif sounds and word[-1] in MARKS and sounds[-1].phonemes[-1] not in MARKS:
                sounds[-1] = Sound(sounds[-1].unit, sounds[-1].phonemes + word[-1])
        return sounds

    def speak(
        self, sentence: Sequence[Sound], recipe: VoiceRecipe, speed: float
    ) -> tuple[Samples, dict[int, tuple[float, float]]]:
        """One sentence as raw samples, and when each of its units begins and ends in them, in seconds."""
        ids = [0]
        places: list[tuple[int, int, int]] = []
        for sound in sentence:
            if places:
                ids.append(self._vocabulary[" "])
            known = [char for char in sound.phonemes if char in self._vocabulary]
            spoken = len("".join(known).rstrip("".join(MARKS)))
            places.append((sound.unit, len(ids), len(ids) + spoken))
            ids += [self._vocabulary[char] for char in known]
        if sentence[-1].phonemes[-1] not in MARKS:
            ids.append(self._vocabulary["."])  # without a close the model lets the last word hang
        ids.append(0)
        feed = {"ids": np.array([ids], np.int64), "speed": np.array([speed], np.float32)}
        *spectra, durations = self._session.run(None, feed)
        until = np.concatenate(([0.0], np.cumsum(durations.ravel(), dtype=np.float64))) * DURATION_SECONDS
        spans: dict[int, tuple[float, float]] = {}
        for unit, first, last in places:
            spans[unit] = (spans.get(unit, (float(until[first]), 0.0))[0], float(until[last]))
        heard = warp(Spectra(*(part[0] for part in spectra)), recipe)
        samples: Samples = self._synth(*heard, np.random.default_rng(len(ids)))
        return samples, {unit: _heard(samples, start, end) for unit, (start, end) in spans.items()}

    def _look_up(self, words: list[str]) -> list[str]:
        """Phonemes word by word, read in context; each word alone should the pronunciation ever join or split some."""
        with self._lock:
            together = self._phonemes(" ".join(words))
            if len(together) == len(words):
                return together
            return [" ".join(filter(None, self._phonemes(word))) for word in words]

    def _phonemes(self, text: str) -> list[str]:
        out = [""]
        for token in self._pronounce.phonemize_tokens(self._pronounce.tokenize(text)):
            out[-1] += token.phonemes or ""
            if token.whitespace:
                out.append("")
        return out


def _heard(samples: Samples, start: float, end: float) -> tuple[float, float]:
    """A word's span as one hears it: it begins a frame before the model's count, and what is quiet at its end (the last
    phoneme before a comma takes the pause along) is not the word any more."""
    _, sounds_until = voicebox.sounding(samples[round(start * RATE) : round(end * RATE)], RATE, floor_db=-32.0)
    return start - DURATION_SECONDS, start + sounds_until if sounds_until > 0.05 else end


_loading = threading.Lock()


def _engine() -> Engine:
    """The process's one engine; two threads that ask at the same time wait for the same one."""
    with _loading:
        return _load()


@functools.cache
def _load() -> Engine:
    return Engine()


def respelling(word: str) -> str:
    """A respelled word in the model's phonemes: "see-oh-MAH-rah" → siOmˈɑɹɑ. Capitals carry the stress; without any,
    the last syllable but one does. A possessive 's is kept. Letters that mean nothing are skipped."""
    stem, own = (word[:-2], True) if word.lower().endswith("'s") else (word, False)
    syllables = [part for part in re.split(r"[^A-Za-z]+", stem) if part]
    loud = [part.isupper() for part in syllables]
    if all(loud) or not any(loud):
        loud = [number == max(0, len(syllables) - 2) for number in range(len(syllables))]
    out = "".join(_syllable(part.lower(), stressed) for part, stressed in zip(syllables, loud, strict=True))
    if len(syllables) > 1 and not loud[-1] and syllables[-1].lower().endswith("ah"):
        out = out[:-1] + "ə"  # "MAH-rah" ends as "Mara" does
    if own and out:
        out += "ᵻz" if out[-1] in "szʃʒʧʤ" else "s" if out[-1] in "ptkfθ" else "z"
    return out


def _syllable(letters: str, stressed: bool) -> str:
    out, at, vowel = "", 0, False
    while at < len(letters):
        rest = letters[at:]
        silent = re.fullmatch(r"([aeiouy])([b-df-hj-np-tv-xz]|th|ch|sh)e", rest)
        if silent:
            rest, sound = silent[1], LONG[silent[1]]
            letters = letters[:-1]
        elif letters[at] == "y" and not vowel and len(rest) > 1 and rest[1] in "aeiouy":
            rest, sound = "y", "j"
        else:
            table = VOWELS if letters[at] in "aeiouy" else OPENINGS
            rest = next((rest[:size] for size in (3, 2, 1) if rest[:size] in table), rest[0])
            sound = OPEN[rest] if rest in OPEN and at + 1 == len(letters) else table.get(rest, "")
        if letters[at] in "aeiouy" and sound != "j":
            if stressed and not vowel:
                sound = "ˈ" + sound.replace("ə", "ɜ")
            elif not stressed:
                sound = {"ʌ": "ə", "ɑ": "ə" if rest == "a" else "ɑ"}.get(sound, sound)
            vowel = True
        if not sound or sound != out[-1:]:  # doubled letters sound once
            out += sound
        at += len(rest)
    return out


def _is_sounded(word: str) -> bool:
    """Whether a respelling is written in syllables (or is a single one) and not just another way to spell the word."""
    return "-" in word or len(re.findall(r"[aeiouy]+", word.lower())) <= 1


def _breaths(sounds: Sequence[Sound]) -> Iterator[list[Sound]]:
    """Sentences; those too long for the model are cut after their last inner mark, or wherever they must be."""
    sentence: list[Sound] = []
    for sound in sounds:
        while sentence and sum(len(one.phonemes) + 1 for one in sentence) + len(sound.phonemes) > MAX_PHONEMES:
            cut = max((n for n, one in enumerate(sentence, 1) if one.phonemes[-1] in MARKS), default=len(sentence))
            yield sentence[:cut]
            sentence = sentence[cut:]
        sentence.append(sound)
        if sound.phonemes[-1] in PAUSES:
            yield sentence
            sentence = []
    if sentence:
        yield sentence


def _to_written(
    words: Sequence[str], units: Sequence[Said], times: Mapping[int, tuple[float, float]], seconds: float
) -> tuple[SpokenWord, ...]:
    """Timings for every written word. Words said together share their time by length; silent ones (an emoji, a lone
    dash) get the pause they stand in."""
    following = [seconds] * (len(units) + 1)
    for number in range(len(units) - 1, -1, -1):
        following[number] = times[number][0] if number in times else following[number + 1]
    out: list[SpokenWord] = []
    now = 0.0
    for number, unit in enumerate(units):
        start, end = times.get(number, (now, following[number]))
        start = min(max(start, now), seconds)
        now = min(max(end, start), seconds)
        group = words[unit.first : unit.first + unit.count]
        total = sum(len(word) for word in group)
        done = 0
        for word in group:
            edges = (start + (now - start) * part / total for part in (done, done + len(word)))
            out.append(SpokenWord(word, *(math.floor(edge * 1000) / 1000 for edge in edges)))
            done += len(word)
    return tuple(out)


def _understand(request: Json) -> tuple[ReadRequest, VoiceRecipe, float]:
    """The request, checked. Raises ProviderError."""
    try:
        line = ReadRequest.from_json(request)
        pace = float(line.settings.get("pace", 1.0))
    except (TypeError, ValueError, AttributeError) as error:
        raise ProviderError(f"not a request to read: {error}", retryable=False) from error
    if not isinstance(line.text, str) or not line.text.strip():
        raise ProviderError("the text is empty", retryable=False, fan=NOTHING_TO_SAY)
    if len(line.text) > MAX_TEXT:
        raise ProviderError(f"{len(line.text)} characters are too many", retryable=False, fan=TOO_LONG)
    if line.voice not in VOICES:
        raise ProviderError(f"no voice {line.voice!r} here", retryable=False, fan=NO_SUCH_VOICE)
    if not math.isfinite(pace) or pace <= 0:
        raise ProviderError(f"no pace {pace}", retryable=False)
    return line, VOICES[line.voice], pace


def _one_more_output(name: bytes) -> bytes:
    """Bytes that, put after an ONNX model, name one more of its inner values an output.

    Protocol buffers merge a message that comes twice: this is a second `graph` (field 7 of ModelProto) that holds only
    an `output` (field 12 of GraphProto) with a `name` (field 1 of ValueInfoProto). See onnx/onnx.proto.
    """
    message = name
    for field in (1, 12, 7):
        message = bytes([field << 3 | 2, len(message)]) + message
    return message
