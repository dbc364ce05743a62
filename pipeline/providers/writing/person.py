"""Third person → "you": a fan's clause turned to the person it is about, or left as it is where that is not safe."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from pipeline.providers.writing import lexicon as lex
from pipeline.providers.writing.facts import Fact, has_verb, words_of

Voice = Literal["creator", "sender", "whole"]
SHE = frozenset("she she's she'd she'll her hers herself".split())
HE = frozenset("he he's he'd he'll him his himself".split())
THEY = frozenset("they they're they've they'd they'll them their theirs themselves".split())
FORMS = {"she": SHE, "he": HE, "they": THEY}


@dataclass(frozen=True, slots=True)
class Who:
    """The person (pair, team, pet) a film speaks to, and how the notes speak of them."""

    name: str
    aliases: tuple[str, ...]  # lower case, longest first
    pronoun: str = ""  # "she", "he", "they" or "" where the notes leave it open
    plural: bool = False
    kin: frozenset[str] = frozenset()  # "mum", where "my mum" in the notes is this person
    spoken_to: bool = True  # False: a film about someone who has died; nobody is turned to "you"


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
    words = words_of(notes)
    kin = {low} & (lex.KIN | (lex.PETS if occasion == "pet" else set()))
    named = "|".join(re.escape(a) for a in who.aliases)
    text = notes.casefold().replace("’", "'")
    all_kin = lex.KIN | lex.PETS
    stated = re.findall(rf"\b(?:my|our) (?:[a-z]+ ){{0,2}}?(\w+),? (?:{named})\b", text)
    stated += re.findall(rf"\b(?:{named})(?:,| is| was|, who is) (?:my|our) (?:[a-z]+ ){{0,2}}?(\w+)\b", text)
    kin |= {k for k in stated if k in all_kin}
    mine = [w for pair in re.findall(r"\b(?:my|our) (\w+)(?: (\w+))?", text) for w in pair]
    subjects = {k for k in mine if k in all_kin and (k not in lex.PETS or occasion == "pet")}
    other_use = re.search(rf"\b(?:{named})\b", text)
    if not kin and len(subjects) == 1 and not other_use and re.search(r"^\W*(?:for |this is for )?(?:my|our)\b", text):
        kin = subjects
    who = replace(who, kin=frozenset(kin), pronoun="they" if several else _pronoun(words, who, kin))
    if occasion == "pet" and re.search(
        rf"rainbow bridge|\b(?:{named}|she|he|it) (?:\w+ )?{_DEATH}\b|\blost (?:{named}|her|him)\b", text
    ):
        return replace(who, spoken_to=False)
    if occasion == "condolence":
        return _mourning(who, text, named, words)
    return who


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
        elif (
            before in {"met", "married", "with", "and", "named", "called"}
            and word[:1].isalpha()
            and (
                word not in lex.DETERMINERS | lex.VERBS
                and not lex.is_past(word)
                and not lex.is_third_person(word)
                and before in {"married", "named", "called"}
            )
        ):
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


# --- one clause ---------------------------------------------------------------------------------------------------------

_SPOKE = {
    "she": "you", "he": "you", "they": "you", "she'd": "you'd", "he'd": "you'd", "they'd": "you'd", "she'll": "you'll",
    "he'll": "you'll", "they'll": "you'll", "they're": "you're", "they've": "you've", "him": "you", "them": "you",
    "their": "your", "theirs": "yours", "hers": "yours", "herself": "yourself", "himself": "yourself",
}  # fmt: skip
_GIVING = frozenset(
    "gave give gives bought sent brought told taught showed asked call calls called name named make made".split()
)
_LETTING = frozenset(
    "let lets help helps helped watch watched watching see seen saw hear heard make makes made had".split()
)
_CALLING = frozenset("call calls called calling name named nicknamed".split())
_BREAKS = frozenset(
    "that who which because when while if it he she they i we everyone everybody nobody someone".split()
)


class _Clause:
    """A clause as words and what stands between them, edited in place. `unsafe` is set when any step is in doubt."""

    def __init__(self, text: str) -> None:
        self.parts = re.findall(r"[^\W_]+(?:['’-][^\W_]+)*|[^\w\s]|_|\s+", text)
        self.at = [k for k, part in enumerate(self.parts) if part[0].isalnum()]
        self.low = [self.parts[k].casefold().replace("’", "'") for k in self.at]
        self.heads: dict[int, int] = {}  # word of a "you" subject → word of its verb
        self.unsafe = False

    def put(self, word: int, text: str) -> None:
        self.parts[self.at[word]] = text

    def drop(self, first: int, last: int) -> None:
        """Empty the words first+1 … last and what stands before each of them."""
        for k in range(self.at[first] + 1, self.at[last] + 1):
            self.parts[k] = ""

    def gap(self, word: int) -> str:
        """What stands between this word and the next one."""
        stop = self.at[word + 1] if word + 1 < len(self.at) else len(self.parts)
        return "".join(self.parts[self.at[word] + 1 : stop])

    def text(self) -> str:
        return " ".join("".join(self.parts).split())

    def agree(self, subject: int, word: int) -> None:
        """Make the verb at or after `word` agree with the "you" at `subject`."""
        while word < len(self.low) and (self.low[word] in lex.ADVERBS or self.low[word].endswith("ly")):
            word += 1
        self.heads[subject] = word
        if word >= len(self.low):
            return
        verb = self.low[word]
        if verb in lex.BE_HAVE:
            self.put(word, lex.BE_HAVE[verb])
        elif verb.endswith("s") and not verb.endswith("ss") and verb not in lex.NOT_VERBS_IN_S:
            self.put(word, lex.base_form(verb))

    def become(self, word: int) -> str:
        """What "'s" after the person stands for, "'re" or "'ve", told from the next words."""
        k = word + 1
        adverb = False
        while k < len(self.low) and (self.low[k] in lex.ADVERBS or self.low[k].endswith("ly")):
            adverb, k = adverb or self.low[k] in {"always", "never", "already", "ever"}, k + 1
        nxt = self.low[k] if k < len(self.low) else ""
        if nxt in {"been", "got", "had", "done", "made", "taught", "given", "seen", "become", "won", "kept", "brought"}:
            return "'ve"
        if (
            nxt.endswith("ed")
            and lex.is_past(nxt)
            and (adverb or nxt not in lex.PARTICIPLES | {"tired", "excited", "worried"})
        ):
            return "'re" if "by" in self.low[k + 1 : k + 3] else "'ve"
        return "'re"


def _person_at(clause: _Clause, k: int, who: Who) -> tuple[int, bool]:
    """Whether the person is named at word `k`: (number of words, possessive); (0, False) where they are not."""
    low = clause.low
    start = k
    if low[k] in {"my", "our"} and who.kin:
        for j in range(k + 1, min(k + 4, len(low))):
            if low[j].removesuffix("'s") in who.kin:
                if low[j].endswith("'s"):
                    return j - k + 1, True
                n, owned = _name_at(clause, j + 1, who) if j + 1 < len(low) else (0, False)
                return j - k + 1 + n, owned
        return 0, False
    if (
        low[k : k + 2] in (["the", "birthday"], ["the", "happy"])
        and low[k + 2 : k + 3]
        and low[k + 2] in {"girl", "boy", "couple"}
    ):
        return 3, False
    if who.plural and low[k] == "the" and low[k + 1 : k + 2] and low[k + 1] in {"team", "couple", "newlyweds", "crew"}:
        return 2, False
    return _name_at(clause, start, who)


def _name_at(clause: _Clause, k: int, who: Who) -> tuple[int, bool]:
    for alias in who.aliases:
        name = words_of(alias)
        here = clause.low[k : k + len(name)]
        if name and here == name:
            n = len(name)
            follows = clause.at[k + n] if k + n < len(clause.at) else 0
            surname = follows and clause.parts[follows][0].isupper() and clause.gap(k + n - 1) == " "
            if (
                surname
                and clause.low[k + n] not in lex.PRONOUNS
                and not lex.is_third_person(clause.low[k + n])
                and len(name) == 1
            ):
                n += 1
            return n, False
        if name and here == [*name[:-1], name[-1] + "'s"]:
            return len(name), True
    return 0, False


def to_you(text: str, who: Who, *, inherits: bool = False, blocked: bool = False) -> str | None:
    """`text` said to the person themselves; None where that would be a guess.

    `inherits`: the clause has no subject, the person is it. `blocked`: here "she" may be someone else.
    """
    if not who.spoken_to:
        return text
    clause = _Clause(text)
    forms = frozenset() if blocked else FORMS.get(who.pronoun, frozenset())
    if set(clause.low) & {"you", "your", "you're", "yours"} and not _creator_as_me(clause, forms, who):
        return None if set(clause.low) & forms - {"her", "them", "their"} else text
    if inherits:
        return _with_subject(clause, who, forms)
    k = 0
    while k < len(clause.low):
        k += _turn(clause, k, who, forms)
    _coordinate(clause)
    return None if clause.unsafe else clause.text()


def _with_subject(clause: _Clause, who: Who, forms: frozenset[str]) -> str | None:
    """A clause that lacks its subject, with "you" before it: "flew the shuttle" → "you flew the shuttle"."""
    subject = "you were" if clause.low[0] in {"born"} or clause.low[:2] == ["raised", "in"] else "you"
    clause.parts[0:0] = [subject, " "]
    clause.at = [0, *[k + 2 for k in clause.at]]
    clause.low = ["you", *clause.low]
    clause.agree(0, 1)
    k = 1
    while k < len(clause.low):
        k += _turn(clause, k, who, forms)
    _coordinate(clause)
    return None if clause.unsafe else clause.text()


def _turn(clause: _Clause, k: int, who: Who, forms: frozenset[str]) -> int:
    """Turn the word at `k` (and those that belong to it) to the second person; how many words were dealt with."""
    low = clause.low
    word = low[k]
    before = low[k - 1] if k else ""
    n, owned = _person_at(clause, k, who)
    if n:
        return _turn_name(clause, k, n, owned, who)
    if word not in forms or _other_woman(clause, k):
        return 1
    if word in {"she", "he", "they"}:
        clause.put(k, "you")
        if before in lex.BE_HAVE and (k == 1 or low[k - 2] not in FORMS["she"] | FORMS["he"]) and before not in {"has"}:
            clause.put(k - 1, lex.BE_HAVE[before])
        elif word != "they":
            clause.agree(k, k + 1)
        else:
            clause.heads[k] = k + 1
    elif word in {"she's", "he's"}:
        clause.put(k, "you" + clause.become(k))
        clause.heads[k] = k
    elif word == "themselves":
        clause.put(k, "yourselves" if who.plural else "yourself")
    elif word == "her":
        clause.put(k, _her(clause, k))
    elif word == "his":
        clause.put(
            k,
            "your"
            if clause.gap(k).isspace() and low[k + 1 : k + 2] and low[k + 1] not in lex.CONJUNCTIONS
            else "yours",
        )
    else:
        clause.put(k, _SPOKE[word])
        clause.heads.update({k: k} if word.endswith(("'d", "'ll", "'re", "'ve")) else {})
    return 1


def _turn_name(clause: _Clause, k: int, n: int, owned: bool, who: Who) -> int:
    """The person's name (or "my mum") as subject, object or owner."""
    low, last = clause.low, k + n - 1
    after = low[k + n] if k + n < len(low) else ""
    before = low[k - 1] if k else ""
    if not owned and k == 0 and "," in clause.gap(last) and (more := _apposition(clause, last)):
        clause.put(k, "you")
        clause.drop(k, more)
        clause.agree(k, more + 1)
        return more + 1 - k
    if before in {"called", "named", "name", "is", "i'm", "it's", "nicknamed"} or ("," in clause.gap(last) and k == 0):
        clause.unsafe = clause.unsafe or "," in clause.gap(last)
        return n
    if k and "," in clause.gap(k - 1) and (not after or "," in clause.gap(last)):
        return n  # a call by name: "happy birthday, Eileen"
    if owned:
        says_is = after in lex.ADVERBS | lex.DETERMINERS | lex.PREPOSITIONS | {"been"} or after.endswith("ing")
        owns = after in lex.OWNED | lex.PETS or re.match(r"\d+(?:st|nd|rd|th)$", after) or has_verb(low[k + n + 1 :])
        if says_is and not owns:
            clause.put(k, "you" + clause.become(last))
            clause.heads[k] = k
        elif owns:
            clause.put(k, "your")
        else:
            clause.unsafe = True
        clause.drop(k, last)
        return n
    if after in {"she", "he", "they"} & FORMS.get(who.pronoun, frozenset()) and before not in lex.PREPOSITIONS:
        for j in range(clause.at[k], clause.at[last] + 1):  # "my friend Eileen she is": the pronoun will do
            clause.parts[j] = ""
        return n
    if after == "and" and k == 0:
        clause.put(k, "you")
        clause.drop(k, last)
        return n
    if before == "and" and k == 2 and after:
        other = clause.parts[clause.at[0]]
        clause.put(0, "you")
        clause.put(2, other)
        clause.drop(2, last)
        return n
    j = k + n
    while j < len(low) and low[j] in lex.ADVERBS:
        j += 1
    verb = low[j] if j < len(low) else ""
    acts = (
        verb in lex.BE_HAVE
        or verb in lex.MODALS
        or verb in {"are", "were", "have"}
        or lex.is_past(verb)
        or lex.is_third_person(verb)
    )
    acts = acts or (who.plural and verb in lex.VERBS)
    lower = j < len(low) and clause.parts[clause.at[j]].islower()
    acts = acts or (
        lower and (verb.endswith("ed") or (verb[-1:] == "s" and verb[-2:] != "ss" and verb not in lex.NOT_VERBS_IN_S))
    )
    if not acts and k == 0:
        clause.unsafe = True
    clause.put(k, "you")
    clause.drop(k, last)
    if acts and before not in lex.PREPOSITIONS:
        clause.agree(k, k + n)
    return n


def _apposition(clause: _Clause, last: int) -> int:
    """ "Eileen, my sister, loves dogs": the last word of what stands between the commas; 0 where it is something else."""
    for j in range(last + 1, min(last + 6, len(clause.low) - 1)):
        if "," in clause.gap(j):
            verb = clause.low[j + 1]
            plain = clause.low[last + 1] in lex.DETERMINERS and not has_verb(clause.low[last + 1 : j + 1])
            return j if plain and (lex.is_third_person(verb) or lex.is_past(verb)) else 0
    return 0


def _her(clause: _Clause, k: int) -> str:
    """ "her" is an owner ("her laugh") or an object ("everyone loves her")."""
    low = clause.low
    after = low[k + 1] if k + 1 < len(low) and clause.gap(k).isspace() else ""
    before = low[k - 1] if k else ""
    ends = (
        lex.PREPOSITIONS
        | lex.CONJUNCTIONS
        | lex.DETERMINERS
        | lex.PRONOUNS
        | lex.TIMES
        | lex.ADVERBS
        | set(lex.BE_HAVE)
        | lex.MODALS
    )
    if after in {"own", "one", "first", "last", "most", "many", "two", "three", "four", "five"}:
        return "your"
    if not after or after in ends or after in lex.FIRST_PERSON:
        return "you"
    if before in _CALLING and clause.parts[clause.at[k + 1]][0].isupper():
        return "you"
    if after in lex.OWNED | lex.PETS or not k:
        return "your"
    if before in _LETTING and after in lex.VERBS:
        return "you"
    if before in _GIVING | _LETTING:
        clause.unsafe = True
    return "your"


def _other_woman(clause: _Clause, k: int) -> bool:
    """After "a woman who …" the pronouns are hers: "you are a woman who loves her dog"."""
    before = clause.low[:k]
    return any(w == "who" and j and before[j - 1] in lex.ROLES for j, w in enumerate(before))


def _coordinate(clause: _Clause) -> None:
    """Second verbs of a "you": "you bake bread and feeds the birds" → "feed"; doubt about them makes the clause unsafe."""
    low = clause.low
    for k in range(1, len(low)):
        if low[k - 1] not in {"and", "or", "but", "then"} and "," not in clause.gap(k - 1):
            continue
        j = k
        while j < len(low) - 1 and low[j] in lex.ADVERBS:
            j += 1
        verb = low[j]
        mine = [s for s in clause.heads if s < k]
        if (
            not mine
            or not (verb in lex.BE_HAVE or (verb.endswith("s") and not verb.endswith("ss")))
            or verb in lex.NOT_VERBS_IN_S
        ):
            continue
        subject = max(mine)
        head = clause.heads[subject]
        between = [
            w
            for j2, w in enumerate(low[head + 1 : k - 1])
            if w in _BREAKS and (j2 or w in {"that", "who", "she", "he"})
        ]
        after = low[j + 1] if j + 1 < len(low) else ""
        sure = verb in lex.BE_HAVE or (lex.is_third_person(verb) and lex.base_form(verb) not in lex.NOUNISH)
        takes = after in lex.DETERMINERS | lex.PRONOUNS | {"too", "so"}
        back = k - 2 if low[k - 1] in {"and", "or", "but", "then"} else k - 1
        twin = back == clause.heads[subject]
        if not (sure or takes or twin):
            clause.unsafe = clause.unsafe or (lex.is_third_person(verb) and not low[back].endswith("s"))
        elif between:
            clause.unsafe = True
        else:
            clause.put(j, lex.base_form(verb))


def _creator_as_me(clause: _Clause, forms: frozenset[str], who: Who) -> bool:
    """Where the notes say "you" to the creator ("she loves your songs"), turn that to "my"; False where it is not so plain."""
    fans = {
        "fan",
        "videos",
        "channel",
        "show",
        "shows",
        "podcast",
        "music",
        "songs",
        "films",
        "movies",
        "books",
        "voice",
        "work",
    }
    about = set(clause.low) & (forms - {"them", "their"}) or any(
        _person_at(clause, k, who)[0] for k in range(len(clause.low))
    )
    yours = [k for k, w in enumerate(clause.low) if w in {"you", "your", "you're", "yours"}]
    if not about or any(clause.low[k] != "your" or not fans & set(clause.low[k + 1 : k + 4]) for k in yours):
        return False
    for k in yours:
        clause.put(k, "my")
    return True


# --- all clauses, in order ----------------------------------------------------------------------------------------------


_SPOKEN_SUBJECTS = frozenset("she he they you".split())


def spoken(facts: Sequence[Fact], who: Who) -> list[Line]:
    """Every fact as a line, keeping track of whom "she" means from one sentence to the next."""
    lines: list[Line] = []
    blocked = False
    before = "you"
    for fact in facts:
        words = words_of(fact.text)
        if fact.fresh:
            blocked = False
        if fact.inherits and before != "you" and lines:
            lines[-1] = _rejoined(
                lines[-1], fact
            )  # "He sang off key and did not care": one subject, and it is not "you"
            continue
        subject = "you" if fact.inherits else _subject(words, who, blocked=blocked)
        before = subject
        if subject == "you":
            blocked = False
        inherits = fact.inherits or (subject == "you" and lex.opens_with_verb(words) and fact.kind == "clause")
        text = to_you(_label(fact.text, who), who, inherits=inherits and who.spoken_to, blocked=blocked)
        text = _front(text) if text else None
        voice: Voice = "creator"
        if text is None:
            text, voice = fact.text, "whole"
        if set(words_of(text)) & lex.FIRST_PERSON and not (
            voice == "creator" and "my" in words_of(text) and "my" not in words
        ):
            voice = "sender"
        points = bool(set(words[1:4]) & {"it", "them", "there", "one"} and words[0] in _SPOKEN_SUBJECTS)
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
    """A form's line as speech: "loves: tea, cats" → "you love tea and cats", "hobbies: chess" → "your hobbies: chess"."""
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
    text = text[:1].upper() + text[1:]
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
        a in {"has", "have", "had", "got", "adopted"} and b in lex.DETERMINERS
        for a, b in zip(words, words[1:], strict=False)
    )
    return subject == "other" or has_one


_AS_A = re.compile(r"^(.{6,}?),? (as an? (?:\w+ )?(?:girl|boy|child|kid|teenager|student|baby))$", re.I)


def _front(text: str) -> str:
    """ "you dreamed of space as a girl" → "as a girl, you dreamed of space"."""
    match = _AS_A.match(text)
    return f"{match[2]}, {match[1]}" if match and match[1].casefold().startswith("you ") else text
