"""Word timings: every written word in order inside the audio, whatever was heard."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.media.alignment import Span, from_characters, from_words, proportional
from pipeline.providers import local_voice
from pipeline.providers.local_voice import RATE, VOICES

WORDS = st.sampled_from(["a", "the", "1998,", "house.", "—", "🎂", "“Cat!”", "José", "A", "don't"])
TIMES = st.one_of(st.floats(-2, 12), st.just(math.nan), st.just(math.inf))


def check(spans: tuple[Span, ...], words: list[str], seconds: float) -> None:
    assert [span.text for span in spans] == words
    times = [time for span in spans for time in (span.start, span.end)]
    assert times == sorted(times)
    assert all(0 <= time <= seconds for time in times)


@pytest.mark.slow
@given(st.lists(WORDS, max_size=14), st.lists(st.tuples(WORDS, TIMES, TIMES), max_size=14), st.floats(0.01, 8))
@settings(max_examples=200, deadline=None)
def test_whatever_was_heard_every_written_word_has_its_place(words, heard, seconds):
    check(from_words(words, heard, seconds), words, seconds)
    characters, starts, ends = zip(*heard, strict=True) if heard else ((), (), ())
    check(from_characters(words, characters, starts, ends, seconds), words, seconds)


@given(st.lists(WORDS, max_size=20), st.floats(0.01, 8), st.integers(0, 2**32))
@settings(max_examples=60, deadline=None)
def test_without_times_every_written_word_has_its_place(words, seconds, seed):
    rng = np.random.default_rng(seed)
    samples = np.repeat(rng.uniform(-0.5, 0.5, 40) * (rng.random(40) > 0.4), round(seconds * 100)).astype(np.float32)
    check(proportional(words, seconds), words, seconds)
    check(proportional(words, seconds, samples, round(len(samples) / seconds)), words, seconds)


def test_the_same_words_keep_their_times():
    heard = [("happy", 0.1, 0.4), ("birthday", 0.5, 0.9), ("eileen", 1.0, 1.5)]
    spans = from_words(["Happy", "birthday,", "Eileen!"], heard, 2.0)
    assert [(span.start, span.end) for span in spans] == [(0.1, 0.4), (0.5, 0.9), (1.0, 1.5)]


def test_a_word_heard_otherwise_or_as_several_takes_their_time():
    heard = [("in", 0, 0.2), ("nineteen", 0.3, 0.6), ("ninety", 0.6, 0.9), ("eight", 0.9, 1.2), ("Aileen", 1.3, 1.6)]
    spans = from_words(["In", "1998", "Eileen"], heard, 2.0)
    assert spans[0] == Span("In", 0.0, 0.2)
    assert spans[1].start == 0.3
    assert 0.9 <= spans[1].end <= spans[2].start
    assert spans[2].end == 1.6


def test_a_word_nobody_heard_borrows_from_its_neighbour_and_a_silent_one_gets_the_pause():
    heard = [("one", 0.2, 0.5), ("two", 0.5, 0.9), ("three", 1.1, 1.4)]
    spans = {span.text: span for span in from_words(["one", "two", "🎂", "three", "lost"], heard, 1.42)}
    assert (spans["🎂"].start, spans["🎂"].end) == (0.9, 0.9)
    assert spans["lost"].end - spans["lost"].start > 0.1
    first = from_words(["lost", "one"], [("one", 0.0, 1.0)], 1.0)
    assert 0.3 < first[0].end == first[1].start < 0.7


def test_what_was_heard_beside_the_text_changes_nothing():
    heard = [("um", 0, 0.1), ("hello", 0.2, 0.5), ("uh", 0.6, 0.7), ("there", 0.8, 1.0)]
    assert from_words(["Hello", "there"], heard, 1.1) == (Span("Hello", 0.2, 0.5), Span("there", 0.8, 1.0))


def test_characters_of_a_respelling_are_the_written_words():
    said = "Hi KAH-shuh, there"
    starts = [n / 10 for n in range(len(said))]
    spans = from_characters(["Hi", "Kasia,", "there"], list(said), starts, [s + 0.1 for s in starts], 1.75)
    assert spans == (Span("Hi", 0.0, 0.2), Span("Kasia,", 0.3, 1.2), Span("there", 1.3, 1.75))


def test_lists_of_unequal_length_are_taken_as_far_as_they_go():
    check(from_characters(["ab", "c"], list("ab c"), [0.0, 0.1], [0.1], 1.0), ["ab", "c"], 1.0)


def test_with_the_sound_a_sentence_begins_after_its_pause():
    tone = np.sin(np.arange(RATE) / 5).astype(np.float32)
    rest = np.zeros(round(0.6 * RATE), np.float32)
    samples = np.concatenate([rest[:2400], tone, rest, tone, tone, rest[:2400]])
    text = "A few words. And then many more words than before."
    spans = proportional(text.split(), len(samples) / RATE, samples, RATE)
    assert spans[0].start == pytest.approx(0.1, abs=0.02)
    assert spans[2].end == pytest.approx(1.1, abs=0.03)
    assert spans[3].start == pytest.approx(1.7, abs=0.03)
    assert spans[-1].end == pytest.approx(3.7, abs=0.03)


@pytest.mark.render
@pytest.mark.parametrize("voice", VOICES)
def test_a_real_voice_is_followed_within_a_fifth_of_a_second(voice):
    text = "Stop. Today, everybody dances. Every summer you drove us to the lake, with the windows down. Come here!"
    samples, words = local_voice.read(text, VOICES[voice])
    seconds = len(samples) / RATE
    near = proportional(text.split(), seconds, samples, RATE)
    off = [abs(guess.start - word.start) for guess, word in zip(near, words, strict=True)]
    blind = [abs(g.start - w.start) for g, w in zip(proportional(text.split(), seconds), words, strict=True)]
    assert np.mean(off) < 0.2
    assert np.mean(off) < np.mean(blind)


def test_nothing_written_is_nothing_timed():
    assert proportional([], 3.0) == from_words([], [("a", 0, 1)], 2.0) == ()
