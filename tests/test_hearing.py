"""Wrong words: what a recogniser hears in a film is held against its lines; where none is installed nobody listens."""

from __future__ import annotations

import dataclasses
import importlib.util
import socket
from pathlib import Path

import numpy as np
import pytest

from pipeline.media import hearing, music, samples, sound, voicebox
from pipeline.media.expected import Expected
from pipeline.media.hearing import Line
from pipeline.media.limits import LIMITS
from pipeline.media.verdict import judge
from pipeline.providers import hearing as spoken
from pipeline.providers import local_voice

from .test_media_verdict import FILM, measures

TEXTS = (
    "She dreamed of space as a girl, and never stopped.",
    "Her cat thinks it is in command of the whole house.",
    "Eileen, you drink far too much coffee, and we love you for it.",
    "Happy 60th birthday, from all of us.",
)


def lines(texts=TEXTS, names=("Eileen",)) -> tuple[Line, ...]:
    return tuple(Line(2.0 + 4 * n, spoken.line(text, names)) for n, text in enumerate(texts))


def shares(texts: tuple[str, ...], got: str) -> list[float]:
    return [round(one.share, 2) for one in hearing.misheard(lines(texts), spoken.words(got))]


def test_what_is_heard_as_written_is_right_numbers_and_spelling_and_all():
    got = (
        "she dreamed of space as a girl and never stopped. her cat thinks it's in command of the whole house "
        "I lean you drink far too much coffee and we love you for it happy sixtieth birthday from all of us"
    )
    assert shares(TEXTS, got)[::2] == [0, 0], "a name may be heard as anything"
    assert max(shares(TEXTS, got)) < LIMITS["wrong_words"].warn


@pytest.mark.parametrize(
    ("got", "line", "missing", "extra"),
    [
        ("she dreamed of spice as a girl and never stopped", 0, (), ()),
        ("she dreamed of rubber as a girl and never stopped", 0, ("space",), ()),
        ("she dreamed as a girl and never stopped", 0, ("of", "space"), ()),
        ("she dreamed of deep dark space as a girl and never stopped", 0, (), ("deep", "dark")),
        ("thank you for watching she dreamed of space as a girl and never stopped subscribe now", 0, (), ()),
        ("she dreamed of sp ace as a girl and never stopped", 0, (), ()),
    ],
    ids=["one sound", "another word", "left out", "added", "words found in music", "in two halves"],
)
def test_it_says_which_words_are_wrong(got, line, missing, extra):
    found = hearing.misheard(lines(TEXTS[:1]), spoken.words(got))
    assert (found[line].missing, found[line].extra) == (missing, extra)


def test_one_word_is_a_remark_and_a_line_that_is_another_fails():
    expected = dataclasses.replace(FILM, lines=lines())
    right = " ".join(TEXTS)
    for got, severity in (
        (right, []),
        (right.replace("space", "rubber"), ["info"]),
        (right.replace("the whole house", "bed"), ["warn"]),
        (right.replace(TEXTS[1], "The weather was bad for most of the week before."), ["fail"]),
        (right.replace(TEXTS[2], ""), ["fail"]),
    ):
        judged = judge(measures(heard=tuple(spoken.words(got))), expected)
        found = [one for one in judged.findings if one.code == "wrong_words"]
        assert [one.severity for one in found] == severity, got
        assert all(one.second in (2.0, 6.0, 10.0) and one.figure for one in found)


def test_one_long_word_of_a_short_line_is_a_remark_too_but_not_where_it_is_half_of_it():
    for text, got, severity in (
        ("He whistled when he worked.", "he laughed when he worked", "info"),
        ("Congratulations, everybody.", "potatoes everybody", "fail"),
    ):
        expected = dataclasses.replace(FILM, lines=lines((text,)))
        judged = judge(measures(heard=tuple(spoken.words(got))), expected)
        assert [one.severity for one in judged.findings if one.code == "wrong_words"] == [severity]


def test_where_nobody_listens_nothing_is_said():
    assert judge(measures(), dataclasses.replace(FILM, lines=lines())).findings == ()
    assert hearing.misheard((), ["hello"]) == []
    assert [one.share for one in hearing.misheard(lines(TEXTS[3:]), [])] == [1.0]


def test_names_are_what_has_a_capital_inside_a_sentence_or_is_known():
    assert spoken.line("Then Siobhan's cat met Tom. She and I laughed.", ["Tom"]) == (
        *("then", "", "cat", "met", "", "she", "and", "i", "laughed"),
    )


def test_the_recogniser_is_used_where_it_is_installed_and_its_model_lies_on_this_machine(tmp_path, monkeypatch):
    there = hearing.model()
    assert there is not None
    assert (there / "model.bin").is_file()
    assert hearing.model(hearing.OFF) is None
    assert hearing.model(str(tmp_path)) is None, "a folder without a model is none"
    (tmp_path / "model.bin").write_bytes(b"")
    assert hearing.model(str(tmp_path)) == tmp_path
    real = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "faster_whisper" else real(name))
    assert hearing.model() is None
    assert hearing.model(str(tmp_path)) is None, "in production, where it is not installed, nobody listens"


@pytest.fixture(scope="module")
def film(tmp_path_factory) -> np.ndarray:
    """The sound of a film: four lines over music, as interleaved samples."""
    folder = tmp_path_factory.mktemp("said")
    reads: list[tuple[Path, float]] = []
    spans: list[tuple[float, float]] = []
    for line, text in zip(lines(), TEXTS, strict=True):
        signal, timed = local_voice.read(text, local_voice.VOICES["mira"])
        voicebox.write_wav(folder / f"{line.start}.wav", signal, local_voice.RATE)
        reads.append((folder / f"{line.start}.wav", line.start))
        spans += [(line.start + word.start, line.start + word.end) for word in timed]
    sound.mix(reads, music.choose("warm", "birthday", 1).path, 20.0, folder / "mix.wav", words=spans)
    signal, rate = samples.decode(folder / "mix.wav", "stereo")
    assert rate == 48_000
    return (np.clip(signal, -1, 1) * 32767).astype(np.int16).T.ravel()


@pytest.mark.render
def test_a_film_that_says_what_is_written_passes_and_one_that_says_something_else_does_not(film, monkeypatch):
    def fetches(*_where: object, **_how: object) -> None:
        pytest.fail("something was fetched")

    monkeypatch.setattr(socket, "create_connection", fetches)
    model = hearing.model()
    assert model is not None
    got = tuple(spoken.words(hearing.heard(film, model)))
    other = (TEXTS[0], "He whistled when he worked on his boats.", *TEXTS[2:])
    for texts, result in ((TEXTS, "pass"), (other, "fail")):
        judged = judge(measures(heard=got), dataclasses.replace(FILM, lines=lines(texts)))
        assert judged.verdict == result
        assert [one.second for one in judged.findings if one.severity == "fail"] == ([6.0] if result == "fail" else [])


@pytest.mark.render
def test_nothing_is_heard_in_a_sound_without_length_or_voice():
    model = hearing.model()
    assert model is not None
    assert hearing.heard(np.zeros(0, np.int16), model) == ""
    quiet = hearing.misheard(lines(), spoken.words(hearing.heard(np.zeros(96_000, np.int16), model)))
    assert [one.share for one in quiet] == [1.0] * len(TEXTS)
    assert isinstance(Expected(9, 16, 30, 1).lines, tuple)
    assert LIMITS["wrong_words"].why
