"""Calls: written before they are sent, asked twice and done once, recovered after a crash."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.files.storage import default_storage

from orders.models import OrderState
from pipeline import calls, engine, services
from pipeline.engine import LostLease, Work
from pipeline.line import STAGES
from pipeline.models import Call, CallState, Step, StepState
from pipeline.providers.base import Answer, ProviderError

from . import making
from .board import Died

pytestmark = pytest.mark.django_db(transaction=True)


class Vendor:
    """A provider that remembers what it was asked; `recovery` and `known` set the stage for a crash."""

    name = "vendor"
    job = "writer"

    def __init__(self, *, recovery: str = "redo", known: bool = False, refuses: ProviderError | None = None) -> None:
        self.recovery, self.known, self.refuses = recovery, known, refuses
        self.asked: list[tuple[str, dict]] = []

    def submit(self, key, request, workdir):
        self.asked.append((key, request))
        if self.refuses is not None:
            raise self.refuses
        out = Path(workdir) / "answer.txt"
        out.write_text("the answer")
        return Answer("done", result={"said": request["word"]}, files={"text": out}, cost=7)

    def look(self, external_id, workdir):
        return Answer("done", result={"said": external_id})

    def find(self, key):
        return Answer("done", result={"said": "found"}) if self.known else None

    def cancel(self, external_id):
        pass


class Slow(Vendor):
    """Answers later."""

    def submit(self, key, request, workdir):
        self.asked.append((key, request))
        return Answer("pending", external_id="job-1", poll_after=0)


@pytest.fixture
def work():
    order = making.draft()
    order.state = OrderState.PLACED
    order.save()
    production = services.start(order=order)
    return Work(engine.claim(Step.objects.get(production=production, stage="photos").pk), STAGES["photos"])


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

    def die(name):
        if name == "call.before_send":
            raise Died(name)

    monkeypatch.setattr(calls, "faultpoint", die)
    with pytest.raises(Died):
        calls.ask(work, vendor, {"word": "hello"}, tmp_path)
    assert vendor.asked == []
    assert Call.objects.get().state == CallState.NEW


def crash_after_the_answer(work, vendor, tmp_path, monkeypatch):
    def die(name):
        if name == "call.after_answer":
            raise Died(name)

    monkeypatch.setattr(calls, "faultpoint", die)
    with pytest.raises(Died):
        calls.ask(work, vendor, {"word": "hello"}, tmp_path)
    monkeypatch.setattr(calls, "faultpoint", lambda name: None)


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


def test_a_failure_worth_another_try_is_tried_under_a_new_key_and_then_given_up(work, tmp_path):
    vendor = Vendor(refuses=ProviderError("busy", retryable=True))
    for _ in range(calls.MAX_ATTEMPTS):
        with pytest.raises(ProviderError) as refused:
            calls.ask(work, vendor, {"word": "hello"}, tmp_path)
        assert refused.value.retryable
    with pytest.raises(ProviderError) as final:
        calls.ask(work, vendor, {"word": "hello"}, tmp_path)
    assert not final.value.retryable
    assert len({key for key, _ in vendor.asked}) == calls.MAX_ATTEMPTS


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
