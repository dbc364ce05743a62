"""What vendors' own books say after a death at every boundary of a call: nothing is bought twice unrecorded."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from orders.faults import POINTS
from pipeline import calls
from pipeline.engine import Work
from pipeline.models import Call, CallState
from pipeline.providers.base import Json, Provider, ReadRequest, ShotRequest
from pipeline.providers.custom_voice import CustomVoice
from pipeline.providers.elevenlabs import ElevenLabs
from pipeline.providers.higgsfield import DEFAULT_MODELS, Higgsfield
from pipeline.providers.openai_writer import OpenAIWriter
from sandbox import higgsfield
from sandbox.server import Sandbox, running
from sandbox.vendors import VENDORS

from .board import Died
from .calling import another_work
from .samples import jpeg_bytes
from .sandboxed import bought
from .stories import DEMO, Story
from .waiting import PATIENCE

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.render, pytest.mark.slow]

LINE = ReadRequest("Happy birthday, Eileen!", "mira", {}, {}).to_json()
SHOT = ShotRequest("photo.jpg", 1080, 1920, 3.4).to_json()
STORY = Story("x", DEMO).request().to_json()
BUYERS: dict[str, tuple[Callable[[Sandbox], Provider], Json]] = {
    "openai-writer": (lambda at: OpenAIWriter("key", base_url=f"{at.at('openai')}/v1"), STORY),
    "elevenlabs": (lambda at: ElevenLabs("key", base_url=at.at("elevenlabs"), price=100_000), LINE),
    "custom-voice": (lambda at: CustomVoice("key", base_url=at.at("custom-voice"), price=100_000), LINE),
    "higgsfield": (lambda at: Higgsfield(higgsfield.KEY, DEFAULT_MODELS[1], base_url=at.at("higgsfield")), SHOT),
}
# Only these answer later, and are looked at.
LATER = ("custom-voice", "higgsfield")
DEATHS = [
    (name, point)
    for name in BUYERS
    for point in POINTS
    if point.startswith("call.") and (point != "call.after_fetch" or name in LATER)
]


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with running(VENDORS, speed=1000) as made:
        made.world.switch("custom-voice.later", 1.0)
        yield made


@pytest.fixture
def workdir(tmp_path: Path) -> Path:
    (tmp_path / "photo.jpg").write_bytes(jpeg_bytes(3, (600, 800)))
    return tmp_path


def die_once_at(point: str, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    died: list[str] = []

    def die(name: str, vendor: str = "") -> None:
        if name == point and not died:
            died.append(name)
            raise Died(name)

    monkeypatch.setattr(calls, "faultpoint", die)
    return died


def done(work: Work, provider: Provider, request: Json, folder: Path, died: Callable[[], None] = lambda: None) -> None:
    """Ask until the call has its answer; a worker that dies is replaced by another, after `died`."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        try:
            if calls.ask(work, provider, request, folder).state == CallState.SUCCEEDED:
                return
        except Died:
            died()
        Call.objects.update(look_at=None)  # nobody waits here for the next look
        time.sleep(0.01)
    raise AssertionError("it was never done")


def owed(name: str) -> int:
    """What we wrote down: each call that was sent, and once more where it says that it may have been done twice."""
    sent = Call.objects.filter(provider=name).exclude(sent_at=None)
    return sent.count() + sent.filter(maybe_paid_twice=True).count()


@pytest.mark.parametrize(("name", "point"), DEATHS)
def test_a_death_at_any_boundary_buys_nothing_twice_that_is_not_written_down(
    name: str, point: str, sandbox: Sandbox, workdir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make, request = BUYERS[name]
    before = bought(sandbox)[name]
    died = die_once_at(point, monkeypatch)
    done(another_work(1), make(sandbox), request, workdir)
    assert died == [point]
    assert Call.objects.count() == 1
    assert 1 <= bought(sandbox)[name] - before <= owed(name)
    if name in LATER:
        assert owed(name) == 1, "whoever remembers our key is paid once"


def test_negative_control_with_a_fresh_key_at_each_sending_the_vendor_films_twice(
    sandbox: Sandbox, workdir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make, request = BUYERS["higgsfield"]
    before = bought(sandbox)["higgsfield"]
    real, number = Higgsfield.submit, itertools.count()
    monkeypatch.setattr(
        Higgsfield, "submit", lambda self, key, body, folder: real(self, f"{key}.{next(number)}", body, folder)
    )
    die_once_at("call.after_answer", monkeypatch)
    done(another_work(1), make(sandbox), request, workdir)
    assert bought(sandbox)["higgsfield"] - before == 2 > owed("higgsfield")


def test_negative_control_without_the_mark_before_the_sending_a_second_read_is_not_written_down(
    sandbox: Sandbox, workdir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make, request = BUYERS["elevenlabs"]
    before = bought(sandbox)["elevenlabs"]
    die_once_at("call.after_answer", monkeypatch)
    done(another_work(1), make(sandbox), request, workdir, died=forget)
    assert bought(sandbox)["elevenlabs"] - before == 2 > owed("elevenlabs")


def forget() -> None:
    """As if it had been written down only after the answer that it was sent."""
    Call.objects.update(sent_at=None)
