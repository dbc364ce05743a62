"""A call's whole life by dice: answers late, lost, doubled or early, deaths between; the money always adds up."""

from __future__ import annotations

import contextlib
import itertools
from collections import Counter
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
import time_machine
from django.utils import timezone
from hypothesis import HealthCheck, Phase
from hypothesis import settings as profile
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from pipeline import calls, engine, files, invariants, services, slots
from pipeline.engine import LostLease, Work
from pipeline.models import Call, CallState
from pipeline.providers.base import Answer, JobFailed, Provider, ProviderError, silently

from .board import Died
from .calling import another_work, trouble

pytestmark = pytest.mark.django_db(transaction=True)

PRICE, LIMIT, MOST = 50_000, 2, 6  # millionths; calls at once; sendings the budget allows
NAMES = ("take-1", "take-1", "take-2")  # the first more often
NUMBERS = itertools.count(1)

SENT = st.sampled_from(
    ["done", "pending", "lost_yes", "lost_no", "dies_before", "dies_after", "busy", "away", "passing"]
)
SEEN = st.sampled_from(["pending", "done", "failed", "useless", "unfetched", "passing", "gone"])


class Vendor(Provider):
    """Says what it is told to, and keeps books: what it charged for each of our keys, and its jobs under way.

    `doubts` counts the sendings it never did and whose sender cannot know.
    """

    name, job, recovery, limit = "", "writer", "redo", LIMIT

    def __init__(self, name: str, recovery: str) -> None:
        self.name, self.recovery = name, recovery
        self.says, self.shows = "done", "done"
        self.charged: Counter[str] = Counter()
        self.jobs: dict[str, str] = {}
        self.ends: dict[str, str] = {}
        self.sendings = self.doubts = 0

    def estimate(self, request: Any) -> int:
        return PRICE

    def submit(self, key: str, request: Any, workdir: Any) -> Answer:
        self.sendings += 1
        if self.says in ("busy", "away", "passing"):
            raise trouble(self.says)
        if self.says in ("lost_no", "dies_before"):
            self.doubts += 1
            raise Died(self.says) if self.says == "dies_before" else trouble("unknown")
        if self.recovery != "same_key" or key not in self.charged:
            self.charged[key] += 1
        self.jobs.setdefault(key, f"{key}-job")
        if self.says in ("lost_yes", "dies_after"):
            raise Died(self.says) if self.says == "dies_after" else trouble("unknown")
        if self.says == "pending":
            return Answer("pending", external_id=self.jobs[key], poll_after=0)
        return Answer("done", cost=PRICE)

    def look(self, external_id: str, workdir: Any, on_progress: Any = silently) -> Answer:
        if self.shows == "pending" and external_id not in self.ends:
            return Answer("pending", external_id=external_id, poll_after=0)
        if self.shows in ("unfetched", "passing"):
            raise trouble(self.shows, cost=None if self.shows == "unfetched" else 0)
        if external_id not in self.ends and self.shows in ("failed", "gone"):
            self.charged[external_id.removesuffix("-job")] -= 1  # such jobs are not charged
        end = self.ends.setdefault(external_id, self.shows)
        if end == "done":
            return Answer("done", cost=PRICE)
        if end == "gone":
            raise ProviderError("gone", retryable=False, trouble="gone")
        if end == "failed":
            raise JobFailed("it came to nothing", retryable=True)
        raise JobFailed("it is black", retryable=True, cost=None)

    def find(self, key: str) -> None:
        return None

    def cancel(self, external_id: str) -> None:
        pass


class Life(RuleBasedStateMachine):
    """One step that wants two takes, of a vendor with this `recovery`."""

    recovery = ""

    def __init__(self) -> None:
        super().__init__()
        self.travel = time_machine.travel(timezone.now(), tick=False)
        self.clock = self.travel.start()
        self.over, self.asked = False, 0

    @initialize()
    def begin(self) -> None:
        number = next(NUMBERS)
        self.work = another_work(number)
        self.stale: list[Work] = []
        self.vendor = Vendor(f"vendor-{number}", self.recovery)
        self.mine = Call.objects.filter(step=self.work.step)

    def teardown(self) -> None:
        try:
            if hasattr(self, "work"):
                self._end()
        finally:
            self.travel.stop()

    def _ask(self, work: Work, name: str) -> None:
        with files.workspace("life") as folder:
            calls.ask(work, self.vendor, {"word": name}, folder, name=name)

    @precondition(lambda self: not self.over)
    @rule(name=st.sampled_from(NAMES), says=SENT, shows=SEEN, in_time=st.sampled_from([True, True, False]))
    def somebody_asks(self, name: str, says: str, shows: str, in_time: bool) -> None:
        self.asked += 1
        self.vendor.says, self.vendor.shows = says, shows
        begun = calls.latest(self.work.step, name)
        if begun is not None and in_time:
            self.clock.shift(timedelta(seconds=calls.pause(begun) + 1))
        try:
            self._ask(self.work, name)
        except Died:
            self.another_worker_takes_over()
        except ProviderError:
            pass

    @precondition(lambda self: not self.over)
    @rule()
    def another_worker_takes_over(self) -> None:
        self.clock.shift(engine.lease() + timedelta(seconds=1))
        self.stale.append(self.work)
        step = engine.claim(self.work.step.pk)
        assert step is not None
        self.work = Work(step, self.work.line)

    @precondition(lambda self: self.stale)
    @rule(name=st.sampled_from(NAMES))
    def who_was_thought_dead_comes_back(self, name: str) -> None:
        self.vendor.says, before = "done", self.vendor.sendings
        with contextlib.suppress(LostLease, ProviderError):
            self._ask(self.stale[-1], name)
        assert self.vendor.sendings == before, "it sends nothing"

    @rule(seconds=st.sampled_from([1, 15, 70]))
    def time_passes(self, seconds: int) -> None:
        self.clock.shift(timedelta(seconds=seconds))
        if not self.over:
            with self.work.fence():
                pass

    @rule(times=st.integers(1, 2))
    def the_vendor_rings(self, times: int) -> None:
        for call in itertools.chain.from_iterable([self.mine.all()] * times):
            if job := self.vendor.jobs.get(call.key):
                calls.ring(call, job)

    @precondition(lambda self: not self.over and self.asked > 3)
    @rule(cancelled=st.booleans())
    def nobody_waits_any_more(self, cancelled: bool) -> None:
        self.over = True
        if cancelled:
            services.cancel(order=self.work.order)
        else:
            engine.leave(self.work.step, engine.DONE)

    @precondition(lambda self: self.over)
    @rule(shows=SEEN)
    def the_sweep_follows(self, shows: str) -> None:
        self.vendor.shows = shows
        for call in calls.due().filter(step=self.work.step):
            calls.follow(call, self.vendor)

    @invariant()
    def the_money_adds_up(self) -> None:
        if not hasattr(self, "work"):
            return
        spent, charged = slots.spent(self.mine.all()), PRICE * sum(self.vendor.charged.values())
        assert charged <= spent <= PRICE * MOST, "what may be charged is reserved, within the budget"
        known = self.mine.exclude(state__in=[CallState.NEW, CallState.QUEUED, CallState.SUBMITTED])
        useless = sum(1 for call in known if call.state == CallState.FAILED and call.cost)
        for name in set(NAMES):
            takes = [call for call in self.mine.all() if call.name == name]
            paid = sum(self.vendor.charged[call.key] for call in takes)
            unknown = sum(call.estimate // PRICE for call in takes if call.maybe_paid_twice)
            assert paid <= 1 + useless + unknown, "a second one is paid knowingly or written down"
        assert slots.holding(self.vendor.name).count() <= LIMIT
        assert list(invariants.i3_one_live_call()) == []

    def _end(self) -> None:
        """A day later nothing is open, no slot is held, and no more is spent than doubts account for."""
        if not self.over:
            self.nobody_waits_any_more(cancelled=False)
        self.clock.shift(calls.FOLLOWED + timedelta(hours=1))
        self.the_sweep_follows("done")
        assert not any(call.is_open for call in self.mine.all())
        assert not slots.holding(self.vendor.name).exists()
        spent, charged = slots.spent(self.mine.all()), PRICE * sum(self.vendor.charged.values())
        assert charged <= spent <= charged + PRICE * (self.vendor.doubts + self._written_off()), "the rest was let go"

    def _written_off(self) -> int:
        return sum(1 for call in self.mine.all() if call.state == CallState.EXPIRED)


def live(recovery: str, examples: int, *phases: Phase) -> None:
    run_state_machine_as_test(
        type("Life", (Life,), {"recovery": recovery}),
        settings=profile(
            max_examples=examples,
            stateful_step_count=12,
            deadline=None,
            derandomize=True,
            database=None,
            phases=phases or tuple(Phase),
            report_multiple_bugs=False,
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.fixture(autouse=True)
def budgets(settings: Any) -> None:
    settings.ORDER_BUDGET, settings.DAY_BUDGET = PRICE * MOST // 10_000, 0


@pytest.mark.parametrize("recovery", ["same_key", "redo", "wait"])
def test_whatever_befalls_a_call_it_is_paid_once_or_says_so_and_gives_its_slot_and_its_money_back(recovery):
    live(recovery, 10)


def no_count(call: Call, amount: int) -> None:
    """A further sending that nobody counts."""


def anew(call: Call, error: ProviderError, provider: Provider, *, real: Any) -> None:
    """An unknown outcome taken for none."""
    error.trouble = "passing" if error.trouble == "unknown" else error.trouble
    real(call, error, provider)


@pytest.mark.parametrize("recovery", ["redo", "same_key"])
def test_negative_control_the_dice_find_money_that_is_not_accounted_for(monkeypatch, recovery):
    if recovery == "redo":
        monkeypatch.setattr(slots, "afford_again", no_count)
    else:
        monkeypatch.setattr(calls, "_suffer", partial(anew, real=calls._suffer))
    with pytest.raises(AssertionError):
        live(recovery, 60, Phase.generate)  # the first bad throw is enough
