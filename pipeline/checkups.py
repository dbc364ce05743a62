"""Checkups: what `invariants` and `reconcile` found when they last looked, kept for the desk."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from .models import Checkup

# So many sentences are kept; how many there were is kept as well.
MOST = 200


def run(name: str, check: Callable[[], Iterable[str]]) -> list[str]:
    """Do a check, keep what it found under its name, and return it."""
    began = time.monotonic()
    found = list(check())
    keep(name, found, time.monotonic() - began)
    return found


def keep(name: str, found: list[str], seconds: float) -> Checkup:
    """Keep what a check found: no sentences mean that all is well."""
    return Checkup.objects.create(name=name, found=found[:MOST], count=len(found), seconds=seconds)


def latest() -> list[Checkup]:
    """The last checkup of each name, of those of late."""
    found: dict[str, Checkup] = {}
    for row in Checkup.objects.all()[:20]:
        found.setdefault(row.name, row)
    return [found[name] for name in sorted(found)]
