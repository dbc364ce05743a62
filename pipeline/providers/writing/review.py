"""What is wrong with a script some writer made: every rule of the house that can be checked without taste.

A model's draft is untrusted. Whoever let a model write asks `faults_of`, has the faults mended once, and otherwise
lets it be. `objection` says beforehand what no writer should be asked.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from ..base import ProviderError, SceneDraft, ScriptDraft, WriteRequest
from . import lexicon as lex
from . import phrases, safety
from .fit import LEAST_SCENES, MOST_SCENES, count, words_wanted

LONGEST_LINE = 400  # characters
LONGEST_TITLE = 60
LONGEST_OPENING = 18  # words; a model that is told ten writes a few more
STRAY = 0.25  # how far the length may be from what was wanted
FEWEST_WORDS = 5  # a scene; more pictures than the time has room for make a film longer, not its lines shorter
FRAME_WORDS = 30  # an opening and an ending; thin notes cannot carry more than these and themselves
SAD = {"condolence", "sorry"}

NOTHING_TOLD = "Tell us a few things about {name}: what they love, what they did, a small habit."
MOST_PHOTOS = "Please choose between 5 and 10 photos."

_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
_SENTENCE = re.compile(r"(?<=[.!?…:])[\"'”’)]*\s+|[“\"]|\s[–—-]+\s")


def objection(request: WriteRequest) -> ProviderError | None:
    """Why a request should not be sent to any writer, with a sentence for the fan; None when it may."""
    what, fan = "", ""
    if safety.judge(request.notes) == "refuse" or any(safety.judge(line) == "refuse" for line in request.must_say):
        what, fan = "hate or a threat in the notes", safety.CANNOT_SAY
    elif any(safety.has_contacts(line) for line in request.must_say):
        what, fan = "contacts in a must-say", safety.NO_CONTACTS
    elif any(safety.judge(line) for line in request.must_say):
        what, fan = "a must-say that is not sayable", safety.NOT_THIS_LINE
    elif not 1 <= len(request.photos) <= MOST_SCENES:
        what, fan = f"{len(request.photos)} photos", MOST_PHOTOS
    elif not any(c.isalpha() for text in (safety.speakable(request.notes), *request.must_say) for c in text):
        what, fan = "nothing to tell in the notes", NOTHING_TOLD.format(name=request.name)
    return ProviderError(what, retryable=False, fan=fan) if what else None


def wanted_words(request: WriteRequest, scenes: int = 0) -> int:
    """How many words fill the film, cards and pauses taken off; for as many scenes as there are photos, or `scenes`."""
    scenes = scenes or max(LEAST_SCENES, len(request.photos))
    return round(max(words_wanted(request.seconds, scenes, request.words_per_second), FEWEST_WORDS * scenes))


def faults_of(draft: ScriptDraft, request: WriteRequest) -> list[str]:
    """Everything that makes a script unusable, each in one sentence for whoever must mend it; empty when nothing does.

    Sentences that must be said are the fan's own: they are looked for, and left out of every other judgement.
    """
    said = [_plain(line) for line in request.must_say if line.strip()]
    free = [_without(scene.text, said) for scene in draft.scenes]
    faults = [
        *_shape(draft, request),
        *(f"This sentence must be said word for word in one scene: {line}" for line in said if not _is_in(line, draft)),
        *(fault for number, scene in enumerate(draft.scenes) for fault in _quote(number, scene, request)),
        *(fault for number, text in enumerate(free) for fault in _line(number, text, request)),
    ]
    if unkind := [number for number, scene in enumerate(draft.scenes) if safety.judge(scene.idea)]:
        faults.append(f"The idea of scene {', '.join(map(str, unkind))} cannot be filmed.")
    if safety.judge(draft.title) or not _is_speakable(draft.title):
        faults.append("The title holds what cannot be shown.")
    if not _name_is_said(request.name, draft):
        faults.append("The name of the person is never said.")
    strangers = sorted(_strangers([*free, _lowered(draft.title)], request))
    if strangers:
        faults.append(f"Nobody told these names or numbers: {', '.join(strangers[:8])}.")
    return faults


def _shape(draft: ScriptDraft, request: WriteRequest) -> Iterable[str]:
    scenes, photos = len(draft.scenes), len(request.photos)
    if not LEAST_SCENES <= scenes <= MOST_SCENES:
        yield f"There are {scenes} scenes; there must be {LEAST_SCENES} to {MOST_SCENES}."
    shown = {scene.photo for scene in draft.scenes}
    if unused := sorted(set(range(photos)) - shown):
        yield f"These photos are not used: {', '.join(map(str, unused))}."
    if unknown := sorted(shown - set(range(photos))):
        yield f"These photos do not exist: {', '.join(map(str, unknown))}."
    if not 0 < len(draft.title.strip()) <= LONGEST_TITLE:
        yield f"The title must have 1 to {LONGEST_TITLE} characters."
    if any(not scene.text.strip() for scene in draft.scenes):
        yield "A scene has no text."
    if any(len(scene.text) > LONGEST_LINE for scene in draft.scenes):
        yield f"A scene's text is longer than {LONGEST_LINE} characters."
    if draft.scenes and draft.scenes[0].role == "opening" and count(draft.scenes[0].text) > LONGEST_OPENING:
        yield f"The opening has {count(draft.scenes[0].text)} words; ten are enough, {LONGEST_OPENING} are the most."
    words, wanted = sum(count(scene.text) for scene in draft.scenes), wanted_words(request, scenes)
    most = max(wanted, sum(map(count, request.must_say)) + FRAME_WORDS) * (1 + STRAY)
    least = min(wanted, count(request.notes) + FRAME_WORDS) * (1 - STRAY)
    if not least <= words <= most:
        yield f"The script has {words} words; about {wanted} are wanted, {round(least)} to {round(most)} will do."


def _quote(number: int, scene: SceneDraft, request: WriteRequest) -> Iterable[str]:
    if scene.role == "fact" and not scene.fact.strip():
        yield f"Scene {number} has the role fact, but quotes none."
    told = "\n".join(_plain(text) for text in (request.notes, *request.must_say)).casefold()
    if _plain(scene.fact).casefold() not in told:
        yield f"The fact of scene {number} is not a word-for-word quote from the notes."


def _line(number: int, text: str, request: WriteRequest) -> Iterable[str]:
    if safety.judge(text):
        yield f"The text of scene {number} cannot be read aloud: hate, insults, sex, adverts, or orders to a machine."
    elif safety.has_contacts(text) or not _is_speakable(text):
        yield f"The text of scene {number} holds an address, a number to call, markup, an emoji or another odd sign."
    if request.occasion in SAD and "!" in text:
        yield f"The text of scene {number} has an exclamation mark, at a sad occasion."


def _strangers(texts: Iterable[str], request: WriteRequest) -> set[str]:
    """Words with a capital inside a sentence, and numbers, that occur nowhere in the order."""
    order = " ".join(
        [request.name, request.sender, request.creator, request.notes, *request.must_say, request.occasion]
    )
    known = {form for word in _WORD.findall(order) for form in _forms(word)} | _CAPITALS
    found = set()
    for text in texts:
        for sentence in _SENTENCE.split(text):
            for place, word in enumerate(_WORD.findall(sentence)):
                is_name = place > 0 and word[0].isupper()
                if (is_name or any(c.isdigit() for c in word)) and not _forms(word) & known:
                    found.add(word)
    return found


def _forms(word: str) -> set[str]:
    """A word for comparing, with and without its possessive and its parts: "Eileen's" is "eileen"."""
    word = word.casefold().replace("’", "'")
    bare = re.sub(r"'(?:s|ll|ve|re|d|m)?$", "", word)
    return {word, bare, bare.removesuffix("s"), *bare.split("-")}


# What an English sentence may write with a capital although nobody told it.
_CAPITALS = lex.SHE_KIN | lex.HE_KIN | lex.ANY_KIN | {part for name in phrases.GREETINGS for part in name.split("_")}
_CAPITALS |= lex.word_set("""
    i a b c exhibit chapter happy dear god mr mrs ms dr
    monday tuesday wednesday thursday friday saturday sunday
    """)


def _is_in(line: str, draft: ScriptDraft) -> bool:
    return any(line in _plain(scene.text) for scene in draft.scenes)


def _without(text: str, said: Iterable[str]) -> str:
    text = _plain(text)
    for line in said:
        text = text.replace(line, " ")
    return text


def _name_is_said(name: str, draft: ScriptDraft) -> bool:
    spoken = " ".join(scene.text for scene in draft.scenes).casefold()
    first = next(iter(name.split()), "")
    return any(re.search(rf"\b{re.escape(part.casefold())}\b", spoken) for part in (_plain(name), first) if part)


def _is_speakable(text: str) -> bool:
    """Whether nothing of a text would be taken out before it is spoken."""
    return _plain(safety.speakable(text)) == _plain(text)


def _lowered(title: str) -> str:
    """A title without the capitals that titles have."""
    return " ".join(word if any(c.isdigit() for c in word) else word.lower() for word in title.split())


def _plain(text: str) -> str:
    """A text with single spaces, in composed characters."""
    return " ".join(unicodedata.normalize("NFC", text).split())
