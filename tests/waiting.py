"""Waiting for what comes by itself: long enough for the slowest machine, and no longer than it takes."""

from __future__ import annotations

import time
from collections.abc import Callable

# Seconds after which something will not come any more. Nothing is said about speed: no test gets here that passes.
PATIENCE = 120.0


def soon(that: Callable[[], bool], pause: float = 0.02) -> bool:
    """Whether it becomes true."""
    until = time.monotonic() + PATIENCE
    while not that() and time.monotonic() < until:
        time.sleep(pause)
    return that()
