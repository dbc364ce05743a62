"""What Stripe tells us: messages signed, twice, late, forged; its books; and a death at every boundary of money."""

# ruff: noqa: F811  (fixtures arrive as imports and are named again as arguments)

from __future__ import annotations

import contextlib
import time
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.db import DatabaseError
from django.test import Client
from django.utils import timezone

from billing import holds, hooks, reconcile, refunds, truth
from billing import services as billing
from billing.gateways import chosen
from billing.models import GatewayEvent, Payment, PaymentState, Reconciliation, Refund, RefundState
from orders.faults import POINTS
from orders.models import OrderState
from sandbox.stripe_door import FORGED, SECRET

from . import making, tills
from .board import Died
from .test_refunds import answer, back, balance
from .test_refunds import sweep as sweep_money
from .tills import at_stripes_till, payment  # noqa: F401

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


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
    order = tills.delivered(payment)
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
    payment = tills.begun()
    order = tills.delivered(payment)
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
    payment = tills.begun()
    tills.placed(payment)
    Payment.objects.filter(pk=payment.pk).update(key="forgotten", external_id="pi_other")
    Payment.objects.update(created_at=timezone.now() - timedelta(days=1))
    differences = reconcile.compare("stripe").differences
    assert any("we know nothing of it" in says for says in differences)
    assert any("not listed there" in says for says in differences)


@pytest.mark.usefixtures("books")
def test_the_books_are_compared_once_a_day_and_again_where_that_died(bells: Any) -> None:
    payment = tills.begun()
    tills.placed(payment)
    assert reconcile.is_due()
    assert len(reconcile.daily()) == len(reconcile.gateways())
    assert reconcile.daily() == []
    assert not reconcile.is_due()
    Reconciliation.objects.update(ended_at=None, begun_at=timezone.now() - timedelta(hours=2))
    assert reconcile.is_due()
    assert len(reconcile.daily()) == 1
    assert Reconciliation.objects.get().differences == []


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
        tills.now_due()
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
