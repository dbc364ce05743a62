"""Late shots: a second take, then the local one, and what becomes of takes that land too late. In simulated time."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable
from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from benchmarks import crowd
from benchmarks.filming import Camera, Filmed, Studio, film, lognormal
from pipeline import calls, patience, roster
from pipeline.models import Call, CallState, Step, Take, Vendor
from pipeline.providers.base import ProviderError, silently
from pipeline.providers.video_models import DEFAULT_MODELS, VideoModel
from videogen import demo

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

FIRST, FAST = DEFAULT_MODELS
NEVER = 10.0**6


@pytest.fixture(autouse=True)
def creators(settings):
    demo.seed()
    settings.DAY_BUDGET = settings.ORDER_BUDGET = 10**9


def shoot(first: float, fast: float, *, most: float = 3600, rings: bool = True) -> list[Filmed]:
    """Two shots by a vendor whose models always take so many seconds."""
    laws = {FIRST.slug: lambda dice: first, FAST.slug: lambda dice: fast}
    return film(Studio(laws, rings=rings, poll=60), 1, shots=2, most=most)


def begun(name: str) -> Iterable[float]:
    """After how many seconds of their shots the takes of this name began."""
    for call in Call.objects.filter(name=name).select_related("step"):
        yield (call.created_at - call.step.started_at).total_seconds()


def test_shots_by_the_law_are_hedged_in_time_and_never_given_up_early(settings):
    law = Studio({FIRST.slug: lognormal(200, 400), FAST.slug: lognormal(120, 240)}, seed=10, poll=60)
    shots = film(law, 2, shots=4)
    assert len(shots) == 8
    seconds = [call.latency.total_seconds() for call in Call.objects.filter(name="take-1")]
    assert min(seconds) < FIRST.hedge_after < FIRST.local_after < max(seconds), "the seed shows all three cases"
    for start in begun("take-2"):
        assert FIRST.hedge_after <= start <= FIRST.hedge_after + settings.SWEEP_SECONDS
    for start in begun("local"):
        assert FIRST.local_after <= start <= FIRST.local_after + settings.SWEEP_SECONDS
    for call in Call.objects.filter(name="take-1"):
        late = call.latency.total_seconds() > FIRST.hedge_after + settings.SWEEP_SECONDS
        assert Call.objects.filter(step=call.step, name="take-2").exists() >= late
    assert all(shot.seconds <= FIRST.local_after + settings.SWEEP_SECONDS for shot in shots)


def test_a_page_is_never_filmed_for_it_would_come_alive_as_nonsense():
    laws = {FIRST.slug: lambda dice: 30.0, FAST.slug: lambda dice: 30.0}
    shots = film(Studio(laws), 1, shots=2, facts={"warnings": ["no_face", "page"]})
    assert [(shot.local, shot.paid) for shot in shots] == [(True, 0)] * 2


def test_a_shot_that_is_in_time_is_bought_once():
    shots = shoot(FIRST.hedge_after - 10, 1)
    assert {shot.paid for shot in shots} == {1}
    assert set(begun("take-2")) == set()


def test_the_fast_take_is_used_when_the_first_is_late_which_is_recorded_and_costed_when_it_lands():
    assert not any(shot.local for shot in shoot(500, 40))
    assert {take.call.model for take in Take.objects.filter(selected=True)} == {FAST.slug}
    late = Call.objects.filter(name="take-1")
    assert len(late) == 2
    for call in late:
        assert call.state == CallState.SUCCEEDED
        assert call.ended_at > call.step.ended_at, "it landed after another had been selected"
        assert call.cost == FIRST.cost(5) > 0
        assert call.files["video"]
    assert not Take.objects.filter(call__in=late).exists()


def test_negative_control_without_the_sweep_a_late_take_is_forgotten(monkeypatch):
    monkeypatch.setattr(calls, "sweep", lambda: 0)
    shoot(500, 40, most=900)
    assert set(Call.objects.filter(name="take-1").values_list("state", "cost")) == {(CallState.SUBMITTED, 0)}


def test_of_two_finished_takes_the_better_one_is_used():
    """Both land between two looks, and no bell is heard."""
    at = FIRST.hedge_after + 20
    shoot(at, 30, rings=False)
    both = [step for step in Step.objects.filter(stage="shot") if landed_together(step)]
    assert both, "both were there at one look"
    for step in both:
        take = Take.objects.get(call__step=step, selected=True)
        assert take.call.model == FIRST.slug


def landed_together(step: Step) -> bool:
    ends = [call.ended_at for call in step.calls.filter(name__startswith="take", state=CallState.SUCCEEDED)]
    return len(ends) == 2 and abs(ends[0] - ends[1]) < timedelta(seconds=1)


def test_where_both_are_late_the_local_take_stands_in_and_both_are_paid_for():
    shots = shoot(800, 700)
    assert {(shot.local, shot.paid) for shot in shots} == {(True, 2)}
    paid = Call.objects.filter(provider="higgsfield").values_list("state", flat=True)
    assert set(paid) == {CallState.SUCCEEDED}


def test_the_patience_is_the_models_own(settings):
    settings.VIDEO_MODELS = json.dumps(
        [dataclasses.asdict(dataclasses.replace(model, hedge_after=20, local_after=60)) for model in DEFAULT_MODELS]
    )
    shoot(800, 700)
    assert all(20 <= start <= 25 for start in begun("take-2"))
    assert all(60 <= start <= 65 for start in begun("local"))


def test_late_shots_go_to_the_fast_model_wherever_it_stands_on_the_list(settings):
    other = dataclasses.replace(FIRST, slug="maker/slow/image-to-video")
    settings.HIGGSFIELD_KEY = "id:secret"
    settings.VIDEO_MODELS = json.dumps([dataclasses.asdict(model) for model in (FIRST, other, FAST)])
    [production] = crowd.write(1)
    rungs = roster.ladder(production.order, 5, 6)
    assert [rung.provider.model for rung in rungs] == [FIRST.slug, FAST.slug, other.slug]


# --- the model's own 65th percentile ---


def history(model: VideoModel, seconds: Iterable[float]) -> None:
    """So many calls of a model, sent an hour ago; a time of None has not landed."""
    [production] = crowd.write(1)
    step = production.steps.filter(stage="shot").first()
    sent = timezone.now() - timedelta(hours=1)
    for number, took in enumerate(seconds):
        ended = None if took is None else sent + timedelta(seconds=took)
        Call.objects.create(
            step=step, key=f"h{number}", name=f"h{number}", provider="higgsfield", model=model.slug, job="video",
            request={}, sent_at=sent, ended_at=ended,
            state=CallState.SUBMITTED if ended is None else CallState.SUCCEEDED,
        )  # fmt: skip


def test_a_model_that_is_faster_here_counts_as_late_earlier():
    history(FIRST, [float(second) for second in range(1, 101)])
    assert patience.hedge_after(FIRST) == 66


def test_takes_that_have_not_landed_count_as_slow_ones():
    history(FIRST, [10.0] * 60 + [None] * 40)
    assert patience.hedge_after(FIRST) == FIRST.hedge_after


@pytest.mark.parametrize("seconds", [[NEVER] * 100, [10.0] * (patience.LEAST - 1), []])
def test_what_the_row_allows_is_the_most_and_holds_while_little_is_known(seconds):
    history(FIRST, seconds)
    assert patience.hedge_after(FIRST) == FIRST.hedge_after


def test_what_was_sent_just_now_says_nothing_yet():
    """Only its quick ones have landed."""
    history(FIRST, [10.0] * 50)
    with time_machine.travel(timezone.now() - timedelta(minutes=59)):
        assert patience.hedge_after(FIRST) == FIRST.hedge_after


# --- more shots than slots ---


def test_a_late_shot_that_still_waits_for_a_slot_is_given_to_the_fast_model_and_bought_once():
    """That it had to wait for its turn is no reason to have both models wait, and to buy from both."""
    at = FIRST.hedge_after + 5
    shots = film(Studio({FIRST.slug: lambda dice: at, FAST.slug: lambda dice: 30.0}, limit=1, poll=60), 1, shots=2)
    assert [(shot.local, shot.paid) for shot in shots] == [(False, 1), (False, 1)]
    assert max(shot.seconds for shot in shots) == at + 30
    [given_up] = Call.objects.filter(name="take-1", state=CallState.CANCELLED)
    assert (given_up.sent_at, given_up.slot_at, given_up.cost) == (None, None, 0)
    assert Take.objects.get(call__step=given_up.step).call.model == FAST.slug


def test_no_second_take_is_bought_when_the_first_has_landed():
    """The second waited for the very slot that the first gives back."""
    at = FIRST.hedge_after + 5
    [shot] = film(Studio({FIRST.slug: lambda dice: at, FAST.slug: lambda dice: 30.0}, limit=1, poll=60), 1, shots=1)
    assert (shot.local, shot.paid, shot.seconds) == (False, 1, at)
    assert set(begun("take-2")) != set(), "it was late, and the second lined up"


def test_no_take_is_bought_in_the_moment_in_which_the_local_one_stands_in():
    at = FIRST.local_after
    shots = film(Studio({FIRST.slug: lambda dice: at, FAST.slug: lambda dice: at}, limit=1, poll=60), 1, shots=2)
    assert sorted((shot.local, shot.paid) for shot in shots) == [(False, 1), (True, 0)]


# --- a vendor that is left alone ---


def test_a_moments_hiccup_costs_no_take_that_is_being_filmed(monkeypatch):
    """Five unanswered questions leave the vendor alone; the clips it is paid for are still waited for."""
    look, begun_at = Camera.look, timezone.now()

    def answered(camera, external_id, workdir, on_progress=silently):
        if timedelta(seconds=15) < timezone.now() - begun_at < timedelta(seconds=30):
            raise ProviderError("no answer", retryable=True, trouble="passing")
        return look(camera, external_id, workdir, on_progress)

    monkeypatch.setattr(Camera, "look", answered)
    shots = film(Studio({FIRST.slug: lambda dice: 60.0, FAST.slug: lambda dice: 30.0}, poll=8), 1, shots=6)
    assert breaker_opened()
    assert not [shot for shot in shots if shot.local], "the clips came, and were paid for"
    assert {shot.paid for shot in shots} == {1}


def test_a_vendor_that_is_left_alone_is_sent_nothing_and_the_local_take_stands_in_at_once():
    Vendor.objects.create(name="higgsfield", open_until=timezone.now() + timedelta(minutes=5))
    shots = shoot(60, 30)
    assert {(shot.local, shot.paid, shot.seconds) for shot in shots} == {(True, 0, 0.0)}


def test_of_a_key_that_was_revoked_no_clip_is_waited_for(monkeypatch):
    def locked(camera, external_id, workdir, on_progress=silently):
        raise ProviderError("who are you?", retryable=False, trouble="locked")

    monkeypatch.setattr(Camera, "look", locked)
    shots = film(Studio({FIRST.slug: lambda dice: 60.0}, poll=8), 1, shots=2, most=100)
    assert all(shot.local and shot.seconds <= 30 for shot in shots)


def breaker_opened() -> bool:
    return Vendor.objects.filter(name="higgsfield", changed_at__gt=timezone.now() - timedelta(hours=1)).exists()
