"""Calls: what a vendor's trouble means, for the call and for whoever asks next."""

# ruff: noqa: F811  (fixtures arrive as imports and are named again as arguments)

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from pipeline import breaker, calls, slots
from pipeline.models import Call, CallState
from pipeline.providers.base import JobFailed, ProviderError

from .calling import Slow, Vendor, trouble, work  # noqa: F401

pytestmark = pytest.mark.django_db(transaction=True)


def test_an_unknown_outcome_is_asked_again_under_the_same_key_with_the_same_bytes(work, tmp_path):
    vendor = Vendor(recovery="same_key", refuses=trouble("unknown"))
    with time_machine.travel(timezone.now(), tick=False) as clock:
        call = calls.ask(work, vendor, {"word": "hello"}, tmp_path)
        assert call.is_open
        assert calls.pause(call) > 0
        clock.shift(timedelta(seconds=calls.BUSY + 1))
        vendor.refuses = None
        assert calls.ask(work, vendor, {"word": "another"}, tmp_path).state == CallState.SUCCEEDED
    assert vendor.asked[0] == vendor.asked[1]
    assert Call.objects.count() == 1


@pytest.mark.parametrize("later", ["passing", "away", "busy"])
def test_what_is_said_to_a_second_sending_says_nothing_about_the_first(work, tmp_path, later):
    vendor = Vendor(recovery="same_key", refuses=trouble("unknown"))
    with time_machine.travel(timezone.now(), tick=False) as clock:
        calls.ask(work, vendor, {"word": "hello"}, tmp_path)
        clock.shift(timedelta(seconds=60))
        vendor.refuses = trouble(later)
        call = calls.ask(work, vendor, {"word": "hello"}, tmp_path)
        assert (call.is_open, call.sent_at is None) == (True, False)
        clock.shift(timedelta(seconds=120))
        vendor.refuses = None
        assert calls.ask(work, vendor, {"word": "hello"}, tmp_path).state == CallState.SUCCEEDED
    assert len({key for key, _ in vendor.asked}) == 1


@pytest.mark.parametrize("recovery", ["same_key", "redo"])
@pytest.mark.parametrize("trouble", ["refused", "gone"])
def test_a_second_sending_that_is_refused_may_have_been_charged_at_the_first(work, tmp_path, recovery, trouble):
    vendor = Vendor(recovery=recovery, price=100)
    vendor.refuses = ProviderError("no answer", retryable=True, trouble="unknown")
    calls.ask(work, vendor, {"word": "hello"}, tmp_path)
    Call.objects.update(look_at=None)
    vendor.refuses = ProviderError("never", retryable=False, trouble=trouble)
    with pytest.raises(ProviderError):
        calls.ask(work, vendor, {"word": "hello"}, tmp_path)
    assert Call.objects.get().cost == slots.spent(Call.objects.all()) == 100


def test_a_vendor_nobody_could_reach_has_heard_nothing_and_is_left_alone_ever_longer(work, tmp_path):
    vendor = Vendor(recovery="same_key", limit=1, price=5, refuses=trouble("away"))
    pauses = []
    with time_machine.travel(timezone.now(), tick=False) as clock:
        for _ in range(breaker.MOST_FAILURES - 1):
            call = calls.ask(work, vendor, {"word": "hello"}, tmp_path)
            assert (call.is_open, call.sent_at, call.attempt) == (True, None, 1)
            pauses.append(calls.pause(call))
            clock.shift(timedelta(seconds=pauses[-1] + 0.1))
        assert pauses == sorted(pauses)
        assert pauses[0] < pauses[-1] <= calls.LONGEST_REST
        vendor.refuses = None
        call = calls.ask(work, vendor, {"word": "hello"}, tmp_path)
    assert (call.state, call.maybe_paid_twice) == (CallState.SUCCEEDED, False)


def test_negative_control_a_new_attempt_after_an_unknown_outcome_would_be_bought_twice(work, tmp_path):
    vendor = Vendor(recovery="same_key", refuses=trouble("passing"))
    with time_machine.travel(timezone.now(), tick=False) as clock:
        calls.ask(work, vendor, {"word": "hello"}, tmp_path)
        clock.shift(timedelta(seconds=60))
        vendor.refuses = None
        calls.ask(work, vendor, {"word": "hello"}, tmp_path)
    assert vendor.asked[0][0] != vendor.asked[1][0]


def test_a_busy_vendor_gets_the_slot_back_and_is_asked_when_it_said(work, tmp_path):
    vendor = Vendor(limit=1, refuses=trouble("busy", retry_after=7))
    with time_machine.travel(timezone.now(), tick=False):
        call = calls.ask(work, vendor, {"word": "hello"}, tmp_path)
        assert (call.state, call.slot_at, call.sent_at) == (CallState.QUEUED, None, None)
        assert calls.pause(call) == 7


def test_a_locked_vendor_opens_the_breaker_and_nobody_else_asks_it(work, tmp_path):
    vendor = Vendor(refuses=trouble("locked"))
    first = calls.ask(work, vendor, {"word": "hello"}, tmp_path)
    assert (first.is_open, first.trouble) == (True, "locked")
    assert breaker.is_open("vendor")
    other = calls.ask(work, vendor, {"word": "other"}, tmp_path, name="other")
    assert (other.trouble, other.sent_at) == ("locked", None)
    assert len(vendor.asked) == 1
    breaker.close("vendor")
    vendor.refuses = None
    with time_machine.travel(timezone.now() + timedelta(seconds=calls.UNSEEN + 1)):
        assert calls.ask(work, vendor, {"word": "hello"}, tmp_path).state == CallState.SUCCEEDED


def test_a_job_that_failed_for_want_of_credit_opens_the_breaker_too(work, tmp_path):
    vendor = Slow()
    calls.ask(work, vendor, {"word": "hello"}, tmp_path)
    vendor.looks = JobFailed("no credit", retryable=True, trouble="locked")
    with time_machine.travel(timezone.now(), tick=False) as clock:
        assert calls.ask(work, vendor, {"word": "hello"}, tmp_path).state == CallState.FAILED
        assert breaker.is_open("vendor")
        clock.shift(timedelta(seconds=60))
        again = calls.ask(work, vendor, {"word": "hello"}, tmp_path)
        assert (again.attempt, again.sent_at, len(vendor.asked)) == (2, None, 1), "it is not asked again and again"


def test_many_failures_in_a_row_open_the_breaker_and_one_success_closes_it():
    for _ in range(breaker.MOST_FAILURES):
        assert not breaker.is_open("vendor")
        breaker.failed("vendor", trouble("passing"))
    assert breaker.is_open("vendor")
    with time_machine.travel(timezone.now() + breaker.FIRST_PAUSE + timedelta(seconds=1)):
        assert not breaker.is_open("vendor"), "its time is over: the next call tries it"
    breaker.worked("vendor")
    assert not breaker.is_open("vendor")


def test_a_question_that_got_no_answer_does_not_end_the_job(work, tmp_path):
    vendor = Slow()
    calls.ask(work, vendor, {"word": "hello"}, tmp_path)
    vendor.looks = trouble("passing")
    call = calls.ask(work, vendor, {"word": "hello"}, tmp_path)
    assert call.state == CallState.SUBMITTED
    assert calls.pause(call) > 0
    assert Call.objects.count() == 1


@pytest.mark.parametrize(("said", "kept"), [(0, 0), (3, 3), (None, 5)])
def test_what_a_vendor_charges_for_a_result_of_no_use_stays_on_the_call(work, tmp_path, said, kept):
    vendor = Slow(price=5)
    calls.ask(work, vendor, {"word": "hello"}, tmp_path)
    vendor.looks = JobFailed("the clip is of no use", retryable=False, cost=said)
    with pytest.raises(ProviderError):
        calls.ask(work, vendor, {"word": "hello"}, tmp_path)
    assert (Call.objects.get().state, Call.objects.get().cost) == (CallState.FAILED, kept)
    assert slots.spent(Call.objects.all()) == kept, "it counts against the budgets"


def test_a_job_the_vendor_says_has_failed_is_bought_anew(work, tmp_path):
    vendor = Slow()
    calls.ask(work, vendor, {"word": "hello"}, tmp_path)
    vendor.looks = JobFailed("it came out black", retryable=True)
    assert calls.ask(work, vendor, {"word": "hello"}, tmp_path).state == CallState.FAILED
    vendor.looks = None
    with time_machine.travel(timezone.now() + timedelta(seconds=60)):
        assert calls.ask(work, vendor, {"word": "hello"}, tmp_path).state == CallState.SUBMITTED
    assert len({key for key, _ in vendor.asked}) == 2


def test_a_call_that_may_have_been_done_stays_sent_while_the_vendor_is_locked(work, tmp_path):
    vendor = Vendor(
        recovery="same_key", price=100, refuses=ProviderError("no answer", retryable=True, trouble="unknown")
    )
    call = calls.ask(work, vendor, {"word": "hello"}, tmp_path)
    Call.objects.update(look_at=None)
    vendor.refuses = ProviderError("the key was revoked", retryable=False, trouble="locked")
    call = calls.ask(work, vendor, {"word": "hello"}, tmp_path)
    assert (call.trouble, call.is_open) == ("locked", True)
    assert call.sent_at is not None
    assert slots.spent(Call.objects.all()) == 100, "what may have been bought stays counted"


@pytest.mark.parametrize(("lines", "left_alone"), [(1, False), (breaker.MOST_FAILURES, True)])
def test_one_call_a_vendor_chokes_on_does_not_keep_the_others_waiting(work, tmp_path, lines, left_alone):
    vendor = Vendor(refuses=trouble("unknown"))
    for number in range(breaker.MOST_FAILURES):
        calls.ask(work, vendor, {"word": "hello"}, tmp_path, name=f"line-{number % lines}")
        Call.objects.update(look_at=None)
    assert len(vendor.asked) == breaker.MOST_FAILURES
    assert breaker.is_open("vendor") is left_alone
