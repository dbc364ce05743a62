"""Landed takes are looked at before they are used: for one of no use another is asked for. In simulated time."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import pytest

from benchmarks.filming import Studio, film
from orders.models import ConsentKind
from pipeline import invariants, jobs, looking
from pipeline.media import takecheck
from pipeline.media.limits import Finding
from pipeline.models import Call, CallState, Event, Take, TakeState
from pipeline.providers.video_models import DEFAULT_MODELS
from videogen import demo

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

FIRST, FAST = DEFAULT_MODELS
GUEST = {"code": "take_people", "severity": "fail", "sentence": "More people.", "second": 1.0, "figure": 0.5}
DIM = GUEST | {"severity": "warn"}


@pytest.fixture(autouse=True)
def creators(settings: Any) -> None:
    demo.seed()
    settings.DAY_BUDGET = settings.ORDER_BUDGET = 10**9


@pytest.fixture
def sees(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Have a look find this in the takes of these names."""

    def set_(*of_no_use: str) -> None:
        monkeypatch.setattr(looking, "_look", lambda call: [GUEST] if call.name in of_no_use else [DIM])

    return set_


def shoot(first: float = 30, fast: float = 20, shots: int = 1) -> Any:
    """Shots by a vendor whose models take so many seconds."""
    return film(Studio({FIRST.slug: lambda dice: first, FAST.slug: lambda dice: fast}), 1, shots=shots)


def takes() -> list[tuple[str, str, bool]]:
    return [(take.call.name, take.state, take.selected) for take in Take.objects.order_by("number")]


def test_a_take_of_use_is_used_whatever_else_was_noticed(sees):
    sees()
    [shot] = shoot()
    assert takes() == [("take-1", TakeState.READY, True)]
    assert shot.seconds == 30, "the look takes no time here, and its bell is heard at once"
    assert shots_of("take-1").result["seen"] == [DIM]


def test_for_a_take_of_no_use_the_next_model_is_asked_at_once(sees):
    sees("take-1")
    [shot] = shoot()
    assert takes() == [("take-1", TakeState.REFUSED, False), ("take-2", TakeState.READY, True)]
    assert Take.objects.get(selected=True).call.model == FAST.slug
    assert (shot.seconds, shot.paid) == (50, 2)
    [event] = Event.objects.filter(name="take.refused")
    assert event.data == {"take": "take-1", "faults": [GUEST]}
    assert not [line for line in invariants.broken() if line.startswith(("I3", "I5", "I10 shot"))]


def test_after_the_second_take_of_no_use_the_photo_stands_in(sees):
    sees("take-1", "take-2", "take-3")
    [shot] = shoot()
    assert [state for _, state, _ in takes()] == [TakeState.REFUSED, TakeState.REFUSED, TakeState.READY]
    assert (shot.local, shot.paid) == (True, 2)
    assert Event.objects.filter(name="take.refused").count() == 2


def test_where_there_is_one_model_it_is_asked_once_more(sees, settings):
    settings.VIDEO_MODELS = json.dumps([asdict(FIRST)])
    sees("take-1")
    [shot] = shoot()
    assert Take.objects.get(selected=True).call.model == FIRST.slug
    assert (shot.local, shot.paid) == (False, 2)


def test_negative_control_where_there_is_one_model_a_good_take_is_all_that_is_bought(sees, settings):
    settings.VIDEO_MODELS = json.dumps([asdict(FIRST)])
    sees("take-2")
    [shot] = shoot(first=FIRST.hedge_after + 30)
    assert (shot.local, shot.paid) == (False, 1)


def test_of_two_that_landed_the_one_of_use_is_used(sees):
    sees("take-1")
    at = FIRST.hedge_after + 20
    shoot(first=at, fast=20)
    assert sorted(takes()) == [("take-1", TakeState.REFUSED, False), ("take-2", TakeState.READY, True)]


def test_where_nobody_comes_to_look_the_take_is_used_unseen(sees, monkeypatch):
    sees("take-1")
    monkeypatch.setitem(jobs.JOBS, "look_at_take", lambda pk: None)
    [shot] = shoot()
    assert takes() == [("take-1", TakeState.READY, True)]
    assert looking.LOOKED < shot.seconds - 30 < looking.LOOKED + 15
    assert "seen" not in shots_of("take-1").result


def test_what_a_look_finds_is_kept_with_the_call_and_it_looks_once(monkeypatch):
    asked = []

    def check(clip, photo, shape, known, interest, folder, *, alike):
        asked.append((clip.read_bytes(), photo.read_bytes(), shape))
        assert not alike, "nobody agreed"
        return (Finding("take_start", "fail", "Not the photo.", 0.0, 0.6),) if len(asked) == 1 else ()

    monkeypatch.setattr(takecheck, "check", check)
    shoot()
    first, second = shots_of("take-1"), shots_of("take-2")
    told = {"code": "take_start", "severity": "fail", "sentence": "Not the photo.", "second": 0.0, "figure": 0.6}
    assert (first.result["seen"], second.result["seen"]) == ([told], [])
    assert (first.state, looking.faults(first)) == (CallState.SUCCEEDED, [told])
    for call in (first, second, first):
        jobs.look_at_take(call.pk)
    assert asked == [(b"a clip", b"photo", first.step.production.order.brief.size)] * 2


def test_faces_are_compared_only_where_the_fan_agreed_to_that(monkeypatch, settings):
    """Each order's takes by its own consent; nothing but a distance ever comes of it."""
    compared = []

    def check(*args, alike, **more):
        compared.append(alike)
        return (Finding("take_person", "warn", "Another face.", 1.0, 0.65),)

    monkeypatch.setattr(takecheck, "check", check)
    shoot()
    call = shots_of("take-1")
    order = call.step.production.order
    order.consents.create(kind=ConsentKind.LIKENESS, words="agreed")
    Call.objects.filter(pk=call.pk).update(result={})
    jobs.look_at_take(call.pk)
    assert compared == [False, True]
    assert shots_of("take-1").result["seen"] == [
        {"code": "take_person", "severity": "warn", "sentence": "Another face.", "second": 1.0, "figure": 0.65}
    ]


def test_what_cannot_be_looked_at_is_left_to_the_cut():
    shoot()
    assert takes() == [("take-1", TakeState.READY, True)]
    assert shots_of("take-1").result["seen"] == []


def shots_of(name: str) -> Call:
    return Call.objects.get(name=name)
