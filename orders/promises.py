"""When a film is promised for: what the desk's clocks and late orders are measured against."""

from __future__ import annotations

import datetime as dt

from django.conf import settings

from accounts.models import ApprovalMode

from .models import Order


def promised_at(order: Order, placed_at: dt.datetime) -> dt.datetime:
    """The moment a film placed then should be with the fan; a creator who looks at every film is given more time."""
    looks = order.creator.approval != ApprovalMode.AUTOMATIC
    minutes = settings.PROMISE_MINUTES + (settings.PROMISE_REVIEW_MINUTES if looks else 0)
    return placed_at + dt.timedelta(minutes=minutes)
