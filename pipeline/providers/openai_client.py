"""How we speak to OpenAI: the official client without its retries, within a time limit, its errors as our troubles."""

from __future__ import annotations

import base64
import functools
import ssl
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpcore2
import httpx2
import openai

from .base import ProviderError, Trouble
from .http import CONNECT_SECONDS, RETRYABLE, STATUSES, retry_after

API = "https://api.openai.com/v1"
MAX_ANSWER = 4 * 1024 * 1024

NOT_SAYABLE = "We cannot make a film from this text as it is. Please put it in other words and try again."

# Codes that say more than the status they come with.
CODES: dict[str, Trouble] = {
    "insufficient_quota": "locked", "billing_hard_limit_reached": "locked", "billing_not_active": "locked",
    "account_deactivated": "locked", "model_not_found": "gone",
}  # fmt: skip
# A response that failed, or an input that was turned away, because of what it says.
CONTENT = {
    "invalid_prompt", "bio_policy", "misalignment_policy_violation", "image_content_policy_violation",
    "content_policy_violation", "content_filter", "moderation_blocked",
}  # fmt: skip
FAILURES: dict[str, Trouble] = {
    "rate_limit_exceeded": "busy",
    "data_residency_mismatch": "locked",
    "server_error": "passing",
    "vector_store_timeout": "passing",
}


def client(key: str, base_url: str, seconds: float) -> openai.OpenAI:
    """A client that asks once and heeds no proxy settings. An exchange is given up after `seconds`."""
    timeout = httpx2.Timeout(seconds, connect=CONNECT_SECONDS)
    http = httpx2.Client(transport=_Bounded(seconds), timeout=timeout, trust_env=False)
    return openai.OpenAI(api_key=key or "none", base_url=base_url, max_retries=0, timeout=timeout, http_client=http)


def data_url(path: Path) -> str:
    """A JPEG file as a `data:` address."""
    return "data:image/jpeg;base64," + base64.b64encode(path.read_bytes()).decode()


def trouble(error: openai.OpenAIError) -> ProviderError:
    """An error of the client as ours."""
    if isinstance(error, openai.APITimeoutError):
        # A connection that never came about carried no request.
        never = isinstance(error.__cause__, (httpx2.ConnectTimeout, httpx2.PoolTimeout))
        return _error("no whole answer in time", "away" if never else "unknown")
    if isinstance(error, openai.APIConnectionError):
        never = isinstance(error.__cause__, httpx2.ConnectError)
        return _error("no answer", "away" if never else "unknown")
    if isinstance(error, openai.APIStatusError):
        code = str(error.code or error.type or "")
        kind: Trouble = "passing" if error.status_code >= 500 else STATUSES.get(error.status_code, "refused")
        words = " ".join(error.message.split())[:300]
        return _error(
            f"{error.status_code}: {words}",
            CODES.get(code, kind),
            fan=NOT_SAYABLE if code in CONTENT else "",
            wait=retry_after(error.response.headers),
        )
    return _error(f"an answer that cannot be read: {type(error).__name__}", "passing")


def failure(code: str) -> ProviderError:
    """A response of status "failed" as our error; a code nobody told us of is taken for a passing one."""
    kind: Trouble = FAILURES.get(code, "refused" if code in CONTENT or "image" in code else "passing")
    return _error(f"the response failed: {code or 'no reason given'}", kind, fan=NOT_SAYABLE if code in CONTENT else "")


def _error(what: str, kind: Trouble, *, fan: str = "", wait: float | None = None) -> ProviderError:
    return ProviderError(f"OpenAI: {what}"[:500], retryable=kind in RETRYABLE, fan=fan, retry_after=wait, trouble=kind)


@functools.cache
def _certificates() -> ssl.SSLContext:
    """Whom to trust; reading the list takes longer than all else a client needs."""
    return httpx2.create_ssl_context(trust_env=False)


class _Bounded(httpx2.HTTPTransport):
    """A transport that gives up on an answer which trickles in, or does not end: its own timeouts are per chunk."""

    def __init__(self, seconds: float) -> None:
        super().__init__(verify=_certificates(), trust_env=False)
        self._network = _Network(seconds)
        self._pool = httpcore2.ConnectionPool(ssl_context=_certificates(), network_backend=self._network)

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        self._network.begin()
        response = super().handle_request(request)
        if isinstance(response.stream, httpx2.SyncByteStream):
            response.stream = _Short(response.stream, request)
        return response


class _Network(httpcore2.NetworkBackend):
    """The usual network, for so many seconds a request: what is read after them is late. Each thread has its own."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._request = threading.local()
        self._usual = httpcore2.SyncBackend()

    def begin(self) -> None:
        """A request of this thread begins."""
        self._request.until = time.monotonic() + self._seconds

    @property
    def left(self) -> float:
        """The seconds this thread's request has left."""
        return float(self._request.until - time.monotonic())

    def connect_tcp(self, *where: Any, **how: Any) -> httpcore2.NetworkStream:
        return _Stream(self._usual.connect_tcp(*where, **how), self)


class _Stream(httpcore2.NetworkStream):
    def __init__(self, usual: httpcore2.NetworkStream, network: _Network) -> None:
        self._usual, self._network = usual, network
        self.write, self.close = usual.write, usual.close  # type: ignore[method-assign]
        self.get_extra_info = usual.get_extra_info  # type: ignore[method-assign]

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        left = self._network.left
        if left <= 0:
            raise httpcore2.ReadTimeout("the answer does not end")
        return self._usual.read(max_bytes, left)

    def start_tls(self, *what: Any, **how: Any) -> httpcore2.NetworkStream:
        return _Stream(self._usual.start_tls(*what, **how), self._network)


class _Short(httpx2.SyncByteStream):
    """A body of MAX_ANSWER bytes at the most."""

    def __init__(self, stream: httpx2.SyncByteStream, request: httpx2.Request) -> None:
        self._stream, self._request = stream, request

    def __iter__(self) -> Iterator[bytes]:
        size = 0
        for chunk in self._stream:
            size += len(chunk)
            if size > MAX_ANSWER:
                raise httpx2.ReadTimeout("the answer does not end", request=self._request)
            yield chunk

    def close(self) -> None:
        self._stream.close()
