"""What the local writer's tests share: the stories it should tell, and a request made of a few words."""

from __future__ import annotations

import re
from functools import cache

from pipeline.providers.base import PhotoNote, ScriptDraft, WriteRequest
from pipeline.providers.local_writer import write
from pipeline.providers.writing import phrases
from pipeline.providers.writing.facts import gather
from pipeline.providers.writing.fit import count
from pipeline.providers.writing.person import spoken, who_is
from tests.stories import STORIES, Story

TOLD = [s for s in STORIES if s.expect == "script"]
OCCASIONS = (*phrases.GREETINGS, "condolence")


def slug_of(story: Story) -> str:
    return story.slug


@cache
def script_of(story: Story) -> ScriptDraft:
    """The story's script, which several tests look at."""
    return write(story.request())


def lines_of(notes: str, *, name: str = "Eileen", occasion: str = "birthday") -> list[str]:
    return [line.text for line in spoken(gather(notes, names=(name,)).facts, who_is(name, occasion, notes))]


def request_for(notes: str, **changes: object) -> WriteRequest:
    return WriteRequest(
        **({**Story("x", notes).request().to_json(), "notes": notes, "photos": photo_notes(6)} | changes)
    )


def photo_notes(n: int) -> tuple[PhotoNote, ...]:
    return tuple(PhotoNote(k, faces=k % 3) for k in range(n))


def check_shape(request: WriteRequest, script: ScriptDraft) -> None:
    lines = [s.text for s in script.scenes]
    free = [s for s in script.scenes if s.role != "must_say"]
    shown = [s.photo for s in script.scenes]
    assert max(5, len(request.photos)) <= len(lines) <= 10
    assert shown == sorted(shown)
    assert set(shown) == set(range(len(request.photos)))
    assert len(set(lines)) == len(lines)
    assert all(3 <= count(s.text) <= 22 for s in free), [s.text for s in free if not 3 <= count(s.text) <= 22]
    assert 0 < len(script.title) <= 32
    assert [s.text for s in script.scenes if s.role == "must_say"] == [m for m in request.must_say if m.strip()]
    assert all(s.fact in request.notes and s.fact for s in script.scenes if s.role == "fact")
    assert all(not s.fact for s in script.scenes if s.role in {"opening", "ending"})
    assert all(re.search(r"(?:[.!?…]['\"’”]?|,)$", s.text) for s in free), lines
    assert not any(re.search(r"[{}]|  |[.!?]['\"’”]?\.(?!\d)", s.text) for s in free), lines
