"""What moderation flags on the board: who is sent what, what ends a making, what a creator looks at, who stands in."""

from __future__ import annotations

import importlib
import io
import json
from base64 import b64decode
from collections import deque
from collections.abc import Iterator
from typing import Any

import pytest
from django.apps import apps
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import override_settings
from django.urls import reverse
from django.utils import timezone
from PIL import Image

from accounts.models import ApprovalMode
from billing import services as billing
from orders import services as orders
from orders.consents import REQUIRED
from orders.models import ConsentKind, Order, OrderState
from orders.uploads import gate
from pipeline import engine, invariants, jobs, judging, queue, roster, services, wording
from pipeline.engine import DONE
from pipeline.models import Call, Concern, Cut, Production, Review, ReviewState, Step, StepState
from pipeline.providers import local_writer
from pipeline.stages import script, shot
from sandbox import openai as pretended
from sandbox.server import Sandbox, running

from . import making
from .samples import make_photo

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

Bells = deque[tuple[str, int]]
STORY = "She dreamed of space as a girl and drinks too much coffee."


@pytest.fixture(scope="module")
def server() -> Iterator[Sandbox]:
    with running({"openai": pretended.openai}, speed=1000) as made:
        yield made


@pytest.fixture
def sandbox(server: Sandbox, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """OpenAI writes and moderates; nothing is waited for."""
    settings.OPENAI_API_KEY, settings.OPENAI_BASE_URL = "sandbox", f"{server.at('openai')}/v1"
    monkeypatch.setattr(engine, "BACKOFF", (0,))
    server.world.journal.clear()
    yield server
    server.world.rules.clear()
    server.world.left.clear()


@pytest.fixture(autouse=True)
def stages(monkeypatch: pytest.MonkeyPatch) -> None:
    """The stages that draw and encode do next to nothing; the others are the real ones."""
    real = engine.stage_of

    def cut(work: Any) -> Any:
        name = default_storage.save(f"films/{work.order.code}/1/film.mp4", ContentFile(b"film"))
        Cut.objects.create(
            production=work.production, file=name, width=1, height=1, fps=30, seconds=1, verdict="pass",
            sha256="2e7a6e5a7e2c0fb4bd3f2e2d2f5a9d2e9ef5ec4a33a86a9a8b8ce6d14ff8a5e4",
        )  # fmt: skip
        return DONE

    fake = dict.fromkeys(("narration", "shot", "first_look", "conform", "qc"), lambda work: DONE) | {"cut": cut}
    monkeypatch.setattr(engine, "stage_of", lambda key: fake.get(key) or real(key))


def draft(**told: Any) -> Order:
    order = making.draft()
    if words := {name: told[name] for name in ("notes", "must_say") if name in told}:
        orders.tell_story(order=order, **words)
    if names := {name: told[name] for name in ("name", "said_as", "sender") if name in told}:
        orders.describe(order=order, **names)
    orders.agree(order=order, kinds=REQUIRED)
    order.refresh_from_db()
    return order


def make(order: Order, bells: Bells) -> Production:
    """Pay, and see it made."""
    pay(order)
    return see(order, bells)


def pay(order: Order) -> None:
    """Agree to what is asked now, and pay."""
    orders.agree(order=order, kinds={*REQUIRED, *order.consents.values_list("kind", flat=True)})
    billing.pay(payment=billing.begin_payment(order=order), card="good")


def see(order: Order, bells: Bells) -> Production:
    """Let every bell ring and every alarm go off until nothing moves any more."""
    for _turn in range(30):
        queue.drain(bells, jobs.JOBS)
        Call.objects.filter(look_at__isnull=False).update(look_at=timezone.now())
        if not Step.objects.filter(state=StepState.WAITING).exclude(stage="review").update(not_before=timezone.now()):
            break
        engine.sweep()
    order.refresh_from_db()
    return Production.objects.get(order=order)


def paint(order: Order, number: int, colour: str) -> None:
    """The thumbnail of the photo that the fan knows by this number."""
    photo = order.photos.order_by("place")[number - 1]
    out = io.BytesIO()
    Image.new("RGB", (360, 480), colour).save(out, "JPEG")
    name = default_storage.save(f"orders/{order.code}/photos/painted.jpg", ContentFile(out.getvalue()))
    default_storage.delete(photo.thumb)
    type(photo).objects.filter(pk=photo.pk).update(thumb=name)


def sent(sandbox: Sandbox, path: str = "") -> list[Any]:
    return [json.loads(one.body) for one in sandbox.world.asked("openai", f"/v1/{path}", "POST")]


def concerns(production: Production) -> list[tuple[str, int, str, bool]]:
    return [(str(one.what), one.number, one.category, one.ends) for one in production.concerns.all()]


def events(production: Production) -> list[str]:
    return [*production.events.values_list("name", flat=True)]


# --- what is sent, and when -------------------------------------------------------------------------------------------


def test_words_and_photos_are_judged_before_anybody_writes_and_the_script_after(bells, sandbox):
    order = draft(must_say=["See you on Friday."], sender="Your crew")
    production = make(order, bells)
    asked_for = [one.path.removeprefix("/v1/") for one in sandbox.world.asked("openai")]
    assert asked_for == ["moderations"] * 6 + ["responses", "moderations"]
    words, *photos, written = sent(sandbox, "moderations")
    assert words["input"] == [STORY, "See you on Friday.", "Eileen", "Your crew"]
    assert [photo["input"][0]["type"] for photo in photos] == ["image_url"] * 5
    assert written["input"][0] == production.script.title
    scenes = [*production.script.scenes.all()]
    assert written["input"][1:] == [*(scene.text for scene in scenes), *(scene.idea for scene in scenes)]
    assert (order.state, concerns(production)) == (OrderState.DELIVERED, [])
    assert Review.objects.get().automatic


def test_each_judgement_is_a_call_that_is_kept_and_asked_once(bells, sandbox):
    production = make(draft(), bells)
    calls = Call.objects.filter(step__production=production, job="moderator")
    assert [call.name for call in calls.order_by("pk")] == ["words", "photos", "judge"]
    assert {(call.provider, call.state, call.cost) for call in calls} == {("openai-moderation", "succeeded", 0)}
    before = len(sent(sandbox))
    step = Step.objects.get(production=production, stage="moderation")
    Production.objects.filter(pk=production.pk).update(state="running")
    Step.objects.filter(pk=step.pk).update(state=StepState.READY, not_before=timezone.now())
    engine.run_step(step.pk)
    step.refresh_from_db()
    assert (step.state, len(sent(sandbox))) == (StepState.DONE, before), "it ran again, and asked nobody again"


def test_what_leaves_us_is_small_bare_and_in_no_row(bells, sandbox, settings, tmp_path):
    settings.OPENAI_VISION = True
    order = making.draft(photos=0)
    for number in range(5):
        path = make_photo(tmp_path / f"{number}.jpg", number, (1600, 2400), taken="2024:06:01 10:00:00", place=True)
        assert Image.open(path).getexif()
        upload = SimpleUploadedFile(path.name, path.read_bytes(), "image/jpeg")
        orders.add_photo(order=order, upload=gate(upload))
    orders.agree(order=order, kinds=ConsentKind.values)
    make(order, bells)
    pictures = [body["input"][0]["image_url"]["url"] for body in sent(sandbox, "moderations")[1:6]]
    (told,) = (body["input"][1]["content"] for body in sent(sandbox, "responses"))
    looked = [part["image_url"] for part in told if part["type"] == "input_image"]
    assert sorted(looked) == sorted(pictures)
    assert len({*looked}) == 5
    for url in pictures:
        image = Image.open(io.BytesIO(b64decode(url.partition(",")[2])))
        assert (image.format, max(image.size) <= 512, dict(image.getexif())) == ("JPEG", True, {})
    kept = json.dumps([*Call.objects.values_list("request", "prepared", "result")])
    assert "/9j/" not in kept
    assert "base64" not in kept


def test_photos_stay_here_where_the_site_says_so(bells, sandbox, settings):
    settings.OPENAI_MODERATION_PHOTOS = False
    make(draft(), bells)
    assert "image_url" not in json.dumps(sent(sandbox))
    assert len(sent(sandbox, "moderations")) == 2


def test_without_a_key_nobody_is_asked_and_our_own_rules_hold(bells):
    production = make(draft(sender="I will kill you"), bells)
    assert (production.failed_stage, concerns(production)) == ("moderation", [("name", 3, "refuse", True)])
    assert "hateful or threatening words in a name" in production.order.ending
    assert not Call.objects.exists()
    assert make(draft(), bells).state == "done"


# --- what ends a making -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("told", "where", "concern"),
    [
        ({"notes": f"{STORY} She was flagged as sexual/minors."}, "your story", ("notes", 0)),
        ({"must_say": ["Hello there.", "Be flagged as sexual/minors."]}, "a line that must be said", ("line", 2)),
        ({"sender": "flagged as sexual/minors"}, "a name", ("name", 3)),
    ],
)
def test_words_no_film_may_be_made_with_end_it_before_anybody_else_hears_them(bells, sandbox, told, where, concern):
    order = draft()
    # The wizard takes no stroke in a name; whatever came in otherwise is judged all the same.
    type(order.brief).objects.filter(pk=order.brief.pk).update(**told)
    order.refresh_from_db()
    production = make(order, bells)
    assert (order.state, production.failed_stage) == (OrderState.FAILED, "moderation")
    assert f"our automatic check sees sexual content in {where}." in order.ending
    assert concerns(production) == [(*concern, "sexual/minors", True)]
    assert production.concerns.get().score > 0.9
    assert order.payments.get().state == "cancelled"
    assert [len(sent(sandbox, path)) for path in ("moderations", "responses")] == [1, 0], "no photo, no script"
    assert invariants.broken() == []


def test_photos_no_film_may_be_made_with_are_named_and_left_out_when_begun_again(bells, sandbox):
    order = draft()
    for number in (2, 5):
        paint(order, number, "magenta")
    production = make(order, bells)
    assert (order.state, production.failed_stage) == (OrderState.FAILED, "moderation")
    assert "sexual content in photo 2 (“1.jpg”) and 5 (“4.jpg”)" in order.ending
    assert concerns(production) == [("photo", 2, "sexual", True), ("photo", 5, "sexual", True)]
    assert order.payments.get().state == "cancelled"
    assert sent(sandbox, "responses") == []
    again = orders.begin_again(ended=order, fan=order.fan)
    assert [photo.label for photo in again.photos.order_by("place")] == ["0.jpg", "2.jpg", "3.jpg"]
    assert invariants.broken() == []


def test_an_end_that_a_crash_cut_short_is_come_to_again(bells, sandbox):
    order = draft()
    paint(order, 2, "magenta")
    production = make(order, bells)
    step = Step.objects.get(production=production, stage="moderation")
    said, error = order.ending, step.error
    # The worker died after it had refused the photo, before the board knew.
    Production.objects.filter(pk=production.pk).update(state="running")
    Order.objects.filter(pk=order.pk).update(state=OrderState.PLACED, ending="")
    Step.objects.filter(pk=step.pk).update(state=StepState.READY, not_before=timezone.now(), error="")
    engine.run_step(step.pk)
    step.refresh_from_db()
    order.refresh_from_db()
    assert (step.state, step.error, order.ending) == (StepState.FAILED, error, said)
    assert concerns(production) == [("photo", 2, "sexual", True)]


def test_staff_see_categories_and_scores_and_the_fan_sees_what_happened(bells, sandbox, client):
    order = draft()
    paint(order, 1, "magenta")
    production = make(order, bells)
    client.force_login(order.fan)
    page = client.get(reverse("pipeline:order", args=[order.code])).content.decode()
    assert "our automatic check sees sexual content in photo 1 (“0.jpg”)" in page
    assert "Nothing was charged" in page
    client.force_login(making.User.objects.get(email="staff@videogen.invalid"))
    desk = client.get(reverse("admin:pipeline_production_change", args=[production.pk])).content.decode()
    assert "0.93" in desk
    assert "omni-moderation-latest" in desk


# --- what a creator looks at ------------------------------------------------------------------------------------------


def test_a_memoir_that_speaks_of_violence_is_looked_at_and_then_delivered(bells, sandbox, client):
    order = draft(notes=f"{STORY} He came home, flagged as violence by nobody.")
    assert order.creator.approval == ApprovalMode.AUTOMATIC
    paint(order, 3, "red")
    production = make(order, bells)
    review = Review.objects.get()
    assert (review.state, review.automatic) == (ReviewState.WAITING, False)
    assert concerns(production)[:2] == [("notes", 0, "violence", False), ("photo", 3, "violence/graphic", False)]
    client.force_login(making.User.objects.get(email="staff@videogen.invalid"))
    page = client.get(reverse("admin:pipeline_review_change", args=[review.pk])).content.decode()
    assert "Please look closely" in page
    assert "photo 3: violence/graphic, 93% (omni-moderation-latest)" in page
    services.decide(review=review, approve=True, by=None, sha256=review.sha256)
    queue.drain(bells, jobs.JOBS)
    order.refresh_from_db()
    assert order.state == OrderState.DELIVERED


def test_an_automatic_approval_of_what_gave_pause_breaks_an_invariant(bells, sandbox):
    production = make(draft(), bells)
    sentence = f"I6 order {production.order} was delivered without a look at what moderation had flagged"
    assert sentence not in invariants.broken()
    Concern.objects.create(production=production, what="notes", category="violence", score=0.5, source="x")
    assert sentence in invariants.broken()


# --- the script, whoever wrote it -------------------------------------------------------------------------------------


def flag_titles(monkeypatch: pytest.MonkeyPatch, order: Order, category: str, times: int) -> None:
    """Moderation flags the script's title so many times; both writers of the sandbox give it the same one."""
    title, left = local_writer.write(wording.request_for(order)).title, [times]

    def judged(text: str) -> str:
        if text != title or not left[0]:
            return ""
        left[0] -= 1
        return category

    monkeypatch.setattr(pretended, "_category", judged)


def test_a_vendors_script_that_may_not_be_said_gives_way_to_the_local_writers(bells, sandbox, monkeypatch):
    order = draft()
    flag_titles(monkeypatch, order, "sexual", 1)
    production = make(order, bells)
    assert (order.state, production.script.call.provider) == (OrderState.DELIVERED, "local-writer")
    assert events(production).count("writer.stood_in") == 1
    assert concerns(production) == [], "what was not used gives no pause"


def test_what_a_vendor_wants_filmed_is_judged_like_what_is_said(bells, sandbox, monkeypatch):
    asked_for = local_writer.write(wording.request_for(draft())).scenes[0].idea
    monkeypatch.setattr(pretended, "_category", lambda text: "violence" if text == asked_for else "")
    production = make(draft(), bells)
    assert production.script.call.provider == "openai-writer"
    numbers = [scene.number for scene in production.script.scenes.all() if scene.idea == asked_for]
    assert numbers
    assert concerns(production) == [("script", number, "violence", False) for number in numbers]


def test_the_local_writers_script_is_judged_as_well_and_may_end_it(bells, sandbox, monkeypatch):
    order = draft()
    flag_titles(monkeypatch, order, "sexual", 2)
    production = make(order, bells)
    assert (order.state, production.failed_stage) == (OrderState.FAILED, "script")
    assert order.ending == "We could not turn your notes into a story."


def test_a_script_that_gives_pause_is_used_and_looked_at(bells, sandbox, monkeypatch, settings):
    settings.WRITER = "local"
    order = draft()
    flag_titles(monkeypatch, order, "harassment", 1)
    production = make(order, bells)
    assert concerns(production) == [("script", 0, "harassment", False)]
    assert Review.objects.get().state == ReviewState.WAITING


# --- a vendor who is away ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", ["down", "quota", "bad_key", "busy", "silent", "page", "bad_request", "policy"])
def test_no_trouble_of_the_vendor_stops_a_film(bells, sandbox, monkeypatch, fault):
    monkeypatch.setattr(judging, "PATIENCE", 0.0)
    monkeypatch.setattr(script, "PATIENCE", 0.0)
    sandbox.world.switch(f"openai.{fault}", 1.0)
    order = draft()
    production = make(order, bells)
    assert (order.state, production.script.call.provider) == (OrderState.DELIVERED, "local-writer")
    assert events(production).count("moderation.stood_in") == 1
    assert concerns(production) == []


def test_our_own_rules_still_hold_while_the_vendor_is_away(bells, sandbox, monkeypatch):
    sandbox.world.switch("openai.down", 1.0)
    production = make(draft(notes=f"{STORY} I will kill you."), bells)
    assert (production.failed_stage, production.order.state) == ("moderation", OrderState.FAILED)
    assert "hateful or threatening words in your story" in production.order.ending


def test_a_vendor_who_is_busy_for_a_moment_is_waited_for(bells, sandbox):
    sandbox.world.switch("openai.busy", 1, times=True)
    production = make(draft(notes=f"{STORY} He was flagged as violence."), bells)
    assert ("notes", 0, "violence", False) in concerns(production)
    assert "moderation.stood_in" not in events(production)


# --- the writer's eyes ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("setting", "agrees", "sees"), [(True, True, True), (True, False, False), (False, True, False)]
)
def test_the_writer_sees_photos_only_where_the_site_offers_it_and_the_fan_agrees(
    bells, sandbox, settings, setting, agrees, sees
):
    settings.OPENAI_VISION = True
    order = draft()
    orders.agree(order=order, kinds=[*REQUIRED, *([ConsentKind.LOOK] if agrees else [])])
    settings.OPENAI_VISION = setting
    make(order, bells)
    (body,) = sent(sandbox, "responses")
    assert ("input_image" in json.dumps(body)) is sees
    assert order.state == OrderState.DELIVERED
    assert [s for s in invariants.broken() if "consents" in s] == [], "an order needs no consent that is optional"


def test_an_order_needs_the_consents_that_are_not_optional(bells, sandbox):
    production = make(draft(), bells)
    assert not [s for s in invariants.broken() if "consents" in s]
    production.order.consents.filter(kind=ConsentKind.AI_VOICE).delete()
    assert [s for s in invariants.broken() if "consents" in s]


# --- upgrading --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("done", "state"), [((), "blocked"), (("photos",), "done")])
def test_films_that_are_being_made_get_the_new_step(done, state):
    order = making.draft()
    Order.objects.filter(pk=order.pk).update(state=OrderState.PLACED)
    production = services.start(order=order)
    Step.objects.filter(production=production, stage="moderation").delete()
    Step.objects.filter(production=production, stage__in=done).update(state=StepState.DONE)
    Step.objects.filter(production=production, stage="script").update(state="ready" if done else "blocked")
    migration = importlib.import_module("pipeline.migrations.0003_words")
    migration.put_moderation_on_the_board(apps, None)
    assert Step.objects.get(production=production, stage="moderation").state == state
    migration.take_it_off_again(apps, None)
    assert not Step.objects.filter(stage="moderation").exists()


# --- an order from before the vendors ---------------------------------------------------------------------------------


@pytest.mark.parametrize("agrees", [True, False])
def test_no_photo_goes_to_a_vendor_who_was_set_up_after_the_fan_had_paid(bells, sandbox, settings, monkeypatch, agrees):
    settings.HIGGSFIELD_KEY = "id:secret"
    filmed: list[str] = []
    monkeypatch.setattr(roster, "ladder", lambda order, seconds, scenes: filmed.append(order.code) or [])
    fake = engine.stage_of
    monkeypatch.setattr(engine, "stage_of", lambda key: shot.run if key == "shot" else fake(key))
    order = making.draft()
    with override_settings(**({} if agrees else {"HIGGSFIELD_KEY": "", "OPENAI_API_KEY": ""})):
        pay(order)
    production = see(order, bells)
    assert order.state == OrderState.DELIVERED, production.error
    assert bool(filmed) == agrees
    photos = [body for body in sent(sandbox, "moderations") if isinstance(body["input"][0], dict)]
    assert bool(photos) == agrees
