"""A creator's own synthesis API, which speaks the contract of docs/custom-voice.md: at once, or later with a bell."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from . import signatures, spoken
from .base import (
    Answer,
    BadHook,
    Hooked,
    HookNews,
    JobFailed,
    Json,
    Provider,
    ProviderError,
    ReadRequest,
    Trouble,
    silently,
)
from .fetch import safe_get
from .http import Http, Reply, said
from .local_voice import NO_SUCH_VOICE, TOO_LONG

SECONDS = 120.0
FETCH_SECONDS = 60.0
LARGEST = 32 * 1024 * 1024  # bytes of audio
FIRST_LOOK, LAST_LOOK = 1.0, 60.0
REFUSED = "This voice will not read this line. Please change it."

# What `error.code` means, whatever HTTP status it comes with, and what the fan may read of it.
CODES: dict[str, tuple[Trouble, str]] = {
    "invalid_key": ("locked", ""),
    "out_of_credit": ("locked", ""),
    "voice_not_found": ("gone", NO_SUCH_VOICE),
    "voice_withdrawn": ("gone", NO_SUCH_VOICE),
    "text_refused": ("refused", REFUSED),
    "text_too_long": ("refused", TOO_LONG),
    "invalid_request": ("refused", ""),
    "busy": ("busy", ""),
}


class CustomVoice(Provider, Hooked):
    """Provider of the job "voice". The same key is the same read: asking again after a crash costs nothing.

    `price` is what 1,000 characters cost, in millionths of a US dollar. `webhook` gives the address at
    which the vendor rings about the call of a key, `secrets` verify it. `audio_hosts` are hosts besides that of
    `base_url` that audio may be fetched from (https, a leading dot meaning "and below").
    """

    name = "custom-voice"
    job: Literal["writer", "voice", "video"] = "voice"
    recovery: Literal["same_key", "redo", "wait"] = "same_key"

    def __init__(
        self,
        key: str,
        *,
        base_url: str,
        limit: int = 0,
        price: int = 0,
        secrets: Sequence[str] = (),
        webhook: Callable[[str], str] | None = None,
        audio_hosts: Sequence[str] = (),
    ) -> None:
        self._http = Http("The custom voice", base_url, {"Authorization": f"Bearer {key}"}, SECONDS, _judge)
        self._limit, self._price, self._webhook = limit, price, webhook
        self._secrets, self._hosts = tuple(secrets), tuple(audio_hosts)

    @property
    def limit(self) -> int:
        """How many lines may be read at once."""
        return self._limit

    @property
    def patience(self) -> float:
        """Looking for an earlier read, asking, and fetching the audio."""
        return 2 * SECONDS + FETCH_SECONDS

    def submit(self, key: str, request: Json, workdir: Path) -> Answer:
        """Ask for a `ReadRequest` to be read. Raises ProviderError."""
        line = spoken.understood(request)
        spoken.pace_of(line.settings)
        body: Json = {
            "text": spoken.as_said(line.text, line.said_as),
            "voice": line.voice,
            "settings": dict(line.settings),
            "reference": key,
            "metadata": {"text": line.text, "said_as": dict(line.said_as)},
        }
        if self._webhook is not None and (address := self._webhook(key)):
            body["webhook_url"] = address
        reply = self._ask("POST", "/v1/reads", body=body, headers={"Idempotency-Key": key})
        return self._answer(reply.json(), workdir, line)

    def look(self, external_id: str, workdir: Path, on_progress: Callable[[], None] = silently) -> Answer:
        """Where a read stands. Raises JobFailed, ProviderError."""
        if not spoken.is_plain(external_id):
            raise ProviderError(f"no read {external_id!r}", retryable=False, trouble="gone")
        try:
            reply = self._ask("GET", f"/v1/reads/{external_id}")
        except ProviderError as error:
            if error.trouble != "gone":
                raise
            raise JobFailed("the read has been forgotten", retryable=True) from error
        return self._answer(reply.json(), workdir, None, on_progress)

    def find(self, key: str) -> Answer | None:
        """The read of `key`, as pending: `look` fetches it when it is done. Raises ProviderError."""
        found = self._ask("GET", "/v1/reads", params={"reference": key}).json()
        reads = found.get("reads") if isinstance(found, dict) else None
        if not isinstance(reads, list):
            raise _unclear("its list of reads cannot be read")
        for read in reads:
            if isinstance(read, dict) and read.get("reference") == key:
                return Answer("pending", external_id=_ident(read), poll_after=0.0)
        return None

    def cancel(self, external_id: str) -> None:
        """Ask for a pending read to be stopped."""
        try:
            self._ask("DELETE", f"/v1/reads/{external_id}")
        except ProviderError:
            return  # it goes on, and what comes of it is not wanted any more

    def estimate(self, request: Json) -> int:
        """The price of the line's characters."""
        return spoken.price_of(spoken.characters(request), self._price)

    def check(self) -> str:
        """How many voices there are. Raises ProviderError."""
        found = self._ask("GET", "/v1/voices").json()
        voices = found.get("voices") if isinstance(found, dict) else None
        if not isinstance(voices, list):
            raise _unclear("its list of voices cannot be read")
        return f"{len(voices)} voices"

    def verify(self, headers: Mapping[str, str], body: bytes, now: float) -> HookNews:
        """Check a message's signature and age. Raises BadHook."""
        ident = signatures.standard(headers, body, self._secrets, now)
        try:
            about = json.loads(body)["id"]
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            raise BadHook("the message is not understood") from error
        if not isinstance(about, str) or not spoken.is_plain(about):
            raise BadHook("the message names no read")
        return HookNews(ident, about)

    def _ask(self, method: Literal["GET", "POST", "DELETE"], path: str, **how: Any) -> Reply:
        try:
            return self._http.ask(method, path, **how)
        except ProviderError as error:
            error.fan = next((fan for code, (_, fan) in CODES.items() if f": {code}: " in str(error)), "")
            raise

    def _answer(
        self, read: Any, workdir: Path, line: ReadRequest | None, on_progress: Callable[[], None] = silently
    ) -> Answer:
        """What a read says. `line` is what was asked for, where we still know it; else the vendor's echo of it."""
        if not isinstance(read, dict):
            raise _unclear("its answer is no read")
        ident, status = _ident(read), read.get("status")
        if status == "pending":
            wish = read.get("poll_after")
            wait = max(FIRST_LOOK, min(LAST_LOOK, wish)) if isinstance(wish, int | float) else 2.0
            return Answer("pending", external_id=ident, poll_after=wait)
        if status in ("failed", "cancelled"):
            raise _failed(read, str(status))
        if status != "done":
            raise _unclear(f"it knows no state {status!r}"[:100])
        line = line or _echoed(read)
        text = spoken.as_said(line.text, line.said_as)
        count = read.get("characters")
        characters = count if type(count) is int and 0 <= count < 10**7 else len(text)
        cost = spoken.price_of(characters, self._price)
        with spoken.paid(cost):
            raw = self._audio(read, workdir, on_progress)
            try:
                sound = spoken.finished(raw, workdir, ident, text)
                words = spoken.by_words(sound, line.text, _heard(read.get("words")))
            except ProviderError as error:
                raise JobFailed(str(error), retryable=True) from error  # it will not get better: another may be
        return spoken.answer(sound, words, external_id=ident, cost=cost)

    def _audio(self, read: Json, workdir: Path, on_progress: Callable[[], None]) -> bytes:
        inline, address = read.get("audio"), read.get("audio_url")
        if isinstance(inline, str):
            try:
                return base64.b64decode(inline, validate=True)
            except (binascii.Error, ValueError) as error:
                raise JobFailed("the audio's base64 is damaged", retryable=True) from error
        if not isinstance(address, str):
            raise JobFailed("there is no audio", retryable=True)
        path = workdir / f".fetched-{hashlib.sha256(address.encode()).hexdigest()[:16]}"
        try:
            safe_get(
                address,
                path,
                hosts=self._hosts,
                trusted=[self._http.base_url],
                max_bytes=LARGEST,
                seconds=FETCH_SECONDS,
                on_bytes=lambda _: on_progress(),
            )
            return path.read_bytes()
        except ProviderError as error:
            if error.retryable:
                raise  # the read stands there and is paid: it is asked for again, and never read again for this
            raise JobFailed(str(error), retryable=False) from error
        finally:
            path.unlink(missing_ok=True)


def _judge(reply: Reply) -> tuple[Trouble, str] | None:
    found = reply.json()
    error = found.get("error") if isinstance(found, dict) else None
    code = error.get("code") if isinstance(error, dict) else None
    if isinstance(code, str) and code in CODES:
        return CODES[code][0], f"{code}: {said(reply)}"
    return None


def _ident(read: Json) -> str:
    ident = read.get("id")
    if not isinstance(ident, str) or not spoken.is_plain(ident):
        raise _unclear("it gave no id")
    return ident


def _failed(read: Json, status: str) -> JobFailed:
    error = read.get("error")
    code, words = (error.get("code"), error.get("message")) if isinstance(error, dict) else (None, None)
    trouble, fan = CODES.get(str(code), ("passing", ""))
    return JobFailed(
        f"the custom voice: {status}: {code}: {words}"[:500],
        retryable=trouble in ("passing", "busy", "locked"),  # another read may come to something, later
        fan=fan,
        trouble=trouble,
    )


def _echoed(read: Json) -> ReadRequest:
    try:
        echo = read["metadata"]
        return spoken.understood({"text": echo["text"], "said_as": echo["said_as"], "voice": ""})
    except (TypeError, KeyError, ProviderError) as error:
        raise JobFailed("the custom voice did not keep our metadata", retryable=False) from error


def _heard(words: Any) -> list[tuple[Any, Any, Any]] | None:
    try:
        return [(word["text"], word["start"], word["end"]) for word in words]
    except (TypeError, KeyError):
        return None


def _unclear(what: str) -> ProviderError:
    """An answer outside the contract: the job may be under way all the same."""
    return ProviderError(f"the custom voice: {what}", retryable=True, trouble="unknown")
