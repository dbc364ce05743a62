"""One clause turned from "she" to "you", word by word, or given up where that would be a guess."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pipeline.providers.writing import lexicon as lex
from pipeline.providers.writing.clauses import has_verb
from pipeline.providers.writing.tidy import words_of

SHE = lex.word_set("she she's she'd she'll her hers herself")


HE = lex.word_set("he he's he'd he'll him his himself")


THEY = lex.word_set("they they're they've they'd they'll them their theirs themselves")


FORMS = {"she": SHE, "he": HE, "they": THEY}


@dataclass(frozen=True, slots=True)
class Who:
    """The person (pair, team, pet) a film speaks to, and how the notes speak of them."""

    name: str
    aliases: tuple[str, ...]  # lower case, longest first
    pronoun: str = ""  # "she", "he", "they" or "" where the notes leave it open
    plural: bool = False
    kin: frozenset[str] = frozenset()  # "mum", where "my mum" in the notes is this person
    spoken_to: bool = True  # False: a film about them; nobody is turned to "you"
    mourned: bool = False  # the film is about them because they have died


_SPOKE = {
    "she": "you", "he": "you", "they": "you", "she'd": "you'd", "he'd": "you'd", "they'd": "you'd", "she'll": "you'll",
    "he'll": "you'll", "they'll": "you'll", "they're": "you're", "they've": "you've", "him": "you", "them": "you",
    "their": "your", "theirs": "yours", "hers": "yours", "herself": "yourself", "himself": "yourself",
}  # fmt: skip


_GIVING = lex.word_set(
    "gave give gives bought sent brought told taught showed asked call calls called name named make made"
)


_LETTING = lex.word_set("let lets help helps helped watch watched watching see seen saw hear heard make makes made had")


_CALLING = lex.word_set("call calls called calling name named nicknamed")


_BREAKS = lex.word_set("that who which because when while if it he she they i we everyone everybody nobody someone")


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
    if low[k] in {"my", "our"} and who.kin:
        for j in range(k + 1, min(k + 4, len(low))):
            if low[j].removesuffix("'s") in who.kin:
                if low[j].endswith("'s"):
                    return j - k + 1, True
                n, owned = _name_at(clause, j + 1, who) if j + 1 < len(low) else (0, False)
                return j - k + 1 + n, owned
        return 0, False
    called = low[k].removesuffix("'s") in who.kin & (lex.SHE_KIN | lex.HE_KIN)
    capital = not k or clause.parts[clause.at[k]][0].isupper()
    titled = low[k] in lex.SHE_KIN | lex.HE_KIN | lex.TITLES and capital and k + 1 < len(low) and clause.gap(k) == " "
    if titled and not called and (named := _name_at(clause, k + 1, who))[0]:
        return named[0] + 1, named[1]  # "Grandma Rose" where the film is for Rose
    if called and capital and (not k or low[k - 1] not in lex.DETERMINERS | {"of", "as"}):
        if titled:
            n, owned = _name_at(clause, k + 1, who)
            follows = clause.parts[clause.at[k + 1]]
            n = n or int(follows[0].isupper() and not lex.is_third_person(low[k + 1]) and low[k + 1] not in lex.PAST)
            return n + 1, owned or (n == 1 and low[k + 1].endswith("'s"))
        return 1, low[k].endswith("'s")
    if (
        low[k : k + 2] in (["the", "birthday"], ["the", "happy"])
        and low[k + 2 : k + 3]
        and low[k + 2] in {"girl", "boy", "couple"}
    ):
        return 3, False
    if who.plural and low[k] == "the" and low[k + 1 : k + 2] and low[k + 1] in {"team", "couple", "newlyweds", "crew"}:
        return 2, False
    if low[k].removesuffix("'s") in who.kin and k and low[k - 1] in lex.DETERMINERS | {"of", "as"}:
        return 0, False  # "her mum", where the film is for Mum
    return _name_at(clause, k, who)


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
    first = clause.parts[clause.at[0]]
    clause.parts[clause.at[0]] = first[:1].lower() + first[1:]  # a verb: "Hired half of us" → "you hired half of us"
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


_HAILS = lex.word_set("welcome congratulations congrats happy thank thanks well good hello hi goodbye bravo cheers")


def _turn_name(clause: _Clause, k: int, n: int, owned: bool, who: Who) -> int:
    """The person's name (or "my mum") as subject, object or owner."""
    low, last = clause.low, k + n - 1
    after = low[k + n] if k + n < len(low) else ""
    before = low[k - 1] if k else ""
    if not owned and k == 0 and "," in clause.gap(last) and (more := _apposition(clause, last)):
        clause.put(k, "you")
        clause.drop(k, more)
        clause.parts[clause.at[more] + 1] = ""  # the closing comma
        clause.agree(k, more + 1)
        return more + 1 - k
    if before in {"called", "named", "name", "is", "i'm", "it's", "nicknamed"} or ("," in clause.gap(last) and k == 0):
        clause.unsafe = clause.unsafe or "," in clause.gap(last)
        return n
    if k and "," in clause.gap(k - 1) and (not after or "," in clause.gap(last)):
        return n  # a call by name: "happy birthday, Eileen"
    if k and not after and not owned and low[0] in _HAILS and before not in lex.PREPOSITIONS:
        return n  # and one without a comma: "Welcome to the world little Finn"
    if owned:
        says_is = after in lex.ADVERBS | lex.DETERMINERS | lex.PREPOSITIONS | {"been"} or after.endswith("ing")
        owns = (
            after in lex.OWNED | lex.PETS
            or re.match(r"\d+(?:st|nd|rd|th)$", after)
            or has_verb(low[k + n + 1 : k + n + 12])
        )
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
    """ "Eileen, my sister, loves dogs": the last word between the commas; 0 where it is something else."""
    for j in range(last + 1, min(last + 6, len(clause.low) - 1)):
        if "," in clause.gap(j):
            verb = clause.low[j + 1]
            plain = clause.low[last + 1] in lex.DETERMINERS and not has_verb(clause.low[last + 1 : j + 1])
            return j if plain and (lex.is_third_person(verb) or lex.is_past(verb)) else 0
    return 0


_WHOLE = lex.word_set("everything something nothing anything so too both what whatever")
"""What is given or owed and belongs to nobody: "I owe her everything"."""


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
    if not after or after in ends or after in lex.FIRST_PERSON or after in _WHOLE:
        return "you"
    if before in _CALLING and clause.parts[clause.at[k + 1]][0].isupper():
        return "you"
    if after in lex.OWNED | lex.PETS or not k:
        return "your"
    if before in _LETTING and after in lex.VERBS:
        return "you"
    gives_away = k - 1 in clause.heads.values() and low[k + 2 : k + 3] and low[k + 2] in {"to", "away", "up", "for"}
    if before in _GIVING | _LETTING and not gives_away:
        clause.unsafe = True
    return "your"


def _other_woman(clause: _Clause, k: int) -> bool:
    """After "a woman who …" the pronouns are hers: "you are a woman who loves her dog"."""
    before = clause.low[:k]
    return any(w == "who" and j and before[j - 1] in lex.ROLES for j, w in enumerate(before))


def _coordinate(clause: _Clause) -> None:
    """Second verbs of a "you": "you bake bread and feeds the birds" → "feed"; doubt makes the clause unsafe."""
    low = clause.low
    for k in range(1, len(low)):
        if low[k - 1] not in {"and", "or", "but", "then"} and "," not in clause.gap(k - 1):
            continue
        j = k
        while j < len(low) - 1 and low[j] in lex.ADVERBS:
            j += 1
        verb = low[j]
        mine = [s for s in clause.heads if s < k and j not in clause.heads.values()]
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
        opposed = low[k - 1] == "but" and low[k - 2] not in {"nothing", "anything", "all", "no"}
        sure = sure or (lex.is_third_person(verb) and bool(after) and (opposed or _has_object(after)))
        takes = after in lex.DETERMINERS | lex.PRONOUNS | {"too", "so"}
        back = k - 2 if low[k - 1] in {"and", "or", "but", "then"} else k - 1
        twin = back == clause.heads[subject]
        if not (sure or takes or twin):
            clause.unsafe = clause.unsafe or (lex.is_third_person(verb) and not low[back].endswith("s"))
        elif between:
            clause.unsafe = True
        else:
            clause.put(j, lex.base_form(verb))


def _has_object(after: str) -> bool:
    """Whether the word after "walks" or "plays" makes a verb of it: "and walks dogs", but not "and walks outside"."""
    no_object = lex.ADVERBS | lex.TIMES | lex.PREPOSITIONS | lex.CONJUNCTIONS | {"outside", "anyway", "galore"}
    return after not in no_object and not after.endswith(("ing", "ly"))


def _creator_as_me(clause: _Clause, forms: frozenset[str], who: Who) -> bool:
    """Where the notes say "you" to the creator ("she loves your songs"), turn it to "my"; False where not plain."""
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
    plain = [clause.low[k] == "your" and fans & set(clause.low[k + 1 : k + 4]) for k in yours]
    of_yours = [clause.low[max(0, k - 2) : k + 1] == ["fan", "of", "yours"] for k in yours]
    if not about or not all(a or b for a, b in zip(plain, of_yours, strict=True)):
        return False
    for k in yours:
        clause.put(k, "my" if clause.low[k] == "your" else "mine")
    return True
