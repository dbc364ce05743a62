"""Several do the same at the same moment: once is once. Run on PostgreSQL too, where writers do not queue."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from billing import services as billing
from billing.models import LedgerEntry, Payment, PaymentState
from orders import services as orders
from orders.models import Order, OrderEvent, OrderState
from pipeline import calls, engine, hooks, invariants, rerun, reviewing, services, slots, sweeping
from pipeline.models import (
    Call,
    CallState,
    Event,
    HookEvent,
    Production,
    ProductionState,
    Review,
    ReviewState,
    Step,
    StepState,
)
from pipeline.services import StaleReview

from . import environment, films, making
from .calling import Endless, Slow, another_work
from .test_review import finished

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

CROWD = 6


@pytest.fixture(autouse=True)
def on_disk(transactional_db: None, tmp_path: Path) -> Iterator[None]:
    """SQLite in a file, as the product has it: in memory, a writer does not wait for another but fails at once."""
    if connection.vendor != "sqlite":
        yield
        return
    memory, settings = connection.connection, connection.settings_dict
    with closing(sqlite3.connect(tmp_path / "races.sqlite3")) as file, pytest.MonkeyPatch.context() as patch:
        memory.backup(file)
        patch.setitem(settings, "NAME", str(tmp_path / "races.sqlite3"))
        connection.connection = None
        yield
        connection.close()
        connection.connection = memory


def at_once(do: Callable[[int], Any]) -> list[Any]:
    """Do it in a crowd of threads at the same moment, each told its number; what came of each, an exception too."""
    together = threading.Barrier(CROWD)

    def one(number: int) -> Any:
        together.wait()
        try:
            return do(number)
        except Exception as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(CROWD) as pool:
        return list(pool.map(one, range(CROWD)))


def production() -> Production:
    return making.production()


def test_these_tests_run_where_they_were_told_to():
    assert connection.vendor == ("postgresql" if environment.DATABASE else "sqlite")


# --- the board --------------------------------------------------------------------------------------------------------


def test_of_many_workers_one_has_the_step():
    step = production().steps.get(stage="photos")
    claimed = [one for one in at_once(lambda _: engine.claim(step.pk)) if one is not None]
    assert len(claimed) == 1
    assert Step.objects.get(pk=step.pk).attempts == 1


def test_of_many_workers_one_takes_over_from_a_dead_one():
    step = production().steps.get(stage="photos")
    engine.claim(step.pk)
    Step.objects.filter(pk=step.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
    assert len([one for one in at_once(lambda _: engine.claim(step.pk)) if one is not None]) == 1
    assert Step.objects.get(pk=step.pk).failures == 1


def test_negative_control_a_claim_that_looks_and_then_saves_is_won_by_several():
    step = production().steps.get(stage="photos")
    seen = [Step.objects.get(pk=step.pk) for _ in range(CROWD)]

    def save(number: int) -> bool:
        Step.objects.filter(pk=step.pk).update(state=StepState.RUNNING)
        return seen[number].state == StepState.READY

    assert sum(at_once(save)) == CROWD


def test_a_step_is_done_once_by_whoever_left_first():
    step = engine.claim(production().steps.get(stage="photos").pk)
    assert sorted(at_once(lambda _: engine.leave(step, engine.DONE))) == [False] * (CROWD - 1) + [True]
    assert Event.objects.filter(name="step.done").count() == 1


def test_the_last_of_two_parents_to_end_unblocks_their_child_whoever_that_is():
    made = production()
    Step.objects.filter(production=made).exclude(stage__in=["narration", "first_look"]).update(state=StepState.DONE)
    parents = [
        Step.objects.create(
            production=made, stage="narration", item=item, state=StepState.READY, not_before=timezone.now()
        )
        for item in range(1, CROWD + 1)
    ]
    claimed = [engine.claim(parent.pk) for parent in parents]
    assert all(at_once(lambda number: engine.leave(claimed[number], engine.DONE)))
    assert made.steps.get(stage="first_look").state == StepState.READY


def test_one_process_sweeps():
    held = at_once(lambda number: sweeping.hold(f"process {number}"))
    assert held.count(True) == 1


def test_histories_have_no_gap_whoever_writes_at_once():
    made = production()
    for told in (
        at_once(lambda _: made.order.tell("photo.added")),
        at_once(lambda _: services.tell(made, "line.read")),
    ):
        assert not [one for one in told if isinstance(one, Exception)]
    assert OrderEvent.objects.filter(name="photo.added").count() == CROWD
    assert list(invariants.i5_history_has_no_gap()) == []


# --- calls and bells --------------------------------------------------------------------------------------------------


def test_a_call_asked_for_by_several_is_one_call_under_one_key(tmp_path):
    vendor, work = Slow(), another_work(1)
    at_once(lambda _: calls.ask(work, vendor, {"word": "hello"}, tmp_path))
    assert Call.objects.count() == 1
    assert len({key for key, _ in vendor.asked}) == 1


def test_calls_of_many_orders_at_once_never_pass_the_limit(tmp_path):
    vendor, works = Endless(limit=3), [another_work(number) for number in range(1, CROWD + 1)]
    at_once(lambda number: calls.ask(works[number], vendor, {"word": "a"}, tmp_path))
    assert Call.objects.filter(state=CallState.SUBMITTED).count() == 3 == len({key for key, _ in vendor.asked})


@pytest.mark.parametrize(("order_budget", "day_budget"), [(100, 0), (100_000, 100)])
def test_several_who_spend_at_once_do_not_pass_a_budget(order_budget, day_budget, tmp_path, settings):
    settings.ORDER_BUDGET, settings.DAY_BUDGET = order_budget, day_budget
    vendor, works = (
        Endless(price=400_000),
        [another_work(1)] if not day_budget else [another_work(n) for n in range(CROWD)],
    )
    outcomes = at_once(
        lambda number: calls.ask(works[number % len(works)], vendor, {"word": "a"}, tmp_path, name=f"take-{number}")
    )
    assert {getattr(one, "trouble", one) for one in outcomes} == {"", "capped"}
    assert slots.spent(Call.objects.all()) == 800_000
    assert len({key for key, _ in vendor.asked}) == 2


def test_one_message_that_comes_several_times_at_once_rings_once():
    step = production().steps.get(stage="photos")
    call = Call.objects.create(
        step=step, key="k", provider="higgsfield", job="video", request={}, sent_at=timezone.now(), state=CallState.NEW
    )
    told = at_once(lambda _: hooks._record("higgsfield", call.key, "msg-1", "job-1"))
    assert sorted(told) == ["rung"] + ["seen"] * (CROWD - 1)
    assert HookEvent.objects.count() == 1


# --- orders and money -------------------------------------------------------------------------------------------------


def test_beginning_several_times_at_once_makes_one_draft():
    creator, fan = making.creator(), making.fan()
    begun = at_once(lambda _: orders.begin(creator=creator, fan=fan, visitor=""))
    assert len({order.pk for order in begun}) == 1
    assert Order.objects.count() == 1


def test_beginning_again_several_times_at_once_makes_one_draft():
    ended = making.draft()
    ended.move(OrderState.DRAFT, OrderState.CANCELLED)
    at_once(lambda _: orders.begin_again(ended=ended, fan=ended.fan))
    assert Order.objects.filter(state=OrderState.DRAFT).count() == 1


def test_several_clicks_at_once_are_one_payment_and_one_hold(monkeypatch):
    order = making.draft()
    opened = at_once(lambda _: billing.begin_payment(order=Order.objects.get(pk=order.pk)))
    assert len({payment.pk for payment in opened}) == 1
    at_once(lambda _: billing.pay(payment=Payment.objects.get(), card="good"))
    order.refresh_from_db()
    assert order.state == OrderState.PLACED
    assert Payment.objects.get().state == PaymentState.AUTHORIZED
    assert Production.objects.filter(order=order).count() == 1


def test_money_is_taken_once_however_many_settle_it():
    order = making.draft()
    billing.pay(payment=billing.begin_payment(order=order), card="good")
    Order.objects.filter(pk=order.pk).update(state=OrderState.DELIVERED)
    at_once(lambda _: billing.settle(order=Order.objects.get(pk=order.pk)))
    assert Payment.objects.get().state == PaymentState.CAPTURED
    assert LedgerEntry.objects.count() == 4  # taken, and earned by the creator
    assert OrderEvent.objects.filter(name="payment.captured").count() == 1
    assert [*invariants.i1_ledger_balances(), *invariants.i2_paid_once()] == []


def test_of_a_yes_and_a_no_at_once_one_counts(bells, monkeypatch):
    review = finished(bells, monkeypatch)
    decided = at_once(
        lambda number: services.decide(
            review=review, approve=number % 2 == 0, by=None, sha256=review.sha256, reason="no"
        )
    )
    assert len([one for one in decided if isinstance(one, StaleReview)]) == CROWD - 1
    review.refresh_from_db()
    assert review.state in (ReviewState.APPROVED, ReviewState.REFUSED)
    assert Event.objects.filter(name__in=["review.approved", "review.refused"]).count() == 1


def test_of_a_yes_and_a_wish_at_once_one_counts(bells, monkeypatch):
    review = films.waiting(bells, monkeypatch)

    def answer(number: int) -> object:
        if number % 2:
            return services.decide(review=review, approve=True, by=None, sha256=review.sha256)
        return reviewing.request_change(review=review, by=None, sha256=review.sha256, code="caption")

    answered = at_once(answer)
    assert len([one for one in answered if isinstance(one, StaleReview)]) == CROWD - 1, answered
    review.refresh_from_db()
    changed = review.state == ReviewState.CHANGED
    assert Production.objects.count() == 1 + changed
    assert Production.objects.filter(state=ProductionState.RUNNING).count() == 1


def test_of_a_crowd_that_takes_a_film_to_look_at_one_has_it(bells, monkeypatch):
    review = films.waiting(bells, monkeypatch)
    people = [making.fan(f"{number}@films.example") for number in range(CROWD)]
    taken = at_once(lambda number: reviewing.claim(review=review, by=people[number]))
    assert sorted(taken) == [False] * (CROWD - 1) + [True]
    review.refresh_from_db()
    assert review.claimed_by == people[taken.index(True)]


def test_negative_control_without_the_condition_in_the_update_several_have_it(bells, monkeypatch):
    review = films.waiting(bells, monkeypatch)
    people = [making.fan(f"{number}@films.example") for number in range(CROWD)]
    looked = threading.Barrier(CROWD)

    def look_then_take(number: int) -> bool:
        free = Review.objects.filter(pk=review.pk, claimed_by=None).exists()
        looked.wait()
        return free and bool(Review.objects.filter(pk=review.pk).update(claimed_by=people[number]))

    assert at_once(look_then_take).count(True) > 1


@pytest.mark.parametrize("same", [True, False])
def test_of_a_crowd_that_makes_it_again_one_making_comes(bells, monkeypatch, same):
    review = films.waiting(bells, monkeypatch)
    services.decide(review=review, approve=True, by=None, sha256=review.sha256)
    films.drain(bells)
    order = review.cut.production.order
    made = at_once(
        lambda number: rerun.rerun(
            order=Order.objects.get(pk=order.pk),
            change=rerun.Change("cut"),
            by=None,
            reason="",
            key="same" if same else f"key {number}",
        )
    )
    again = Production.objects.exclude(based_on=None)
    assert again.count() == 1
    if same:
        assert set(made) == {again.get()}
    else:
        assert len([one for one in made if isinstance(one, rerun.Busy)]) == CROWD - 1, made


@pytest.mark.parametrize("changes", [False, True])
def test_of_an_undo_and_the_boards_acting_at_once_one_counts(bells, monkeypatch, settings, changes):
    settings.REVIEW_UNDO_SECONDS = 10
    review = films.waiting(bells, monkeypatch)
    user = review.creator.user
    if changes:
        reviewing.request_change(review=review, by=user, sha256=review.sha256, code="caption")
    else:
        services.decide(review=review, approve=True, by=user, sha256=review.sha256)
    bells.clear()
    # The last moment of the window: for some it is over, for others not yet.
    Review.objects.update(takes_effect_at=timezone.now() + timedelta(milliseconds=150))
    step = Step.objects.get(production=review.cut.production, stage="review")
    Step.objects.filter(pk=step.pk).update(not_before=timezone.now())

    def act(number: int) -> object:
        time.sleep(0.05 * number)
        return engine.run_step(step.pk) if number % 2 else reviewing.undo(review=review, by=user)

    at_once(act)
    review.refresh_from_db()
    step.refresh_from_db()
    undone = Event.objects.filter(name="review.undone").count()
    if undone:
        assert (undone, review.state) == (1, ReviewState.WAITING)
        assert step.state != StepState.DONE
    else:
        assert review.state == (ReviewState.CHANGED if changes else ReviewState.APPROVED)
    assert Production.objects.count() == 1 + (changes and not undone)


def test_of_a_delivery_and_a_cancellation_at_once_one_counts():
    order = making.draft()
    billing.pay(payment=billing.begin_payment(order=order), card="good")

    def end(number: int) -> bool:
        if number % 2:
            return orders.cancel(order=Order.objects.get(pk=order.pk))
        return orders.finish(order=Order.objects.get(pk=order.pk), state=OrderState.DELIVERED)

    assert at_once(end).count(True) == 1
