"""The local voice twin: the contract of any voice provider, timings, sound, voices, pronunciation."""

from __future__ import annotations

import threading
import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks import listening
from pipeline.media import voicebox
from pipeline.providers import local_voice
from pipeline.providers.base import Json, Provider, ProviderError, Reading, ReadRequest
from pipeline.providers.local_voice import RATE, VOICES, LocalVoice, respelling, words_per_second
from pipeline.providers.say import NAMES, say
from pipeline.providers.voice_warp import BINS, Spectra, VoiceRecipe, warp
from tests import sandboxed

render = pytest.mark.render

# Whoever reads lines aloud joins this list (a factory, and a voice it knows) and must pass the contract below.
PROVIDERS: list[Any] = [
    pytest.param((LocalVoice, "mira"), id="local-voice"),
    pytest.param((sandboxed.openai_speech, "mira"), id="openai-speech", marks=pytest.mark.slow),
    pytest.param((sandboxed.elevenlabs, "mira"), id="elevenlabs", marks=pytest.mark.slow),
    pytest.param((sandboxed.custom_voice, "mira"), id="custom-voice", marks=pytest.mark.slow),
]
LINE = "Happy 60th birthday, Eileen! In 1998, at 7:30 pm, you and José danced — twice! 🎂"

Maker = tuple[Callable[[], Provider], str]


def ask(text: str, voice: str = "mira", said_as: dict[str, str] | None = None, **settings: Any) -> Json:
    return ReadRequest(text, voice, said_as or {}, settings).to_json()


def sound(path: Path) -> np.ndarray:
    with wave.open(str(path)) as audio:
        assert (audio.getnchannels(), audio.getsampwidth(), audio.getframerate()) == (1, 2, RATE)
        return np.frombuffer(audio.readframes(audio.getnframes()), "<i2").astype(np.float32) / 32767


# ---- the contract -------------------------------------------------------------------------------------------------


@render
@pytest.mark.parametrize("maker", PROVIDERS)
def test_a_reading_covers_every_written_word_in_order_inside_the_audio(maker: Maker, tmp_path: Path) -> None:
    make, voice = maker
    answer = make().submit("order-1/line-1", ask(LINE, voice), tmp_path)
    assert answer.state == "done"
    reading = Reading.from_json(answer.result)
    assert [word.text for word in reading.words] == LINE.split()
    times = [time for word in reading.words for time in (word.start, word.end)]
    assert times == sorted(times)
    assert times[0] >= 0
    assert times[-1] <= reading.seconds
    path = answer.files["audio"]
    assert path.parent == tmp_path
    with wave.open(str(path)) as audio:
        assert audio.getnchannels() == 1
        assert audio.getnframes() / audio.getframerate() == pytest.approx(reading.seconds, abs=0.01)


@render
@pytest.mark.parametrize("maker", PROVIDERS)
def test_the_same_key_again_gives_the_same_reading(maker: Maker, tmp_path: Path) -> None:
    make, voice = maker
    first = make().submit("k", ask("You made it!", voice), tmp_path)
    before = first.files["audio"].read_bytes()
    again = make().submit("k", ask("You made it!", voice), tmp_path)
    assert again.result == first.result
    assert again.files["audio"].read_bytes() == before


@render
@pytest.mark.parametrize("text", ["", "  \n", "🎂 🎉", "...", "你好"])
@pytest.mark.parametrize("maker", PROVIDERS)
def test_nothing_to_say_is_refused_with_a_sentence_for_the_fan(maker: Maker, text: str, tmp_path: Path) -> None:
    make, voice = maker
    with pytest.raises(ProviderError) as refused:
        make().submit("k", ask(text, voice), tmp_path)
    assert not refused.value.retryable
    assert refused.value.fan
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("maker", PROVIDERS)
def test_a_request_nobody_understands_is_not_retried(maker: Maker, tmp_path: Path) -> None:
    make, voice = maker
    for broken in ({}, ask("Hello", "nobody"), {"text": 5, "voice": voice}, ask("Hello", voice, pace="fast")):
        with pytest.raises(ProviderError) as refused:
            make().submit("k", broken, tmp_path)
        assert not refused.value.retryable


@pytest.mark.parametrize("maker", PROVIDERS)
def test_a_voice_provider_says_what_it_is(maker: Maker) -> None:
    provider = maker[0]()
    assert provider.job == "voice"
    assert provider.name
    assert provider.find("never sent") is None


# ---- the twin -----------------------------------------------------------------------------------------------------


def test_the_twin_never_leaves_anything_pending(tmp_path: Path) -> None:
    with pytest.raises(ProviderError, match="nothing is ever pending") as refused:
        LocalVoice().look("x", tmp_path)
    assert not refused.value.retryable
    assert LocalVoice().cancel("x") is None  # type: ignore[func-returns-value]


def test_a_text_of_a_book_or_a_pace_of_nothing_is_refused(tmp_path: Path) -> None:
    for request in (ask("word " * 5000), ask("Hi", pace=0), ask("Hi", pace=float("nan"))):
        with pytest.raises(ProviderError) as refused:
            LocalVoice().submit("k", request, tmp_path)
        assert not refused.value.retryable


@render
@pytest.mark.parametrize("voice", VOICES)
def test_every_line_is_trimmed_and_equally_loud(voice: str, tmp_path: Path) -> None:
    levels = []
    for number, text in enumerate(["Yes!", "We love you more than words can say.", LINE]):
        samples = sound(LocalVoice().submit(str(number), ask(text, voice), tmp_path).files["audio"])
        begin, end = voicebox.sounding(samples, RATE)
        assert 0.03 <= begin <= 0.06
        assert 0.08 <= len(samples) / RATE - end <= 0.15
        assert np.abs(samples).max() <= 10 ** (-1 / 20)
        levels.append(voicebox.loudness(samples, RATE))
    assert max(levels) - min(levels) < 1


@render
def test_the_voices_are_plainly_different_people() -> None:
    pitch = {}
    for voice, recipe in VOICES.items():
        samples, _ = local_voice.read("We love you more than words can say.", recipe)
        pitch[voice] = median_pitch(samples)
    assert pitch["bram"] < 140
    assert 170 < pitch["mira"] < 215 < pitch["pip"]


def median_pitch(samples: np.ndarray) -> float:
    """By autocorrelation of 50 ms windows, in Hz."""
    found = []
    for start in range(0, len(samples) - 1200, 600):
        window = samples[start : start + 1200] * np.hanning(1200)
        if np.square(window).mean() < 1e-4:
            continue
        match = np.fft.irfft(np.abs(np.fft.rfft(window, 4096)) ** 2)[:400]
        lag = 60 + int(np.argmax(match[60:370] / (1 - np.arange(60, 370) / 1200)))
        if match[lag] > 0.4 * match[0]:
            found.append(RATE / lag)
    return float(np.median(found))


@render
def test_a_slower_pace_takes_longer(tmp_path: Path) -> None:
    slow, fast = (
        LocalVoice().submit(str(pace), ask("We will never forget that summer.", pace=pace), tmp_path).result["seconds"]
        for pace in (0.8, 1.25)
    )
    assert slow > 1.25 * fast


@render
def test_words_begin_where_the_sound_begins() -> None:
    samples, words = local_voice.read("Stop. Today, everybody dances. Come here!", VOICES["mira"])
    frame = RATE // 200
    power = np.square(samples[: len(samples) // frame * frame]).reshape(-1, frame).mean(axis=1)
    loud = power > power.max() * 10**-3.5
    onsets = [n / 200 for n in range(20, len(loud)) if loud[n] and not loud[n - 20 : n].any()]
    starts = [word.start for word in words if word.text in {"Today,", "Come"}]
    assert len(onsets) >= 2
    for start in starts:
        assert min(abs(start - onset) for onset in onsets) < 0.09


@render
def test_a_long_text_is_read_in_pieces_to_its_end() -> None:
    text = "the quiet road and the old bridge " * 20 + "w" * 600 + ". " + "It was good. " * 30
    samples, words = local_voice.read(text, VOICES["pip"])
    assert [word.text for word in words] == text.split()
    assert len(samples) / RATE == pytest.approx(words[-1].end, abs=0.3)
    assert all(word.end > word.start for word in words)


@render
@pytest.mark.parametrize(
    "text",
    [
        "[Eileen](/həlˈO/) is [here](x)",
        "<speak>Hello</speak> {{ name }} `ls` $(id) \\n %s %d",
        "a/b//c ((( ]]] \x00 \u202e hello",
        "https://example.org/a?b=c hello",
    ],
)
def test_hostile_text_is_read_as_words_or_not_at_all(text: str, tmp_path: Path) -> None:
    said_as = {"hello": "[x](/həlˈO/)", "is": "</speak>", "here": "🎂"}
    answer = LocalVoice().submit("../../k\x00", ask(text, said_as=said_as), tmp_path)
    assert [word["text"] for word in answer.result["words"]] == text.split()
    assert answer.files["audio"].parent == tmp_path


@render
def test_a_respelling_changes_what_is_heard_and_not_what_is_written() -> None:
    plain, _ = local_voice.read("Thank you, Kasia!", VOICES["mira"])
    respelt, words = local_voice.read("Thank you, Kasia!", VOICES["mira"], said_as={"Kasia": "KAH-shuh"})
    assert [word.text for word in words] == ["Thank", "you,", "Kasia!"]
    assert plain.shape != respelt.shape or not np.array_equal(plain, respelt)


@render
def test_threads_share_one_engine_and_hear_the_same() -> None:
    heard: list[bytes] = []
    threads = [
        threading.Thread(target=lambda: heard.append(local_voice.read("One two.", VOICES["bram"])[0].tobytes()))
        for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(heard) == 3
    assert len(set(heard)) == 1


@render
def test_nothing_that_can_be_heard_is_cut_off_a_line() -> None:
    engine = local_voice._engine()
    for text in ("Five of us.", "Thank you for both.", "She laughs.", "His soft wish."):
        samples, _ = engine.speak(engine.sound_out(say(text)), VOICES["mira"], 1.0)
        begin, end = voicebox.sounding(samples, RATE)
        first, last = round((begin - local_voice.LEAD) * RATE), round((end + local_voice.TAIL) * RATE)
        loudest = np.square(samples[: len(samples) // 240 * 240]).reshape(-1, 240).mean(axis=1).max()
        lost = [part for part in (samples[:first], samples[last:]) if len(part)]
        assert all(np.square(part).max() < loudest * 10**-4 for part in lost), text


@render
def test_a_listener_understands_every_voice() -> None:
    text = "Every summer you drove us to the lake, with the windows down and the radio loud. Thank you for the jokes."
    for voice, recipe in VOICES.items():
        heard = listening.heard(local_voice.read(text, recipe)[0], RATE, beams=1)
        assert listening.wrong(listening.words(text), listening.words(heard)) <= 1, (voice, heard)


def test_the_listener_counts_words_as_they_are_said() -> None:
    words, wrong = listening.words, listening.wrong
    assert words("Your 60th, Mum — off-key!") == ["your", "sixtieth", "mom", "off", "key"]
    assert wrong(words("a treehouse in March"), words("A tree house in March.")) == 0
    assert wrong(words("Happy birthday, Leo"), words("birthday lee oh no")) == 4
    assert wrong([], ["so"]) == wrong(["so"], []) == 1


# ---- parts that need no model -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "sounds"),
    [
        ("see-oh-MAH-ra", "siOmˈɑɹə"),
        ("eye-LEEN", "Ilˈin"),
        ("shawn", "ʃˈɔn"),
        ("hoh-ZAY", "hOzˈA"),
        ("WOO-kahsh's", "wˈukɑʃᵻz"),
        ("kate", "kˈAt"),
        ("KLOH-ee", "klˈOi"),
        ("", ""),
        ("]](/x/)", "ks"),
    ],
)
def test_respellings_are_sounded_out(written: str, sounds: str) -> None:
    assert respelling(written) == sounds


def test_every_built_in_name_can_be_sounded_out_with_one_stress() -> None:
    assert {name: respelling(said).count("ˈ") for name, said in NAMES.items()} == dict.fromkeys(NAMES, 1)


def test_the_writer_is_told_how_fast_each_voice_speaks() -> None:
    assert words_per_second("bram") < words_per_second("mira") < words_per_second("pip")
    assert words_per_second("somebody new") == words_per_second("mira")


def spectra(frames: int = 8) -> Spectra:
    rng = np.random.default_rng(1)
    rows = [rng.normal(size=(BINS, frames)).astype(np.float32) for _ in range(5)]
    return Spectra(*rows, np.array([200.0] * (frames - 1) + [0.0], np.float32))


def test_the_plain_voice_is_left_as_it_is() -> None:
    before = spectra()
    assert warp(before, VoiceRecipe("plain")) is before


def test_a_deeper_voice_has_lower_pitch_and_lower_resonances() -> None:
    before = spectra()
    before.harmonics[:] = -5
    before.harmonics[100:121] = 3  # a resonance around 2200 Hz
    after = warp(before, VoiceRecipe("deep", pitch=0.6, formant=0.8))
    assert after.pitch[0] == pytest.approx(120)
    assert after.pitch[-1] == 0
    assert np.argmax(after.harmonics[:, 0]) == pytest.approx(0.8 * 110, abs=9)
    assert [part.shape for part in after] == [part.shape for part in before]


def test_silence_has_no_beginning_and_no_loudness() -> None:
    silence = np.zeros(RATE, np.float32)
    assert voicebox.sounding(silence, RATE) == (0, 0)
    assert voicebox.loudness(silence, RATE) == float("-inf")
    assert voicebox.level(silence, RATE) is silence


def test_loudness_is_that_of_the_standard() -> None:
    # BS.1770-4: a 997 Hz sine of full scale in one channel measures -3.01 LUFS.
    tone = np.sin(2 * np.pi * 997 * np.arange(3 * RATE) / RATE).astype(np.float32)
    assert voicebox.loudness(tone, RATE) == pytest.approx(-3.01, abs=0.05)


def test_peaks_are_held_below_the_ceiling_without_touching_the_rest() -> None:
    samples = (0.1 * np.sin(np.arange(RATE) / 10)).astype(np.float32)
    samples[12000:12010] = 1.5
    held = voicebox.limit(samples, RATE, -1.5)
    assert np.abs(held).max() <= 10 ** (-1.5 / 20)
    assert np.array_equal(held[:11500], samples[:11500])
    assert np.array_equal(held[12600:], samples[12600:])


def test_a_clip_may_reach_beyond_the_sound() -> None:
    piece = voicebox.clip(np.ones(2400, np.float32), RATE, -0.05, 0.2)
    assert len(piece) == round(0.25 * RATE)
    assert not piece[:1200].any()
    assert not piece[3600:].any()
