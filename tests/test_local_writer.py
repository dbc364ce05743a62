"""The local script writer: every story, word for word where it must be, and never a word that nobody said."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.stories import facts_of, findings, made_up
from benchmarks.stories import main as show_stories
from pipeline.providers.base import Provider, ProviderError, ScriptDraft, WriteRequest
from pipeline.providers.local_writer import LocalWriter, write
from pipeline.providers.writing import fit, phrases
from pipeline.providers.writing.fit import count, words_wanted
from tests import sandboxed
from tests.stories import CHOSEN, DEMO, STORIES, Story
from tests.telling import OCCASIONS, TOLD, check_shape, photo_notes, request_for, script_of, slug_of

WRITERS: dict[str, Callable[[], Provider]] = {"local-writer": LocalWriter, "openai-writer": sandboxed.openai_writer}
EVERY_WRITER = ["local-writer", pytest.param("openai-writer", marks=pytest.mark.slow)]
REFUSED = [s for s in STORIES if s.expect == "refused"]


@pytest.fixture
def provider(request: pytest.FixtureRequest) -> Provider:
    return WRITERS[request.param]()


def _script(provider: Provider, request: WriteRequest) -> ScriptDraft:
    plain = json.loads(json.dumps(request.to_json()))
    return ScriptDraft.from_json(json.loads(json.dumps(provider.submit("key", plain, Path()).result)))


# --- the contract every writer keeps ------------------------------------------------------------


@pytest.mark.parametrize("provider", EVERY_WRITER, indirect=True)
@pytest.mark.parametrize("story", TOLD, ids=slug_of)
def test_a_story_becomes_a_script_of_the_agreed_shape(provider: Provider, story: Story) -> None:
    request = story.request()
    check_shape(request, _script(provider, request))


@pytest.mark.parametrize("provider", EVERY_WRITER, indirect=True)
@pytest.mark.parametrize("story", REFUSED, ids=slug_of)
def test_what_cannot_be_told_is_refused_with_a_sentence_for_the_fan(provider: Provider, story: Story) -> None:
    with pytest.raises(ProviderError) as refusal:
        _script(provider, story.request())
    assert not refusal.value.retryable
    assert refusal.value.fan.endswith(".")


@pytest.mark.parametrize("provider", EVERY_WRITER, indirect=True)
@pytest.mark.parametrize("story", [s for s in TOLD if s.unsaid], ids=slug_of)
def test_what_must_not_be_heard_is_not_heard(provider: Provider, story: Story) -> None:
    said = " ".join(s.text for s in _script(provider, story.request()).scenes).casefold()
    assert not [word for word in story.unsaid if word.casefold() in said]


@pytest.mark.parametrize("provider", EVERY_WRITER, indirect=True)
def test_a_writer_has_nothing_pending_and_cancels_in_silence(provider: Provider) -> None:
    assert provider.job == "writer"
    assert provider.find("key") is None
    provider.cancel("nothing")
    with pytest.raises(ProviderError):
        provider.look("nothing", Path())


# --- never a fact nobody told -------------------------------------------------------------------


@pytest.mark.parametrize("story", TOLD, ids=slug_of)
def test_every_word_of_a_script_comes_from_the_fan_or_the_closed_phrases(story: Story) -> None:
    assert made_up(story.request(), script_of(story)) == []


@pytest.mark.parametrize("story", TOLD, ids=slug_of)
def test_every_fact_is_said_or_named_as_left_out(story: Story) -> None:
    _, _, lost = facts_of(story.request(), script_of(story))
    assert lost == []


def test_a_made_up_word_a_lost_fact_and_a_cheer_at_a_funeral_are_found() -> None:
    """The meters above, held against a script that is wrong."""
    request = Story(
        "x", "Eileen lost her father. He was a carpenter. He loved the sea.", occasion="condolence"
    ).request()
    script = write(request)
    assert findings(request, script) == []
    wrong = [replace(s, text=s.text.replace("a carpenter", "an admiral!")) for s in script.scenes]
    found = " ".join(findings(request, replace(script, scenes=tuple(wrong))))
    assert "made up: ['admiral']" in found
    assert "exclaims" in found
    assert facts_of(request, replace(script, scenes=script.scenes[:1]))[2]
    nameless = [replace(s, text=s.text.replace("Eileen", "Friend")) for s in script.scenes]
    assert "name" in findings(request, replace(script, scenes=tuple(nameless)))


def test_a_long_way_to_the_name_and_to_the_first_fact_is_found() -> None:
    request = next(story for story in STORIES if story.slug == "demo").request()
    script = write(request)
    late = "Before anything else is said today, let us all take a moment and think of her, of Eileen."
    slow = replace(script, scenes=(replace(script.scenes[0], text=late), *script.scenes))
    for told, said in ((script, False), (slow, True)):
        found = " ".join(findings(request, told))
        assert ("neither name nor fact before" in found, "no fact before" in found) == (said, said)


def test_the_stories_shown_are_two_dozen_and_nothing_is_found_in_them(capsys: pytest.CaptureFixture[str]) -> None:
    assert len(set(CHOSEN)) == len(CHOSEN) == 24
    assert show_stories([]) == 0
    shown = capsys.readouterr().out
    assert all(f"\n{slug} " in shown for slug in CHOSEN)


# --- length, name, tone -------------------------------------------------------------------------

PLENTY = (
    "She flew the shuttle twice. She drinks too much coffee. Her cat thinks it is in command. She grew up in "
    "Ohio with four brothers. "
    "She taught physics for ten years. She never learned to cook. She drove a yellow van to Alaska in 1994. She "
    "sings in the car. "
    "She built a telescope out of a drainpipe. She reads the last page first. She collects maps of places that "
    "no longer exist. "
    "She ran a marathon in the rain and called it a lovely day. She names every plant in her garden after an astronaut."
)


@pytest.mark.parametrize(
    ("words", "turns", "photos", "chosen"),
    [
        ([5, 9, 4, 6, 8], [1, 4], 5, [0, 1, 2, 3, 4]),
        ([8, 15, 6, 5, 9, 12], [1, 5], 5, [0, 1, 2, 2, 3, 4]),  # the two short ones, not the first two
        ([3, 5, 12, 11, 9, 12], [1, 5], 5, [0, 0, 1, 2, 3, 4]),  # a short greeting may stay past its chapter
        ([6, 7, 7, 8, 9, 9], [1, 5], 5, [0, 1, 1, 2, 3, 4]),
        ([6] * 10, [1, 9], 5, [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]),
        ([6], [], 1, [0]),
    ],
)
def test_a_picture_that_stays_for_a_second_line_is_one_whose_lines_are_soon_said(words, turns, photos, chosen):
    assert fit.photos_of(words, turns, photos) == chosen


@pytest.mark.parametrize("tone", phrases.TONES)
@pytest.mark.parametrize(("seconds", "photos"), [(20, 5), (30, 6), (45, 8), (60, 5), (60, 10)])
def test_where_there_are_facts_enough_the_script_fills_its_time_within_12_percent(
    seconds: int, photos: int, tone: str
) -> None:
    request = request_for(PLENTY, seconds=seconds, photos=photo_notes(photos), tone=tone)
    script = write(request)
    wanted = words_wanted(seconds, len(script.scenes), request.words_per_second)
    assert sum(count(s.text) for s in script.scenes) == pytest.approx(wanted, rel=0.12)
    check_shape(request, script)


@pytest.mark.parametrize("story", TOLD, ids=slug_of)
def test_the_name_is_said_two_to_four_times(story: Story) -> None:
    said = " ".join(s.text for s in script_of(story).scenes)
    assert 2 <= len(re.findall(rf"\b{re.escape(story.name)}\b", said)) <= 4


@pytest.mark.parametrize("occasion", OCCASIONS)
def test_every_occasion_has_several_openings_and_endings_in_every_tone_and_each_says_the_name(occasion: str) -> None:
    for tone in phrases.TONES:
        for options in (
            phrases.greetings(occasion, tone, spoken_to=True),
            phrases.endings(occasion, tone, spoken_to=True),
        ):
            assert len(set(options)) >= 3
            assert all("{name}" in option for option in options)


@pytest.mark.parametrize("occasion", OCCASIONS)
@pytest.mark.parametrize("tone", phrases.TONES)
def test_every_occasion_and_tone_makes_a_script(occasion: str, tone: str) -> None:
    request = request_for(PLENTY, occasion=occasion, tone=tone, sender="Sam", must_say=("See you on Friday.",))
    check_shape(request, write(request))


def test_tones_sound_different() -> None:
    scripts = {tone: {s.text for s in write(request_for(DEMO, tone=tone)).scenes} for tone in phrases.TONES}
    for one in phrases.TONES:
        for other in phrases.TONES:
            assert one == other or len(scripts[one] & scripts[other]) <= 3


def test_the_same_request_makes_the_same_script_and_other_notes_another_opening() -> None:
    assert write(request_for(DEMO)) == write(request_for(DEMO))
    openings = {write(request_for(f"She has {n} cats. {PLENTY}")).scenes[0].text for n in range(2, 14)}
    assert len(openings) > 3


def test_more_facts_than_fit_are_listed_as_left_out_in_the_fans_words() -> None:
    script = write(request_for(PLENTY, seconds=20, photos=photo_notes(5)))
    assert len(script.left_out) >= 6
    assert all(quote in PLENTY for quote in script.left_out)


def test_a_must_say_is_never_altered_dropped_or_joined() -> None:
    lines = (
        "HAPPY 60th — you *absolute* legend!!",
        "no",
        "This sentence is far longer than any line we would write ourselves, " * 3,
    )
    script = write(request_for(DEMO, must_say=lines))
    assert [s.text for s in script.scenes if s.role == "must_say"] == list(lines)


def test_a_must_say_with_an_address_is_sent_back_not_cut() -> None:
    with pytest.raises(ProviderError) as refusal:
        write(request_for(DEMO, must_say=("Visit www.example.com today.",)))
    assert "web addresses" in refusal.value.fan
