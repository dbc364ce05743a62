"""How much a request may bring: looked at before Django writes a body down, whatever its headers promise."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

MEGABYTE = 1024 * 1024
# Forms hold words: 5,000 characters of notes take 20 KB at the most.
ORDINARY = 3 * MEGABYTE
_PHOTOS = re.compile(r"^/orders/[^/]+/photos/add/$")


def allowed(path: str) -> int:
    """The most bytes a request to this path may bring."""
    return settings.MAX_ORDER_BYTES + MEGABYTE if _PHOTOS.match(path) else ORDINARY


class BodyLimit:
    """ASGI middleware: 413 for a body that is announced too large, and an end to one that grows too large."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, counted; or refuse it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        limit = allowed(scope["path"])
        announced = dict(scope["headers"]).get(b"content-length", b"0")
        if not announced.isdigit() or int(announced[:18]) > limit:
            await self._refuse(send, limit)
            return
        had = 0

        async def counted() -> Message:
            nonlocal had
            message = await receive()
            had += len(message.get("body", b""))
            return {"type": "http.disconnect"} if had > limit else message

        await self.app(scope, counted, send)

    async def _refuse(self, send: Send, limit: int) -> None:
        sorry = _("That is too much at once: up to %d MB together. Please go back and send less.") % (limit // MEGABYTE)
        body = sorry.encode()
        headers = [
            (b"content-type", b"text/plain; charset=utf-8"),
            (b"content-length", str(len(body)).encode()),
            (b"connection", b"close"),
        ]
        await send({"type": "http.response.start", "status": 413, "headers": headers})
        await send({"type": "http.response.body", "body": body})
