"""Whom the notes are about, and each fact as it can be said to them; what is not safe to turn stays the fan's own."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from pipeline.providers.writing import lexicon as lex
from pipeline.providers.writing.address import FORMS, HE, SHE, Who, to_you
from pipeline.providers.writing.clauses import has_verb
from pipeline.providers.writing.facts import Fact
from pipeline.providers.writing.tidy import plain_words, squeeze, words_of

Voice = Literal["creator", "sender", "whole"]


@dataclass(frozen=True, slots=True)
class Line:
    """A fact as it can be said. `voice`: by the creator, only as the sender's words, or only as a quotation."""

    text: str  # with capital and end mark
    fact: Fact
    voice: Voice
    leans: bool = False  # makes sense only right after the line before it
    about_you: bool = False
    tags: frozenset[str] = field(default_factory=frozenset)


_DEATH = r"(?:died|passed(?: away)?|is gone|has gone|left us|was taken)"


def who_is(name: str, occasion: str, notes: str) -> Who:
    """Work out whom the notes are about, which pronoun means them and which "my mum" does."""
    low = name.casefold().replace("’", "'")
    first = low.split()[0] if low.split() else low
    several = (
        bool(re.search(r"\s(?:&|and|\+)\s|^(?:the|team|everyone|all)\b|\bteam\b|\bfamily\b", low)) or occasion == "team"
    )
    aliases = (
        [low] if several or first in {"the", "my", "our", "dr", "mr", "mrs", "ms", "uncle", "aunt"} else [low, first]
    )
    if low.startswith("the "):
        aliases.append(low[4:])
    who = Who(name, tuple(sorted(set(aliases), key=len, reverse=True)), plural=several)
    words = plain_words(notes)
    kin = {low} & (lex.KIN | (lex.PETS if occasion == "pet" else set()))
    named = "|".join(re.escape(a) for a in who.aliases)
    text = notes.casefold().replace("’", "'")
    all_kin = lex.KIN | lex.PETS
    stated = re.findall(rf"\b(?:my|our) ((?:[a-z]+ ){{0,2}}[a-z]+),? (?:{named})\b", text)
    be = r"(?:,| is| was| has been| has always been| will always be|, who is)"
    stated += re.findall(rf"\b(?:{named}){be} (?:my|our) ((?:[a-z]+ ){{0,2}}[a-z]+)\b", text)
    kin |= {next((w for w in words if w in all_kin), "") for words in map(str.split, stated)} - {""}
    # Notes that never say the name, but begin with "my mum" or "Grandma", are about her.
    starts = re.match(r"\W*(?:(?:this is )?for )?(?:my|our)\b", text)
    first_words = words[1:6] if starts else [w for w in words[:1] if w in lex.SHE_KIN | lex.HE_KIN]
    first = next((w for w in first_words if w in all_kin and (w not in lex.PETS or occasion == "pet")), "")
    if not kin and first and not re.search(rf"\b(?:{named})\b", text):
        kin = {first}
    who = replace(who, kin=frozenset(kin), pronoun="they" if several else _pronoun(words, who, kin))
    if occasion == "pet" and re.search(
        rf"rainbow bridge|\b(?:{named}|she|he|it) (?:\w+ )?{_DEATH}\b|\blost (?:{named}|her|him)\b", text
    ):
        return replace(who, spoken_to=False)
    if occasion == "condolence":
        return _mourning(who, text, named, words)
    return who


_NO_NAME = (
    lex.DETERMINERS
    | lex.VERBS
    | lex.PREPOSITIONS
    | lex.CONJUNCTIONS
    | lex.PRONOUNS
    | lex.ADVERBS
    | lex.TIMES
    | lex.FIRST_PERSON
)


def _pronoun(words: list[str], who: Who, kin: set[str]) -> str:
    """The pronoun class that means the person: the first one used before anyone else has been mentioned."""
    if kin & lex.SHE_KIN:
        return "she"
    if kin & lex.HE_KIN:
        return "he"
    others: set[str] = set()
    kin_words = kin | {k + "'s" for k in kin}
    for k, word in enumerate(words):
        if word in kin_words:
            continue
        for pronoun in ("she", "he"):
            if word in FORMS[pronoun] and not others & {pronoun, "any"}:
                return pronoun
        before = words[k - 1] if k else ""
        if before in {"a", "little", "birthday"} and word in {"girl", "boy"}:
            return "she" if word == "girl" else "he"
        bare = word.removesuffix("'s").rstrip("s") if word not in lex.KIN else word
        if bare in lex.KIN | lex.PETS:
            others.add("she" if bare in lex.SHE_KIN else "he" if bare in lex.HE_KIN else "any")
        elif before in {"married", "named", "called"} and word not in _NO_NAME and not lex.is_past(word):
            others.add("any")
    if not (set(words) & (SHE | HE)) and "they" in words and not others:
        return "they"
    return ""


def _mourning(who: Who, text: str, named: str, words: list[str]) -> Who:
    """In a condolence "she" and "he" mostly mean the one who died: only what is plainly the bereaved becomes "you"."""
    gone = re.search(rf"\b(?:{named}) (?:\w+ )?{_DEATH}\b|in (?:loving )?memory of (?:{named})\b", text)
    lost = re.search(
        rf"\b(?:{named}|she|he|they)(?: just| recently)? lost (?:her|his|their)\b|\b(?:{named})'s (\w+)", text
    )
    you = {"you", "your", "you're"} & set(words)
    if gone or not (lost or you):
        return replace(who, spoken_to=False)
    dead = next((w for w in words if w.removesuffix("'s") in lex.KIN | lex.PETS), "").removesuffix("'s")
    theirs = "she" if dead in lex.SHE_KIN else "he" if dead in lex.HE_KIN else ""
    return replace(who, pronoun=who.pronoun if theirs and theirs != who.pronoun else "")


_SPOKEN_SUBJECTS = frozenset(["she", "he", "they", "you"])


def spoken(facts: Sequence[Fact], who: Who) -> list[Line]:
    """Every fact as a line, keeping track of whom "she" means from one sentence to the next."""
    lines: list[Line] = []
    blocked = False
    before = "you"
    other = {"she": {"he", "he's"}, "he": {"she", "she's"}}.get(who.pronoun, set())
    for fact in facts:
        words = words_of(fact.text)
        if set(words) <= who.kin | {"my", "our", "the", "best", "dear", "lovely"}:
            continue  # "our boss.": said by the name already
        if fact.fresh:
            blocked = False
        if fact.inherits and before != "you" and lines:
            lines[-1] = _rejoined(
                lines[-1], fact
            )  # "He sang off key and did not care": one subject, and it is not "you"
            continue
        subject = "you" if fact.inherits else _subject(words, who, blocked=blocked)
        before = subject
        if subject == "you" or other & set(words):
            blocked = False  # "her cat … he thinks": now it is known who "he" is, and "she" is free again
        inherits = fact.inherits or (subject == "you" and lex.opens_with_verb(words) and fact.kind == "clause")
        text = to_you(_label(fact.text, who), who, inherits=inherits and who.spoken_to, blocked=blocked)
        text = _front(text) if text else None
        voice: Voice = "creator"
        if text is None:
            text, voice = fact.text, "whole"
        if set(words_of(text)) & lex.FIRST_PERSON and not (
            voice == "creator" and {"my", "mine"} & set(words_of(text)) and not {"my", "mine", "i"} & set(words)
        ):
            voice = "sender"
        points = bool(
            set(words[1:4]) & {"it", "them", "there", "one"} and (fact.inherits or words[0] in _SPOKEN_SUBJECTS)
        )
        leans = (
            bool(lines)
            and not fact.fresh
            and (
                points
                or blocked
                or words[0]
                in {"it", "it's", "they", "that", "this", "he", "she"}
                - (frozenset() if blocked else FORMS.get(who.pronoun, frozenset()))
            )
        )
        blocked = blocked or _introduces(words, who, subject)
        about = bool({"you", "your", "you're", "you've"} & set(words_of(text)))
        lines.append(Line(finished(text, fact.mark), fact, voice, leans=leans, about_you=about))
    return lines


_LIKINGS = {
    "loves": "you love",
    "likes": "you like",
    "hates": "you hate",
    "dislikes": "you dislike",
    "dreams": "you dream",
}


def _label(text: str, who: Who) -> str:
    """A form's line as speech: "loves: tea, cats" → "you love tea and cats", "job: nurse" → "your job: nurse"."""
    match = re.match(r"^([A-Za-z][A-Za-z' ]{2,24}?)\s*:\s*(\S.*)$", text)
    if not match or not who.spoken_to or has_verb(words_of(match[2])):
        return text
    label, value = match[1].casefold(), re.sub(r",\s+(?:and\s+)?(?=[^,]*$)", " and ", match[2])
    if label in _LIKINGS:
        return f"{_LIKINGS[label]} {value}"
    return (
        f"your {label}: {value}"
        if label.split()[0] not in {"your", "the", "her", "his", "my"}
        else f"{match[1]}: {value}"
    )


def finished(text: str, mark: str = ".") -> str:
    """A sentence with its capital and its end mark."""
    text = squeeze(text[:1].upper() + text[1:])
    return text if text[-1:] in "?!." or not text else text.rstrip(",;: ") + mark


def _rejoined(line: Line, fact: Fact) -> Line:
    """A line with a clause put back that shares its subject."""
    text = line.text.rstrip(".!?")
    whole = replace(line.fact, text=f"{line.fact.text} and {fact.text}", end=fact.end, mark=fact.mark)
    return replace(line, text=finished(f"{text} and {fact.text}", fact.mark), fact=whole)


def _subject(words: list[str], who: Who, *, blocked: bool) -> Literal["you", "other", ""]:
    if not words:
        return ""
    own = FORMS.get(who.pronoun, frozenset()) & {"she", "he", "they", "she's", "he's", "they're", "she'd", "he'd"}
    if words[0] in own and not blocked:
        return "you"
    if words[0] in {"you", "you're"} or any(words[: len(words_of(a))] == words_of(a) for a in who.aliases):
        return "you"
    if words[0] in {"my", "our"} and set(words[1:4]) & who.kin:
        return "you"
    if lex.opens_with_verb(words):
        return "you"
    kin_first = words[0] in {"her", "his", "their", "my", "our", "the", "a"} or words[0].endswith("'s")
    return "other" if kin_first and set(words[1:4]) & (lex.KIN | lex.PETS) else ""


def _introduces(words: list[str], who: Who, subject: str) -> bool:
    """Whether a clause brings in somebody the next "she" (or "he") may mean."""
    theirs = {"she": lex.HE_KIN, "he": lex.SHE_KIN}.get(who.pronoun, frozenset())
    kin = {w.removesuffix("'s") for w in words} & ((lex.KIN | lex.PETS) - theirs - who.kin)
    if set(words) & theirs:
        kin -= lex.ANY_KIN  # "his best friend is his sister"
    if {"it", "it's", "its"} & set(words):
        kin -= lex.PETS
    if not kin:
        return False
    has_one = any(
        a in {"has", "have", "had", "got", "adopted"} and b in lex.DETERMINERS for a, b in itertools.pairwise(words)
    )
    return subject == "other" or has_one


_AS_A = re.compile(r"^(.{6,}?),? (as an? (?:\w+ )?(?:girl|boy|child|kid|teenager|student|baby))$", re.I)


def _front(text: str) -> str:
    """ "you dreamed of space as a girl" → "as a girl, you dreamed of space"."""
    match = _AS_A.match(text)
    return f"{match[2]}, {match[1]}" if match and match[1].casefold().startswith("you ") else text
