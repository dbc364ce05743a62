"""A creator's own voice service through its sandbox: at once and later, bells, recovery, every trouble."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from pipeline.providers import signatures
from pipeline.providers.base import Answer, BadHook, JobFailed, ProviderError, Reading, ReadRequest
from pipeline.providers.custom_voice import CustomVoice
from sandbox.custom_voice import FORGED, SECRET, custom_voice
from sandbox.server import Sandbox, running

from .waiting import PATIENCE, soon

pytestmark = [pytest.mark.render, pytest.mark.slow]

LINE = "Happy birthday, Eileen! We love you."


@pytest.fixture(scope="module")
def server() -> Iterator[Sandbox]:
    with running({"custom-voice": custom_voice}, speed=200) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(server: Sandbox) -> Iterator[Sandbox]:
    server.world.journal.clear()
    yield server
    server.world.rules.clear()
    server.world.left.clear()


@pytest.fixture
def voice(sandbox: Sandbox) -> CustomVoice:
    return CustomVoice("key", base_url=sandbox.at("custom-voice"), price=100_000, limit=3, secrets=[SECRET])


@pytest.fixture
def key(request: pytest.FixtureRequest) -> str:
    return f"order.{request.node.name}.1"


def ask(text: str = LINE, voice: str = "mira", said_as: dict[str, str] | None = None, **settings: object) -> dict:
    return ReadRequest(text, voice, said_as or {}, settings).to_json()


def done(voice: CustomVoice, answer: Answer, folder: Path) -> Answer:
    until = time.monotonic() + PATIENCE
    while answer.state == "pending" and time.monotonic() < until:
        time.sleep(0.02)
        answer = voice.look(answer.external_id, folder)
    return answer


def check(answer: Answer, text: str = LINE) -> None:
    assert answer.state == "done"
    reading = Reading.from_json(answer.result)
    assert [word.text for word in reading.words] == text.split()
    assert 0.8 * reading.seconds < reading.words[-1].end <= reading.seconds
    assert answer.files["audio"].stat().st_size > 1000
    assert answer.external_id


# ---- at once and later -----------------------------------------------------------------------------------------------


def test_a_line_may_be_answered_at_once(voice: CustomVoice, sandbox: Sandbox, key: str, tmp_path: Path) -> None:
    answer = voice.submit(key, ask(said_as={"Eileen": "eye-LEEN"}, pace=0.9, colour="blue"), tmp_path)
    check(answer)
    (sent,) = sandbox.world.asked("custom-voice")
    assert (sent.headers["idempotency-key"], sent.headers["authorization"]) == (key, "Bearer key")
    body = json.loads(sent.body)
    assert body == {
        "text": "Happy birthday, eye-LEEN! We love you.",
        "voice": "mira",
        "settings": {"pace": 0.9, "colour": "blue"},
        "reference": key,
        "metadata": {"text": LINE, "said_as": {"Eileen": "eye-LEEN"}},
    }
    assert answer.cost == len(body["text"]) * 100
    assert [path.name for path in tmp_path.iterdir()] == [answer.files["audio"].name]


def test_a_line_may_be_answered_later_and_still_has_its_written_words(
    voice: CustomVoice, sandbox: Sandbox, key: str, tmp_path: Path
) -> None:
    sandbox.world.switch("custom-voice.later", 1, times=True)
    answer = voice.submit(key, ask(said_as={"Eileen": "eye-LEEN"}), tmp_path)
    assert (answer.state, answer.poll_after) == ("pending", 1.0)
    check(done(CustomVoice("key", base_url=sandbox.at("custom-voice")), answer, tmp_path))


def test_audio_may_be_fetched_from_an_address_of_theirs(
    voice: CustomVoice, sandbox: Sandbox, key: str, tmp_path: Path
) -> None:
    sandbox.world.switch("custom-voice.by_url", 1, times=True)
    check(voice.submit(key, ask(), tmp_path))
    assert sandbox.world.asked("custom-voice", "/audio/")
    assert len(list(tmp_path.iterdir())) == 1


# ---- the gap ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", ["silent", "down_after"])
def test_after_a_lost_answer_the_read_is_found_by_our_key_and_not_made_twice(
    fault: str, voice: CustomVoice, sandbox: Sandbox, key: str, tmp_path: Path
) -> None:
    sandbox.world.switch(f"custom-voice.{fault}", 1, times=True)
    with pytest.raises(ProviderError) as lost:
        voice.submit(key, ask(), tmp_path)
    assert lost.value.trouble == "unknown"
    found = voice.find(key)
    assert found is not None
    assert (found.state, found.poll_after) == ("pending", 0.0)
    first = done(voice, found, tmp_path)
    check(first)
    assert voice.submit(key, ask("Something else."), tmp_path).external_id == first.external_id
    assert voice.find("never sent") is None


def test_a_read_that_is_not_wanted_any_more_is_stopped(
    voice: CustomVoice, sandbox: Sandbox, key: str, tmp_path: Path
) -> None:
    sandbox.world.switch("custom-voice.later", 1, times=True)
    sandbox.world.switch("custom-voice.stuck", 1, times=True)
    answer = voice.submit(key, ask(), tmp_path)
    assert voice.look(answer.external_id, tmp_path).state == "pending"
    voice.cancel(answer.external_id)
    with pytest.raises(JobFailed, match="cancelled"):
        voice.look(answer.external_id, tmp_path)
    voice.cancel("never-heard-of")


# ---- troubles --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "trouble", "wait", "fan"),
    [
        ("busy", "busy", 3.0, False),
        ("bad_key", "locked", None, False),
        ("no_credit", "locked", None, False),
        ("no_voice", "gone", None, True),
        ("text_refused", "refused", None, True),
        ("down", "unknown", None, False),
        ("down_after", "unknown", None, False),
        ("silent", "unknown", None, False),
        ("failed", "passing", None, False),
        ("truncated", "passing", None, False),
        ("html", "passing", None, False),
        ("empty", "passing", None, False),
        ("mute", "passing", None, False),
        ("cut_off", "passing", None, False),
        ("elsewhere", "refused", None, False),
    ],
)
def test_every_fault_is_the_right_trouble(
    fault: str,
    trouble: str,
    wait: float | None,
    fan: bool,
    voice: CustomVoice,
    sandbox: Sandbox,
    key: str,
    tmp_path: Path,
) -> None:
    sandbox.world.switch(f"custom-voice.{fault}", 1, times=True)
    with pytest.raises(ProviderError) as refused:
        voice.submit(key, ask(), tmp_path)
    assert (refused.value.trouble, refused.value.retry_after) == (trouble, wait)
    assert refused.value.retryable == (trouble in ("busy", "passing", "unknown"))
    assert bool(refused.value.fan) == fan
    was_read = fault in ("truncated", "html", "empty", "mute", "cut_off", "elsewhere")
    assert bool(refused.value.cost) == was_read, "a line that was read is charged"
    assert not list(tmp_path.iterdir())
    check(voice.submit(f"{key}.2", ask(), tmp_path))


@pytest.mark.parametrize("fault", ["failed", "html", "mute", "truncated", "elsewhere", "no_echo"])
def test_a_read_that_came_to_nothing_is_over_when_it_is_looked_at(
    fault: str, voice: CustomVoice, sandbox: Sandbox, key: str, tmp_path: Path
) -> None:
    sandbox.world.switch("custom-voice.later", 1, times=True)
    sandbox.world.switch(f"custom-voice.{fault}", 1, times=True)
    answer = voice.submit(key, ask(), tmp_path)
    with pytest.raises(JobFailed) as over:
        done(voice, answer, tmp_path)
    assert over.value.retryable == (fault not in ("elsewhere", "no_echo"))
    assert not list(tmp_path.iterdir())


def test_a_read_they_forgot_is_over_and_an_address_that_is_gone_is_asked_for_again(
    voice: CustomVoice, sandbox: Sandbox, key: str, tmp_path: Path
) -> None:
    for fault in ("by_url", "url_gone", "later"):
        sandbox.world.switch(f"custom-voice.{fault}", 1, times=True)
    answer = voice.submit(key, ask(), tmp_path)
    with pytest.raises(ProviderError) as gone:
        done(voice, answer, tmp_path)
    assert not isinstance(gone.value, JobFailed)
    check(done(voice, answer, tmp_path))
    sandbox.world.switch("custom-voice.forgotten", 1, times=True)
    with pytest.raises(JobFailed, match="forgotten") as over:
        voice.look(answer.external_id, tmp_path)
    assert over.value.retryable


@pytest.mark.parametrize("fault", ["wrong_times", "no_times"])
def test_times_that_make_no_sense_do_not_lose_the_line(
    fault: str, voice: CustomVoice, sandbox: Sandbox, key: str, tmp_path: Path
) -> None:
    sandbox.world.switch(f"custom-voice.{fault}", 1, times=True)
    check(voice.submit(key, ask(), tmp_path))


@pytest.mark.parametrize(
    "read",
    [
        None,
        [],
        {},
        {"id": 5, "status": "done"},
        {"id": "../x", "status": "pending"},
        {"id": "a"},
        {"id": "a", "status": "tired"},
    ],
)
def test_an_answer_outside_the_contract_leaves_us_in_doubt(read: object, voice: CustomVoice, tmp_path: Path) -> None:
    with pytest.raises(ProviderError) as unclear:
        voice._answer(read, tmp_path, None)
    assert unclear.value.trouble == "unknown"


@pytest.mark.parametrize(("code", "trouble"), [("busy", "busy"), ("out_of_credit", "locked"), ("odd", "passing")])
def test_a_read_that_failed_for_a_reason_that_passes_is_asked_for_anew(
    voice: CustomVoice, tmp_path: Path, code: str, trouble: str
) -> None:
    read = {"id": "a", "status": "failed", "error": {"code": code, "message": "no"}}
    with pytest.raises(JobFailed) as over:
        voice._answer(read, tmp_path, None)
    assert (over.value.trouble, over.value.retryable) == (trouble, True)


def test_a_read_that_failed_for_its_text_is_not_tried_again(voice: CustomVoice, tmp_path: Path) -> None:
    read = {"id": "a", "status": "failed", "error": {"code": "text_refused", "message": "no"}}
    with pytest.raises(JobFailed) as over:
        voice._answer(read, tmp_path, None)
    assert (over.value.trouble, over.value.retryable) == ("refused", False)
    assert over.value.fan


@pytest.mark.parametrize("wish", [-5, 1e9, float("nan"), "soon", None])
def test_a_vendors_wish_when_to_be_asked_is_bounded(wish: object, voice: CustomVoice, tmp_path: Path) -> None:
    assert 1 <= voice._answer({"id": "a", "status": "pending", "poll_after": wish}, tmp_path, None).poll_after <= 60


def test_it_says_what_a_line_will_cost_and_how_it_stands_with_them(voice: CustomVoice, sandbox: Sandbox) -> None:
    assert voice.estimate(ask("Hello there")) == 1100
    assert voice.estimate({}) == 0
    assert voice.check() == "3 voices"
    assert voice.limit == 3
    sandbox.world.switch("custom-voice.bad_key", 1, times=True)
    with pytest.raises(ProviderError) as refused:
        voice.check()
    assert refused.value.trouble == "locked"


# ---- bells -----------------------------------------------------------------------------------------------------------


class Ear:
    """Whoever is rung: it verifies as our site does, and may answer 503 first."""

    def __init__(self, voice: CustomVoice) -> None:
        self.heard: list[tuple[str, str]] = []
        self.refused: list[str] = []
        self.deaf = 0
        ear = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                try:
                    news = voice.verify(headers, body, time.time())
                    status = 503 if ear.deaf else 200
                    ear.deaf = max(0, ear.deaf - 1)
                    ear.heard.append((news.event_id, news.external_id))
                except BadHook as bad:
                    status = 401
                    ear.refused.append(str(bad))
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def address(self, key: str) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}/{key}"


@pytest.fixture
def ear(voice: CustomVoice) -> Iterator[Ear]:
    ear = Ear(voice)
    voice._webhook = ear.address
    yield ear
    ear.server.shutdown()
    ear.server.server_close()


def rung(voice: CustomVoice, sandbox: Sandbox, key: str, folder: Path, *faults: str) -> Answer:
    for fault in faults:
        sandbox.world.switch(f"custom-voice.{fault}", 1, times=True)
    return voice.submit(key, ask(), folder)


def test_they_ring_when_it_is_done(voice: CustomVoice, sandbox: Sandbox, ear: Ear, key: str, tmp_path: Path) -> None:
    answer = rung(voice, sandbox, key, tmp_path, "later")
    assert soon(lambda: len(ear.heard) == 1)
    assert ear.heard[0][1] == answer.external_id
    check(voice.look(answer.external_id, tmp_path))


def test_they_may_ring_twice_with_the_same_message_and_again_when_we_had_trouble(
    voice: CustomVoice, sandbox: Sandbox, ear: Ear, key: str, tmp_path: Path
) -> None:
    rung(voice, sandbox, key, tmp_path, "later", "hook_twice")
    assert soon(lambda: len(ear.heard) == 2)
    ear.deaf = 1
    rung(voice, sandbox, f"{key}.2", tmp_path, "later")
    assert soon(lambda: len(ear.heard) == 4)
    assert len(set(ear.heard)) == 2


def test_they_may_ring_before_they_answer(
    voice: CustomVoice, sandbox: Sandbox, ear: Ear, key: str, tmp_path: Path
) -> None:
    answer = rung(voice, sandbox, key, tmp_path, "hook_early")
    assert [ident for _, ident in ear.heard] == [answer.external_id]


@pytest.mark.parametrize("fault", ["hook_forged", "hook_stale"])
def test_a_message_that_is_not_theirs_or_too_old_is_refused(
    fault: str, voice: CustomVoice, sandbox: Sandbox, ear: Ear, key: str, tmp_path: Path
) -> None:
    answer = rung(voice, sandbox, key, tmp_path, "later", fault)
    assert soon(lambda: len(ear.refused) == 1)
    assert not ear.heard
    check(done(voice, answer, tmp_path))


@pytest.mark.parametrize("fault", ["hook_lost", "hook_late"])
def test_whoever_is_not_rung_asks(
    fault: str, voice: CustomVoice, sandbox: Sandbox, ear: Ear, key: str, tmp_path: Path
) -> None:
    answer = rung(voice, sandbox, key, tmp_path, "later", fault)
    check(done(voice, answer, tmp_path))
    assert not ear.heard
    assert sandbox.world.fired[f"custom-voice.{fault}"]


@pytest.mark.parametrize("body", [b"", b"[]", b'{"id": 5}', b'{"id": "../x"}', b'{"reference": "k"}'])
def test_a_message_that_names_no_read_is_refused(body: bytes, voice: CustomVoice) -> None:
    with pytest.raises(BadHook):
        voice.verify(signatures.sign_standard("m", 1000, body, SECRET), body, 1000.0)
    with pytest.raises(BadHook):
        voice.verify(signatures.sign_standard("m", 1000, b'{"id": "a"}', FORGED), b'{"id": "a"}', 1000.0)
