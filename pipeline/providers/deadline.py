"""Connections on which an answer has an end: their read timeout is for all of it, from its first line to its last.

A socket's own timeout begins anew with every byte: a header, a trailer or a run of "100 Continue" without an end would
keep whoever waits for it for ever.
"""

from __future__ import annotations

import http.client
import io
import socket
import time
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection


class _Until(io.RawIOBase):
    """What comes from a socket until a moment of the monotonic clock; then TimeoutError."""

    def __init__(self, raw: io.RawIOBase, sock: socket.socket, until: float) -> None:
        self._raw, self._sock, self._until = raw, sock, until

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self._until - time.monotonic()
        if left <= 0:
            raise TimeoutError("the answer does not end")
        self._sock.settimeout(left)
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Answer(http.client.HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **how: Any) -> None:
        super().__init__(sock, *args, **how)
        seconds = sock.gettimeout()
        if seconds is not None:
            self.fp = io.BufferedReader(_Until(self.fp.detach(), sock, time.monotonic() + seconds))


class _Plain(HTTPConnection):
    response_class = _Answer


class _Tls(HTTPSConnection):
    response_class = _Answer


class PlainPool(HTTPConnectionPool):
    """As urllib3's own, with answers that end."""

    ConnectionCls = _Plain


class TlsPool(HTTPSConnectionPool):
    """As urllib3's own, with answers that end."""

    ConnectionCls = _Tls


class Adapter(HTTPAdapter):
    """The same for a `requests.Session`."""

    def init_poolmanager(self, *args: Any, **how: Any) -> None:
        """Make the pools."""
        super().init_poolmanager(*args, **how)
        self.poolmanager.pool_classes_by_scheme = {"http": PlainPool, "https": TlsPool}
