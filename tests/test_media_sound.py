"""The film's sound: what it measures, what the listener gets, and which music is chosen."""

import math
import wave
from dataclasses import replace

import numpy as np
import pytest

from pipeline.media import encode, music, samples, sound
from pipeline.media.probe import BadMedia
from pipeline.media.samples import RATE
from pipeline.media.soundtrack import Soundtrack

pytestmark = pytest.mark.render

OCCASIONS = ["birthday", "wedding", "anniversary", "graduation", "retirement", "new_baby"]
OCCASIONS += ["thank_you", "sorry", "condolence", "pet", "team", "just_because"]


def speech(seconds: float, rate: int = RATE, seed: int = 1) -> np.ndarray:
    """Something with the pitch, the syllables and the breath of a voice."""
    rng = np.random.default_rng(seed)
    t = np.arange(round(seconds * rate)) / rate
    pitch = 2 * np.pi * np.cumsum(120 + 12 * np.sin(2 * np.pi * 0.7 * t)) / rate
    tones = sum(np.cos(k * pitch + k * k) / (1 + abs(k - 5)) for k in range(1, 25))
    syllables = np.clip(np.sin(2 * np.pi * 2 * t), 0, None) ** 0.5 + 0.02
    noise = 0.05 * rng.standard_normal(len(t))
    return ((tones / 4 + noise) * syllables * 0.3).astype(np.float32)


def write(path, signal, rate=RATE):
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes((np.clip(signal, -1, 1) * 32767).astype("<i2").tobytes())
    return path


def read(path) -> np.ndarray:
    with wave.open(str(path)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (RATE, 2, 2)
        return np.frombuffer(file.readframes(file.getnframes()), "<i2").reshape(-1, 2).T / 32768


def level(signal) -> float:
    return float(10 * np.log10(np.mean(np.square(signal)) + 1e-12))


@pytest.fixture(scope="module")
def reads(tmp_path_factory):
    folder = tmp_path_factory.mktemp("reads")
    return [
        (write(folder / "a.wav", speech(1.5, 24_000), 24_000), 0.5),
        (write(folder / "b.wav", 0.2 * speech(1.5, 22_050, seed=2), 22_050), 3.0),
    ]


@pytest.fixture(scope="module")
def plain(tmp_path_factory, reads):
    """Both reads without music: the file, its loudness, and its samples."""
    path = tmp_path_factory.mktemp("plain") / "mix.wav"
    sound.mix(reads, None, 5.37, path)
    return path, sound.loudness(path), read(path)


@pytest.fixture
def tone(tmp_path):
    """Music one can measure: a steady 1 kHz tone that never changes its level by itself."""
    return write(tmp_path / "tone.wav", 0.2 * np.sin(2 * np.pi * 1000 * np.arange(12 * RATE) / RATE))


def test_the_mix_has_the_length_the_level_and_the_peak_it_promises(plain):
    _, made, film = plain
    assert film.shape == (2, round(5.37 * RATE))
    assert made.lufs == pytest.approx(-14, abs=0.3)
    assert made.true_peak <= -1.5


def test_with_music_it_promises_the_same(tmp_path, reads, tone):
    sound.mix(reads, tone, 5.0, tmp_path / "mix.wav")
    made = sound.loudness(tmp_path / "mix.wav")
    assert made.lufs == pytest.approx(-14, abs=0.3)
    assert made.true_peak <= -1.5


def test_pauses_are_quiet_but_never_digital_silence(plain):
    film = plain[2]
    whole = film[:, : film.shape[1] // 480 * 480].reshape(2, -1, 480)
    assert np.abs(whole).max(axis=(0, 2)).min() > 0
    assert level(film[:, round(2.3 * RATE) : round(2.8 * RATE)]) < -50


def test_one_read_is_enough(tmp_path, reads):
    sound.mix(reads[:1], None, 3.0, tmp_path / "mix.wav")
    assert sound.loudness(tmp_path / "mix.wav").lufs == pytest.approx(-14, abs=0.3)


def test_music_alone_is_a_mix_too(tmp_path, tone):
    sound.mix([], tone, 5.0, tmp_path / "mix.wav")
    assert sound.loudness(tmp_path / "mix.wav").lufs == pytest.approx(-14, abs=0.3)


def test_a_film_in_which_nobody_speaks_stays_quiet_and_is_not_turned_up_to_noise(tmp_path):
    silent = write(tmp_path / "silent.wav", np.zeros(RATE))
    sound.mix([(silent, 0.5)], None, 3.0, tmp_path / "mix.wav")
    assert level(read(tmp_path / "mix.wav")) < -55


def test_a_quiet_line_is_as_loud_as_its_neighbour(plain, reads):
    levels = [level(plain[2][:, round(start * RATE) : round((start + 1.5) * RATE)]) for _, start in reads]
    assert levels[0] == pytest.approx(levels[1], abs=1)


def test_a_line_full_of_loud_vowels_is_as_loud_as_a_flat_one():
    """Compression takes more from the one than from the other; they are brought to one level after it."""
    t = np.arange(2 * RATE) / RATE
    flat = (0.2 * np.sin(2 * np.pi * 300 * t)).astype(np.float32)
    bursts = (flat * np.where(np.sin(2 * np.pi * 2 * t) > 0.9, 4.0, 0.2)).astype(np.float32)
    levels = [samples.loudness_of(sound._evened(read)[np.newaxis]) for read in (flat, bursts, speech(2.0))]
    assert levels == pytest.approx([sound.SPEECH] * 3, abs=0.1)


def test_a_sharp_s_is_softened_and_a_vowel_is_left_alone():
    vowel = sound._leveled(speech(1.0))
    hiss = np.diff(np.random.default_rng(3).standard_normal(RATE // 5 + 1)).astype(np.float32) * 0.12
    soft = sound._softened(np.concatenate([vowel, hiss, *[0.2 * hiss] * 3]))
    assert level(soft[: RATE - 2400]) == pytest.approx(level(vowel[: RATE - 2400]), abs=0.2)
    assert 3 < level(hiss) - level(soft[RATE + 240 : RATE + RATE // 5]) < 10
    assert level(soft[-RATE // 5 :]) == pytest.approx(level(0.2 * hiss), abs=0.5), "an s of ordinary strength stays"


def test_each_read_starts_where_it_was_placed(plain, reads):
    for _, start in reads:
        before = plain[2][0, round((start - 0.05) * RATE) : round(start * RATE)]
        after = plain[2][0, round((start + 0.02) * RATE) : round((start + 0.1) * RATE)]
        assert level(after) > level(before) + 20


def test_a_read_that_outlasts_the_film_is_faded_out_at_its_end(tmp_path, reads):
    sound.mix(reads, None, 3.7, tmp_path / "mix.wav")
    film = read(tmp_path / "mix.wav")
    assert level(film[:, -48:]) < -30


def test_music_lies_ten_decibels_lower_under_speech_and_comes_back(tmp_path, tone):
    quiet = write(tmp_path / "quiet.wav", 1e-4 * np.ones(RATE))
    sound.mix([(quiet, 3.0)], tone, 9.0, tmp_path / "mix.wav", words=[(2.5, 4.5)])
    film = read(tmp_path / "mix.wav")
    before, under, after = (level(film[:, round(a * RATE) : round((a + 1) * RATE)]) for a in (1.2, 3.0, 5.2))
    assert before - under == pytest.approx(sound.DUCK, abs=0.5)
    assert after == pytest.approx(before, abs=0.5)


def test_the_music_is_down_before_the_first_word_and_up_half_a_second_after_the_last():
    curve = music.duck([(3.0, 5.0)], 10.0)
    assert curve.shape == (10 * RATE,)
    assert curve[round(2.7 * RATE)] == 0
    assert curve[round(2.85 * RATE) : 3 * RATE].max() > 0.5
    assert curve[3 * RATE : 5 * RATE].min() > 0.999
    assert curve[round(5.7 * RATE)] == pytest.approx(0, abs=0.01)


@pytest.mark.parametrize("pause", [0.1, 0.4, 0.79])
def test_the_music_does_not_pump_between_words(pause):
    words = [(1 + i * (0.3 + pause), 1.3 + i * (0.3 + pause)) for i in range(6)]
    curve = music.duck(words, 10.0)
    assert curve[RATE : round(words[-1][1] * RATE)].min() > 0.999


def test_a_longer_pause_lets_the_music_rise_only_as_far_as_it_has_time_to():
    lowest = [float(music.duck([(1, 2), (2 + gap, 4 + gap)], 9.0)[2 * RATE : round((2 + gap) * RATE)].min())
              for gap in (0.7, 1.2, 1.6, 2.5)]  # fmt: skip
    assert lowest == sorted(lowest, reverse=True)
    assert lowest[0] > 0.99
    assert 0.3 < lowest[1] < 0.9
    assert lowest[3] < 0.01


def test_the_ducking_never_jumps():
    curve = music.duck([(0.05, 1), (1.9, 2.5), (2.6, 4), (5, 5.99)], 6.0)
    assert np.abs(np.diff(curve)).max() < 0.001


@pytest.mark.parametrize("rate", [8_000, 16_000, 22_050, 24_000, 44_100, 48_000])
def test_resampling_keeps_pitch_level_and_length_and_adds_nothing(rate):
    t = np.arange(rate) / rate
    out = samples.clean((0.5 * np.sin(2 * np.pi * 1000 * t)).astype(np.float32), rate)
    assert len(out) == RATE
    middle = out[RATE // 4 : 3 * RATE // 4]
    spectrum = np.abs(np.fft.rfft(middle * np.hanning(len(middle))))
    assert spectrum.argmax() * RATE / len(middle) == pytest.approx(1000, abs=2)
    assert np.abs(middle).max() == pytest.approx(0.5, abs=0.01)
    spectrum[480:521] = 0
    assert spectrum.max() < 1e-3 * len(middle) / 8


def test_rumble_is_taken_out_and_the_voice_is_not():
    t = np.arange(RATE * 2) / RATE
    rumble, voice = (np.sin(2 * np.pi * f * t).astype(np.float32) for f in (20, 200))
    middle = slice(RATE // 2, 3 * RATE // 2)
    assert level(samples.clean(rumble, RATE)[middle]) < level(rumble) - 20
    assert level(samples.clean(voice, RATE)[middle]) == pytest.approx(level(voice), abs=0.3)


def test_our_loudness_is_the_standards(plain):
    """BS.1770-4: a 997 Hz sine at 0 dBFS in one channel is −3.01 LUFS; and FFmpeg's meter agrees about a mix."""
    t = np.arange(5 * RATE) / RATE
    sine = np.stack([np.sin(2 * np.pi * 997 * t), np.zeros_like(t)]).astype(np.float32)
    assert samples.loudness_of(sine) == pytest.approx(-3.01, abs=0.05)
    _, made, film = plain
    assert samples.loudness_of(film.astype(np.float32)) == pytest.approx(made.lufs, abs=0.1)
    assert samples.loudness_of(np.zeros((2, RATE), np.float32)) == -math.inf


def test_the_limiter_holds_peaks_between_samples_too(tmp_path):
    """A sine at a quarter of the rate, 45° off: every sample is at 0.707 of the wave's real peak."""
    t = np.arange(RATE)
    wave_ = np.sin(2 * np.pi * t / 4 + np.pi / 4).astype(np.float32)
    wave_ *= np.hanning(RATE) ** 0.1  # a sine that starts at once has far higher peaks in its first wave
    out = samples.limited(np.stack([wave_, wave_]).astype(np.float32), -3.0)
    path = tmp_path / "limited.wav"
    sound._save(out, path)
    assert sound.loudness(path).true_peak <= -2.9


def test_the_limiter_leaves_alone_what_is_under_the_ceiling():
    quiet = 0.1 * speech(1.0)[np.newaxis]
    assert np.array_equal(samples.limited(quiet, -2.0), quiet)


def test_loudness_of_silence_is_minus_infinity(tmp_path):
    measured = sound.loudness(write(tmp_path / "silent.wav", np.zeros(RATE)))
    assert measured.lufs == -math.inf


def test_a_short_track_is_carried_on_without_a_gap(tmp_path):
    beat = np.zeros(12 * RATE, np.float32)
    for i in range(24):  # 120 a minute
        hit = round(i * 0.5 * RATE)
        beat[hit : hit + 4800] += np.exp(-np.arange(4800) / 1200) * np.sin(np.arange(4800) * 0.05)
    path = write(tmp_path / "beat.wav", 0.5 * beat)
    laid = music.bed(path, 25.0)
    assert laid.shape == (2, 25 * RATE)
    loud = np.square(laid[0, : 20 * RATE]).reshape(-1, 480).mean(axis=1)
    hits = np.flatnonzero((loud > 0.3 * loud.max()) & (np.roll(loud, 1) < 0.1 * loud.max())) / 100
    hits = hits[hits > 1]
    assert np.allclose(np.diff(hits), 0.5, atol=0.025), "the beat stumbles at the seam"


@pytest.mark.parametrize("bad", [b"", b"not a sound" * 50])
def test_a_read_that_is_no_sound_is_refused(tmp_path, bad):
    (tmp_path / "bad.wav").write_bytes(bad)
    with pytest.raises(BadMedia):
        sound.mix([(tmp_path / "bad.wav", 0.0)], None, 2.0, tmp_path / "mix.wav")


@pytest.mark.parametrize(("start", "seconds"), [(-0.1, 3.0), (3.0, 3.0), (0.0, 0.0)])
def test_impossible_places_are_refused(tmp_path, reads, start, seconds):
    with pytest.raises(ValueError, match="starts inside"):
        sound.mix([(reads[0][0], start)], None, seconds, tmp_path / "mix.wav")


@pytest.mark.render
@pytest.mark.parametrize(("mood", "seconds"), [*((mood, 12.0) for mood in music.moods()), ("calm", 60.0)])
def test_after_aac_every_mood_keeps_its_level_and_its_peak(tmp_path, reads, mood, seconds):
    track = music.choose(mood, "just_because", 0)
    sound.mix(reads, track.path, seconds, tmp_path / "mix.wav")
    encode.sound(tmp_path / "mix.wav", tmp_path / "mix.m4a")
    coded = sound.loudness(tmp_path / "mix.m4a")
    assert coded.lufs == pytest.approx(-14, abs=0.3)
    assert coded.true_peak <= -1.0


@pytest.mark.parametrize("tone_", ["warm", "funny", "heartfelt", "epic"])
@pytest.mark.parametrize("occasion", OCCASIONS)
def test_every_tone_and_occasion_has_music(tone_, occasion):
    track = music.choose(tone_, occasion, 7)
    assert track.path.is_file()
    assert track.licence == "MIT"
    assert track == music.choose(tone_, occasion, 7)


@pytest.mark.parametrize("tone_", ["funny", "epic", "energetic", "happy"])
@pytest.mark.parametrize("occasion", ["condolence", "sorry"])
def test_condolence_and_apology_are_calm_whatever_was_asked(tone_, occasion):
    assert music.choose(tone_, occasion, 3).mood == "calm"


def test_another_seed_is_another_track_of_the_same_mood():
    chosen = {music.choose("warm", "birthday", seed) for seed in range(6)}
    assert len(chosen) == 6
    assert {track.mood for track in chosen} == {"tender"}


def test_a_word_that_is_no_mood_is_refused():
    with pytest.raises(ValueError, match="the moods are calm"):
        music.choose("loud", "birthday", 1)


def test_the_credits_name_the_licence():
    assert "MIT" in music.licence_note()


@pytest.mark.render
def test_a_soundtrack_is_called_by_what_is_heard_and_made_once(reads, tmp_path):
    track = Soundtrack(reads=((reads[0][0], 0.5),), music=reads[0][0], seconds=3.0, words=((0.5, 1.0),))
    made = track.make(tmp_path)
    assert made.name == track.name == replace(track).name
    assert [path.name for path in tmp_path.iterdir()] == [track.name], "and nothing else is left"
    before = made.stat().st_mtime_ns
    assert track.make(tmp_path).stat().st_mtime_ns == before
    others = [{"reads": ((reads[0][0], 0.6),)}, {"reads": ()}, {"seconds": 3.1}, {"words": ((0.5, 1.1),)}]
    assert len({track.name, *(replace(track, **other).name for other in others)}) == 5
