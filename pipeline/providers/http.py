"""How providers speak HTTP: JSON within limits of time and size, every status turned into the right trouble.

The only file that calls `requests`; addresses that vendors name are fetched by `fetch.py`. Nothing is retried here: the
board asks again, under the call's own key, as the trouble allows.
"""

from __future__ import annotations

import json
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any, Literal

import requests
import urllib3

from .base import Json, ProviderError, Trouble
from .deadline import Adapter

CONNECT_SECONDS = 5.0
CHUNK = 64 * 1024
MAX_ANSWER = 48 * 1024 * 1024  # a minute of audio in base64 has 15 MB
MAX_RETRY_AFTER = 600.0

# Statuses that mean the same with every vendor; a vendor's own `judge` goes first.
STATUSES: dict[int, Trouble] = {
    400: "refused", 401: "locked", 402: "locked", 403: "locked", 404: "gone", 405: "refused", 408: "unknown",
    409: "passing", 413: "refused", 415: "refused", 422: "refused", 423: "passing", 425: "passing", 429: "busy",
}  # fmt: skip
RETRYABLE = {"passing", "away", "busy", "unknown"}


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back, whole: status, lower-case headers, body (at most MAX_ANSWER bytes)."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The body as JSON; None where it is none."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):  # the latter for what is nested without end
            return None


Judge = Callable[[Reply], tuple[Trouble, str] | None]


@dataclass(slots=True)
class Http:
    """One vendor's address with our headers. `seconds` bounds a whole exchange, however slowly the body trickles."""

    vendor: str
    base_url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 30.0
    judge: Judge | None = None
    _session: requests.Session | None = None

    def ask(
        self,
        method: Literal["GET", "POST", "PUT", "DELETE"],
        path: str,
        *,
        body: Json | None = None,
        raw: bytes | None = None,
        files: Mapping[str, Any] | None = None,
        data: Mapping[str, Any] | None = None,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        changes: bool | None = None,
    ) -> Reply:
        """Send and read the whole answer, in `seconds` at the most. `path` may be a whole address of the same origin.

        `body` goes out as compact JSON with sorted keys: the same request is the same bytes. `changes` says whether a
        lost answer leaves us in doubt (by default for everything but GET). Raises ProviderError.
        """
        url = path if "://" in path else self.base_url.rstrip("/") + path
        if not url.startswith(self.base_url.rstrip("/") + "/"):
            raise ProviderError(f"{self.vendor}: {url} is not its own address", retryable=False)
        doubtful = method != "GET" if changes is None else changes
        sent = dict(self.headers) | dict(headers or {})
        if body is not None:
            raw = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
            sent |= {"Content-Type": "application/json"}
        try:
            reply = self._exchange(method, url, sent, raw if raw is not None else data, files, params)
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            unheard = isinstance(error, requests.ConnectTimeout) or _never_came_about(error)
            raise self._lost(error, "away" if unheard else "unknown" if doubtful else "passing") from error
        self._check(reply, doubtful)
        return reply

    def _exchange(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        data: Any,
        files: Mapping[str, Any] | None,
        params: Mapping[str, str] | None,
    ) -> Reply:
        if self._session is None:
            self._session = requests.Session()
            self._session.trust_env = False  # no proxy and no .netrc of the machine's owner
            for scheme in ("http://", "https://"):
                self._session.mount(scheme, Adapter())
        until = time.monotonic() + self.seconds
        with self._session.request(
            method,
            url,
            headers=dict(headers),
            data=data,
            files=dict(files) if files else None,
            params=dict(params) if params else None,
            timeout=(CONNECT_SECONDS, self.seconds),
            allow_redirects=False,
            stream=True,
        ) as response:
            found = bytearray()
            # Not `iter_content`: that waits for a whole chunk, and a body of one byte a second would never be late.
            while chunk := response.raw.read1(CHUNK, decode_content=True):
                found += chunk
                if len(found) > MAX_ANSWER:
                    raise requests.RequestException(f"more than {MAX_ANSWER} bytes")
                if time.monotonic() > until:
                    raise requests.Timeout(f"no whole answer within {self.seconds:g} s")
            names = {name.lower(): value for name, value in response.headers.items()}
            return Reply(response.status_code, names, bytes(found))

    def _lost(self, error: Exception, trouble: Trouble) -> ProviderError:
        what = f"{self.vendor} did not answer: {type(error).__name__}"
        return ProviderError(what, retryable=True, trouble=trouble)

    def _check(self, reply: Reply, doubtful: bool) -> None:
        if 200 <= reply.status < 300:
            return
        judged = self.judge(reply) if self.judge is not None else None
        if judged is not None:
            trouble, words = judged
        elif reply.status >= 500:
            trouble, words = ("unknown" if doubtful else "passing"), said(reply)
        else:
            trouble, words = STATUSES.get(reply.status, "refused"), said(reply)
        raise ProviderError(
            f"{self.vendor} {reply.status}: {words}"[:500],
            retryable=trouble in RETRYABLE,
            retry_after=retry_after(reply.headers),
            trouble=trouble,
        )


def _never_came_about(error: Exception) -> bool:
    """Whether no connection carried the request: to nobody, or not to whom we trust. A broken one may have."""
    reason = getattr(error.args[0], "reason", None) if error.args else None
    if isinstance(reason, urllib3.exceptions.SSLError):
        return any(isinstance(part, ssl.SSLCertVerificationError) for part in reason.args)
    return isinstance(reason, urllib3.exceptions.NewConnectionError)


def said(reply: Reply) -> str:
    """What an error answer says, in whichever of the usual places it says it; at most 300 characters."""
    found = reply.json()
    for key in ("error", "detail"):
        if isinstance(found, dict) and key in found:
            found = found[key]
    if isinstance(found, dict):
        found = found.get("message") or found.get("msg") or found.get("status") or found
    if isinstance(found, list) and found and isinstance(found[0], dict):
        found = found[0].get("msg", found[0])
    text = found if isinstance(found, str) else json.dumps(found) if found is not None else "no reason given"
    return " ".join(text.split())[:300]


def retry_after(headers: Mapping[str, str]) -> float | None:
    """The vendor's wish in seconds (RFC 9110, 10.2.3: seconds or a date; OpenAI's milliseconds), 600 at the most."""
    try:
        if value := headers.get("retry-after-ms"):
            seconds = float(value) / 1000
        elif value := headers.get("retry-after"):
            digits = value.strip().replace(".", "", 1).isdigit()
            seconds = float(value) if digits else parsedate_to_datetime(value).timestamp() - time.time()
        else:
            return None
    except (ValueError, TypeError, OverflowError):
        return None
    return min(MAX_RETRY_AFTER, max(0.0, seconds))
