"""The local script writer: a fan's notes to a script by rules and phrases alone, with no network and no model."""

from __future__ import annotations

import hashlib
import json
import random
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from pipeline.providers.base import Answer, Json, Provider, ProviderError, ScriptDraft, WriteRequest
from pipeline.providers.writing import lexicon as lex
from pipeline.providers.writing import safety
from pipeline.providers.writing.facts import Harvest, gather
from pipeline.providers.writing.fit import MOST_SCENES
from pipeline.providers.writing.language import is_latin
from pipeline.providers.writing.person import who_is
from pipeline.providers.writing.telling import NAME_LENGTH, Telling

ENGLISH_ONLY = "Our writer only speaks English so far. Please write the notes in English."


class LocalWriter(Provider):
    """Writes at once and for nothing. The same request always makes the same script."""

    name = "local-writer"
    job: Literal["writer"] = "writer"
    recovery: Literal["same_key", "redo", "wait"] = "redo"

    def submit(self, key: str, request: Json, workdir: Path) -> Answer:
        """Answer with a ScriptDraft for the WriteRequest in `request`.

        Raises ProviderError, never retryable, with a sentence for the fan: no notes, notes in a language this writer
        does not speak, hate or threats, contacts in a sentence that must be said, a name that cannot be said.
        """
        return Answer(state="done", result=write(WriteRequest.from_json(request)).to_json())

    def find(self, key: str) -> Answer | None:
        """Nothing is kept: asking again is free and gives the same script."""
        return None

    def cancel(self, external_id: str) -> None:
        """Nothing to stop."""


def write(request: WriteRequest) -> ScriptDraft:
    """The script for a request. Raises ProviderError as `LocalWriter.submit` says."""
    name = clean_name(request.name)
    must_say = _must_says(request.must_say)
    photos = request.photos
    if not 1 <= len(photos) <= MOST_SCENES:
        raise _refusal(f"{len(photos)} photos", "Please choose between 5 and 10 photos.")
    capitals = tuple(w for text in (request.sender, *must_say) for w in re.findall(r"\b[A-Z][a-z]+\b", text))
    capitals = tuple(w for w in capitals if w.casefold() not in lex.PRONOUNS | lex.DETERMINERS | lex.VERBS)
    several = " and " in name.casefold() or "&" in name or name.casefold().startswith(("the ", "team "))
    harvest = gather(request.notes, names=(name,) if several else (name, name.split()[0]), capitals=capitals)
    _check_there_is_something(request, harvest, must_say, name)
    rng = random.Random(hashlib.sha256(json.dumps(request.to_json(), sort_keys=True).encode()).digest())
    who = who_is(name, request.occasion, request.notes)
    return Telling(request, name=name, must_say=must_say, harvest=harvest, who=who, rng=rng).script()


def clean_name(raw: str) -> str:
    """The name as it can be said and shown. Raises ProviderError where nothing sayable is left."""
    name = " ".join(safety.speakable(raw).split()).strip(" .,;:!?-–\"'")
    if not any(c.isalpha() for c in name):
        raise _refusal("no name", "Tell us who the film is for: a name we can say.")
    if len(name) > NAME_LENGTH or safety.judge(raw):
        raise _refusal(
            "a name that cannot be said", f"Please give a name of at most {NAME_LENGTH} letters that we can say."
        )
    return name


def _refusal(what: str, fan: str) -> ProviderError:
    return ProviderError(what, retryable=False, fan=fan)


def _must_says(lines: Sequence[str]) -> tuple[str, ...]:
    """The sentences that must be said, word for word, without empty ones or repetitions."""
    kept = tuple(dict.fromkeys(line for line in lines if line.strip()))
    if len(kept) > MOST_SCENES:
        raise _refusal(
            "too many sentences to be said", f"Please choose at most {MOST_SCENES} sentences that must be said."
        )
    for line in kept:
        if safety.judge(line) == "refuse":
            raise _refusal("hate or a threat in a must-say", safety.CANNOT_SAY)
        if safety.has_contacts(line):
            raise _refusal("contacts in a must-say", safety.NO_CONTACTS)
        if safety.judge(line) == "leave":
            raise _refusal("a must-say that is not sayable", safety.NOT_THIS_LINE)
    return kept


def _check_there_is_something(request: WriteRequest, harvest: Harvest, must_say: Sequence[str], name: str) -> None:
    if harvest.mostly_foreign:
        raise _refusal(f"notes in {harvest.foreign}", ENGLISH_ONLY)
    if harvest.facts or any(is_latin(line) for line in must_say):
        return
    raise _refusal(
        "no facts in the notes", f"Tell us a few things about {name}: what they love, what they did, a small habit."
    )
