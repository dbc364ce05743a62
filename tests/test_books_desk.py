"""Creators' money on the desk: who sees which months, what a page and a file say, who may pay and change prices."""

from __future__ import annotations

import csv
import datetime as dt
import io

import pytest
import time_machine
from django.urls import reverse
from django.utils import timezone

from accounts.models import Audit, Creator, User
from billing import payouts, prices, statement_admin, statements
from billing.models import Payout, PayoutState, Price, ShareRate, Statement

from . import making
from .books import gave_back, sold
from .entering import enter

pytestmark = pytest.mark.django_db(transaction=True)

MARCH = dt.datetime(2026, 3, 20, 12, tzinfo=dt.UTC)
APRIL = dt.datetime(2026, 4, 20, 12, tzinfo=dt.UTC)


@pytest.fixture(autouse=True)
def small_payouts(settings):
    settings.PAYOUT_MINIMUM = 1


@pytest.fixture
def creator():
    return making.creator()


@pytest.fixture
def other(creator):
    return Creator.objects.exclude(pk=creator.pk)[0]


def signed_in(client, who):
    user = who.user if isinstance(who, Creator) else User.objects.get(email=f"{who}@videogen.invalid")
    return enter(user, client=client)


def page(creator, month="2026-03", name="billing_statement_month"):
    return reverse(f"admin:{name}", args=[creator.pk, month])


@pytest.fixture
def books(creator):
    """A film and half of it back in March, the rest paid out in April, when we are."""
    with time_machine.travel(MARCH, tick=False):
        gave_back(sold(creator, 2900), 1450)
    with time_machine.travel(APRIL, tick=False):
        statements.close_due()
        payouts.run()
        yield creator


# --- statements -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["billing_statement_month", "billing_statement_csv"])
def test_a_month_is_for_its_creator_and_for_those_who_keep_the_books(client, books, other, name):
    address = page(books, name=name)
    for who, status in ((books, 200), (other, 404), ("finance", 200), ("staff", 200), ("support", 403)):
        assert signed_in(client, who).get(address).status_code == status, who
    client.logout()
    assert client.get(address).status_code == 302


def test_a_month_says_what_was_earned_taken_back_and_is_left(client, books):
    seen = signed_in(client, books).get(page(books)).content.decode()
    for words in ("€11.60", "−€5.80", "€5.80", "€29.00", "−€14.50", "40 %", "Closed on", "These figures do not change"):
        assert words in seen, words


def test_an_open_month_says_what_can_be_paid_and_what_waits(client, books):
    sold(books, 1000)
    seen = signed_in(client, books).get(page(books, "2026-04")).content.decode()
    for words in ("still open", "€4.00 waits", "Nothing can be paid out yet", "Payout", "−€5.80"):
        assert words in seen, words


def test_a_month_that_never_was_is_not_found(client, books):
    signed_in(client, books)
    for month in ("2026-02", "2027-01", "2026-13", "march", "2026-3-1"):
        assert client.get(page(books, month)).status_code == 404, month


def test_the_file_has_every_line_and_adds_up(client, books):
    response = signed_in(client, books).get(page(books, name="billing_statement_csv"))
    assert response["Content-Type"].startswith("text/csv")
    assert f"statement-{books.slug}-2026-03.csv" in response["Content-Disposition"]
    rows = list(csv.DictReader(io.StringIO(response.content.decode())))
    assert [(row["what"], row["amount"], row["balance"]) for row in rows] == [
        ("opening balance", "", "0.00"),
        ("Film", "11.60", "11.60"),
        ("Refund", "-5.80", "5.80"),
        ("closing balance", "", "5.80"),
    ]
    assert (rows[1]["fan_paid"], rows[1]["share_percent"], rows[2]["fan_paid"]) == ("29.00", "40.00", "-14.50")
    assert {row["currency"] for row in rows} == {"EUR"}


def test_the_list_has_closed_months_and_what_is_owed_now_of_ones_own_only(client, books, other):
    with time_machine.travel(MARCH, tick=False):
        sold(other, 7700)
    statements.close_due()
    address = reverse("admin:billing_statement_changelist")
    mine = signed_in(client, books).get(address).content.decode()
    assert "March 2026" in mine
    assert page(books, "2026-04") in mine
    assert other.name not in mine
    assert "30.80" not in mine
    every = signed_in(client, "finance").get(address).content.decode()
    assert other.name in every
    assert "30.80" in every


def test_a_closed_month_in_the_list_is_its_page_and_only_for_its_own(client, books, other):
    row = reverse("admin:billing_statement_change", args=[Statement.objects.get().pk])
    seen = signed_in(client, books).get(row).content.decode()
    assert "11.60" in seen
    assert page(books, name="billing_statement_csv") in seen
    assert signed_in(client, other).get(row).status_code == 302


# --- payouts ----------------------------------------------------------------------------------------------------------


def test_finance_pays_those_who_are_ticked_and_it_is_written_down(client, creator, other):
    for one in (creator, other):
        sold(one, 5000, days_ago=20)
    signed_in(client, "finance")
    address = reverse("admin:billing_payout_begin")
    seen = client.get(address).content.decode()
    assert "€40.00 in all" in seen
    client.post(address, {"creator": [creator.pk]})
    assert not Payout.objects.exists(), "not without a reason"
    told = {"creator": [creator.pk], "why": "The month’s."}
    client.post(address, told)
    payout = Payout.objects.get()
    assert (payout.creator, payout.amount, payout.state) == (creator, 2000, PayoutState.CREATED)
    line = Audit.objects.get(verb="payout.begun")
    assert (line.data["amount"], line.reason) == (2000, "The month’s.")
    assert payout.pk in payouts.due()
    client.post(address, told)
    assert Payout.objects.count() == 1, "a second click finds the one that is under way"


def test_who_can_be_paid_nothing_has_no_box_and_is_told_why(client, creator, other):
    sold(creator, 5000)
    gave_back(sold(other, 5000, days_ago=20), 5000)
    signed_in(client, "finance")
    seen = client.get(reverse("admin:billing_payout_begin")).content.decode()
    assert "Nobody can be paid now" in seen
    assert "Not enough yet" in seen
    assert 'name="creator"' not in seen
    client.post(reverse("admin:billing_payout_begin"), {"creator": [creator.pk, "x"], "why": "A try."})
    assert not Payout.objects.exists()


def test_whoever_pays_shows_once_more_who_they_are(client, creator):
    sold(creator, 5000, days_ago=20)
    enter(User.objects.get(email="finance@videogen.invalid"), client=client, ago=2 * 24 * 3600)
    address = reverse("admin:billing_payout_begin")
    for response in (client.get(address), client.post(address, {"creator": [creator.pk]})):
        assert "reauthenticate" in response["Location"]
    assert not Payout.objects.exists()


@pytest.mark.parametrize("who", ["support", "creator"])
def test_nobody_else_pays(client, creator, who):
    sold(creator, 5000, days_ago=20)
    signed_in(client, creator if who == "creator" else who)
    assert client.post(reverse("admin:billing_payout_begin"), {"creator": [creator.pk]}).status_code == 403
    assert not Payout.objects.exists()


def test_a_creator_sees_their_own_payouts_without_where_they_went(client, creator, other):
    sold(creator, 5000, days_ago=20)
    sold(other, 7000, days_ago=20)
    payouts.run()
    signed_in(client, creator)
    seen = client.get(reverse("admin:billing_payout_changelist")).content.decode()
    assert "€20.00" in seen
    assert "€28.00" not in seen
    one = client.get(reverse("admin:billing_payout_change", args=[Payout.objects.get(creator=creator).pk]))
    assert "acct_" not in one.content.decode()
    theirs = client.get(reverse("admin:billing_payout_change", args=[Payout.objects.get(creator=other).pk]))
    assert theirs.status_code in (302, 403, 404)


def test_finance_agrees_another_share_and_the_old_one_stays(client, creator):
    signed_in(client, "finance")
    address = reverse("admin:billing_sharerate_add")
    for percent in ("45.5", "50"):
        assert client.post(address, {"creator": creator.pk, "percent": percent, "why": "Agreed."}).status_code == 302
    old, new = ShareRate.objects.order_by("pk")
    assert (old.points, old.ends_at, new.points, new.ends_at) == (4550, new.starts_at, 5000, None)
    assert Audit.objects.filter(verb="share.changed", reason="Agreed.").count() == 2
    for wrong in ({"percent": "101", "why": "Agreed."}, {"percent": "40"}):
        assert client.post(address, {"creator": creator.pk, **wrong}).status_code == 200


# --- prices -----------------------------------------------------------------------------------------------------------


def open_price(creator):
    return Price.objects.get(creator=creator, seconds=20, occasion="", ends_at=None)


def test_a_creator_changes_their_own_price_by_beginning_another(client, creator):
    price = open_price(creator)
    address = reverse("admin:billing_price_change", args=[price.pk])
    signed_in(client, creator)
    assert f'value="{price.amount / 100:.2f}"' in client.get(address).content.decode()
    assert client.post(address, {"price": "33.50"}).status_code == 302
    price.refresh_from_db()
    assert price.ends_at is not None
    assert open_price(creator).amount == 3350
    assert Audit.objects.get(verb="price.changed").data == {"amount": 3350}


def test_a_creator_gives_an_occasion_a_price_of_its_own(client, creator):
    signed_in(client, creator)
    values = {"creator": creator.pk, "occasion": "wedding", "seconds": 20, "price": "99"}
    assert client.post(reverse("admin:billing_price_add"), values).status_code == 302
    assert prices.price_for(creator=creator, seconds=20, occasion="wedding").amount == 9900


def test_nobody_touches_another_creators_price(client, creator, other):
    price = open_price(other)
    signed_in(client, creator)
    client.post(reverse("admin:billing_price_change", args=[price.pk]), {"price": "1.00"})
    client.post(
        reverse("admin:billing_price_add"), {"creator": other.pk, "occasion": "", "seconds": 20, "price": "1.00"}
    )
    client.post(reverse("admin:billing_price_changelist"), {"action": "stop", "_selected_action": [price.pk]})
    assert open_price(other) == price


def test_a_price_that_has_ended_is_history(client, creator):
    old = open_price(creator)
    prices.change(creator=creator, seconds=20, amount=4400)
    signed_in(client, creator)
    assert client.post(reverse("admin:billing_price_change", args=[old.pk]), {"price": "1.00"}).status_code == 403
    assert open_price(creator).amount == 4400


@pytest.mark.parametrize("typed", ["0.49", "-5", "1e9", "12.345", "free", ""])
def test_a_price_nobody_can_pay_is_refused_with_a_word(client, creator, typed):
    price = open_price(creator)
    signed_in(client, creator)
    seen = client.post(reverse("admin:billing_price_change", args=[price.pk]), {"price": typed})
    assert seen.status_code == 200
    assert "errorlist" in seen.content.decode()
    assert open_price(creator) == price


def test_prices_in_force_are_listed_first_and_all_there_ever_were_on_request(client, creator):
    prices.change(creator=creator, seconds=20, amount=4455)
    old = Price.objects.filter(creator=creator, seconds=20).exclude(ends_at=None).get()
    signed_in(client, creator)
    shown = f"/admin/billing/price/{old.pk}/change/"
    address = reverse("admin:billing_price_changelist")
    assert shown not in client.get(address).content.decode()
    assert shown in client.get(address, {"show": "all"}).content.decode()


def test_stopping_a_price_takes_the_length_from_the_shop(client, creator):
    signed_in(client, creator)
    data = {"action": "stop", "_selected_action": [open_price(creator).pk]}
    assert client.post(reverse("admin:billing_price_changelist"), data).status_code == 302
    assert prices.price_for(creator=creator, seconds=20) is None
    assert Audit.objects.get(verb="price.ended").actor == creator.user


def test_an_empty_desk_has_pages_too(client, creator):
    signed_in(client, "finance")
    for name in ("billing_statement_changelist", "billing_payout_changelist", "billing_payout_begin"):
        assert client.get(reverse(f"admin:{name}")).status_code == 200
    month = f"{timezone.localdate():%Y-%m}"
    assert "Nothing was earned" in client.get(page(creator, month)).content.decode()


def test_a_long_month_shows_its_latest_lines_and_the_file_has_all(client, creator, monkeypatch):
    monkeypatch.setattr(statement_admin, "MOST_LINES", 2)
    for number in range(5):
        sold(creator, 1000 + number)
    month = f"{timezone.localdate():%Y-%m}"
    signed_in(client, creator)
    seen = client.get(page(creator, month)).content.decode()
    assert seen.count('data-name="Balance"') == 2
    assert "3 before them are in the CSV" in seen
    assert "Earned, 5 films" in seen
    assert "€20.04" in seen, "the balance after the last line"
    rows = list(csv.DictReader(io.StringIO(client.get(page(creator, month, "billing_statement_csv")).content.decode())))
    assert [row["what"] for row in rows] == ["opening balance", *["Film"] * 5, "closing balance"]
    assert rows[-1]["balance"] == rows[-2]["balance"]
