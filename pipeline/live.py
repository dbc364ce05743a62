"""Tells open order pages to look again. A message carries only the order's code; it may be lost without harm."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.db import transaction
from redis.exceptions import RedisError

log = logging.getLogger(__name__)

# Seconds a bell may take: nobody waits on a Redis that hangs.
PATIENCE = 0.8

_watcher: Callable[[str], None] | None = None


def group(code: str) -> str:
    """The channel group of one order's page; group names allow only letters, digits, hyphens, dots, underscores."""
    return "order." + re.sub(r"[^A-Za-z0-9-]", "", code)


@contextmanager
def watching(watcher: Callable[[str], None]) -> Iterator[None]:
    """Call `watcher` instead of the channel layer: for one process that does all the work itself."""
    global _watcher  # noqa: PLW0603  (process-wide on purpose: stages ring from deep inside)
    _watcher = watcher
    try:
        yield
    finally:
        _watcher = None


def order_changed(code: str) -> None:
    """Ring the order's open pages after the present transaction. Never fails: polling is the safety net."""
    transaction.on_commit(lambda: _send(code))


async def _ring(layer: Any, code: str) -> None:
    async with asyncio.timeout(PATIENCE):
        await layer.group_send(group(code), {"type": "order.changed", "code": code})


def _send(code: str) -> None:
    if _watcher is not None:
        _watcher(code)
        return
    layer = get_channel_layer()
    if layer is None:
        return
    try:
        async_to_sync(_ring)(layer, code)
    except (RedisError, OSError, TimeoutError) as error:
        log.debug("No live update for %s: %s", code, error)
