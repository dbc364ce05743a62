"""ElevenLabs, pretended: speech with the time of every character, the subscription, and their many ways to say no."""

from __future__ import annotations

import base64
import re
import time
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from pipeline.media.voicebox import Samples
from pipeline.providers.base import ProviderError, SpokenWord
from pipeline.providers.local_voice import VOICES

from .server import Request, Response, Route
from .speaking import HTML, as_mp3, as_wav, silence, speak
from .world import World, register

LIMIT = 5  # requests at once
LONGEST = 5000
QUOTA = 100_000

register(
    "elevenlabs",
    {
        "concurrent": "429 too_many_concurrent_requests",
        "busy": "429 system_busy",
        "quota": "401 quota_exceeded",
        "bad_key": "401 invalid_api_key",
        "no_voice": "404 voice_not_found",
        "too_long": "400 max_character_limit_exceeded",
        "invalid": "422, as their validation says it",
        "down": "500 before anything was read",
        "silent": "the line is read and charged, and the connection closed without a word",
        "truncated": "the base64 ends in its middle",
        "cut_off": "the audio ends in the middle of a word, its base64 being whole",
        "html": "a gateway's page where the audio should be",
        "empty": "no audio at all",
        "mute": "five seconds of silence",
        "wrong_times": "times in milliseconds, in no order",
        "no_times": "null where the alignment should be",
        "no_json": "a page instead of the answer",
    },
)
# Faults that come before anything is done: status, detail.status, message.
NOES: Mapping[str, tuple[int, str, str]] = {
    "concurrent": (429, "too_many_concurrent_requests", "Too many concurrent requests for your plan."),
    "busy": (429, "system_busy", "The system is experiencing heavy traffic, please try again."),
    "quota": (401, "quota_exceeded", "This request exceeds your quota."),
    "bad_key": (401, "invalid_api_key", "Invalid API key"),
    "no_voice": (404, "voice_not_found", "A voice with this id was not found."),
    "too_long": (400, "max_character_limit_exceeded", f"The text is longer than {LONGEST} characters."),
    "down": (500, "internal_server_error", "Something went wrong."),
}


def elevenlabs(world: World) -> list[Route]:
    """Its routes."""
    desk = _Desk(world)
    return [
        ("POST", r"/v1/text-to-speech/([^/]+)/with-timestamps", desk.read),
        ("GET", r"/v1/user/subscription", desk.subscription),
    ]


class _Desk:
    def __init__(self, world: World) -> None:
        self.world, self.used, self.now = world, 0, 0
        self.tries: Counter[str] = Counter()

    def subscription(self, request: Request) -> Response:
        if no := self._no(request, "bad_key"):
            return no
        return Response(body={"tier": "creator", "character_count": self.used, "character_limit": QUOTA})

    def read(self, request: Request) -> Response:
        with self.world.lock:
            if self.now >= LIMIT:
                return _no(*NOES["concurrent"])
            self.now += 1
        try:
            return self._read(request)
        finally:
            with self.world.lock:
                self.now -= 1

    def _read(self, request: Request) -> Response:
        for name in NOES:
            if no := self._no(request, name):
                return no
        body, voice = request.json(), request.match[1]
        if (
            self.world.falls("elevenlabs.invalid")
            or not isinstance(body, dict)
            or not isinstance(body.get("text"), str)
        ):
            return Response(422, {"detail": [{"type": "missing", "loc": ["body", "text"], "msg": "Field required"}]})
        if voice not in VOICES:
            return _no(*NOES["no_voice"])
        text, settings = body["text"], body.get("voice_settings") or {}
        if len(text) > LONGEST:
            return _no(*NOES["too_long"])
        pack = _packer(request.query.get("output_format", "mp3_44100_128"))
        if pack is None or not 0.7 <= settings.get("speed", 1.0) <= 1.2:
            return Response(422, {"detail": [{"type": "value_error", "loc": ["body"], "msg": "Input should be valid"}]})
        line = str(body.get("seed", ""))
        dice = self.world.dice(f"elevenlabs:{line}")
        self.world.sleep((0.3 + 0.01 * len(text)) * dice.lognormvariate(0, 0.3))
        try:
            speech = speak(text, voice, settings.get("speed", 1.0))
        except ProviderError as error:
            return _no(400, "invalid_text", str(error))
        with self.world.lock:
            self.used += len(text)
            self.tries[line] += 1
            key = f"{line}#{self.tries[line]}"  # a line that went wrong may go well the next time
        return self._answer(pack, speech.samples, alignment(text, speech.words), len(text), key)

    def _answer(
        self, pack: Callable[[Samples], bytes], samples: Samples, times: Any, characters: int, key: str
    ) -> Response:
        def falls(name: str) -> bool:
            return self.world.falls(f"elevenlabs.{name}", key)

        if falls("silent"):
            return Response(silent=True)
        if falls("cut_off"):
            samples = samples[: int(times["character_end_times_seconds"][len(times["characters"]) // 2] * 24000)]
        if falls("mute"):
            samples = silence()
        audio = HTML if falls("html") else b"" if falls("empty") else pack(samples)
        if falls("wrong_times"):
            for name in ("character_start_times_seconds", "character_end_times_seconds"):
                times[name] = [time * 1000 for time in reversed(times[name])]
        encoded = base64.b64encode(audio).decode()
        body = {
            "audio_base64": encoded[: len(encoded) // 2 + 1] if falls("truncated") else encoded,
            "alignment": None if falls("no_times") else times,
            "normalized_alignment": None,
        }
        if falls("no_json"):
            return Response(body=HTML, headers={"Content-Type": "text/html"})
        ident = self.world.dice(f"elevenlabs:{key}:{time.time()}").getrandbits(60)
        return Response(body=body, headers={"character-cost": str(characters), "request-id": f"req{ident:015x}"})

    def _no(self, request: Request, name: str) -> Response | None:
        if not request.headers.get("xi-api-key"):
            return _no(*NOES["bad_key"])
        return _no(*NOES[name]) if self.world.falls(f"elevenlabs.{name}") else None


def alignment(text: str, words: tuple[SpokenWord, ...]) -> dict[str, list[Any]]:
    """Each character of the text with its seconds: words share theirs evenly, gaps go to what is between."""
    starts, ends = [0.0] * len(text), [0.0] * len(text)
    now = 0.0
    for match, word in zip(re.finditer(r"\S+", text), words, strict=True):
        step = (word.end - word.start) / len(match[0])
        for n in range(len(match[0])):
            starts[match.start() + n] = round(word.start + n * step, 3)
            ends[match.start() + n] = round(word.start + (n + 1) * step, 3)
        if match.start():
            starts[match.start() - 1], ends[match.start() - 1] = now, word.start
        now = word.end
    return {
        "characters": list(text),
        "character_start_times_seconds": starts,
        "character_end_times_seconds": ends,
    }


def _packer(wanted: str) -> Callable[[Samples], bytes] | None:
    kind, _, rest = wanted.partition("_")
    if kind == "mp3" and re.fullmatch(r"\d+_\d+", rest):
        return lambda samples: as_mp3(samples, int(rest.split("_")[1]) * 1000)
    return as_wav if wanted == "wav_24000" else None


def _no(status: int, code: str, message: str) -> Response:
    return Response(status, {"detail": {"status": code, "message": message}})
