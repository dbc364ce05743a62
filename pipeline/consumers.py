"""The live order page: one socket per open page. A message is a doorbell; the truth is read and rendered each time."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import CsrfViewMiddleware, get_token
from django.template.loader import render_to_string
from django.urls import path

from accounts import second_factor
from accounts.models import User
from orders.models import Order
from orders.visitors import KEY

from . import live, views
from .access import may_see

# Per visitor and process; a page needs one.
MOST_SOCKETS = 10
# Several changes within this time are one picture.
CALM_SECONDS = 0.3
NOT_FOUND = 4404
TOO_MANY = 4429

_open: Counter[str] = Counter()


class OrderConsumer(AsyncWebsocketConsumer):
    """Pushes the order page's live part: at once on connect, then whenever the order changes."""

    async def connect(self) -> None:
        """Let in whoever may see the order, and show the present state."""
        self.code: str = self.scope["url_route"]["kwargs"]["code"]
        self.who = self._who()
        self.counted = False
        self.pending: asyncio.Task[None] | None = None
        page = await self._render()
        if page is None:
            await self.close(code=NOT_FOUND)
            return
        if _open[self.who] >= MOST_SOCKETS:
            await self.close(code=TOO_MANY)
            return
        _open[self.who] += 1
        self.counted = True
        await self.channel_layer.group_add(live.group(self.code), self.channel_name)
        await self.accept()
        # Read again: something may have happened between the look above and joining the group.
        await self._push()

    async def disconnect(self, code: int) -> None:
        """Leave the group."""
        if self.pending is not None:
            self.pending.cancel()
        if self.counted:
            _open[self.who] -= 1
            if not _open[self.who]:
                del _open[self.who]
            await self.channel_layer.group_discard(live.group(self.code), self.channel_name)

    async def order_changed(self, event: dict[str, Any]) -> None:
        """A bell: show the present state soon."""
        if self.pending is None or self.pending.done():
            self.pending = asyncio.create_task(self._soon())

    async def _soon(self) -> None:
        await asyncio.sleep(CALM_SECONDS)
        await self._push()

    async def _push(self) -> None:
        page = await self._render()
        if page is None:
            await self.close(code=NOT_FOUND)
        else:
            await self.send(text_data=page)

    def _who(self) -> str:
        user = self.scope.get("user") or AnonymousUser()
        return f"user {user.pk}" if user.is_authenticated else f"visitor {self.scope['session'].get(KEY, '')}"

    @database_sync_to_async
    def _render(self) -> str | None:
        """The live part for this visitor, or None when they may not, or no longer, see the order."""
        session = self.scope["session"]
        # The session may have ended since the socket opened: read it again, not the copy from the handshake.
        fresh = session.__class__(session.session_key)
        user: Any = self.scope.get("user") or AnonymousUser()
        if user.is_authenticated:
            # The account may have been closed since, too.
            user = User.objects.filter(pk=user.pk, is_active=True).first()
            if "_auth_user_id" not in fresh or user is None:
                return None
            asks = HttpRequest()
            asks.session, asks.user = fresh, user
            if second_factor.stops(asks):
                return None
        order = Order.objects.select_related("brief", "creator", "fan").filter(code=self.code).first()
        if order is None or order.is_draft or not may_see(order, user, fresh.get(KEY, "")):
            return None
        return render_to_string(
            "pipeline/_progress.html", {**views.context(order, user), "oob": True, "csrf_token": self._csrf_token()}
        )

    def _csrf_token(self) -> str:
        """A token for the forms of the live part: without one, whoever pressed their buttons would be sent away."""
        request = HttpRequest()
        request.COOKIES = self.scope.get("cookies", {})
        CsrfViewMiddleware(lambda _request: HttpResponse()).process_request(request)
        return get_token(request)


sockets: list[Any] = [path("ws/orders/<str:code>/", OrderConsumer.as_asgi())]  # type: ignore[arg-type]
