"""What must not be said or shown: the Protocol of those who judge, our own rules, and a vendor joined with them."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from .base import ProviderError
from .writing import safety

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Flag:
    """One objection. `where` counts the texts and then the pictures that were judged, from 0.

    `category` is the judge's own word, `score` from 0 to 1 how sure it is, `source` its name.
    """

    where: int
    category: str
    score: float
    source: str


class Moderator(Protocol):
    """Whoever judges texts and pictures."""

    def judge(self, texts: Sequence[str], pictures: Sequence[Path] = ()) -> list[Flag]:
        """Every objection; empty when there is none. `pictures` are JPEG files. Raises ProviderError."""


class LocalRules:
    """Our own rules for texts; they see no pictures. Categories: "refuse" (hate, threats) and "leave" (the rest)."""

    def judge(self, texts: Sequence[str], pictures: Sequence[Path] = ()) -> list[Flag]:
        """Every text that must not be said; asks nobody and never fails."""
        verdicts = ((where, safety.judge(text)) for where, text in enumerate(texts))
        return [Flag(where, verdict, 1.0, "rules") for where, verdict in verdicts if verdict]


class WithRules:
    """A vendor's judgement and our own rules together; our rules alone while the vendor is away, which is logged."""

    def __init__(self, vendor: Moderator, rules: Moderator | None = None) -> None:
        self._vendor, self._rules = vendor, rules or LocalRules()

    def judge(self, texts: Sequence[str], pictures: Sequence[Path] = ()) -> list[Flag]:
        """Every objection of either; never raises for the vendor's sake."""
        flags = self._rules.judge(texts, pictures)
        try:
            return flags + self._vendor.judge(texts, pictures)
        except ProviderError as error:
            log.warning("Judged by our own rules alone: %s", error)
            return flags
