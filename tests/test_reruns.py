"""A film made again from some stage on: what is kept is not paid again, the old one stays until the new is approved."""

from __future__ import annotations

import pytest
from django.utils import timezone

from accounts.models import ApprovalMode
from billing import services as billing
from billing.models import Payment, Refund, RefundSource, RefundState
from orders import services as orders
from orders.models import Order, OrderState
from pipeline import engine, invariants, progress, rerun, services
from pipeline.engine import Work
from pipeline.models import Call, Delivery, Narration, Notice, Production, ProductionState, Review, ReviewState, Step
from pipeline.rerun import Busy, CannotRerun, Change

from . import films

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def delivered(bells, monkeypatch) -> Order:
    return films.delivered(bells, monkeypatch)


def again(order: Order, stage: str, key: str = "one", **wishes) -> Production:
    return rerun.rerun(order=order, change=Change(stage, **wishes), by=None, reason="a test", key=key)


def test_one_line_again_asks_for_that_line_alone_and_keeps_the_others_by_reference(bells, delivered):
    old = Production.objects.get()
    new = again(delivered, "narration", scenes=(2,), respelling="EYE-leen")
    films.drain(bells)
    assert films.calls_by_stage(new) == {"narration": 1}
    reads = {
        made: dict(Narration.objects.filter(scene__script__production=made).values_list("scene__number", "audio"))
        for made in (old, new)
    }
    assert {number for number in reads[old] if reads[old][number] != reads[new][number]} == {2}
    assert films.PaidVoice.said[f"{new}.narration.2.1"]["said_as"] == {"Eileen": "EYE-leen"}
    assert films.asked_twice() == []


def test_one_shot_again_films_that_shot_alone_with_less_motion_from_another_photo(bells, delivered):
    old = Production.objects.get()
    new = again(delivered, "shot", scenes=(3,), calm=True, photo="another")
    films.drain(bells)
    assert films.calls_by_stage(new) == {"shot": 1}
    call = Call.objects.get(step__production=new)
    assert (call.step.item, call.request["calm"], call.request["seed"]) == (3, True, 2003)
    before, after = (made.script.scenes.get(number=3).photo for made in (old, new))
    assert before != after
    assert old.script.scenes.get(number=2).photo == new.script.scenes.get(number=2).photo


@pytest.mark.parametrize(
    ("stage", "bought"),
    [
        ("script", {"script": 1, "narration": 5, "shot": 5}),
        ("narration", {"narration": 5}),
        ("shot", {"shot": 5}),
        ("cut", {}),
        ("qc", {}),
        ("review", {}),
    ],
)
def test_what_lies_before_the_stage_is_never_bought_again(bells, delivered, stage, bought):
    new = again(delivered, stage, music="calm" if stage == "cut" else "")
    films.drain(bells)
    assert films.calls_by_stage(new) == bought
    films.approved(bells, new)
    assert Production.objects.get(pk=new.pk).state == ProductionState.DONE
    assert invariants.broken() == []


def test_the_plan_says_what_is_kept_and_what_it_costs_and_writes_nothing(delivered):
    before = Call.objects.count(), Production.objects.count(), Step.objects.count()
    planned = rerun.plan(order=delivered, change=Change("narration", scenes=(2, 4)))
    assert [str(part) for part in planned.kept] == [
        "Looking at your photos",
        "Checking words and photos",
        "Writing the story",
        "Reading it aloud: 1, 3, 5",
        "Filming each shot",
        "Fitting shots into the film: 1, 3, 5",
    ]
    assert str(planned.remade[0]) == "Reading it aloud: 2, 4"
    assert (planned.price, planned.currency) == (3, "EUR"), "two lines at 1.2 cents, rounded up"
    assert planned.fits
    assert 0 < planned.seconds <= planned.slow
    assert before == (Call.objects.count(), Production.objects.count(), Step.objects.count())


def test_the_old_film_stays_until_the_new_one_is_approved_and_the_address_stays_for_ever(bells, delivered):
    first = Delivery.objects.get().cut
    shown = progress.read(delivered)
    new = again(delivered, "shot", scenes=(1,))
    delivered.refresh_from_db()
    assert delivered.state == OrderState.DELIVERED
    during = progress.read(delivered)
    assert (during.state, during.percent, during.film.video) == ("delivered", 100, shown.film.video)
    assert "We are making a new version" in during.detail
    assert during.moves, "an open page looks again"
    films.drain(bells)
    assert Delivery.objects.get().cut == first, "it waits for its review"
    assert f"{delivered.creator.name} is looking at it" in progress.read(delivered).detail
    films.approved(bells, new)
    delivery = Delivery.objects.get()
    assert delivery.cut.production == new
    assert delivery.renewed_at is not None
    after = progress.read(delivered)
    assert after.film.video != shown.film.video
    assert after.film.key != shown.film.key == during.film.key
    assert (after.sentence, after.moves) == ("The new version of your film for Eileen is here.", False)
    assert (shown.sentence, shown.detail) == ("Your film for Eileen is ready.", "")
    assert new.events.get(name="film.renewed").data["before"] == first.sha256
    assert Notice.objects.filter(kind="renewed", production=new).count() == 1
    assert delivered.payments.get().state == "captured"
    assert invariants.broken() == []


def test_a_new_version_that_is_refused_leaves_the_old_one_and_calls_staff(bells, delivered):
    first = Delivery.objects.get().cut
    new = again(delivered, "shot", scenes=(1,))
    films.drain(bells)
    review = Review.objects.get(cut__production=new)
    services.decide(review=review, approve=False, by=None, sha256=review.sha256, reason="no")
    films.drain(bells)
    delivered.refresh_from_db()
    assert delivered.state == OrderState.DELIVERED
    assert Delivery.objects.get().cut == first
    assert delivered.escalations.get().kind == "rerun"
    assert not Notice.objects.filter(kind="attention").exists()


def test_the_same_key_gives_the_same_production_and_another_one_is_told_to_wait(bells, delivered):
    new = again(delivered, "cut", key="k1")
    assert again(delivered, "cut", key="k1") == new
    with pytest.raises(Busy):
        again(delivered, "shot", key="k2")
    films.drain(bells)
    films.approved(bells, new)
    assert again(delivered, "cut", key="k1") == new, "however late"
    assert Production.objects.count() == 2


def test_a_film_that_failed_is_made_again_from_there_and_nothing_is_charged(bells, monkeypatch):
    films.studio(monkeypatch)
    broken = [True]
    staged = engine.stage_of

    def qc(work: Work):
        if broken:
            raise engine.StageFailed("not good", fan="Sorry.")
        return staged("qc")(work)

    monkeypatch.setattr(engine, "stage_of", lambda key: qc if key == "qc" else staged(key))
    order = films.placed(bells)
    assert (order.state, order.payments.get().state) == (OrderState.FAILED, "cancelled")
    broken.clear()
    new = again(order, "qc")
    order.refresh_from_db()
    assert (order.state, order.ended_at) == (OrderState.PLACED, None)
    films.drain(bells)
    films.approved(bells, new)
    order.refresh_from_db()
    assert order.state == OrderState.DELIVERED
    assert order.payments.get().state == "cancelled", "the hold was let go: this film is on us"
    assert invariants.broken() == []


def test_money_that_is_still_held_is_let_go_before_a_failed_film_is_made_again(bells, delivered):
    Order.objects.update(state=OrderState.FAILED)
    delivered.payments.update(state="authorized")
    with pytest.raises(CannotRerun, match="held"):
        again(delivered, "cut")


def test_nothing_is_made_for_an_order_whose_money_went_back(bells, delivered):
    payment = delivered.payments.get()
    given = Refund.objects.create(
        payment=payment, key="r", source=RefundSource.STAFF, state=RefundState.DONE, amount=payment.amount - 1
    )
    Payment.objects.filter(pk=payment.pk).update(refunded=payment.amount - 1)
    new = again(delivered, "shot", scenes=(1,))
    films.drain(bells)
    Refund.objects.filter(pk=given.pk).update(amount=payment.amount)
    Payment.objects.filter(pk=payment.pk).update(refunded=payment.amount)
    films.approved(bells, new)
    new.refresh_from_db()
    assert (new.state, new.failed_stage) == (ProductionState.FAILED, "delivery")
    assert Delivery.objects.get().cut.production != new
    with pytest.raises(CannotRerun, match="given back"):
        again(delivered, "cut", key="two")


def test_nothing_is_made_for_a_draft_or_a_cancelled_order(bells, monkeypatch):
    review = films.waiting(bells, monkeypatch)
    order = review.cut.production.order
    orders.cancel(order=order)
    with pytest.raises(CannotRerun, match="cancelled"):
        again(order, "cut")
    Order.objects.update(state=OrderState.DRAFT)
    with pytest.raises(CannotRerun, match="not been paid"):
        again(order, "cut")


def test_nothing_new_is_made_once_the_licence_has_ended(bells, delivered):
    from accounts.models import VoiceLicence

    assert rerun.plan(order=delivered, change=Change("cut"))
    VoiceLicence.objects.update(revoked_at=timezone.now())
    with pytest.raises(CannotRerun, match="licence"):
        again(delivered, "cut")


def test_what_was_never_finished_cannot_be_begun_after(bells, monkeypatch):
    films.studio(monkeypatch)
    staged = engine.stage_of

    def narration(work: Work):
        raise engine.StageFailed("no voice")

    monkeypatch.setattr(engine, "stage_of", lambda key: narration if key == "narration" else staged(key))
    order = films.placed(bells)
    with pytest.raises(CannotRerun, match="never finished"):
        again(order, "cut")
    assert rerun.plan(order=order, change=Change("narration")).remade[0].stage == "narration"


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (Change("delivery"), "can be made again from"),
        (Change("script", scenes=(1,)), "Single scenes"),
        (Change("shot", scenes=(9,)), "no scene 9"),
        (Change("shot", photo="nobody's"), "no such photo"),
        (Change("cut", calm=True), "for shots"),
        (Change("shot", model="dall-e"), "no such model"),
        (Change("cut", music="polka"), "no such music"),
        (Change("cut", respelling="x"), "for lines"),
        (Change("narration", respelling="x" * 81), "shorter"),
        (Change("shot", note="x"), "for the script"),
    ],
)
def test_a_wish_that_makes_no_sense_is_answered_in_a_sentence(delivered, change, sentence):
    with pytest.raises(CannotRerun, match=sentence):
        rerun.plan(order=delivered, change=change)
    with pytest.raises(CannotRerun, match=sentence):
        rerun.rerun(order=delivered, change=change, by=None, reason="", key="k")
    assert Production.objects.count() == 1


def test_a_change_survives_being_written_down():
    change = Change("shot", scenes=(1, 3), calm=True, seed=0)
    assert Change.from_json(change.to_json()) == change
    assert Change("cut").to_json() == {"from_stage": "cut"}


def test_a_respelling_is_remembered_by_later_runs(bells, delivered):
    first = again(delivered, "narration", respelling="EYE-leen")
    films.drain(bells)
    films.approved(bells, first)
    second = again(delivered, "script", key="two", note="warmer")
    films.drain(bells)
    said = [line["said_as"] for key, line in films.PaidVoice.said.items() if key.startswith(f"{second}.")]
    assert said
    assert all(one == {"Eileen": "EYE-leen"} for one in said)


def test_a_concern_of_what_is_kept_is_kept_and_somebody_looks(bells, monkeypatch):
    films.studio(monkeypatch)
    order = films.placed(bells, approval=ApprovalMode.AUTOMATIC)
    assert order.state == OrderState.DELIVERED
    first = Production.objects.get()
    first.concerns.create(what="photo", number=1, category="violence", score=0.5, source="a test")
    new = again(order, "shot", scenes=(1,))
    films.drain(bells)
    assert new.concerns.get().category == "violence"
    assert Review.objects.get(cut__production=new).state == ReviewState.WAITING


def test_the_orders_budget_holds_over_all_its_makings(bells, delivered, settings):
    settings.ORDER_BUDGET = 7
    planned = rerun.plan(order=delivered, change=Change("narration"))
    assert (planned.price, planned.left, planned.fits) == (6, 1, False)
    new = again(delivered, "narration")
    films.drain(bells)
    new.refresh_from_db()
    assert new.state == ProductionState.FAILED
    assert billing.settle(order=delivered) is None
    assert Delivery.objects.get().cut.production != new


# --- the command, and what the parameters come to ---------------------------------------------------------------------


def test_the_command_shows_the_plan_asks_and_begins(bells, delivered, monkeypatch, capsys):
    from django.core.management import CommandError, call_command

    monkeypatch.setattr("builtins.input", lambda question: "n")
    call_command("rerun", delivered.code.lower(), "--from", "narration", "--scenes", "2", "--respelling", "EYE-leen")
    said = capsys.readouterr().out
    assert "made again:\n  Reading it aloud: 2\n" in said
    assert "at most 0.02 EUR" in said
    assert "Nothing was changed." in said
    assert Production.objects.count() == 1
    call_command("rerun", delivered.code, "--from", "cut", "--captions", "--key", "k", "--yes")
    made = Production.objects.get(based_on__isnull=False)
    assert f"Production {made} has begun." in capsys.readouterr().out
    assert made.change == {"from_stage": "cut", "captions": True}
    call_command("rerun", delivered.code, "--from", "cut", "--key", "k", "--yes")
    with pytest.raises(CommandError, match="being made right now"):
        call_command("rerun", delivered.code, "--from", "cut", "--yes")
    with pytest.raises(CommandError, match="no order"):
        call_command("rerun", "XXXX", "--from", "cut", "--yes")
    with pytest.raises(CommandError, match="takes numbers"):
        call_command("rerun", delivered.code, "--from", "cut", "--scenes", "first", "--yes")


def test_a_calm_move_is_the_same_move_with_less_of_it():
    from pipeline.media.motion import CALM, Box, choose_path

    path = choose_path((1200, 1600), (1080, 1920), [], Box(0.2, 0.2, 0.5, 0.5), seconds=4, seed=3)
    calm = path.calmer()
    assert (calm.kind, calm.start) == (path.kind, path.start)
    for axis in range(4):
        whole, less = path.end[axis] - path.start[axis], calm.end[axis] - calm.start[axis]
        assert abs(less - CALM * whole) < 1e-6


@pytest.mark.parametrize(
    ("note", "tone"),
    [
        ("Funnier, please.", "funny"),
        ("Less jokes and warmer", "warm"),
        ("not so funny", "warm"),
        ("a bit more EPIC than this", "epic"),
        ("more touching, less epic", "heartfelt"),
        ("mention the cat", ""),
        ("", ""),
    ],
)
def test_the_local_writer_hears_the_tone_in_a_note(note, tone):
    from pipeline.providers.writing.wish import tone_of

    assert tone_of(note) == tone


def test_the_vendor_is_told_the_note_beside_the_order_and_never_as_part_of_it():
    import json

    from pipeline.providers.openai_writer import _material

    from .stories import DEMO, Story

    request = Story("x", DEMO).request()
    from dataclasses import replace

    told = json.loads(_material(replace(request, note="Warmer.", telling=2)))
    assert told["wish"] == "Warmer."
    assert not {"note", "telling"} & told["order"].keys()
    assert "wish" not in json.loads(_material(request))


@pytest.mark.render
def test_a_real_film_gets_one_shot_and_one_caption_made_again_and_keeps_the_rest(tmp_path, settings):
    from django.core.files.storage import default_storage

    from pipeline import jobs, queue
    from pipeline.media.captions import usual
    from pipeline.models import Cut

    from .samples import STORY
    from .test_make_video import make

    settings.RENDER_SCALE = 0.15
    report, code = make(*STORY, out=tmp_path / "film.mp4", seconds=20, format="1:1")
    assert (code, report["delivered"]) == (0, True)
    order = Order.objects.get()
    with queue.inline() as bells:
        again(order, "shot", key="a", scenes=(2,), calm=True, photo="another")
        queue.drain(bells, jobs.JOBS)
        again(order, "cut", key="b", scenes=(2,), captions=True)
        queue.drain(bells, jobs.JOBS)
    first, second, third = Cut.objects.order_by("pk")
    assert [cut.production.state for cut in (first, second, third)] == ["done"] * 3
    assert Delivery.objects.get().cut == third
    assert len({cut.sha256 for cut in (first, second, third)}) == 3
    assert all(default_storage.exists(cut.file) for cut in (first, second, third)), "every version can be watched"
    photos = [{shot[2] for shot in cut.timeline["shots"] if shot[5] == 2} for cut in (first, second, third)]
    assert photos[0] != photos[1] == photos[2]
    start, end = third.timeline["scenes"][1]
    low = usual(tuple(third.timeline["size"]))
    moved = [box for box in third.timeline["captions"] if start <= box[0] and box[1] <= end]
    assert moved
    assert all(box[3] + box[5] <= low.y + 1 for box in moved), "above their usual place"
    assert {cut.verdict for cut in (first, second, third)} == {"pass"}
    assert invariants.broken() == []
