"""Notes → facts: the fan's clauses one by one, each with the exact words it was taken from."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from pipeline.providers.base import ProviderError
from pipeline.providers.writing import lexicon as lex
from pipeline.providers.writing.language import language_of
from pipeline.providers.writing.safety import CANNOT_SAY, SOFT_BREAK, judge, speakable

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing the fan told us. `text` is tidy and has no end mark; `quote` is cut from the notes as they came."""

    text: str
    quote: str
    start: int
    end: int
    mark: str = "."
    kind: Literal["clause", "item"] = "clause"
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


_ABBREVIATION = re.compile(r"\b(?:mr|mrs|ms|dr|st|prof|sr|jr|vs|no|e\.g|i\.e|etc|a\.m|p\.m|approx|[A-Z])\.$", re.I)
_SENTENCE_END = re.compile(r"[.!?…。！？]+[\"”')\]]*(?=\s|$)|(?<=[a-z]{2})[.!?]+(?=[A-Z])|;|\.{3,}|…")
_BULLET = re.compile(r"^\s*(?:[-*•–—·▪►→✓✔>]+|#{1,6}|\(?\d{1,2}[.)]|\(?[a-z]\))\s+", re.I)
_LEADS = re.compile(
    r"^(?:(?:anyway|ok|okay|oh|also|plus|basically|honestly|um+|hmm+|btw|fyi|lol|haha+|and|yeah|p\.?s|no,? wait|correction)\b[\s,.:!-]*|"
    r"(?:so|well|like|now|look|then)\s*,\s*|(?:so|actually) (?=(?:she|he|they|my|our|her|his|the|i|we|where|what|yeah)\b)|"
    r"actually,\s*|but\s+)+",
    re.I,
)
_TAILS = re.compile(r"(?:[\s,]+(?:lol|haha+|hehe+|xx+|xoxo|x|btw|tbh|imo|rofl|omg))+$", re.I)
_AVOID = re.compile(
    r"^(?:please|pls|but|and|\s|,)*(?:(?:do not|don't|dont|never|avoid|no need to|not to)\s*(?:mention|talk|say|includ|bring up|"
    r"jok|speak|refer|use|read)\w*|leave out|no jokes|nothing|avoid)\s*(?:anything |jokes )?(?:about|of|to)?\s*(?P<what>.+)$",
    re.I,
)
_TELL = re.compile(
    r"^(?:please |pls |can you |could you |just )*(?:(?:tell|remind) (?:her|him|them)|let (?:her|him|them) know) "
    r"(?:that )?(?=\w+ \w+)",
    re.I,
)
_MENTION = re.compile(
    r"^(?:please |pls |can you |could you |maybe |you (?:can|could|should) |(?:don't|do not|dont) forget to |be sure to |"
    r"make sure (?:you |to )?)*(?:mention|include|talk about|say something about|bring up)\s+(?:that |the fact that |about )?(?=\w)",
    re.I,
)
_STYLE = re.compile(
    r"^(?:please |pls |can you |could you )*(?:(?:make|keep) (?:it|this|her|him|them)\b|be (?:funny|nice|kind|creative)\b|"
    r"(?:use|include|play|show|start with|end with) (?:a |the |some |my )?(?:music|photo|picture|image|song|first|last)|"
    r"(?:i|we)(?:'d)? (?:want|would like|need|like) (?:it|this|you|the|a) .*(?:film|video|movie|funny|music|say)|"
    r"(?:the|this) (?:film|video|movie|script) (?:should|must|is|has to)\b|thank(?:s| you) in advance|"
    r"(?:write|create|generate|produce) (?:a|me|the|something)\b)",
    re.I,
)
_CHATTER = re.compile(
    r"^(?:(?:hi|hello|hey|dear)(?: there| all| team| everyone)?|thanks(?: so much| a lot)?|thank you(?: so much| very much)?|"
    r"(?:i|we) (?:don't|dont|do not) (?:really |even )?know (?:what|where|how) (?:else )?to (?:write|start|say|begin|put).*|"
    r"(?:i'm |im |i am )?(?:so |really )?sorry (?:for|about) (?:the |my |all )?(?:rambl|long|typo|spelling|mess|english|this).*|"
    r"(?:i |we )?hope (?:this|that|it) (?:helps|is|works|makes sense).*|where do i (?:even )?(?:start|begin).*|"
    r"(?:i )?(?:think )?that'?s (?:all|it|about it).*|so yeah.*|i could go on.*|(?:i'm )?not sure what.*|let me (?:think|see).*|"
    r"what else.*|(?:n/?a|none|nothing|no|yes|test|idk|asdf\w*|lol|haha+|etc|and|or|the|a)|you know (?:what i mean|how it is)|"
    r"(?:i|we) (?:want|would like|wanted) to (?:say|write|tell you) .{0,20}(?:about|something).*|where was i.*|(?:please )?(?:e-?mail|mail|call|text|write|contact|visit|follow|see|check out|find)(?: me| us| her| him| out)*"
    r"(?: more| here| page| site| website)*(?: at| on| via| or| here)*)$",
    re.I,
)
_GREETING = re.compile(
    r"^(?:(?:a )?(?:very )?(?:happy|merry) \w+(?: \w+)?|congrat\w+(?: on your \w+)?|rest in peace|r\.?i\.?p\.?|good luck)"
    r"(?:[\s,]+(?:to )?(?:my |our |dear |you |dearest )*(?P<who>[\w' ]{0,30}))?$",
    re.I,
)
_FORM = re.compile(
    r"^(?:name|for|to|from|occasion|tone|event|recipient|sender|length|duration|style|language)\s*[:=]\s*(?P<value>.*)$",
    re.I,
)
_LABEL = re.compile(r"^(?P<label>[a-z][a-z' ]{2,24}?)\s*:\s*(?P<value>\S.*)$", re.I)
_SIGNED = re.compile(
    r"^(?:(?:lots of |all (?:my|our) |much |with |all the )*(?:love|from|regards|best wishes|cheers|hugs|yours|xoxo)[\s,]+"
    r"(?:from |always )?)+(?P<who>[A-Z][\w'-]*(?: (?:and|&) [A-Z][\w'-]*)?)$"
)
_TRIVIAL = {
    "dont": "don't", "doesnt": "doesn't", "didnt": "didn't", "cant": "can't", "wont": "won't", "isnt": "isn't",
    "wasnt": "wasn't", "hasnt": "hasn't", "couldnt": "couldn't", "wouldnt": "wouldn't", "shes": "she's", "hes": "he's",
    "im": "I'm", "ive": "I've", "theyre": "they're", "youre": "you're", "thats": "that's", "teh": "the", "alot": "a lot",
    "u": "you", "luv": "love", "luvs": "loves", "bday": "birthday", "b4": "before", "i": "I", "i'm": "I'm", "i've": "I've",
    "i'd": "I'd", "i'll": "I'll", "w/": "with", "&": "and", "becuase": "because", "becasue": "because", "allways": "always",
    "recieved": "received", "definately": "definitely", "freind": "friend", "tommorow": "tomorrow", "cofee": "coffee",
}  # fmt: skip
"""Slips so common that the word meant is beyond doubt; any other spelling stays the fan's own."""


_SAYS_NOTHING = (
    lex.PRONOUNS | lex.DETERMINERS | lex.PREPOSITIONS | lex.CONJUNCTIONS | set(lex.BE_HAVE) | {"are", "were"}
)


def words_of(text: str) -> list[str]:
    """The words of a text in lower case, apostrophes straight: "Eileen's cat!" → ["eileen's", "cat"]."""
    return re.findall(r"[^\W_]+(?:['’-][^\W_]+)*", text.casefold().replace("’", "'"))


def gather(notes: str, *, names: tuple[str, ...] = ()) -> Harvest:
    """Everything `notes` say, clause by clause. `names` are words whose capitals are kept in shouted notes.

    Raises ProviderError (not retryable, with the fan's sentence) where the notes carry hate or threats.
    """
    harvest = Harvest()
    clean = speakable(notes)
    seen: list[tuple[set[str], int]] = []
    shouted = _shouts(clean)
    first_in_line = True
    last_line = -1
    for line_no, (start, end) in _sentences(clean):
        first_in_line, last_line = line_no != last_line, line_no
        raw, rough = notes[start:end], clean[start:end]
        verdict = judge(raw) or judge(rough)
        if verdict == "refuse":
            raise ProviderError("the notes carry hate or a threat", retryable=False, fan=CANNOT_SAY)
        if verdict == "leave":
            harvest.left_out.append(_squeeze(raw))
            continue
        if language_of(rough) not in {"en", ""}:
            harvest.foreign = language_of(rough)
            harvest.left_out.append(_squeeze(raw))
            continue
        start, text = _strip(clean, start, end)
        if not any(c.isalnum() for c in clean[start:end]) or _aside_from_facts(text, clean, start, end, harvest, names):
            continue
        for k, (a, b, kind, inherits) in enumerate(_clauses(clean, start, end, names)):
            tidy, mark = _tidy(clean[a:b], names, loud=shouted or _shouts(clean[a:b]))
            content = set(words_of(tidy))
            if (
                content <= _SAYS_NOTHING | {w for n in names for w in words_of(n)}
                or _CHATTER.match(tidy)
                or any(
                    content <= old or (old <= content and len(old) > 3 and len(content) < len(old) + 2)
                    for old, _ in seen
                )
            ):
                continue
            seen.append((content, len(harvest.facts)))
            quote = notes[a:b].strip()
            if kind == "item" and len(content) > 4:
                kind = "clause"
            harvest.facts.append(Fact(tidy, quote, a, b, mark, kind, fresh=first_in_line and k == 0, inherits=inherits))
            first_in_line = False
    _respect(harvest)
    return harvest


def _aside_from_facts(text: str, clean: str, start: int, end: int, harvest: Harvest, names: tuple[str, ...]) -> bool:
    """Whether a sentence is about the film, not the person: wishes for the writer, greetings, sign-offs, form labels."""
    if avoid := _AVOID.match(text):
        harvest.avoid |= {
            w for w in words_of(avoid["what"]) if len(w) > 3 and w not in lex.PREPOSITIONS | lex.DETERMINERS
        }
        harvest.left_out.append(_squeeze(clean[start:end]))
        return True
    if _STYLE.match(text):
        harvest.left_out.append(_squeeze(clean[start:end]))
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
    kept: list[Fact] = []
    for fact in harvest.facts:
        if harvest.avoid & set(words_of(fact.text)):
            harvest.left_out.append(fact.quote)
            continue
        for old in [k for k in kept if _contradict(k.text, fact.text)]:
            kept.remove(old)
            harvest.left_out.append(old.quote)
        kept.append(fact)
    harvest.facts = kept


_OPPOSITES = ({"love", "loves", "loved", "like", "likes", "adores"}, {"hate", "hates", "hated", "dislikes", "detests"})
_HAZE = frozenset(
    "actually no wait sorry mean she he they is are was her his their i very really the a s to in of".split()
)


def _contradict(old: str, new: str) -> bool:
    """Same words apart from a love turned hate, a not, a never/always, or one number: the later word counts."""
    a, b = set(words_of(old)) - _HAZE, set(words_of(new)) - _HAZE
    only_a, only_b = a - b, b - a
    if not only_a and not only_b:
        return False
    for one, two in (_OPPOSITES, _OPPOSITES[::-1]):
        if only_a <= one and only_b <= two and only_a and only_b and a & b:
            return True
    numbers = only_a and only_b and all(w.rstrip("thsndr").isdigit() for w in only_a | only_b)
    negated = (only_a | only_b) <= {"not", "never", "always", "isn't", "wasn't", "doesn't", "don't", "can't", "can"}
    return bool((numbers or negated) and (a & b))


def _sentences(clean: str) -> Iterator[tuple[int, Span]]:
    """Spans of sentences, with the number of the line (or bullet) each begins in; a hard-wrapped line is one with the next."""
    lines: list[Span] = []
    at = 0
    for line in clean.splitlines(keepends=True) if "\n" in clean or "\r" in clean else [clean]:
        span = (at, at + len(line))
        at += len(line)
        if not line.strip():
            lines.append(span)
            continue
        previous = clean[slice(*lines[-1])].rstrip() if lines else ""
        wrapped = (
            len(previous) > 60
            and previous[-1] not in ".!?:;…"
            and line.lstrip()[0].islower()
            and not _BULLET.match(line)
        )
        if wrapped:
            lines[-1] = (lines[-1][0], span[1])
        else:
            lines.append(span)
    for number, (start, end) in enumerate(lines):
        begin = start
        for match in re.finditer(_SENTENCE_END.pattern + "|" + SOFT_BREAK + "+", clean[start:end]):
            cut = start + match.end()
            if SOFT_BREAK in match.group() and not _thought_ends(clean[begin : start + match.start()], clean[cut:end]):
                continue
            if match.group() == "." and _ABBREVIATION.search(clean[begin:cut]):
                continue
            yield number, (begin, cut)
            begin = cut
        yield number, (begin, end)


def _thought_ends(before: str, after: str) -> bool:
    """Whether an emoji stands between two thoughts rather than inside one ("I ❤ my mum", "the shuttle 🚀 and back")."""
    left, right = words_of(before), words_of(after)
    open_ended = lex.PREPOSITIONS | lex.DETERMINERS | lex.CONJUNCTIONS | lex.PRONOUNS | {"is", "are", "was"}
    return bool(left and right) and left[-1] not in open_ended and right[0] not in lex.CONJUNCTIONS | lex.PREPOSITIONS


def _strip(clean: str, start: int, end: int) -> tuple[int, str]:
    """Move `start` past bullets, throat-clearing and wishes to the writer; also the tidy text from there."""
    changed = True
    while changed:
        changed = False
        piece = clean[start:end]
        start += len(piece) - len(piece.lstrip())
        for pattern in (_BULLET, _LEADS, _TELL, _MENTION):
            if (match := pattern.match(clean[start:end])) and match.end():
                start += match.end()
                changed = True
    return start, _squeeze(clean[start:end]).rstrip(" .!?…,")


def _clauses(
    clean: str, start: int, end: int, names: tuple[str, ...]
) -> Iterator[tuple[int, int, Literal["clause", "item"], bool]]:
    """Spans of the clauses in a sentence: verb phrases in a row, full clauses joined by and/but, or bare items of a list."""
    text = clean[start:end]
    if label := _LABEL.match(text.strip()):
        if not has_verb(words_of(label["value"])):
            yield start, end, "clause", False
            return
    body = start + _preamble(text, names)
    parts = _parts(clean, body, end)
    if not has_verb(words_of(clean[body:end])):
        bare = [clean[a:b].strip(" .!?") for a, b in parts]
        short = all(len(words_of(p)) <= 4 for p in bare) and len(bare) > 1
        named_list = len(bare) > 1 and bare[0][:1].islower() and all(p[:1].isupper() for p in bare[1:])
        if short and not named_list:
            for a, b in parts:
                yield a, b, "item", False
            return
        yield body, end, "item" if len(words_of(clean[body:end])) <= 3 else "clause", False
        return
    groups: list[tuple[int, int, bool]] = []
    for a, b in parts:
        words = words_of(clean[a:b])
        if groups and (
            how := _begins_clause(words, clean[groups[-1][0] : groups[-1][1]], clean[groups[-1][1] : a], names)
        ):
            groups.append((a, b, how == "inherits"))
        elif groups:
            groups[-1] = (groups[-1][0], b, groups[-1][2])
        else:
            groups.append((a, b, body > start and opens_with_verb_after_who(clean[start:body])))
    for a, b, inherits in groups:
        for cut, stop in _breathe(clean, a, b):
            yield cut, stop, "clause", inherits and cut == a


_NEW_THOUGHT = re.compile(
    r"[\s,]+(?:(?:and|but|so|because|also|then|like|plus|anyway)\s+)+(?=(?:she|he|they|we|i|it|her|his|the|my|our|one|once)\b)",
    re.I,
)


_RUN_ON = re.compile(
    r"(?<!\bthat)(?<!\bwhen)(?<!\bbecause)(?<!\bif)(?<!\bwhat)(?<!\bhow)(?<!\band)(?<!\btime)(?<!\bday)(?<!\bway)(?<!\ball)"
    r"(?<!\bthan)(?<!\bas)(?<!\bknow)(?<!\bsays)(?<!\bsaid)(?<!\bthinks)(?<!\bwhere)(?<!\bwhile)(?<!\bone)(?<!,)\s+"
    r"(?=(?:she|he) (?:is|was|has|never|always|[a-z]+ed|[a-z]+s|flew|went|made|got|had|took|gave|drove)\b)",
    re.I,
)


def _breathe(clean: str, start: int, end: int) -> Iterator[Span]:
    """A run-on too long to be read in one go, cut where a new thought starts."""
    if len(clean[start:end].split()) <= 24:
        yield start, end
        return
    begin = start
    for match in sorted(
        [*_NEW_THOUGHT.finditer(clean, start, end), *_RUN_ON.finditer(clean, start, end)], key=lambda m: m.start()
    ):
        if (
            match.start() > begin
            and len(clean[begin : match.start()].split()) >= 5
            and len(clean[match.end() : end].split()) >= 4
        ):
            yield begin, match.start()
            begin = match.end()
    yield begin, end


def opens_with_verb_after_who(preamble: str) -> bool:
    """Whether a preamble ended in "who": what follows then has its subject before it."""
    return words_of(preamble)[-1:] == ["who"]


def _preamble(text: str, names: tuple[str, ...]) -> int:
    """How many characters say only whom the film is for: "a birthday film for Eileen, who …" → up to "dreamed"."""
    who = "|".join(re.escape(n) for n in sorted(names, key=len, reverse=True) if n) or r"(?!)"
    kin = "|".join(sorted(lex.KIN))
    pattern = (
        rf"^\s*(?:(?:(?:this|it)(?: is|'s) )?(?:an? |the |my )?(?:[\w-]+ ){{0,4}}?(?:film|video|movie|message|clip|story|script|"
        rf"greeting)s? (?:is )?)?(?:for|about|to) (?:(?:my|our|a|the) (?:[\w-]+ ){{0,2}}?(?:{kin})\b,? ?)?(?:{who})?"
        rf"(?:'s [\w ]{{0,20}})?\s*(?:[,:–-]+\s*|$|\.|(?=who\b))(?:who\s+)?"
    )
    match = re.match(pattern, text, re.I)
    if not match:
        match = re.match(rf"^\s*(?:{who}) ?, who\s+", text, re.I)
    return match.end() if match else 0


def _parts(clean: str, start: int, end: int) -> list[Span]:
    """A sentence cut at every comma, "and", "but", "&" and slash: the finest pieces, to be glued back where they belong."""
    spans: list[Span] = []
    at = start
    for match in re.finditer(
        r"\s*,\s*(?:(?:and|but|then)\s+)*|\s+(?:and|but|&|\+)\s+(?:then\s+)?|\s+/\s+", clean[start:end]
    ):
        if start + match.start() > at:
            spans.append((at, start + match.start()))
        at = start + match.end()
    if clean[at:end].strip():
        spans.append((at, end))
    return spans or [(start, end)]


_SUBJECTS = frozenset("she he they you we i".split())
_SUBORDINATE = frozenset(
    "when if after because although though since while once before until as whenever even unless".split()
)


def _begins_clause(words: list[str], before: str, separator: str, names: tuple[str, ...]) -> str:
    """Whether `words`, after `before` and a separator, are a clause of their own: "" no, "own" subject, or "inherits"."""
    left = words_of(before)
    comma = "," in separator
    if len(words) < 3 - comma or len(left) < 2 or not has_verb(left) or left[0] in _SUBORDINATE:
        return ""
    known = {n.casefold() for n in names}
    while words[:1] and words[0] in {"also", "so", "then", "now", "still"} and len(words) > 3:
        words = words[1:]
    own = words[0] in _SUBJECTS or words[0] in known or (words[0] in {"her", "his", "their"} and has_verb(words[2:4]))
    if own and has_verb(words) and (comma or len(left) + len(words) > 11) and "that" not in left[-3:]:
        return "own"
    if not opens_with_verb(words):
        return ""
    subject = left[0] in {"she", "he", "they", "you", "who"} or left[0] in known or lex.opens_with_verb(left)
    subject = subject or (left[0] in {"my", "our"} and any(w in lex.KIN for w in left[1:3]))
    inner = any(w in {"that", "who", "which", "whose", "it", "he", "i", "we", "they", "everyone"} for w in left[2:])
    return "inherits" if subject and (comma or not inner) else ""


def opens_with_verb(words: list[str]) -> bool:
    """See `lexicon.opens_with_verb`; inside a sentence two words ("flew it") are not enough to stand alone."""
    sure = lex.is_third_person(words[0]) and lex.base_form(words[0]) not in lex.NOUNISH
    return len(words) >= (2 if sure else 3) and lex.opens_with_verb(words)


def has_verb(words: list[str]) -> bool:
    """Whether lower-case words hold a finite verb: a plain one, a contraction, or one right after a subject pronoun."""
    if lex.opens_with_verb(words):
        return True
    for k, word in enumerate(words):
        before = words[k - 1] if k else ""
        subject = before in _SUBJECTS | {"it", "who", "that", "everyone", "nobody"}
        if word in lex.BE_HAVE or word in {
            "are",
            "were",
            "am",
            "have",
            "do",
            "don't",
            "i'm",
            "it's",
            "let's",
        } | lex.MODALS - {"may", "will", "can"}:
            return True
        if re.search(r"'(?:re|ve|ll|m|d)$", word) or word in {"she's", "he's", "that's", "there's", "who's"}:
            return True
        if word in lex.PAST or (k and word.endswith("ed") and lex.is_past(word) and word not in lex.PARTICIPLES):
            return True
        if subject and (
            lex.is_third_person(word) or word in lex.VERBS or lex.is_past(word) or word in {"can", "will", "may"}
        ):
            return True
        if k and lex.is_third_person(word) and lex.base_form(word) not in lex.NOUNISH - {"love"}:
            return True
        if k and word in lex.PAST_OR_PARTICIPLE:
            return True
        if k and lex.is_third_person(word) and words[k + 1 : k + 2] and words[k + 1] in lex.DETERMINERS | lex.PRONOUNS:
            return True
    return False


def _tidy(rough: str, names: tuple[str, ...], *, loud: bool) -> tuple[str, str]:
    """A clause in presentable form without its end mark, and that mark ("." where the fan gave none)."""
    rough = re.sub(r"(?<=\b[IiWw])(e?)\s*[❤♥]+\s*(?=\w)", r"\1 love ", rough)
    rough = re.sub("[❤♥]", " ", rough)
    text = re.sub(r"\s*\(\s*", ", ", _squeeze(rough).replace("’", "'").replace("‘", "'"))
    text = re.sub(r"\s*\)\s*(?=[,.!?]|$)", "", text)
    text = re.sub(r"\s*\)\s*", ", ", text)
    text = re.sub(r"[\[\]{}*_~|\\^<>=`]|(?<!\w)[/+]|[/+](?!\w)", " ", text)
    text = re.sub(r"\s+-+\s+", " – ", text)
    text = re.sub(r"\s+([,.!?;:])", r"\1", re.sub(r"([!?,])[!?,]+", r"\1", _squeeze(text)))
    if text.count('"') % 2:
        text = text.replace('"', "")
    text = _LEADS.sub("", _TAILS.sub("", text.strip(" ,;:–-…")))
    tail = re.search(r"[.!?…\s]*$", text)
    mark = next((m for m in "?!" if tail and m in tail.group()), ".")
    text = _TAILS.sub("", text[: tail.start()] if tail else text).strip(" ,;:–-…")
    keep = {n.casefold(): n for n in names}
    if loud:
        text = " ".join(_quieter(word, keep) for word in text.split(" "))
    out = []
    for k, word in enumerate(text.split(" ")):
        core = word.strip(',.;:!?"')
        fixed = _TRIVIAL.get(core.casefold(), core)
        if fixed.casefold() == core.casefold() and core != "i" and not core.startswith("i'"):
            fixed = core
        if (
            not k
            and core[:1].isupper()
            and not core.isupper()
            and core.casefold() in _LOWER
            and core.casefold() not in keep
        ):
            fixed = fixed[:1].lower() + fixed[1:]
        elif core.isupper() and len(core) > 1 and core not in lex.INITIALISMS and core.casefold() in _LOWER:
            fixed = fixed.lower()
        out.append(word.replace(core, fixed, 1) if core else word)
    return " ".join(out), mark


_LOWER = (
    lex.VERBS | lex.ADVERBS | lex.DETERMINERS | lex.PREPOSITIONS | lex.CONJUNCTIONS | lex.PRONOUNS | lex.VAGUE | lex.KIN | lex.PETS
    | lex.ADJECTIVES | lex.COUNTABLE | lex.OWNED | lex.PAST | lex.PAST_OR_PARTICIPLE | lex.PARTICIPLES | set(lex.BE_HAVE)
    | lex.MODALS | _SUBJECTS | frozenset("she's he's they're you're it's we're are were favourite favorite too so".split())
    | frozenset(v + "s" for v in lex.VERBS) | frozenset("goes does teaches watches carries makes dreamed loved".split())
) - {"i"}  # fmt: skip
"""Words that need no capital of their own."""


def _quieter(word: str, keep: dict[str, str]) -> str:
    """One word of a shouted note in sentence case; names, initialisms and the months keep theirs."""
    core = word.strip(",.;:!?\"'")
    bare = core[:-2] if core.casefold().endswith("'s") else core
    if bare.casefold() in keep:
        return word.replace(bare, keep[bare.casefold()], 1).replace("'S", "'s")
    if bare in lex.INITIALISMS or any(c.islower() for c in core):
        return word
    if bare.casefold() in lex.PROPER:
        return word.replace(core, core.capitalize(), 1)
    return word.lower()


def _shouts(text: str) -> bool:
    """Whether a text is written in capitals throughout."""
    letters = [c for c in text if c.isalpha() and c.upper() != c.lower()]
    return len(letters) > 4 and sum(c.isupper() for c in letters) > 0.7 * len(letters)


def _squeeze(text: str) -> str:
    return " ".join(text.split())
