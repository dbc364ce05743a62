"""What deserves a look in a line before it is said in a licensed voice: names, must-say lines, moderation's hits."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

Kind = Literal["", "name", "must", "flag"]
# How the signs of one sentence may differ between what the fan typed and what is said.
_LOOSE = re.compile(r"[\W_]+")


@dataclass(frozen=True)
class Piece:
    """A piece of a line; `kind` is empty for what needs no look."""

    text: str
    kind: Kind = ""


def pieces(line: str, *, names: Iterable[str], must_say: Iterable[str], flagged: bool = False) -> list[Piece]:
    """The line in pieces, none lost: joined they are the line. A must-say line counts more than a name in it.

    `flagged`: moderation named no word, so all that is not marked otherwise is marked.
    """
    kinds: list[Kind] = ["flag" if flagged else ""] * len(line)
    for name in names:
        for found in _spans(line, name):
            kinds[slice(*found)] = ["name"] * (found[1] - found[0])
    for wanted in must_say:
        for found in _spans(line, wanted):
            kinds[slice(*found)] = ["must"] * (found[1] - found[0])
    edges = [0, *(at for at in range(1, len(line)) if kinds[at] != kinds[at - 1]), len(line)]
    return [Piece(line[start:end], kinds[start]) for start, end in pairwise(edges) if end > start]


def says(lines: Sequence[str], wanted: str) -> list[int]:
    """The numbers, from 1, of the lines in which a must-say line is said, whatever its signs and capitals."""
    return [number for number, line in enumerate(lines, start=1) if any(_spans(line, wanted))]


def _spans(line: str, wanted: str) -> Iterable[tuple[int, int]]:
    words = [re.escape(word) for word in _LOOSE.split(wanted) if word]
    if not words:
        return
    # Whole words only, where the words are made of letters that know edges.
    pattern = r"(?<!\w)" + r"[\W_]+".join(words) + r"(?!\w)"
    for found in re.finditer(pattern, line, re.IGNORECASE):
        yield found.span()
