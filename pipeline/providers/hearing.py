"""Words as they are heard: what is written and what a recogniser writes down, brought to one spelling."""

from __future__ import annotations

import re
from collections.abc import Iterable

from .say import say

# A word in two spellings of which recognisers know one.
SPELT = {"mum": "mom", "neighbours": "neighbors", "favourite": "favorite", "colour": "color", "grey": "gray"}
_SENTENCE = re.compile(r"(?<=[.!?…])[\"”’)]*\s+")


def words(text: str) -> list[str]:
    """The words of a text as they are said: "60th" and "sixtieth" are the same."""
    written = re.sub(r"(?<=[^\W\d])-(?=[^\W\d])|[—–](?!\d)", " ", text).split()
    units = say(" ".join(written))
    said = " ".join(" ".join(written[u.first : u.first + u.count]) if u.respelt else u.text for u in units)
    return [SPELT.get(word, word) for word in re.findall(r"[a-z]+(?:'[a-z]+)?", said.lower().replace("’", "'"))]


def line(text: str, names: Iterable[str] = ()) -> tuple[str, ...]:
    """The words of a line, with nothing in the place of names, which recognisers spell as they like.

    Names are `names`, and what has a capital letter inside a sentence.
    """
    known = {word for name in names for word in words(name)}
    for sentence in _SENTENCE.split(text):
        for word in sentence.split()[1:]:
            if re.match(r"\W*[^\W\d_a-z]", word) and not re.match(r"\W*I\b", word):
                known |= set(words(word))
    return tuple("" if word in known or re.sub(r"'s$", "", word) in known else word for word in words(text))
