"""Children die with their parent: no process is left behind by a kill -9."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Callable

_PR_SET_PDEATHSIG = 1  # <linux/prctl.h>


def die_with(parent: int) -> Callable[[], None] | None:
    """A function for a fresh child to call: the kernel then kills it when `parent` dies. None where there is no such call.

    The library is loaded here, before the fork, so that the child only makes two system calls.
    """
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None, use_errno=True)

    def tie() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
        if os.getppid() != parent:  # the parent died before the call: nobody would tell us any more
            os._exit(1)

    return tie
