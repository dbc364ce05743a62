"""The health page: who is slow, what failed, what it cost; the breaker's buttons; and each role sees its part."""

from __future__ import annotations

import datetime as dt
from itertools import count

import pytest
import time_machine
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import Audit, User
from billing.models import LedgerEntry
from orders.models import Order
from pipeline import breaker, checkups, health, jobs, queue
from pipeline.models import Call, CallState, Checkup, Production, Step, Vendor
from pipeline.plots import Series, nice, stacked

from . import making

pytestmark = pytest.mark.django_db

PAGE = "/admin/health/"
NUMBERS = count(1)


@pytest.fixture
def step() -> Step:
    order = making.draft()
    return Step.objects.create(production=Production.objects.create(order=order), stage="shot", item=1)


@pytest.fixture
def vendor() -> Vendor:
    return Vendor.objects.get_or_create(name="higgsfield")[0]


def call(step: Step, seconds: float, *, ago: float = 1, state: str = CallState.SUCCEEDED, **values: object) -> Call:
    """A call that was answered after some seconds, some hours ago."""
    sent = timezone.now() - dt.timedelta(hours=ago)
    values = {"provider": "higgsfield", "job": "video", "request": {}, "cost": 10_000, **values}
    return Call.objects.create(
        step=step,
        key=f"call-{next(NUMBERS)}",
        state=state,
        slot_at=sent,
        sent_at=sent,
        ended_at=sent + dt.timedelta(seconds=seconds),
        **values,
    )


def as_(name: str) -> Client:
    making.creator()
    client = Client()
    client.force_login(User.objects.get(email=f"{name}@videogen.invalid"))
    return client


def test_the_figures_of_a_vendor_are_those_of_the_last_day(step, vendor):
    for seconds in range(1, 11):
        call(step, seconds)
    call(step, 500, ago=25)
    call(step, 3, state=CallState.FAILED)
    call(step, 3, state=CallState.CANCELLED)
    Call.objects.create(step=step, key="waits", provider="higgsfield", job="video", request={}, state=CallState.QUEUED)
    [one] = health.vendors()
    assert (one.p50, one.p90, one.calls, one.bad) == (6, 10, 11, 1)
    assert one.error_rate == pytest.approx(1 / 11)
    assert one.waiting == 1
    assert one.spent == 12, "millionths of a dollar become cents"


def test_a_vendor_nobody_asked_has_dashes_and_no_figures(vendor):
    [one] = health.vendors()
    assert (one.p50, one.error_rate, one.calls) == (None, None, 0)


def test_failures_are_counted_by_cause_and_the_most_frequent_comes_first(step, vendor):
    for _ in range(3):
        call(step, 1, state=CallState.FAILED, trouble="nsfw")
    call(step, 1, state=CallState.FAILED, trouble="away", ago=24 * 8)
    Production.objects.update(state="failed", failed_stage="qc", ended_at=timezone.now())
    found = [(cause.what, cause.why, cause.times) for cause in health.failures()]
    assert found == [("higgsfield", "nsfw", 3), ("film", "qc", 1)]


def test_orders_and_money_stand_under_their_day(step, vendor):
    order = step.production.order
    yesterday = timezone.now() - dt.timedelta(days=1)
    Order.objects.filter(pk=order.pk).update(state="delivered", placed_at=yesterday)
    with time_machine.travel(yesterday, tick=False):
        for fact, amount in (("charge:1", 1900), ("refund:1", -400)):
            line = {"fact": fact, "account": "gateway", "amount": amount, "currency": "EUR", "order": order}
            LedgerEntry.objects.create(**line)
    days = health.by_day()
    assert len(days) == health.DAYS
    assert days[-1].date == timezone.now().date()
    before = days[-2]
    assert (before.ends["delivered"], before.money.price, before.money.refunded) == (1, 1900, 400)
    assert before.money.margin == 1500
    assert sum(day.ends.total() for day in days) == 1
    assert "15.00 EUR" not in as_("support").get(PAGE).content.decode()
    assert "15.00 EUR" in as_("finance").get(PAGE).content.decode()


def test_a_queue_nobody_can_reach_is_said_and_the_board_is_still_read(step, monkeypatch):
    Step.objects.update(state="ready", not_before=timezone.now() - dt.timedelta(seconds=9), stage="narration")
    monkeypatch.setattr(queue, "depth", lambda name: None)
    assert [(one.jobs, one.due) for one in health.queues() if one.name == "voice"] == [(None, 1)]
    assert "cannot be reached" in as_("staff").get(PAGE).content.decode()


def test_plots_stand_on_their_line_and_have_the_same_figures_as_a_table():
    up = Series("good", "Up", [1, 0, 4], ["one", "none", "four"])
    down = Series("bad", "Down", [0, -2, 0], ["-", "two", "-"])
    plot = stacked("p", "P", ["a", "b", "c"], [up, down])
    assert [bar.says for bar in plot.bars] == ["a: Up one", "b: Down two", "c: Up four"]
    line = next(tick.at for tick in plot.scale if tick.label == "0")
    assert [round(bar.y + bar.height, 1) for bar in plot.bars if bar.kind == "good"] == [round(line, 1)] * 2
    assert [bar.y for bar in plot.bars if bar.kind == "bad"] == [line]
    assert plot.rows[0] == ("c", ["four", "-"])
    assert stacked("p", "P", ["a"], [Series("good", "Up", [0], ["0"])]).empty
    assert [nice(top) for top in (1, 1.5, 3, 7, 10, 11, 420)] == [1, 2, 5, 10, 10, 20, 500]


@pytest.mark.parametrize(
    ("who", "status", "money", "button"),
    [
        ("staff", 200, True, True),
        ("support", 200, False, True),
        ("finance", 200, True, False),
        ("pip", 403, False, False),
    ],
)
def test_each_role_sees_its_part(vendor, who, status, money, button):
    page = as_(who).get(PAGE)
    assert page.status_code == status
    text = page.content.decode()
    assert ("each day’s money" in text, "Leave higgsfield alone" in text) == (money, button)


def test_a_vendor_is_left_alone_and_asked_again_by_hand_with_a_reason(vendor):
    client, address = as_("support"), reverse("admin:health_breaker", args=[vendor.name])
    answer = client.post(
        address, {"do": "open", "minutes": "60", "reason": "They wrote that they are down."}, follow=True
    )
    assert "is left alone until" in answer.content.decode()
    assert breaker.is_open("higgsfield")
    breaker.worked("higgsfield")
    assert breaker.is_open("higgsfield"), "an answer to an older call does not close it"
    client.post(address, {"do": "close", "reason": "They are back."})
    assert not breaker.is_open("higgsfield")
    assert [(row.verb, row.reason) for row in Audit.objects.order_by("pk")] == [
        ("breaker.opened", "They wrote that they are down."),
        ("breaker.closed", "They are back."),
    ]


@pytest.mark.parametrize(
    "words",
    [{"do": "open", "minutes": "60"}, {"do": "open", "minutes": "999999", "reason": "x"}, {"do": "x", "reason": "x"}],
)
def test_without_a_reason_or_a_known_wish_nothing_is_changed(vendor, words):
    page = as_("support").post(reverse("admin:health_breaker", args=[vendor.name]), words, follow=True)
    assert "Nothing was changed" in page.content.decode()
    assert not breaker.is_open("higgsfield")
    assert not Audit.objects.exists()


@pytest.mark.parametrize("who", ["finance", "pip"])
def test_who_may_not_move_a_breaker_does_not(vendor, who):
    words = {"do": "open", "minutes": "60", "reason": "x"}
    assert as_(who).post(reverse("admin:health_breaker", args=[vendor.name]), words).status_code == 403
    assert not breaker.is_open("higgsfield")
    assert as_("support").get(reverse("admin:health_breaker", args=[vendor.name])).status_code == 405


def test_the_breaker_of_the_machine_still_closes_by_itself(vendor):
    Vendor.objects.update(failures=5, open_until=timezone.now() + dt.timedelta(minutes=1), reason="away")
    breaker.worked("higgsfield")
    assert not breaker.is_open("higgsfield")


def test_what_a_checkup_found_stands_on_the_page(vendor, monkeypatch):
    assert "Nobody has looked yet" in as_("staff").get(PAGE).content.decode()
    checkups.keep("reconcile", ["A refund of ABC is missing."], 1.5)
    monkeypatch.setattr("pipeline.invariants.broken", list)
    call_command("invariants")
    page = as_("staff").get(PAGE).content.decode()
    assert "A refund of ABC is missing." in page
    assert "all is well" in page
    checkups.keep("reconcile", [], 1)
    assert "A refund of ABC is missing." not in as_("staff").get(PAGE).content.decode()


@pytest.mark.django_db
def test_the_daily_comparison_of_the_books_is_kept_for_the_desk_once_a_day():
    for _ in range(2):
        jobs.compare_books(0)
    [kept] = checkups.latest()
    assert (kept.name, kept.count) == ("reconcile sandbox", 0)
    assert Checkup.objects.count() == 1
