"""What must not be said or shown: what a judge objects to, what each objection asks for, and our own rules."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from .base import Plain
from .writing import safety

# What ends a making, in the vendor's words and in ours. Everything else that is flagged is for the creator's eyes: a
# soldier's memoir speaks of violence, and a daughter of her mother's illness.
ENDING = frozenset({
    "sexual", "sexual/minors", "hate/threatening", "harassment/threatening", "illicit/violent",
    "self-harm/instructions", "refuse",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Flag(Plain):
    """One objection. `where` counts the texts and then the pictures that were judged, from 0.

    `category` is the judge's own word, `score` from 0 to 1 how sure it is, `source` its name.
    """

    where: int
    category: str
    score: float
    source: str

    @property
    def ends(self) -> bool:
        """Whether no film may be made with it; else a person looks."""
        return self.category in ENDING


def by_our_rules(texts: Sequence[str]) -> list[Flag]:
    """What our own rules object to; they ask nobody. Categories: "refuse" (hate, threats) and "leave" (the rest)."""
    verdicts = ((where, safety.judge(text)) for where, text in enumerate(texts))
    return [Flag(where, verdict, 1.0, "rules") for where, verdict in verdicts if verdict]


def named(flags: Iterable[Flag]) -> str:
    """The categories and who flagged them, in one phrase."""
    return ", ".join(sorted({f"{flag.category} ({flag.source})" for flag in flags}))
