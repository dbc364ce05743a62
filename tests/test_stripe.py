"""Stripe on bad days: answers that get lost, keys that are used up, messages that come late, twice or never."""

# ruff: noqa: F811  (fixtures arrive as imports and are named again as arguments)

from __future__ import annotations

import os
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from billing import refunds, truth
from billing import services as billing
from billing.gateways import chosen
from billing.gateways.base import GatewayError
from billing.gateways.stripe import StripeGateway
from billing.models import Payment, PaymentState, Refund, RefundReason, RefundState
from orders.models import OrderState
from sandbox.stripe_door import Door, public

from . import making, tills
from .test_refunds import answer, back, balance
from .test_refunds import sweep as sweep_money
from .tills import at_stripes_till, payment  # noqa: F401

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


# --- the fan's way ----------------------------------------------------------------------------------------------------


def test_a_fan_pays_on_stripes_page_and_comes_back_to_the_film_whoever_was_told(client: Client) -> None:
    order = making.draft()
    payment = billing.begin_payment(order=order)
    client.force_login(order.fan)
    page = client.get(reverse("billing:till", args=[payment.key]))
    payment.refresh_from_db()
    assert page["Location"] == payment.url
    assert payment.url.startswith(f"{tills.pretended().at('stripe')}/pay/")
    came_back = reverse("billing:back", args=[payment.key])
    assert client.get(came_back)["Location"] == reverse("orders:summary", args=[order.code]), "nothing paid yet"
    tills.pay(payment)
    film = reverse("pipeline:order", args=[order.code])
    for _ in range(2):
        assert client.get(came_back)["Location"] == film
    payment.refresh_from_db()
    assert (payment.state, payment.look_at) == (PaymentState.AUTHORIZED, None)
    session = tills.ask(f"v1/checkout/sessions/{payment.session}")
    assert session["success_url"].endswith(came_back)
    assert session["customer_email"] == order.fan.email
    assert order.brief.name not in str(session), "who the film is for is not Stripe's"
    client.force_login(making.fan("stranger@films.example"))
    assert client.get(came_back).status_code == 404


def test_a_stripe_that_is_away_takes_nobody_and_says_so(client: Client) -> None:
    order = making.draft()
    payment = billing.begin_payment(order=order)
    client.force_login(order.fan)
    tills.fault("rate")
    page = client.get(reverse("billing:till", args=[payment.key]))
    assert page.status_code == 503
    assert "Nothing was taken" in page.content.decode()
    assert client.get(reverse("billing:till", args=[payment.key])).status_code == 302


def test_an_answer_without_the_charge_that_was_asked_for_is_none(payment: Payment, monkeypatch: Any) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(Door, "expanded", lambda door, thing, params: public(thing))
        tills.pay(payment)
        with pytest.raises(GatewayError, match="without its charge"):
            truth.look(payment)
    truth.look(payment)
    assert payment.state == PaymentState.AUTHORIZED


def test_a_fork_speaks_through_a_connection_of_its_own() -> None:
    ours = chosen.named("stripe")
    assert chosen.named("stripe") is ours
    if (child := os.fork()) == 0:
        os._exit(0 if chosen.named("stripe") is not ours else 1)
    assert os.waitpid(child, 0)[1] == 0


@pytest.mark.parametrize("fault", ["silent", "down", "down_after", "in_use", "rate"])
def test_a_page_whose_address_got_lost_is_asked_for_again(fault: str) -> None:
    payment = billing.begin_payment(order=making.draft())
    tills.fault(fault)
    for _ in range(3):
        try:
            billing.checkout(payment=payment)
        except GatewayError:
            payment.refresh_from_db()
    tills.placed(payment)


def test_a_bank_that_answers_late_begins_the_film_when_it_does(payment: Payment, client: Client, bells: Any) -> None:
    client.force_login(payment.order.fan)
    tills.pretended().world.speed = 1
    tills.pay(payment, "late")
    page = client.get(reverse("billing:back", args=[payment.key]))
    assert "Your bank has not answered yet" in page.content.decode()
    tills.pretended().world.speed = 2000
    payment.refresh_from_db()
    assert payment.look_at is not None
    tills.pretended().world._timers[-1].function()
    tills.now_due()
    sweep_money(bells)
    payment.refresh_from_db()
    assert (payment.state, payment.order.state) == (PaymentState.CAPTURED, OrderState.PLACED)
    assert 'hx-trigger="every 4s"' in page.content.decode(), "the open page asks by itself"
    asked = client.get(reverse("billing:back", args=[payment.key]), headers={"HX-Request": "true"})
    assert asked["HX-Redirect"] == reverse("pipeline:order", args=[payment.order.code])


def test_a_payment_nobody_told_us_of_is_read_back(payment: Payment, bells: Any) -> None:
    tills.pay(payment)
    sweep_money(bells)
    payment.refresh_from_db()
    assert payment.state == PaymentState.CREATED, "its alarm has not gone off"
    tills.now_due()
    sweep_money(bells)
    payment.order.refresh_from_db()
    assert payment.order.state == OrderState.PLACED


def test_a_page_that_ran_out_closes_the_payment_and_the_next_click_opens_another(payment: Payment) -> None:
    tills.ask(f"v1/checkout/sessions/{payment.session}/expire", post={})
    truth.look(payment)
    assert payment.state == PaymentState.EXPIRED
    again = billing.begin_payment(order=payment.order)
    assert again.number == payment.number + 1
    billing.checkout(payment=again)
    tills.placed(again)


# --- holds ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", ["silent", "down", "down_after", "in_use", "rate", "bad_key", "declined"])
def test_money_is_taken_once_whatever_becomes_of_the_answer(payment: Payment, fault: str, bells: Any) -> None:
    order = tills.placed(payment)
    order.move(OrderState.PLACED, OrderState.DELIVERED)
    tills.fault(fault)
    for _ in range(4):
        tills.now_due()
        sweep_money(bells)
    payment.refresh_from_db()
    assert (payment.state, payment.captured) == (PaymentState.CAPTURED, payment.amount)
    assert balance() == payment.amount
    assert tills.ask(f"v1/payment_intents/{payment.external_id}")["amount_received"] == payment.amount


def test_a_gateway_that_is_away_is_left_alone_for_a_while(payment: Payment, bells: Any) -> None:
    order = tills.placed(payment)
    order.move(OrderState.PLACED, OrderState.DELIVERED)
    tills.fault("rate", 100)
    before = len(tills.pretended().world.journal)
    for _ in range(10):
        sweep_money(bells)
    asked = [one for one in tills.pretended().world.journal[before:] if "/capture" in one.path]
    assert len(asked) <= 2


def test_a_capture_that_failed_is_tried_again_within_a_minute_however_long_the_fan_took_to_pay(
    payment: Payment, bells: Any
) -> None:
    for _ in range(5):
        tills.now_due()
        sweep_money(bells)  # nobody has paid yet
    payment.refresh_from_db()
    assert payment.looks == 5
    order = tills.placed(payment)
    order.move(OrderState.PLACED, OrderState.DELIVERED)
    tills.fault("rate", 100)
    sweep_money(bells)
    payment.refresh_from_db()
    assert payment.look_at is not None
    assert payment.look_at < timezone.now() + timedelta(minutes=1)
    tills.pretended().world.left.clear()
    tills.now_due()
    for _ in range(2):
        sweep_money(bells)
    payment.refresh_from_db()
    assert payment.captured == payment.amount


def test_a_hold_that_is_gone_is_written_down_and_ends_an_order_that_is_being_made(payment: Payment, bells: Any) -> None:
    order = tills.placed(payment)
    tills.ask(f"v1/payment_intents/{payment.external_id}/cancel", post={})
    truth.look(payment)
    order.refresh_from_db()
    assert (payment.state, order.state) == (PaymentState.EXPIRED, OrderState.CANCELLED)
    assert "no longer held" in order.ending
    assert balance() == 0


def test_a_hold_lost_at_the_capture_is_written_down(payment: Payment, bells: Any) -> None:
    order = tills.placed(payment)
    order.move(OrderState.PLACED, OrderState.DELIVERED)
    tills.fault("hold_lost")
    sweep_money(bells)
    payment.refresh_from_db()
    assert payment.state == PaymentState.EXPIRED
    assert order.events.filter(name="payment.lost").exists()


def test_a_hold_is_taken_a_day_before_it_ends_and_goes_back_if_the_film_is_refused(
    payment: Payment, bells: Any
) -> None:
    order = tills.placed(payment)
    sweep_money(bells)
    payment.refresh_from_db()
    assert payment.state == PaymentState.AUTHORIZED, "negative control: it has days"
    Payment.objects.update(capture_before=timezone.now() + timedelta(hours=23))
    sweep_money(bells)
    payment.refresh_from_db()
    order.refresh_from_db()
    assert (payment.state, order.state) == (PaymentState.CAPTURED, OrderState.PLACED)
    order.move(OrderState.PLACED, OrderState.REFUSED, ended_at=timezone.now())
    sweep_money(bells)
    assert Refund.objects.get().reason == RefundReason.REFUSED
    assert tills.at_stripe(payment) == [payment.amount]
    assert balance() == 0


@pytest.mark.parametrize("fault", ["silent", "down", "down_after"])
def test_a_hold_is_let_go_whatever_becomes_of_the_answer(payment: Payment, fault: str, bells: Any) -> None:
    order = tills.placed(payment)
    order.move(OrderState.PLACED, OrderState.CANCELLED, ended_at=timezone.now())
    tills.fault(fault)
    for _ in range(3):
        tills.now_due()
        sweep_money(bells)
    payment.refresh_from_db()
    assert payment.state == PaymentState.CANCELLED
    assert tills.ask(f"v1/payment_intents/{payment.external_id}")["status"] == "canceled"


# --- refunds ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", ["silent", "down", "down_after", "in_use", "rate", "bad_key", ""])
def test_a_refund_is_sent_once_whatever_becomes_of_the_answer(payment: Payment, fault: str, bells: Any) -> None:
    order = tills.delivered(payment)
    refund = back(order, 700)
    if fault:
        tills.fault(fault, 2 if fault == "down_after" else 1)
    for _ in range(4):
        answer(bells)
        tills.now_due()
        sweep_money(bells)
    refund.refresh_from_db()
    assert refund.state == RefundState.DONE
    assert tills.at_stripe(payment) == [700]
    assert balance() == payment.amount - 700


def test_negative_control_with_a_fresh_key_at_each_sending_and_without_a_look_money_goes_back_twice(
    payment: Payment, bells: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = tills.delivered(payment)
    Payment.objects.update(look_at=None)  # a look at the payment would find it
    monkeypatch.setattr(StripeGateway, "_sent", lambda self, refund: None)
    refund = back(order, 700)
    tills.fault("down_after", 1)
    for _ in range(3):
        answer(bells)
        tills.now_due()
        sweep_money(bells)
    refund.refresh_from_db()
    assert tills.at_stripe(payment) == [700, 700]


def test_a_refund_may_take_its_time_and_may_fail(payment: Payment, bells: Any) -> None:
    order = tills.delivered(payment)
    tills.pretended().world.speed = 1
    tills.fault("refund_fails")
    refund = back(order, 700)
    answer(bells)
    refund.refresh_from_db()
    assert refund.state == RefundState.DONE
    tills.pretended().world._timers[-1].function()
    tills.pretended().world.speed = 2000
    truth.look(payment)
    refund.refresh_from_db()
    assert (refund.state, refund.error) == (RefundState.FAILED, "expired_or_canceled_card")
    assert balance() == payment.amount == refunds.refundable(order)


def test_a_refund_and_a_dispute_made_elsewhere_are_written_down(payment: Payment, bells: Any) -> None:
    order = tills.delivered(payment)
    tills.ask("v1/refunds", post={"payment_intent": payment.external_id, "amount": 400})
    truth.look(payment)
    charge = tills.ask(f"v1/payment_intents/{payment.external_id}")["latest_charge"]
    tills.ask(f"dispute/{charge}", post={})
    for _ in range(2):
        truth.look(payment)
    found = {one.reason: (one.amount, one.state) for one in Refund.objects.all()}
    assert found == {
        RefundReason.OUTSIDE: (400, RefundState.DONE),
        RefundReason.CHARGEBACK: (payment.amount - 400, RefundState.SENT),
    }
    assert (balance(), refunds.refundable(order)) == (0, 0)
    tills.ask(f"dispute/{charge}?status=won", post={})
    truth.look(payment)
    assert balance() == payment.amount - 400
