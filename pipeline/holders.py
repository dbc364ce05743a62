"""Which process holds a claim, and whether it is gone: what a killed worker had in hand need not wait out its lease."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

_PROC = Path("/proc")


def me() -> str:
    """This process, as no other ever was: its machine's boot, its namespace of numbers, its number, its start.

    Empty where the kernel does not say (macOS): there a lease runs out by itself.
    """
    return _called(os.getpid())


def is_gone(holder: str) -> bool:
    """Whether a process that `me` named is certainly over. Of another machine's nobody here can say so."""
    place, _, rest = holder.rpartition("/")
    number, _, start = rest.partition("-")
    if not place or place != _place() or not number.isdigit():
        return False
    begun = _start(int(number))
    return begun != start if begun else not _is_there(int(number))


@cache
def _called(pid: int) -> str:
    start = _start(pid)
    return f"{_place()}/{pid}-{start}" if _place() and start else ""


@cache
def _place() -> str:
    """Where process numbers mean the same: one boot of one machine, and in it one namespace. Empty if nobody knows."""
    try:
        boot = (_PROC / "sys/kernel/random/boot_id").read_text().strip()
        return f"{boot}/{os.stat(_PROC / 'self/ns/pid').st_ino}"
    except OSError:
        return ""


def _start(pid: int) -> str:
    """When a process began, in ticks since the boot (field 22 of proc_pid_stat(5)); "over" of one not buried yet.

    Empty where nothing can be read: it is gone, or of another user whose processes are hidden from us.
    """
    try:
        # The name before the last parenthesis may hold anything.
        fields = (_PROC / str(pid) / "stat").read_text(errors="replace").rpartition(")")[2].split()
        return "over" if fields[0] in "ZX" else fields[19]
    except (OSError, IndexError):
        return ""


def _is_there(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True
