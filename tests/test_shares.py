"""Creators' shares and the ledger under them: to the cent, once, whatever comes in whatever order."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, connection, transaction
from hypothesis import given
from hypothesis import strategies as st

from billing import prices, shares
from billing import services as billing
from billing.ledger import FactDiffers, post
from billing.models import Account, AppendOnly, LedgerEntry, Payment, PaymentState, Refund, RefundSource, ShareRate
from orders.models import OrderState

from . import making

pytestmark = pytest.mark.django_db(transaction=True)


def balance(account: Account = Account.CREATOR) -> int:
    return -sum(LedgerEntry.objects.filter(account=account).values_list("amount", flat=True))


def captured(amount: int = 2900) -> Payment:
    """A payment whose money was taken for a film that was delivered."""
    order = making.draft()
    prices.change(creator=order.creator, seconds=order.brief.seconds, amount=amount)
    payment = billing.begin_payment(order=order)
    billing.pay(payment=payment, card="good")
    payment.order.move(OrderState.PLACED, OrderState.DELIVERED)
    billing.settle(order=payment.order)
    payment.refresh_from_db()
    assert payment.state == PaymentState.CAPTURED
    return payment


def refunded(payment: Payment, amount: int) -> Refund:
    """A refund's row, as if it had been sent; whoever sends it takes the share back."""
    number = payment.refunds.count() + 1
    return Refund.objects.create(
        payment=payment, number=number, key=f"r{payment.pk}-{number}", amount=amount, source=RefundSource.STAFF
    )


# --- the ledger -------------------------------------------------------------------------------------------------------


def test_a_fact_is_written_once_and_sums_to_zero():
    order = making.draft()
    order.currency = "EUR"
    assert post(order=order, fact="charge:a", lines={Account.GATEWAY: 100}) is True
    assert post(order=order, fact="charge:a", lines={Account.GATEWAY: 100}) is False
    assert dict(LedgerEntry.objects.values_list("account", "amount")) == {"gateway": 100, "sales": -100}
    assert set(LedgerEntry.objects.values_list("creator", flat=True)) == {order.creator_id}


def test_a_fact_that_is_told_with_other_amounts_is_an_error_and_not_a_second_fact():
    order = making.draft()
    post(order=order, fact="charge:a", lines={Account.GATEWAY: 100}, currency="EUR")
    with pytest.raises(FactDiffers):
        post(order=order, fact="charge:a", lines={Account.GATEWAY: 101}, currency="EUR")
    assert LedgerEntry.objects.count() == 2


def test_an_amount_without_a_currency_is_not_written():
    with pytest.raises(ValueError, match="currency"):
        post(order=making.draft(), fact="charge:a", lines={Account.GATEWAY: 100})


@pytest.mark.parametrize("change", ["save", "delete", "update", "delete all", "write over"])
def test_python_refuses_to_change_the_ledger(change):
    post(order=making.draft(), fact="charge:a", lines={Account.GATEWAY: 100}, currency="EUR")
    line = LedgerEntry.objects.first()
    do = {
        "save": line.save,
        "delete": line.delete,
        "update": lambda: LedgerEntry.objects.filter(pk=line.pk).update(amount=1),
        "delete all": lambda: LedgerEntry.objects.all().delete(),
        "write over": lambda: LedgerEntry.objects.bulk_create([line], update_conflicts=True),
    }
    with pytest.raises(AppendOnly):
        do[change]()


@pytest.mark.parametrize("statement", ["UPDATE billing_ledgerentry SET amount = 1", "DELETE FROM billing_ledgerentry"])
def test_the_database_refuses_it_too(statement):
    post(order=making.draft(), fact="charge:a", lines={Account.GATEWAY: 100}, currency="EUR")
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
    assert sorted(LedgerEntry.objects.values_list("amount", flat=True)) == [-100, 100]


def test_negative_control_without_its_guard_the_database_would_change_a_line():
    post(order=making.draft(), fact="charge:a", lines={Account.GATEWAY: 100}, currency="EUR")
    with transaction.atomic(), connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("DROP TRIGGER billing_ledgerentry_no_update")
        else:
            cursor.execute("DROP TRIGGER billing_ledgerentry_append_only ON billing_ledgerentry")
        cursor.execute("UPDATE billing_ledgerentry SET amount = 1")
        changed = set(LedgerEntry.objects.values_list("amount", flat=True))
        transaction.set_rollback(True)
    assert changed == {1}


# --- shares -----------------------------------------------------------------------------------------------------------


def test_a_capture_earns_the_creator_their_share_once():
    payment = captured(2999)
    assert shares.accrue(payment) == 1200 == balance()  # 40 % of 29.99 is 11.996
    assert sum(LedgerEntry.objects.values_list("amount", flat=True)) == 0


def test_a_share_is_the_one_that_held_when_the_fan_began_to_pay():
    creator = making.creator()
    shares.set_rate(creator=creator, points=5000)
    payment = billing.begin_payment(order=making.draft(by=making.fan()))
    shares.set_rate(creator=creator, points=1000)
    billing.pay(payment=payment, card="good")
    payment.order.move(OrderState.PLACED, OrderState.DELIVERED)
    billing.settle(order=payment.order)
    payment.refresh_from_db()
    assert payment.share_points == 5000
    assert balance() == payment.amount // 2
    shares.reverse(refunded(payment, payment.amount))
    assert balance() == 0


def test_the_share_of_a_payment_from_before_shares_is_the_one_that_held_then():
    payment = captured(1000)
    assert shares.rate_for(payment.order.creator) == 4000
    shares.set_rate(creator=payment.order.creator, points=9000)
    assert shares.rate_for(payment.order.creator, payment.created_at) == 4000
    assert shares.rate_for(payment.order.creator) == 9000


def test_changing_a_share_ends_the_old_one_and_saying_it_twice_changes_nothing():
    creator = making.creator()
    for points in (5000, 5000, 6000):
        shares.set_rate(creator=creator, points=points)
    old, new = ShareRate.objects.order_by("pk")
    assert (old.points, new.points, new.ends_at) == (5000, 6000, None)
    assert old.ends_at == new.starts_at
    with pytest.raises(ValueError, match="share"):
        shares.set_rate(creator=creator, points=10_001)


def test_three_refunds_of_a_third_take_back_the_whole_share_to_the_cent():
    payment = captured(1000)
    shares.set_rate(creator=payment.order.creator, points=1)
    took = [shares.reverse(refunded(payment, amount)) for amount in (333, 333, 334)]
    assert took == [133, 133, 134]
    assert balance() == 0


def test_negative_control_a_share_rounded_refund_by_refund_does_not_come_out_even():
    assert sum(shares.of(amount, 3333) for amount in (333, 333, 334)) != shares.of(1000, 3333) or sum(
        shares.of(1, 4000) for _ in range(1000)
    ) != shares.of(1000, 4000)


def test_a_refund_counts_once_and_one_that_failed_is_earned_again_once():
    payment = captured(1000)
    refund = refunded(payment, 500)
    assert [shares.reverse(refund), shares.reverse(refund)] == [200, 0]
    assert [shares.restore(refund), shares.restore(refund)] == [200, 0]
    assert shares.reverse(refund) == 0  # it has been told; a new try has a row of its own
    assert balance() == 400 == shares.earned(payment)


def test_a_refund_of_money_that_earned_nothing_takes_nothing_back():
    payment = billing.begin_payment(order=making.draft())
    billing.pay(payment=payment, card="good")
    assert shares.reverse(refunded(payment, 500)) == 0
    assert shares.restore(payment.refunds.get()) == 0
    assert not LedgerEntry.objects.exists()


def test_a_bank_that_takes_back_more_than_was_paid_leaves_a_share_of_nothing():
    payment = captured(1000)
    shares.reverse(refunded(payment, 800))
    shares.reverse(refunded(payment, 1000))
    assert balance() == 0 == shares.earned(payment)


@given(st.integers(0, 10**9), st.integers(0, 10_000))
def test_a_share_lies_between_nothing_and_all_and_within_half_a_cent(amount, points):
    share = shares.of(amount, points)
    assert 0 <= share <= amount
    assert abs(share * 10_000 - amount * points) <= 5_000


@given(st.integers(0, 10**6), st.integers(0, 10**6), st.integers(0, 10_000))
def test_a_larger_amount_never_has_a_smaller_share(one, other, points):
    assert shares.of(min(one, other), points) <= shares.of(max(one, other), points)


# --- fees -------------------------------------------------------------------------------------------------------------


def test_the_gateways_fee_is_what_the_settings_say_until_the_gateway_says_it(settings):
    settings.GATEWAY_FEE_POINTS, settings.GATEWAY_FEE_FIXED = 150, 25
    payment = captured(2900)
    assert balance(Account.FEES) == -(44 + 25)  # 1.5 % of 29.00 is 43.5 cents
    assert sum(LedgerEntry.objects.filter(fact=f"fee:{payment.key}").values_list("amount", flat=True)) == 0
