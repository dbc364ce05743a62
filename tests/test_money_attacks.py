"""Money from the side of whoever means no good, or is unlucky: at the gateway's own dashboard, late, or in between."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core.checks import run_checks
from django.utils import timezone

from billing import payouts, reconcile, refunds, shares, statements, truth
from billing import services as billing
from billing.gateways.base import Back, Stand, Truth
from billing.gateways.sandbox import SandboxTill
from billing.models import (
    Account,
    LedgerEntry,
    Payment,
    PaymentState,
    PayoutState,
    Refund,
    RefundReason,
    RefundState,
    TestCharge,
    TestRefund,
)
from orders.models import Order, OrderState
from pipeline import invariants

from . import making, tills
from .books import sold, total
from .test_refunds import answer, back, balance, held, sweep, taken

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


def whole() -> list[str]:
    return [*invariants.i1_ledger_balances(), *invariants.i2_paid_once()]


def fresh(order: Order) -> Order:
    return Order.objects.get(pk=order.pk)


# --- a hold that somebody takes at the gateway ------------------------------------------------------------------------


def capture_there(payment: Payment, amount: int) -> None:
    """Somebody presses the button in Stripe's dashboard."""
    taken = tills.ask(f"v1/payment_intents/{payment.external_id}/capture", post={"amount_to_capture": amount})
    assert taken["status"] == "succeeded"


@pytest.mark.parametrize("told", ["by a look", "at our own capture"])
def test_less_taken_in_the_dashboard_is_what_was_taken_and_the_rest_is_written_down_as_let_go(
    told: str, settings: Any, bells: Any
) -> None:
    tills.use_stripe(settings, fresh=True)
    payment = tills.begun()
    order = tills.placed(payment)
    capture_there(payment, payment.amount - 900)
    if told == "by a look":
        truth.look(payment)
    else:
        order.move(OrderState.PLACED, OrderState.DELIVERED)
        billing.settle(order=order)
    payment.refresh_from_db()
    assert (payment.state, payment.captured) == (PaymentState.CAPTURED, payment.amount - 900)
    rest = Refund.objects.get()
    assert (rest.amount, rest.released, rest.state) == (900, True, RefundState.DONE)
    assert refunds.refundable(order) == payment.captured == balance()
    with pytest.raises(refunds.NotRefundable):
        back(order, payment.captured + 1)
    back(order, payment.captured)
    sweep(bells)
    assert tills.at_stripe(payment) == [payment.captured]
    assert balance() == 0
    assert whole() == []
    assert reconcile.compare("stripe").differences == []


def test_more_taken_in_the_dashboard_than_was_left_of_the_hold_goes_back(settings: Any, bells: Any) -> None:
    tills.use_stripe(settings, fresh=True)
    payment = tills.begun()
    order = tills.placed(payment)
    for key, amount in (("r1", 400), ("r2", 300)):
        assert back(order, amount, key=key).released
    capture_there(payment, payment.amount)
    truth.look(payment)
    sweep(bells)
    assert set(Refund.objects.values_list("state", "released")) == {(RefundState.DONE, False)}
    assert tills.at_stripe(payment) == [300, 400]
    assert balance() == payment.amount - 700
    assert shares.earned(Payment.objects.get()) == shares.of(payment.amount - 700, 4000)
    assert whole() == []
    assert reconcile.compare("stripe").differences == []


def test_a_gateway_that_says_nothing_was_taken_is_asked_again(monkeypatch: pytest.MonkeyPatch, bells: Any) -> None:
    order = held()
    order.move(OrderState.PLACED, OrderState.DELIVERED)
    monkeypatch.setattr(SandboxTill, "capture", lambda self, payment: 0)
    sweep(bells)
    assert Payment.objects.get().state == PaymentState.AUTHORIZED
    monkeypatch.undo()
    tills.now_due()
    sweep(bells)
    sweep(bells)
    assert Payment.objects.get().state == PaymentState.CAPTURED


# --- a refund while nobody knows whether the money was taken ----------------------------------------------------------


@pytest.mark.parametrize("fault", ["silent", "down_after", "down", "declined"])
@pytest.mark.parametrize("part", [700, None])
def test_a_refund_while_the_capture_is_unknown_travels_once_or_was_never_needed(
    fault: str, part: int | None, settings: Any, bells: Any
) -> None:
    tills.use_stripe(settings, fresh=True)
    payment = tills.begun()
    order = tills.placed(payment)
    order.move(OrderState.PLACED, OrderState.DELIVERED)
    tills.fault(fault, 2)
    monitor = truth.holds.taken
    made: list[Refund] = []

    def taken_late(payment: Payment, amount: int) -> None:
        """Our process is gone between the gateway's yes and the writing down; a refund is asked for just then."""
        if not made:
            made.append(back(order, part or payment.amount))
            raise KeyboardInterrupt
        monitor(payment, amount)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(truth.holds, "taken", taken_late)
        for _ in range(6):
            tills.now_due()
            try:
                sweep(bells)
            except KeyboardInterrupt:
                break
    assert made, "the capture got there"
    for _ in range(6):
        tills.now_due()
        sweep(bells)
    payment.refresh_from_db()
    refund = Refund.objects.get()
    assert (payment.state, refund.state, refund.released) == (PaymentState.CAPTURED, RefundState.DONE, False)
    assert tills.at_stripe(payment) == [refund.amount]
    assert balance() == payment.captured - refund.amount
    assert whole() == []
    assert reconcile.compare("stripe").differences == []


# --- a bell while the gateway answers ---------------------------------------------------------------------------------


def ringing_while_it_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """The gateway's answer is from before a refund in its dashboard, whose message comes before we have written."""
    real, asked = SandboxTill.look, []

    def look(self: SandboxTill, payment: Payment) -> Truth:
        said = real(self, payment)
        if not asked:
            asked.append(payment)
            TestRefund.objects.create(key="theirs", charge=TestCharge.objects.get(), amount=700, status="done")
            Payment.objects.filter(pk=payment.pk).update(look_at=timezone.now())
        return said

    monkeypatch.setattr(SandboxTill, "look", look)


def test_a_message_that_comes_while_the_gateway_answers_is_not_lost(
    bells: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = taken()
    answer(bells)
    ringing_while_it_answers(monkeypatch)
    truth.look(Payment.objects.get())
    assert not Refund.objects.exists()
    sweep(bells)
    assert Refund.objects.get().amount == 700
    assert balance() == (order.amount or 0) - 700


def test_negative_control_an_alarm_that_is_written_over_loses_the_message(
    bells: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken()
    answer(bells)
    ringing_while_it_answers(monkeypatch)

    def over(payment: Payment, *said: Any) -> None:
        Payment.objects.filter(pk=payment.pk).update(look_at=None)

    monkeypatch.setattr(truth, "_set_alarm", over)
    truth.look(Payment.objects.get())
    sweep(bells)
    assert not Refund.objects.exists()


# --- banks ------------------------------------------------------------------------------------------------------------


def saying(monkeypatch: pytest.MonkeyPatch, *backs: Back) -> None:
    real = SandboxTill.look

    def look(self: SandboxTill, payment: Payment) -> Truth:
        found = real(self, payment)
        return Truth(**{**vars(found), "backs": (*found.backs, *backs)}) if found.stand == Stand.TAKEN else found

    monkeypatch.setattr(SandboxTill, "look", look)


def test_a_dispute_that_was_won_before_we_heard_of_it_ends_nothing(
    bells: Any, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.CAPTURE_AT_ONCE = True
    order = held()
    saying(monkeypatch, Back("dp_1", order.amount or 0, "failed", dispute=True, error="won"))
    truth.look(Payment.objects.get())
    assert fresh(order).state == OrderState.PLACED
    assert not Refund.objects.exists()
    assert Payment.objects.get().refunded == 0


def test_a_dispute_lost_after_the_payout_is_carried_over_and_paid_off_by_the_next_films(
    settings: Any, bells: Any
) -> None:
    settings.PAYOUT_MINIMUM = 1
    tills.use_stripe(settings, fresh=True)
    payment = tills.begun()
    order = tills.delivered(payment)
    creator = order.creator
    earned = shares.earned(payment)
    with time_machine.travel(timezone.now() + timedelta(days=20)):
        settings.STRIPE_SECRET_KEY = ""  # sent by the till for tests; the payment stays Stripe's
        (first,) = payouts.run()
        settings.STRIPE_SECRET_KEY = tills.KEY
        assert (first.state, first.amount) == (PayoutState.PAID, earned)
        charge = tills.ask(f"v1/payment_intents/{payment.external_id}")["latest_charge"]
        for status in ("needs_response", "under_review", "lost"):
            tills.ask(f"dispute/{charge}?status={status}", post={})
            truth.look(payment)
        assert Refund.objects.get().reason == RefundReason.CHARGEBACK
        assert statements.balance(creator, "EUR") == -earned == payouts.payable(creator, "EUR")
        settings.STRIPE_SECRET_KEY = ""
        assert payouts.run() == []
        month = statements.month(creator, statements.present(), "EUR")
        assert month.closing == -earned
    sold(creator, 3 * payment.amount, days_ago=15)
    with time_machine.travel(timezone.now() + timedelta(days=20)):
        (second,) = payouts.run()
        assert second.amount == shares.of(3 * payment.amount, 4000) - earned
        assert statements.balance(creator, "EUR") == 0
    assert total() == 0
    assert whole() == []


def test_a_bank_that_takes_all_of_it_after_a_part_went_back_leaves_no_share_and_no_cent_to_refund(
    bells: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = taken()
    back(order, 333)
    answer(bells)
    saying(monkeypatch, Back("dp_1", order.amount or 0, "done", dispute=True))
    truth.look(Payment.objects.get())
    assert refunds.refundable(order) == 0
    assert total(Account.CREATOR) == 0
    assert balance() == -333
    with pytest.raises(refunds.NotRefundable):
        back(order, 1, key="r2")
    assert whole() == []


# --- odd cents --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("points", [1, 3333, 4000, 6667, 9999])
def test_a_film_given_back_cent_by_cent_leaves_nothing_on_any_account(points: int, bells: Any) -> None:
    shares.set_rate(creator=making.creator(), points=points)
    order = taken()
    price = order.amount or 0
    parts = [1, 1, 7, 333, 333, 334]
    parts.append(price - sum(parts))
    for number, part in enumerate(parts):
        back(order, part, key=f"r{number}")
        answer(bells)
        left = price - sum(parts[: number + 1])
        assert -total(Account.CREATOR) == shares.of(left, points)
    assert {account: total(account) for account in Account} == dict.fromkeys(Account, 0)
    assert not LedgerEntry.objects.filter(amount=0, account=Account.SALES).exists()


# --- other currencies -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("currency", ["JPY", "KWD", "eur", "EURO", ""])
def test_a_currency_without_hundredths_does_not_start(currency: str, settings: Any) -> None:
    assert run_checks(tags=["money"]) == []
    settings.CURRENCY = currency
    assert [error.id for error in run_checks(tags=["money"])] == ["videogen.E021"]


def test_what_was_paid_in_another_currency_places_nothing_whatever_the_figure(
    bells: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = making.draft()
    payment = billing.begin_payment(order=order)
    billing.checkout(payment=payment)
    tills.pay(payment)
    TestCharge.objects.update(currency="JPY")
    truth.look(payment)
    payment.refresh_from_db()
    assert payment.state == PaymentState.CANCELLED
    assert "JPY was paid, not" in payment.error
    assert fresh(order).is_draft
    assert TestCharge.objects.get().status == "cancelled"
