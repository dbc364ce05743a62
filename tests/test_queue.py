"""Calls that wait for a slot: who is in front, who is told, who is rung for, and that waiting costs nothing."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from benchmarks import crowd
from billing.services import unsettled
from pipeline import calls, engine, progress, services, slots, sweeping
from pipeline.models import Call, CallState, ProductionState, Step, StepState, Vendor
from videogen import demo

pytestmark = pytest.mark.django_db

MODEL = crowd.DEFAULT_MODELS[0].slug


@pytest.fixture(autouse=True)
def creators():
    demo.seed()


@pytest.fixture
def queue():
    """Three productions; one shot of the first is with the vendor, the other seventeen wait."""
    productions = crowd.write(3)
    crowd.with_the_vendor(1)
    return productions


def shown(client, production) -> str:
    client.force_login(production.order.fan)
    return client.get(reverse("pipeline:progress", args=[production.order.code])).content.decode()


def test_the_fan_reads_how_many_shots_are_in_front(client, queue):
    first, second, third = queue
    assert "5 shots of earlier films are in front of yours." in shown(client, second)
    assert "11 shots of earlier films are in front of yours." in shown(client, third)
    assert "in front" not in shown(client, first), "nobody is"


def test_the_place_moves_up_and_one_shot_is_said_in_the_singular(client, queue):
    first, second, _ = queue
    waiting = Call.objects.filter(step__production=first, state=CallState.QUEUED)
    waiting.exclude(pk=waiting.first().pk).update(state=CallState.SUCCEEDED)
    assert "1 shot of an earlier film is in front of yours." in shown(client, second)


def test_what_waits_for_another_model_of_the_vendor_is_in_front_and_for_another_vendor_is_not(queue):
    first, second, _ = queue
    Call.objects.filter(step__production=first).update(model="maker/other/image-to-video")
    assert slots.place(second.order_id) == 5
    Call.objects.filter(step__production=first).update(provider="elevenlabs")
    assert slots.place(second.order_id) == 0


def test_the_desk_shows_the_place_of_a_film_and_the_length_of_the_queue(client, queue):
    first, second, _ = queue
    client.force_login(User.objects.create_superuser("staff@films.example", "a-long-password"))
    page = client.get(reverse("admin:pipeline_production_change", args=[second.pk])).content.decode()
    assert "calls in front in the queue" in page.lower()
    assert '<div class="readonly">5</div>' in page
    Call.objects.filter(step__production=first).update(state=CallState.SUCCEEDED)
    Call.objects.filter(step__production=second).update(state=CallState.SUCCEEDED)
    page = client.get(reverse("admin:pipeline_production_change", args=[second.pk])).content.decode()
    assert '<div class="readonly">5</div>' not in page
    vendors = client.get(reverse("admin:pipeline_vendor_changelist")).content.decode()
    assert '<td class="field-under_way">0</td>' in vendors
    assert '<td class="field-in_queue">6</td>' in vendors


# --- bells instead of looks ---


def test_whoever_waits_for_a_slot_is_not_asked_to_look_every_few_seconds(queue):
    waiting = Call.objects.filter(state=CallState.QUEUED).first()
    assert calls.wait(waiting) == calls.QUEUED_LOOK
    sent = Call.objects.filter(state=CallState.SUBMITTED, provider=crowd.VENDOR).first()
    sent.look_at = None
    assert calls.wait(sent) == calls.LOOK_EVERY


def rung() -> set[int]:
    """Productions whose shots are due now."""
    return set(Step.objects.due(timezone.now()).filter(stage="shot").values_list("production", flat=True))


def test_the_sweep_rings_for_the_first_of_every_queue_however_it_came_to_stand_there(queue):
    _, second, third = queue
    Vendor.objects.create(name="other")
    Call.objects.filter(step__production=third).update(provider="other")
    assert rung() == set()
    sweeping.sweep_once()
    assert rung() == {second.pk, third.pk}, "the first one's creator holds a slot already"
    assert Step.objects.due(timezone.now()).count() == 2, "one of each queue, not all that wait"


def test_a_call_that_ends_rings_for_the_next(queue):
    first, second, _ = queue
    Call.objects.filter(step__production=first, state=CallState.QUEUED).update(state=CallState.SUCCEEDED)
    calls.ring_next(Call.objects.get(state=CallState.SUBMITTED, provider=crowd.VENDOR))
    assert rung() == {second.pk}


def test_what_an_ended_step_or_production_leaves_open_is_due_for_the_sweep(queue, bells):
    first, second, third = queue
    Call.objects.filter(state=CallState.NEW).delete()
    assert calls.sweep() == 0
    step = Step.objects.filter(production=first, stage="shot").first()
    Step.objects.filter(pk=step.pk).update(not_before=timezone.now())
    engine.leave(engine.claim(step.pk), engine.DONE)
    bells.clear()
    assert calls.sweep() == 1
    services.cancel(order=second.order)
    assert calls.sweep() == 1 + crowd.SHOTS
    assert {job for job, _ in bells} == {"follow_call"}
    assert third.state == ProductionState.RUNNING


def test_negative_control_what_nobody_let_go_of_is_not_looked_for(queue, monkeypatch):
    monkeypatch.setattr(engine, "_let_go", lambda calls: None)
    services.cancel(order=queue[1].order)
    assert calls.sweep() == 0


# --- waiting costs nothing ---


def asked(do) -> list[str]:
    """The shapes of the queries of something."""
    with CaptureQueriesContext(connection) as captured:
        do()
    return [one["sql"].split(" ", 1)[0] for one in captured]


def test_a_sweep_asks_as_much_with_many_in_flight_as_with_few(queue):
    sweeping.sweep_once()  # which does what is done once a day
    few = asked(sweeping.sweep_once)
    Step.objects.filter(stage="shot").update(state=StepState.WAITING, not_before=timezone.now() + crowd.LATER)
    crowd.write(7)
    crowd.with_the_vendor(1)
    assert asked(sweeping.sweep_once) == few


def plan(rows) -> str:
    return rows.explain().lower()


@pytest.mark.skipif(connection.vendor != "sqlite", reason="reads the plans of SQLite")
def test_no_question_of_the_sweep_goes_through_all_that_is_in_flight(queue):
    for rows in (
        Step.objects.due(timezone.now()),
        calls.due(),
        slots.waiting(crowd.VENDOR, MODEL)[:5],
        slots.holding(crowd.VENDOR),
        unsettled(),
    ):
        assert "scan" not in plan(rows), plan(rows)
    assert "scan" in plan(Call.objects.filter(cost__gt=0)), "negative control: what has no index says so"


def test_reading_a_waiting_order_asks_the_same_with_many_in_front(queue):
    last = queue[-1].order
    progress.read(last)  # which notes the percentage, and how long stages took
    few = asked(lambda: progress.read(last))
    crowd.write(5)
    assert asked(lambda: progress.read(last)) == few
