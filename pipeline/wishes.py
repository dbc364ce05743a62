"""What a re-run should do differently, and all that was asked for until then: plain data that productions carry.

A production's `wishes` add up: a line that is read again later is still said as the creator spelled it. What is wished
of one scene goes when the script is written anew, since the scene goes, too.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from orders.models import Brief

from .models import Production
from .providers.base import Plain

LONGEST_NOTE = 600
ANOTHER = "another"  # of the photos, or the tracks: any but the present one
LOCAL = "local"  # as a model: the photo itself, moved by a camera
OTHER_MOVE = 2000  # added to a shot's seed for another camera move, or another take; mending has thousands of its own


@dataclass(frozen=True)
class Change(Plain):
    """What is made again, and how it should differ. Stages before `from_stage` are kept.

    With `scenes` (numbers from 1) only these lines, shots or captions; without, all. `model` is a video model's slug or
    "local"; `seed` a camera move's or a take's own number; `photo` a photo's token or "another"; `respelling` how the
    name is said ("see-oh-MAH-ra"), or another word ("Oma=OH-mah"); `music` a mood or "another"; `note` is for the
    writer; `calm` asks for less motion; `captions` moves captions to another place.
    """

    from_stage: str
    scenes: tuple[int, ...] = ()
    model: str = ""
    seed: int | None = None
    photo: str = ""
    respelling: str = ""
    music: str = ""
    note: str = ""
    calm: bool = False
    captions: bool = False

    def to_json(self) -> dict[str, Any]:
        """What differs from asking for nothing, as plain data."""
        blank = Change("")
        told = dataclasses.asdict(self)
        return {key: value for key, value in told.items() if value != getattr(blank, key)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Change:
        """Rebuild from `to_json`'s answer."""
        known = {field.name for field in dataclasses.fields(cls)}
        values = {key: value for key, value in data.items() if key in known}
        return cls(**values | {"scenes": tuple(values.get("scenes", ()))})

    @property
    def only_again(self) -> bool:
        """Whether nothing is to differ: what was encoded before would come out the same."""
        return set(self.to_json()) <= {"from_stage", "scenes"}


@dataclass(frozen=True)
class ShotWish:
    """What was wished of one scene's shot. `seed` is added to its own."""

    seed: int = 0
    model: str = ""
    calm: bool = False


def merged(old: Mapping[str, Any], change: Change, *, scenes: Iterable[int], name: str) -> dict[str, Any]:
    """What is wished once a change was asked for. `scenes` are those it is about, `name` whom the film is for."""
    new = dict(old)
    if change.respelling:
        word, is_pair, said = change.respelling.partition("=")
        pair = {word.strip(): said.strip()} if is_pair else {name: change.respelling.strip()}
        new["said_as"] = {**old.get("said_as", {}), **pair}
    if change.music:
        new["music"] = change.music
        new["track"] = old.get("track", 0) + (change.music == ANOTHER)
    if change.note:
        new["note"] = "\n".join(filter(None, (old.get("note", ""), change.note.strip())))[-LONGEST_NOTE:]
    if change.from_stage in ("photos", "moderation", "script"):
        new["again"] = old.get("again", 0) + 1
        new.pop("shots", None)
        new.pop("captions", None)
    if change.captions:
        new["captions"] = sorted({*old.get("captions", ()), *scenes})
    if change.from_stage == "shot":
        shots = {**old.get("shots", {})}
        for number in scenes:
            before = shots.get(str(number), {})
            seed = before.get("seed", 0) + OTHER_MOVE if change.seed is None else change.seed
            shots[str(number)] = {
                "seed": seed,
                "model": change.model or before.get("model", ""),
                "calm": change.calm or before.get("calm", False),
            }
        new["shots"] = shots
    return new


def said_as(production: Production, brief: Brief) -> dict[str, str]:
    """How words are said: the fan's own respelling of the name, and what was asked for since."""
    given = {brief.name: brief.said_as} if brief.said_as else {}
    return {**given, **production.wishes.get("said_as", {})}


def shot(production: Production, number: int) -> ShotWish:
    """What was wished of a scene's shot."""
    return ShotWish(**production.wishes.get("shots", {}).get(str(number), {}))


def moved_captions(production: Production) -> set[int]:
    """The scenes whose captions should stand elsewhere."""
    return set(production.wishes.get("captions", ()))


def note(production: Production) -> str:
    """What the writer is told beside the order."""
    return str(production.wishes.get("note", ""))


def telling(production: Production) -> int:
    """How many times the script was asked for anew."""
    return int(production.wishes.get("again", 0))


def music(production: Production) -> tuple[str, int]:
    """The mood asked for (empty: as the order has it), and which track after its own."""
    mood = str(production.wishes.get("music", ""))
    return ("" if mood == ANOTHER else mood), int(production.wishes.get("track", 0))
