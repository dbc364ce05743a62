"""Money goes back: whole or in part, never more than was paid, and the fan, the ledger and the gateway agree."""

from __future__ import annotations

from typing import Any

import pytest
from django.core import mail
from django.db.models import Sum
from django.urls import reverse

from billing import refunds, truth
from billing import services as billing
from billing.gateways.base import Back, GatewayError
from billing.gateways.sandbox import SandboxTill
from billing.models import (
    Account,
    LedgerEntry,
    Payment,
    PaymentState,
    Refund,
    RefundReason,
    RefundSource,
    RefundState,
    TestCharge,
    TestRefund,
)
from orders import services as orders
from orders.models import Order, OrderState
from pipeline import invariants, jobs, sweeping
from pipeline.models import Cut, Delivery, Notice, NoticeKind, Production, ProductionState

from . import making

pytestmark = pytest.mark.django_db(transaction=True)

MONEY = ("settle_order", "look_at_payment", "send_refund", "send_notice")


def answer(bells: Any) -> None:
    """Answer the bells that money and mail rang, until there are none."""
    while waiting := [bell for bell in bells if bell[0] in MONEY]:
        for bell in waiting:
            bells.remove(bell)
            jobs.JOBS[bell[0]](bell[1])


def sweep(bells: Any) -> None:
    sweeping.sweep_once()
    answer(bells)


def held() -> Order:
    order = making.draft()
    billing.pay(payment=billing.begin_payment(order=order), card="good")
    order.refresh_from_db()
    return order


def taken() -> Order:
    """A delivered order whose money was taken, with something to watch."""
    order = held()
    production = order.productions.get()
    Production.objects.update(state=ProductionState.DONE)
    cut = Cut.objects.create(
        production=production, file="films/x/film.mp4", sha256="0" * 64, width=2, height=2, fps=30, seconds=20
    )
    Delivery.objects.create(order=order, cut=cut)
    order.move(OrderState.PLACED, OrderState.DELIVERED)
    billing.settle(order=order)
    assert Payment.objects.get().state == PaymentState.CAPTURED
    return order


def back(order: Order, amount: int, key: str = "r1", **how: Any) -> Refund:
    said = {"reason": RefundReason.GOODWILL, "note": "sorry", "actor": "desk@films.example", **how}
    return refunds.refund(order=order, amount=amount, source=RefundSource.STAFF, key=key, **said)


def balance() -> int:
    """What the ledger has at the gateway, before its fees."""
    lines = LedgerEntry.objects.filter(account=Account.GATEWAY).exclude(fact__startswith="fee")
    return lines.aggregate(sum=Sum("amount"))["sum"] or 0


def test_a_part_goes_back_once_and_the_fan_the_ledger_and_the_gateway_agree(bells, client):
    order = taken()
    price = order.amount or 0
    refund = back(order, 500)
    assert back(order, 500).pk == refund.pk, "a second click is the same refund"
    answer(bells)
    answer(bells)
    refund.refresh_from_db()
    assert (refund.state, refund.actor, refund.note) == (RefundState.DONE, "desk@films.example", "sorry")
    assert TestRefund.objects.get().amount == 500 == TestCharge.objects.get().refunded
    assert balance() == price - 500
    assert refunds.refundable(order) == price - 500
    [told] = [message for message in mail.outbox if "Your money" in message.subject]
    assert "€5 went back to your card" in told.body
    client.force_login(order.fan)
    page = client.get(reverse("pipeline:order", args=[order.code])).content.decode()
    assert "€5 went back to your card" in page
    assert Delivery.objects.get().revoked_at is None, "a part leaves the film where it is"
    assert [event.name for event in order.events.order_by("number")][-3:] == [
        "refund.begun",
        "refund.sent",
        "refund.done",
    ]
    assert list(invariants.i1_ledger_balances()) == []


@pytest.mark.parametrize(("amount", "reason"), [(0, "goodwill"), (-5, "goodwill"), (10**6, "goodwill"), (5, "mood")])
def test_what_makes_no_sense_is_refused_and_changes_nothing(amount, reason):
    order = taken()
    with pytest.raises(refunds.NotRefundable):
        back(order, amount, reason=reason)
    assert not Refund.objects.exists()
    assert Payment.objects.get().refunded == 0


def test_nothing_paid_is_nothing_to_refund_and_one_key_is_one_refund():
    with pytest.raises(refunds.NotRefundable):
        back(making.draft(), 5)
    order = taken()
    back(order, 5)
    with pytest.raises(refunds.NotRefundable):
        back(order, 6)


def test_paid_back_whole_the_film_is_gone_and_no_further_cent_leaves(bells, client):
    order = taken()
    back(order, order.amount or 0)
    answer(bells)
    assert Delivery.objects.get().revoked_at is not None
    client.force_login(order.fan)
    page = client.get(reverse("pipeline:order", args=[order.code])).content.decode()
    assert "was paid back" in page
    assert "<video" not in page
    with pytest.raises(refunds.NotRefundable):
        back(order, 1, key="r2")
    assert balance() == 0


def test_a_refund_of_a_film_that_is_being_made_wins_over_the_making_and_the_hold_is_released(bells):
    order = held()
    refund = back(order, order.amount or 0, reason=RefundReason.REQUESTED)
    assert refund.released
    order.refresh_from_db()
    assert order.state == OrderState.CANCELLED
    assert Production.objects.get().state == ProductionState.CANCELLED
    answer(bells)
    assert Payment.objects.get().state == PaymentState.CANCELLED
    assert TestCharge.objects.get().status == "cancelled"
    assert not orders.finish(order=order, state=OrderState.DELIVERED)
    assert not LedgerEntry.objects.exists()
    assert not TestRefund.objects.exists()


def test_a_part_of_a_hold_is_not_taken_and_nothing_travels_back(bells):
    order = held()
    assert back(order, 400).released
    order.move(OrderState.PLACED, OrderState.DELIVERED)
    billing.settle(order=order)
    answer(bells)
    payment = Payment.objects.get()
    assert (payment.state, payment.captured) == (PaymentState.CAPTURED, payment.amount - 400)
    assert TestCharge.objects.get().captured == payment.amount - 400 == balance()
    back(order, payment.amount - 400, key="r2")
    with pytest.raises(refunds.NotRefundable):
        back(order, 1, key="r3")


def test_what_is_refunded_while_the_money_is_being_taken_waits_and_then_travels(bells, monkeypatch):
    order = held()
    order.move(OrderState.PLACED, OrderState.DELIVERED)
    real = SandboxTill.capture
    made: list[Refund] = []

    def capture(self: SandboxTill, payment: Payment) -> int:
        made.append(back(order, 300))
        answer(bells)
        return real(self, payment)

    monkeypatch.setattr(SandboxTill, "capture", capture)
    billing.settle(order=order)
    assert (made[0].released, made[0].state) == (False, RefundState.CREATED)
    sweep(bells)
    assert Refund.objects.get().state == RefundState.DONE
    assert balance() == (order.amount or 0) - 300


@pytest.mark.parametrize(("ends", "reason"), [("failed", "failed"), ("refused", "refused"), ("cancelled", "cancelled")])
def test_a_broken_promise_pays_back_by_itself_what_was_taken_at_once(ends, reason, bells, settings):
    settings.CAPTURE_AT_ONCE = True
    order = held()
    assert Payment.objects.get().state == PaymentState.CAPTURED
    if ends == "cancelled":
        orders.cancel(order=order)
    else:
        orders.finish(order=order, state=OrderState(ends))
    for _ in range(3):
        sweep(bells)
    refund = Refund.objects.get()
    assert (refund.source, refund.reason, refund.state) == (RefundSource.SYSTEM, reason, RefundState.DONE)
    assert refund.amount == order.amount
    assert balance() == 0
    assert not billing.unsettled().exists()
    assert not Notice.objects.filter(kind=NoticeKind.REFUND).exists(), "the mail about the ending says it"


def test_a_refund_that_fails_later_is_free_again_opens_the_film_again_and_is_told(bells):
    order = taken()
    refund = back(order, order.amount or 0)
    answer(bells)
    TestRefund.objects.update(status="failed")
    truth.look(Payment.objects.get())
    truth.look(Payment.objects.get())
    answer(bells)
    refund.refresh_from_db()
    assert refund.state == RefundState.FAILED
    assert refunds.refundable(order) == order.amount == balance()
    assert Delivery.objects.get().revoked_at is None
    assert "could not be sent back" in mail.outbox[-1].body
    assert back(order, 5, key="r2").state == RefundState.CREATED


def test_what_was_sent_back_at_the_gateway_is_written_down_once(bells):
    order = taken()
    TestRefund.objects.create(key="theirs", charge=TestCharge.objects.get(), amount=700, status="sent")
    for _ in range(2):
        truth.look(Payment.objects.get())
    refund = Refund.objects.get()
    assert (refund.reason, refund.state, refund.amount) == (RefundReason.OUTSIDE, RefundState.SENT, 700)
    assert balance() == (order.amount or 0) - 700
    TestRefund.objects.update(status="done")
    truth.look(Payment.objects.get())
    refund.refresh_from_db()
    assert refund.state == RefundState.DONE


def test_money_a_bank_took_ends_the_film_and_comes_back_with_a_dispute_that_was_won(bells, monkeypatch):
    order = taken()
    real = SandboxTill.look
    state = "sent"

    def look(self: SandboxTill, payment: Payment) -> Any:
        found = real(self, payment)
        dispute = Back("dp_1", payment.amount, state, dispute=True)
        return type(found)(**{**vars(found), "backs": (dispute,)})

    monkeypatch.setattr(SandboxTill, "look", look)
    truth.look(Payment.objects.get())
    refund = Refund.objects.get()
    assert (refund.source, refund.reason) == (RefundSource.BANK, RefundReason.CHARGEBACK)
    assert Delivery.objects.get().revoked_at is not None
    assert balance() == 0
    state = "failed"
    truth.look(Payment.objects.get())
    assert Delivery.objects.get().revoked_at is None
    assert balance() == order.amount
    answer(bells)
    assert not Notice.objects.filter(kind=NoticeKind.REFUND).exists(), "a bank tells its customer itself"


@pytest.mark.parametrize(("final", "state"), [(False, RefundState.CREATED), (True, RefundState.FAILED)])
def test_a_gateway_that_is_away_is_asked_again_and_one_that_says_no_is_not(final, state, bells, monkeypatch):
    order = taken()

    def away(self: SandboxTill, refund: Refund) -> Back:
        raise GatewayError("no answer", final=final)

    monkeypatch.setattr(SandboxTill, "refund", away)
    refund = back(order, 500)
    answer(bells)
    refund.refresh_from_db()
    assert (refund.state, refund.error) == (state, "no answer")
    assert refunds.refundable(order) == (order.amount or 0) - (0 if final else 500)
    monkeypatch.undo()
    Refund.objects.update(look_at="2020-01-01T00:00Z")
    sweep(bells)
    refund.refresh_from_db()
    assert refund.state == (RefundState.FAILED if final else RefundState.DONE)


@pytest.mark.parametrize("point", ["refund.before_send", "refund.after_send"])
def test_a_worker_that_dies_while_a_refund_is_sent_sends_it_once(point, bells, monkeypatch):
    order = taken()

    def die(name: str) -> None:
        if name == point:
            raise KeyboardInterrupt

    with monkeypatch.context() as dying:
        dying.setattr(refunds, "faultpoint", die)
        back(order, 500)
        with pytest.raises(KeyboardInterrupt):
            answer(bells)
    Refund.objects.update(look_at="2020-01-01T00:00Z")
    sweep(bells)
    assert Refund.objects.get().state == RefundState.DONE
    assert TestRefund.objects.get().amount == 500
    assert balance() == (order.amount or 0) - 500
