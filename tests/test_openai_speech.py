"""Voices of speech servers against the sandbox: what is sent, what every answer becomes, when each word is heard."""

from __future__ import annotations

import dataclasses
import json
import time
import wave

import pytest

from pipeline.providers import local_voice
from pipeline.providers.base import ProviderError, Reading, ReadRequest
from pipeline.providers.local_voice import RATE, VOICES
from pipeline.providers.openai_speech import OpenAISpeech, is_cut, pieces_of
from sandbox.openai import openai
from sandbox.server import Response, running
from sandbox.speaking import as_wav

pytestmark = pytest.mark.slow  # they speak to a server, and wait for it

LINE = "Happy 60th birthday, Eileen! In 1998 you danced."
SHORT = "You made it, Kasia!"

render = pytest.mark.render


@pytest.fixture(scope="module")
def server():
    with running({"openai": openai}, speed=1000) as made:
        yield made


@pytest.fixture
def sandbox(server):
    server.world.journal.clear()
    server.world.speed = 1000.0
    yield server
    server.world.rules.clear()
    server.world.left.clear()


def voice(sandbox, key="sk-test", **how):
    return OpenAISpeech(key, base_url=sandbox.at("openai"), **how)


def ask(text=LINE, voice="mira", said_as=None, **settings):
    return ReadRequest(text, voice, said_as or {}, settings).to_json()


def sent(sandbox, path="/v1/audio/speech"):
    return [json.loads(one.body) for one in sandbox.world.asked("openai", path)]


def check(answer, text):
    reading = Reading.from_json(answer.result)
    assert [word.text for word in reading.words] == text.split()
    times = [at for word in reading.words for at in (word.start, word.end)]
    assert times == sorted(times)
    assert times[0] >= 0
    assert times[-1] <= reading.seconds
    with wave.open(str(answer.files["audio"])) as audio:
        assert (audio.getnchannels(), audio.getsampwidth(), audio.getframerate()) == (1, 2, RATE)
        assert audio.getnframes() / RATE == pytest.approx(reading.seconds, abs=0.001)
    return reading


# --- what goes out ------------------------------------------------------------------------------


@render
def test_only_what_every_server_understands_is_sent(sandbox, tmp_path):
    answer = voice(sandbox, model="kokoro", price=15_000).submit("k", ask(SHORT, pace=0.9), tmp_path)
    check(answer, SHORT)
    (one,) = sandbox.world.asked("openai", "/v1/audio/speech")
    assert json.loads(one.body) == {
        "model": "kokoro", "input": SHORT, "voice": "mira", "response_format": "wav", "speed": 0.9,
    }  # fmt: skip
    assert one.headers["authorization"] == "Bearer sk-test"
    assert answer.cost == 15 * len(SHORT)
    assert [path.name for path in tmp_path.iterdir()] == [answer.files["audio"].name]


@render
def test_the_respelling_is_said_and_the_written_word_is_shown(sandbox, tmp_path):
    answer = voice(sandbox).submit("k", ask(SHORT, said_as={"Kasia": "KAH-shuh"}), tmp_path)
    assert sent(sandbox)[0]["input"] == "You made it, KAH-shuh!"
    check(answer, SHORT)


@render
def test_the_address_may_end_with_the_version_and_a_pace_is_kept_within_speech(sandbox, tmp_path):
    made = OpenAISpeech("k", base_url=f"{sandbox.at('openai')}/v1/")
    slow = made.submit("slow", ask("Yes, we did.", pace=0.1), tmp_path).result["seconds"]
    fast = made.submit("fast", ask("Yes, we did.", pace=40), tmp_path).result["seconds"]
    assert [body["speed"] for body in sent(sandbox)] == [0.5, 2.0]
    assert slow > 1.5 * fast


@render
def test_a_text_too_long_for_one_request_is_read_sentence_by_sentence(sandbox, tmp_path, monkeypatch):
    monkeypatch.setattr("pipeline.providers.openai_speech.pieces_of", lambda text: pieces_of(text, 30))
    text = "You flew the shuttle. You drink too much coffee. Your cat is in command!"
    answer = voice(sandbox, price=1_000_000).submit("k", ask(text), tmp_path)
    assert [body["input"] for body in sent(sandbox)] == pieces_of(text, 30)
    reading = check(answer, text)
    words = {word.text: word for word in reading.words}
    assert 0.3 < words["Your"].start - words["coffee."].end < 0.6
    assert answer.cost == 1000 * sum(map(len, pieces_of(text, 30)))
    assert [path.name for path in tmp_path.iterdir()] == [answer.files["audio"].name]


def test_pieces_are_whole_sentences_and_lose_no_word():
    text = "One two. Three “four five!” " + "word " * 30 + "end. 🎂 Ha? ..."
    pieces = pieces_of(text, 40)
    assert " ".join(pieces).split() == text.split()
    assert all(len(piece) <= 44 for piece in pieces)  # an emoji stays with the sentence it follows
    assert pieces[0] == "One two. Three “four five!”"
    assert pieces_of("All of it. In one.") == ["All of it. In one."]
    with pytest.raises(ProviderError):
        pieces_of("w" * 50, 40)


# --- what comes back ----------------------------------------------------------------------------

TROUBLES = [
    ("busy", "busy"), ("quota", "locked"), ("bad_key", "locked"), ("forbidden", "locked"), ("bad_request", "refused"),
    ("conflict", "passing"), ("no_model", "gone"), ("no_voice", "gone"), ("down", "unknown"), ("silent", "unknown"),
    ("page", "passing"), ("json_audio", "passing"), ("empty", "passing"), ("mute", "passing"), ("cut", "passing"),
    ("broken_off", "unknown"),
]  # fmt: skip


@render
@pytest.mark.parametrize(("fault", "trouble"), TROUBLES)
def test_every_trouble_is_told_from_the_others(sandbox, tmp_path, fault, trouble):
    sandbox.world.switch(f"openai.{fault}", 1, times=True)
    with pytest.raises(ProviderError) as no:
        voice(sandbox, price=15_000).submit("k", ask(SHORT), tmp_path)
    assert no.value.trouble == trouble, no.value
    assert no.value.retryable == (trouble in ("passing", "busy", "unknown"))
    assert bool(no.value.fan) == (trouble == "gone")
    assert no.value.retry_after == (1.5 if fault == "busy" else None)
    was_read = fault in ("page", "empty", "mute", "cut")
    assert bool(no.value.cost) == was_read, "a line that was read is charged"
    assert not list(tmp_path.iterdir())
    assert len(sent(sandbox)) == 1
    check(voice(sandbox).submit("k", ask(SHORT), tmp_path), SHORT)


@render
@pytest.mark.parametrize("fault", ["slow", "trickle"])
def test_an_answer_that_takes_too_long_is_given_up(sandbox, tmp_path, fault):
    sandbox.world.speed = 20.0
    sandbox.world.switch(f"openai.{fault}", 1, times=True)
    start = time.monotonic()
    with pytest.raises(ProviderError) as no:
        voice(sandbox, seconds=0.8).submit("k", ask(SHORT), tmp_path)
    assert no.value.trouble == "unknown"
    assert time.monotonic() - start < 3


@pytest.mark.parametrize(
    ("status", "body", "trouble"),
    [
        (400, {"detail": {"error": "invalid_model", "message": "Unsupported model: x", "type": "bad"}}, "gone"),
        (400, {"detail": {"message": "Voice 'x' not found. Available voices: a"}}, "gone"),
        (404, {"detail": "Voice file 'x.wav' not found."}, "gone"),
        (400, {"message": "Invalid voice", "code": 400, "type": "BadRequestError", "param": None}, "gone"),
        (422, {"detail": [{"loc": ["body", "speed"], "msg": "Input should be less than 4"}]}, "refused"),
        (429, {"error": {"code": "billing_hard_limit_reached", "message": "no"}}, "locked"),
        (503, {"detail": "loading"}, "unknown"),
    ],
)
def test_other_servers_say_no_in_their_own_ways(tmp_path, status, body, trouble):
    with (
        running({"openai": lambda world: [("POST", "/v1/audio/speech", lambda request: Response(status, body))]}) as it,
        pytest.raises(ProviderError) as no,
    ):
        voice(it).submit("k", ask(SHORT), tmp_path)
    assert no.value.trouble == trouble


@render
def test_a_voice_of_any_rate_container_and_name_is_made_ours(tmp_path):
    samples, _ = local_voice.read(SHORT, VOICES["bram"])
    route = ("POST", "/v1/audio/speech", lambda request: Response(200, as_wav(samples, 22_050)))
    with running({"openai": lambda world: [route]}) as it:
        check(voice(it, key="").submit("k", ask(SHORT, "person.wav"), tmp_path), SHORT)
        assert "authorization" not in it.world.asked("openai")[0].headers


def test_a_header_that_promises_more_than_there_is_was_cut_and_a_streams_was_not():
    whole = as_wav(local_voice.np.ones(4800, "f4"))
    streamed = whole[:40] + b"\xff\xff\xff\xff" + whole[44:]
    unsaid = whole[:40] + b"\0" * 4 + whole[44:]
    bodies = (whole, whole[:-2], streamed, unsaid, b"ID3" * 20)
    assert [is_cut(body) for body in bodies] == [False, True, False, False, False]


# --- when each word is heard --------------------------------------------------------------------


def starts(answer):
    return [word["start"] for word in answer.result["words"]]


@render
def test_a_transcription_gives_the_words_their_times(sandbox, tmp_path):
    _, real = local_voice.read(LINE, VOICES["mira"])
    heard = voice(sandbox, hearing_model="whisper-1", hearing_price=6_000_000).submit("k", ask(), tmp_path)
    guessed = voice(sandbox).submit("k", ask(), tmp_path)
    check(heard, LINE)
    (asked,) = sandbox.world.asked("openai", "/v1/audio/transcriptions")
    assert b'name="timestamp_granularities[]"\r\n\r\nword' in asked.body
    assert heard.cost == pytest.approx(6_000_000 * heard.result["seconds"] / 60, abs=2)
    off = [abs(one - word.start) for one, word in zip(starts(heard), real, strict=True)]
    assert max(off) < 0.06
    assert sum(off) < sum(abs(one - word.start) for one, word in zip(starts(guessed), real, strict=True))


@render
@pytest.mark.parametrize("fault", ["deaf", "mishears"])
def test_a_transcription_that_fails_costs_no_line(sandbox, tmp_path, fault):
    sandbox.world.switch(f"openai.{fault}", 1, times=True)
    answer = voice(sandbox, hearing_model="whisper-1").submit("k", ask(), tmp_path)
    check(answer, LINE)
    assert starts(answer) == starts(voice(sandbox).submit("k", ask(), tmp_path))


@render
def test_a_voice_that_hums_is_timed_by_the_length_of_the_words(sandbox, tmp_path):
    answer = voice(sandbox, hearing_model="whisper-1").submit("k", ask(LINE, "alloy"), tmp_path)
    reading = check(answer, LINE)
    longest = max(reading.words, key=lambda word: word.end - word.start)
    assert longest.text in ("1998", "birthday,")


# --- and the rest -------------------------------------------------------------------------------


def test_the_desk_sees_the_voices_in_any_shape(sandbox):
    assert "mira, bram, pip" in voice(sandbox).check()
    for found, names in (
        ({"status": "ok", "voices": ["a.wav", "b.wav"]}, ["a.wav", "b.wav"]),
        ({"voices": [{"id": "x", "name": "y"}, {"name": "z"}, 5]}, ["x", "z"]),
        (["nothing", "known"], []),
    ):
        routes = [("GET", "/v1/audio/voices", lambda request, found=found: Response(200, found))]
        routes.append(("GET", "/v1/models", lambda request: Response(200, {"data": []})))
        with running({"openai": lambda world, routes=routes: routes}) as it:
            assert voice(it).voices() == names
    with running({"openai": lambda world: []}) as it:
        assert voice(it).check() == "it answers, and lists no voices"
    with pytest.raises(ProviderError) as no:
        voice(sandbox, key="").check()
    assert no.value.trouble == "locked"


def test_a_line_is_priced_before_it_is_read(sandbox):
    made = voice(sandbox, price=15_000, hearing_model="w", hearing_price=6_000, limit=2)
    assert made.estimate(ask("x" * 5 + " a" * 10)) == 15 * 25 + 1 + round(25 / 12 / 60 * 6000)
    assert (made.limit, made.model, made.recovery) == (2, "tts-1", "redo")


@pytest.mark.parametrize("broken", [{}, {"text": 5}, ask(pace="fast"), ask(pace=0), ask(pace=float("nan"))])
def test_a_request_nobody_understands_is_not_sent(sandbox, tmp_path, broken):
    with pytest.raises(ProviderError) as no:
        voice(sandbox).submit("k", broken, tmp_path)
    assert no.value.trouble == "refused"
    assert sent(sandbox) == []


def test_a_reading_request_is_plain_data():
    assert dataclasses.asdict(ReadRequest.from_json(ask())) == ask()
