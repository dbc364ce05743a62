"""Notes → facts: the fan's clauses one by one, each with the exact words it was taken from."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from pipeline.providers.base import ProviderError
from pipeline.providers.writing import lexicon as lex
from pipeline.providers.writing.clauses import BULLET, clauses, sentences
from pipeline.providers.writing.language import language_of, speaks_english
from pipeline.providers.writing.safety import CANNOT_SAY, judge, speakable
from pipeline.providers.writing.tidy import LEADS, shouts, squeeze, tidy, words_of


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing the fan told us. `text` is tidy and has no end mark; `quote` is cut from the notes as they came."""

    text: str
    quote: str
    start: int
    end: int
    mark: str = "."
    kind: Literal["clause", "item"] = "clause"
    link: str = ""  # "and" or "but" where the notes have it before this clause, with the comma if there is one
    whole: str = ""  # the quote of the clause before and this one, where both are one short sentence: say them as one
    fresh: bool = True  # starts a line or a bullet: it does not lean on the sentence before it
    inherits: bool = False  # its subject stands in the clause before it ("…, flew the shuttle")


@dataclass(slots=True)
class Harvest:
    """All that the notes hold: facts in order, quotes of what is not said, a sign-off, and words to keep away from."""

    facts: list[Fact] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    sender: str = ""
    avoid: set[str] = field(default_factory=set)
    foreign: str = ""  # the language of clauses that were not English
    foreign_clauses: int = 0

    @property
    def mostly_foreign(self) -> bool:
        """Whether at least half of the clauses are in a language that is not English."""
        return bool(self.foreign) and self.foreign_clauses >= len(self.facts)


MOST_TOGETHER = 15  # words of two clauses that stay one sentence


_AVOID = re.compile(
    r"^(?:please|pls|but|and|\s|,)*(?:(?:do not|don't|dont|never|avoid|no need to|not to)\s*(?:mention|talk|say|"
    r"includ|bring up|"
    r"jok|speak|refer|use|read)\w*|leave out|no jokes|nothing|avoid)\s*(?:anything |jokes )?(?:about|of|"
    r"to)?\s*(?P<what>.+)$",
    re.I,
)


_TELL = re.compile(
    r"^(?:please |pls |can you |could you |just )*(?:(?:tell|remind) (?:her|him|them)|let (?:her|him|them) know) "
    r"(?:that )?(?=\w+ \w+)",
    re.I,
)


_MENTION = re.compile(
    r"^(?:please |pls |can you |could you |maybe |you (?:can|could|should) |(?:don't|do not|dont) forget to |"
    r"be sure to |"
    r"make sure (?:you |to )?)*(?:mention|include|talk about|say something about|bring up)\s+(?:that |"
    r"the fact that |about )?(?=\w)",
    re.I,
)


_STYLE = re.compile(
    r"^(?:please |pls |can you |could you )*(?:(?:make|keep) (?:it|this|her|him|them)\b|be (?:funny|nice|kind|"
    r"creative)\b|"
    r"(?:use|include|play|show|start with|end with) (?:a |the |some |my )?(?:music|photo|picture|image|song|"
    r"first|last)|"
    r"(?:i|we)(?:'d)? (?:want|would like|need|like) (?:it|this|you|the|a) .*(?:film|video|movie|funny|music|say)|"
    r"(?:the|this) (?:film|video|movie|script) (?:should|must|is|has to)\b|thank(?:s| you) in advance|"
    r"(?:write|create|generate|produce) (?:a|me|the|something)\b)",
    re.I,
)


_CHATTER = re.compile(
    r"^(?:(?:hi|hello|hey|dear)(?: there| all| team| everyone)?|thanks(?: so much| a lot)?|thank you(?: so much|"
    r" very much)?|"
    r"(?:i|we) (?:don't|dont|do not) (?:really |even )?know (?:what|where|how) (?:else )?to (?:write|start|say|"
    r"begin|put).*|"
    r"(?:i'm |im |i am )?(?:so |really )?sorry (?:for|about) (?:the |my |all )?(?:rambl|long|typo|spelling|mess|"
    r"english|this).*|"
    r"(?:i |we )?hope (?:this|that|it) (?:helps|is|works|makes sense).*|where do i (?:even )?(?:start|begin).*|"
    r"(?:i )?(?:think )?that'?s (?:all|it|about it).*|so yeah.*|i could go on.*|(?:i'm )?not sure what.*|"
    r"let me (?:think|see).*|"
    r"what else.*|(?:n/?a|none|nothing|no|yes|test|idk|asdf\w*|lol|haha+|etc|and|or|the|a)|"
    r"you know (?:what i mean|how it is)|"
    r"(?:i|we) (?:want|would like|wanted) to (?:say|write|tell you) .{0,20}(?:about|something).*|where was i.*|"
    r"(?:please )?(?:e-?mail|mail|call|text|write|contact|visit|follow|see|check out|find)(?: me| us| her| him| out)*"
    r"(?: more| here| page| site| website)*(?: at| on| via| or| here)*)$",
    re.I,
)


_GREETING = re.compile(
    r"^(?:(?:a )?(?:very )?(?:happy|merry) \w+(?: \w+)?|congrat\w+(?: on your \w+)?|rest in peace|r\.?i\.?p\.?|"
    r"good luck)"
    r"(?:[\s,]+(?:to )?(?:my |our |dear |you |dearest )*(?P<who>[\w' ]{0,30}))?$",
    re.I,
)


_FORM = re.compile(
    r"^(?:name|for|to|from|occasion|tone|event|recipient|sender|length|duration|style|"
    r"language)\s*[:=]\s*(?P<value>.*)$",
    re.I,
)


_SIGNED = re.compile(
    r"^(?:(?:lots of |all (?:my|our) |much |with |all the )*(?:love|from|regards|best wishes|cheers|hugs|yours|"
    r"always|xoxo)[\s,]+)+(?P<who>[A-Z][\w'-]*(?: (?:and|&) [A-Z][\w'-]*)?)$"
)


_SAYS_NOTHING = (
    lex.PRONOUNS | lex.DETERMINERS | lex.PREPOSITIONS | lex.CONJUNCTIONS | set(lex.BE_HAVE) | {"are", "were"}
)


def gather(notes: str, *, names: tuple[str, ...] = (), capitals: tuple[str, ...] = ()) -> Harvest:
    """Everything `notes` say, clause by clause. `names` are those of the person; `capitals` other words that keep
    their capital in shouted notes.

    Raises ProviderError (not retryable, with the fan's sentence) where the notes carry hate or threats.
    """
    harvest = Harvest()
    clean = speakable(notes)
    seen: list[set[str]] = []
    nothing = _SAYS_NOTHING | {word for name in names for word in words_of(name)}
    shouted = shouts(clean)
    first_in_line = True
    last_line = -1
    spans = list(sentences(clean))
    tongues = _languages([clean[begin:end] for _, (begin, end) in spans], names)
    for (line_no, (begin, end)), language in zip(spans, tongues, strict=True):
        first_in_line, last_line = line_no != last_line, line_no
        raw, rough = notes[begin:end], clean[begin:end]
        verdict = judge(raw) or judge(rough)
        if verdict == "refuse":
            raise ProviderError("the notes carry hate or a threat", retryable=False, fan=CANNOT_SAY)
        if language not in {"en", ""}:
            harvest.foreign = language
            harvest.foreign_clauses += sum(len(words_of(piece)) > 1 for piece in re.split("[,:]", rough)) or 1
        if verdict == "leave" or language not in {"en", ""}:
            harvest.left_out.append(squeeze(raw))
            continue
        start = _start(clean, begin, end)
        sentence = squeeze(clean[start:end]).rstrip(" .!?…,")
        if not any(c.isalnum() for c in sentence) or _aside_from_facts(sentence, harvest, names):
            continue
        pieces = list(clauses(clean, start, end, names))
        kept = -1
        for k, (a, b, kind, inherits) in enumerate(pieces):
            neat, mark = tidy(clean[a:b], names + capitals, loud=shouted or shouts(clean[a:b]))
            content = set(words_of(neat))
            stutter = len(content) * 4 <= len(words_of(neat)) > 8  # "and and and", a row of the same thing
            if stutter or content <= nothing or _CHATTER.match(neat) or any(_told(content, old) for old in seen):
                continue
            seen.append(content)
            bare = len(content) == 1 or (kind == "item" and len(content) <= 4)
            link = _link(clean[pieces[k - 1][1] if k else begin : a])
            couple = link and 0 <= kept == k - 1 and not bare and (len(pieces) == 2 or "but" in link)
            couple = couple and len(words_of(clean[pieces[k - 1][0] : b])) <= MOST_TOGETHER
            kept = k
            harvest.facts.append(
                Fact(
                    neat,
                    notes[a:b].strip(),
                    a,
                    b,
                    mark,
                    "item" if bare else "clause",
                    link=link,
                    whole=notes[pieces[k - 1][0] : b].strip() if couple else "",
                    fresh=first_in_line and k == 0,
                    inherits=inherits,
                )
            )
            first_in_line = False
    _respect(harvest)
    return harvest


def _languages(texts: Sequence[str], names: tuple[str, ...]) -> list[str]:
    """The language of each sentence; what could be any ("Backt Kuchen") goes with the rest where most is foreign."""
    tongues = [language_of(text, names) for text in texts]
    foreign = [t for t in tongues if t not in {"en", ""}]
    plain = [speaks_english(text, names) for text in texts]
    if len(foreign) <= sum(p and t == "en" for p, t in zip(plain, tongues, strict=True)):
        return tongues
    return [foreign[0] if t == "en" and not p else t for p, t in zip(plain, tongues, strict=True)]


def _link(between: str) -> str:
    """The "and" or "but" in what stands between two clauses (or before a sentence), after the comma if there is one."""
    said = [w for w in words_of(between.replace("&", " and ")) if w in {"and", "but"}]
    if not said:
        return ""
    return (", " if "," in between else " ") + ("but" if "but" in said else "and")


def _told(new: set[str], old: set[str]) -> bool:
    """Whether a clause says no more than an earlier one did, or that one and a single word."""
    return new <= old or (old <= new and len(old) > 3 and len(new) < len(old) + 2)


def _aside_from_facts(text: str, harvest: Harvest, names: tuple[str, ...]) -> bool:
    """Whether a sentence is about the film, not the person: wishes, greetings, sign-offs, form labels."""
    if avoid := _AVOID.match(text):
        harvest.avoid |= {
            w for w in words_of(avoid["what"]) if len(w) > 3 and w not in lex.PREPOSITIONS | lex.DETERMINERS
        }
        harvest.left_out.append(text)
        return True
    if _STYLE.match(text):
        harvest.left_out.append(text)
        return True
    if signed := _SIGNED.match(text):
        harvest.sender = signed["who"]
        return True
    if form := _FORM.match(text):
        if text.casefold().startswith(("from", "sender")):
            harvest.sender = form["value"].strip(" .")
        return True
    if greeting := _GREETING.match(text):
        who = words_of(greeting["who"] or "")
        return len(who) < 4 and all(
            w in lex.KIN or w in {n.casefold() for n in names} or len(text.split()) < 5 for w in who
        )
    return bool(_CHATTER.match(text))


def _respect(harvest: Harvest) -> None:
    """Leave out what the fan asked not to mention, and the earlier of two facts that contradict each other."""
    kept: list[tuple[Fact, set[str]]] = []
    for fact in harvest.facts:
        words = set(words_of(fact.text))
        if harvest.avoid & words:
            harvest.left_out.append(fact.quote)
            continue
        for old in [k for k in kept if _contradict(k[1], words)]:
            kept.remove(old)
            harvest.left_out.append(old[0].quote)
        kept.append((fact, words))
    harvest.facts = [fact for fact, _ in kept]


_OPPOSITES = ({"love", "loves", "loved", "like", "likes", "adores"}, {"hate", "hates", "hated", "dislikes", "detests"})


_IS = lex.word_set("she he they is are was turns turn turned today now already years old the a")


_HAZE = lex.word_set("actually no wait sorry mean she he they is are was her his their i very really the a s to in of")


_DOES = lex.word_set("do does did don't doesn't didn't not never always isn't wasn't aren't can't can")


def _contradict(a: set[str], b: set[str]) -> bool:
    """Same words apart from a love turned hate, a not, a never/always, or one number: the later word counts."""
    only_a, only_b = a - b, b - a
    if {w for w in only_a | only_b if not w.isdigit()} <= _IS and only_a | only_b and a & b <= _IS:
        return any(w.isdigit() for w in only_a) and any(w.isdigit() for w in only_b)  # "She is 30. She turns 31."
    only_a, only_b = only_a - _HAZE, only_b - _HAZE
    common = (a & b) - _HAZE
    if not common and not only_a - _DOES and not only_b - _DOES:
        return False
    if not (only_a or only_b):
        return False
    for one, two in (_OPPOSITES, _OPPOSITES[::-1]):
        if only_a <= one and only_b <= two and only_a and only_b and common:
            return True
    numbers = only_a and only_b and all(w.rstrip("thsndr").isdigit() for w in only_a | only_b)
    # "She likes walks." and "She does not like walks." differ in a not, and in the ending it takes away.
    bare_a, bare_b = ({lex.base_form(w) if lex.is_third_person(w) else w for w in words} for words in (only_a, only_b))
    negated = (bare_a ^ bare_b) <= _DOES and bool(bare_a ^ bare_b)
    return bool((numbers or negated) and (common or bare_a & bare_b))


def _start(clean: str, start: int, end: int) -> int:
    """Where a sentence really begins: past bullets, throat-clearing and wishes to the writer."""
    changed = True
    while changed:
        changed = False
        piece = clean[start:end]
        start += len(piece) - len(piece.lstrip())
        for pattern in (BULLET, LEADS, _TELL, _MENTION):
            if (match := pattern.match(clean[start:end])) and match.end():
                start += match.end()
                changed = True
    return start
