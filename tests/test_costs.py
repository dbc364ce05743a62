"""What vendors cost stands in the ledger: the estimate while a call is under way, the rest when it is over, once."""

from __future__ import annotations

import pytest
from django.db import connection
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as profile
from hypothesis import strategies as st

from billing import margins
from billing.models import Account, LedgerEntry
from pipeline import costs, sweeping
from pipeline.models import Call, CallState

from . import making

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def step():
    return making.production().steps.get(stage="photos")


def call(step, key, **values):
    given = {"provider": "vendor", "job": "video", "request": {}, "slot_at": timezone.now(), **values}
    return Call.objects.create(step=step, key=key, **given)


def owed():
    return -sum(LedgerEntry.objects.filter(account=Account.PROVIDERS).values_list("amount", flat=True))


def facts():
    return sorted(set(LedgerEntry.objects.values_list("fact", flat=True)))


def test_a_call_under_way_counts_with_its_estimate_and_then_with_what_it_cost(step):
    made = call(step, "k", state=CallState.SUBMITTED, estimate=500_000)
    costs.sweep()
    assert (owed(), facts()) == (50, ["estimate:k"])
    Call.objects.filter(pk=made.pk).update(state=CallState.SUCCEEDED, cost=420_000)
    costs.sweep()
    assert (owed(), facts()) == (42, ["cost:k", "estimate:k"])
    assert costs.sweep() == 0
    assert sum(LedgerEntry.objects.values_list("amount", flat=True)) == 0


def test_a_call_that_was_over_before_anyone_looked_is_one_fact(step):
    call(step, "k", state=CallState.SUCCEEDED, estimate=500_000, cost=420_000)
    assert [costs.sweep(), costs.sweep()] == [1, 0]
    assert (owed(), facts()) == (42, ["cost:k"])


def test_what_may_have_been_paid_twice_counts_twice(step):
    call(step, "k", state=CallState.SUCCEEDED, estimate=1_000_000, cost=420_000, maybe_paid_twice=True)
    costs.sweep()
    assert owed() == 100


def test_a_failed_call_that_cost_nothing_and_one_never_sent_leave_nothing(step):
    made = call(step, "k", state=CallState.SUBMITTED, estimate=500_000)
    costs.sweep()
    Call.objects.filter(pk=made.pk).update(state=CallState.FAILED, cost=0)
    call(step, "free", state=CallState.SUCCEEDED)
    call(step, "unsent", state=CallState.QUEUED, estimate=500_000, slot_at=None)
    costs.sweep()
    assert (owed(), facts()) == (0, ["cost:k", "estimate:k"])
    assert costs.sweep() == 0


def test_dollars_become_the_sites_currency(step, settings):
    settings.USD_RATE = 0.9
    call(step, "k", state=CallState.SUCCEEDED, cost=1_000_000)
    costs.sweep()
    assert owed() == 90


def test_a_thousand_calls_of_a_tenth_of_a_cent_are_a_dollar_and_not_nothing(step):
    for number in range(1000):
        call(step, f"k{number}", state=CallState.SUCCEEDED, cost=1_000)
    while costs.sweep():
        pass
    assert owed() == 100
    assert sum(costs.minor(1_000) for _ in range(1000)) == 0, "negative control: each rounded by itself"


@profile(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, 3_000_000), st.integers(0, 3_000_000)), max_size=8), st.integers(50, 150))
def test_an_orders_total_is_rounded_once_whatever_was_booked_when(step, settings, calls_, rate):
    settings.USD_RATE = rate / 100
    before = owed()
    mark = Call.objects.count()
    already = sum(Call.objects.values_list("booked", flat=True))
    made = [
        call(step, f"h{mark}-{number}", state=CallState.SUBMITTED, estimate=estimate)
        for number, (estimate, _) in enumerate(calls_)
    ]
    for one, (_, cost) in zip(made, calls_, strict=True):
        costs.sweep()
        Call.objects.filter(pk=one.pk).update(state=CallState.SUCCEEDED, cost=cost)
    costs.sweep()
    booked = sum(Call.objects.values_list("booked", flat=True))
    assert owed() - before == costs.minor(booked) - costs.minor(already)
    assert booked - already == sum(cost for _, cost in calls_)


def test_the_sweep_books_and_the_margin_knows(step):
    call(step, "k", state=CallState.SUCCEEDED, cost=2_000_000)
    sweeping.sweep_once()
    assert margins.of_order(step.production.order).cost == 200


def test_one_that_dies_while_it_books_has_booked_nothing_and_the_next_books_once(step, monkeypatch):
    call(step, "k", state=CallState.SUCCEEDED, cost=420_000)
    post = costs.post

    def die(**words):
        post(**words)
        raise RuntimeError("died")

    with monkeypatch.context() as patch:
        patch.setattr(costs, "post", die)
        with pytest.raises(RuntimeError):
            costs.sweep()
    assert not LedgerEntry.objects.exists()
    costs.sweep()
    assert owed() == 42


def test_looking_for_what_is_due_does_not_go_through_all_calls_there_ever_were(step):
    call(step, "k", state=CallState.SUCCEEDED, cost=420_000)
    query, params = costs.due().values_list("pk").query.sql_with_params()
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute(f"EXPLAIN QUERY PLAN {query}", params)
        else:
            cursor.execute("SET enable_seqscan = off")
            cursor.execute(f"EXPLAIN {query}", params)
        plan = " ".join(str(row) for row in cursor.fetchall())
    assert "call_unbooked" in plan
