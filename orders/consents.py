"""What a fan is asked to agree to now: which boxes, in which words, and which of them no film is made without."""

from __future__ import annotations

from . import reader
from .models import ConsentKind

REQUIRED = frozenset({ConsentKind.PHOTOS, ConsentKind.AI_VOICE})
# What was agreed to of the photos that were there: a new one asks again.
OF_PHOTOS = frozenset({ConsentKind.PHOTOS, ConsentKind.LOOK, ConsentKind.LIKENESS})


def asked() -> dict[ConsentKind, str]:
    """The boxes that are shown, each with its words: consent in photos names everybody who is sent them."""
    sharing = reader.sharing()
    offered = {ConsentKind.LOOK: sharing.eyes, ConsentKind.LIKENESS: sharing.filmed}
    words = {kind: str(kind.label) for kind in ConsentKind if kind in REQUIRED or offered.get(kind)}
    words[ConsentKind.PHOTOS] = " ".join([words[ConsentKind.PHOTOS], *sharing.photos])
    return words
