"""Creators' money from the capture to the bank: statements, payouts and margins say what the ledger says."""

from __future__ import annotations

import datetime as dt
import itertools

import pytest
import time_machine
from django.db import IntegrityError, transaction
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as profile
from hypothesis import strategies as st

from billing import margins, payouts, shares, statements
from billing.gateways import chosen
from billing.gateways.base import GatewayError
from billing.gateways.sandbox import SandboxTill
from billing.ledger import post
from billing.models import Account, LedgerEntry, Payout, PayoutAccount, PayoutState, Statement
from orders.models import Order, OrderState
from pipeline import jobs, sweeping

from . import making
from .books import came_back, gave_back, sold, total

pytestmark = pytest.mark.django_db(transaction=True)

MARCH = dt.datetime(2026, 3, 20, 12, tzinfo=dt.UTC)
APRIL = dt.datetime(2026, 4, 20, 12, tzinfo=dt.UTC)
MAY = dt.datetime(2026, 5, 20, 12, tzinfo=dt.UTC)


@pytest.fixture
def creator():
    return making.creator()


@pytest.fixture(autouse=True)
def small_payouts(settings):
    settings.PAYOUT_MINIMUM = 1
    settings.REFUND_WINDOW_DAYS = 14


# --- any sequence -----------------------------------------------------------------------------------------------------

# What may happen: a sale (amount, share), a refund of a sale, a refund that fails later, days that pass, a payout.
HAPPENS = st.one_of(
    st.tuples(st.just("sale"), st.integers(50, 20_000), st.integers(0, 10_000)),
    st.tuples(st.just("refund"), st.integers(0, 9), st.floats(0.001, 1)),
    st.tuples(st.just("fail"), st.integers(0, 9), st.just(0)),
    st.tuples(st.just("days"), st.integers(1, 40), st.just(0)),
    st.tuples(st.just("payout"), st.just(0), st.just(0)),
    st.tuples(st.just("close"), st.just(0), st.just(0)),
)


@profile(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(HAPPENS, max_size=25))
def test_whatever_happens_the_books_balance_and_the_statements_say_so(creator, events):
    with transaction.atomic(), time_machine.travel(MARCH, tick=False) as clock:
        sales, refunds = [], []
        for what, number, more in events:
            if what == "sale":
                sales.append(sold(creator, number, points=more))
            elif what == "refund" and sales:
                payment = sales[number % len(sales)]
                gone = sum(r.amount for r in refunds if r.payment_id == payment.pk and r.state == "done")
                amount = min(payment.amount - gone, max(1, round(payment.amount * more)))
                if amount:
                    refunds.append(gave_back(payment, amount))
            elif what == "fail" and refunds:
                refund = refunds[number % len(refunds)]
                came_back(refund)
                refund.state = "failed"
            elif what == "days":
                clock.shift(dt.timedelta(days=number))
            elif what == "payout":
                before = payouts.payable(creator, "EUR")
                paid = payouts.run()
                assert sum(one.amount for one in paid) == max(0, before)
                assert payouts.run() == []
            elif what == "close":
                statements.close_due()
            clock.shift(dt.timedelta(minutes=1))

        # The ledger sums to zero, and so does every fact.
        assert total() == 0
        # Nobody's share of a payment is less than nothing, nor other than what is left of it is worth.
        for payment in sales:
            left = payment.amount - sum(r.amount for r in refunds if r.payment_id == payment.pk and r.state == "done")
            lines = LedgerEntry.objects.filter(order=payment.order, account=Account.CREATOR)
            share = -sum(lines.values_list("amount", flat=True))
            assert share == shares.earned(payment) == shares.of(left, payment.share_points)
            assert 0 <= share <= left
        # Month after month the statement is the ledger, opens where the last one closed, and ends at the balance.
        clock.shift(dt.timedelta(days=40))
        statements.close_due()
        assert list(statements.differing()) == []
        shown = [statements.month(creator, first, "EUR") for first in reversed(statements.months(creator, "EUR"))]
        assert shown[0].opening == 0
        assert all(before.closing == after.opening for before, after in itertools.pairwise(shown))
        assert shown[-1].closing == statements.balance(creator, "EUR") == -total(Account.CREATOR)
        assert sum(month.paid_out for month in shown) == -sum(Payout.objects.values_list("amount", flat=True))
        # What is left for us is what is on our own two accounts.
        kept = sum(margins.of_order(payment.order).margin for payment in sales)
        assert kept == -(total(Account.SALES) + total(Account.FEES))
        transaction.set_rollback(True)


# --- statements -------------------------------------------------------------------------------------------------------


def test_a_month_lists_films_refunds_and_payouts_with_the_balance_after_each(creator):
    with time_machine.travel(MARCH, tick=False):
        payment = sold(creator, 2900)
    with time_machine.travel(APRIL, tick=False):
        payouts.run()
        gave_back(payment, 1450)
        month = statements.month(creator, dt.date(2026, 4, 1), "EUR")
    assert month.opening == 1160
    assert [(str(line.what), line.amount, line.balance) for line in month.lines] == [
        ("Payout", -1160, 0),
        ("Refund", -580, -580),
    ]
    refund = month.lines[1]
    assert (refund.paid, refund.percent, refund.order) == (-1450, 40.0, payment.order)
    assert (month.earned, month.reversed, month.paid_out, month.closing) == (0, -580, -1160, -580)


def test_a_month_is_closed_a_day_after_it_is_over_and_once(creator):
    with time_machine.travel(MARCH, tick=False):
        sold(creator, 1000)
        assert statements.close_due() == 0
    with time_machine.travel(dt.datetime(2026, 4, 1, 23, tzinfo=dt.UTC), tick=False):
        assert statements.close_due() == 0
    with time_machine.travel(dt.datetime(2026, 4, 2, 1, tzinfo=dt.UTC), tick=False):
        assert [statements.close_due(), statements.close_due()] == [1, 0]
    kept = Statement.objects.get()
    assert (kept.opening, kept.earned, kept.closing, kept.films) == (0, 400, 400, 1)


def test_a_month_in_which_nothing_happened_carries_the_balance_and_one_without_any_is_no_statement(creator):
    with time_machine.travel(MARCH, tick=False):
        payment = sold(creator, 1000)
    with time_machine.travel(MAY, tick=False):
        statements.close_due()
        gave_back(payment, 1000)
    with time_machine.travel(dt.datetime(2026, 8, 20, tzinfo=dt.UTC), tick=False):
        statements.close_due()
    kept = Statement.objects.order_by("month").values_list("month__month", "opening", "closing")
    assert list(kept) == [(3, 0, 400), (4, 400, 400), (5, 400, 0)]


def test_a_closed_month_is_frozen(creator):
    with time_machine.travel(MARCH, tick=False):
        sold(creator, 1000)
    with time_machine.travel(APRIL, tick=False):
        statements.close_due()
        kept = Statement.objects.get()
        with pytest.raises(ValueError, match="frozen"):
            kept.save()
        sold(creator, 9000)
        statements.close_due()
    assert Statement.objects.get().closing == 400


def test_negative_control_a_statement_that_is_not_what_the_ledger_says_is_found(creator):
    with time_machine.travel(MARCH, tick=False):
        sold(creator, 1000)
    with time_machine.travel(APRIL, tick=False):
        statements.close_due()
    Statement.objects.update(earned=401, closing=401)
    assert "not what the ledger says" in next(statements.differing())


def test_a_statement_that_does_not_add_up_is_refused_by_the_database(creator):
    with pytest.raises(IntegrityError):
        Statement.objects.create(
            creator=creator,
            month=dt.date(2026, 3, 1),
            currency="EUR",
            opening=0,
            earned=400,
            reversed=0,
            paid_out=0,
            closing=399,
            films=1,
        )


def test_the_sweep_closes_months(creator):
    with time_machine.travel(MARCH, tick=False):
        sold(creator, 1000)
    with time_machine.travel(APRIL, tick=False):
        list(sweeping.tidying())
    assert Statement.objects.count() == 1


# --- payouts ----------------------------------------------------------------------------------------------------------


def test_a_share_is_paid_out_when_its_refund_window_is_over_and_not_before(creator):
    sold(creator, 1000, days_ago=13.9)
    assert payouts.run() == []
    sold(creator, 2000, days_ago=14.1)
    (paid,) = payouts.run()
    assert (paid.amount, paid.state) == (800, PayoutState.PAID)
    assert paid.external_id.startswith("sandbox-")
    assert payouts.run() == []
    assert statements.balance(creator, "EUR") == 400


def test_a_refund_of_a_young_film_does_not_eat_what_an_old_one_earned(creator):
    sold(creator, 1000, days_ago=20)
    gave_back(sold(creator, 1000, days_ago=3), 1000)
    assert payouts.payable(creator, "EUR") == 400


def test_what_was_paid_out_and_refunded_later_is_carried_over(creator):
    payment = sold(creator, 1000, days_ago=30)
    payouts.run()
    gave_back(payment, 1000)
    assert payouts.payable(creator, "EUR") == statements.balance(creator, "EUR") == -400
    assert payouts.run() == []
    sold(creator, 3000, days_ago=20)
    (paid,) = payouts.run()
    assert paid.amount == 1200 - 400
    assert total(Account.CREATOR) == 0


def test_a_film_that_is_still_being_made_is_not_paid_out_however_long_ago_it_was_paid(creator):
    payment = sold(creator, 1000, days_ago=20)
    Order.objects.update(state=OrderState.PLACED)
    assert payouts.run() == []
    payment.order.move(OrderState.PLACED, OrderState.DELIVERED)
    assert [one.amount for one in payouts.run()] == [400]


def test_little_is_not_paid_out_yet(creator, settings):
    settings.PAYOUT_MINIMUM = 401
    sold(creator, 1000, days_ago=20)
    assert payouts.run() == []
    settings.PAYOUT_MINIMUM = 400
    assert [one.amount for one in payouts.run()] == [400]


def test_a_paused_account_is_paid_nothing(creator):
    PayoutAccount.objects.create(creator=creator, external_id="acct_1", paused=True)
    sold(creator, 1000, days_ago=20)
    assert payouts.run() == []
    PayoutAccount.objects.update(paused=False)
    assert [one.destination for one in payouts.run()] == ["acct_1"]


# Said by a till that did it all the same.
DONE = "silence, and it was done"


class Till(SandboxTill):
    """A till that answers as it is told: an error is raised, before or after the money went."""

    answers: list[GatewayError | None] = []
    went: dict[str, int] = {}

    def transfer(self, payout, *, sent_before):
        error = self.answers.pop(0) if self.answers else None
        if error is None or error.args[0] == DONE:
            self.went.setdefault(payout.key, payout.amount)
        if error is not None:
            raise error
        return f"tr-{payout.key}"


@pytest.fixture
def till(monkeypatch):
    Till.answers, Till.went = [], {}
    monkeypatch.setitem(chosen.GATEWAYS, "sandbox", Till)
    return Till


def test_a_transfer_of_which_nothing_was_heard_is_tried_again_under_its_own_key(creator, till, bells):
    till.answers = [GatewayError(DONE)]
    sold(creator, 1000, days_ago=20)
    (payout,) = payouts.run()
    assert (payout.state, payout.error) == (PayoutState.CREATED, DONE)
    assert total(Account.CREATOR) == -400
    assert payouts.due() == []  # not yet
    with time_machine.travel(timezone.now() + dt.timedelta(minutes=11)):
        assert payouts.due() == [payout.pk]
        sweeping.sweep_once()
        assert ("send_payout", payout.pk) in bells
        jobs.JOBS["send_payout"](payout.pk)
    payout.refresh_from_db()
    assert payout.state == PayoutState.PAID
    assert till.went == {payout.key: 400}
    assert total(Account.CREATOR) == 0


def test_while_one_payout_is_open_no_other_is_begun_whatever_is_earned(creator, till):
    till.answers = [GatewayError("silence")]
    sold(creator, 1000, days_ago=20)
    payouts.run()
    sold(creator, 5000, days_ago=20)
    payouts.run()
    assert Payout.objects.count() == 1


def test_a_transfer_that_was_refused_ends_and_the_next_run_begins_another(creator, till):
    till.answers = [GatewayError("no such account", final=True)]
    sold(creator, 1000, days_ago=20)
    (first,) = payouts.run()
    assert (first.state, first.error) == (PayoutState.FAILED, "no such account")
    assert total(Account.CREATOR) == -400
    (second,) = payouts.run()
    assert second.state == PayoutState.PAID
    assert second.key != first.key
    assert till.went == {second.key: 400}


def test_a_payout_that_was_begun_elsewhere_waits_for_its_own_gateway(creator, till):
    sold(creator, 1000, days_ago=20)
    payout = payouts.begin(creator=creator, currency="EUR")
    Payout.objects.update(gateway="elsewhere")
    jobs.JOBS["send_payout"](payout.pk)
    payout.refresh_from_db()
    assert payout.state == PayoutState.CREATED
    assert till.went == {}


# --- margins ----------------------------------------------------------------------------------------------------------


def test_a_margin_is_what_is_left_of_the_price(creator):
    payment = sold(creator, 3000)
    post(order=payment.order, fact="cost:a", lines={Account.PROVIDERS: -250}, currency="EUR")
    post(order=payment.order, fact="fee:a", lines={Account.GATEWAY: -70, Account.FEES: 70})
    gave_back(payment, 1000)
    found = margins.of_order(payment.order)
    assert (found.price, found.refunded, found.cost, found.share, found.fee) == (3000, 1000, 250, 800, 70)
    assert found.margin == 880 == -(total(Account.SALES) + total(Account.FEES))
    assert found.percent == 29


def test_the_margin_of_an_order_whose_money_is_only_held_is_what_it_will_be(creator, settings):
    from billing import services as billing

    settings.GATEWAY_FEE_POINTS = 100
    order = making.draft()
    billing.pay(payment=billing.begin_payment(order=order), card="good")
    order.refresh_from_db()
    post(order=order, fact="estimate:a", lines={Account.PROVIDERS: -100})
    found = margins.of_order(order)
    assert found.held
    assert found.price == order.amount
    assert found.margin == order.amount - shares.of(order.amount, 4000) - round(order.amount / 100) - 100


def test_an_order_nobody_paid_has_no_margin():
    assert margins.of_order(making.draft()) == margins.Margin()


def test_margins_by_day_and_creator_leave_payouts_out_and_name_empty_days(creator, django_assert_num_queries):
    with time_machine.travel(MARCH, tick=False):
        sold(creator, 1000)
    with time_machine.travel(APRIL, tick=False):
        payouts.run()
        sold(creator, 2000)
    since, until = MARCH - dt.timedelta(days=1), APRIL + dt.timedelta(days=1)
    with django_assert_num_queries(1):
        days = margins.by_day(since, until)
    assert days[MARCH.date()].margin == 600
    assert days[APRIL.date()].margin == 1200
    assert days[MARCH.date() + dt.timedelta(days=1)] == margins.Margin()
    with django_assert_num_queries(2):
        assert {one: found.margin for one, found in margins.by_creator(since, until).items()} == {creator: 1800}
    assert margins.by_creator(since, MARCH - dt.timedelta(hours=1)) == {}


def test_many_orders_margins_are_two_queries(creator, django_assert_num_queries):
    orders = [sold(creator, 1000 + number).order for number in range(5)]
    with django_assert_num_queries(2):
        found = margins.of_orders(orders)
    assert [found[order.pk].price for order in orders] == [1000, 1001, 1002, 1003, 1004]


def test_the_command_pays_whoever_can_be_paid_and_says_so(creator, capsys):
    from django.core.management import call_command

    sold(creator, 1000, days_ago=20)
    call_command("pay_creators")
    assert "€4.00  paid out" in capsys.readouterr().out
    call_command("pay_creators")
    assert "Nobody can be paid now." in capsys.readouterr().out
