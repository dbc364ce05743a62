"""Amounts on pages about money."""

from __future__ import annotations

from django.template import Library

from .. import figures

register = Library()


@register.filter
def amount(minor_units: int, currency: str) -> str:
    """€29.00, −€5.80."""
    return figures.written(minor_units, currency)
