"""Calls: written before they are sent, asked twice and done once, recovered after a crash."""

# ruff: noqa: F811  (fixtures arrive as imports and are named again as arguments)

from __future__ import annotations

import time
from datetime import timedelta

import pytest
import time_machine
from django.core.files.storage import default_storage
from django.db import connection
from django.utils import timezone

from orders.far import StorageAway
from pipeline import calls, claims, engine
from pipeline.engine import LostLease
from pipeline.models import Call, CallState, Step, StepState
from pipeline.providers.base import Answer, ProviderError, silently

from .board import Died, outlast_a_lease
from .calling import Slow, Vendor, work  # noqa: F401

pytestmark = pytest.mark.django_db(transaction=True)


def test_an_answer_is_kept_with_its_files_and_cost(work, tmp_path):
    call = calls.ask(work, Vendor(), {"word": "hello"}, tmp_path)
    assert (call.state, call.result, call.cost) == (CallState.SUCCEEDED, {"said": "hello"}, 7)
    assert default_storage.open(call.files["text"]).read() == b"the answer"
    assert call.latency is not None


def test_asked_twice_it_is_done_once(work, tmp_path):
    vendor = Vendor()
    first = calls.ask(work, vendor, {"word": "hello"}, tmp_path)
    again = calls.ask(work, vendor, {"word": "hello"}, tmp_path)
    assert first.pk == again.pk
    assert len(vendor.asked) == 1


def test_it_is_written_down_before_it_is_sent(work, tmp_path, monkeypatch):
    vendor = Vendor()

    def die(name, vendor=""):
        if name == "call.before_send":
            raise Died(name)

    monkeypatch.setattr(calls, "faultpoint", die)
    with pytest.raises(Died):
        calls.ask(work, vendor, {"word": "hello"}, tmp_path)
    assert vendor.asked == []
    assert Call.objects.get().state == CallState.NEW


def crash_after_the_answer(work, vendor, tmp_path, monkeypatch):
    def die(name, vendor=""):
        if name == "call.after_answer":
            raise Died(name)

    monkeypatch.setattr(calls, "faultpoint", die)
    with pytest.raises(Died):
        calls.ask(work, vendor, {"word": "hello"}, tmp_path)
    monkeypatch.setattr(calls, "faultpoint", lambda *point: None)


def test_after_a_crash_in_the_gap_a_vendor_that_can_be_searched_is_not_asked_again(work, tmp_path, monkeypatch):
    vendor = Vendor(known=True)
    crash_after_the_answer(work, vendor, tmp_path, monkeypatch)
    call = calls.ask(work, vendor, {"word": "hello"}, tmp_path)
    assert call.result == {"said": "found"}
    assert len(vendor.asked) == 1


def test_after_a_crash_the_same_key_and_body_go_out_again(work, tmp_path, monkeypatch):
    vendor = Vendor(recovery="same_key")
    crash_after_the_answer(work, vendor, tmp_path, monkeypatch)
    calls.ask(work, vendor, {"word": "something else"}, tmp_path)
    assert vendor.asked[0] == vendor.asked[1]


def test_after_a_crash_a_vendor_without_any_memory_is_waited_for(work, tmp_path, monkeypatch):
    vendor = Vendor(recovery="wait")
    crash_after_the_answer(work, vendor, tmp_path, monkeypatch)
    call = calls.ask(work, vendor, {"word": "hello"}, tmp_path)
    assert call.state == CallState.NEW
    assert len(vendor.asked) == 1


def test_a_pending_call_is_looked_at_and_not_sent_again(work, tmp_path):
    vendor = Slow()
    assert calls.ask(work, vendor, {"word": "hello"}, tmp_path).state == CallState.SUBMITTED
    done = calls.ask(work, vendor, {"word": "hello"}, tmp_path)
    assert (done.state, done.result) == (CallState.SUCCEEDED, {"said": "job-1"})
    assert len(vendor.asked) == 1


class Ringing(Slow):
    """Is done, and rings, while it still answers that it is not."""

    def submit(self, key, request, workdir):
        calls.ring(Call.objects.get(key=key), "job-1")
        return Answer("pending", external_id="job-1", poll_after=60)

    def look(self, external_id, workdir, on_progress=silently):
        self.looked += 1
        if self.looked == 1:
            calls.ring(Call.objects.get(external_id=external_id), external_id)
            if self.looks is not None:
                raise self.looks
            return Answer("pending", external_id=external_id, poll_after=60)
        return Answer("done", result={"said": external_id})


@pytest.mark.parametrize("looks", [None, ProviderError("no answer", retryable=True, retry_after=60)])
def test_a_bell_that_rings_during_an_exchange_is_not_outshouted_by_its_answer(work, tmp_path, looks):
    vendor = Ringing()
    vendor.looks = looks
    assert calls.pause(calls.ask(work, vendor, {"word": "hello"}, tmp_path)) == 0, "while it was sent"
    assert calls.pause(calls.ask(work, vendor, {"word": "hello"}, tmp_path)) == 0, "while it was looked at"
    assert calls.ask(work, vendor, {"word": "hello"}, tmp_path).state == CallState.SUCCEEDED
    assert vendor.looked == 2


class Fetching(Slow):
    """Its result comes in `pieces`, each after a time in which the lease nearly runs out."""

    def __init__(self, clock, *, pieces: int, rest: timedelta) -> None:
        super().__init__()
        self.clock, self.pieces, self.rest = clock, pieces, rest

    def look(self, external_id, workdir, on_progress=silently):
        for _ in range(self.pieces):
            self.clock.shift(engine.lease() * 0.9)
            on_progress()
        self.clock.shift(self.rest)
        self.taken = engine.claim(Step.objects.get(stage="photos").pk)
        return Answer("done", result={"said": external_id})


@pytest.fixture
def clock(monkeypatch):
    with time_machine.travel(timezone.now(), tick=False) as travelled:
        monkeypatch.setattr(claims.time, "monotonic", time.time)
        yield travelled


def test_a_result_that_comes_slowly_keeps_the_lease(clock, work, tmp_path):
    vendor = Fetching(clock, pieces=5, rest=engine.lease() * 0.9)
    calls.ask(work, vendor, {"word": "hello"}, tmp_path)
    assert calls.ask(work, vendor, {"word": "hello"}, tmp_path).state == CallState.SUCCEEDED
    assert vendor.taken is None


def test_a_result_that_stops_coming_loses_it_and_is_refused(clock, work, tmp_path):
    vendor = Fetching(clock, pieces=5, rest=engine.lease() * 1.1)
    calls.ask(work, vendor, {"word": "hello"}, tmp_path)
    with pytest.raises(LostLease):
        calls.ask(work, vendor, {"word": "hello"}, tmp_path)
    assert vendor.taken is not None
    assert Call.objects.get().state == CallState.SUBMITTED, "whoever has the step now asks for it again"


class Silent(Vendor):
    """Says nothing for longer than a lease before it answers, and tells how patient one must be with it."""

    patience = 0.0
    taken = None

    def submit(self, key, request, workdir):
        self.taken = outlast_a_lease(Step.objects.get(stage="photos"))
        return super().submit(key, request, workdir)


@pytest.mark.slow
@pytest.mark.parametrize(("patience", "is_kept"), [(60.0, True), (0.0, False)])
def test_a_vendor_who_thinks_for_longer_than_a_lease_is_waited_for(work, tmp_path, settings, patience, is_kept):
    settings.LEASE_SECONDS = 1.5
    with work.fence():  # from here on the lease is that short
        vendor = Silent()
    vendor.patience = patience
    if is_kept:
        assert calls.ask(work, vendor, {"word": "hello"}, tmp_path).state == CallState.SUCCEEDED
    else:
        with pytest.raises(LostLease):
            calls.ask(work, vendor, {"word": "hello"}, tmp_path)
    assert (vendor.taken is None) == is_kept


@pytest.mark.slow
@pytest.mark.parametrize("is_patient", [True, False])
def test_an_upload_that_takes_longer_than_a_lease_is_waited_for(work, tmp_path, settings, monkeypatch, is_patient):
    settings.LEASE_SECONDS = 1.5
    with work.fence():  # from here on the lease is that short
        publish, taken = calls.files.publish, []

    def slow(*args):
        taken.append(outlast_a_lease(work.step))
        return publish(*args)

    monkeypatch.setattr(calls.files, "publish", slow)
    monkeypatch.setattr(calls.files, "PATIENCE", 60.0 if is_patient else 0.0)
    if is_patient:
        assert calls.ask(work, Vendor(), {"word": "hello"}, tmp_path).state == CallState.SUCCEEDED
    else:
        with pytest.raises(LostLease):
            calls.ask(work, Vendor(), {"word": "hello"}, tmp_path)
    assert any(taken) is not is_patient


def test_no_transaction_is_open_while_an_answers_files_go_to_storage(work, tmp_path, monkeypatch):
    seen = []
    publish = calls.files.publish
    monkeypatch.setattr(calls.files, "publish", lambda *args: seen.append(connection.in_atomic_block) or publish(*args))
    calls.ask(work, Vendor(), {"word": "hello"}, tmp_path)
    assert seen == [False]


@pytest.mark.parametrize(("storage_is_back", "bought"), [(False, 1), (True, 2)])
def test_a_line_whose_audio_found_no_storage_is_not_bought_again_before_there_is_one(
    work, tmp_path, monkeypatch, storage_is_back, bought
):
    def away(*args):
        raise StorageAway("no answer")

    vendor = Vendor(price=5)
    with monkeypatch.context() as outage:
        outage.setattr(calls.files, "publish", away)
        with pytest.raises(StorageAway):
            calls.ask(work, vendor, {"word": "hello"}, tmp_path)
    if not storage_is_back:
        monkeypatch.setattr(calls.files, "reach", away)
        with pytest.raises(StorageAway):
            calls.ask(work, vendor, {"word": "hello"}, tmp_path)
    else:
        assert calls.ask(work, vendor, {"word": "hello"}, tmp_path).maybe_paid_twice
    assert len(vendor.asked) == bought


def test_a_failure_worth_another_try_is_tried_later_under_a_new_key_and_then_given_up(work, tmp_path):
    vendor = Vendor(recovery="same_key", refuses=ProviderError("away", retryable=True))
    with time_machine.travel(timezone.now(), tick=False) as clock:
        pauses = []
        for _ in range(calls.MAX_ATTEMPTS - 1):
            call = calls.ask(work, vendor, {"word": "hello"}, tmp_path)
            assert (call.state, call.trouble) == (CallState.FAILED, "passing")
            assert calls.ask(work, vendor, {"word": "hello"}, tmp_path).pk == call.pk, "not before its time"
            pauses.append(calls.pause(call))
            clock.shift(timedelta(seconds=pauses[-1] + 0.1))
        with pytest.raises(ProviderError) as final:
            calls.ask(work, vendor, {"word": "hello"}, tmp_path)
    assert not final.value.retryable
    assert pauses == sorted(pauses)
    assert pauses[0] > 0
    assert len({key for key, _ in vendor.asked}) == calls.MAX_ATTEMPTS == len(vendor.asked)


def test_a_refusal_is_final_and_keeps_the_fans_sentence(work, tmp_path):
    vendor = Vendor(refuses=ProviderError("no", retryable=False, fan="Please write about something else."))
    for _ in range(2):
        with pytest.raises(ProviderError) as refused:
            calls.ask(work, vendor, {"word": "hello"}, tmp_path)
        assert refused.value.fan == "Please write about something else."
    assert len(vendor.asked) == 1


def test_a_worker_that_lost_its_lease_writes_no_answer(work, tmp_path):
    class Usurped(Vendor):
        def submit(self, key, request, workdir):
            Step.objects.filter(pk=work.step.pk).update(token="another", state=StepState.RUNNING)
            return super().submit(key, request, workdir)

    with pytest.raises(LostLease):
        calls.ask(work, Usurped(), {"word": "hello"}, tmp_path)
    assert Call.objects.get().state == CallState.NEW


def test_a_vendors_words_that_cannot_be_stored_do_not_keep_its_failure_from_being_written(work, tmp_path):
    vendor = Vendor(refuses=ProviderError("no \ud800", retryable=False))
    with pytest.raises(ProviderError):
        calls.ask(work, vendor, {"word": "hello"}, tmp_path)
    assert Call.objects.get().state == CallState.FAILED
