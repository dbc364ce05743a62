"""Whom the notes are about, and each fact as it can be said to them; what is not safe to turn stays the fan's own."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from pipeline.providers.writing import lexicon as lex
from pipeline.providers.writing.address import FORMS, HE, SHE, Who, to_you
from pipeline.providers.writing.clauses import has_verb
from pipeline.providers.writing.facts import Fact
from pipeline.providers.writing.tidy import LOWER, a_name, plain_words, squeeze, words_of

Voice = Literal["creator", "sender", "whole"]


@dataclass(frozen=True, slots=True)
class Line:
    """A fact as it can be said. `voice`: by the creator, only as the sender's words, or only as a quotation."""

    text: str  # with capital and end mark
    fact: Fact
    voice: Voice
    leans: bool = False  # makes sense only right after the line before it
    about_you: bool = False
    unsure: bool = False  # a "she" in it is the person, who is "you" elsewhere, or may be


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
    if several:  # "Tom & Priya" are "Tom and Priya" too
        pair = re.split(r"\s(?:&|and|\+)\s", low)
        aliases += [f" {how} ".join(pair) for how in ("&", "and", "+")] if len(pair) > 1 else []
    titled = "" if several or " " not in low or first not in lex.SHE_KIN | lex.HE_KIN else first
    if titled:  # "Grandma Rose" is "Rose" too, and "my grandma"
        aliases = [low, low.split(" ", 1)[1]]
    who = Who(name, tuple(sorted(set(aliases), key=len, reverse=True)), plural=several)
    words = plain_words(notes)
    kin = {low, titled} & (lex.KIN | (lex.PETS if occasion == "pet" else set()))
    named = "|".join(re.escape(a) for a in who.aliases)
    text = notes.casefold().replace("’", "'")
    all_kin = lex.KIN | lex.PETS | (_CROWD if several else frozenset())
    stated = re.findall(rf"\b(?:my|our) ((?:[a-z]+ ){{0,2}}[a-z]+),? (?:{named})\b", text)
    be = r"(?:,| is| was| has been| has always been| will always be|, who is)"
    stated += re.findall(rf"\b(?:{named}){be} (?:my|our) ((?:[a-z]+ ){{0,2}}[a-z]+)\b", text)
    kin |= {next((w for w in words if w in all_kin), "") for words in map(str.split, stated)} - {""}
    # Notes that never say the name, but begin with "my mum" or "Grandma", are about her.
    starts = re.match(r"\W*(?:(?:this is )?for )?(?:my|our)\b", text)
    first_words = words[1:6] if starts else [w for w in words[:1] if w in lex.SHE_KIN | lex.HE_KIN]
    first = next((w for w in first_words if w in all_kin and (w not in lex.PETS or occasion == "pet")), "")
    if not kin and first and not re.search(rf"\b(?:{named})\b", text):
        kin = _likelier(first, text, words)
    kin |= {same for group in _SAME_KIN if kin & group for same in group}
    who = replace(who, kin=frozenset(kin), pronoun="they" if several else _pronoun(words, who, kin))
    if occasion == "pet" and re.search(
        rf"rainbow bridge|\b(?:{named}|she|he|it) (?:\w+ )?{_DEATH}\b|\blost (?:{named}|her|him)\b", text
    ):
        return replace(who, spoken_to=False, mourned=True)
    if occasion == "condolence":
        return _mourning(who, text, named, words)
    return who


_SAME_KIN = [
    lex.word_set(words)
    for words in (
        "mother mum mom mam mama mummy mommy", "father dad daddy papa pop",
        "grandmother grandma gran granny nana nan", "grandfather grandpa grandad granddad gramps", "aunt auntie",
    )
]  # fmt: skip
"""What people call the same person: a film for "Nana" is about "my grandma"."""


def _likelier(first: str, text: str, words: list[str]) -> set[str]:
    """Of "Grandpa and Grandma", the one most of the pronouns belong to; nobody where there is no telling."""
    pair = re.match(r"\W*(?:my |our )?\w+ (?:and|&) (?:my |our )?(\w+)", text)
    if not pair or pair[1] not in lex.SHE_KIN | lex.HE_KIN:
        return {first}
    she, he = (sum(w in forms for w in words) for forms in (SHE, HE))
    likely = [k for k in (first, pair[1]) if k in (lex.SHE_KIN if she > he else lex.HE_KIN)]
    return set(likely) if she != he and len(likely) == 1 else set()


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
    called = who.aliases[-1].split()[0] if who.aliases else ""
    by_name = "she" if called in lex.SHE_NAMES else "he" if called in lex.HE_NAMES else ""
    if by_name and set(words) & FORMS[by_name]:
        return by_name
    others: set[str] = set()
    kin_words = kin | {k + "'s" for k in kin}
    named = {alias.split()[0] for alias in who.aliases}
    for k, word in enumerate(words):
        if word in kin_words or (word in lex.KIN and set(words[k + 1 : k + 2]) & named):
            continue  # "baby Noor", "my friend Eileen": that is the person
        for pronoun in ("she", "he"):
            if word in FORMS[pronoun] and not others & {pronoun, "any"}:
                other = FORMS["he" if pronoun == "she" else "she"]
                outdone = sum(w in other for w in words) > sum(w in FORMS[pronoun] for w in words)
                return "" if outdone and not set(words) & (lex.KIN | lex.PETS) else pronoun
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
        return replace(who, spoken_to=False, mourned=True)
    dead = next((w for w in words if w.removesuffix("'s") in lex.KIN | lex.PETS), "").removesuffix("'s")
    theirs = "she" if dead in lex.SHE_KIN else "he" if dead in lex.HE_KIN else ""
    return replace(who, pronoun=who.pronoun if theirs and theirs != who.pronoun else "")


_SPOKEN_SUBJECTS = frozenset(["she", "he", "they", "you"])


def told(facts: Sequence[Fact], who: Who, occasion: str) -> tuple[list[Line], Who, list[str]]:
    """Every fact as a line, in one person through the whole film, and the quotes of what would break it.

    Where a third of the lines or more would have a "she" that is or may be the person, the film tells of them;
    fewer such lines are left out of a film that says "you", for the fan to see.
    """
    lines = spoken(facts, who)
    if not who.spoken_to or occasion in {"condolence", "new_baby"}:
        return lines, who, []
    unsure = [k for k, line in enumerate(lines) if line.unsure]
    addressed = any({"you", "your", "you're", "you've"} & set(words_of(fact.text)) for fact in facts)
    if unsure and not addressed and 3 * len(unsure) >= len(lines):
        about = replace(who, spoken_to=False)
        return _varied(spoken(facts, about), about), about, []
    gone = set(unsure)
    for k, line in enumerate(lines):
        if k - 1 in gone and line.leans and not line.about_you:
            gone.add(k)
    kept = [line for k, line in enumerate(lines) if k not in gone]
    return kept, who, [lines[k].fact.quote for k in sorted(gone)]


def _varied(lines: list[Line], who: Who) -> list[Line]:
    """A name that opens one line after the other becomes a pronoun, as anyone would say it."""
    if who.pronoun not in {"she", "he"}:
        return lines
    out: list[Line] = []
    before = False
    for line in lines:
        words = words_of(line.text)
        alias = next((a for a in who.aliases if words[: len(words_of(a))] == words_of(a)), "")
        n = len(words_of(alias))
        after = words[n] if alias and n < len(words) else ""
        verb = after in lex.BE_HAVE or after in lex.MODALS or lex.is_past(after) or lex.is_third_person(after)
        if alias and before and verb and line.voice == "creator":
            rest = " ".join(line.text.split(" ")[n:])
            out.append(replace(line, text=finished(f"{who.pronoun} {rest}")))
        else:
            out.append(line)
        before = bool(alias) or words[:1] == [who.pronoun]
    return out


def spoken(facts: Sequence[Fact], who: Who) -> list[Line]:
    """Every fact as a line, keeping track of whom "she" means from one sentence to the next."""
    lines: list[Line] = []
    blocked: Literal["", "kin", "named", "pet"] = ""  # who else the next "she" may mean
    before = "you"
    other = {"she": {"he", "he's"}, "he": {"she", "she's"}}.get(who.pronoun, set())
    for fact in facts:
        words = words_of(fact.text)
        if set(words) <= who.kin | {"my", "our", "the", "best", "dear", "lovely"}:
            continue  # "our boss.": said by the name already
        if fact.fresh or (blocked == "pet" and set(words[1:]) & _HUMAN):
            blocked = ""  # after "her cat …": no cat drives
        if fact.inherits and before != "you" and lines:
            lines[-1] = _rejoined(
                lines[-1], fact
            )  # "He sang off key and did not care": one subject, and it is not "you"
            continue
        subject = "you" if fact.inherits else _subject(words, who, blocked=bool(blocked))
        before = subject
        if subject == "you" or other & set(words):
            blocked = ""  # "her cat … he thinks": now it is known who "he" is, and "she" is free again
        bare = lex.opens_with_verb(words) and not _named_first(words, who) and not a_name(*_two(fact.text))
        inherits = fact.inherits or (subject == "you" and bare and fact.kind == "clause")
        text = to_you(_label(fact.text, who), who, inherits=inherits and who.spoken_to, blocked=bool(blocked))
        text = _front(text) if text else None
        if text and inherits and not who.spoken_to and not who.plural and who.pronoun != "they":
            text = f"{who.pronoun or who.name} {text}"  # a film about them: "flew the shuttle" → "she flew the shuttle"
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
                or bool(blocked)
                or words[0]
                in {"it", "it's", "they", "that", "this", "he", "she"}
                - (frozenset() if blocked else FORMS.get(who.pronoun, frozenset()))
            )
        )
        unsure = blocked != "named" and _third(text, who)
        blocked = blocked or _introduces(words, who, subject)
        if blocked == "kin" and _NAMED_KIN.search(fact.text):
            blocked = "named"  # "her daughter Mia is 6. She draws."
        about = bool({"you", "your", "you're", "you've"} & set(words_of(text)))
        line = Line(finished(text, fact.mark), fact, voice, leans=leans, about_you=about, unsure=unsure)
        if fact.whole and lines and (couple := _coupled(lines[-1], line, inherits=fact.inherits)):
            lines[-1] = couple
        elif fact.link.endswith("but") and lines and fact.start - lines[-1].fact.end < 16 and text:
            lines.append(replace(line, text="But " + lowered(line.text), leans=True))
        else:
            lines.append(line)
    return lines


def _two(text: str) -> tuple[str, str]:
    first, _, rest = text.partition(" ")
    return first, rest.split(" ", 1)[0].strip(".,;:!?")


def _named_first(words: list[str], who: Who) -> bool:
    return any(words[: len(words_of(a))] == words_of(a) for a in who.aliases)


def _third(text: str, who: Who) -> bool:
    """Whether a line still says "she" (or "he") of the person, as far as anyone can tell."""
    own = FORMS.get(who.pronoun, SHE | HE) if who.pronoun != "they" else frozenset()
    if not who.spoken_to or who.plural or not own & set(words_of(text)):
        return False
    return not re.search(r"\b(?:an?|the) (?:\w+ )?(?:woman|man|girl|boy|lady|person) who\b", text)


_NAMED_KIN = re.compile(rf"\b(?:{'|'.join(sorted(lex.KIN))}),? (?:(?:is |was )?(?:called|named) )?[A-Z]\w+")


def _coupled(first: Line, second: Line, *, inherits: bool) -> Line | None:
    """Two short clauses as the one sentence they were: "You hated cats but fed them all."; None where they differ."""
    voices = {first.voice, second.voice}
    if "whole" in voices and len(voices) > 1:
        return None
    if len(voices) > 1 and not second.fact.link.endswith("but"):
        return None
    if first.unsure != second.unsure or first.text[-1:] in "?…":
        return None
    if not 0 <= second.fact.start - first.fact.end < 16:
        return None
    said = lowered(second.text.rstrip(".!?"))
    if inherits and second.voice != "whole":
        said = re.sub(r"^(?:you|she|he) ", "", said)
    fact = replace(
        first.fact, text=f"{first.fact.text}{second.fact.link} {second.fact.text}", quote=second.fact.whole,
        end=second.fact.end, mark=second.fact.mark,
    )  # fmt: skip
    text = f"{first.text.rstrip('.!?')}{second.fact.link} {said}"
    voice: Voice = first.voice if len(voices) == 1 else "sender"
    return replace(
        first, text=finished(text, second.fact.mark), fact=fact, voice=voice,
        about_you=first.about_you or second.about_you,
    )  # fmt: skip


def lowered(text: str) -> str:
    """A line as it goes on after other words: "You flew it" → "you flew it"; names and "I" keep their capital."""
    first = text.split(" ", maxsplit=1)[0].strip(",.!?")
    lower = first.casefold() in LOWER | {"your", "you've", "as"} and first.casefold() not in lex.CALLED_KIN
    return text[:1].lower() + text[1:] if lower and not a_name(*_two(text)) else text


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
    if match and who.spoken_to and (owned := re.match(r"(?:her|his) (\w+)$", match[1], re.I)):
        return f"your {owned[1]}: {match[2]}" if owned[1].casefold() in _LABELS else text
    if not match or not who.spoken_to or has_verb(words_of(match[2])):
        return text
    label, value = match[1], re.sub(r",\s+(?:and\s+)?(?=[^,]*$)", " and ", match[2])
    if label.casefold() in _LIKINGS:
        return f"{_LIKINGS[label.casefold()]} {value}"
    known = [w for w in words_of(label) if w in _LABELS or w in lex.OWNED]
    if not known or has_verb(words_of(label)) or words_of(label)[0] in {"your", "the", "her", "his", "my"}:
        return text  # "Sarah said: 'finally!'" is speech, not a form
    plain = (w.casefold() if w.casefold() in _LABELS | LOWER else w for w in label.split())
    return f"your {' '.join(plain)}: {value}"


_LABELS = lex.word_set("""
    hobby hobbies job age nickname nicknames pets drink drinks colour color colours colors band song film movie book
    books sport sports place places holiday hometown fav motto saying quote quotes catchphrase passion passions
    interest interests skill skills talent talents habit habits quirk quirks peeve occupation profession degree
    memory memories fear fears superpower season hero snack dessert subject strengths weakness weaknesses dish meal
    """)
"""What a form asks for: "hobbies: chess" is "your hobbies: chess"."""

_ENDS = re.compile(r"([.!?…][\"'”’)]*)[.,;:]*$")


def finished(text: str, mark: str = ".") -> str:
    """A sentence with its capital and one end mark, counting the one inside a closing quotation mark."""
    text = squeeze(text)
    at = len(text) - len(text.lstrip("\"'“‘("))
    text = text[:at] + text[at : at + 1].upper() + text[at + 1 :]
    if end := _ENDS.search(text[-12:]):
        return text[: len(text) - len(end.group())] + end[1]
    return text.rstrip(",;: ") + mark if text else ""


def _rejoined(line: Line, fact: Fact) -> Line:
    """A line with a clause put back that shares its subject."""
    text, link = line.text.rstrip(".!?"), fact.link or " and"
    whole = replace(line.fact, text=f"{line.fact.text}{link} {fact.text}", end=fact.end, mark=fact.mark)
    return replace(line, text=finished(f"{text}{link} {fact.text}", fact.mark), fact=whole)


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


def _introduces(words: list[str], who: Who, subject: str) -> Literal["", "kin", "pet"]:
    """Whether a clause brings in somebody the next "she", "he" or "they" may mean, a person or a pet."""
    if who.plural:  # "they" may be the kids; one gran it is not
        owned = words[0] in {"her", "his", "their", "my", "our", "the"} or words[0].endswith("'s")
        return "kin" if owned and (_CROWD - who.kin) & set(words[1:4]) else ""
    theirs = {"she": lex.HE_KIN, "he": lex.SHE_KIN}.get(who.pronoun, frozenset())
    kin = {w.removesuffix("'s") for w in words} & ((lex.KIN | lex.PETS) - theirs - who.kin)
    if set(words) & theirs:
        kin -= lex.ANY_KIN  # "his best friend is his sister"
    if {"it", "it's", "its"} & set(words):
        kin -= lex.PETS
    if not kin:
        return ""
    has_one = any(
        a in {"has", "have", "had", "got", "adopted"} and b in lex.DETERMINERS for a, b in itertools.pairwise(words)
    )
    if not (subject == "other" or has_one):
        return ""
    return "pet" if kin <= lex.PETS else "kin"


_CROWD = lex.word_set("parents children people friends mates colleagues neighbours neighbors families twins") | {
    f"{one}s" for one in lex.KIN | lex.PETS
}

_HUMAN = lex.word_set("""
    say says said drive drives drove fly flies flew call calls called read reads sing sings sang cook cooks cooked bake
    bakes baked work works worked teach teaches taught write writes wrote paint paints painted study studies studied
    build builds built knit knits knitted retire retires retired volunteer volunteers married graduated play plays
    played laugh laughs laughed joke jokes spell cheats i me my we us our
    """)
"""What no pet does."""


_AS_A = re.compile(r"^(.{6,}?),? (as an? (?:\w+ )?(?:girl|boy|child|kid|teenager|student|baby))$", re.I)


def _front(text: str) -> str:
    """ "you dreamed of space as a girl" → "as a girl, you dreamed of space"."""
    match = _AS_A.match(text)
    return f"{match[2]}, {match[1]}" if match and match[1].casefold().startswith("you ") else text
