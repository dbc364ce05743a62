"""A creator's own voice service, pretended, after docs/custom-voice.md: at once or later, with a bell or without."""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Mapping
from typing import Any

from pipeline.providers import signatures
from pipeline.providers.base import ProviderError
from pipeline.providers.local_voice import VOICES

from . import bells
from .server import Request, Response, Route
from .speaking import HTML, Speech, as_mp3, as_wav, silence, speak
from .world import World, register

SECRET = "whsec_" + base64.b64encode(b"the sandbox's own voice").decode()  # known to everybody: nothing is behind it
FORGED = "whsec_" + base64.b64encode(b"somebody else's secret").decode()
LONGEST = 3000

register(
    "custom-voice",
    {
        "later": "202, and done later",
        "by_url": "audio_url instead of audio",
        "busy": "429 busy",
        "bad_key": "401 invalid_key",
        "no_credit": "402 out_of_credit",
        "no_voice": "404 voice_not_found",
        "text_refused": "422 text_refused",
        "down": "500 before anything was read",
        "down_after": "500 although the line is being read",
        "silent": "the line is being read, and the connection closed without a word",
        "failed": "the read fails",
        "stuck": "the read stays pending",
        "forgotten": "the read is not known any more",
        "truncated": "the base64 ends in its middle",
        "html": "a gateway's page where the audio should be",
        "empty": "no audio at all",
        "mute": "five seconds of silence",
        "cut_off": "the audio ends in the middle of a word",
        "wrong_times": "times in milliseconds, in no order",
        "no_times": "no words",
        "elsewhere": "audio_url leads to the inside of somebody's network",
        "url_gone": "404 at audio_url",
        "no_echo": "our metadata is not given back",
        "hook_early": "the message comes before the 202",
        **bells.BELLS,
    },
)
NOES: Mapping[str, tuple[int, str, str]] = {
    "busy": (429, "busy", "Too many reads at once."),
    "bad_key": (401, "invalid_key", "The key is not known."),
    "no_credit": (402, "out_of_credit", "The account is empty."),
    "no_voice": (404, "voice_not_found", "There is no such voice."),
    "text_refused": (422, "text_refused", "The text is not read by this voice."),
    "down": (500, "", "Something broke."),
}


def custom_voice(world: World) -> list[Route]:
    """Its routes."""
    desk = _Desk(world)
    return [
        ("POST", r"/v1/reads", desk.ask),
        ("GET", r"/v1/reads", desk.search),
        ("GET", r"/v1/reads/([^/]+)", desk.show),
        ("DELETE", r"/v1/reads/([^/]+)", desk.stop),
        ("GET", r"/v1/voices", desk.voices),
        ("GET", r"/audio/([^/]+)\.wav", desk.audio),
    ]


class _Desk:
    def __init__(self, world: World) -> None:
        self.world = world
        self.reads: dict[str, dict[str, Any]] = {}
        self.speeches: dict[str, Speech] = {}
        self.by_key: dict[str, str] = {}

    def falls(self, name: str, key: str = "") -> bool:
        return self.world.falls(f"custom-voice.{name}", key)

    def ask(self, request: Request) -> Response:
        if no := self._stranger(request):
            return no
        key = request.headers.get("idempotency-key", "")
        with self.world.lock:
            if key in self.by_key:
                return self._shown(self.by_key[key])
        for name in ("busy", "no_credit", "no_voice", "text_refused", "down"):
            if self.falls(name):
                return _no(*NOES[name])
        body = request.json()
        if (no := _wrong(body)) or not key:
            return no or _no(400, "invalid_request", "Idempotency-Key is missing.")
        with self.world.lock:
            if key in self.by_key:
                return self._shown(self.by_key[key])
            ident = f"read-{self.world.dice(f'custom-voice:{key}').getrandbits(60):015x}"
            self.by_key[key] = ident
            echo = {} if self.falls("no_echo", key) else body.get("metadata", {})
            read = {"id": ident, "reference": body.get("reference"), "metadata": echo, "status": "pending"}
            self.reads[ident] = read
        took, shown = 0.3 + 0.01 * len(body["text"]), self._shown(ident)  # later is later, however slow the machine is
        if self.falls("hook_early", key):
            bells.wait_for(self._finish(ident, key, body))
            shown = self._shown(ident)
        elif self.falls("later", key):
            self.world.later(took, lambda: self._finish(ident, key, body))
        else:
            self.world.sleep(took)
            self._finish(ident, key, {**body, "webhook_url": None})
            shown = self._shown(ident)
        if self.falls("down_after", key):
            return _no(*NOES["down"])
        return Response(silent=True) if self.falls("silent", key) else shown

    def show(self, request: Request) -> Response:
        if no := self._stranger(request):
            return no
        if request.match[1] not in self.reads or self.falls("forgotten"):
            return _no(404, "", "No such read.")
        return self._shown(request.match[1])

    def search(self, request: Request) -> Response:
        if no := self._stranger(request):
            return no
        ident = self.by_key.get(request.query.get("reference", ""))
        return Response(body={"reads": [self._shown(ident).body] if ident else []})

    def stop(self, request: Request) -> Response:
        if no := self._stranger(request):
            return no
        with self.world.lock:
            read = self.reads.get(request.match[1])
            if read is None:
                return _no(404, "", "No such read.")
            if read["status"] == "pending":
                read["status"] = "cancelled"
        return Response(204)

    def voices(self, request: Request) -> Response:
        if no := self._stranger(request):
            return no
        return Response(body={"voices": [{"id": name, "name": name.title()} for name in VOICES]})

    def audio(self, request: Request) -> Response:
        if request.match[1] not in self.speeches or self.falls("url_gone"):
            return _no(404, "", "No such file.")
        body = as_wav(self.speeches[request.match[1]].samples)
        return Response(body=body, headers={"Content-Type": "audio/wav"})

    def _finish(self, ident: str, key: str, asked: dict[str, Any]) -> list[threading.Timer]:
        """Read the line, and ring."""
        if self.falls("stuck", key):
            return []
        out: dict[str, Any]
        try:
            if self.falls("failed", key):
                raise ProviderError("the voice broke", retryable=True)
            speech = speak(asked["text"], asked["voice"], float(asked["settings"].get("pace", 1.0)))
            out = self._done(ident, key, speech) | {"characters": len(asked["text"])}
        except ProviderError as error:
            out = {"status": "failed", "error": {"code": "", "message": str(error)}}
        with self.world.lock:
            if self.reads[ident]["status"] != "pending":
                return []
            self.reads[ident].update(out)
        if address := asked.get("webhook_url"):
            body = json.dumps({"id": ident, "reference": key, "status": out["status"]}).encode()

            def make(off: int, forged: bool) -> tuple[bytes, Mapping[str, str]]:
                secret = FORGED if forged else SECRET
                return body, signatures.sign_standard(f"msg_{ident}", int(time.time()) + off, body, secret)

            return bells.ring(self.world, "custom-voice", address, key, make)
        return []

    def _done(self, ident: str, key: str, speech: Speech) -> dict[str, Any]:
        """What a finished read says, with whatever is wrong with it."""
        samples = speech.samples
        if self.falls("mute", key):
            samples = silence()
        if self.falls("cut_off", key):
            middle = speech.words[len(speech.words) // 2]
            samples = samples[: int((middle.start + middle.end) / 2 * 24000)]
        self.speeches[ident] = Speech(samples, speech.words)
        words = [{"text": word.text, "start": word.start, "end": word.end} for word in speech.words]
        if self.falls("wrong_times", key):
            words = [
                {"text": word.text, "start": other.start * 1000, "end": other.end * 1000}
                for word, other in zip(speech.words, speech.words[::-1], strict=True)
            ]
        out: dict[str, Any] = {"status": "done", "seconds": len(samples) / 24000}
        if not self.falls("no_times", key):
            out["words"] = words
        if self.falls("elsewhere", key):
            out["audio_url"] = "http://169.254.169.254/latest/meta-data/"
        elif self.falls("by_url", key):
            out["audio_url"] = f"{self.world.base_url}/custom-voice/audio/{ident}.wav"
        else:
            audio = HTML if self.falls("html", key) else b"" if self.falls("empty", key) else as_mp3(samples)
            encoded = base64.b64encode(audio).decode()
            out["audio"] = encoded[: len(encoded) // 2 + 1] if self.falls("truncated", key) else encoded
        return out

    def _shown(self, ident: str) -> Response:
        with self.world.lock:
            read = dict(self.reads[ident])
        pending = read["status"] == "pending"
        return Response(202 if pending else 200, read | ({"poll_after": 1} if pending else {}))

    def _stranger(self, request: Request) -> Response | None:
        known = request.headers.get("authorization", "").removeprefix("Bearer ").strip()
        return None if known and not self.falls("bad_key") else _no(*NOES["bad_key"])


def _wrong(body: Any) -> Response | None:
    """What is wrong with a request, if anything."""
    if not isinstance(body, dict) or not all(
        isinstance(body.get(name), str) for name in ("text", "voice", "reference")
    ):
        return _no(400, "invalid_request", "text, voice and reference are strings.")
    if len(body["text"]) > LONGEST:
        return _no(413, "text_too_long", f"The text is longer than {LONGEST} characters.")
    pace = body.get("settings", {}).get("pace", 1.0)
    if type(pace) not in (int, float) or not 0.5 <= pace <= 2:
        return _no(400, "invalid_request", "pace is from 0.5 to 2.")
    return None if body["voice"] in VOICES else _no(*NOES["no_voice"])


def _no(status: int, code: str, message: str) -> Response:
    headers = {"Retry-After": "3"} if status == 429 else {}
    return Response(status, {"error": {"code": code, "message": message}}, headers)
