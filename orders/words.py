"""What a narrator can say: tidies what the fan typed and says in one sentence what cannot be read aloud."""

from __future__ import annotations

import re
import unicodedata

from django.utils.translation import gettext as _

# Joiners are part of correct spelling in several scripts; every other unseen character is an accident or a trick.
JOINERS = {"\u200c", "\u200d"}
NAME_MARKS = set(" '’‘`´-‐‑–.,&/()“”\"+·")
WEB_ADDRESS = re.compile(
    r"https?:|\w://|\bwww\.|\S@\S+\.\w|\b[\w-]+\.(?:com|org|net|info|biz|app|shop|site|online|xyz|io|tv|me)\b",
    re.IGNORECASE,
)
MARKUP = re.compile(r"[<>{}\[\]\\|]|&#?\w+;")


# Composing a run of marks takes the square of its length: no language piles up more than a few on one letter.
_PILED = re.compile(
    "([\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]{8})[\u0300-\u036f"
    "\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]+"
)
# Whatever is longer is refused for its length by every field: it is not worth composing first.
MOST_LETTERS = 25_000
LONGEST_WORD = 30


def composed(text: str) -> str:
    """The text in composed form (NFC), in time linear in its length."""
    return text if len(text) > MOST_LETTERS else unicodedata.normalize("NFC", _PILED.sub(r"\1", text))


def tidy(text: str) -> str:
    """The text in composed form, with plain line ends and without unseen characters."""
    plain = composed(text.replace("\r\n", "\n").replace("\r", "\n").replace("\t", " "))
    return "".join(c for c in plain if c == "\n" or not _unseen(c)).strip()


def tidy_line(text: str) -> str:
    """The text on one line, in composed form, runs of white space made one. Unseen characters stay, to be refused."""
    return re.sub(r"[ \u00a0\u2000-\u200a\u202f\u3000\t\r\n]+", " ", composed(text)).strip()


def _unseen(c: str) -> bool:
    return c not in JOINERS and unicodedata.category(c) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")


def _letters(text: str) -> list[str]:
    return [c for c in text if unicodedata.category(c).startswith("L")]


def is_latin(text: str) -> bool:
    """Whether there is a Latin letter in it, which is what the narrators read."""
    return any("LATIN" in unicodedata.name(c, "") for c in _letters(text))


def line_fault(text: str, *, at_most: int) -> str:
    """Why a line cannot be read aloud as it stands, in one sentence for the fan; empty when it can."""
    if len(text) > at_most:
        return _("That is %(length)d characters long; up to %(limit)d fit here.") % {
            "length": len(text),
            "limit": at_most,
        }
    if any(_unseen(c) for c in text):
        return _("There are characters in it that cannot be seen. Please type it again by hand.")
    if WEB_ADDRESS.search(text):
        return _("Web and e-mail addresses cannot be read aloud. Please leave them out.")
    if MARKUP.search(text):
        return _("Please leave out signs such as < > { } [ ]: they cannot be read aloud.")
    if not _letters(text):
        return _("Please write it in letters, so that it can be said aloud.")
    if any(len(word) > LONGEST_WORD for word in re.split(r"[\s/-]+", text)):
        return _("There is a word in it that is too long to be read aloud. Please write it in several.")
    return ""


def latin_fault(text: str) -> str:
    """Why our narrators, who read the letters A to Z with their accents, cannot read this; empty when they can."""
    for c in _letters(text):
        if "LATIN" not in unicodedata.name(c, ""):
            return _("Our narrators read the letters A to Z. “%(sign)s” is not one of them.") % {"sign": c}
    return ""


def name_fault(text: str, *, at_most: int) -> str:
    """Why a name cannot be said as it stands, in one sentence for the fan; empty when it can."""
    fault = line_fault(text, at_most=at_most)
    if fault:
        return fault
    for c in text:
        if c not in NAME_MARKS and c not in JOINERS and unicodedata.category(c)[0] not in "LMN":
            return _("“%(sign)s” cannot be said aloud. Please leave it out.") % {"sign": c}
    return ""
