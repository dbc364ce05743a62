"""Invented orders for work on speed; and no list of the desk asks more of the database the more rows there are."""

from __future__ import annotations

import pytest
from django.contrib import admin
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts import paging
from accounts.models import Audit, User
from accounts.paging import LongPaginator
from billing.models import LedgerEntry, Payment
from orders.models import Order
from pipeline import invariants
from pipeline.models import Call, Production, Review, Step
from videogen import many

from . import making

pytestmark = pytest.mark.django_db

MOST_QUERIES = 15


@pytest.fixture
def client() -> Client:
    making.creator()
    list(many.fill(150))
    made = Client()
    made.force_login(User.objects.get(email="staff@videogen.invalid"))
    return made


def queries(client: Client, address: str) -> int:
    with CaptureQueriesContext(connection) as caught:
        assert client.get(address).status_code == 200, address
    return len(caught)


def lists() -> list[str]:
    """Every list of the desk, bare and searched in."""
    found = [reverse("admin:index"), reverse("admin:health")]
    for model, known in admin.site._registry.items():
        address = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
        found.append(address)
        if known.search_fields or getattr(known, "finds", ()):
            found.append(f"{address}?q=M000-0050")
    return found


@pytest.mark.slow
def test_no_list_needs_more_than_fifteen_queries(client):
    found = {address: queries(client, address) for address in lists()}
    assert {address: count for address, count in found.items() if count > MOST_QUERIES} == {}
    assert len(found) > 30


@pytest.mark.slow
def test_no_list_needs_more_queries_when_there_are_more_rows(client):
    before = {address: queries(client, address) for address in lists()}
    list(many.fill(150))
    more = {
        address: (before[address], count)
        for address in lists()
        if (count := queries(client, address)) > before[address]
    }
    assert more == {}


def test_what_is_made_is_plausible_and_twice_is_twice(client):
    list(many.fill(150))
    assert Order.objects.count() == 300
    assert Payment.objects.count() == Production.objects.count() == Order.objects.exclude(state="draft").count()
    assert Order.objects.filter(state="delivered").count() > 250
    assert Review.objects.filter(state="waiting").exists()
    assert {Step.objects.exists(), Call.objects.exists(), Audit.objects.exists(), LedgerEntry.objects.exists()} == {
        True
    }
    for check in (invariants.i1_ledger_balances, invariants.i2_paid_once, invariants.i3_one_live_call):
        assert list(check()) == [], check
    assert list(invariants.i5_history_has_no_gap()) == []


def test_production_gets_none(settings):
    settings.PRODUCTION = True
    with pytest.raises(CommandError):
        call_command("many", orders=1)
    with pytest.raises(RuntimeError):
        list(many.fill(1))
    assert not Order.objects.exists()


def test_a_search_finds_a_whole_code_in_any_case_and_nothing_else(client):
    order = Order.objects.filter(state="delivered").first()
    lists = reverse("admin:billing_payment_changelist")
    found = client.get(f"{lists}?q={order.code.lower()}").content.decode()
    assert f"{order.code}-P-1" in found
    assert "1 payment" in found
    assert "0 payments" in client.get(f"{lists}?q=M000").content.decode()


def test_long_lists_are_counted_as_far_as_anyone_turns_pages(client, monkeypatch):
    rows = Order.objects.order_by("pk")
    assert LongPaginator(rows, 100).count == 150
    monkeypatch.setattr(paging, "MOST", 100)
    monkeypatch.setattr(paging, "estimate", lambda model, using: 5000)
    assert LongPaginator(rows, 100).count == 5000, "a whole table is estimated"
    assert LongPaginator(rows.filter(pk__gt=0), 100).count == 101, "a filtered one is counted so far"
    assert LongPaginator([1, 2, 3], 100).count == 3
    with CaptureQueriesContext(connection) as caught:
        assert LongPaginator(rows, 100).count == 5000
    assert "LIMIT" in caught[0]["sql"], "negative control: not all were read"


def test_the_database_estimates_its_tables(client):
    assert paging.estimate(Order, "default") >= (150 if connection.vendor == "sqlite" else 0)
