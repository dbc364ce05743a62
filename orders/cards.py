"""Choice cards: the radio buttons of one question, each with the line that helps to choose."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.forms import BoundField
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from .choices import Format, Tone

Text = str | Promise

TONE_HINTS: dict[str, Text] = {
    Tone.WARM: _("Close and kind, like a letter"),
    Tone.FUNNY: _("Light, with a wink"),
    Tone.HEARTFELT: _("Quiet and sincere"),
    Tone.EPIC: _("Big, like a trailer"),
}
FORMAT_HINTS: dict[str, Text] = {
    Format.TALL: _("For phones and stories"),
    Format.WIDE: _("For televisions and laptops"),
    Format.SQUARE: _("For feeds and chats"),
}


@dataclass(frozen=True, slots=True)
class Card:
    """One answer to choose. `value` and `checked` are those of its radio button."""

    id: str
    name: str
    value: str
    label: Text
    hint: Text
    checked: bool


def cards(field: BoundField, hints: Mapping[Any, Text] | None = None) -> list[Card]:
    """The question's cards in order; the chosen one is what was typed, or what is saved."""
    chosen = str(field.value())
    found = []
    for place, (value, label) in enumerate(field.field.widget.choices):
        # The first card has the question's own id, so that a link to the question moves the focus onto it.
        ident = f"id_{field.name}" if place == 0 else f"id_{field.name}_{place}"
        hint = (hints or {}).get(value, "")
        found.append(Card(ident, field.html_name, str(value), label, hint, str(value) == chosen))
    return found
