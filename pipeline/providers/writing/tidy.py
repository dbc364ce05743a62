"""A fan's words made presentable: slips put right, shouting brought down, brackets and stray marks gone."""

from __future__ import annotations

import re

from pipeline.providers.writing import lexicon as lex

LEADS = re.compile(
    r"^(?:(?:anyway|ok|okay|oh|also|plus|basically|honestly|um+|hmm+|btw|fyi|lol|haha+|and|yeah|p\.?s|no,? wait|"
    r"correction)\b[\s,.:!-]*|"
    r"(?:so|well|like|now|look|then)\s*,\s*|(?:so|actually) (?=(?:she|he|they|my|our|her|his|the|i|we|where|"
    r"what|yeah)\b)|"
    r"actually,\s*|but\s+|(?:(?:i|we) )?just (?:wanted|want|would like|wish) to say(?: that)?[\s,:]+|"
    r"(?:i|we) (?:don't|dont|do not) (?:really |even )?know (?:what|where|how)(?: else)? to "
    r"(?:write|start|say|begin|put)(?: here| really)?[\s,]+(?:but|except|other than)(?: that)?\s+)+",
    re.I,
)


_TAILS = re.compile(r"(?:[\s,]+(?:lol|haha+|hehe+|xx+|xoxo|x|btw|tbh|imo|rofl|omg))+$", re.I)


_TRIVIAL = {
    "dont": "don't", "doesnt": "doesn't", "didnt": "didn't", "cant": "can't", "wont": "won't", "isnt": "isn't",
    "wasnt": "wasn't", "hasnt": "hasn't", "couldnt": "couldn't", "wouldnt": "wouldn't", "shes": "she's", "hes": "he's",
    "im": "I'm", "ive": "I've", "theyre": "they're", "youre": "you're", "thats": "that's", "teh": "the",
    "alot": "a lot",
    "u": "you", "luv": "love", "luvs": "loves", "bday": "birthday", "b4": "before", "i": "I", "i'm": "I'm",
    "i've": "I've",
    "i'd": "I'd", "i'll": "I'll", "w/": "with", "&": "and", "becuase": "because", "becasue": "because",
    "allways": "always",
    "nite": "night", "nites": "nights", "persn": "person", "evry": "every", "frend": "friend", "frends": "friends",
    "freinds": "friends", "reeding": "reading", "realy": "really", "alwyas": "always", "alwasy": "always",
    "beleive": "believe", "becouse": "because", "becasuse": "because", "beutiful": "beautiful",
    "beautifull": "beautiful", "wierd": "weird", "recieve": "receive", "recieves": "receives", "untill": "until",
    "thier": "their", "tomorow": "tomorrow", "definatly": "definitely", "familly": "family", "sence": "sense",
    "favorit": "favorite", "favourit": "favourite", "gardning": "gardening", "birthdy": "birthday", "wich": "which",
    "recieved": "received", "definately": "definitely", "freind": "friend", "tommorow": "tomorrow", "cofee": "coffee",
}  # fmt: skip


"""Slips so common that the word meant is beyond doubt; any other spelling stays the fan's own."""


_TWICE = re.compile(r"\b(the|a|an|and|or|but|of|to|with|for|from|at|my|our|she|he|they|we|i)(?:\s+\1\b)+", re.I)
_UR = re.compile(
    r"\bur\b(?= (?:a|an|the|so|such|always|never|not|my|our|just|amazing|awesome|great|lovely|brilliant|"
    r"wonderful|beautiful|special|funny|kind|the)\b)",
    re.I,
)
_AN = re.compile(r"(?<!\w)([Aa]) ((?!(?:one|once|is|are|in|on|of|or|at|and|as|if|it|i)\b|eu|ew)[aeio][a-z]+)")
"""The slips of a quick hand: "the the cat", "a apple"."""


def words_of(text: str) -> list[str]:
    """The words of a text in lower case, apostrophes straight: "Eileen's cat!" → ["eileen's", "cat"]."""
    return re.findall(r"[^\W_]+(?:['’-][^\W_]+)*", text.casefold().replace("’", "'"))


def plain_words(text: str) -> list[str]:
    """`words_of`, with the commonest slips put right: "shes" is "she's"."""
    return [word for raw in words_of(text) for word in _TRIVIAL.get(raw, raw).casefold().split()]


def tidy(rough: str, names: tuple[str, ...], *, loud: bool) -> tuple[str, str]:
    """A clause in presentable form without its end mark, and that mark ("." where the fan gave none)."""
    rough = re.sub(r"(?<=\b[IiWw])(e?)\s*[❤♥]+\s*(?=\w)", r"\1 love ", rough)
    rough = re.sub("[❤♥]", " ", rough)
    text = re.sub(r"\s*\(\s*", ", ", squeeze(rough).replace("’", "'").replace("‘", "'"))
    text = re.sub(r"\s*\)\s*(?=[,.!?]|$)", "", text)
    text = re.sub(r"\s*\)\s*", ", ", text)
    text = re.sub(r"[\[\]{}*_~|\\^<>=`]|(?<!\w)[/+]|[/+](?!\w)", " ", text)
    text = re.sub(r"\s+-+\s+", " – ", text)
    text = re.sub(r"\s+([,.!?;:])", r"\1", re.sub(r"([!?,])[!?,]+", r"\1", squeeze(text)))
    text = re.sub(r"\bur\b", "your", _UR.sub("you're", text), flags=re.I)
    text = _AN.sub(r"\1n \2", _TWICE.sub(r"\1", text))
    if text.count('"') % 2:
        text = text.replace('"', "")
    text = LEADS.sub("", _TAILS.sub("", text.strip(" ,;:–-…")))
    body = text.rstrip(".!?… \t\n\v")
    mark = next((m for m in "?!" if m in text[len(body) :]), ".")
    text = _TAILS.sub("", body).strip(" ,;:–-…")
    keep = {n.casefold(): n for n in names}
    if loud:
        text = " ".join(_quieter(word, keep) for word in text.split(" "))
    out = []
    words = text.split(" ")
    if not loud and a_name(words[0], words[1] if len(words) > 1 else ""):
        keep[words[0].casefold()] = words[0]
    for k, word in enumerate(words):
        core = word.strip(',.;:!?"')
        fixed = _TRIVIAL.get(core.casefold(), core)
        if fixed.casefold() == core.casefold() and core != "i" and not core.startswith("i'"):
            fixed = core
        if (
            not k
            and core[:1].isupper()
            and not core.isupper()
            and core.casefold() in LOWER
            and core.casefold() not in keep
            and core.casefold() not in lex.CALLED_KIN
        ):
            fixed = fixed[:1].lower() + fixed[1:]
        elif {core, core.removesuffix("s")} & lex.PROPER:  # "on fridays"
            fixed = core.capitalize()
        elif core.isupper() and len(core) > 1 and core not in lex.INITIALISMS and core.casefold() in LOWER:
            fixed = fixed.lower()
        out.append(word.replace(core, fixed, 1) if core else word)
    return squeeze(" ".join(out)), mark


LOWER = frozenset().union(
    lex.VERBS,
    lex.ADVERBS,
    lex.DETERMINERS,
    lex.PREPOSITIONS,
    lex.CONJUNCTIONS,
    lex.PRONOUNS,
    lex.VAGUE,
    lex.KIN,
    lex.PETS,
    lex.ADJECTIVES,
    lex.COUNTABLE,
    lex.OWNED,
    lex.PAST,
    lex.PAST_OR_PARTICIPLE,
    lex.PARTICIPLES,
    lex.BE_HAVE,
    lex.MODALS,
    lex.word_set("you she's he's they're you're it's we're are were favourite favorite too so"),
    lex.word_set("goes does teaches watches carries makes dreamed loved"),
    {verb + "s" for verb in lex.VERBS},
) - {"i"}
"""Words that need no capital of their own."""


def a_name(word: str, after: str) -> bool:
    """Whether a capitalised first word that is a verb too is somebody's name here: "Rose and Grandpa", "Will says"."""
    verb = after.casefold()
    acts = verb in lex.BE_HAVE or verb in {"and", "&"} or lex.is_third_person(verb) or lex.is_past(verb)
    bare = word.removesuffix("'s")
    return bare[:1].isupper() and bare.casefold() in lex.VERB_NAMES and (acts or bare != word or after[:1].isupper())


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


def shouts(text: str) -> bool:
    """Whether a text is written in capitals throughout."""
    letters = [c for c in text if c.isalpha() and c.upper() != c.lower()]
    return len(letters) > 4 and sum(c.isupper() for c in letters) > 0.7 * len(letters)


def squeeze(text: str) -> str:
    """A text with every run of white space made one space."""
    return " ".join(text.split())
