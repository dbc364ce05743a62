"""What a killed process had in hand is taken over at once, and alarms go off in time."""

from __future__ import annotations

import subprocess
import sys
from datetime import timedelta

import pytest
import time_machine
from django.conf import settings
from django.db import DatabaseError
from django.utils import timezone

from pipeline import engine, holders, sweeping
from pipeline.engine import Wait
from pipeline.models import Step, StepState

from . import making

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells when a process began"),
]


class Other:
    """Another process of this machine, which ends when it is told to."""

    def __init__(self) -> None:
        self.process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
        self.name = f"{holders.me().rpartition('/')[0]}/{self.process.pid}-{holders._start(self.process.pid)}"

    def end(self, *, buried: bool = True) -> None:
        self.process.kill()
        if buried:
            self.process.wait()
        else:  # wait until it has ended, and leave it to be waited for
            while holders._start(self.process.pid) != "over":
                pass


@pytest.fixture
def other():
    made = Other()
    yield made
    made.end()


@pytest.fixture
def photos(bells):
    production = making.production()
    bells.clear()
    return Step.objects.get(production=production, stage="photos")


def test_a_process_is_not_gone_while_it_lives_and_is_when_it_ended(other):
    assert not holders.is_gone(holders.me())
    assert not holders.is_gone(other.name)
    other.end()
    assert holders.is_gone(other.name)


def test_a_process_that_nobody_buried_is_gone(other):
    other.end(buried=False)
    assert holders.is_gone(other.name)


def test_a_number_that_another_process_has_now_is_not_the_one_that_held(other):
    before = other.name.rpartition("-")[0]
    assert holders.is_gone(f"{before}-1")


@pytest.mark.parametrize("holder", ["", "another-boot/4026531836/1-1", "nonsense", "/", "a/b-c"])
def test_who_cannot_be_seen_from_here_is_not_said_to_be_gone(holder):
    assert not holders.is_gone(holder)


def test_a_process_that_is_hidden_from_us_is_not_gone(other, monkeypatch):
    monkeypatch.setattr(holders, "_start", lambda pid: "")
    assert not holders.is_gone(other.name)


def test_where_the_kernel_says_nothing_nobody_has_a_name(monkeypatch, tmp_path):
    monkeypatch.setattr(holders, "_PROC", tmp_path)
    holders._place.cache_clear()
    holders._called.cache_clear()
    assert holders.me() == ""
    holders._place.cache_clear()
    holders._called.cache_clear()


def test_what_a_killed_process_had_in_hand_is_rung_for_at_once_under_a_new_name(photos, bells, other):
    taken = engine.claim(photos.pk)
    Step.objects.filter(pk=photos.pk).update(holder=other.name)
    assert engine.alarms() == 0, "it lives"
    other.end()
    assert engine.alarms() == 1
    assert list(bells) == [("run_step", photos.pk)]
    again = engine.claim(photos.pk)
    assert again is not None
    assert again.token != taken.token
    assert again.holder == holders.me()
    assert (again.failures, again.wanted) == (1, taken.wanted + 1)


def test_what_a_process_of_another_machine_has_in_hand_waits_for_its_lease(photos, bells):
    engine.claim(photos.pk)
    Step.objects.filter(pk=photos.pk).update(holder="another-boot/4026531836/1-1")
    assert engine.alarms() == 0
    assert engine.claim(photos.pk) is None
    with time_machine.travel(timezone.now() + timedelta(seconds=settings.LEASE_SECONDS + 1), tick=False):
        assert engine.claim(photos.pk) is not None


def test_an_alarm_is_rung_for_once_when_it_goes_off(photos, bells):
    engine.leave(engine.claim(photos.pk), Wait(3))
    bells.clear()
    assert engine.alarms() == 0
    with time_machine.travel(timezone.now() + timedelta(seconds=4), tick=False):
        assert engine.alarms() == 1
        assert list(bells) == [("run_step", photos.pk)]
        assert engine.alarms() == 0, "whoever waits in the queue is not rung for every second"


def test_an_alarm_of_a_production_at_rest_does_not_go_off(photos, bells):
    engine.leave(engine.claim(photos.pk), Wait(3))
    photos.production.__class__.objects.update(paused_at=timezone.now())
    with time_machine.travel(timezone.now() + timedelta(seconds=4), tick=False):
        assert engine.alarms() == 0


def test_between_two_sweeps_alarms_are_looked_for_every_second(monkeypatch, settings):
    settings.SWEEP_SECONDS = 5.0
    told: list[object] = []
    monkeypatch.setattr(sweeping, "sweep_once", lambda: told.append("sweep"))
    monkeypatch.setattr(sweeping, "tidying", lambda: iter(()))
    monkeypatch.setattr(sweeping.engine, "alarms", lambda: told.append("alarms"))
    sweeping.sweep_forever(lambda seconds: told.append(seconds) or told.count("sweep") == 2)
    assert told == ["sweep", *[1.0, "alarms"] * 5, "sweep", 1.0]


def test_who_does_not_hold_the_sweep_leaves_alarms_alone_and_a_database_away_is_waited_for(monkeypatch, settings):
    settings.SWEEP_SECONDS = 2.0
    pauses: list[float] = []
    monkeypatch.setattr(sweeping, "hold", lambda holder: len(pauses) > 1)
    monkeypatch.setattr(sweeping, "sweep_once", lambda: 0)
    monkeypatch.setattr(sweeping, "tidying", lambda: iter(()))
    asked: list[int] = []

    def away() -> int:
        asked.append(len(pauses))
        raise DatabaseError("away")

    monkeypatch.setattr(sweeping.engine, "alarms", away)
    sweeping.sweep_forever(lambda seconds: pauses.append(seconds) or len(pauses) == 5)
    assert asked == [3, 4]


def test_a_step_at_work_is_not_taken_for_one_that_was_left(photos, bells):
    engine.claim(photos.pk)
    assert engine.alarms() == 0
    assert Step.objects.get(pk=photos.pk).state == StepState.RUNNING
