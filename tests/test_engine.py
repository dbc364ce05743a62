"""The board: claims, leases, bells, alarms, back-off, the sweep."""

from __future__ import annotations

import errno
from datetime import timedelta

import pytest
import time_machine
from django.conf import settings
from django.utils import timezone

from orders.far import StorageAway
from orders.models import OrderState
from pipeline import engine, queue, services, sweeping
from pipeline.engine import DONE, LostLease, StageFailed, Wait, Work
from pipeline.line import LINE, STAGES, following
from pipeline.models import Event, Notice, Production, ProductionState, Step, StepState, Sweeper
from pipeline.providers.base import ProviderError

from . import making
from .board import ITEMS, Stages

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def production(bells):
    made = making.production()
    bells.clear()
    return made


def step_of(production: Production, stage: str, item: int = 0) -> Step:
    return Step.objects.get(production=production, stage=stage, item=item)


def stage_is(monkeypatch, run) -> None:
    monkeypatch.setattr(engine, "stage_of", lambda key: run)


def test_the_line_is_a_graph_whose_needs_come_first():
    seen: set[str] = set()
    for line in LINE:
        assert set(line.needs) <= seen, line.key
        seen.add(line.key)
    kept = {line.key for line in LINE} - {line.key for line in following("narration")}
    assert kept == {"photos", "moderation", "script", "shot"}, "shots do not need the reads"


def test_nothing_is_made_before_moderation_is_done():
    after = {"moderation"}
    for line in LINE:
        after |= {line.key} if after & set(line.needs) else set()
    assert {line.key for line in LINE} - after == {"photos"}


def test_every_stage_of_the_line_has_its_module():
    for line in LINE:
        assert callable(engine.stage_of(line.key))


def test_starting_twice_makes_one_production(production):
    assert services.start(order=production.order).pk == production.pk
    assert Step.objects.filter(production=production).count() == len([line for line in LINE if not line.per_item])


def test_two_workers_claim_a_step_and_one_has_it(production):
    step = step_of(production, "photos")
    first, second = engine.claim(step.pk), engine.claim(step.pk)
    assert first is not None
    assert second is None


def test_a_blocked_step_cannot_be_claimed(production):
    assert engine.claim(step_of(production, "script").pk) is None


def test_a_lease_that_ran_out_is_claimed_again_and_counts_as_a_failure(production):
    step = step_of(production, "photos")
    assert engine.claim(step.pk) is not None
    with time_machine.travel(timezone.now() + timedelta(seconds=settings.LEASE_SECONDS + 1), tick=False):
        again = engine.claim(step.pk)
    assert again is not None
    assert (again.failures, again.attempts) == (1, 2)


def test_a_worker_that_lost_its_lease_writes_nothing(production):
    step = step_of(production, "photos")
    slow = engine.claim(step.pk)
    work = Work(slow, STAGES["photos"])
    later = timezone.now() + timedelta(seconds=settings.LEASE_SECONDS + 1)
    with time_machine.travel(later, tick=False):
        quick = engine.claim(step.pk)
        assert quick is not None
        with pytest.raises(LostLease), work.fence():
            Event.objects.create(production=production, number=99, name="step.done")
        with pytest.raises(LostLease):
            work.beat(0.5)
        assert not engine.leave(slow, DONE)
        assert not Event.objects.filter(number=99).exists()
        assert engine.leave(quick, DONE)
    assert step_of(production, "photos").state == StepState.DONE


def test_a_beat_renews_the_lease_and_says_how_far(production):
    step = engine.claim(step_of(production, "photos").pk)
    with time_machine.travel(timezone.now() + timedelta(seconds=20), tick=False):
        Work(step, STAGES["photos"]).beat(0.4)
    now = step_of(production, "photos")
    assert now.progress == 0.4
    assert now.lease_until > step.lease_until


def test_done_unblocks_what_needed_it_and_rings(production, bells, monkeypatch):
    stage_is(monkeypatch, lambda work: DONE)
    engine.run_step(step_of(production, "photos").pk)
    after = step_of(production, "moderation")
    assert after.state == StepState.READY
    assert ("run_step", after.pk) in bells


def test_a_waiting_step_is_left_alone_until_its_alarm(production, monkeypatch):
    stage_is(monkeypatch, lambda work: Wait(60))
    pk = step_of(production, "photos").pk
    engine.run_step(pk)
    assert engine.claim(pk) is None
    with time_machine.travel(timezone.now() + timedelta(seconds=61), tick=False):
        assert engine.claim(pk) is not None


def test_a_bell_brings_the_alarm_forward(production, bells, monkeypatch):
    stage_is(monkeypatch, lambda work: Wait(3600))
    step = step_of(production, "photos")
    engine.run_step(step.pk)
    engine.ring_step(production, "photos")
    assert ("run_step", step.pk) in bells
    assert engine.claim(step.pk) is not None


def test_a_bell_during_the_work_means_one_more_look_and_rings_for_it(production, bells, monkeypatch):
    def rung_meanwhile(work):
        engine.ring_step(work.production, "photos")
        bells.clear()
        return Wait(3600)

    stage_is(monkeypatch, rung_meanwhile)
    step = step_of(production, "photos")
    engine.run_step(step.pk)
    assert step_of(production, "photos").state == StepState.READY
    assert ("run_step", step.pk) in bells, "it would wait for the sweep"
    assert engine.claim(step.pk) is not None


def test_without_the_counter_a_bell_during_the_work_would_be_lost(production, monkeypatch):
    def rung_meanwhile(work):
        engine.ring_step(work.production, "photos")
        Step.objects.filter(pk=work.step.pk).update(wanted=work.step.seen)  # the guard, switched off
        return Wait(3600)

    stage_is(monkeypatch, rung_meanwhile)
    step = step_of(production, "photos")
    engine.run_step(step.pk)
    assert engine.claim(step.pk) is None


def test_a_retryable_error_waits_longer_each_time_and_then_fails_the_production(production, monkeypatch):
    def refuse(work):
        raise ProviderError("the vendor is away", retryable=True)

    stage_is(monkeypatch, refuse)
    pk = step_of(production, "photos").pk
    waits = []
    with time_machine.travel(timezone.now(), tick=False) as clock:
        for _ in range(STAGES["photos"].max_failures):
            engine.run_step(pk)
            step = Step.objects.get(pk=pk)
            assert step.state == StepState.WAITING
            waits.append((step.not_before - timezone.now()).total_seconds())
            clock.shift(timedelta(seconds=waits[-1]))
        engine.run_step(pk)
    assert waits == sorted(waits)
    assert waits[0] < waits[-1]
    assert Step.objects.get(pk=pk).state == StepState.FAILED
    production.refresh_from_db()
    assert production.state == ProductionState.FAILED


def test_what_failed_together_is_not_tried_together(monkeypatch):
    def refuse(work):
        raise ProviderError("the vendor is away", retryable=True)

    stage_is(monkeypatch, refuse)
    with time_machine.travel(timezone.now(), tick=False):
        for number in range(5):
            order = making.draft(by=making.fan(f"fan{number}@films.example"))
            order.move(OrderState.DRAFT, OrderState.PLACED)
            engine.run_step(step_of(services.start(order=order), "photos").pk)
        alarms = set(Step.objects.filter(stage="photos").values_list("not_before", flat=True))
        assert len(alarms) == 5
        assert all(0.8 <= (alarm - timezone.now()).total_seconds() <= engine.BACKOFF[0] for alarm in alarms)


def test_a_vendors_retry_after_is_respected(production, monkeypatch):
    def busy(work):
        raise ProviderError("429", retryable=True, retry_after=42)

    stage_is(monkeypatch, busy)
    with time_machine.travel(timezone.now(), tick=False):
        engine.run_step(step_of(production, "photos").pk)
        assert (step_of(production, "photos").not_before - timezone.now()).total_seconds() == 42


def test_a_failure_ends_the_order_tells_the_fan_and_costs_nothing(production, monkeypatch):
    def impossible(work):
        raise StageFailed("no story", fan="We could not make a story of this.")

    stage_is(monkeypatch, impossible)
    engine.run_step(step_of(production, "photos").pk)
    order = production.order
    order.refresh_from_db()
    assert order.state == OrderState.FAILED
    assert order.ending == "We could not make a story of this."
    assert Notice.objects.get(order=order).kind == "attention"
    assert not order.payments.filter(state="captured").exists()


def test_a_crash_in_a_stage_is_a_row_and_a_retry_not_an_exception(production, monkeypatch, caplog):
    def broken(work):
        raise ZeroDivisionError("oops")

    stage_is(monkeypatch, broken)
    engine.run_step(step_of(production, "photos").pk)
    step = step_of(production, "photos")
    assert step.state == StepState.WAITING
    assert "ZeroDivisionError: oops" in step.error


def test_a_step_whose_worker_always_dies_is_given_up(production, monkeypatch):
    pk = step_of(production, "photos").pk
    stage_is(monkeypatch, lambda work: DONE)
    with time_machine.travel(timezone.now(), tick=False) as clock:
        for _ in range(STAGES["photos"].max_failures + 1):
            assert engine.claim(pk) is not None
            clock.shift(timedelta(seconds=settings.LEASE_SECONDS + 1))
        engine.run_step(pk)
    assert Step.objects.get(pk=pk).state == StepState.FAILED
    assert "gave up" in Step.objects.get(pk=pk).error


def test_a_stage_past_its_deadline_that_still_waits_fails(production, monkeypatch):
    stage_is(monkeypatch, lambda work: Wait(10))
    assert looked_at_until_it_fails(step_of(production, "photos").pk) == STAGES["photos"].deadline + 10


def looked_at_until_it_fails(pk: int, jump: timedelta = timedelta(), at: int = 0) -> int:
    """Look every ten seconds; the clock jumps once, `at` so many. How many seconds passed, without the jump."""
    with time_machine.travel(timezone.now(), tick=False) as clock:
        for seconds in range(0, 7200, 10):
            if seconds == at:
                clock.shift(jump)
            engine.run_step(pk)
            if Step.objects.get(pk=pk).state == StepState.FAILED:
                return seconds
            clock.shift(timedelta(seconds=10))
    raise AssertionError("it never failed")


@pytest.mark.parametrize("jump", [timedelta(hours=1), timedelta(days=1)])
@pytest.mark.parametrize("at", [10, 300, STAGES["photos"].deadline])
def test_a_clock_that_jumps_or_a_site_that_stood_still_takes_no_time_from_a_step(production, monkeypatch, jump, at):
    stage_is(monkeypatch, lambda work: Wait(10))
    lasted = looked_at_until_it_fails(step_of(production, "photos").pk, jump, at)
    assert STAGES["photos"].deadline <= lasted <= STAGES["photos"].deadline + 20


def test_a_step_that_is_always_taken_late_fails_all_the_same(production, monkeypatch):
    stage_is(monkeypatch, lambda work: Wait(10))
    pk = step_of(production, "photos").pk
    with time_machine.travel(timezone.now(), tick=False) as clock:
        for _ in range(20):
            engine.run_step(pk)
            clock.shift(timedelta(seconds=10) + 2 * engine.MISSED)
    assert Step.objects.get(pk=pk).state == StepState.FAILED


def test_the_sweep_rings_again_for_a_lost_bell(production, bells):
    bells.clear()
    assert engine.sweep() == 1
    assert ("run_step", step_of(production, "photos").pk) in bells


def test_the_sweep_gives_an_unanswered_bell_a_new_name(production, monkeypatch):
    monkeypatch.setattr(queue, "waits", lambda *args: False)
    before_it = engine.job_name(step_of(production, "photos"))
    with time_machine.travel(timezone.now() + timedelta(seconds=11), tick=False):
        engine.sweep()
    assert engine.job_name(step_of(production, "photos")) != before_it


def test_a_bell_that_is_rung_at_every_sweep_is_unanswered_all_the_same(production, monkeypatch):
    """Its name is held by a worker that died between taking it and writing so."""
    monkeypatch.setattr(queue, "waits", lambda *args: False)
    before_it = engine.job_name(step_of(production, "photos"))
    for seconds in (3, 6, 9, 12):
        with time_machine.travel(timezone.now() + timedelta(seconds=seconds), tick=False):
            engine.sweep()
        assert (engine.job_name(step_of(production, "photos")) != before_it) == (seconds > 10)


def test_the_sweep_leaves_a_bell_that_still_waits_in_the_queue(production, monkeypatch):
    monkeypatch.setattr(queue, "waits", lambda *args: True)
    before_it = engine.job_name(step_of(production, "photos"))
    with time_machine.travel(timezone.now() + timedelta(seconds=11), tick=False):
        engine.sweep()
    assert engine.job_name(step_of(production, "photos")) == before_it


def test_a_cancelled_production_is_not_worked_on(production, bells):
    services.cancel(order=production.order)
    bells.clear()
    assert engine.sweep() == 0


def test_what_was_cancelled_meanwhile_writes_nothing_more_and_stops_working(production):
    step = engine.claim(step_of(production, "photos").pk)
    work = Work(step, STAGES["photos"])
    services.cancel(order=production.order)
    with pytest.raises(LostLease), work.fence():
        Event.objects.create(production=production, number=99, name="step.done")
    assert not Event.objects.filter(number=99).exists()
    with pytest.raises(LostLease):
        work.beat(0.5)


def full(work):
    raise OSError(errno.ENOSPC, "No space left on device")


def test_a_full_disk_parks_a_step_without_counting_until_there_is_room(production, monkeypatch):
    stage_is(monkeypatch, full)
    pk = step_of(production, "photos").pk
    with time_machine.travel(timezone.now(), tick=False) as clock:
        for _ in range(STAGES["photos"].max_failures + 3):
            engine.run_step(pk)
            step = Step.objects.get(pk=pk)
            assert (step.state, step.failures) == (StepState.WAITING, 0)
            assert "No space left" in step.error
            clock.shift(engine.PARKED)
        stage_is(monkeypatch, lambda work: DONE)
        engine.run_step(pk)
    step = Step.objects.get(pk=pk)
    assert (step.state, step.error) == (StepState.DONE, "")


def test_a_storage_that_is_away_parks_a_step_without_counting_until_its_deadline(production, monkeypatch):
    def away(work):
        raise StorageAway("films/x: no answer")

    stage_is(monkeypatch, away)
    pk = step_of(production, "photos").pk
    with time_machine.travel(timezone.now(), tick=False) as clock:
        for _ in range(STAGES["photos"].max_failures + 3):
            engine.run_step(pk)
            step = Step.objects.get(pk=pk)
            assert (step.state, step.failures) == (StepState.WAITING, 0)
            assert "no answer" in step.error
            clock.shift(engine.PARKED)
        for _ in range(int(timedelta(seconds=STAGES["photos"].deadline) / engine.PARKED)):
            engine.run_step(pk)
            clock.shift(engine.PARKED)
        for _ in range(STAGES["photos"].max_failures + 1):
            engine.run_step(pk)
            clock.shift(timedelta(seconds=engine.BACKOFF[-1]))
    assert Step.objects.get(pk=pk).state == StepState.FAILED


def test_negative_control_any_other_trouble_with_a_file_is_counted(production, monkeypatch):
    def broken(work):
        raise OSError("films/x: broken")

    stage_is(monkeypatch, broken)
    engine.run_step(step_of(production, "photos").pk)
    assert step_of(production, "photos").failures == 1


def test_a_disk_that_stays_full_past_the_deadline_fails_the_step(production, monkeypatch):
    stage_is(monkeypatch, full)
    pk = step_of(production, "photos").pk
    with time_machine.travel(timezone.now(), tick=False) as clock:
        for _ in range(int(timedelta(seconds=STAGES["photos"].deadline) / engine.PARKED) + 1):
            engine.run_step(pk)
            clock.shift(engine.PARKED)
        for _ in range(STAGES["photos"].max_failures + 1):
            engine.run_step(pk)
            clock.shift(timedelta(seconds=engine.BACKOFF[-1]))
    assert Step.objects.get(pk=pk).state == StepState.FAILED


def test_a_sweep_whose_one_part_fails_still_does_the_others(production, bells, monkeypatch, caplog):
    def broken() -> int:
        raise RuntimeError("a poisonous row")

    monkeypatch.setattr(sweeping.photos, "sweep", broken)
    monkeypatch.setattr(sweeping.engine, "sweep", broken)
    told = []
    monkeypatch.setattr(sweeping.notices, "sweep", lambda: told.append("notices") or 0)
    assert sweeping.hold("me")
    sweeping.sweep_once()
    assert told == ["notices"]
    assert caplog.text.count("the next sweep tries again") == 2
    assert Sweeper.objects.get().swept_at is not None


def test_tidying_a_huge_bucket_is_done_bit_by_bit_between_sweeps(db, monkeypatch):
    done = []

    def clearing():
        for number in range(3):
            done.append(f"bit {number}")
            yield number

    monkeypatch.setattr(sweeping.housekeeping, "clearing", clearing)
    monkeypatch.setattr(sweeping, "sweep_once", lambda: done.append("sweep"))
    monkeypatch.setattr(sweeping, "TIDY_EVERY", -1.0)
    monkeypatch.setattr(sweeping, "SLICE", -1.0)  # time for one bit
    sweeping.sweep_forever(lambda seconds: done.count("sweep") == 3)
    assert done == ["sweep", "bit 0", "sweep", "bit 1", "sweep", "bit 2"]


def test_what_is_tidied_in_one_slice_is_all_there_is_when_that_is_little():
    work = iter(range(1000))
    assert not sweeping.some_of(work)
    assert next(work, "nothing") == "nothing"


def test_a_whole_production_runs_to_its_end(production, bells, monkeypatch):
    stages = Stages()
    monkeypatch.setattr(engine, "stage_of", stages.of)
    with time_machine.travel(timezone.now(), tick=False) as clock:
        engine.sweep()
        for _ in range(20):
            queue.drain(bells, {"run_step": engine.run_step, "send_notice": lambda pk: None})
            clock.shift(timedelta(seconds=5))
            engine.sweep()
    production.refresh_from_db()
    assert production.state == ProductionState.DONE
    assert all(count == 1 for count in stages.done.values())
    assert len(stages.done) == sum(ITEMS if line.per_item else 1 for line in LINE)
