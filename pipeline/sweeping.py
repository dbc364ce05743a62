"""The sweep: every few seconds, in whichever process holds its row, everything due is rung for again."""

from __future__ import annotations

import contextlib
import datetime as dt
import logging
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.models import Q
from django.utils import timezone

from billing import statements
from orders.codes import token

from . import calls, costs, engine, escalations, files, housekeeping, money, notices, photos, renditions
from .models import Sweeper

log = logging.getLogger(__name__)

# Whoever stops sweeping is replaced after this.
HOLD = dt.timedelta(seconds=10)
# Alarms that went off are looked for this often between two sweeps, in seconds.
ALARM_SECONDS = 1.0
# Files without a row and old work folders are looked for this often, in seconds.
TIDY_EVERY = 1800.0
# Seconds of tidying between two sweeps: less than HOLD, whatever the last file takes.
SLICE = 2.0
# Work folders of processes that died; nothing works this long without a lease.
OLD_WORK = 6 * 3600
# Seconds after which what is kept for other films, and no film has shown, is removed.
UNUSED = 30 * 86400


def hold(holder: str) -> bool:
    """Take or keep the sweep's row. False while another process has it."""
    now = timezone.now()
    Sweeper.objects.get_or_create(pk=1)
    return bool(
        Sweeper.objects.filter(Q(holder=holder) | Q(until=None) | Q(until__lt=now), pk=1).update(
            holder=holder, until=now + HOLD
        )
    )


def sweep_once() -> int:
    """Look over everything once. Returns how much was due. One part that fails does not keep the others from it."""
    found = 0
    parts = (
        engine.sweep,
        photos.sweep,
        notices.sweep,
        escalations.sweep,
        calls.sweep,
        renditions.sweep,
        money.sweep,
        costs.sweep,
    )
    for part in parts:
        try:
            found += part()
        except DatabaseError:
            raise
        except Exception:
            log.exception("Sweeping with %s failed; the next sweep tries again.", part.__qualname__)
    Sweeper.objects.filter(pk=1).update(swept_at=timezone.now())
    return found


def tidying() -> Iterator[object]:
    """Remove what crashes left behind, files no row names and work folders of dead processes, and what is kept and
    not used. Bit by bit."""
    housekeeping.forget_unproven()
    housekeeping.forget_replaced()
    statements.close_due()
    for folder in _older(settings.VAR_DIR / "work", OLD_WORK):
        shutil.rmtree(folder, ignore_errors=True)
        yield folder
    for kept in _older(files.kept(), UNUSED):
        with contextlib.suppress(OSError):
            kept.unlink()
        yield kept
    yield from housekeeping.clearing()


def _older(folder: Path, seconds: float) -> Iterator[Path]:
    """What lies in a folder and was not touched for so long; others may empty the folder meanwhile."""
    with contextlib.suppress(OSError):
        for path in folder.iterdir():
            with contextlib.suppress(OSError):
                if path.stat().st_mtime < time.time() - seconds:
                    yield path


def some_of(work: Iterator[object]) -> bool:
    """Do a slice of it. Whether there is more: the sweep, which is everybody's safety net, goes first."""
    until = time.monotonic() + SLICE
    return any(time.monotonic() > until for _ in work)


def sweep_forever(stopped: Callable[[float], bool]) -> None:
    """Sweep until `stopped(seconds)`, which waits that long, says so. A database that is away is waited for."""
    holder = token()
    tidied = 0.0
    untidy: Iterator[object] | None = None
    while True:
        holding = False
        try:
            holding = hold(holder)
            if holding:
                sweep_once()
                if untidy is None and time.monotonic() - tidied > TIDY_EVERY:
                    tidied, untidy = time.monotonic(), tidying()
                if untidy is not None and not some_of(untidy):
                    untidy = None
        except DatabaseError as error:
            _away(error)
        if _between_sweeps(stopped, holding):
            return


def _between_sweeps(stopped: Callable[[float], bool], holding: bool) -> bool:
    """Wait for the next sweep, and ring for alarms meanwhile where the sweep is ours. Whether to stop."""
    pause = min(ALARM_SECONDS, settings.SWEEP_SECONDS)
    for _ in range(round(settings.SWEEP_SECONDS / pause)):
        if stopped(pause):
            return True
        try:
            if holding:
                engine.alarms()
        except DatabaseError as error:
            _away(error)
    return False


def _away(error: DatabaseError) -> None:
    log.warning("The sweep cannot reach the database: %s", error)
    connection.close()
