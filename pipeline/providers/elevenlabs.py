"""ElevenLabs: a line read aloud in one request, with the time of every character."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from . import signatures, spoken
from .base import Answer, BadHook, Hooked, HookNews, Json, Provider, ProviderError, Trouble
from .http import Http, Reply, said
from .local_voice import NO_SUCH_VOICE, TOO_LONG

API = "https://api.elevenlabs.io"
FORMAT = "mp3_44100_128"  # the best that every plan may ask for
SECONDS = 120.0

# What `detail.status` means, whatever HTTP status it comes with: a used-up quota is a 401 there.
STATUSES: dict[str, Trouble] = {
    "quota_exceeded": "locked",
    "invalid_api_key": "locked",
    "voice_not_found": "gone",
    "max_character_limit_exceeded": "refused",
    "too_many_concurrent_requests": "busy",
    "system_busy": "busy",
}
# Seconds to wait where no Retry-After says so: a slot of ours soon falls free, their load takes longer.
WAITS = {"too_many_concurrent_requests": 2.0, "system_busy": 20.0}
RANGES = {"stability": (0.0, 1.0), "similarity_boost": (0.0, 1.0), "style": (0.0, 1.0), "speed": (0.7, 1.2)}


class ElevenLabs(Provider, Hooked):
    """Provider of the job "voice". Nothing is remembered there: after a crash the line is read again, and paid again.

    `limit` is the plan's number of requests at once; `price` what 1,000 characters cost, in millionths of a US
    dollar; `secrets` those of the webhook, newest first.
    """

    name = "elevenlabs"
    job: Literal["writer", "voice", "video"] = "voice"
    recovery: Literal["same_key", "redo", "wait"] = "redo"

    def __init__(
        self,
        key: str,
        *,
        model_id: str = "eleven_multilingual_v2",
        base_url: str = API,
        limit: int = 0,
        price: int = 0,
        secrets: Sequence[str] = (),
    ) -> None:
        self._http = Http("ElevenLabs", base_url, {"xi-api-key": key}, SECONDS, _judge)
        self._model, self._limit, self._price, self._secrets = model_id, limit, price, tuple(secrets)

    @property
    def model(self) -> str:
        """Which of their models reads."""
        return self._model

    @property
    def limit(self) -> int:
        """How many lines may be read at once."""
        return self._limit

    @property
    def patience(self) -> float:
        """One exchange."""
        return SECONDS

    def submit(self, key: str, request: Json, workdir: Path) -> Answer:
        """Read a `ReadRequest` aloud. Raises ProviderError."""
        line = spoken.understood(request)
        if not spoken.is_plain(line.voice):
            raise ProviderError(f"no voice {line.voice!r}", retryable=False, fan=NO_SUCH_VOICE, trouble="gone")
        text = spoken.as_said(line.text, line.said_as)
        body = {
            "text": text,
            "model_id": self._model,
            "voice_settings": _settings(line.settings),
            # The same call gives the same reading, as far as they can.
            "seed": int.from_bytes(hashlib.sha256(key.encode()).digest()[:4], "big"),
        }
        reply = self._ask(f"/v1/text-to-speech/{line.voice}/with-timestamps", body)
        counted = reply.headers.get("character-cost", "")
        characters = int(counted) if counted.isascii() and counted.isdigit() and len(counted) < 9 else len(text)
        cost = spoken.price_of(characters, self._price)
        with spoken.paid(cost):
            raw, columns = _heard(reply.json())
            sound = spoken.finished(raw, workdir, key, text)
            words = spoken.by_characters(sound, line.text, columns)
        return spoken.answer(sound, words, external_id=reply.headers.get("request-id", "")[:200], cost=cost)

    def find(self, key: str) -> Answer | None:
        """None: they know nothing of our keys."""
        return None

    def cancel(self, external_id: str) -> None:
        """Nothing to stop."""

    def estimate(self, request: Json) -> int:
        """The price of the line's characters."""
        return spoken.price_of(spoken.characters(request), self._price)

    def check(self) -> str:
        """The plan, and how much of it is used. Raises ProviderError."""
        found = self._http.ask("GET", "/v1/user/subscription").json()
        if not isinstance(found, dict):
            raise ProviderError("ElevenLabs: the subscription cannot be read", retryable=True)
        used, most = found.get("character_count"), found.get("character_limit")
        return f"plan {str(found.get('tier', 'unknown'))[:40]}: {used} of {most} characters used"

    def verify(self, headers: Mapping[str, str], body: bytes, now: float) -> HookNews:
        """Check a message's signature and age. Raises BadHook."""
        ident = signatures.elevenlabs(headers, body, self._secrets, now)
        try:
            data = json.loads(body)["data"]
            about = data.get("request_id", "")
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise BadHook("the message is not understood") from error
        return HookNews(ident, about if isinstance(about, str) and spoken.is_plain(about) else "")

    def _ask(self, path: str, body: Json) -> Reply:
        try:
            return self._http.ask("POST", path, body=body, params={"output_format": FORMAT})
        except ProviderError as error:
            if error.trouble == "busy" and error.retry_after is None:
                error.retry_after = next((wait for name, wait in WAITS.items() if name in str(error)), None)
            if error.trouble == "gone":
                error.fan = NO_SUCH_VOICE
            elif "max_character_limit_exceeded" in str(error):
                error.fan = TOO_LONG
            raise


def _judge(reply: Reply) -> tuple[Trouble, str] | None:
    found = reply.json()
    detail = found.get("detail") if isinstance(found, dict) else None
    status = detail.get("status") if isinstance(detail, dict) else None
    if isinstance(status, str) and status in STATUSES:
        return STATUSES[status], f"{status}: {said(reply)}"
    return None


def _settings(given: Mapping[str, Any]) -> Json:
    """The voice settings they know. Our own `pace`, which all voices understand, is theirs as far as they can go.

    Raises ProviderError.
    """
    out: Json = {}
    for name, (least, most) in RANGES.items():
        if name in given:
            value = given[name]
            if type(value) not in (int, float) or not least <= value <= most:
                raise ProviderError(f"{name} must be from {least} to {most}, not {value!r}", retryable=False)
            out[name] = value
    if "use_speaker_boost" in given:
        if not isinstance(given["use_speaker_boost"], bool):
            raise ProviderError("use_speaker_boost must be true or false", retryable=False)
        out["use_speaker_boost"] = given["use_speaker_boost"]
    pace = spoken.pace_of(given)
    if pace is not None and "speed" not in out:
        out["speed"] = min(max(pace, RANGES["speed"][0]), RANGES["speed"][1])
    return out


def _heard(found: Any) -> tuple[bytes, tuple[Any, Any, Any] | None]:
    """The audio of an answer, and its characters with their times. Raises ProviderError."""
    if not isinstance(found, dict) or not isinstance(found.get("audio_base64"), str):
        raise spoken.broken("the answer holds none")
    try:
        return base64.b64decode(found["audio_base64"], validate=True), _columns(found.get("alignment"))
    except (binascii.Error, ValueError) as error:
        raise spoken.broken("its base64 is damaged") from error


def _columns(found: Any) -> tuple[Any, Any, Any] | None:
    if not isinstance(found, dict):
        return None
    starts, ends = found.get("character_start_times_seconds"), found.get("character_end_times_seconds")
    return found.get("characters"), starts, ends
