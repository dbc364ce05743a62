"""What voice vendors have in common: wording, audio made ours, timings that are believed or not."""

from __future__ import annotations

import io
import math
import wave
from pathlib import Path

import av
import numpy as np
import pytest

from pipeline.media import voicebox
from pipeline.providers import spoken
from pipeline.providers.base import ProviderError, ReadRequest
from pipeline.providers.local_voice import RATE
from pipeline.providers.spoken import Sound, as_said, by_characters, by_words, finished, understood

LINE = "We love you more than words can say."


def voice(seconds: float, rate: int = 44100, lead: float = 0.3, tail: float = 0.4) -> np.ndarray:
    """A hum that comes and goes as syllables do, with rests around it."""
    t = np.arange(round(seconds * rate)) / rate
    hum = 0.2 * np.sin(2 * np.pi * 180 * t) * (0.6 + 0.4 * np.sin(2 * np.pi * 4 * t))
    return np.concatenate((np.zeros(round(lead * rate)), hum, np.zeros(round(tail * rate)))).astype(np.float32)


def wav(samples: np.ndarray, rate: int = 44100, channels: int = 1) -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(np.repeat(np.rint(samples * 32767).astype("<i2"), channels).tobytes())
    return out.getvalue()


def mp3(samples: np.ndarray, rate: int = 44100) -> bytes:
    out = io.BytesIO()
    with av.open(out, "w", format="mp3") as container:
        stream = container.add_stream("libmp3lame", rate=rate, layout="mono")
        frame = av.AudioFrame.from_ndarray(samples[None, :], format="fltp", layout="mono")
        frame.rate = rate
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return out.getvalue()


def made(folder: Path, seconds: float = 2.0, text: str = LINE, **how: float) -> Sound:
    return finished(wav(voice(seconds, **how)), folder, "k", text)


@pytest.mark.parametrize("rate", [8000, 16000, 22050, 24000, 44100, 48000])
def test_audio_of_any_rate_becomes_a_trimmed_wav_of_ours(rate: int, tmp_path: Path) -> None:
    sound = finished(wav(voice(2.0, rate), rate), tmp_path, "../k\x00", LINE)
    assert sound.path.parent == tmp_path
    assert [path.name for path in tmp_path.iterdir()] == [sound.path.name]
    with wave.open(str(sound.path)) as audio:
        assert (audio.getnchannels(), audio.getsampwidth(), audio.getframerate()) == (1, 2, RATE)
        assert audio.getnframes() / RATE == pytest.approx(sound.seconds, abs=0.001)
    assert sound.seconds == pytest.approx(2.155, abs=0.03)
    assert sound.before == pytest.approx(0.255, abs=0.02)
    assert sound.whole == pytest.approx(2.7, abs=0.01)
    assert not sound.is_cut
    assert voicebox.loudness(sound.samples, RATE) == pytest.approx(-20, abs=0.5)


def test_mp3_and_stereo_are_read_too(tmp_path: Path) -> None:
    assert finished(mp3(voice(2.0)), tmp_path, "a", LINE).seconds == pytest.approx(2.155, abs=0.08)
    assert finished(wav(voice(2.0), channels=2), tmp_path, "b", LINE).seconds == pytest.approx(2.155, abs=0.03)


def test_a_streamed_wav_that_lies_about_its_length_is_measured(tmp_path: Path) -> None:
    raw = bytearray(wav(voice(2.0)))
    raw[4:8] = raw[40:44] = b"\xff\xff\xff\xff"
    assert finished(bytes(raw), tmp_path, "k", LINE).seconds == pytest.approx(2.155, abs=0.03)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"<!doctype html><p>Bad gateway</p>",
        b' \n{"error": {"message": "no"}}',
        b"RIFF....WAVE",
        b"\x00" * 5000,
        bytes(range(256)) * 40,
        wav(np.zeros(5 * 44100)),
        wav(np.random.default_rng(1).normal(size=5 * 44100) * 1e-4),
        wav(voice(0.2)),
        wav(voice(60.0)),
        wav(voice(2.0))[:20],
        b"#EXTM3U\nfile:///etc/passwd\n",
    ],
    ids=[
        *("nothing", "a page", "an error", "a header", "zeros", "noise bytes", "silence", "hiss", "too short"),
        *("too long", "half a header", "a playlist"),
    ],
)
def test_what_cannot_be_the_line_is_worth_another_try_and_leaves_nothing(raw: bytes, tmp_path: Path) -> None:
    with pytest.raises(ProviderError) as broken:
        finished(raw, tmp_path, "k", LINE)
    assert (broken.value.trouble, broken.value.retryable, broken.value.fan) == ("passing", True, "")
    assert not list(tmp_path.iterdir())


def test_sound_that_is_not_made_of_numbers_is_refused(tmp_path: Path) -> None:
    samples = np.full(44100, math.nan, "<f4").tobytes()
    head = bytearray(wav(np.zeros(22050), channels=2)[:44])
    head[20:22], head[34:36], head[22:24], head[32:34] = b"\x03\x00", b"\x20\x00", b"\x01\x00", b"\x04\x00"
    head[40:44] = len(samples).to_bytes(4, "little")
    with pytest.raises(ProviderError, match="not made of numbers"):
        finished(bytes(head) + samples, tmp_path, "k", LINE)


def test_numbers_may_take_the_time_they_are_said_in(tmp_path: Path) -> None:
    assert finished(wav(voice(7.0)), tmp_path, "k", "1998 1999 2000").seconds > 6


@pytest.mark.parametrize(
    ("text", "said_as", "sent"),
    [
        ("Happy birthday, Siobhan!", {"Siobhan": "shih-VAWN"}, "Happy birthday, shih-VAWN!"),
        ("Siobhán's 60th, SIOBHAN.", {"Siobhan": "shi VAWN"}, "shi VAWN's 60th, shi VAWN."),
        ("José and Chloe danced.", {"Chloe": "KLOH-ee"}, "José and KLOH-ee danced."),
        ("Dear Mary Ann, hello", {"Mary Ann": "MAIR-ee-an"}, "Dear MAIR-ee-an, hello"),
        ('<break time="9s"/> [shouts] hi {x}', {}, 'break time="9s"/ shouts hi x'),
        ("a\x00b \u202e c\nd", {"": "x", "c": " "}, "ab c d"),
    ],
)
def test_respellings_are_sent_and_markup_is_not(text: str, said_as: dict[str, str], sent: str) -> None:
    assert as_said(text, said_as) == sent


def test_a_line_is_checked_before_it_is_sent() -> None:
    assert understood(ReadRequest("Hi", "v", {"a": "b"}).to_json()).said_as == {"a": "b"}
    for broken in (
        {},
        {"text": 5, "voice": "v"},
        {"text": "Hi", "voice": None},
        {"text": "Hi", "voice": "v", "said_as": 3},
    ):
        with pytest.raises(ProviderError) as refused:
            understood(broken)
        assert refused.value.trouble == "refused"
    for text in ("", " ", "🎂", "...", "你好", "word " * 5000):
        with pytest.raises(ProviderError) as refused:
            understood(ReadRequest(text, "v").to_json())
        assert refused.value.trouble == "refused"
        assert refused.value.fan


def test_heard_words_are_moved_with_the_trimmed_audio(tmp_path: Path) -> None:
    sound = made(tmp_path)
    words = LINE.split()
    heard = [(word, 0.3 + 0.25 * n, 0.5 + 0.25 * n) for n, word in enumerate(words)]
    timed = by_words(sound, LINE, heard)
    assert [word.text for word in timed] == words
    assert timed[0].start == pytest.approx(0.045, abs=0.03)
    assert timed[4].start == pytest.approx(1.045, abs=0.03)


def test_characters_of_a_respelling_time_the_written_word(tmp_path: Path) -> None:
    sound = made(tmp_path, text="Dear Siobhan, hello")
    said = "Dear shih VAWN, hello"
    starts = [0.3 + 0.09 * n for n in range(len(said))]
    timed = by_characters(sound, "Dear Siobhan, hello", (said, starts, [start + 0.09 for start in starts]))
    assert [word.text for word in timed] == ["Dear", "Siobhan,", "hello"]
    assert timed[1].start == pytest.approx(0.045 + 5 * 0.09, abs=0.03)
    assert timed[1].end == pytest.approx(0.045 + 15 * 0.09, abs=0.03)


HEARD = [(word, 0.3 + 0.25 * n, 0.5 + 0.25 * n) for n, word in enumerate(LINE.split())]


@pytest.mark.parametrize(
    "heard",
    [
        None,
        [],
        "abc",
        {"words": 1},
        [("We", 0.3)],
        [(word, start * 1000, end * 1000) for word, start, end in HEARD],
        [(word, start / 5, end / 5) for word, start, end in HEARD],
        [(word, -start, end) for word, start, end in HEARD],
        [(word, math.nan, end) for word, _, end in HEARD],
        [(word, None, end) for word, _, end in HEARD],
        [(word, str(start), end) for word, start, end in HEARD],
        [(5, start, end) for _, start, end in HEARD],
        HEARD[::-1],
    ],
)
def test_times_that_make_no_sense_give_way_to_the_length_of_the_words(heard: object, tmp_path: Path) -> None:
    sound = made(tmp_path)
    timed = by_words(sound, LINE, heard)
    assert timed == by_words(sound, LINE, None) == by_characters(sound, LINE, None)
    assert [word.text for word in timed] == LINE.split()
    assert timed[-1].end > 1.8
    times = [time for word in timed for time in (word.start, word.end)]
    assert times == sorted(times)
    assert times[0] >= 0
    assert times[-1] <= sound.seconds


def test_audio_cut_off_in_the_middle_of_a_sound_is_noticed_by_its_times(tmp_path: Path) -> None:
    heard = [(word, 0.3 + 0.4 * n, 0.6 + 0.4 * n) for n, word in enumerate(LINE.split())]
    cut = made(tmp_path, tail=0)
    assert cut.is_cut
    with pytest.raises(ProviderError, match="it stops at") as broken:
        by_words(cut, LINE, heard)
    assert broken.value.trouble == "passing"
    assert not list(tmp_path.iterdir())


def at_their_times(text: str) -> list[tuple[str, float, float]]:
    words = text.split()
    return [(word, 0.3 + 2 * n / len(words), 0.3 + 2 * (n + 0.9) / len(words)) for n, word in enumerate(words)]


@pytest.mark.parametrize(
    "heard", ["The quarterly figures show modest growth in exports.", "Thank you for watching this video, bye."]
)
def test_another_line_than_ours_is_not_taken(heard: str, tmp_path: Path) -> None:
    sound = made(tmp_path)
    with pytest.raises(ProviderError, match="something else") as broken:
        by_words(sound, LINE, at_their_times(heard))
    assert broken.value.trouble == "passing"
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("line", "heard"),
    [
        (LINE, LINE.upper()),
        ("Eileen, you flew in 1995 and in 1999.", "I lean you flew in nineteen ninety five and nineteen ninety-nine"),
        ("Eileen, you flew in nineteen ninety-five.", "Aileen you flew in 1995"),
        ("Siobhan and Caoimhe danced all night.", "Shivaun and Keeva dance all night"),
    ],
)
def test_a_misheard_name_and_a_numeral_are_no_other_line(line: str, heard: str, tmp_path: Path) -> None:
    timed = by_words(made(tmp_path), line, at_their_times(heard))
    assert [word.text for word in timed] == line.split()


@pytest.mark.parametrize("ident", ["mira", "21m00Tcm4TlvDq8ikWAM", "a.b-c_d"])
def test_plain_ids_may_stand_in_an_address(ident: str) -> None:
    assert spoken.is_plain(ident)


@pytest.mark.parametrize("ident", ["", "a/b", "..", "../x", "a b", "a?b", "é", "a" * 121, "%2e"])
def test_other_ids_may_not(ident: str) -> None:
    assert not spoken.is_plain(ident)
