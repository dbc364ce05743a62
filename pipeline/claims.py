"""What somebody has claimed, as those who do the work see it: signs of life, and a fence around what is written."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.db import DatabaseError, connection

from orders.models import Order

from . import live
from .models import Production

log = logging.getLogger(__name__)


class LostLease(Exception):  # noqa: N818  (not a failure of the work: someone else has it)
    """Another worker has this now, or nobody wants it any more; nothing more may be written."""


class Claim:
    """Claimed work on one production's film. Who claims says in `_renew` what its lease is."""

    def __init__(self, production: Production) -> None:
        self.production = production
        self.order: Order = production.order
        self._beaten = 0.0

    def beat(self, progress: float | None = None) -> None:
        """Show life: renew the lease and note how far the work is (0–1). At most once a second reaches the database.

        Raises LostLease when another worker has it, or when it is not wanted any more.
        """
        now = time.monotonic()
        if now - self._beaten < 1:
            return
        self._beaten = now
        changes: dict[str, Any] = {}
        if progress is not None:
            changes["progress"] = max(0.0, min(1.0, progress))
        self._renew(**changes)
        live.order_changed(self.order.code)

    @contextmanager
    def waiting(self, seconds: float) -> Iterator[None]:
        """Keep the lease while something is waited for that shows no life itself, for `seconds` at the most.

        A thread beats for us: it dies with this process, so a crash is still noticed within one lease.
        """
        over = threading.Event()
        beating = threading.Thread(target=self._keep, args=(over, time.monotonic() + seconds), daemon=True)
        if seconds > 0:
            beating.start()
        try:
            yield
        finally:
            over.set()
            if seconds > 0:
                beating.join()

    def _keep(self, over: threading.Event, until: float) -> None:
        while not over.wait(settings.LEASE_SECONDS / 3) and time.monotonic() < until:
            try:
                self._renew()
            except LostLease:
                return  # whoever works will hear it at the next fence
            except DatabaseError as error:
                log.warning("%s: a beat was lost: %s", self, error)
            finally:
                connection.close()  # this thread's own

    @contextmanager
    def fence(self) -> Iterator[None]:
        """A transaction that only commits while the work is still ours and wanted. Raises LostLease."""
        with self.order.locked():
            self._renew()
            yield

    def _renew(self, **changes: Any) -> None:
        """Renew the lease, with these changes to the row. Raises LostLease."""
        raise NotImplementedError
