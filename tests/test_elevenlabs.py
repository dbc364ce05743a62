"""ElevenLabs through its sandbox: what is sent, what comes of it, and what each of its troubles means."""

from __future__ import annotations

import hashlib
import hmac
import json
import socket
import wave
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.providers.base import BadHook, ProviderError, Reading, ReadRequest
from pipeline.providers.elevenlabs import ElevenLabs
from sandbox.elevenlabs import elevenlabs
from sandbox.server import Sandbox, running

pytestmark = [pytest.mark.render, pytest.mark.slow]

LINE = "Happy 60th birthday, Eileen! We love you."


@pytest.fixture(scope="module")
def server() -> Iterator[Sandbox]:
    with running({"elevenlabs": elevenlabs}, speed=1000) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(server: Sandbox) -> Iterator[Sandbox]:
    server.world.journal.clear()
    yield server
    server.world.rules.clear()
    server.world.left.clear()


@pytest.fixture
def voice(sandbox: Sandbox) -> ElevenLabs:
    return ElevenLabs("key", base_url=sandbox.at("elevenlabs"), price=100_000, limit=3)


def ask(text: str = LINE, voice: str = "mira", said_as: dict[str, str] | None = None, **settings: object) -> dict:
    return ReadRequest(text, voice, said_as or {}, settings).to_json()


def test_a_line_comes_back_as_a_wav_with_its_words_timed(voice: ElevenLabs, tmp_path: Path) -> None:
    answer = voice.submit("k", ask(), tmp_path)
    reading = Reading.from_json(answer.result)
    assert [word.text for word in reading.words] == LINE.split()
    times = [time for word in reading.words for time in (word.start, word.end)]
    assert times == sorted(times)
    assert times[-1] <= reading.seconds
    assert reading.seconds - times[-1] < 0.3  # the vendor's own times, and not a guess
    with wave.open(str(answer.files["audio"])) as audio:
        assert audio.getnframes() / audio.getframerate() == pytest.approx(reading.seconds, abs=0.001)
    assert [path.name for path in tmp_path.iterdir()] == [answer.files["audio"].name]
    assert answer.cost == len(LINE) * 100  # as the vendor counted
    assert answer.external_id.startswith("req")


def test_what_is_sent_is_the_key_the_respelling_the_known_settings_and_a_seed(
    voice: ElevenLabs, sandbox: Sandbox, tmp_path: Path
) -> None:
    settings = {"stability": 0.5, "use_speaker_boost": True, "pace": 0.5, "colour": "blue"}
    answer = voice.submit("k", ask(said_as={"Eileen": "eye-LEEN"}, **settings), tmp_path)
    (sent,) = sandbox.world.asked("elevenlabs", "/v1/text-to-speech/mira/with-timestamps", "POST")
    body = json.loads(sent.body)
    assert sent.headers["xi-api-key"] == "key"
    assert body["text"] == "Happy 60th birthday, eye-LEEN! We love you."
    assert body["voice_settings"] == {"stability": 0.5, "use_speaker_boost": True, "speed": 0.7}
    assert 0 <= body["seed"] < 2**32
    assert [word["text"] for word in answer.result["words"]] == LINE.split()


def test_the_same_key_is_the_same_request(voice: ElevenLabs, sandbox: Sandbox, tmp_path: Path) -> None:
    voice.submit("k", ask(), tmp_path)
    voice.submit("k", ask(), tmp_path)
    voice.submit("another", ask(), tmp_path)
    one, two, three = (asked.body for asked in sandbox.world.asked("elevenlabs"))
    assert one == two != three


@pytest.mark.parametrize(
    ("fault", "trouble", "wait"),
    [
        ("concurrent", "busy", 2.0),
        ("busy", "busy", 20.0),
        ("quota", "locked", None),
        ("bad_key", "locked", None),
        ("no_voice", "gone", None),
        ("too_long", "refused", None),
        ("invalid", "refused", None),
        ("down", "unknown", None),
        ("silent", "unknown", None),
        ("truncated", "passing", None),
        ("cut_off", "passing", None),
        ("html", "passing", None),
        ("empty", "passing", None),
        ("mute", "passing", None),
        ("no_json", "passing", None),
    ],
)
def test_every_fault_is_the_right_trouble(
    fault: str, trouble: str, wait: float | None, voice: ElevenLabs, sandbox: Sandbox, tmp_path: Path
) -> None:
    sandbox.world.switch(f"elevenlabs.{fault}", 1, times=True)
    with pytest.raises(ProviderError) as refused:
        voice.submit("k", ask(), tmp_path)
    assert (refused.value.trouble, refused.value.retry_after) == (trouble, wait)
    assert refused.value.retryable == (trouble in ("busy", "passing", "unknown"))
    assert bool(refused.value.fan) == (fault in ("no_voice", "too_long"))
    assert sandbox.world.fired[f"elevenlabs.{fault}"]
    assert refused.value.cost == (len(LINE) * 100 if trouble == "passing" else 0), "a line that was read is charged"
    assert not list(tmp_path.iterdir())
    assert voice.submit("k", ask(), tmp_path).state == "done"


def test_nobody_at_the_address_means_that_nothing_was_heard(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        lonely = ElevenLabs("key", base_url=f"http://127.0.0.1:{taken.getsockname()[1]}")
        with pytest.raises(ProviderError) as no:
            lonely.submit("k", ask(), tmp_path)
    assert (no.value.trouble, no.value.retryable) == ("away", True)


@pytest.mark.parametrize("fault", ["wrong_times", "no_times"])
def test_times_that_make_no_sense_do_not_lose_the_line(
    fault: str, voice: ElevenLabs, sandbox: Sandbox, tmp_path: Path
) -> None:
    sandbox.world.switch(f"elevenlabs.{fault}", 1, times=True)
    reading = Reading.from_json(voice.submit("k", ask(), tmp_path).result)
    assert [word.text for word in reading.words] == LINE.split()
    assert 0.8 * reading.seconds < reading.words[-1].end <= reading.seconds


@pytest.mark.parametrize(
    "request_",
    [
        ask(stability=2),
        ask(speed="fast"),
        ask(speed=True),
        ask(use_speaker_boost=1),
        ask(pace="slow"),
        ask("x " * 2000),
    ],
)
def test_what_they_would_refuse_is_not_sent(
    request_: dict, voice: ElevenLabs, sandbox: Sandbox, tmp_path: Path
) -> None:
    with pytest.raises(ProviderError) as refused:
        voice.submit("k", request_, tmp_path)
    assert refused.value.trouble == "refused"
    assert not sandbox.world.asked("elevenlabs")


@pytest.mark.parametrize("name", ["nobody", "../v1/user", "a b", ""])
def test_a_voice_they_do_not_have_is_gone(name: str, voice: ElevenLabs, tmp_path: Path) -> None:
    with pytest.raises(ProviderError) as refused:
        voice.submit("k", ask(voice=name), tmp_path)
    assert refused.value.trouble == "gone"
    assert refused.value.fan


def test_it_says_what_a_line_will_cost_and_how_it_stands_with_them(voice: ElevenLabs, sandbox: Sandbox) -> None:
    assert voice.estimate(ask("Hello there")) == 1100
    assert voice.estimate({}) == 0
    assert "plan creator" in voice.check()
    assert (voice.limit, voice.model) == (3, "eleven_multilingual_v2")
    sandbox.world.switch("elevenlabs.bad_key", 1, times=True)
    with pytest.raises(ProviderError) as refused:
        voice.check()
    assert refused.value.trouble == "locked"


def test_nothing_is_ever_pending_there(voice: ElevenLabs, tmp_path: Path) -> None:
    assert voice.find("k") is None
    assert voice.cancel("x") is None  # type: ignore[func-returns-value]
    with pytest.raises(ProviderError):
        voice.look("x", tmp_path)


def signed(body: bytes, secret: str, at: int) -> dict[str, str]:
    mark = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return {"elevenlabs-signature": f"t={at},v0={mark}"}


def test_a_message_is_believed_when_it_is_signed_and_young() -> None:
    voice = ElevenLabs("key", secrets=["new", "old"])
    body = json.dumps({"type": "x", "data": {"request_id": "r1"}}).encode()
    news = voice.verify(signed(body, "old", 1000), body, 1100.0)
    assert news.external_id == "r1"
    assert news == voice.verify(signed(body, "old", 1000), body, 1200.0)
    for headers, sent, now in (
        (signed(body, "forged", 1000), body, 1000.0),
        (signed(body, "new", 1000), body, 2000.0),
        (signed(body, "new", 1000), body + b" ", 1000.0),
        (signed(b"[]", "new", 1000), b"[]", 1000.0),
        ({}, body, 1000.0),
    ):
        with pytest.raises(BadHook):
            voice.verify(headers, sent, now)
