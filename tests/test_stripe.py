"""Stripe on bad days: answers that get lost, keys that are used up, messages that come late, twice or never."""

from __future__ import annotations

import contextlib
import os
import time
from datetime import timedelta
from typing import Any

import pytest
from django.core.checks import run_checks
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.db import DatabaseError
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from billing import holds, hooks, reconcile, refunds, truth
from billing import services as billing
from billing.gateways import chosen
from billing.gateways.base import GatewayError
from billing.gateways.stripe import StripeGateway
from billing.models import GatewayEvent, Payment, PaymentState, Reconciliation, Refund, RefundReason, RefundState
from orders.faults import POINTS
from orders.models import Order, OrderState
from sandbox.stripe_door import FORGED, SECRET, Door, public

from . import making, tills
from .board import Died
from .test_refunds import answer, back, balance
from .test_refunds import sweep as sweep_money
from .waiting import soon

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


@pytest.fixture(autouse=True)
def stripe(settings: Any) -> Any:
    return tills.use_stripe(settings)


def begun() -> Payment:
    made = billing.begin_payment(order=making.draft())
    billing.checkout(payment=made)
    return made


@pytest.fixture
def payment() -> Payment:
    return begun()


def now_due() -> None:
    """Nobody waits here for an alarm."""
    Payment.objects.exclude(look_at=None).update(look_at=timezone.now() - timedelta(seconds=1))
    Refund.objects.exclude(look_at=None).update(look_at=timezone.now() - timedelta(seconds=1))


def placed(payment: Payment) -> Order:
    tills.pay(payment)
    truth.look(payment)
    payment.order.refresh_from_db()
    assert payment.order.state == OrderState.PLACED
    return payment.order


def delivered(payment: Payment) -> Order:
    order = placed(payment)
    order.move(OrderState.PLACED, OrderState.DELIVERED)
    billing.settle(order=order)
    payment.refresh_from_db()
    assert payment.state == PaymentState.CAPTURED
    return order


def at_stripe(payment: Payment) -> list[int]:
    """The refunds Stripe has of it that did not fail."""
    listed = tills.ask("v1/refunds", payment_intent=payment.external_id, limit=100)["data"]
    return sorted(one["amount"] for one in listed if one["status"] != "failed")


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
    placed(payment)


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
    now_due()
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
    now_due()
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
    placed(again)


# --- holds ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", ["silent", "down", "down_after", "in_use", "rate", "bad_key", "declined"])
def test_money_is_taken_once_whatever_becomes_of_the_answer(payment: Payment, fault: str, bells: Any) -> None:
    order = placed(payment)
    order.move(OrderState.PLACED, OrderState.DELIVERED)
    tills.fault(fault)
    for _ in range(4):
        now_due()
        sweep_money(bells)
    payment.refresh_from_db()
    assert (payment.state, payment.captured) == (PaymentState.CAPTURED, payment.amount)
    assert balance() == payment.amount
    assert tills.ask(f"v1/payment_intents/{payment.external_id}")["amount_received"] == payment.amount


def test_a_gateway_that_is_away_is_left_alone_for_a_while(payment: Payment, bells: Any) -> None:
    order = placed(payment)
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
        now_due()
        sweep_money(bells)  # nobody has paid yet
    payment.refresh_from_db()
    assert payment.looks == 5
    order = placed(payment)
    order.move(OrderState.PLACED, OrderState.DELIVERED)
    tills.fault("rate", 100)
    sweep_money(bells)
    payment.refresh_from_db()
    assert payment.look_at is not None
    assert payment.look_at < timezone.now() + timedelta(minutes=1)
    tills.pretended().world.left.clear()
    now_due()
    for _ in range(2):
        sweep_money(bells)
    payment.refresh_from_db()
    assert payment.captured == payment.amount


def test_a_hold_that_is_gone_is_written_down_and_ends_an_order_that_is_being_made(payment: Payment, bells: Any) -> None:
    order = placed(payment)
    tills.ask(f"v1/payment_intents/{payment.external_id}/cancel", post={})
    truth.look(payment)
    order.refresh_from_db()
    assert (payment.state, order.state) == (PaymentState.EXPIRED, OrderState.CANCELLED)
    assert "no longer held" in order.ending
    assert balance() == 0


def test_a_hold_lost_at_the_capture_is_written_down(payment: Payment, bells: Any) -> None:
    order = placed(payment)
    order.move(OrderState.PLACED, OrderState.DELIVERED)
    tills.fault("hold_lost")
    sweep_money(bells)
    payment.refresh_from_db()
    assert payment.state == PaymentState.EXPIRED
    assert order.events.filter(name="payment.lost").exists()


def test_a_hold_is_taken_a_day_before_it_ends_and_goes_back_if_the_film_is_refused(
    payment: Payment, bells: Any
) -> None:
    order = placed(payment)
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
    assert at_stripe(payment) == [payment.amount]
    assert balance() == 0


@pytest.mark.parametrize("fault", ["silent", "down", "down_after"])
def test_a_hold_is_let_go_whatever_becomes_of_the_answer(payment: Payment, fault: str, bells: Any) -> None:
    order = placed(payment)
    order.move(OrderState.PLACED, OrderState.CANCELLED, ended_at=timezone.now())
    tills.fault(fault)
    for _ in range(3):
        now_due()
        sweep_money(bells)
    payment.refresh_from_db()
    assert payment.state == PaymentState.CANCELLED
    assert tills.ask(f"v1/payment_intents/{payment.external_id}")["status"] == "canceled"


# --- refunds ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", ["silent", "down", "down_after", "in_use", "rate", "bad_key", ""])
def test_a_refund_is_sent_once_whatever_becomes_of_the_answer(payment: Payment, fault: str, bells: Any) -> None:
    order = delivered(payment)
    refund = back(order, 700)
    if fault:
        tills.fault(fault, 2 if fault == "down_after" else 1)
    for _ in range(4):
        answer(bells)
        now_due()
        sweep_money(bells)
    refund.refresh_from_db()
    assert refund.state == RefundState.DONE
    assert at_stripe(payment) == [700]
    assert balance() == payment.amount - 700


def test_negative_control_with_a_fresh_key_at_each_sending_and_without_a_look_money_goes_back_twice(
    payment: Payment, bells: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = delivered(payment)
    Payment.objects.update(look_at=None)  # a look at the payment would find it
    monkeypatch.setattr(StripeGateway, "_sent", lambda self, refund: None)
    refund = back(order, 700)
    tills.fault("down_after", 1)
    for _ in range(3):
        answer(bells)
        now_due()
        sweep_money(bells)
    refund.refresh_from_db()
    assert at_stripe(payment) == [700, 700]


def test_a_refund_may_take_its_time_and_may_fail(payment: Payment, bells: Any) -> None:
    order = delivered(payment)
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
    order = delivered(payment)
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


# --- messages ---------------------------------------------------------------------------------------------------------


def completed(payment: Payment, ident: str = "evt_1") -> str:
    return tills.message("checkout.session.completed", tills.ask(f"v1/checkout/sessions/{payment.session}"), ident)


def test_a_message_is_a_bell_heard_once_and_what_is_so_is_asked(payment: Payment, client: Client, bells: Any) -> None:
    tills.pay(payment)
    body = completed(payment)
    assert [tills.ring(client, body).content for _ in range(3)] == [b"rung", b"seen", b"seen"]
    assert GatewayEvent.objects.get().payment == payment
    payment.refresh_from_db()
    assert payment.state == PaymentState.CREATED, "the message itself changes nothing"
    answer(bells)
    payment.order.refresh_from_db()
    assert payment.order.state == OrderState.PLACED


def test_a_message_that_says_what_is_not_so_changes_nothing(payment: Payment, client: Client, bells: Any) -> None:
    paid = tills.ask(f"v1/checkout/sessions/{payment.session}") | {"status": "complete", "payment_status": "paid"}
    assert tills.ring(client, tills.message("checkout.session.completed", paid)).content == b"rung"
    answer(bells)
    payment.refresh_from_db()
    assert (payment.state, payment.order.is_draft) == (PaymentState.CREATED, True)


@pytest.mark.parametrize("turns", [("first", "second"), ("second", "first")])
def test_the_order_of_messages_does_not_matter(payment: Payment, client: Client, bells: Any, turns: Any) -> None:
    order = delivered(payment)
    back(order, 700)
    answer(bells)
    intent = tills.ask(f"v1/payment_intents/{payment.external_id}")
    bodies = {
        "first": tills.message("payment_intent.canceled", intent | {"status": "requires_capture"}, "e1"),
        "second": tills.message("payment_intent.succeeded", intent, "e2"),
    }
    for turn in turns:
        assert tills.ring(client, bodies[turn]).content == b"rung"
        answer(bells)
    payment.refresh_from_db()
    assert (payment.state, balance()) == (PaymentState.CAPTURED, payment.amount - 700)


def test_forged_stale_early_and_foreign_messages(payment: Payment, client: Client, settings: Any) -> None:
    body = completed(payment)
    assert tills.ring(client, body, secret=FORGED).status_code == 401
    assert tills.ring(client, body, at=int(time.time()) - 301).status_code == 401
    assert tills.ring(client, body, at=int(time.time()) + 301).status_code == 401
    assert client.post("/hooks/stripe/", body, content_type="application/json").status_code == 401
    assert client.post("/hooks/stripe/", "x" * 70_000, content_type="application/json").status_code == 413
    for nonsense in ("[]", "{}", '{"id": 5}', "\x00", '{"id": "evt_2", "data": {"object": []}}'):
        assert tills.ring(client, nonsense).status_code in (200, 401)
    assert not GatewayEvent.objects.filter(payment=payment).exists()
    other = tills.message("payment_intent.succeeded", {"id": "pi_elsewhere", "metadata": {"payment": 5}}, "evt_9")
    assert tills.ring(client, other).content == b"unknown"
    settings.STRIPE_WEBHOOK_SECRETS = ["whsec_new", SECRET]
    assert tills.ring(client, body).content == b"rung", "two secrets may be live at once"
    settings.STRIPE_WEBHOOK_SECRETS = []
    assert tills.ring(client, body).status_code == 404


def test_a_database_that_is_away_is_503_so_that_stripe_tries_again(
    payment: Payment, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(**kwargs: Any) -> None:
        raise DatabaseError("locked")

    with monkeypatch.context() as patch:
        patch.setattr(GatewayEvent.objects, "create", away)
        assert tills.ring(client, completed(payment)).status_code == 503
    assert tills.ring(client, completed(payment)).content == b"rung"


# --- books ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def books(settings: Any) -> None:
    tills.use_stripe(settings, fresh=True)


@pytest.mark.usefixtures("books")
def test_the_books_agree_and_each_difference_is_a_sentence(bells: Any, capsys: Any) -> None:
    payment = begun()
    order = delivered(payment)
    back(order, 700)
    sweep_money(bells)
    call_command("reconcile")
    assert "0 put right, 0 differ" in capsys.readouterr().out
    tills.ask("v1/refunds", post={"payment_intent": payment.external_id, "amount": 400})
    call_command("reconcile")
    assert "put right" in capsys.readouterr().out
    assert balance() == payment.amount - 1100
    Payment.objects.filter(pk=payment.pk).update(captured=payment.amount - 1)
    with pytest.raises(SystemExit):
        call_command("reconcile")
    said = capsys.readouterr().out
    assert f"DIFFERS: {payment} ({payment.external_id}): {payment.amount - 1} was taken as its row says" in said


@pytest.mark.usefixtures("books")
def test_what_is_at_stripe_under_our_name_and_unknown_here_is_a_difference() -> None:
    payment = begun()
    placed(payment)
    Payment.objects.filter(pk=payment.pk).update(key="forgotten", external_id="pi_other")
    Payment.objects.update(created_at=timezone.now() - timedelta(days=1))
    differences = reconcile.compare("stripe").differences
    assert any("we know nothing of it" in says for says in differences)
    assert any("not listed there" in says for says in differences)


@pytest.mark.usefixtures("books")
def test_the_books_are_compared_once_a_day_and_again_where_that_died(bells: Any) -> None:
    payment = begun()
    placed(payment)
    assert reconcile.is_due()
    assert len(reconcile.daily()) == len(reconcile.gateways())
    assert reconcile.daily() == []
    assert not reconcile.is_due()
    Reconciliation.objects.update(ended_at=None, begun_at=timezone.now() - timedelta(hours=2))
    assert reconcile.is_due()
    assert len(reconcile.daily()) == 1
    assert Reconciliation.objects.get().differences == []


# --- settings ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("STRIPE_SECRET_KEY", "pk_test_1"),
        ("STRIPE_SECRET_KEY", "sk_test_1\n"),
        ("STRIPE_BASE_URL", "api.stripe.com"),
        ("STRIPE_WEBHOOK_SECRETS", ["whsec_good", "good"]),
        ("GATEWAY", "bank"),
    ],
)
def test_half_a_key_is_named_and_closes_the_till(settings: Any, name: str, value: Any) -> None:
    setattr(settings, name, value)
    [error] = run_checks(tags=["vendors"])
    assert error.msg.startswith(name)
    assert not chosen.is_open()


def test_secrets_without_a_key_and_a_gateway_without_one(settings: Any) -> None:
    settings.STRIPE_SECRET_KEY = ""
    assert [error.msg for error in run_checks(tags=["vendors"])] == [
        "STRIPE_WEBHOOK_SECRETS is set, STRIPE_SECRET_KEY is not."
    ]
    settings.STRIPE_WEBHOOK_SECRETS = []
    assert run_checks(tags=["vendors"]) == []
    assert chosen.name() == "sandbox"
    settings.GATEWAY = "stripe"
    with pytest.raises(ImproperlyConfigured, match="STRIPE_SECRET_KEY"):
        chosen.gateway()


def test_the_doctor_asks_stripe_one_free_question(capsys: Any) -> None:
    for fault, says in (("", "account acct_sandbox, test mode"), ("bad_key", "AuthenticationError 401")):
        if fault:
            tills.fault(fault)
        with contextlib.suppress(SystemExit):
            call_command("doctor")
        assert says in capsys.readouterr().out


def test_our_key_is_said_to_nobody(payment: Payment, caplog: pytest.LogCaptureFixture) -> None:
    tills.fault("bad_key")
    with pytest.raises(GatewayError) as refused:
        truth.look(payment)
    assert tills.KEY not in str(refused.value) + caplog.text
    assert soon(lambda: True)


# --- deaths -----------------------------------------------------------------------------------------------------------


def die_once(point: str, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    died: list[str] = []

    def die(name: str) -> None:
        if name == point and not died:
            died.append(name)
            raise Died(name)

    for module in (billing, truth, holds, refunds, hooks):
        monkeypatch.setattr(module, "faultpoint", die)
    return died


@pytest.mark.parametrize("point", [name for name in POINTS if name.startswith(("payment.", "refund.", "till."))])
def test_a_death_at_any_boundary_of_money_is_made_up_for_and_the_books_agree(
    point: str, settings: Any, client: Client, bells: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    if point == "payment.after_hold":
        settings.STRIPE_SECRET_KEY = ""  # only the test till holds inside our own request
    died = die_once(point, monkeypatch)
    released = point == "payment.after_release"

    def dying(do: Any) -> None:
        with contextlib.suppress(Died):
            do()

    order = making.draft()
    first = billing.begin_payment(order=order)
    if first.gateway == "sandbox":
        dying(lambda: billing.pay(payment=first, card="good"))
    else:
        billing.checkout(payment=first)
        tills.pay(first)
        for _ in range(2):
            dying(lambda: tills.ring(client, completed(first)))
    for turn in range(6):
        now_due()
        dying(lambda: sweep_money(bells))
        order.refresh_from_db()
        if turn == 1:
            assert order.state == OrderState.PLACED
            ended = OrderState.CANCELLED if released else OrderState.DELIVERED
            order.move(OrderState.PLACED, ended, ended_at=timezone.now())
        if turn == 3 and not released:
            dying(lambda: back(order, 700))
    assert died == [point]
    payment = Payment.objects.get()
    if released:
        assert (payment.state, balance()) == (PaymentState.CANCELLED, 0)
    else:
        assert (payment.state, Refund.objects.get().state) == (PaymentState.CAPTURED, RefundState.DONE)
        assert balance() == payment.amount - 700
    truth_there = chosen.named(payment.gateway).look(payment)
    assert truth_there.captured - sum(one.amount for one in truth_there.backs) == balance()
