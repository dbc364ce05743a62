"""Waiting for what comes by itself: long enough for the slowest machine, and no longer than it takes."""

from __future__ import annotations

import time
from collections.abc import Callable

from pipeline import engine
from pipeline.models import Step

# Seconds after which something will not come any more. Nothing is said about speed: no test gets here that passes.
PATIENCE = 120.0


def soon(that: Callable[[], bool], pause: float = 0.02) -> bool:
    """Whether it becomes true."""
    until = time.monotonic() + PATIENCE
    while not that() and time.monotonic() < until:
        time.sleep(pause)
    return that()


def outlast_a_lease(step: Step) -> Step | None:
    """Take longer than a lease lasts while another worker tries for `step`; the claim, where that one got it."""
    until = time.monotonic() + 1.2 * engine.lease().total_seconds()
    while time.monotonic() < until:
        if taken := engine.claim(step.pk):
            return taken
        time.sleep(0.05)
    return None
