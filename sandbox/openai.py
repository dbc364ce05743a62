"""OpenAI, pretended: responses, models, moderations, speech and transcriptions, and their many ways to say no.

The scripts are written by the local writer from the JSON in the user's message; the voices are the local twin's.
Moderation judges by our own rules, and flags what says so itself: "flagged as violence", or a picture of one colour.
"""

from __future__ import annotations

import base64
import hashlib
import io
import itertools
import json
import re
import threading
import time
import wave
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image, UnidentifiedImageError

from pipeline.media import voicebox
from pipeline.media.voicebox import Samples
from pipeline.providers import local_writer
from pipeline.providers.base import ProviderError, SpokenWord, WriteRequest
from pipeline.providers.local_voice import RATE, VOICES
from pipeline.providers.writing import safety

from .server import Request, Response, Route
from .speaking import HTML, as_wav, silence, speak
from .world import World, register

MODELS = ("gpt-5.4-mini", "gpt-5.4", "omni-moderation-latest", "tts-1", "whisper-1")
# Voices that are no people here: they hum as long as the line would take.
HUMMING = (
    "alloy", "ash", "ballad", "coral", "echo", "fable", "nova", "onyx", "sage", "shimmer", "verse", "marin", "cedar",
)  # fmt: skip
LETTERS_A_SECOND = 14.0
LONGEST_INPUT = 4096
SAME_LENGTH = 0.02  # seconds two sounds may differ in and still be the same

register(
    "openai",
    {
        "busy": "429 with retry-after-ms",
        "quota": "429 insufficient_quota",
        "bad_key": "401 invalid_api_key",
        "forbidden": "403",
        "bad_request": "400",
        "policy": "400 invalid_prompt, for what the text says",
        "conflict": "409",
        "no_model": "404 model_not_found",
        "down": "500 before anything was read",
        "silent": "the connection closed without a word, after the work was done",
        "slow": "thirty seconds before the answer begins",
        "trickle": "the answer at forty bytes a second",
        "page": "a gateway's page where JSON or audio should be",
        "refusal": "the model refuses to write",
        "truncated": "the script's JSON ends in its middle",
        "incomplete": "no room for an answer: max_output_tokens",
        "filtered": "incomplete: content_filter",
        "failed": "status failed, server_error",
        "failed_busy": "status failed, rate_limit_exceeded",
        "failed_policy": "status failed, invalid_prompt",
        "few_scenes": "a script of two scenes",
        "invented": "a fact nobody told",
        "banned": "a line nobody may say",
        "unsaid": "the line that must be said is missing",
        "flagged": "moderation flags what it sees",
        "no_voice": "the voice is not there",
        "empty": "no audio at all",
        "mute": "five seconds of silence",
        "json_audio": "200, and an error's JSON in the place of audio",
        "cut": "half of the audio, after a header that promises all of it",
        "broken_off": "the connection ends in the middle of the audio",
        "deaf": "500 for every transcription",
        "mishears": "words that were never said, at times that make no sense",
    },
)
ERRORS: dict[str, tuple[int, str, str, str]] = {  # status, type, code, message
    "busy": (429, "requests", "rate_limit_exceeded", "Rate limit reached for requests."),
    "quota": (429, "insufficient_quota", "insufficient_quota", "You exceeded your current quota."),
    "bad_key": (401, "invalid_request_error", "invalid_api_key", "Incorrect API key provided."),
    "forbidden": (403, "invalid_request_error", "unsupported_country_region_territory", "Country not supported."),
    "bad_request": (400, "invalid_request_error", "invalid_value", "Invalid value."),
    "policy": (400, "invalid_request_error", "invalid_prompt", "Your prompt was flagged."),
    "conflict": (409, "invalid_request_error", "conflict", "Another process was updating."),
    "no_model": (404, "invalid_request_error", "model_not_found", "The model does not exist."),
    "down": (500, "server_error", "server_error", "The server had an error while processing your request."),
}
CATEGORIES = (
    "harassment", "harassment/threatening", "hate", "hate/threatening", "illicit", "illicit/violent", "self-harm",
    "self-harm/instructions", "self-harm/intent", "sexual", "sexual/minors", "violence", "violence/graphic",
)  # fmt: skip

# Words that are flagged as whatever they name, and pictures all of one colour, which outlives every re-encoding.
SAYS_SO = re.compile(r"\bflagged as ([a-z-]+(?:/[a-z-]+)?)")
PAINTED = {(255, 0, 255): "sexual", (255, 0, 0): "violence/graphic"}
NEAR = 40  # how far a channel may be from the colour


def openai(world: World) -> list[Route]:
    """Its routes."""
    desk = _Desk(world)
    return [
        ("POST", r"/v1/responses", desk.guarded(desk.respond)),
        ("GET", r"/v1/models/(.+)", desk.guarded(desk.model)),
        ("POST", r"/v1/moderations", desk.guarded(desk.moderate)),
        ("POST", r"/v1/audio/speech", desk.guarded(desk.speech)),
        ("GET", r"/v1/audio/voices", desk.guarded(desk.voices)),
        ("POST", r"/v1/audio/transcriptions", desk.guarded(desk.transcribe)),
    ]


@dataclass(frozen=True, slots=True)
class _Heard:
    """What was spoken: from where to where it sounds, in seconds, and each word's time."""

    begin: float
    end: float
    words: tuple[SpokenWord, ...]


class _Desk:
    def __init__(self, world: World) -> None:
        self.world = world
        self._numbers = itertools.count(1)
        self._tries: Counter[str] = Counter()
        self._known: set[str] = set()  # instructions that are in the cache
        self._spoken: deque[_Heard] = deque(maxlen=500)
        self._lock = threading.Lock()

    def guarded(self, route: Callable[[Request], Response]) -> Callable[[Request], Response]:
        """A route behind the door: the key, and the troubles that come before or after any work."""

        def serve(request: Request) -> Response:
            asked = hashlib.sha256(request.body).hexdigest()
            with self.world.lock:
                self._tries[asked] += 1
                key = f"{asked}#{self._tries[asked]}"  # a question that went wrong may go well the next time
            if not re.fullmatch(r"Bearer \S+", request.headers.get("authorization", "")):
                return _no("bad_key")
            for fault in ERRORS:
                if self.world.falls(f"openai.{fault}", key):
                    return _no(fault)
            answer = route(request)
            if self.world.falls("openai.silent", key):
                return Response(silent=True)
            if self.world.falls("openai.slow", key):
                self.world.sleep(30)
            if self.world.falls("openai.page", key):
                return Response(200, HTML, {"Content-Type": "text/html"})
            if self.world.falls("openai.trickle", key):
                answer.trickle = 40
            answer.headers["x-request-id"] = f"req_{next(self._numbers):012d}"
            return answer

        return serve

    # --- responses ------------------------------------------------------------------------------------------------

    def respond(self, request: Request) -> Response:
        """A script for the order in the user's message, or a plain sentence where no structure is asked for."""
        body = request.json() or {}
        key = hashlib.sha256(request.body).hexdigest()
        turns = body.get("input")
        if not isinstance(turns, list) or body.get("model") not in MODELS:
            return _no("no_model" if isinstance(turns, list) else "bad_request")
        self.world.sleep(self.world.dice(key).lognormvariate(1.6, 0.4))
        output, status = self._output(body, turns, key)
        error = {"failed": "server_error", "failed_busy": "rate_limit_exceeded", "failed_policy": "invalid_prompt"}
        reasons = {"incomplete": "max_output_tokens", "filtered": "content_filter", "truncated": "max_output_tokens"}
        answer = {
            "id": f"resp_{next(self._numbers):016d}",
            "object": "response",
            "created_at": int(time.time()),
            "model": body["model"],
            "status": "failed" if status in error else "incomplete" if status in reasons else "completed",
            "error": {"code": error[status], "message": "It did not work out."} if status in error else None,
            "incomplete_details": {"reason": reasons[status]} if status in reasons else None,
            "output": output,
            "parallel_tool_calls": True,
            "tool_choice": "auto",
            "tools": [],
            "usage": self._usage(turns, output),
        }
        return Response(200, answer)

    def _output(self, body: dict[str, Any], turns: list[Any], key: str) -> tuple[list[dict[str, Any]], str]:
        for status in ("failed", "failed_busy", "failed_policy", "incomplete", "filtered"):
            if self.world.falls(f"openai.{status}", key):
                return [], status
        if self.world.falls("openai.refusal", key):
            return [_message({"type": "refusal", "refusal": "I'm sorry, I cannot help with that."})], ""
        if body.get("text", {}).get("format", {}).get("type") != "json_schema":
            return [_message(_text("Hello from the sandbox."))], ""
        try:
            script = self._script(turns, key)
        except ProviderError as no:
            return [_message({"type": "refusal", "refusal": str(no)})], ""
        text = json.dumps(script, ensure_ascii=False)
        if self.world.falls("openai.truncated", key):
            return [_message(_text(text[: len(text) // 2]))], "truncated"
        return [_message(_text(text))], ""

    def _script(self, turns: list[Any], key: str) -> dict[str, Any]:
        """What the local writer makes of the order, spoilt where a switch says so. Raises ProviderError."""
        order = WriteRequest.from_json(json.loads(_said_by_user(turns))["order"])
        draft = local_writer.write(order).to_json()
        scenes = list(draft["scenes"])
        spoilt = {fault for fault in ("few_scenes", "invented", "banned", "unsaid") if self._falls(fault, key)}
        if "few_scenes" in spoilt:
            scenes = scenes[:2]
        if "invented" in spoilt:
            scenes[1] |= {"role": "fact", "text": "You once met Zanzibar Jones.", "fact": "met Zanzibar Jones in 1871"}
        if "banned" in spoilt:
            scenes[-1] |= {"text": "You are worthless. Vote for me at www.example.com."}
        if "unsaid" in spoilt:
            scenes = [scene | {"text": "This is something else."} if scene["role"] == "must_say" else scene
                      for scene in scenes]  # fmt: skip
        return {"title": draft["title"], "scenes": scenes, "left_out": list(draft["left_out"])}

    def _falls(self, fault: str, key: str) -> bool:
        return self.world.falls(f"openai.{fault}", key)

    def _usage(self, turns: list[Any], output: list[dict[str, Any]]) -> dict[str, Any]:
        """Some four characters a token; instructions seen before come from the cache."""
        sizes = [len(json.dumps(turn)) // 4 for turn in turns]
        first = json.dumps(turns[0])
        with self._lock:
            cached = sizes[0] if first in self._known else 0
            self._known.add(first)
        written = len(json.dumps(output)) // 4
        return {
            "input_tokens": sum(sizes),
            "input_tokens_details": {"cached_tokens": cached, "cache_write_tokens": 0},
            "output_tokens": written,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": sum(sizes) + written,
        }

    def model(self, request: Request) -> Response:
        """A model, where it is one."""
        name = request.match[1]
        if name not in MODELS:
            return _no("no_model")
        return Response(200, {"id": name, "object": "model", "created": 1_780_000_000, "owned_by": "openai"})

    # --- moderations ----------------------------------------------------------------------------------------------

    def moderate(self, request: Request) -> Response:
        """Our own rules under their names, and what says so itself (`SAYS_SO`, `PAINTED`)."""
        body = request.json() or {}
        given = body.get("input")
        self.world.sleep(0.3)
        if isinstance(given, str):
            things = [given]
        elif isinstance(given, list) and all(isinstance(one, str) for one in given):
            things = given
        elif isinstance(given, list) and sum(one.get("type") == "image_url" for one in given) <= 1:
            things = [" ".join(one.get("text", "") for one in given)]
        else:
            return _no("bad_request")
        key = hashlib.sha256(request.body).hexdigest()
        pictured = any(isinstance(one, dict) and one.get("type") == "image_url" for one in given)
        falls = self._falls("flagged", key)
        seen = next((_painted(one) for one in given if isinstance(one, dict) and "image_url" in one), "")
        results = [_judged("violence" if falls else seen or _category(text), pictured) for text in things]
        return Response(200, {"id": f"modr-{next(self._numbers)}", "model": body.get("model"), "results": results})

    # --- voices ---------------------------------------------------------------------------------------------------

    def voices(self, request: Request) -> Response:
        """The voices, as the servers people run themselves list them."""
        return Response(200, {"voices": [{"id": name, "name": name} for name in (*VOICES, *HUMMING)]})

    def speech(self, request: Request) -> Response:
        """A line as a WAV whose header, as that of every stream, does not know how long it will be."""
        body = request.json() or {}
        key = hashlib.sha256(request.body).hexdigest()
        text, voice, pace = body.get("input"), body.get("voice"), body.get("speed", 1.0)
        if not isinstance(text, str) or not 0 < len(text) <= LONGEST_INPUT or body.get("response_format") != "wav":
            return _no("bad_request")
        if voice not in (*VOICES, *HUMMING) or self._falls("no_voice", key):
            return Response(404, {"detail": f"Voice file {voice!r} not found."})
        try:
            samples = self._read(text, voice, float(pace))
        except ProviderError:
            samples = silence(0.1)
        self.world.sleep(0.3 + len(samples) / RATE / 10)
        if self._falls("json_audio", key):
            return Response(200, {"error": {"message": "The engine fell over.", "code": "engine"}})
        if self._falls("mute", key):
            samples = silence()
        whole = as_wav(samples)
        if self._falls("empty", key):
            return Response(200, b"", {"Content-Type": "audio/wav"})
        if self._falls("cut", key):
            return Response(200, whole[: len(whole) // 2], {"Content-Type": "audio/wav"})
        streamed = whole[:4] + b"\xff\xff\xff\xff" + whole[8:40] + b"\xff\xff\xff\xff" + whole[44:]
        answer = Response(200, streamed, {"Content-Type": "audio/mpeg"})
        if self._falls("broken_off", key):
            answer.cut = len(streamed) // 2
        return answer

    def _read(self, text: str, voice: str, pace: float) -> Samples:
        """The line spoken, and remembered for whoever asks what was said; or hummed. Raises ProviderError."""
        if voice not in VOICES:
            seconds = max(0.5, sum(map(str.isalnum, text)) / LETTERS_A_SECOND / pace)
            beats = np.arange(round(seconds * RATE)) / RATE
            return (0.2 * np.sin(2 * np.pi * 220 * beats) * (0.6 + 0.4 * np.sin(2 * np.pi * 4 * beats))).astype("f4")
        speech = speak(text, voice, pace)
        begin, end = voicebox.sounding(speech.samples, RATE)
        with self._lock:
            self._spoken.append(_Heard(begin, end, speech.words))
        return speech.samples

    def transcribe(self, request: Request) -> Response:
        """The words of a WAV that was spoken here, known again by how long it sounds."""
        fields = _form(request)
        if self._falls("deaf", hashlib.sha256(request.body).hexdigest()):
            return _no("down")
        if fields.get("response_format") != b"verbose_json" or "file" not in fields:
            return _no("bad_request")
        with wave.open(io.BytesIO(fields["file"])) as file:
            rate = file.getframerate()
            samples = np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(np.float32)
        begin, end = voicebox.sounding(samples, rate)
        with self._lock:
            spoken = list(self._spoken)
        near = [one for one in reversed(spoken) if abs((one.end - one.begin) - (end - begin)) < SAME_LENGTH]
        words = [
            {
                "word": word.text.strip(".,;:!?…"),
                "start": round(word.start + begin - near[0].begin, 2),
                "end": round(word.end + begin - near[0].begin, 2),
            }
            for word in (near[0].words if near else ())
        ]
        if self._falls("mishears", hashlib.sha256(request.body).hexdigest()):
            words = [{"word": "banana", "start": 900.0 - n, "end": -3.0} for n in range(len(words))]
        text = " ".join(str(word["word"]) for word in words)
        duration = len(samples) / rate
        self.world.sleep(duration / 20)
        usage = {"type": "duration", "seconds": duration}
        return Response(
            200,
            {"task": "transcribe", "language": "english", "duration": duration, "text": text, "words": words,
             "segments": [], "usage": usage},
        )  # fmt: skip


def _no(fault: str) -> Response:
    status, kind, code, message = ERRORS[fault]
    headers = {"retry-after-ms": "1500"} if fault == "busy" else {}
    return Response(status, {"error": {"message": message, "type": kind, "param": None, "code": code}}, headers)


def _message(content: dict[str, Any]) -> dict[str, Any]:
    return {"id": "msg_1", "type": "message", "role": "assistant", "status": "completed", "content": [content]}


def _text(text: str) -> dict[str, Any]:
    return {"type": "output_text", "text": text, "annotations": []}


def _said_by_user(turns: list[Any]) -> str:
    """The first text of the user."""
    content = next(turn["content"] for turn in turns if turn["role"] == "user")
    return content if isinstance(content, str) else next(p["text"] for p in content if p["type"] == "input_text")


def _category(text: str) -> str:
    says_so = SAYS_SO.search(text)
    if says_so and says_so[1] in CATEGORIES:
        return says_so[1]
    return {"refuse": "hate", "leave": "harassment", "": ""}[safety.judge(text)]


def _painted(part: dict[str, Any]) -> str:
    """The category whose colour the whole picture has."""
    try:
        data = base64.b64decode(part["image_url"]["url"].partition(",")[2])
        with Image.open(io.BytesIO(data)) as image:
            small = np.asarray(image.convert("RGB").resize((8, 8)), dtype=int)
    except (KeyError, ValueError, OSError, UnidentifiedImageError):
        return ""
    return next((kind for colour, kind in PAINTED.items() if np.abs(small - colour).max() < NEAR), "")


def _judged(category: str, pictured: bool) -> dict[str, Any]:
    """One result, flagged with one category or not at all."""
    kinds = ["image"] if pictured else ["text"]
    return {
        "flagged": bool(category),
        "categories": {name: name == category for name in CATEGORIES},
        "category_scores": {name: 0.93 if name == category else 0.0004 for name in CATEGORIES},
        "category_applied_input_types": dict.fromkeys(CATEGORIES, kinds),
    }


def _form(request: Request) -> dict[str, bytes]:
    """The parts of a multipart body by their names."""
    boundary = re.search(r'boundary="?([^";]+)', request.headers.get("content-type", ""))
    parts = request.body.split(b"--" + boundary[1].encode())[1:-1] if boundary else []
    fields = {}
    for part in parts:
        head, _, value = part.partition(b"\r\n\r\n")
        if name := re.search(rb'name="([^"]*)"', head):
            fields[name[1].decode()] = value[:-2]
    return fields
