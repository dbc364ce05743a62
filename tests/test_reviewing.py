"""The review's verbs: every reason does something, one decision counts, it can be taken back for ten seconds."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.core import mail
from django.utils import timezone

from accounts.models import ApprovalMode, Creator, User, VoiceLicence
from orders.models import Order, OrderState
from pipeline import engine, invariants, progress, rerun, reviewing, services, sweeping
from pipeline.models import (
    Call,
    Delivery,
    Escalation,
    Event,
    Narration,
    Production,
    ProductionState,
    Review,
    ReviewState,
    Step,
)
from pipeline.reviewing import StaleReview, Taken, TooLate
from pipeline.stages import review as stage

from . import films, making
from .board import Died

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def review(bells, monkeypatch) -> Review:
    return films.waiting(bells, monkeypatch)


@pytest.fixture
def ten_seconds(settings):
    settings.REVIEW_UNDO_SECONDS = 10


def ask(review: Review, code: str, **more) -> Production:
    return reviewing.request_change(review=review, by=review.creator.user, sha256=review.sha256, code=code, **more)


def approve(review: Review, by=None) -> None:
    services.decide(review=review, approve=True, by=by or review.creator.user, sha256=review.sha256)


def finish(bells, made: Production) -> None:
    films.drain(bells)
    following = Review.objects.get(cut__production=made)
    assert following.state == ReviewState.WAITING, "whoever asked for the change looks at what came of it"
    services.decide(review=following, approve=True, by=None, sha256=following.sha256)
    films.drain(bells)
    order = made.order
    order.refresh_from_db()
    assert (order.state, order.payments.get().state) == (OrderState.DELIVERED, "captured")
    assert Delivery.objects.get().cut.production == made
    assert invariants.broken() == []


# --- each reason ------------------------------------------------------------------------------------------------------


def test_a_wrong_face_is_filmed_again_with_less_motion_from_another_photo(bells, review):
    first = review.cut.production
    made = ask(review, "face", scenes=[2])
    assert (made.based_on, made.asked_by) == (first, review.creator.user)
    first.refresh_from_db()
    assert first.state == ProductionState.REPLACED
    finish(bells, made)
    [call] = Call.objects.filter(step__production=made)
    assert (call.step.stage, call.step.item, call.request["calm"]) == ("shot", 2, True)
    assert made.script.scenes.get(number=2).photo != first.script.scenes.get(number=2).photo


def test_a_mispronounced_name_is_read_again_wherever_it_is_said_and_nowhere_else(bells, review):
    first = review.cut.production
    saying = {scene.number for scene in first.script.scenes.all() if "Eileen" in scene.text}
    assert 0 < len(saying) < 5
    made = ask(review, "name", respelling="EYE-leen")
    finish(bells, made)
    asked = Call.objects.filter(step__production=made)
    assert {(call.step.stage, call.step.item) for call in asked} == {("narration", number) for number in saying}
    assert all(call.request["said_as"] == {"Eileen": "EYE-leen"} for call in asked)
    old, new = (set(Narration.objects.filter(scene__script__production=p).values_list("audio")) for p in (first, made))
    assert len(old & new) == 5 - len(saying)


def test_another_word_can_be_respelled_too(bells, review):
    word = review.cut.production.script.scenes.get(number=2).text.split()[-1].strip(".,!?")
    made = ask(review, "name", respelling=f"{word}=KO-fee")
    assert made.wishes["said_as"] == {word: "KO-fee"}
    with pytest.raises(rerun.CannotRerun, match="No line says"):
        reviewing.plan_change(review=review, code="name", respelling="Zebedee=ZEB")


def test_a_wrong_tone_is_written_again_with_the_note(bells, review):
    first = review.cut.production
    made = ask(review, "tone", note="Funnier, please.")
    finish(bells, made)
    call = Call.objects.get(step__production=made, step__stage="script")
    assert call.request["note"] == "Funnier, please."
    texts = [list(p.script.scenes.order_by("number").values_list("text", flat=True)) for p in (first, made)]
    assert texts[0] != texts[1]
    assert films.calls_by_stage(made) == {"script": 1, "narration": 5, "shot": 5}


def test_a_caption_in_the_way_costs_a_cut_and_nothing_else(bells, review):
    made = ask(review, "caption", scenes=[1])
    finish(bells, made)
    assert films.calls_by_stage(made) == {}
    assert made.wishes["captions"] == [1]
    assert Step.objects.get(production=made, stage="cut").attempts == 1


def test_what_must_not_go_out_is_refused_the_hold_released_and_staff_are_called(bells, review, settings):
    settings.STAFF_MAIL = ["staff@films.example"]
    order = review.cut.production.order
    assert ask(review, "unsafe", note="It names a stranger's child.") == review.cut.production
    films.drain(bells)
    order.refresh_from_db()
    assert (order.state, order.payments.get().state) == (OrderState.REFUSED, "cancelled")
    assert order.escalations.get().kind == "unsafe"
    [sent] = [one for one in mail.outbox if one.to == ["staff@films.example"]]
    assert order.code in sent.subject
    with pytest.raises(rerun.CannotRerun, match="must not go out"):
        rerun.plan(order=order, change=rerun.Change("cut"))
    assert invariants.broken() == []


@pytest.mark.parametrize(
    ("code", "more", "sentence"),
    [
        ("face", {}, "Say which shot"),
        ("face", {"scenes": [99]}, "no scene 99"),
        ("name", {}, "as it is said"),
        ("tone", {"note": " "}, "how it should sound"),
        ("other", {}, "which of the others"),
        ("vibes", {}, "no such reason"),
    ],
)
def test_a_reason_that_lacks_something_says_so_and_decides_nothing(review, code, more, sentence):
    with pytest.raises(rerun.CannotRerun, match=sentence):
        ask(review, code, **more)
    review.refresh_from_db()
    assert review.state == ReviewState.WAITING
    assert Production.objects.get().state == ProductionState.RUNNING


def test_the_creator_sees_what_it_will_cost_first(review):
    planned = reviewing.plan_change(review=review, code="face", scenes=[2])
    assert [part.stage for part in planned.remade] == ["shot", "conform", "cut", "qc", "review", "delivery"]
    assert planned.price == 0
    assert reviewing.plan_change(review=review, code="unsafe") is None
    assert Production.objects.count() == 1


def test_changes_can_follow_each_other(bells, review):
    second = ask(review, "caption")
    films.drain(bells)
    third = ask(Review.objects.get(cut__production=second), "face", scenes=[1])
    assert third.wishes["captions"] == second.wishes["captions"]
    finish(bells, third)
    states = Production.objects.order_by("number").values_list("state", flat=True)
    assert list(states) == ["replaced", "replaced", "done"]


# --- one decision counts ----------------------------------------------------------------------------------------------


def test_a_decision_or_change_on_another_version_is_refused(review):
    for act in (
        lambda: services.decide(review=review, approve=True, by=None, sha256="b" * 64),
        lambda: reviewing.request_change(review=review, by=None, sha256="b" * 64, code="caption"),
    ):
        with pytest.raises(StaleReview):
            act()
    review.refresh_from_db()
    assert review.state == ReviewState.WAITING


def test_after_a_change_was_asked_for_the_old_version_cannot_be_approved(bells, review):
    ask(review, "caption")
    with pytest.raises(StaleReview):
        approve(review)
    with pytest.raises(StaleReview):
        ask(review, "caption")
    assert Production.objects.count() == 2


def test_every_decision_is_an_event_that_cannot_be_changed(bells, review, ten_seconds):
    approve(review)
    reviewing.undo(review=review, by=review.creator.user)
    ask(review, "tone", note="Warmer.")
    said = Event.objects.filter(name__startswith="review.", production=review.cut.production)
    names = list(said.order_by("number").values_list("name", flat=True))
    assert names == ["review.asked", "review.approved", "review.undone", "review.change_asked"]
    event = said.get(name="review.change_asked")
    assert event.data["code"] == "tone"
    assert event.data["by"] == str(review.creator.user)
    assert event.data["sha256"] == review.sha256
    with pytest.raises(ValueError, match="append-only"):
        event.save()


# --- taking it back ---------------------------------------------------------------------------------------------------


def test_an_approval_takes_effect_after_the_window_by_the_boards_alarm_alone(bells, review, ten_seconds):
    order = review.cut.production.order
    with time_machine.travel(timezone.now(), tick=False) as clock:
        approve(review)
        films.drain(bells)
        order.refresh_from_db()
        assert (order.state, order.payments.get().state) == (OrderState.PLACED, "authorized")
        assert progress.read(order).state == "review", "the fan is told nothing that may still change"
        clock.shift(timedelta(seconds=10.1))
        sweeping.sweep_once()  # no browser, no bell
        films.drain(bells)
    order.refresh_from_db()
    assert (order.state, order.payments.get().state) == (OrderState.DELIVERED, "captured")
    assert invariants.broken() == []


@pytest.mark.parametrize("approves", [True, False])
def test_within_the_window_a_decision_can_be_taken_back(bells, review, ten_seconds, approves):
    user = review.creator.user
    with time_machine.travel(timezone.now(), tick=False) as clock:
        services.decide(review=review, approve=approves, by=user, sha256=review.sha256, reason="hm")
        films.drain(bells)
        clock.shift(timedelta(seconds=9))
        reviewing.undo(review=review, by=user)
        clock.shift(timedelta(seconds=600))
        sweeping.sweep_once()
        films.drain(bells)
    review.refresh_from_db()
    assert (review.state, review.decided_by, review.reason) == (ReviewState.WAITING, None, "")
    order = review.cut.production.order
    order.refresh_from_db()
    assert (order.state, order.payments.get().state) == (OrderState.PLACED, "authorized")
    approve(review)


def test_a_change_takes_effect_after_the_window_and_nothing_is_made_again_before(bells, review, ten_seconds):
    first, user = review.cut.production, review.creator.user
    with time_machine.travel(timezone.now(), tick=False) as clock:
        assert ask(review, "caption") == first
        films.drain(bells)
        clock.shift(timedelta(seconds=9.9))
        sweeping.sweep_once()
        films.drain(bells)
        assert Production.objects.get().state == ProductionState.RUNNING, "nothing is made again yet"
        assert progress.read(first.order).state == "review", "the fan is told nothing that may still change"
        with pytest.raises(StaleReview):
            approve(review)
        clock.shift(timedelta(seconds=0.2))
        sweeping.sweep_once()
        films.drain(bells)
    made = Production.objects.get(based_on=first)
    assert (made.asked_by, made.wishes["captions"]) == (user, [1, 2, 3, 4, 5])
    first.refresh_from_db()
    assert first.state == ProductionState.REPLACED
    with pytest.raises(TooLate):
        reviewing.undo(review=review, by=user)
    finish(bells, made)


def test_within_the_window_a_change_can_be_taken_back_and_another_asked_for(bells, review, ten_seconds):
    user = review.creator.user
    with time_machine.travel(timezone.now(), tick=False) as clock:
        ask(review, "face", scenes=[2])
        films.drain(bells)
        clock.shift(timedelta(seconds=9))
        reviewing.undo(review=review, by=user)
        clock.shift(timedelta(seconds=600))
        sweeping.sweep_once()
        films.drain(bells)
        review.refresh_from_db()
        assert (review.state, review.decided_by, review.code, review.change) == (ReviewState.WAITING, None, "", {})
        assert Production.objects.count() == 1
        ask(review, "caption", scenes=[3])
        clock.shift(timedelta(seconds=11))
        sweeping.sweep_once()
        films.drain(bells)
    finish(bells, Production.objects.exclude(based_on=None).get())


def test_staff_do_not_make_it_again_while_a_change_can_be_taken_back(bells, review, ten_seconds):
    order = review.cut.production.order
    again = {"order": order, "change": rerun.Change("cut"), "by": None, "reason": "", "key": "staff"}
    ask(review, "face", scenes=[2])
    with pytest.raises(rerun.Busy):
        rerun.rerun(**again)
    reviewing.undo(review=review, by=review.creator.user)
    assert rerun.rerun(**again).based_on == review.cut.production, "negative control: a film that waits gives way"


def test_a_change_that_cannot_be_made_any_more_leaves_the_film_waiting_and_says_why(bells, review, ten_seconds):
    with time_machine.travel(timezone.now(), tick=False) as clock:
        ask(review, "caption")
        VoiceLicence.objects.update(revoked_at=timezone.now())
        clock.shift(timedelta(seconds=11))
        sweeping.sweep_once()
        films.drain(bells)
    review.refresh_from_db()
    assert (review.state, review.change) == (ReviewState.WAITING, {})
    assert Production.objects.count() == 1
    event = Event.objects.get(name="review.undone")
    assert event.data["by"] == "system"
    assert "licence" in event.data["reason"]


def test_after_the_window_or_by_somebody_else_it_cannot(bells, review, ten_seconds):
    with time_machine.travel(timezone.now(), tick=False) as clock:
        approve(review)
        with pytest.raises(TooLate):
            reviewing.undo(review=review, by=making.fan("somebody@films.example"))
        clock.shift(timedelta(seconds=10))
        with pytest.raises(TooLate):
            reviewing.undo(review=review, by=review.creator.user)
        films.drain(bells)
        sweeping.sweep_once()
        films.drain(bells)
    with pytest.raises(TooLate):
        reviewing.undo(review=review, by=review.creator.user)
    assert Order.objects.get().state == OrderState.DELIVERED


def test_once_the_board_has_acted_a_clock_that_goes_back_takes_nothing_back(bells, review, ten_seconds):
    now = timezone.now()
    with time_machine.travel(now, tick=False) as clock:
        approve(review)
        films.drain(bells)
        clock.shift(timedelta(seconds=11))
        sweeping.sweep_once()
        films.drain(bells)
        clock.move_to(now)
        with pytest.raises(TooLate):
            reviewing.undo(review=review, by=review.creator.user)


@pytest.mark.parametrize("point", ["review.before_effect", "review.after_effect"])
def test_a_death_at_any_boundary_of_a_change_begins_one_making(bells, review, ten_seconds, monkeypatch, point):
    died: list[str] = []

    def die(name: str, vendor: str = "") -> None:
        if name == point and not died:
            died.append(name)
            raise Died(name)

    monkeypatch.setattr(stage, "faultpoint", die)
    with time_machine.travel(timezone.now(), tick=False) as clock:
        ask(review, "caption")
        for _ in range(12):
            clock.shift(timedelta(seconds=11))
            sweeping.sweep_once()
            try:
                films.drain(bells)
            except Died:
                bells.clear()
    assert died == [point]
    states = Production.objects.order_by("number").values_list("state", flat=True)
    assert list(states) == ["replaced", "running"]
    finish(bells, Production.objects.get(number=2))


@pytest.mark.parametrize("point", ["review.before_effect", "review.after_effect", "delivery.before_finish"])
def test_a_death_at_any_boundary_of_the_effect_delivers_once(bells, review, ten_seconds, monkeypatch, point):
    from pipeline.stages import delivery

    died: list[str] = []

    def die(name: str, vendor: str = "") -> None:
        if name == point and not died:
            died.append(name)
            raise Died(name)

    for module in (stage, delivery):
        monkeypatch.setattr(module, "faultpoint", die)
    with time_machine.travel(timezone.now(), tick=False) as clock:
        approve(review)
        films.drain(bells)
        for _ in range(12):
            clock.shift(timedelta(seconds=11))
            sweeping.sweep_once()
            try:
                films.drain(bells)
            except Died:
                bells.clear()
        order = Order.objects.get()
        assert died == [point]
        assert (order.state, order.payments.get().state) == (OrderState.DELIVERED, "captured")
        assert Event.objects.filter(name="film.delivered").count() == 1
        assert invariants.broken() == []


# --- who is looking ---------------------------------------------------------------------------------------------------


def staff() -> User:
    return User.objects.get(email="staff@videogen.invalid")


def test_who_takes_a_film_has_it_for_two_minutes_and_may_let_it_go(review, settings):
    creator, other = review.creator.user, staff()
    with time_machine.travel(timezone.now(), tick=False) as clock:
        assert reviewing.claim(review=review, by=creator)
        assert not reviewing.claim(review=review, by=other)
        clock.shift(timedelta(seconds=100))
        assert reviewing.claim(review=review, by=creator), "renewed"
        clock.shift(timedelta(seconds=100))
        assert not reviewing.claim(review=review, by=other)
        with pytest.raises(Taken):
            approve(review, by=other)
        with pytest.raises(Taken):
            reviewing.request_change(review=review, by=other, sha256=review.sha256, code="caption")
        clock.shift(timedelta(seconds=21))
        assert reviewing.claim(review=review, by=other), "whoever went for lunch has lost it"
        assert not reviewing.let_go(review=review, by=creator)
        assert reviewing.let_go(review=review, by=other)
        approve(review, by=creator)
        assert not reviewing.claim(review=review, by=creator), "it does not wait any more"


# --- who is asked, and lateness ---------------------------------------------------------------------------------------


def sampled(percent: int) -> None:
    Creator.objects.filter(approval=ApprovalMode.AUTOMATIC).update(
        approval=ApprovalMode.SAMPLED, sample_percent=percent
    )


def test_of_a_sampled_creators_films_some_are_looked_at_the_same_ones_however_often(bells, monkeypatch):
    creator = Creator(sample_percent=20)
    codes = [f"C{number:04}" for number in range(2000)]
    drawn = [code for code in codes if stage.is_sampled(code, creator)]
    assert 0.16 < len(drawn) / len(codes) < 0.24
    assert drawn == [code for code in codes if stage.is_sampled(code, creator)]
    creator.sample_percent = 100
    assert all(stage.is_sampled(code, creator) for code in codes)


@pytest.mark.parametrize(("percent", "verdict", "asked"), [(100, "pass", True), (0, "pass", False), (0, "warn", True)])
def test_a_sampled_film_asks_and_what_is_not_green_always_does(bells, monkeypatch, percent, verdict, asked):
    making.creator()
    films.studio(monkeypatch, verdict=verdict)
    order = making.draft()
    Creator.objects.filter(pk=order.creator_id).update(approval=ApprovalMode.SAMPLED, sample_percent=percent)
    from billing import services as billing

    billing.pay(payment=billing.begin_payment(order=order), card="good")
    films.drain(bells)
    review = Review.objects.get()
    assert (review.state == ReviewState.WAITING) == asked
    assert review.automatic != asked


def test_a_late_review_calls_staff_once_and_the_fan_is_told_honestly(bells, review, settings):
    settings.STAFF_MAIL = ["staff@films.example"]
    order = review.cut.production.order
    assert order.promised_at is not None
    assert review.due_at == order.promised_at
    with time_machine.travel(order.promised_at + timedelta(seconds=1), tick=False) as clock:
        sweeping.sweep_once()
        films.drain(bells)
        clock.shift(timedelta(hours=1))
        sweeping.sweep_once()
        films.drain(bells)
        review.refresh_from_db()
        assert review.late_at is not None
        assert Escalation.objects.get().kind == "late"
        assert Event.objects.filter(name="review.escalated").count() == 1
        assert len([one for one in mail.outbox if one.to == ["staff@films.example"]]) == 1
        assert "You should have had it by now" in progress.read(order).detail
        approve(review)
    assert "late" not in progress.read(order).detail


def test_a_review_looks_at_its_promise_and_not_ten_minutes_after_it(bells, review):
    step = Step.objects.get(production=review.cut.production, stage="review")
    Review.objects.update(due_at=timezone.now() + timedelta(seconds=90))
    engine.ring_step(step.production, "review")
    films.drain(bells)
    step.refresh_from_db()
    assert 80 < (step.not_before - timezone.now()).total_seconds() <= 90


def test_the_range_moves_with_what_has_passed():
    from pipeline.review_pace import left

    waits = [600.0, 1200.0, 3600.0, 7200.0]
    assert left(waits, 0) == (2400.0, 7200.0)
    assert left(waits, 1800) == (3600.0, 5400.0), "of those that took longer, what was left"
    assert left(waits, 9000) is None
