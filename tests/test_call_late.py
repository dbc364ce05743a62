"""Calls that nobody waits for any more: followed, costed, not used, and closed in the end."""

# ruff: noqa: F811  (fixtures arrive as imports and are named again as arguments)

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from orders.far import StorageAway
from pipeline import calls, engine, jobs, services, slots
from pipeline.models import Call, CallState, Step, StepState
from pipeline.providers.base import JobFailed, ProviderError

from .calling import Slow, Vendor, another_work, trouble, work  # noqa: F401

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_late_take_is_followed_costed_and_not_used(work, tmp_path):
    vendor = Slow(price=5)
    call = calls.ask(work, vendor, {"word": "a"}, tmp_path)
    Step.objects.filter(pk=work.step.pk).update(state=StepState.DONE)
    assert calls.sweep() == 1
    calls.follow(call, vendor)
    call.refresh_from_db()
    assert (call.state, call.cost) == (CallState.SUCCEEDED, 9)


def follow_for_an_hour(vendor) -> Call:
    """As sweeps would every five seconds, of which only those matter that find the call due."""
    until, call = timezone.now() + timedelta(hours=1), Call.objects.get()
    with time_machine.travel(timezone.now(), tick=False) as clock:
        while call.is_open and timezone.now() < until:
            for due in calls.due():
                calls.follow(due, vendor)
            call = Call.objects.get()
            rest = call.look_at - timezone.now() if call.look_at else timedelta()
            clock.shift(max(timedelta(seconds=5), rest))
    return call


UNFETCHED = ProviderError("it is empty", retryable=True, trouble="unfetched", cost=None)


@pytest.mark.parametrize(
    ("said", "state", "looked", "cost"),
    [
        (JobFailed("the clip is of no use", retryable=True, cost=None), CallState.FAILED, 1, 5),
        (UNFETCHED, CallState.FAILED, 2, 5),
        (ProviderError("the model is gone", retryable=False, trouble="gone"), CallState.FAILED, 1, 0),
    ],
)
@pytest.mark.parametrize("is_cancelled", [False, True])
def test_a_late_take_of_no_use_is_closed_with_its_cost_and_not_fetched_again_and_again(
    work, tmp_path, said, state, looked, cost, is_cancelled
):
    vendor = Slow(price=5)
    calls.ask(work, vendor, {"word": "a"}, tmp_path)
    if is_cancelled:
        services.cancel(order=work.order)
    else:
        engine.leave(work.step, engine.DONE)
    vendor.looks = said
    call = follow_for_an_hour(vendor)
    assert (call.state, vendor.looked, call.cost) == (state, looked, cost)
    assert slots.spent(Call.objects.all()) == cost
    assert not slots.holding("vendor").exists()


def test_negative_control_a_late_take_nobody_knows_the_state_of_is_asked_for_ever_more_rarely(work, tmp_path):
    vendor = Slow(price=5)
    calls.ask(work, vendor, {"word": "a"}, tmp_path)
    services.cancel(order=work.order)
    vendor.looks = trouble("passing")
    assert follow_for_an_hour(vendor).is_open, "nobody has said that it is over"
    assert 60 <= vendor.looked <= 80
    assert vendor.cancels == 1


def test_a_late_take_that_could_not_be_fetched_at_first_is_kept(work, tmp_path):
    vendor = Slow(price=5)
    call = calls.ask(work, vendor, {"word": "a"}, tmp_path)
    engine.leave(work.step, engine.DONE)
    vendor.looks = UNFETCHED
    calls.follow(call, vendor)
    vendor.looks = None
    call = follow_for_an_hour(vendor)
    assert (call.state, call.cost, call.error) == (CallState.SUCCEEDED, 9, "")


def test_a_late_take_is_not_fetched_while_there_is_no_place_for_it(work, tmp_path, monkeypatch):
    def away():
        raise StorageAway("no answer")

    vendor = Slow()
    call = calls.ask(work, vendor, {"word": "a"}, tmp_path)
    engine.leave(work.step, engine.DONE)
    with monkeypatch.context() as outage:
        outage.setattr(calls.files, "reach", away)
        with pytest.raises(StorageAway):
            calls.follow(call, vendor)
    assert vendor.looked == 0
    assert follow_for_an_hour(vendor).state == CallState.SUCCEEDED


def test_what_somebody_waits_for_is_fetched_again_soon_and_then_ever_more_rarely(work, tmp_path):
    vendor = Slow()
    with time_machine.travel(timezone.now(), tick=False) as clock:
        calls.ask(work, vendor, {"word": "a"}, tmp_path)
        vendor.looks = UNFETCHED
        pauses = []
        for _ in range(3):
            pauses.append(calls.pause(calls.ask(work, vendor, {"word": "a"}, tmp_path)))
            clock.shift(timedelta(seconds=pauses[-1] + 1))
    assert pauses == [calls.UNSEEN, calls.LONGEST_REST, calls.LONGEST_REST]
    assert Call.objects.get().is_open, "it may be the only take there will be"


def test_what_was_never_sent_for_a_cancelled_order_never_is_and_the_vendor_is_told_about_the_rest(work, tmp_path):
    vendor = Slow(limit=1)
    other = another_work(1)
    sent = calls.ask(work, vendor, {"word": "a"}, tmp_path)
    unsent = calls.ask(other, vendor, {"word": "b"}, tmp_path)
    for one in (work, other):
        services.cancel(order=one.order)
    vendor.looks = JobFailed("canceled", retryable=True)
    for call in (sent, unsent):
        call.step.refresh_from_db()
        calls.follow(Call.objects.get(pk=call.pk), vendor)
    assert Call.objects.get(pk=unsent.pk).state == CallState.CANCELLED
    assert Call.objects.get(pk=sent.pk).state == CallState.FAILED
    assert vendor.cancelled == ["job-1"]


@pytest.mark.parametrize("price", [5, 0])
def test_a_call_whose_outcome_nobody_will_ever_know_is_recorded_as_a_possible_cost(work, tmp_path, price):
    vendor = Vendor(recovery="wait", price=price, refuses=trouble("unknown"))
    call = calls.ask(work, vendor, {"word": "a"}, tmp_path)
    services.cancel(order=work.order)
    with time_machine.travel(timezone.now() + calls.FOLLOWED + timedelta(hours=1)):
        calls.follow(Call.objects.get(pk=call.pk), vendor)
    call.refresh_from_db()
    assert (call.state, call.maybe_paid_twice, call.cost) == (CallState.EXPIRED, price > 0, price)


@pytest.mark.parametrize(("key", "model"), [("id:secret", "a-model-no-longer-listed"), ("", "kling-video/v3/pro")])
def test_a_late_call_of_a_model_that_is_not_known_any_more_gives_its_slot_back(work, tmp_path, settings, key, model):
    calls.ask(work, Slow(), {"word": "hello"}, tmp_path)
    settings.HIGGSFIELD_KEY = key
    Call.objects.update(provider="higgsfield", model=model, slot_at=timezone.now(), estimate=100)
    Step.objects.filter(pk=work.step.pk).update(state=StepState.DONE)
    call = Call.objects.get()
    jobs.follow_call(call.pk)
    assert Call.objects.get().is_open, "it may still be told of until its deadline"
    with time_machine.travel(call.due_at + timedelta(seconds=1)):
        jobs.follow_call(call.pk)
    call.refresh_from_db()
    assert (call.state, call.maybe_paid_twice, call.cost) == (CallState.EXPIRED, True, 100)
    assert not slots.holding("higgsfield").exists()


def test_an_unsent_late_call_of_a_vendor_that_is_not_set_up_any_more_is_cancelled(work, tmp_path, settings):
    settings.HIGGSFIELD_KEY = ""
    calls.ask(work, Slow(), {"word": "hello"}, tmp_path)
    Call.objects.update(provider="higgsfield", state=CallState.QUEUED, sent_at=None, external_id="")
    Step.objects.filter(pk=work.step.pk).update(state=StepState.DONE)
    jobs.follow_call(Call.objects.get().pk)
    assert Call.objects.get().state == CallState.CANCELLED
