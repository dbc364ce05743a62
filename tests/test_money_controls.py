"""Negative controls for money: each guard turned off, and the fault that it keeps away happens. Run on PostgreSQL too.

Where a guard is one conditional UPDATE, the control looks first and writes then, after everybody has looked.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from billing import prices, refunds, shares, truth
from billing import services as billing
from billing.models import (
    GatewayEvent,
    LedgerEntry,
    Payment,
    PaymentState,
    Price,
    Refund,
    TestCharge,
    TestRefund,
)
from orders import services as orders
from orders.models import Order, OrderEvent, OrderState
from pipeline import invariants
from pipeline.models import Production, ProductionState, Review, ReviewState

from . import films, making, tills
from .test_races import CROWD, at_once, on_disk  # noqa: F401  (a fixture that is used by itself)
from .test_refunds import answer, back, balance, held, taken

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


def fresh(order: Order) -> Order:
    return Order.objects.get(pk=order.pk)


def everybody_looks(do: Callable[[int], Any]) -> list[Any]:
    """What each of a crowd sees before any of them has written."""
    return [do(number) for number in range(CROWD)]


# --- M1: a click finds the payment that is open, in the turn that would begin another ---------------------------------


def test_m1_without_a_look_inside_the_turn_each_click_begins_a_payment() -> None:
    order = making.draft()
    seen = everybody_looks(lambda _: order.payments.filter(state=PaymentState.CREATED).exists())

    def begin(number: int) -> None:
        if not seen[number]:
            Payment.objects.create(order=order, number=number + 1, key=f"p{number}", gateway="sandbox", amount=5)

    at_once(begin)
    assert sorted(payment.key for payment in order.payments.all()) == [f"p{number}" for number in range(CROWD)]
    # The last guard is the database's: of all those, one can be held for the order.
    for payment in order.payments.all():
        try:
            with transaction.atomic():
                payment.move(PaymentState.CREATED, PaymentState.AUTHORIZED)
        except IntegrityError:
            continue
    assert order.payments.filter(state=PaymentState.AUTHORIZED).count() == 1


# --- M2: a message counts once, and the payment is moved by one conditional UPDATE ------------------------------------


def test_m2_without_the_unique_event_each_delivery_would_be_a_new_message() -> None:
    seen = everybody_looks(lambda _: GatewayEvent.objects.filter(gateway="stripe", event_id="evt_1").exists())
    assert seen == [False] * CROWD
    made = at_once(lambda _: GatewayEvent.objects.create(gateway="stripe", event_id="evt_1", kind="x", outcome="rung"))
    assert len([one for one in made if isinstance(one, IntegrityError)]) == CROWD - 1


def test_m2_without_the_condition_in_the_update_a_payment_is_held_several_times(
    monkeypatch: pytest.MonkeyPatch, bells: Any
) -> None:
    order = making.draft()
    payment = billing.begin_payment(order=order)
    billing.checkout(payment=payment)
    tills.pay(payment)

    def look_then_save(self: Payment, old: Any, new: PaymentState, **values: Any) -> bool:
        olds = old if isinstance(old, tuple) else (old,)
        mine = self.state in olds  # as it was read, however long ago
        if mine:
            Payment.objects.filter(pk=self.pk).update(state=new, **values)
        return mine

    looked = threading.Barrier(CROWD)
    real = truth.place

    def place(one: Payment) -> bool:
        looked.wait(timeout=20)
        return real(one)

    monkeypatch.setattr(Payment, "move", look_then_save)
    monkeypatch.setattr(truth, "place", place)
    at_once(lambda _: truth.look(Payment.objects.get(pk=payment.pk)))
    assert OrderEvent.objects.filter(name="payment.authorized").count() > 1


# --- M3: money for a payment that is over is let go, or goes back -----------------------------------------------------


@pytest.mark.parametrize("guard", [True, False])
@pytest.mark.parametrize("taken_at_once", [True, False])
def test_m3_without_the_look_at_payments_that_are_over_a_fan_pays_twice(
    guard: bool, taken_at_once: bool, monkeypatch: pytest.MonkeyPatch, settings: Any, bells: Any
) -> None:
    settings.CAPTURE_AT_ONCE = taken_at_once
    order = making.draft()
    first = billing.begin_payment(order=order)
    billing.checkout(payment=first)
    Payment.objects.filter(pk=first.pk).update(state=PaymentState.EXPIRED)
    second = billing.begin_payment(order=fresh(order))
    billing.checkout(payment=second)
    if not guard:
        monkeypatch.setattr(truth, "_unwanted", lambda payment, truth: None)
    for payment in (first, second):
        tills.pay(payment)
        truth.look(Payment.objects.get(pk=payment.pk))
    answer(bells)
    charges = TestCharge.objects.filter(status__in=["held", "captured"])
    kept = sum(one.amount - one.refunded for one in charges)
    assert kept == second.amount * (1 if guard else 2)


# --- M4: what is paid is what was asked -------------------------------------------------------------------------------


@pytest.mark.parametrize("guard", [True, False])
def test_m4_without_the_comparison_a_film_is_made_for_a_cent(
    guard: bool, monkeypatch: pytest.MonkeyPatch, bells: Any
) -> None:
    order = making.draft()
    payment = billing.begin_payment(order=order)
    billing.checkout(payment=payment)
    tills.pay(payment)
    TestCharge.objects.update(amount=1)
    if not guard:
        monkeypatch.setattr(truth, "fits", lambda payment, truth: True)
    truth.look(payment)
    assert fresh(order).state == (OrderState.DRAFT if guard else OrderState.PLACED)


# --- M5: paid back whole, no film -------------------------------------------------------------------------------------


@pytest.mark.parametrize("guard", [True, False])
def test_m5_without_ending_the_order_a_film_is_delivered_for_nothing(
    guard: bool, monkeypatch: pytest.MonkeyPatch, bells: Any
) -> None:
    order = held()
    if not guard:
        monkeypatch.setattr(refunds.orders, "cancel", lambda **how: True)
    back(order, order.amount or 0)
    delivered = orders.finish(order=fresh(order), state=OrderState.DELIVERED)
    monkeypatch.undo()
    answer(bells)
    assert delivered is not guard
    assert balance() == 0


# --- M6, M7: in test_money_races.py and test_stripe.py ----------------------------------------------------------------


def test_m7_without_the_row_before_the_sending_a_worker_that_died_would_send_again(
    monkeypatch: pytest.MonkeyPatch, bells: Any
) -> None:
    """The till knows our refund by its key: with another one at each sending it goes twice."""
    order = taken()
    refund = back(order, 500)
    for number in range(2):
        refund.key = f"another {number}"
        truth.chosen.named("sandbox").refund(refund)
    assert TestCharge.objects.get().refunded == 1000


# --- M8: money that went elsewhere is written down under the gateway's own id -----------------------------------------


@pytest.mark.parametrize("guard", [True, False])
def test_m8_without_the_gateways_id_as_the_key_a_refund_elsewhere_counts_several_times(
    guard: bool, monkeypatch: pytest.MonkeyPatch, bells: Any
) -> None:
    order = taken()
    TestRefund.objects.create(key="theirs", charge=TestCharge.objects.get(), amount=100, status="done")
    [found] = truth.chosen.named("sandbox").look(Payment.objects.get()).backs
    if not guard:
        numbers = iter(range(1000))
        monkeypatch.setattr(refunds, "_key", lambda found: f"key {next(numbers)}")

    def looked_and_found_none(_number: int) -> None:
        with order.locked():
            made = refunds._write_down(Payment.objects.get(), found)
        refunds.landed(made, found)

    outcomes = at_once(looked_and_found_none)
    refused = [one for one in outcomes if isinstance(one, Exception)]
    assert len(refused) == (CROWD - 1 if guard else 0)
    assert Refund.objects.count() == (1 if guard else CROWD)
    assert balance() == (order.amount or 0) - 100 * (1 if guard else CROWD)


# --- M9: one making at a time, and none for money that went back ------------------------------------------------------


def test_m9_without_the_database_each_of_a_crowd_would_begin_a_making() -> None:
    order = held()
    Production.objects.update(state=ProductionState.DONE)
    seen = everybody_looks(lambda _: order.productions.filter(state=ProductionState.RUNNING).exists())
    assert seen == [False] * CROWD, "nobody would hold back"
    made = at_once(lambda number: Production.objects.create(order=order, number=number + 2))
    assert len([one for one in made if isinstance(one, IntegrityError)]) == CROWD - 1
    assert order.productions.filter(state=ProductionState.RUNNING).count() == 1


# --- M10: one answer to one cut ---------------------------------------------------------------------------------------


def test_m10_without_the_condition_in_the_update_a_yes_and_a_no_both_count(
    bells: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    review = films.waiting(bells, monkeypatch)
    seen = everybody_looks(lambda _: Review.objects.get(pk=review.pk).state)

    def answered(number: int) -> bool:
        new = ReviewState.APPROVED if number % 2 else ReviewState.REFUSED
        return seen[number] == ReviewState.WAITING and bool(Review.objects.filter(pk=review.pk).update(state=new))

    assert at_once(answered) == [True] * CROWD


# --- M11: a hold that is about to end is taken, and goes back if the film is refused ----------------------------------


def test_m11_of_a_hold_about_to_end_and_a_refusal_at_once_nothing_is_kept(bells: Any) -> None:
    order = held()
    Payment.objects.update(capture_before=timezone.now() + timedelta(hours=3))

    def do(number: int) -> Any:
        if number % 2:
            orders.finish(order=fresh(order), state=OrderState.REFUSED)
        return billing.settle(order=fresh(order))

    assert [one for one in at_once(do) if isinstance(one, Exception)] == []
    for _ in range(3):
        billing.settle(order=fresh(order))
        answer(bells)
    charge = TestCharge.objects.get()
    assert charge.status == "cancelled" or charge.captured == charge.refunded == Refund.objects.get().amount
    assert balance() == 0
    assert OrderEvent.objects.filter(name="payment.captured").count() <= 1
    assert list(invariants.i1_ledger_balances()) == []


def test_m11_without_the_day_before_a_hold_runs_out_and_the_film_is_paid_by_nobody(
    bells: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for guard in (True, False):
        order = held_by(f"fan-{guard}@films.example")
        key = order.payments.get().key
        soon = timezone.now() + timedelta(hours=3)
        TestCharge.objects.filter(key=key).update(ends_at=soon)
        Payment.objects.filter(key=key).update(capture_before=soon)
        if not guard:
            monkeypatch.setattr(billing, "BEFORE_THE_END", timedelta(0))
        billing.settle(order=order)
        TestCharge.objects.filter(key=key).update(ends_at=timezone.now() - timedelta(seconds=1))
        orders.finish(order=order, state=OrderState.DELIVERED)
        billing.settle(order=fresh(order))
        payment = order.payments.get()
        assert payment.state == (PaymentState.CAPTURED if guard else PaymentState.EXPIRED)


def held_by(mail: str) -> Order:
    order = making.draft(by=making.fan(mail))
    billing.pay(payment=billing.begin_payment(order=order), card="good")
    return fresh(order)


# --- M12: the price that was shown ------------------------------------------------------------------------------------


def test_m12_an_order_placed_without_saying_what_was_paid_is_placed_at_whatever_it_costs_by_now() -> None:
    order = making.draft()
    payment = billing.begin_payment(order=order)
    price = Price.objects.current().get(creator=order.creator, seconds=order.brief.seconds, occasion="")
    prices.change(creator=order.creator, seconds=price.seconds, amount=price.amount + 500)
    later = billing.begin_payment(order=fresh(order))
    assert (later.amount, payment.amount) == (price.amount + 500, price.amount)
    with pytest.raises(orders.NotReady):
        orders.place(order=fresh(order), amount=payment.amount, currency=payment.currency)
    assert fresh(order).is_draft
    assert orders.place(order=fresh(order)), "negative control: nobody compared"


def test_m12_without_the_snapshot_a_share_would_change_under_a_payment() -> None:
    order = held()
    payment = Payment.objects.get()
    shares.set_rate(creator=order.creator, points=9000)
    assert shares.of(payment.amount, payment.share_points or 0) != shares.of(
        payment.amount, shares.rate_for(order.creator)
    )
    order.move(OrderState.PLACED, OrderState.DELIVERED)
    billing.settle(order=order)
    assert -sum(LedgerEntry.objects.filter(account="creator").values_list("amount", flat=True)) == shares.of(
        payment.amount, 4000
    )
