"""The breaker: a vendor that is locked, or fails again and again, is left alone for a while, and staff can see why."""

from __future__ import annotations

import datetime as dt
import logging

from django.db.models import F
from django.utils import timezone

from .models import Vendor
from .providers.base import ProviderError

log = logging.getLogger(__name__)

# A revoked key or an empty account is mended by people: it is tried again this often.
LOCKED = dt.timedelta(minutes=5)
# So many failures in a row open the breaker, for ever longer; one success closes it.
MOST_FAILURES = 5
BAD_MOMENTS = ("passing", "away", "unknown", "unfetched")
FIRST_PAUSE, LONGEST_PAUSE = dt.timedelta(seconds=20), dt.timedelta(minutes=5)


def is_open(name: str) -> bool:
    """Whether a vendor is to be left alone now. When its time is over the next call tries it."""
    return Vendor.objects.filter(name=name, open_until__gt=timezone.now()).exists()


def worked(name: str) -> None:
    """The vendor answered well: all is forgotten, unless staff want it left alone."""
    now = timezone.now()
    troubled = Vendor.objects.filter(name=name).exclude(failures=0, open_until=None)
    troubled.exclude(by_hand=True, open_until__gt=now).update(
        failures=0, open_until=None, reason="", by_hand=False, changed_at=now
    )


def failed(name: str, error: ProviderError, *, again: bool = False) -> None:
    """The vendor failed: count it, and open the breaker where that says more than one bad moment.

    `again` says that the same call failed so before: one call that a vendor chokes on must not keep all others waiting.
    """
    now = timezone.now()
    vendor, _created = Vendor.objects.get_or_create(name=name)
    if error.trouble == "locked":
        _open(vendor, now + LOCKED, str(error))
    elif error.trouble in BAD_MOMENTS and not again:
        Vendor.objects.filter(pk=vendor.pk).update(failures=F("failures") + 1, changed_at=now)
        vendor.refresh_from_db()
        beyond = vendor.failures - MOST_FAILURES
        if beyond >= 0:
            _open(vendor, now + min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(beyond, 10)), str(error))


def hold(name: str, until: dt.datetime, reason: str) -> None:
    """A person wants it left alone until then, whatever its older calls come to."""
    Vendor.objects.filter(name=name).update(
        open_until=until, reason=reason[:300], by_hand=True, changed_at=timezone.now()
    )


def close(name: str) -> None:
    """A person says that it is mended."""
    Vendor.objects.filter(name=name).update(
        failures=0, open_until=None, reason="", by_hand=False, changed_at=timezone.now()
    )


def _open(vendor: Vendor, until: dt.datetime, reason: str) -> None:
    now = timezone.now()
    # Never sooner than staff want it back.
    free = Vendor.objects.filter(pk=vendor.pk).exclude(by_hand=True, open_until__gt=until)
    if not free.update(open_until=until, reason=reason[:300], by_hand=False, changed_at=now):
        return
    log.error("%s is left alone until %s: %s", vendor, f"{until:%H:%M:%S}", reason)
