"""Notes cut into lines, sentences and clauses: where one thought ends and the next begins."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

from pipeline.providers.writing import lexicon as lex
from pipeline.providers.writing.safety import SOFT_BREAK
from pipeline.providers.writing.tidy import plain_words, words_of

Span = tuple[int, int]


_ABBREVIATIONS = lex.word_set("mr mrs ms dr st prof sr jr vs e.g i.e approx")


_SENTENCE_END = re.compile(
    r"[.!?…。！？]+(?:[\"”')\]]+(?=\s+[^\sa-z]|\s*$)|(?=\s|$))|(?<=[a-z]{2})[.!?]+(?=[A-Z])|;|\.{3,}|…"
)


BULLET = re.compile(r"^\s*(?:[-*•–—·▪►→✓✔>]+|#{1,6}|\(?\d{1,2}[.)]|\(?[a-z]\))\s+", re.I)


_LABEL = re.compile(r"^(?P<label>[a-z][a-z' ]{2,24}?)\s*:\s*(?P<value>\S.*)$", re.I)


def sentences(clean: str) -> Iterator[tuple[int, Span]]:
    """Spans of sentences, with the number of the line (or bullet) each begins in; hard-wrapped lines are one."""
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
            and not BULLET.match(line)
        )
        if wrapped:
            lines[-1] = (lines[-1][0], span[1])
        else:
            lines.append(span)
    for number, (start, end) in enumerate(lines):
        begin = start
        for match in re.finditer(_SENTENCE_END.pattern + "|" + SOFT_BREAK + "+", clean[start:end]):
            cut = start + match.end()
            if SOFT_BREAK in match.group() and not _thought_ends(
                clean[max(begin, start + match.start() - 40) : start + match.start()], clean[cut : min(end, cut + 40)]
            ):
                continue
            if match.group() == "." and _abbreviates(clean[max(begin, cut - 12) : cut - 1], clean[cut : cut + 3]):
                continue
            yield number, (begin, cut)
            begin = cut
        yield number, (begin, end)


def _abbreviates(before: str, after: str) -> bool:
    """Whether a full stop belongs to the word before it: "Dr." always, "no." only before a number."""
    word = re.split(r"[^\w.]", before)[-1]
    follows = after.strip()[:1]
    if word.casefold() in {"no", "etc", "a.m", "p.m"}:
        return follows.isdigit() if word.casefold() == "no" else not follows.isupper()
    return word.casefold() in _ABBREVIATIONS or (len(word) == 1 and word.isupper() and word != "I")


def _thought_ends(before: str, after: str) -> bool:
    """Whether an emoji stands between two thoughts rather than inside one ("I ❤ my mum", "the shuttle 🚀 and back")."""
    left, right = words_of(before), words_of(after)
    open_ended = lex.PREPOSITIONS | lex.DETERMINERS | lex.CONJUNCTIONS | lex.PRONOUNS | {"is", "are", "was"}
    return bool(left and right) and left[-1] not in open_ended and right[0] not in lex.CONJUNCTIONS | lex.PREPOSITIONS


def clauses(
    clean: str, start: int, end: int, names: tuple[str, ...]
) -> Iterator[tuple[int, int, Literal["clause", "item"], bool]]:
    """Spans of the clauses in a sentence: verb phrases in a row, clauses joined by and/but, or items of a list."""
    text = clean[start:end]
    label = _LABEL.match(text.strip())
    if label and not has_verb(words_of(label["value"])):
        yield start, end, "clause", False
        return
    if label and not has_verb(words_of(label["label"])) and len(label["label"].split()) < 3:
        start += text.index(":") + 1  # "Funny: she once locked herself out"
        text = clean[start:end]
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
    while len(parts) > 1 and set(words_of(clean[slice(*parts[0])])) <= lex.ADJECTIVES | lex.ADVERBS:
        yield *parts.pop(0), "item", False  # "kind, funny, loves tea"
    for a, b in parts:
        words = plain_words(clean[a:b])
        if groups and (
            how := _begins_clause(words, clean[groups[-1][0] : groups[-1][1]], clean[groups[-1][1] : a], names)
        ):
            groups.append((a, b, how == "inherits"))
        elif groups:
            groups[-1] = (groups[-1][0], b, groups[-1][2])
        else:
            groups.append((a, b, body > start and opens_with_verb_after_who(clean[start:body])))
    for a, b, inherits in groups:
        for cut, stop in _breathe(clean, a, b, run_on=len(words_of(text)) > 16):
            yield cut, stop, "clause", inherits and cut == a


_NEW_THOUGHT = re.compile(
    r"[\s,]+(?:(?:and|but|so|because|also|then|like|plus|anyway)\s+)+(?=(?:she|he|they|we|i|it|her|his|the|my|"
    r"our|once|one (?:time|day|night|evening|morning|summer|winter|year|christmas))\b)",
    re.I,
)


_RUN_ON = re.compile(
    r"(?<!\bthat)(?<!\bwhen)(?<!\bbecause)(?<!\bif)(?<!\bwhat)(?<!\bhow)(?<!\band)(?<!\btime)(?<!\bday)(?<!\bway)(?<!\ball)"
    r"(?<!\bthan)(?<!\bas)(?<!\bknow)(?<!\bsays)(?<!\bsaid)(?<!\bthinks)(?<!\bwhere)(?<!\bwhile)(?<!\bone)(?<!,)\s+"
    r"(?=(?:she|he) (?:is|was|has|never|always|[a-z]+ed|[a-z]+s|flew|went|made|got|had|took|gave|drove)\b)",
    re.I,
)


def _breathe(clean: str, start: int, end: int, *, run_on: bool) -> Iterator[Span]:
    """A run-on too long to be read in one go, cut where a new thought starts."""
    thoughts = [*_NEW_THOUGHT.finditer(clean, start, end)] if len(clean[start:end].split()) > 24 else []
    thoughts += _RUN_ON.finditer(clean, start, end) if run_on and len(clean[start:end].split()) > 8 else []
    begin = start
    for match in sorted(thoughts, key=lambda m: m.start()):
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
        rf"^\s*(?:(?:(?:this|it)(?: is|'s) )?(?:an? |the |my )?(?:[\w-]+ ){{0,4}}?(?:film|video|movie|message|"
        rf"clip|story|script|"
        rf"greeting)s? (?:is )?)?(?:for|about|to) (?:(?:my|our|a|the) (?:[\w-]+ ){{0,2}}?(?:{kin})\b,? ?)?(?:{who})?"
        rf"(?:'s [\w ]{{0,20}})?\s*(?:[,:–-]+\s*|$|\.|(?=who\b))(?:who\s+)?"
    )
    match = re.match(pattern, text, re.I)
    if not match:
        match = re.match(rf"^\s*(?:{who}) ?, who\s+", text, re.I)
    return match.end() if match else 0


def _parts(clean: str, start: int, end: int) -> list[Span]:
    """A sentence cut at every comma, "and", "but", "&" and slash: the finest pieces, to be glued back later."""
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


SUBJECTS = frozenset(["she", "he", "they", "you", "we", "i"])


_SUBORDINATE = lex.word_set(
    "when if after because although though since while once before until as whenever even unless"
)


def _begins_clause(words: list[str], before: str, separator: str, names: tuple[str, ...]) -> str:
    """Whether `words`, after `before` and a separator, are a clause: "" no, "own" subject, or "inherits"."""
    left = plain_words(before)
    comma = "," in separator
    if len(words) < 3 - comma or len(left) < 2 or not has_verb(left) or left[0] in _SUBORDINATE:
        return ""
    known = {n.casefold() for n in names}
    while words[:1] and words[0] in {"also", "so", "then", "now", "still"} and len(words) > 3:
        words = words[1:]
    own = words[0] in SUBJECTS or words[0] in known or (words[0] in {"her", "his", "their"} and has_verb(words[2:4]))
    if own and has_verb(words) and (comma or len(left) + len(words) > 11) and "that" not in left[-3:]:
        return "own"
    if not opens_with_verb(words):
        return ""
    subject = (
        re.sub(r"'(?:s|re|ve|d)$", "", left[0]) in {"she", "he", "they", "you", "who"}
        or left[0] in known
        or lex.opens_with_verb(left)
    )
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
        subject = before in SUBJECTS | {"it", "who", "that", "everyone", "nobody"}
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
        if word.endswith("ed") and len(word) > 4 and before in SUBJECTS | lex.ADVERBS:
            return True
        if k and lex.is_third_person(word) and words[k + 1 : k + 2] and words[k + 1][0].isdigit():
            return True
        if k and word in lex.PAST_OR_PARTICIPLE:
            return True
        if k and lex.is_third_person(word) and words[k + 1 : k + 2] and words[k + 1] in lex.DETERMINERS | lex.PRONOUNS:
            return True
    return False
