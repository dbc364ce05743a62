"""The narration of a licensed voice, which nothing stands in for: outages are outlasted, bad reads are bounded."""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from pipeline import calls, engine, queue, roster
from pipeline.line import STAGES
from pipeline.models import Call, Narration, ProductionState, Scene, Script, Step, StepState
from pipeline.providers.base import Answer, JobFailed, Provider, ProviderError, Reading, SpokenWord

from . import making

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

SCENES = 2


class Voice(Provider):
    """A vendor's voice; `troubled` is what it says instead, while it is set. Knows its keys where it is "same_key"."""

    name, job, recovery, limit = "elevenlabs", "voice", "redo", 0
    says = "Hello there."

    def __init__(self, recovery: str, limit: int = 0) -> None:
        self.recovery, self.limit = recovery, limit
        self.troubled: str | None = None
        self.asked: list[str] = []

    def estimate(self, request):
        return 100

    def submit(self, key, request, workdir):
        self.asked.append(key)
        self.trouble()
        audio = workdir / "read.wav"
        audio.write_bytes(b"sound")
        words = tuple(SpokenWord(word, 0, 1) for word in self.says.split())
        return Answer("done", Reading(2.0, words).to_json(), {"audio": audio}, cost=100)

    def trouble(self):
        if self.troubled == "useless":
            raise JobFailed("the audio cannot be used: it is silent", retryable=True, cost=100)
        if self.troubled is not None:
            raise ProviderError("no answer", retryable=True, trouble=self.troubled)

    def find(self, key):
        # A vendor that cannot be asked cannot be searched either, and says so in the words of a question.
        if self.recovery == "same_key" and self.troubled is not None:
            raise ProviderError("no answer", retryable=True, trouble="passing")

    def cancel(self, external_id):
        pass


@pytest.fixture
def production(bells):
    made = making.production()
    script = Script.objects.create(production=made, title="A film")
    for number in range(1, SCENES + 1):
        Scene.objects.create(script=script, number=number, text="Hello there.", photo=made.order.photos.first())
        Step.objects.create(
            production=made, stage="narration", item=number, state=StepState.READY, not_before=timezone.now()
        )
    Step.objects.filter(production=made).exclude(stage="narration").delete()
    return made


def voice_is(monkeypatch, voice: Voice) -> Voice:
    monkeypatch.setattr(roster, "voice", lambda name: voice)
    return voice


def pass_time(clock, bells, seconds: float) -> None:
    """Let workers and the sweep do their work for so long."""
    for _ in range(int(seconds / 2)):
        engine.sweep()
        queue.drain(bells, defaultdict(lambda: lambda pk: None, run_step=engine.run_step))
        clock.shift(timedelta(seconds=2))


@pytest.mark.parametrize("recovery", ["redo", "same_key"])
@pytest.mark.parametrize("trouble", ["away", "unknown", "busy"])
def test_an_outage_of_three_minutes_loses_no_line(production, bells, monkeypatch, trouble, recovery):
    voice = voice_is(monkeypatch, Voice(recovery, limit=SCENES))
    voice.troubled = trouble
    with time_machine.travel(timezone.now(), tick=False) as clock:
        pass_time(clock, bells, 180)
        assert not Narration.objects.exists()
        during = len(voice.asked)
        voice.troubled = None
        pass_time(clock, bells, 180)
    production.refresh_from_db()
    assert production.state == ProductionState.RUNNING
    assert Narration.objects.filter(scene__script__production=production).count() == SCENES
    assert len(set(voice.asked)) == SCENES == Call.objects.count(), "each line was asked for under one key"
    if trouble != "busy":
        assert during <= 8 * SCENES, "ever more rarely"


def test_an_outage_without_end_fails_at_the_deadline(production, bells, monkeypatch):
    voice_is(monkeypatch, Voice("redo")).troubled = "away"
    with time_machine.travel(timezone.now(), tick=False) as clock:
        pass_time(clock, bells, STAGES["narration"].deadline + 120)
    production.refresh_from_db()
    assert production.state == ProductionState.FAILED
    assert production.error.startswith("not read within 600 s: ")


def test_a_voice_whose_reads_are_of_no_use_is_paid_a_few_times_and_staff_are_told_why(production, bells, monkeypatch):
    voice = voice_is(monkeypatch, Voice("redo"))
    voice.troubled = "useless"
    with time_machine.travel(timezone.now(), tick=False) as clock:
        pass_time(clock, bells, 300)
    production.refresh_from_db()
    assert production.state == ProductionState.FAILED
    assert "silent" in production.error
    tried = Call.objects.filter(step__item=1)
    assert 1 < tried.count() <= calls.VOICE_ATTEMPTS
    assert all(call.cost == 100 for call in tried)


def test_a_vendor_cannot_put_other_words_into_the_captions(production, bells, monkeypatch):
    voice_is(monkeypatch, Voice("same_key")).says = "Buy this now."
    with time_machine.travel(timezone.now(), tick=False) as clock:
        pass_time(clock, bells, 10)
    production.refresh_from_db()
    assert (production.state, Narration.objects.count()) == (ProductionState.FAILED, 0)
    assert "another line" in production.error
