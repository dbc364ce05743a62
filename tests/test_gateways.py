"""Every gateway keeps one contract: the sandbox till and Stripe, here pretended, pass the same tests."""

from __future__ import annotations

import contextlib
import secrets
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from billing import services as billing
from billing.gateways import chosen
from billing.gateways.base import Gateway, GatewayError, Stand, Truth
from billing.models import Payment, Payout, Refund, RefundReason, RefundSource

from . import making, tills
from .waiting import soon

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


@pytest.fixture(params=["sandbox", "stripe"])
def till(request: pytest.FixtureRequest, settings: Any) -> Gateway:
    if request.param == "stripe":
        tills.use_stripe(settings)
    else:
        settings.STRIPE_SECRET_KEY = ""
    return chosen.gateway()


@pytest.fixture
def payment(till: Gateway) -> Payment:
    made = billing.begin_payment(order=making.draft())
    billing.checkout(payment=made)
    return made


def held(till: Gateway, payment: Payment) -> Payment:
    tills.pay(payment)
    payment.external_id = till.look(payment).external_id
    payment.wanted = payment.amount
    payment.save()
    return payment


def taken(till: Gateway, payment: Payment) -> Payment:
    till.capture(held(till, payment))
    payment.captured = payment.amount
    payment.save()
    return payment


def back(payment: Payment, amount: int, key: str = "r1") -> Refund:
    number = payment.refunds.count() + 1
    said = {"source": RefundSource.STAFF, "reason": RefundReason.GOODWILL}
    return Refund.objects.create(payment=payment, number=number, key=f"{key}-{payment.key}"[:64], amount=amount, **said)


def test_the_page_for_a_payment_is_the_same_however_often_it_is_asked_for(till: Gateway, payment: Payment) -> None:
    first = payment.session, payment.url
    Payment.objects.update(session="", url="")  # as if the answer had been lost
    payment.refresh_from_db()
    again = billing.checkout(payment=payment)
    assert (again.session, again.url) == first
    assert billing.checkout(payment=payment) == again
    assert till.look(payment).stand == Stand.OPEN


def test_what_is_paid_is_held_for_days_and_says_how_much(till: Gateway, payment: Payment) -> None:
    tills.pay(payment)
    truth = till.look(payment)
    assert (truth.stand, truth.amount, truth.currency, truth.captured) == (Stand.HELD, payment.amount, "EUR", 0)
    assert truth.external_id
    assert truth.capture_before is not None
    assert truth.capture_before > timezone.now() + timedelta(days=2)


def test_what_is_held_is_taken_once(till: Gateway, payment: Payment) -> None:
    held(till, payment)
    for _ in range(2):
        till.capture(payment)
        truth = till.look(payment)
        assert (truth.stand, truth.captured) == (Stand.TAKEN, payment.amount)
    with pytest.raises(GatewayError):
        till.release(payment)
    assert till.look(payment).stand == Stand.TAKEN


def test_a_part_may_be_taken(till: Gateway, payment: Payment) -> None:
    held(till, payment)
    payment.wanted = payment.amount - 100
    till.capture(payment)
    assert till.look(payment).captured == payment.amount - 100


def test_what_is_held_is_let_go_once_and_cannot_be_taken_then(till: Gateway, payment: Payment) -> None:
    held(till, payment)
    for _ in range(2):
        till.release(payment)
        assert till.look(payment).stand == Stand.GONE
    with pytest.raises(GatewayError) as refused:
        till.capture(payment)
    assert refused.value.final


def test_a_page_that_was_closed_takes_nothing(till: Gateway, payment: Payment) -> None:
    for _ in range(2):
        till.release(payment)
    with contextlib.suppress(GatewayError):
        tills.pay(payment)
    assert till.look(payment).stand == Stand.GONE


def test_a_declined_card_leaves_the_page_open_for_another(till: Gateway, payment: Payment) -> None:
    tills.pay(payment, "declined")
    assert till.look(payment).stand == Stand.OPEN
    tills.pay(payment)
    assert till.look(payment).stand == Stand.HELD


@pytest.mark.parametrize(("answer", "stand"), [("confirm", Stand.HELD), ("refuse", Stand.OPEN)])
def test_a_bank_may_ask_first(till: Gateway, payment: Payment, answer: str, stand: Stand) -> None:
    tills.pay(payment, "step")
    assert till.look(payment).stand == Stand.OPEN
    tills.pay(payment, "step", answer)
    assert till.look(payment).stand == stand


def test_a_bank_may_answer_late(till: Gateway, payment: Payment) -> None:
    tills.pay(payment, "late")
    assert till.look(payment).stand in (Stand.PENDING, Stand.TAKEN)
    with time_machine.travel(timezone.now() + timedelta(seconds=30)):
        assert soon(lambda: till.look(payment).stand in (Stand.HELD, Stand.TAKEN))


def test_a_refund_is_sent_once_and_never_more_than_was_taken(till: Gateway, payment: Payment) -> None:
    taken(till, payment)
    first = back(payment, 500)
    for _ in range(2):
        said = till.refund(first)
        first.looks += 2
        assert (said.amount, said.state, said.key) == (500, "done", first.key)
    assert [one.amount for one in till.look(payment).backs] == [500]
    with pytest.raises(GatewayError) as refused:
        till.refund(back(payment, payment.amount, "r2"))
    assert refused.value.final
    till.refund(back(payment, payment.amount - 500, "r3"))
    assert sum(one.amount for one in till.look(payment).backs) == payment.amount


def test_the_books_list_every_payment_with_what_was_taken_and_went_back(till: Gateway, payment: Payment) -> None:
    taken(till, payment)
    till.refund(back(payment, 500))
    [line] = [line for line in till.books(timezone.now() - timedelta(days=1)) if line.key == payment.key]
    assert (line.stand, line.captured, line.back) == (Stand.TAKEN, payment.amount, 500)
    assert (line.amount, line.currency, line.external_id) == (payment.amount, "EUR", payment.external_id)


def test_money_may_be_taken_when_the_order_is_placed(settings: Any, till: Gateway) -> None:
    settings.CAPTURE_AT_ONCE = True
    made = billing.begin_payment(order=making.draft())
    billing.checkout(payment=made)
    tills.pay(made)
    truth = chosen.gateway().look(made)
    assert (truth.stand, truth.captured) == (Stand.TAKEN, made.amount)


def test_someone_answers(till: Gateway) -> None:
    assert till.check()


def test_a_payment_never_begun_there_is_open(till: Gateway) -> None:
    made = billing.begin_payment(order=making.draft(by=making.fan("another@films.example")))
    assert till.look(made) == Truth(Stand.OPEN) or till.look(made).stand == Stand.OPEN


def test_a_creators_money_is_sent_once(till: Gateway) -> None:
    creator = making.creator()
    said = {
        "gateway": till.name,
        "destination": tills.account() if till.name == "stripe" else "acct_creator",
        "amount": 1234,
        "currency": "EUR",
    }
    payout = Payout.objects.create(creator=creator, key=secrets.token_urlsafe(12), **said)
    first = till.transfer(payout, sent_before=False)
    assert till.transfer(payout, sent_before=True) == first
    assert first
