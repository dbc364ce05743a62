"""A voice on any server that speaks OpenAI's `/v1/audio/speech`: OpenAI's own, and most that people run themselves.

Only what all of them understand is sent, and nothing they say about their audio is believed: it is decoded and
measured. None of them gives word timings with the audio. They are taken from a transcription where the server makes
one, else from the length of the words and the pauses in the sound.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np

from pipeline.media import voicebox

from . import spoken
from .base import Answer, Json, Provider, ProviderError, ReadRequest, SpokenWord, Trouble
from .http import Http, Reply, said
from .local_voice import LEAD, NO_SUCH_VOICE, PACES, PAUSES, RATE, TAIL, TOO_LONG
from .spoken import Sound

SECONDS = 60.0
LONGEST = 1_000  # characters of one request; what is longer is read sentence by sentence
CHARACTERS_A_SECOND = 12.0  # of slow speech, for what a transcription may cost
_ENDS = re.compile(r"[.!?…][\"'”’)]*$")
_LOST = re.compile(
    r"\b(voice|speaker|model)\b.{0,80}\b(not (found|exist|available|supported)|unknown|invalid|unsupported)\b|"
    r"\b(no such|unknown|invalid|unsupported|missing)\b.{0,20}\b(voice|speaker|model)\b",
    re.I | re.S,
)


class OpenAISpeech(Provider):
    """Provider of the job "voice". Nothing is remembered there: after a crash the line is read again.

    `base_url` may end with /v1. `price` is what 1,000 characters cost, `hearing_price` a minute of transcription, both
    in millionths of a US dollar. `hearing_model` asks for transcriptions with word timings; empty where
    the server has none.
    """

    name = "openai-speech"
    job: Literal["writer", "voice", "video"] = "voice"
    recovery: Literal["same_key", "redo", "wait"] = "redo"

    def __init__(
        self,
        key: str = "",
        *,
        base_url: str,
        model: str = "tts-1",
        hearing_model: str = "",
        price: int = 0,
        hearing_price: int = 0,
        limit: int = 0,
        seconds: float = SECONDS,
    ) -> None:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._http = Http("the speech server", base_url.rstrip("/").removesuffix("/v1"), headers, seconds, _judge)
        self._model, self._hearing_model = model, hearing_model
        self._price, self._hearing_price, self._limit = price, hearing_price, limit

    @property
    def limit(self) -> int:
        """How many lines may be read at once."""
        return self._limit

    @property
    def model(self) -> str:
        """The model that speaks."""
        return self._model

    @property
    def patience(self) -> float:
        """Reading a line, and hearing it."""
        return 2 * self._http.seconds

    def submit(self, key: str, request: Json, workdir: Path) -> Answer:
        """Read a `ReadRequest` aloud; its setting "pace" is the speed. Raises ProviderError."""
        line = spoken.understood(request)
        pace = _pace(line)
        sounds: list[Sound] = []
        words: list[tuple[SpokenWord, ...]] = []
        characters = 0
        pieces = pieces_of(line.text)
        for number, piece in enumerate(pieces):
            text = spoken.as_said(piece, line.said_as)
            with spoken.paid(self._cost(characters, 0.0)):
                raw = self._speak(text, line.voice, pace)
            characters += len(text)
            with spoken.paid(self._cost(characters, 0.0)):
                if is_cut(raw):
                    raise spoken.broken("it is shorter than its own header says")
                sounds.append(spoken.finished(raw, workdir, f"{key}#{number}" if number else key, text))
                words.append(spoken.by_words(sounds[-1], piece, self._hear(sounds[-1])))
        sound, timed = (sounds[0], words[0]) if len(pieces) == 1 else _joined(sounds, words, pieces, pace)
        return spoken.answer(sound, timed, cost=self._cost(characters, sound.seconds))

    def find(self, key: str) -> Answer | None:
        """None: they know nothing of our keys."""
        return None

    def cancel(self, external_id: str) -> None:
        """Nothing to stop."""

    def estimate(self, request: Json) -> int:
        """The price of the line's characters, and of hearing them slowly read."""
        line = spoken.understood(request)
        characters = len(spoken.as_said(line.text, line.said_as))
        return self._cost(characters, characters / CHARACTERS_A_SECOND / min(1.0, _pace(line)))

    def check(self) -> str:
        """The voices the server lists; without such a list, whether it answers. Raises ProviderError."""
        voices = self.voices()
        return f"{len(voices)} voices: {', '.join(voices[:12])}" if voices else "it answers, and lists no voices"

    def voices(self) -> list[str]:
        """The names of the server's voices; empty where it lists none. Raises ProviderError."""
        for path in ("/v1/audio/voices", "/v1/models"):
            try:
                found = self._http.ask("GET", path).json()
            except ProviderError as error:
                if error.trouble in ("gone", "refused"):  # a path this server does not have
                    continue
                raise
            listed = found.get("voices") if isinstance(found, dict) else None
            if isinstance(listed, list):
                names = [one.get("id") or one.get("name") if isinstance(one, dict) else one for one in listed]
                return [name for name in names if isinstance(name, str) and name]
            if path == "/v1/models":
                break
        return []

    def _speak(self, text: str, voice: str, pace: float) -> bytes:
        body = {"model": self._model, "input": text, "voice": voice, "response_format": "wav", "speed": pace}
        try:
            reply = self._http.ask("POST", "/v1/audio/speech", body=body)
        except ProviderError as error:
            if error.trouble == "gone":
                error.fan = NO_SUCH_VOICE
            raise
        if reply.body[:256].lstrip()[:1] in (b"{", b"["):
            raise spoken.broken(said(reply))
        return reply.body

    def _hear(self, sound: Sound) -> list[tuple[str, float, float]] | None:
        """The words of a sound as the server hears them, in seconds of the vendor's audio; None where it cannot.

        Captions by the length of the words are good enough to go on with: no trouble of the transcription is worth the
        line.
        """
        if not self._hearing_model:
            return None
        fields = {
            "model": self._hearing_model,
            "response_format": "verbose_json",
            "timestamp_granularities[]": "word",
        }
        files = {"file": ("line.wav", sound.path.read_bytes(), "audio/wav")}
        try:
            found = self._http.ask("POST", "/v1/audio/transcriptions", data=fields, files=files).json()
            heard = [(one["word"], float(one["start"]), float(one["end"])) for one in found["words"]]
        except (ProviderError, LookupError, TypeError, ValueError):
            return None
        return [(word, start + sound.before, end + sound.before) for word, start, end in heard]

    def _cost(self, characters: int, seconds: float) -> int:
        heard = self._hearing_price * seconds / 60 if self._hearing_model else 0.0
        return math.ceil(self._price * characters / 1000 + heard)


def pieces_of(text: str, longest: int = LONGEST) -> list[str]:
    """The text in pieces of whole sentences of at most `longest` characters; a sentence longer than that is cut between
    words. Raises ProviderError for a word that is longer."""
    pieces: list[str] = []
    sentence = ""
    for word in text.split():
        if len(word) > longest:
            raise ProviderError("a word is too long to be read", retryable=False, fan=TOO_LONG)
        if len(sentence) + 1 + len(word) > longest:
            _add(pieces, sentence, longest)
            sentence = ""
        sentence = f"{sentence} {word}" if sentence else word
        if _ENDS.search(word):
            _add(pieces, sentence, longest)
            sentence = ""
    _add(pieces, sentence, longest)
    return pieces


def _add(pieces: list[str], sentence: str, longest: int) -> None:
    # What has no word in it (an emoji after the last full stop) cannot stand alone.
    silent = not any(char.isalnum() for char in sentence)
    if pieces and (silent or len(pieces[-1]) + 1 + len(sentence) <= longest):
        pieces[-1] = f"{pieces[-1]} {sentence}".strip()
    elif sentence:
        pieces.append(sentence)


def is_cut(body: bytes) -> bool:
    """Whether a WAV promises more than is there. Streams write a made-up length, of a gigabyte or more, or none."""
    at = body.find(b"data", 12, 4096)
    if body[:4] != b"RIFF" or at < 0:
        return False
    promised = int.from_bytes(body[at + 4 : at + 8], "little")
    return len(body) - at - 8 < promised < 1 << 30


def _joined(
    sounds: Sequence[Sound], words: Sequence[Sequence[SpokenWord]], pieces: Sequence[str], pace: float
) -> tuple[Sound, tuple[SpokenWord, ...]]:
    """Several sounds as one, in the file of the first, with the pauses of its sentences between them."""
    parts = [sounds[0].samples]
    timed = list(words[0])
    for before, sound, some in zip(pieces, sounds[1:], words[1:], strict=False):
        rest = PAUSES.get(before.rstrip("\"'”’)")[-1:], PAUSES["."]) / pace - LEAD - TAIL
        parts.append(np.zeros(max(0, round(rest * RATE)), np.float32))
        shift = sum(map(len, parts)) / RATE
        timed += [SpokenWord(word.text, round(word.start + shift, 3), round(word.end + shift, 3)) for word in some]
        parts.append(sound.samples)
        sound.path.unlink()
    samples = np.concatenate(parts)
    seconds = round(len(samples) / RATE, 4)
    voicebox.write_wav(sounds[0].path, samples, RATE)
    kept = tuple(SpokenWord(word.text, min(word.start, seconds), min(word.end, seconds)) for word in timed)
    return Sound(sounds[0].path, seconds, samples, sounds[0].before, seconds, sounds[-1].is_cut), kept


def _pace(line: ReadRequest) -> float:
    """The speed, within what sounds like speech. Raises ProviderError."""
    try:
        pace = float(line.settings.get("pace", 1.0))
    except (TypeError, ValueError) as error:
        raise ProviderError(f"no pace {line.settings.get('pace')!r}", retryable=False) from error
    if not math.isfinite(pace) or pace <= 0:
        raise ProviderError(f"no pace {pace}", retryable=False)
    return min(max(pace, PACES[0]), PACES[1])


def _judge(reply: Reply) -> tuple[Trouble, str] | None:
    """Where a status says too little: an empty account comes as "too many", a lost voice as any kind of bad request."""
    found = reply.json()
    error: Any = found.get("error") if isinstance(found, Mapping) else None
    code = error.get("code") or error.get("type") if isinstance(error, Mapping) else ""
    words = said(reply)
    if code in ("insufficient_quota", "billing_hard_limit_reached"):
        return "locked", words
    if reply.status in (400, 422) and _LOST.search(words):
        return "gone", words
    return None
