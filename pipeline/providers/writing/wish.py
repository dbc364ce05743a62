"""What a note about an earlier script asks of the local writer, who knows four tones, and the words for them."""

from __future__ import annotations

import re

# The first of these that a note names, in the order of the note. "less funny" names none.
TONES = {
    "warm": r"warm\w*|kind\w*|gentl\w*|soft\w*|friendl\w*|sincere\w*|serious\w*|plain\w*",
    "funny": r"funn\w*|humou?r\w*|jok\w*|light\w*|playful\w*|cheek\w*",
    "heartfelt": r"heartfelt|touching|moving|tender\w*|emotional\w*|romantic\w*|deep\w*",
    "epic": r"epic\w*|grand\w*|heroic\w*|dramatic\w*|bold\w*|big\w*",
}
_NOT = r"(?:less|not|no|without|fewer|too|never|stop)\s+(?:so\s+|that\s+|the\s+|many\s+|any\s+|all\s+|being\s+)*"


def tone_of(note: str) -> str:
    """The tone a note asks for; empty where it names none. Where it only says what to leave, the warm one."""
    text = note.casefold()
    refused = re.findall(rf"{_NOT}({'|'.join(TONES.values())})", text)
    wanted = re.sub(rf"{_NOT}(?:{'|'.join(TONES.values())})", " ", text)
    named = [
        (found.start(), tone) for tone, words in TONES.items() if (found := re.search(rf"\b(?:{words})\b", wanted))
    ]
    if named:
        return min(named)[1]
    return "warm" if refused else ""
