"""What the gateway keeps of a payment: an estimate until it says it itself, then its own figure, once, to the cent."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from billing import fees, margins, reconcile, truth
from billing import services as billing
from billing.gateways.stripe import _fee
from billing.models import Account, LedgerEntry, Payment
from orders.models import OrderState
from pipeline import invariants
from sandbox.stripe import DISPUTE_FEE

from . import making, tills
from .books import sold, total
from .test_races import CROWD, at_once, on_disk  # noqa: F401  (a fixture that is used by itself)
from .test_refunds import sweep as sweep_money

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


@pytest.fixture
def stripe(settings: Any) -> None:
    """The pretended one, which keeps 1.5 % and 25 cents; we think that it is 1 % and 10."""
    settings.GATEWAY_FEE_POINTS, settings.GATEWAY_FEE_FIXED = 100, 10
    tills.use_stripe(settings, fresh=True)


def kept(amount: int) -> int:
    return (amount * 150 + 5000) // 10_000 + 25


@pytest.mark.usefixtures("stripe")
def test_the_fee_is_an_estimate_until_stripe_says_what_it_was(bells: Any) -> None:
    payment = tills.begun()
    order = tills.delivered(payment)
    assert (payment.fee, total(Account.FEES)) == (None, fees.estimate(payment.amount))
    assert payment.look_at is not None, "it is asked about"
    sweep_money(bells)
    payment.refresh_from_db()
    assert payment.fee == kept(payment.amount) == total(Account.FEES) == margins.of_order(order).fee
    assert payment.look_at is None
    assert margins.of_order(order).margin == -(total(Account.SALES) + total(Account.FEES))
    assert (total(), list(invariants.i1_ledger_balances())) == (0, [])


@pytest.mark.usefixtures("stripe")
def test_a_fee_that_is_said_late_is_waited_for_and_one_that_never_is_stays_an_estimate(bells: Any) -> None:
    tills.fault("fee_never")
    payment = tills.begun()
    tills.delivered(payment)
    for _ in range(3):
        tills.now_due()
        sweep_money(bells)
    payment.refresh_from_db()
    assert (payment.fee, total(Account.FEES)) == (None, fees.estimate(payment.amount))
    assert payment.look_at is not None
    assert payment.look_at > timezone.now() + timedelta(minutes=4), "ever more rarely"
    with time_machine.travel(timezone.now() + fees.PATIENCE):
        sweep_money(bells)
        payment.refresh_from_db()
        assert payment.look_at is None, "given up"
    assert reconcile.compare("stripe").differences == []


@pytest.mark.usefixtures("stripe")
def test_a_fee_that_nobody_heard_of_is_put_right_by_the_comparison_of_books(bells: Any) -> None:
    payment = tills.begun()
    tills.delivered(payment)
    Payment.objects.update(look_at=None)
    found = reconcile.compare("stripe")
    assert found.differences == []
    assert ["was kept there as its fee" in says for says in found.mended] == [True]
    payment.refresh_from_db()
    assert payment.fee == kept(payment.amount)


@pytest.mark.usefixtures("stripe")
def test_a_fee_in_another_currency_is_the_same_part_of_what_the_fan_paid(bells: Any) -> None:
    tills.fault("settles_abroad")
    payment = tills.begun()
    tills.delivered(payment)
    sweep_money(bells)
    payment.refresh_from_db()
    abroad = round(payment.amount * 1.1)
    assert payment.fee == round(kept(abroad) * payment.amount / abroad)
    assert {line.currency for line in LedgerEntry.objects.all()} == {"EUR"}


@pytest.mark.usefixtures("stripe")
@pytest.mark.parametrize("back", [False, True], ids=["kept", "given back"])
def test_what_a_dispute_costs_is_in_the_books_and_comes_back_only_if_stripe_gives_it_back(
    back: bool, bells: Any
) -> None:
    payment = tills.begun()
    order = tills.delivered(payment)
    sweep_money(bells)
    taking = total(Account.FEES)
    charge = tills.ask(f"v1/payment_intents/{payment.external_id}")["latest_charge"]
    tills.ask(f"dispute/{charge}", post={})
    for _ in range(2):
        truth.look(payment)
    assert (total(Account.FEES), margins.of_order(order).fee) == (taking + DISPUTE_FEE, taking + DISPUTE_FEE)
    if back:
        tills.fault("dispute_fee_back")
    tills.ask(f"dispute/{charge}?status=won", post={})
    for _ in range(2):
        truth.look(payment)
    assert total(Account.FEES) == taking + (0 if back else DISPUTE_FEE)
    assert (total(), list(invariants.i1_ledger_balances())) == (0, [])
    assert reconcile.compare("stripe").differences == []


def test_the_sandbox_till_keeps_what_the_settings_say(settings: Any, bells: Any) -> None:
    settings.GATEWAY_FEE_POINTS, settings.GATEWAY_FEE_FIXED = 150, 25
    order = making.draft()
    payment = billing.begin_payment(order=order)
    billing.pay(payment=payment, card="good")
    payment.order.move(OrderState.PLACED, OrderState.DELIVERED)
    billing.settle(order=payment.order)
    truth.look(payment)
    payment.refresh_from_db()
    assert payment.fee == kept(payment.amount) == total(Account.FEES)
    assert not LedgerEntry.objects.filter(fact__startswith="fee-said:").exists(), "the estimate was right"


def test_a_fee_is_said_once_however_many_hear_it() -> None:
    payment = sold(making.creator(), 2900)
    heard = at_once(lambda number: fees.said(Payment.objects.get(pk=payment.pk), 60 + number))
    assert sorted(heard) == [False] * (CROWD - 1) + [True]
    payment.refresh_from_db()
    assert payment.fee == total(Account.FEES)
    assert fees.said(payment, 10) is False
    assert total() == 0


def test_negative_control_without_the_claim_a_fee_is_said_twice() -> None:
    payment = sold(making.creator(), 2900)
    seen = [Payment.objects.get(pk=payment.pk).fee for _ in range(2)]  # each looked before anybody wrote
    said = [60 for fee in seen if fee is None]
    assert sum(said) == 120


@pytest.mark.parametrize("fee", [-1, 2**31])
def test_a_fee_that_makes_no_sense_is_not_believed(fee: int) -> None:
    payment = sold(making.creator(), 2900)
    assert fees.said(payment, fee) is False
    assert fees.said(payment, 0) is True
    assert total(Account.FEES) == 0


# --- what Stripe may answer -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("transaction", "fee"),
    [
        (None, None),
        ("txn_1", None),
        ({}, None),
        ({"fee": "69", "amount": 2900, "currency": "eur"}, None),
        ({"fee": True, "amount": 2900, "currency": "eur"}, None),
        ({"fee": -69, "amount": 2900, "currency": "eur"}, None),
        ({"fee": 69, "amount": 2900, "currency": "EUR"}, 69),
        ({"fee": 69, "currency": "eur"}, 69),
        ({"fee": 76, "amount": 3190, "currency": "usd"}, 69),
        ({"fee": 1100, "amount": 46400, "currency": "jpy"}, 69),  # no decimals there
        ({"fee": 76, "amount": 0, "currency": "usd"}, None),
        ({"fee": 76, "amount": None, "currency": "usd"}, None),
    ],
)
def test_whatever_stripe_says_of_its_fee_is_a_figure_or_nothing(transaction: Any, fee: int | None) -> None:
    assert _fee({"amount_captured": 2900, "balance_transaction": transaction}, "eur") == fee


@given(st.integers(1, 10**9), st.floats(0.001, 1000), st.integers(0, 10_000))
def test_a_fee_from_abroad_is_right_within_half_a_unit(taken: int, rate: float, points: int) -> None:
    settled = max(1, round(taken * rate))
    fee = settled * points // 10_000
    found = _fee(
        {"amount_captured": taken, "balance_transaction": {"fee": fee, "amount": settled, "currency": "usd"}}, "eur"
    )
    assert found is not None
    assert abs(found * settled - fee * taken) * 2 <= settled
