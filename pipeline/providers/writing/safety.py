"""What is never said aloud: markup and contacts are taken out, orders to a machine are left out, hate is refused."""

from __future__ import annotations

import html
import re
import unicodedata
from typing import Literal

SOFT_BREAK = "\v"
"""Stands where an emoji stood: fans who write without full stops often end a thought with one."""

HEARTS = "❤♥"

Verdict = Literal["", "refuse", "leave"]

_URL = re.compile(r"(?:https?://|www\.)\S+|\b[\w-]+\.(?:com|org|net|io|co|tv|me|gg|app|shop|biz|info)\b(?:/\S*)?", re.I)
_EMAIL = re.compile(r"[\w.+-]+@[\w-]+\.[\w.]+")
_PHONE = re.compile(r"(?<![\w.])\+?\(?\d[\d\s().-]{6,24}\d(?!\w)")
_WRITE_ME = re.compile(
    r"\b(?:e-?mail|mail|call|text|contact|write)(?: to)? me (?:at|on)\b(?=\s*\n)(?:\s*\n\s*or\b)?", re.I
)
_HANDLE = re.compile(r"(?<!\w)[@#](?=[^\W\d_])")
_BLOCKS = re.compile(
    r"<(script|style)\b.*?(?:</\1\s*>|$)|<!--.*?-->|```.*?(?:```|$)|\{\{.*?\}\}|\{%.*?%\}|\$\{.*?\}", re.I | re.S
)
_TAG = re.compile(r"</?[a-z!][^<>]{0,400}>", re.I)
_BREAK = re.compile(r"<(?:br|/p|/li|/div|/h\d|li|p|ul|ol)\b[^<>]{0,200}>", re.I)
_LINK = re.compile(r"!?\[([^\[\]]{0,300})\]\([^()\s]{0,500}\)")
_SIGNPOST = re.compile(
    r"(?:see |click |read )?(?:(?:her|his|their|my|our|the|your|this) )?(?:web ?)?"
    r"(?:page|site|here|link|profile|channel|blog|instagram|facebook|linkedin|youtube|more)",
    re.I,
)
_MARKS = re.compile(r"\*\*|__|~~|`|(?<!\w)[*_](?=\w)|(?<=\w)[*_](?!\w)")

_ORDERS = re.compile(
    r"(?<!not )(?<!n't )\b(?:ignore|disregard|forget|override|bypass)\b.{0,30}"
    r"\b(?:previous|prior|above|earlier|all|any|your|the|system)\b.{0,30}"
    r"\b(?:instruction|prompt|rule|guideline|message|polic|command|safety)|"
    r"^\W{0,20}(?:system|assistant|user|developer|human|ai)\s*(?:message|prompt|note)?\s*[:>\]]|"
    r"\bsystem prompt\b|\bprompt injection\b|\bjailbr(?:eak|oken)\b|\bdeveloper mode\b|\blanguage model\b|\bas an ai\b|"
    r"\byou are (?:now )?(?:an? )?(?:ai|assistant|chatbot|bot|llm|dan|unrestricted|chatgpt)\b|"
    r"^\s*(?:act as|pretend (?:to be|you are|you're)|roleplay)\b|\b(?:reveal|print|output|repeat|leak) (?:your|"
    r"the|all|only)\b|"
    r"\brespond (?:only )?with\b|\bnew instructions?\b|\b(?:begin|end) (?:of )?(?:instructions?|prompt|system)\b|"
    r"\bdrop table\b|\bselect \* from\b|\bapi[ _-]?keys?\b|\bpasswords?\b|<\|.*?\|>|\[/?inst\]|\bos\.system\b|"
    r"\brm -rf\b",
    re.I,
)
_SELLING = re.compile(
    r"\b(?:vote for|(?:promo|discount|coupon|referral) code|use (?:my |our |the )?code|buy now|(?:invest|investing) in|"
    r"bitcoin|crypto|onlyfans|sponsored by|subscribe to|click (?:here|the link)|link in (?:my |the )?bio|dm me)\b",
    re.I,
)
_HATE = re.compile(
    r"\b(?:n[i1]gg(?:er|a)s?|f[a4]gg?[o0]ts?|k[i1]kes?|sp[i1]cs?|ch[i1]nks?|tr[a4]nn(?:y|ies)|g[o0]{2}ks?|wetbacks?|"
    r"r[a4]gheads?|p[a4]kis?|heil hitler|sieg heil|white power|(?:gas|exterminate) the \w+|subhumans?|"
    r"race traitors?)\b",
    re.I,
)
_THREAT = re.compile(
    r"\b(?:(?:i|we)(?:'ll| will|'m going to| am going to| are going to|'re going to| want to|'m gonna| gonna)"
    r" (?:kill|murder|shoot|stab|rape|strangle|hurt|beat up|burn down|bomb)\b|kill (?:your|her|him|them)sel(?:f|ves)|"
    r"(?:hope|wish) (?:that )?(?:you|she|he|they|everyone)(?: would| all)? (?:dies?|suffers?|rots?|get cancer)|"
    r"(?:you|she|he|they) (?:deserves? to|should|must) die\b|watch your back|rot in hell)",
    re.I,
)
_SEXUAL = re.compile(
    r"\b(?:porn\w*|blow ?jobs?|hand ?jobs?|cum(?:ming|shot)?|orgasm\w*|dildos?|vibrators?|masturbat\w+|anal sex|"
    r"oral sex|"
    r"horny|nudes?|tits|boobs|penis|vagina|cocks?|pussy|erection|sex tape|had sex|having sex|slutty?|whores?|"
    r"rap(?:e|ed|ist))\b",
    re.I,
)
_STRONG = re.compile(
    r"\b(?:(?:mother)?f+u+c+k\w*|f\*+k?\w*|c+u+n+t+s?|s+h+i+t+(?:ty|s|head)?|bullshit|assholes?|arseholes?|"
    r"b[i1]tch(?:es|y)?|"
    r"bastards?|wankers?|twats?|pricks?|dickheads?)\b",
    re.I,
)
_UNKIND = re.compile(
    r"\b(?:worthless|disgusting|fat pig|ugly|pathetic|(?:i|we) hate (?:you|her|him|them)\b(?! for)|good riddance|"
    r"waste of (?:space|air|oxygen)|(?:fat|lazy|stupid) and (?:fat|lazy|stupid|ugly|useless)\b|"
    r"(?:no ?body|no one|none of us) (?:likes|loves|wants|can stand) (?:you|her|him|them)\b"
    r"(?! (?:more|better|as|like|to))|"
    r"every(?:body|one) (?:hates|can't stand) (?:you|her|him|them)\b|"
    r"(?:she|he|they|you)(?:'s|'re| is| are| was| were)"
    r"(?: (?:so|very|really|such|just|too|always|a|an|total|complete))*"
    r" (?:stupid|idiots?|morons?|losers?|dumb|fat)\b)",
    re.I,
)

CANNOT_SAY = "We can't read that aloud: it contains hateful or threatening words. Please take them out and try again."
NO_CONTACTS = (
    "We can't read out web addresses, phone numbers or adverts. Please take them out of the sentence to be said."
)
NOT_THIS_LINE = "We can't read one of your sentences aloud as it is. Please choose kinder words for it."


def judge(text: str) -> Verdict:
    """What may become of a clause: "" say it, "leave" leave it out and say so, "refuse" refuse the order."""
    plain = unicodedata.normalize("NFKC", text).replace("’", "'")
    if _HATE.search(plain) or _THREAT.search(plain):
        return "refuse"
    if any(p.search(plain) for p in (_ORDERS, _SELLING, _SEXUAL, _STRONG, _UNKIND)):
        return "leave"
    return ""


def has_contacts(text: str) -> bool:
    """Whether a text carries a web address, an e-mail address, a phone number or an advert."""
    return any(p.search(text) for p in (_URL, _EMAIL, _PHONE, _SELLING))


def _blank(match: re.Match[str]) -> str:
    return " " * len(match.group())


def speakable(notes: str) -> str:
    """`notes` with all that cannot be spoken blanked out by spaces: same length, so that every offset still fits.

    Markup, code blocks, links (their words stay), web and mail addresses, phone numbers, emoji and control characters
    go; tags that end a line become line breaks.
    """
    text = _BLOCKS.sub(_blank, notes)
    text = _BREAK.sub(lambda m: "\n" + " " * (len(m.group()) - 1), text)
    text = _TAG.sub(_blank, text)
    text = _LINK.sub(_link, text)
    for pattern in (_EMAIL, _URL, _PHONE):
        text = pattern.sub(lambda m: "\n" + _blank(m)[1:], text)  # what comes after an address is a new thought
    text = _WRITE_ME.sub(_blank, text)
    for pattern in (_HANDLE, _MARKS):
        text = pattern.sub(_blank, text)
    text = re.sub(r"&(?:[a-z]{2,8}|#\d{1,6});", lambda m: _entity(m.group()), text, flags=re.I)
    return "".join(c if _spoken(c) else SOFT_BREAK if unicodedata.category(c) == "So" else " " for c in text)


def _link(match: re.Match[str]) -> str:
    """A markdown link's words in their own place, the rest blank; a new thought where they only say what it is."""
    whole, words = match.group(), match.group(1)
    if _SIGNPOST.fullmatch(words.strip()):
        return "\n" + " " * (len(whole) - 1)
    at = whole.index("[") + 1
    return " " * at + words + " " * (len(whole) - at - len(words))


def _entity(entity: str) -> str:
    char = html.unescape(entity)
    return (
        (char if len(char) == 1 and _spoken(char) else " ").ljust(len(entity))
        if char != "&"
        else "&".ljust(len(entity))
    )


def _spoken(char: str) -> bool:
    """Letters, digits, marks on letters, plain punctuation and white space are spoken or heard; the rest is not."""
    kind = unicodedata.category(char)
    if char in HEARTS:
        return True
    if char in "<>{}[]|\\^~=_`":
        return False
    return (
        char in "\n\r\t&+%$€£'°"
        or kind[0] in "LNZ"
        or (kind in {"Mn", "Mc"} and not "\ufe00" <= char <= "\ufe0f")
        or kind in {"Po", "Pd", "Ps", "Pe", "Pi", "Pf"}
    )
