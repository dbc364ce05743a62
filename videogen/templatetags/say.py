"""Figures as people say them: money, how long it took, how long it will take."""

from __future__ import annotations

from django.template import Library
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from orders.cashier import PriceLike
from orders.cashier import money as written

register = Library()

MINUTE = 60
HOUR = 60 * MINUTE
DAY = 24 * HOUR


@register.filter
def money(priced: PriceLike) -> str:
    """A price, payment or order as people write it: €29 or €29.50."""
    return written(priced)


@register.filter
def clock(seconds: float) -> str:
    """A length on a film's clock: 0:32, 12:05."""
    minutes, rest = divmod(round(seconds), MINUTE)
    return f"{minutes}:{rest:02d}"


@register.filter
def took(seconds: float) -> str:
    """A short time as measured: < 0.1 s, 0.4 s, 12 s, 2 min 5 s."""
    if seconds < 0.05:
        return _("< 0.1 s")
    if seconds < 10:
        return _("%(n)s s") % {"n": f"{seconds:.1f}"}
    minutes, rest = divmod(round(seconds), MINUTE)
    if not minutes:
        return _("%(n)d s") % {"n": rest}
    return _("%(m)d min %(n)d s") % {"m": minutes, "n": rest}


@register.filter
def duration(seconds: float) -> str:
    """A time in one unit: 48 seconds, 3 minutes, 2 hours, 4 days. Rounded to the unit that still says something."""
    if seconds < 1.5 * MINUTE:
        n = max(1, round(seconds))
        return ngettext("%(n)d second", "%(n)d seconds", n) % {"n": n}
    if seconds < 1.5 * HOUR:
        n = round(seconds / MINUTE)
        return ngettext("%(n)d minute", "%(n)d minutes", n) % {"n": n}
    if seconds < 2 * DAY:
        n = round(seconds / HOUR)
        return ngettext("%(n)d hour", "%(n)d hours", n) % {"n": n}
    n = round(seconds / DAY)
    return ngettext("%(n)d day", "%(n)d days", n) % {"n": n}


@register.filter
def time_left(eta: tuple[int, int]) -> str:
    """A range of seconds left as a sentence; the range says how sure we are."""
    low, high = eta
    if high <= 5:
        return _("a few seconds left")
    if high < 1.5 * MINUTE:
        if high - low < 5:
            return _("about %(n)d seconds left") % {"n": high}
        return _("about %(low)d–%(high)d seconds left") % {"low": max(low, 1), "high": high}
    if high >= 1.5 * HOUR:
        return _("about %(time)s left") % {"time": duration(high)}
    low_minutes, high_minutes = max(1, round(low / MINUTE)), round(high / MINUTE)
    if low_minutes >= high_minutes:
        return ngettext("about %(n)d minute left", "about %(n)d minutes left", high_minutes) % {"n": high_minutes}
    return _("about %(low)d–%(high)d minutes left") % {"low": low_minutes, "high": high_minutes}
