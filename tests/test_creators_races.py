"""Creators' money under races: earned once, taken back to the cent, paid once. Run on PostgreSQL too."""

from __future__ import annotations

import datetime as dt

import pytest
import time_machine
from django.utils import timezone

from billing import payouts, prices, shares, statements
from billing.ledger import post
from billing.models import Account, LedgerEntry, Payment, Payout, PayoutAccount, PayoutState, Price, Refund, Statement
from pipeline import costs
from pipeline.models import Call, CallState

from . import making
from .books import gave_back, sold, total
from .test_races import CROWD, at_once, on_disk, production  # noqa: F401  (a fixture)

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


@pytest.fixture(autouse=True)
def small_payouts(settings):
    settings.PAYOUT_MINIMUM = 1


def failures(outcomes):
    return [one for one in outcomes if isinstance(one, Exception)]


def test_a_fact_told_by_several_at_once_is_one_fact():
    order = making.draft()
    told = at_once(lambda _: post(order=order, fact="charge:a", lines={Account.GATEWAY: 100}, currency="EUR"))
    assert sorted(told) == [False] * (CROWD - 1) + [True]
    assert LedgerEntry.objects.count() == 2


def test_a_share_earned_by_several_at_once_is_earned_once():
    payment = sold(making.creator(), 2999)
    assert failures(at_once(lambda _: shares.accrue(Payment.objects.get(pk=payment.pk)))) == []
    assert total(Account.CREATOR) == -1200


def refund_row(payment, number, amount):
    return Refund.objects.create(payment=payment, number=number, key=f"r{number}", amount=amount, source="staff")


def test_refunds_at_once_take_back_what_they_would_one_after_the_other():
    payment = sold(making.creator(), 1000, points=3333)
    rows = [refund_row(payment, number + 1, 1000 // CROWD) for number in range(CROWD)]
    assert failures(at_once(lambda number: shares.reverse(rows[number]))) == []
    left = 1000 - CROWD * (1000 // CROWD)
    assert -total(Account.CREATOR) == shares.of(left, 3333)
    assert total() == 0


def test_negative_control_refunds_that_do_not_line_up_lose_cents(monkeypatch):
    """Each computed from what it saw before the others: what `reverse` would do without its turn."""
    payment = sold(making.creator(), 1000, points=3333)
    rows = [refund_row(payment, number + 1, 1000 // CROWD) for number in range(CROWD)]
    before = shares.of(1000, 3333)
    moved = sum(before - shares.of(1000 - row.amount, 3333) for row in rows)
    assert before - moved != shares.of(1000 - CROWD * (1000 // CROWD), 3333)


def test_a_refund_that_fails_while_others_go_is_earned_again_to_the_cent():
    payment = sold(making.creator(), 1000, points=3333)
    first = gave_back(payment, 170)
    rows = [refund_row(payment, number + 2, 160) for number in range(1, CROWD)]
    do = [lambda: shares.restore(first), *((lambda row=row: shares.reverse(row)) for row in rows)]
    assert failures(at_once(lambda number: do[number]())) == []
    assert -total(Account.CREATOR) == shares.of(1000 - 160 * (CROWD - 1), 3333) == shares.earned(payment)


def test_a_creator_paid_by_several_at_once_is_paid_once():
    sold(making.creator(), 1000, days_ago=20)
    outcomes = at_once(lambda _: payouts.run())
    assert failures(outcomes) == []
    assert [one.amount for one in Payout.objects.all()] == [400]
    assert Payout.objects.get().state == PayoutState.PAID
    assert total(Account.CREATOR) == 0


def test_a_payout_sent_by_several_at_once_is_sent_by_one():
    sold(making.creator(), 1000, days_ago=20)
    payout = payouts.begin(creator=making.creator(), currency="EUR")
    assert sum(at_once(lambda _: payouts.send(Payout.objects.get(pk=payout.pk)))) == 1
    assert LedgerEntry.objects.filter(fact=f"payout:{payout.key}").count() == 2


def test_negative_control_without_the_open_payout_a_balance_would_be_sent_twice():
    creator = making.creator()
    sold(creator, 1000, days_ago=20)
    PayoutAccount.objects.create(creator=creator, external_id="acct_1")
    seen = [payouts.payable(creator, "EUR") for _ in range(2)]
    assert sum(seen) == 800  # whoever looks before anyone has paid sees all of it


def test_a_price_changed_by_several_at_once_is_one_open_price():
    creator = making.creator()
    outcomes = at_once(lambda number: prices.change(creator=creator, seconds=20, amount=5000 + number))
    assert failures(outcomes) == []
    found = Price.objects.filter(creator=creator, seconds=20).order_by("starts_at", "pk")
    assert found.filter(ends_at=None).count() == 1


def test_a_share_agreed_by_several_at_once_is_one_open_share():
    creator = making.creator()
    assert failures(at_once(lambda number: shares.set_rate(creator=creator, points=5000 + number))) == []
    assert creator.share_rates.filter(ends_at=None).count() == 1


def test_a_month_closed_by_several_at_once_is_closed_once():
    with time_machine.travel(timezone.now() - dt.timedelta(days=70), tick=False):
        sold(making.creator(), 1000)
    assert failures(at_once(lambda _: statements.close_due())) == []
    months = list(Statement.objects.values_list("month", flat=True))
    assert len(months) == len(set(months)) > 0
    assert list(statements.differing()) == []


def test_costs_booked_by_several_at_once_are_booked_once():
    step = production().steps.get(stage="photos")
    for number in range(30):
        Call.objects.create(
            step=step,
            key=f"k{number}",
            provider="vendor",
            job="video",
            request={},
            slot_at=timezone.now(),
            state=CallState.SUCCEEDED,
            cost=3_333,
        )
    assert failures(at_once(lambda _: costs.sweep())) == []
    assert -total(Account.PROVIDERS) == costs.minor(30 * 3_333) == 10
    assert total() == 0
