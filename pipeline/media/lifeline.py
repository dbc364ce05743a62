"""What a child process does first: it dies with its parent, so that a kill -9 leaves none behind, and has a name."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Callable

_PR_SET_PDEATHSIG, _PR_SET_NAME = 1, 15  # <linux/prctl.h>
# Loaded here and not after the fork: between fork and exec nothing may import, allocate much, or wait for a lock.
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None


def die_with(parent: int) -> Callable[[], None] | None:
    """What a fresh child does first: ask the kernel to kill it when the thread of `parent` that started it ends.

    None where the kernel knows no such thing (macOS): there only a polite end takes children along.
    """
    libc = _LIBC
    if libc is None:
        return None

    def tie() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
        if os.getppid() != parent:  # the parent died before the call: nobody would tell us any more
            os._exit(1)

    return tie


def be_called(name: str) -> None:
    """Show this process as `name` (its first 15 bytes) in `ps -o comm` and `top`, where the kernel can."""
    if _LIBC is not None:
        _LIBC.prctl(_PR_SET_NAME, name.encode()[:15], 0, 0, 0)
