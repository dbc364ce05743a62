"""Money when several want it at the same moment: one order, one capture, never more back than was paid.

Run on PostgreSQL too, where writers do not queue. Each guard has its negative control.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db.models import F, Sum
from django.test import Client
from django.utils import timezone

from billing import prices, refunds, truth
from billing import services as billing
from billing.gateways.base import GatewayError
from billing.gateways.sandbox import SandboxTill
from billing.models import (
    GatewayEvent,
    LedgerEntry,
    Payment,
    PaymentState,
    Price,
    Refund,
    RefundSource,
    RefundState,
    TestCharge,
    TestRefund,
)
from orders import services as orders
from orders.cashier import NotForSale
from orders.models import Order, OrderEvent, OrderState
from pipeline import invariants
from pipeline.models import Production, ProductionState

from . import making, tills
from .test_races import CROWD, at_once, on_disk  # noqa: F401  (a fixture that is used by itself)
from .test_refunds import answer, back, balance, held, taken

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

WHOLE: list[Callable[[], Any]] = [
    invariants.i1_ledger_balances,
    invariants.i2_paid_once,
    invariants.i5_history_has_no_gap,
]


def whole() -> list[str]:
    return [says for check in WHOLE for says in check()]


def fresh(order: Order) -> Order:
    return Order.objects.get(pk=order.pk)


def in_stripe(settings: Any) -> Payment:
    tills.use_stripe(settings)
    payment = billing.begin_payment(order=making.draft())
    billing.checkout(payment=payment)
    return payment


# --- M1: a double click -----------------------------------------------------------------------------------------------


def test_several_clicks_at_once_open_one_page_at_stripe(settings: Any) -> None:
    tills.use_stripe(settings)
    order = making.draft()

    def click(_number: int) -> str:
        return billing.checkout(payment=billing.begin_payment(order=fresh(order))).url

    urls = [one for one in at_once(click) if isinstance(one, str)]
    assert len(set(urls)) == 1
    assert Payment.objects.count() == 1
    tills.pay(Payment.objects.get())
    at_once(lambda _: truth.look(Payment.objects.get()))
    assert fresh(order).state == OrderState.PLACED
    assert (Production.objects.count(), OrderEvent.objects.filter(name="order.placed").count()) == (1, 1)


# --- M2: the message first, late, twice -------------------------------------------------------------------------------


def test_a_message_twice_the_way_back_and_the_sweep_at_once_place_one_order(settings: Any) -> None:
    payment = in_stripe(settings)
    tills.pay(payment)
    body = tills.message("checkout.session.completed", tills.ask(f"v1/checkout/sessions/{payment.session}"))

    def tell(number: int) -> Any:
        if number % 3 == 0:
            return tills.ring(Client(), body).content
        if number % 3 == 1:
            return truth.look(Payment.objects.get())
        Payment.objects.update(look_at=timezone.now())
        return truth.look_if_due(payment.pk)

    told = at_once(tell)
    assert not [one for one in told if isinstance(one, Exception)]
    assert sorted(one for one in told if isinstance(one, bytes)) == [b"rung", b"seen"]
    payment.refresh_from_db()
    assert (payment.state, fresh(payment.order).state) == (PaymentState.AUTHORIZED, OrderState.PLACED)
    assert (Production.objects.count(), GatewayEvent.objects.count()) == (1, 1)
    assert whole() == []


# --- M3: paid after it had run out ------------------------------------------------------------------------------------


@pytest.mark.parametrize("taken_at_once", [False, True])
def test_of_two_pages_paid_at_once_one_makes_the_film_and_the_other_is_given_back(
    taken_at_once: bool, settings: Any, bells: Any
) -> None:
    settings.CAPTURE_AT_ONCE = taken_at_once
    first = in_stripe(settings)
    Payment.objects.filter(pk=first.pk).update(state=PaymentState.EXPIRED)
    second = billing.begin_payment(order=fresh(first.order))
    billing.checkout(payment=second)
    assert second.pk != first.pk
    for payment in (first, second):
        tills.pay(payment)
    at_once(lambda number: truth.look(Payment.objects.get(pk=(first, second)[number % 2].pk)))
    answer(bells)
    first.refresh_from_db()
    assert fresh(first.order).state == OrderState.PLACED
    assert Payment.objects.filter(state__in=truth.LIVE).get() == second
    if taken_at_once:
        refund = Refund.objects.get()
        assert (refund.payment, refund.state, refund.amount) == (first, RefundState.DONE, first.amount)
        assert balance() == second.amount
    else:
        assert tills.ask(f"v1/payment_intents/{first.external_id}")["status"] == "canceled"
        assert not LedgerEntry.objects.exists()
    assert whole() == []


# --- M4: the wrong amount ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("taken_at_once", [False, True])
def test_another_amount_than_was_asked_places_nothing_and_goes_back(
    taken_at_once: bool, settings: Any, bells: Any
) -> None:
    settings.CAPTURE_AT_ONCE = taken_at_once
    payment = in_stripe(settings)
    tills.pay(payment)
    Payment.objects.update(amount=F("amount") + 1)
    at_once(lambda _: truth.look(Payment.objects.get()))
    answer(bells)
    payment.refresh_from_db()
    assert payment.state == PaymentState.CANCELLED
    assert "was paid, not" in payment.error
    assert fresh(payment.order).is_draft
    intent = tills.ask(f"v1/payment_intents/{payment.external_id}", **{"expand[0]": "latest_charge"})
    back_there = intent["latest_charge"]["amount_refunded"] if taken_at_once else intent["amount"]
    assert (back_there, balance()) == (intent["amount"], 0)
    assert whole() == []


# --- M5: a refund while the film is made ------------------------------------------------------------------------------


def test_of_a_refund_and_a_delivery_at_once_no_film_is_left_without_money_nor_money_without_film(bells: Any) -> None:
    order = held()
    amount = order.amount or 0

    def end(number: int) -> Any:
        if number % 2:
            return back(fresh(order), amount)
        if orders.finish(order=fresh(order), state=OrderState.DELIVERED):
            billing.settle(order=fresh(order))
        return None

    assert not [one for one in at_once(end) if isinstance(one, Exception)]
    billing.settle(order=fresh(order))
    answer(bells)
    payment, refund = Payment.objects.get(), Refund.objects.get()
    assert refund.state == RefundState.DONE
    assert payment.refunded == payment.amount
    assert balance() == 0
    charge = TestCharge.objects.get()
    assert charge.status == "cancelled" or charge.captured == charge.refunded
    assert whole() == []


def test_a_refund_wins_over_the_making(bells: Any) -> None:
    order = held()
    at_once(lambda number: back(fresh(order), order.amount or 0, key=f"r{number}"))
    answer(bells)
    assert fresh(order).state == OrderState.CANCELLED
    assert Production.objects.get().state == ProductionState.CANCELLED
    assert Refund.objects.count() == 1
    assert not orders.finish(order=fresh(order), state=OrderState.DELIVERED)


# --- M6: two at the desk ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("money", [held, taken])
def test_several_refunds_at_once_never_pass_what_was_paid(money: Callable[[], Order], bells: Any) -> None:
    order = money()
    share = (order.amount or 0) * 2 // 5
    made = at_once(lambda number: back(fresh(order), share, key=f"desk {number}"))
    assert len([one for one in made if isinstance(one, Refund)]) == 2
    assert {type(one) for one in made} == {Refund, refunds.NotRefundable}
    answer(bells)
    assert Payment.objects.get().refunded == 2 * share
    assert (TestRefund.objects.aggregate(sum=Sum("amount"))["sum"] or 0) == (2 * share if money is taken else 0)
    assert refunds.refundable(order) == (order.amount or 0) - 2 * share
    assert whole() == []


def test_several_clicks_on_one_refund_are_one(bells: Any) -> None:
    order = taken()
    made = at_once(lambda _: back(fresh(order), 500, key="one click"))
    assert len({one.pk for one in made}) == 1
    at_once(lambda _: truth.follow_refund(Refund.objects.get().pk))
    answer(bells)
    assert (Refund.objects.count(), TestRefund.objects.count(), balance()) == (1, 1, (order.amount or 0) - 500)


def test_negative_control_refunds_that_are_counted_and_then_written_pass_what_was_paid() -> None:
    order = taken()
    payment = Payment.objects.get()
    share = payment.amount * 2 // 5
    seen = [refunds.refundable(order) for _ in range(CROWD)]  # each looked before anybody wrote

    def count_and_write(number: int) -> None:
        if seen[number] >= share:
            said = {"source": RefundSource.STAFF, "reason": "goodwill", "state": RefundState.DONE}
            Refund.objects.create(payment=payment, number=number + 1, key=f"r{number}", amount=share, **said)

    at_once(count_and_write)
    assert any("gave back" in says for says in invariants.i1_ledger_balances())


def test_of_several_who_take_the_money_one_does_and_of_a_refund_at_that_moment_nothing_is_lost(bells: Any) -> None:
    order = held()
    order.move(OrderState.PLACED, OrderState.DELIVERED)

    def do(number: int) -> Any:
        if number % 2:
            return back(fresh(order), 300, key="r")
        return billing.settle(order=fresh(order))

    assert not [one for one in at_once(do) if isinstance(one, Exception)]
    billing.settle(order=fresh(order))
    Refund.objects.filter(state=RefundState.CREATED).update(look_at=timezone.now())
    for refund in Refund.objects.all():
        truth.follow_refund(refund.pk)
    payment = Payment.objects.get()
    assert payment.state == PaymentState.CAPTURED
    charge = TestCharge.objects.get()
    assert charge.captured - charge.refunded == payment.amount - 300 == balance()
    assert OrderEvent.objects.filter(name="payment.captured").count() == 1
    assert whole() == []


# --- M7, M8: a refund without an answer, a refund at the bank ---------------------------------------------------------


def test_a_refund_that_several_send_at_once_after_no_answer_goes_once(settings: Any, bells: Any) -> None:
    payment = in_stripe(settings)
    tills.pay(payment)
    truth.look(payment)
    order = fresh(payment.order)
    order.move(OrderState.PLACED, OrderState.DELIVERED)
    billing.settle(order=order)
    refund = back(order, 700)
    tills.fault("silent", 3)

    def send(_number: int) -> None:
        Refund.objects.filter(state=RefundState.CREATED).update(look_at=timezone.now())
        truth.follow_refund(refund.pk)

    for _ in range(3):
        at_once(send)
    refund.refresh_from_db()
    listed = tills.ask("v1/refunds", payment_intent=payment.external_id or Payment.objects.get().external_id)["data"]
    assert (refund.state, [one["amount"] for one in listed]) == (RefundState.DONE, [700])
    assert balance() == payment.amount - 700
    assert whole() == []


def test_a_refund_made_at_the_gateway_is_written_down_once_however_many_read_it() -> None:
    order = taken()
    TestRefund.objects.create(key="theirs", charge=TestCharge.objects.get(), amount=700, status="done")
    at_once(lambda _: truth.look(Payment.objects.get()))
    assert (Refund.objects.count(), Payment.objects.get().refunded) == (1, 700)
    assert balance() == (order.amount or 0) - 700
    assert whole() == []


# --- M12: prices change on the way ------------------------------------------------------------------------------------


def test_who_pays_while_the_price_changes_pays_what_was_shown_or_nothing(bells: Any) -> None:
    order = making.draft()
    payment = billing.begin_payment(order=order)
    shown = payment.amount
    price = Price.objects.current().get(creator=order.creator, seconds=order.brief.seconds, occasion="")

    def do(number: int) -> Any:
        if number == 0:
            return prices.change(creator=order.creator, seconds=price.seconds, amount=shown + 500)
        if number == 1:
            return billing.begin_payment(order=fresh(order))
        return billing.pay(payment=Payment.objects.get(pk=payment.pk), card="good")

    for one in at_once(do):
        assert not isinstance(one, Exception) or isinstance(one, NotForSale | GatewayError), one
    answer(bells)
    order = fresh(order)
    live = Payment.objects.filter(state=PaymentState.AUTHORIZED).first()
    if live is not None:
        assert (order.state, live.amount, order.amount) == (OrderState.PLACED, shown, shown)
    held_there = TestCharge.objects.filter(status="held")
    assert held_there.count() == (0 if live is None else 1)
    assert SandboxTill().look(payment).amount == shown
