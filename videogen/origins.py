"""Who may open a socket: pages of this very site, scheme, host and port alike."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from channels.security.websocket import WebsocketDenier
from django.conf import settings


def is_own(origin: str, host: str, scheme: str) -> bool:
    """Whether an Origin header names the page's own site (the Host header), or one of the trusted ones."""
    if origin in settings.CSRF_TRUSTED_ORIGINS:
        return True
    parts = urlsplit(origin)
    return bool(host) and parts.netloc.lower() == host.lower() and parts.scheme in ("https", scheme)


class SameOrigin:
    """ASGI middleware for sockets: others are turned away before anything is read."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> Any:
        """Let our own pages in."""
        headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
        scheme = "https" if scope.get("scheme") == "wss" else "http"
        if is_own(headers.get(b"origin", ""), headers.get(b"host", ""), scheme):
            return await self.app(scope, receive, send)
        return await WebsocketDenier()(scope, receive, send)
