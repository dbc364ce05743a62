"""Quality control as lights: a few groups of checks, each green or with what was found in it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from .models import Finding

Colour = Literal["green", "amber", "red"]

# The group of each check; what is in none of them lands in the last.
GROUPS: tuple[tuple[str, str | Promise, tuple[str, ...]], ...] = (
    ("faces", _("Faces"), ("face_cut", "caption_face", "take_people", "take_faceless", "take_size", "take_start")),
    ("picture", _("Picture"), ("black", "freeze", "stray", "jump", "shake", "banding", "photo", "repeat", "decode")),
    ("words", _("Captions and label"), ("caption", "caption_outside", "label", "label_outside")),
    ("sound", _("Sound"), ("loudness", "true_peak", "blunt", "silence", "silence_share", "sound_length")),
    ("rest", _("Length and file"), ()),
)
_COLOURS: dict[str, Colour] = {"warn": "amber", "fail": "red"}


@dataclass
class Light:
    """One group's light and what was found in it, worst first; notes that are no trouble are left out."""

    key: str
    label: str | Promise
    colour: Colour = "green"
    found: list[Finding] = field(default_factory=list)


def lights(findings: Iterable[Finding]) -> list[Light]:
    """All groups in the table's order."""
    made = {key: Light(key, label) for key, label, _codes in GROUPS}
    home = {code: key for key, _label, codes in GROUPS for code in codes}
    for finding in findings:
        if finding.severity not in _COLOURS:
            continue
        light = made[home.get(finding.code, "rest")]
        light.found.append(finding)
        if light.colour != "red":
            light.colour = _COLOURS[finding.severity]
    return list(made.values())
