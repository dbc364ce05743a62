"""The trial: its arithmetic, what it counts as lost money, and a short storm over real processes."""

from __future__ import annotations

import dataclasses
import json
import math
import os
import subprocess
import sys
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.utils import timezone

from billing.gateways.base import GatewayError
from billing.models import Payment
from billing.reconcile import Found
from orders.models import Order, OrderState
from pipeline import calls
from pipeline.models import Call, CallState, Cut, Delivery, ProductionState, Step
from pipeline.providers.base import ShotRequest
from sandbox.vendors import VENDORS
from sandbox.world import FAULTS, World
from videogen.management.commands import prove as command
from videogen.proving import people
from videogen.proving.figures import Books, Figures, percentile, plain, repaid, simulated, timed, united
from videogen.proving.troubles import MIXES

from . import making

ROOT = Path(__file__).resolve().parent.parent


def test_spans_that_overlap_count_once():
    assert united([(0, 10), (5, 12), (20, 21), (6, 7)]) == 13
    assert united([]) == 0


def test_a_percentile_is_one_of_the_values():
    assert percentile([3, 1, 2, 4], 0.5) == 2
    assert percentile([3, 1, 2, 4], 0.9) == 4
    assert math.isnan(percentile([], 0.5))


def test_only_the_vendors_time_is_stretched():
    # Ten seconds, of which the vendor's overlapping jobs take four; what lies outside does not count.
    assert simulated(100, 110, [(102, 105), (103, 106), (90, 99), (120, 130)], speed=20) == 6 + 4 * 20


def test_every_trouble_of_every_mix_is_a_switch_of_the_sandbox():
    assert VENDORS
    assert all(name in FAULTS for mix in MIXES.values() for name in mix.faults)


@pytest.fixture
def step(db: Any) -> Step:
    from orders import services as orders

    order = making.draft()
    orders.place(order=order)
    production = order.productions.get()
    return Step.objects.create(production=production, stage="shot", item=1)


def bought(step: Step, key: str, attempt: int = 1, **values: Any) -> Call:
    request = ShotRequest("p.jpg", 1080, 1920, 5.0, (), (0, 0, 1, 1), "a push in", 1).to_json()
    return Call.objects.create(
        step=step,
        name="take-1",
        key=key,
        attempt=attempt,
        provider="higgsfield",
        job="video",
        request=request,
        **values,
    )


def test_what_is_charged_once_per_call_is_no_loss(step: Step):
    bought(step, "a", state=CallState.SUCCEEDED)
    assert repaid(Books(charged={"a": 1}, over={})) == []


def test_a_trial_of_photos_alone_says_that_there_was_no_first_look():
    """Figures of nothing are null for machines and words for people."""
    nothing = {each.name: eval(each.type.partition("[")[0])() for each in dataclasses.fields(Figures)}
    none = percentile([], 0.9)
    found = Figures(**nothing | {"first_look_p50_seconds": none, "first_look_p90_seconds": none})
    assert plain(found)["first_look_p90_seconds"] is None
    assert "first look        there was none\n" in command.told(found)
    some = dataclasses.replace(found, first_look_p50_seconds=3.5, first_look_p90_seconds=4.5)
    assert "first look        p50 3.5 s, p90 4.5\n" in command.told(some)


def test_a_key_charged_twice_or_unknown_to_us_is_a_loss(step: Step):
    bought(step, "a", state=CallState.SUCCEEDED)
    assert repaid(Books(charged={"a": 2}, over={})) == ["a"]
    assert repaid(Books(charged={"a": 1, "stranger": 1}, over={})) == ["stranger"]


def test_buying_again_is_a_loss_unless_a_reason_is_written(step: Step):
    first = bought(step, "a", state=CallState.FAILED)
    bought(step, "b", attempt=2, state=CallState.SUCCEEDED)
    books = Books(charged={"a": 1, "b": 1}, over={})
    assert repaid(books) == ["a"], "the vendor had it, and we never knew"
    Call.objects.filter(pk=first.pk).update(maybe_paid_twice=True)
    assert repaid(books) == []
    Call.objects.filter(pk=first.pk).update(
        maybe_paid_twice=False, external_id="job", error="the clip is of no use: it lasts only 1.0 s"
    )
    assert repaid(books) == []
    assert calls.latest(step, "take-1") is not None


def test_a_film_is_timed_though_whoever_delivered_it_died_before_its_production_was_closed(step: Step):
    production, now = step.production, timezone.now()
    cut = Cut.objects.create(
        production=production, file="films/x.mp4", sha256="a" * 64, width=2, height=2, fps=30, seconds=1
    )
    Delivery.objects.create(order=production.order, cut=cut)
    Delivery.objects.update(delivered_at=now)
    Cut.objects.update(created_at=now - timedelta(seconds=4))
    Step.objects.filter(pk=step.pk).update(ended_at=now - timedelta(seconds=7))
    assert production.state == ProductionState.RUNNING
    found = timed(Order.objects.get(pk=production.order_id), Books(charged={}, over={}), speed=20)
    assert found.after_last_shot == pytest.approx(7)
    assert found.master_after_last_shot == pytest.approx(3)


REAL = {
    "DATABASE_URL": "postgres://real", "REDIS_URL": "redis://real", "SITE_URL": "https://real", "GATEWAY": "real",
    "EMAIL_URL": "smtp://real", "AWS_STORAGE_BUCKET_NAME": "real", "AWS_SECRET_ACCESS_KEY": "real",
    "OPENAI_API_KEY": "real", "OPENAI_BASE_URL": "https://real", "HIGGSFIELD_KEY": "real:real",
    "ELEVENLABS_API_KEY": "real", "SPEECH_API_KEY": "real", "SPEECH_BASE_URL": "https://real",
    "CUSTOM_VOICE_KEY": "real", "CUSTOM_VOICE_URL": "https://real", "VIDEO_MODELS": "real", "SECRET_KEY": "real",
}  # fmt: skip


class Ground:
    """Keeps the environment of the process that a trial would have started."""

    env: Mapping[str, str]
    returncode = 0

    def run(self, words: list[str], *, env: Mapping[str, str], **how: Any) -> Ground:
        self.env = env
        return self


def test_a_trial_takes_nothing_along_that_leads_to_anything_real(monkeypatch: pytest.MonkeyPatch):
    for name, value in REAL.items():
        monkeypatch.setenv(name, value)
    ground = Ground()
    monkeypatch.setattr(subprocess, "run", ground.run)
    with pytest.raises(SystemExit):
        call_command("prove")
    assert {name for name in REAL if "real" in ground.env.get(name, "")} == set()
    assert ground.env["VIDEOGEN_ALONE"], "and the owner's .env file is not read again"


@pytest.mark.django_db
def test_a_database_that_somebody_uses_is_refused_before_anything_is_written(monkeypatch: pytest.MonkeyPatch):
    done: list[str] = []
    monkeypatch.setattr(command, "call_command", lambda name, **how: done.append(name))
    with pytest.raises(CommandError, match="not empty"):
        command.Command()._prove({"faults": "none"})
    assert done == []


# Prints what a process would read its settings from.
READS = """
import environ
environ.Env.read_env = staticmethod(lambda file: print(file.name))
import videogen.env
"""


@pytest.mark.parametrize(("alone", "read"), [("1", ""), ("", ".env")])
def test_a_process_on_ground_of_its_own_reads_no_file_of_the_owner(alone: str, read: str):
    env = {**os.environ, "VIDEOGEN_ALONE": alone}
    done = subprocess.run([sys.executable, "-c", READS], cwd=ROOT, env=env, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == read


def prove(*words: str) -> tuple[int, dict[str, Any]]:
    done = subprocess.run(
        [sys.executable, "manage.py", "prove", "--json", *words], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.stdout, done.stderr[-4000:]
    return done.returncode, json.loads(done.stdout)


@pytest.mark.slow
@pytest.mark.render
def test_a_short_storm_ends_well():
    small = ("--scale", "0.15", "--seconds", "20", "--speed", "60", "--in-flight", "2")
    code, found = prove("--orders", "2", "--faults", "storm", "--seed", "3", "--money", *small)
    assert found["invariants_broken"] == []
    assert found["wrong_money"] == []
    assert (found["success_rate"], found["repaid_calls"], code) == (1.0, 0, 0), found["not_as_expected"]
    assert (found["orders"], found["seed"]) == (2, 3)
    assert found["faults_fired"]
    assert found["kills"]
    assert found["bells"].get("rung")
    assert 0 < found["p50_minutes"] <= found["p90_minutes"] <= found["p99_minutes"]
    assert found["films_per_hour"] > 0
    assert found["own_seconds_per_film"] > 0


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("refusals", "told"), [(3, ["they differ"]), (99, ["the books of stripe could not be read: 429"])]
)
def test_books_that_are_refused_are_asked_for_again_and_never_cost_a_trial_its_figures(
    refusals: int, told: list[str], monkeypatch: pytest.MonkeyPatch
):
    asked: list[str] = []

    def compare(gateway: str) -> Found:
        asked.append(gateway)
        if len(asked) <= refusals:
            raise GatewayError("429")
        return Found(differences=["they differ"])

    monkeypatch.setattr(command.reconcile, "compare", compare)
    monkeypatch.setattr(command.time, "sleep", lambda seconds: None)
    assert command._differences("stripe") == told
    assert len(asked) == min(refusals + 1, command.BOOK_TURNS)


@pytest.mark.django_db
def test_money_that_is_not_where_it_belongs_is_told():
    orders = [making.draft() for _ in range(2)]
    placed = {order.code: OrderState.DELIVERED for order in orders}
    Order.objects.filter(pk=orders[0].pk).update(state=OrderState.DELIVERED, amount=1900)
    Payment.objects.create(order=orders[0], key="a", gateway="sandbox", amount=1900, currency="EUR", captured=1900)
    assert people.wrong_money(placed, money=False) == []
    # With money in the play half of the first one's price goes back.
    assert people.wrong_money(placed, money=True) == [f"{orders[0]}: taken 1900, given back 0; due are 1900 and 950"]


def test_a_request_without_a_key_of_its_own_meets_new_dice_each_time():
    world = World(seed=4)
    world.switch("elevenlabs.busy", 0.5)
    assert len({world.falls("elevenlabs.busy") for _ in range(20)}) == 2
    assert len({world.falls("elevenlabs.busy", "a key") for _ in range(20)}) == 1
