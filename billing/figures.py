"""Amounts as books write them: always with cents, with a true minus sign; and as people type them."""

from __future__ import annotations

from decimal import Decimal

from django.utils.html import format_html
from django.utils.safestring import SafeString

from orders.cashier import SIGNS


def written(amount: int, currency: str) -> str:
    """An amount of minor units: €29.00, −€5.80, 29.00 CHF."""
    whole, cents = divmod(abs(amount), 100)
    figure = f"{whole:,}.{cents:02d}"
    sign = SIGNS.get(currency)
    return ("−" if amount < 0 else "") + (f"{sign}{figure}" if sign else f"{figure} {currency}")


def plain(amount: int) -> str:
    """An amount for a spreadsheet: 29.00, -5.80."""
    return f"{Decimal(amount) / 100:.2f}"


def minor(amount: Decimal) -> int:
    """What somebody typed, in minor units."""
    return int((amount * 100).to_integral_value())


def cell(amount: int, currency: str) -> SafeString:
    """An amount in a list's column, lined up at its right."""
    return format_html('<span class="amount">{}</span>', written(amount, currency))
