"""Calls: slots that are shared fairly, and budgets that nothing is bought past."""

# ruff: noqa: F811  (fixtures arrive as imports and are named again as arguments)

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.core.checks import run_checks
from django.utils import timezone

from accounts.models import Creator
from pipeline import breaker, calls, roster, slots
from pipeline.models import Call, CallState, Step, StepState
from pipeline.providers.base import JobFailed, ProviderError

from .calling import Slow, Vendor, another_work, ask_again, trouble, work  # noqa: F401

pytestmark = pytest.mark.django_db(transaction=True)


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


def test_nothing_is_bought_past_the_orders_budget(work, tmp_path, settings):
    settings.ORDER_BUDGET = 100  # 1.00
    vendor = Slow(price=600_000)
    assert calls.ask(work, vendor, {"word": "a"}, tmp_path, name="one").state == CallState.SUBMITTED
    with pytest.raises(ProviderError) as capped:
        calls.ask(work, vendor, {"word": "b"}, tmp_path, name="two")
    assert capped.value.trouble == "capped"
    assert len(vendor.asked) == 1


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
