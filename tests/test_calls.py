"""Calls: written before they are sent, asked twice and done once, recovered after a crash."""

from __future__ import annotations

import time
from datetime import timedelta
from pathlib import Path

import pytest
import time_machine
from django.core.checks import run_checks
from django.core.files.storage import default_storage
from django.db import connection
from django.utils import timezone

from accounts.models import Creator
from orders.far import StorageAway
from orders.models import OrderState
from pipeline import breaker, calls, claims, engine, jobs, roster, services, slots
from pipeline.engine import LostLease, Work
from pipeline.line import STAGES
from pipeline.models import Call, CallState, Step, StepState
from pipeline.providers.base import Answer, JobFailed, Provider, ProviderError, silently

from . import making
from .board import Died, outlast_a_lease

pytestmark = pytest.mark.django_db(transaction=True)


class Vendor(Provider):
    """A provider that remembers what it was asked; `recovery` and `known` set the stage for a crash."""

    name = "vendor"
    job = "writer"
    recovery = "redo"
    limit = 0
    model = ""

    def __init__(
        self,
        *,
        recovery: str = "redo",
        known: bool = False,
        refuses: ProviderError | None = None,
        limit: int = 0,
        price: int = 0,
    ) -> None:
        self.recovery, self.known, self.refuses, self.limit, self.price = recovery, known, refuses, limit, price
        self.asked: list[tuple[str, dict]] = []

    def estimate(self, request):
        return self.price

    def submit(self, key, request, workdir):
        self.asked.append((key, request))
        if self.refuses is not None:
            raise self.refuses
        out = Path(workdir) / "answer.txt"
        out.write_text("the answer")
        return Answer("done", result={"said": request["word"]}, files={"text": out}, cost=7)

    def look(self, external_id, workdir, on_progress=silently):
        return Answer("done", result={"said": external_id})

    def find(self, key):
        return Answer("done", result={"said": "found"}) if self.known else None

    def cancel(self, external_id):
        pass


class Slow(Vendor):
    """Answers later; `looks` is what it says when it is asked how far it is."""

    looks: ProviderError | None = None
    looked = cancels = 0

    def submit(self, key, request, workdir):
        self.asked.append((key, request))
        return Answer("pending", external_id="job-1", poll_after=0)

    def look(self, external_id, workdir, on_progress=silently):
        self.looked += 1
        if self.looks is not None:
            raise self.looks
        return Answer("done", result={"said": external_id}, cost=9)

    def cancel(self, external_id):
        self.cancelled = [external_id]
        self.cancels += 1


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


# --- what a vendor's trouble means ---


def trouble(kind: str, **extra) -> ProviderError:
    return ProviderError(kind, retryable=kind in ("busy", "unknown", "passing", "away"), trouble=kind, **extra)


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


# --- slots and budgets ---


def another_work(number: int, *, creator=None) -> Work:
    order = making.draft(by=making.fan(f"fan{number}@films.example"))
    if creator is not None:
        order.creator = creator
    order.state, order.placed_at = OrderState.PLACED, timezone.now()
    order.save()
    production = services.start(order=order)
    return Work(engine.claim(Step.objects.get(production=production, stage="photos").pk), STAGES["photos"])


def test_a_vendor_never_has_more_calls_than_its_limit_and_the_oldest_order_is_next(work, tmp_path, bells):
    vendor = Slow(limit=1)
    later, latest = another_work(1), another_work(2)
    assert calls.ask(work, vendor, {"word": "a"}, tmp_path).state == CallState.SUBMITTED
    for one in (latest, later):
        assert calls.ask(one, vendor, {"word": "b"}, tmp_path).state == CallState.QUEUED
    assert len(vendor.asked) == 1
    assert slots.place(latest.order.pk) == 1
    bells.clear()
    Step.objects.filter(pk=later.step.pk).update(state=StepState.WAITING)
    calls.ask(work, vendor, {"word": "a"}, tmp_path)
    assert ("run_step", later.step.pk) in bells, "the free slot rings for the oldest order"
    Step.objects.filter(pk=later.step.pk).update(state=StepState.RUNNING)
    assert calls.ask(latest, vendor, {"word": "b"}, tmp_path).state == CallState.QUEUED, "it is not its turn"
    assert calls.ask(later, vendor, {"word": "b"}, tmp_path).state == CallState.SUBMITTED


def test_slots_are_shared_fairly_between_creators(work, tmp_path):
    vendor = Slow(limit=2)
    popular, small = Creator.objects.order_by("place")[:2]
    calls.ask(work, vendor, {"word": "a"}, tmp_path)
    crowd = [another_work(n, creator=popular) for n in range(1, 4)]
    guest = another_work(9, creator=small)
    for one in crowd:
        calls.ask(one, vendor, {"word": "b"}, tmp_path)
    assert calls.ask(guest, vendor, {"word": "c"}, tmp_path).state == CallState.QUEUED
    assert len(vendor.asked) == 2
    Call.objects.filter(step=work.step).update(state=CallState.SUCCEEDED)
    # One slot is free again. The popular creator holds one already, and has older orders.
    assert calls.ask(crowd[1], vendor, {"word": "b"}, tmp_path).state == CallState.QUEUED
    assert calls.ask(guest, vendor, {"word": "c"}, tmp_path).state == CallState.SUBMITTED


def test_the_oldest_order_is_next_whichever_of_the_vendors_models_it_waits_for(work, tmp_path, bells):
    best, fast = Slow(limit=1), Slow(limit=1)
    best.model, fast.model = "best", "fast"
    older, newer = another_work(1), another_work(2)
    calls.ask(work, best, {"word": "a"}, tmp_path)
    calls.ask(older, fast, {"word": "b"}, tmp_path)
    calls.ask(newer, best, {"word": "c"}, tmp_path)
    assert slots.place(newer.order.pk) == 1
    bells.clear()
    Step.objects.exclude(pk=work.step.pk).filter(stage="photos").update(state=StepState.WAITING)
    calls.ask(work, best, {"word": "a"}, tmp_path)
    assert [pk for _, pk in bells] == [older.step.pk]
    Step.objects.filter(stage="photos").update(state=StepState.RUNNING)
    assert calls.ask(newer, best, {"word": "c"}, tmp_path).state == CallState.QUEUED, "the other waits for longer"
    assert calls.ask(older, fast, {"word": "b"}, tmp_path).state == CallState.SUBMITTED


def test_the_share_is_fair_also_behind_more_calls_of_one_creator_than_are_looked_at(work, tmp_path, monkeypatch):
    monkeypatch.setattr(slots, "LOOKED_AT", 2)
    vendor = Slow(limit=2)
    popular, small = Creator.objects.order_by("place")[:2]
    calls.ask(work, vendor, {"word": "a"}, tmp_path)
    crowd = [another_work(n, creator=popular) for n in range(1, 5)]
    guest = another_work(9, creator=small)
    for one in (*crowd, guest):
        calls.ask(one, vendor, {"word": "b"}, tmp_path)
    Call.objects.filter(step=work.step).update(state=CallState.SUCCEEDED)
    assert calls.ask(crowd[1], vendor, {"word": "b"}, tmp_path).state == CallState.QUEUED
    assert calls.ask(guest, vendor, {"word": "c"}, tmp_path).state == CallState.SUBMITTED


class Endless(Slow):
    """Is never done, however often it is asked: no slot comes free."""

    def look(self, external_id, workdir, on_progress=silently):
        return Answer("pending", external_id=external_id)


def test_nothing_is_bought_past_the_orders_budget(work, tmp_path, settings):
    settings.ORDER_BUDGET = 100  # 1.00
    vendor = Slow(price=600_000)
    assert calls.ask(work, vendor, {"word": "a"}, tmp_path, name="one").state == CallState.SUBMITTED
    with pytest.raises(ProviderError) as capped:
        calls.ask(work, vendor, {"word": "b"}, tmp_path, name="two")
    assert capped.value.trouble == "capped"
    assert len(vendor.asked) == 1


def ask_again(clock, work, vendor, tmp_path, times: int) -> Call:
    """Ask so many times, each when it makes sense."""
    for _ in range(times):
        call = calls.ask(work, vendor, {"word": "hello"}, tmp_path)
        clock.shift(timedelta(seconds=calls.pause(call) + 1))
    return call


@pytest.mark.parametrize(("recovery", "bought"), [("redo", 3), ("same_key", 9)])
@pytest.mark.parametrize("budget", ["ORDER_BUDGET", "DAY_BUDGET"])
def test_each_sending_that_may_have_been_charged_is_counted_and_none_is_sent_past_a_budget(
    work, tmp_path, settings, recovery, bought, budget
):
    setattr(settings, budget, 200)  # 2.00
    vendor = Vendor(recovery=recovery, price=600_000, refuses=trouble("unknown"))
    with time_machine.travel(timezone.now(), tick=False) as clock:
        call = ask_again(clock, work, vendor, tmp_path, 3)
        assert slots.spent(Call.objects.all()) == (1_800_000 if recovery == "redo" else 600_000)
        assert call.maybe_paid_twice is (recovery == "redo")
        if recovery == "redo":
            with pytest.raises(ProviderError) as capped:
                calls.ask(work, vendor, {"word": "hello"}, tmp_path)
            assert capped.value.trouble == "capped"
            call.refresh_from_db()
            assert (call.state, call.cost, call.maybe_paid_twice) == (CallState.FAILED, 1_800_000, True)
        else:
            ask_again(clock, work, vendor, tmp_path, 6)
    assert len(vendor.asked) == bought
    assert slots.spent(Call.objects.all()) == (1_800_000 if recovery == "redo" else 600_000)


@pytest.mark.parametrize("later", ["away", "busy", "locked"])
def test_a_second_sending_that_was_surely_not_done_is_not_counted(work, tmp_path, later):
    vendor = Vendor(price=5, refuses=trouble("unknown"))
    with time_machine.travel(timezone.now(), tick=False) as clock:
        ask_again(clock, work, vendor, tmp_path, 1)
        vendor.refuses = trouble(later)
        call = ask_again(clock, work, vendor, tmp_path, 3)
        assert call.is_open
        assert call.sent_at is not None, "the first may have been done"
        assert slots.spent(Call.objects.all()) == 5
        breaker.close("vendor")
        vendor.refuses = None
        clock.shift(timedelta(seconds=60))
        assert calls.ask(work, vendor, {"word": "hello"}, tmp_path).state == CallState.SUCCEEDED
    assert slots.spent(Call.objects.all()) == 10, "the first, of which nobody knows, and the last"


@pytest.mark.parametrize("said", ["passing", "busy", "locked"])
def test_a_search_that_fails_does_not_make_us_forget_that_it_may_have_been_done(work, tmp_path, monkeypatch, said):
    vendor = Vendor(price=5, limit=1, refuses=trouble("unknown"))

    def fails(key):
        raise trouble(said)

    with time_machine.travel(timezone.now(), tick=False) as clock:
        ask_again(clock, work, vendor, tmp_path, 1)
        vendor.refuses = None
        with monkeypatch.context() as lost:
            lost.setattr(vendor, "find", fails)
            call = ask_again(clock, work, vendor, tmp_path, 2)
        assert (call.is_open, call.sent_at is not None, len(vendor.asked)) == (True, True, 1)
        breaker.close("vendor")
        vendor.known = True
        clock.shift(timedelta(seconds=60))
        assert calls.ask(work, vendor, {"word": "hello"}, tmp_path).result == {"said": "found"}
    assert (len(vendor.asked), Call.objects.get().maybe_paid_twice) == (1, False)


def test_our_money_becomes_the_vendors_in_one_place(settings):
    settings.ORDER_BUDGET, settings.COST_SHARE = 1000, 0.5
    assert (slots.order_cap(None), slots.order_cap(800)) == (10_000_000, 4_000_000)
    settings.USD_RATE = 0.8  # a dollar costs 0.80: the same money buys more of them
    assert (slots.order_cap(None), slots.order_cap(800)) == (12_500_000, 5_000_000)


def test_a_dollar_that_costs_nothing_is_refused_at_the_start(settings):
    assert run_checks(tags=["money"]) == []
    settings.USD_RATE = 0.0
    assert [found.id for found in run_checks(tags=["money"])] == ["videogen.E020"]


def test_a_dearer_dollar_buys_less(work, tmp_path, settings):
    settings.ORDER_BUDGET, settings.USD_RATE = 100, 2.0
    with pytest.raises(ProviderError) as capped:
        calls.ask(work, Slow(price=600_000), {"word": "a"}, tmp_path)
    assert capped.value.trouble == "capped"


def test_the_days_budget_holds_for_all_orders_and_is_released_by_what_failed(work, tmp_path, settings):
    settings.DAY_BUDGET = 100
    vendor = Slow(price=600_000)
    calls.ask(work, vendor, {"word": "a"}, tmp_path)
    other = another_work(1)
    with pytest.raises(ProviderError):
        calls.ask(other, vendor, {"word": "b"}, tmp_path)
    vendor.looks = JobFailed("nsfw", retryable=False)
    with pytest.raises(ProviderError):
        calls.ask(work, vendor, {"word": "a"}, tmp_path)
    third = another_work(2)
    assert calls.ask(third, vendor, {"word": "c"}, tmp_path).state == CallState.SUBMITTED


def test_an_order_begins_no_model_that_it_could_pay_for_only_some_of_its_shots(work, settings):
    settings.HIGGSFIELD_KEY = "id:secret"
    best = roster.video_models()[0]
    scenes, seconds = 5, 4.0
    settings.COST_SHARE, settings.ORDER_BUDGET = 1, best.cost(seconds) * scenes // slots.dollars(1) + 1
    assert roster.ladder(work.order, seconds, scenes)[0].provider.model == best.slug
    settings.ORDER_BUDGET -= 2  # every shot but the last could still be paid for
    assert best.cost(seconds) * (scenes - 1) < slots.order_cap(None)
    assert best.slug not in [rung.provider.model for rung in roster.ladder(work.order, seconds, scenes)]


# --- nobody waits any more ---


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


@pytest.mark.parametrize(("lines", "left_alone"), [(1, False), (breaker.MOST_FAILURES, True)])
def test_one_call_a_vendor_chokes_on_does_not_keep_the_others_waiting(work, tmp_path, lines, left_alone):
    vendor = Vendor(refuses=trouble("unknown"))
    for number in range(breaker.MOST_FAILURES):
        calls.ask(work, vendor, {"word": "hello"}, tmp_path, name=f"line-{number % lines}")
        Call.objects.update(look_at=None)
    assert len(vendor.asked) == breaker.MOST_FAILURES
    assert breaker.is_open("vendor") is left_alone
