"""Under fire: bells are lost and doubled, workers die at every boundary. Every film is made, each step once."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from orders import faults
from pipeline import engine, invariants, queue
from pipeline.models import Production, ProductionState, Step, StepState

from . import making
from .board import Died, LossyBells, Stages, die_at, run

pytestmark = pytest.mark.django_db(transaction=True)

FILMS = 4


def begin(films: int) -> list[Production]:
    return [making.production(by=making.fan(f"fan{number}@films.example")) for number in range(films)]


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_lost_and_doubled_bells_and_dying_workers_cost_no_film(seed, monkeypatch):
    stages = Stages()
    monkeypatch.setattr(engine, "stage_of", stages.of)
    deaths = die_at(0.12, seed, monkeypatch)
    random.seed(seed)
    bells = LossyBells(seed)
    monkeypatch.setattr(queue, "_inline", bells)
    monkeypatch.setattr(queue, "waits", lambda *args: False)
    with time_machine.travel(timezone.now(), tick=False) as clock:
        begin(FILMS)
        run(bells, clock.shift)
        assert {p.state for p in Production.objects.all()} == {ProductionState.DONE}, f"seed {seed}"
        assert sum(deaths.values()) > FILMS, "nobody died: the test did not test"
        assert list(invariants.i5_history_has_no_gap()) == []
        assert list(invariants.i10_done_once()) == []
        assert list(invariants.i4_nothing_forgotten()) == []


@pytest.mark.parametrize("point", [name for name in faults.POINTS if name.startswith("step.")])
def test_a_worker_that_dies_once_at_a_boundary_costs_nothing(point, monkeypatch):
    stages = Stages()
    monkeypatch.setattr(engine, "stage_of", stages.of)
    died = []

    def once(name: str) -> None:
        if name == point and not died:
            died.append(name)
            raise Died(name)

    monkeypatch.setattr(engine, "faultpoint", once)
    with time_machine.travel(timezone.now(), tick=False) as clock:
        [production] = begin(1)
        run(queue._inline, clock.shift)
    production.refresh_from_db()
    assert died == [point]
    assert production.state == ProductionState.DONE


def test_negative_control_without_the_sweep_a_lost_bell_stops_the_film(monkeypatch):
    stages = Stages()
    monkeypatch.setattr(engine, "stage_of", stages.of)
    monkeypatch.setattr(engine, "sweep", lambda: 0)
    bells = LossyBells(7, lose=1.0)
    monkeypatch.setattr(queue, "_inline", bells)
    with time_machine.travel(timezone.now(), tick=False) as clock:
        begin(1)
        with pytest.raises(AssertionError, match="not all productions ended"):
            run(bells, clock.shift, rounds=20)


def times_begun_by_two(production: Production, claim, monkeypatch) -> int:
    """How often a step's work is begun when two workers look at it at the same moment, and claim it with `claim`."""
    stages = Stages()
    monkeypatch.setattr(engine, "stage_of", stages.of)
    step = Step.objects.get(production=production, stage="photos")
    claimed = [claim(step), claim(step)]
    for mine in claimed:
        monkeypatch.setattr(engine, "claim", lambda pk, mine=mine: mine)
        engine.run_step(step.pk)
    return stages.begun[(production.pk, "photos", 0)]


def test_two_workers_at_once_do_a_step_once(monkeypatch):
    [production] = begin(1)
    real = engine.claim
    assert times_begun_by_two(production, lambda step: real(step.pk), monkeypatch) == 1


def test_negative_control_without_the_conditional_update_two_workers_do_one_step_twice(monkeypatch):
    [production] = begin(1)
    seen = Step.objects.select_related("production__order").get(production=production, stage="photos")

    def look_then_save(step: Step) -> Step | None:
        if seen.state != StepState.READY:  # both looked before either wrote
            return None
        Step.objects.filter(pk=step.pk).update(
            state=StepState.RUNNING, token="same", lease_until=timezone.now() + timedelta(seconds=30)
        )
        return Step.objects.select_related("production__order").get(pk=step.pk)

    assert times_begun_by_two(production, look_then_save, monkeypatch) == 2


def test_negative_control_without_the_token_a_stale_worker_would_finish_anothers_step(monkeypatch):
    [production] = begin(1)
    step = Step.objects.get(production=production, stage="photos")
    with time_machine.travel(timezone.now(), tick=False) as clock:
        slow = engine.claim(step.pk)
        clock.shift(timedelta(seconds=60))
        quick = engine.claim(step.pk)
        assert not engine.leave(slow, engine.DONE)
        slow.token = quick.token  # the guard, switched off
        assert engine.leave(slow, engine.DONE)
