"""A film that does not pass is mended once, by what it failed for; after that it is for people. No pixels."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from hashlib import sha256
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils import timezone

from billing import services as billing
from orders.models import OrderState
from pipeline import asking, engine, film, invariants, jobs, mending, queue
from pipeline.engine import DONE, Work
from pipeline.line import LINE, STAGES
from pipeline.media import meters, probe
from pipeline.media.limits import LIMITS, Finding
from pipeline.media.sound import Loudness
from pipeline.media.verdict import Verdict
from pipeline.models import Call, Cut, FirstLook, Narration, Production, Scene, Script, Shot, Step, Take, TakeState
from pipeline.models.story import TakeKind
from pipeline.stages import qc

from . import making
from .samples import STORY, jpeg_bytes
from .test_make_video import make

pytestmark = pytest.mark.django_db(transaction=True)

# Two shots of the first scene, which is filmed, then two still ones: start, end, photo, filmed, faces, scene.
SHOTS = ((2.0, 5.0, True, 1), (4.5, 8.0, True, 1), (7.5, 10.0, False, 2), (9.5, 12.0, False, 3))


def film_of(item: int) -> bytes:
    return b"film %d" % item


@pytest.fixture
def studio(bells, monkeypatch) -> Callable[..., Production]:
    """Make a film whose checks find this, in turn; the last of them as often as it is checked again."""

    def make(*rounds: list[Finding], before: Callable[[Production], None] = lambda production: None) -> Production:
        order = making.draft()
        billing.pay(payment=billing.begin_payment(order=order), card="good")
        left = list(rounds)

        def script(work: Work) -> Any:
            photo = work.order.photos.first()
            with work.fence():
                script = Script.objects.create(production=work.production, title="A film")
                for number in (1, 2, 3):
                    scene = Scene.objects.create(script=script, number=number, text=f"Line {number}.", photo=photo)
                    kind = TakeKind.CLIP if number == 1 else TakeKind.STILL
                    stored = default_storage.save(f"{work.production.folder}/{number}.mp4", ContentFile(b"piece"))
                    Take.objects.create(
                        shot=Shot.objects.create(scene=scene),
                        kind=kind,
                        state=TakeState.READY,
                        file=stored if number == 1 else "",
                        plan={} if number == 1 else {"seed": number},
                        segments={f"{number}.mp4": stored},
                        selected=True,
                    )
                    for stage in (line.key for line in LINE if line.per_item):
                        Step.objects.get_or_create(production=work.production, stage=stage, item=number)
                FirstLook.objects.create(
                    production=work.production, segments={"a.m4a": "x"}, width=1, height=1, seconds=1
                )
            return DONE

        def cut(work: Work) -> Any:
            if not Cut.objects.filter(production=work.production).exists():
                before(work.production)
                shots = [[a, b, work.order.photos.first().file, filmed, [], scene] for a, b, filmed, scene in SHOTS]
                told = {"size": [9, 16], "fps": 30, "seconds": 14, "captions": [], "labels": [], "shots": shots}
                told["lines"] = [[2.0, ["one"]], [7.5, ["two"]], [9.5, ["three"]]]
                stored = default_storage.save(
                    f"{work.production.folder}/film.mp4", ContentFile(film_of(work.step.item))
                )
                with work.fence():
                    Cut.objects.create(
                        production=work.production, file=stored, sha256=sha256(film_of(work.step.item)).hexdigest(),
                        width=9, height=16, fps=30, seconds=14, timeline=told,
                    )  # fmt: skip
                    engine.ring_step(work.production, "qc")
            return DONE

        def judge(measures: Any, expected: Any) -> Verdict:
            found = left.pop(0) if len(left) > 1 else left[0]
            worst = "fail" if any(one.severity == "fail" for one in found) else "pass"
            return Verdict(worst, tuple(found))

        media = probe.Media(9, 16, 30, 30, "h264", "High", "yuv420p", probe.Color(), "aac", 48_000, 2, True, 420, 14.0)
        measured = meters.Measures(media, (), (), (), Loudness(-14, -2, 5), (), {})
        monkeypatch.setattr(qc.meters, "measure", lambda *args, **more: measured)
        monkeypatch.setattr(qc.verdict, "judge", judge)
        real = engine.stage_of
        fake = {"script": script, "cut": cut}
        fake |= dict.fromkeys(("narration", "shot", "first_look", "conform"), lambda work: DONE)
        monkeypatch.setattr(engine, "stage_of", lambda key: fake.get(key) or real(key))
        queue.drain(bells, jobs.JOBS)
        production = Production.objects.get()
        FirstLook.objects.filter(segments={"a.m4a": "x"}).update(segments={})  # it names no real file
        assert invariants.broken() == []
        return production

    return make


def fail(code: str, second: float | None = None, figure: float = 1.5) -> Finding:
    return Finding(code, "fail", f"It has {code}.", second, figure)


def seeds() -> dict[int, int | None]:
    chosen = Take.objects.filter(selected=True)
    return {take.shot.scene.number: take.plan.get("seed") for take in chosen}


def pieces() -> set[int]:
    return {take.shot.scene.number for take in Take.objects.filter(selected=True) if take.segments}


def test_a_still_shot_gets_another_move_and_the_film_is_cut_once_more(studio):
    production = studio([fail("face_cut", 7.5, 0.4)], [])
    assert production.order.state == OrderState.DELIVERED
    assert seeds() == {1: None, 2: 2 + mending.OTHER, 3: 3}
    assert pieces() == {1, 3}, "what was not at fault is not encoded again"
    [event] = production.events.filter(name="film.mended")
    told = {"code": "face_cut", "second": 7.5, "figure": 0.4, "by": "shot"}
    assert event.data == {"findings": [told], "scenes": [2], "lines": [], "sha256": sha256(film_of(0)).hexdigest()}
    assert [(step.item, step.state) for step in Step.objects.filter(stage="cut").order_by("item")] == [
        (0, "done"),
        (1, "done"),
    ]
    assert (production.cut.sha256, production.cut.verdict) == (sha256(film_of(1)).hexdigest(), "pass")
    assert production.events.filter(name="film.checked").count() == 2


def test_a_filmed_shot_gives_way_to_its_photo(studio):
    production = studio([fail("jump", 3.0)], [])
    assert production.order.state == OrderState.DELIVERED
    first, second = Take.objects.filter(shot__scene__number=1).order_by("number")
    assert (first.state, first.selected, first.kind) == (TakeState.REFUSED, False, TakeKind.CLIP)
    assert (second.state, second.selected, second.kind) == (TakeState.READY, True, TakeKind.STILL)
    assert second.provider == "local-studio"
    assert pieces() == {2, 3}


@pytest.mark.parametrize("severity", ["warn", "fail"])
def test_a_line_that_was_not_understood_is_read_again_before_anybody_is_asked(studio, severity):
    production = studio([Finding("wrong_words", severity, "Heard: “tow”.", 7.5, 0.6)], [])
    assert production.order.state == OrderState.DELIVERED
    [event] = production.events.filter(name="film.mended")
    assert (event.data["lines"], event.data["scenes"]) == ([2], [])
    assert event.data["findings"][0]["by"] == "line"
    done = production.events.filter(name="step.done", stage__in=("narration", "cut")).values_list("stage", "item")
    assert list(done)[-2:] == [("narration", 1002), ("cut", 1)], "the cut waits for the line"
    assert pieces() == {1, 2, 3}, "no picture is to blame"


def test_a_line_that_is_not_understood_twice_is_for_a_person(studio):
    heard = Finding("wrong_words", "warn", "Heard: “tow”.", 7.5, 0.4)
    production = studio([heard])
    assert production.events.filter(name="film.mended").count() == 1
    assert Step.objects.filter(stage="narration", item__gt=1000).count() == 1
    assert production.cut.findings.get().code == "wrong_words"


def test_what_lies_between_two_shots_changes_both(studio):
    studio([fail("stray", 9.7)], [])
    assert seeds() == {1: None, 2: 2 + mending.OTHER, 3: 3 + mending.OTHER}


def test_what_is_about_all_of_the_film_is_made_of_new_pieces_only(studio):
    kept = []
    studio([fail("decode")], [], before=lambda production: kept.append((pieces(), production.first_look.segments)))
    assert kept == [({1, 2, 3}, {"a.m4a": "x"}), (set(), {})]
    assert seeds() == {1: None, 2: 2, 3: 3}


def test_the_second_failure_is_for_people(studio):
    production = studio([fail("freeze", 8.0)])
    assert (production.state, production.failed_stage) == ("failed", "qc")
    assert "It has freeze" in production.error
    assert production.order.state == OrderState.FAILED
    assert production.events.filter(name="film.mended").count() == 1
    assert production.cut.findings.get().frame == 240


@pytest.mark.parametrize("found", [[fail("size")], [fail("decode"), fail("size")]])
def test_what_would_come_out_the_same_is_for_people_at_once(studio, found):
    production = studio(found, [])
    assert production.failed_stage == "qc"
    assert not production.events.filter(name="film.mended").exists()
    assert not Step.objects.filter(stage="cut", item=1).exists()


def test_a_warning_changes_nothing(studio):
    production = studio([Finding("photo", "warn", "Worth a look.", 2.0, 0.65)])
    assert not production.events.filter(name="film.mended").exists()


def test_where_the_second_cut_fails_there_is_no_film(studio):
    made = []

    def break_(production: Production) -> None:
        made.append(production)
        if len(made) > 1:
            raise engine.StageFailed("the disk is gone")

    production = studio([fail("decode")], [], before=break_)
    assert (production.state, production.failed_stage) == ("failed", "cut")


def test_quality_control_has_the_time_of_the_second_cut_as_well(studio, monkeypatch):
    waited = []

    def late(production: Production) -> None:
        step = Step.objects.get(production=production, stage="qc")
        waited.append(step.deadline_at)

    studio([fail("decode")], [], before=late)
    assert waited[1] > timezone.now() + timedelta(seconds=STAGES["cut"].deadline)


def test_every_mend_is_for_something_that_is_measured():
    streams = {"decode", "audio_codec"}
    assert set(mending.MENDS) - streams <= set(LIMITS)


def test_the_material_moves_as_its_take_says(tmp_path, monkeypatch):
    production = making.production()
    photo = production.order.photos.first()
    photo.file = default_storage.save("orders/x/photos/p.jpg", ContentFile(jpeg_bytes(1, (160, 120))))
    photo.save()
    script = Script.objects.create(production=production, title="A film")
    audio = default_storage.save("films/x/1/a.wav", ContentFile(b"audio"))
    for number, plan in ((1, {"seed": 1001}), (2, {"seed": 2}), (3, {})):
        scene = Scene.objects.create(script=script, number=number, text="Hello.", photo=photo)
        Narration.objects.create(scene=scene, audio=audio, seconds=2, words=[["Hello", 0, 1]])
        shot = Shot.objects.create(scene=scene)
        Take.objects.create(shot=shot, kind=TakeKind.STILL, plan=plan, selected=True)
    work = Work(engine.claim(Step.objects.get(production=production, stage="photos").pk), STAGES["photos"])
    assert [part.scene.seed for part in film.material(work, tmp_path)] == [1001, 2, 3]
    assert [part.scene.seed for part in film.material(work, tmp_path, stills=True)] == [1, 2, 3]


@pytest.mark.render
def test_a_real_film_is_cut_anew_where_it_failed_and_passes(tmp_path, monkeypatch, settings):
    settings.RENDER_SCALE = 0.15
    real, found, cuts = qc.verdict.judge, [], []

    def judge(measures: Any, expected: Any) -> Verdict:
        found.append(real(measures, expected))
        cuts.append(Cut.objects.get())
        shot = next(shot for shot in expected.shots if shot.scene == 2)
        wrong = fail("shake", shot.start), fail("wrong_words", expected.lines[2].start)
        return found[-1] if len(found) > 1 else Verdict("fail", wrong)

    monkeypatch.setattr(qc.verdict, "judge", judge)
    report, code = make(*STORY, out=tmp_path / "film.mp4", seconds=20, format="1:1")
    assert (code, report["delivered"]) == (0, True)
    assert {verdict.verdict for verdict in found} == {"pass"}, found
    before, after = cuts
    assert before.sha256 != after.sha256
    times = [[shot[:4] for shot in cut.timeline["shots"]] for cut in cuts]
    assert times[0][0] == times[1][0]
    assert seeds() == {number: number + mending.OTHER * (number == 2) for number in seeds()}
    paces = {call.step.item: call.request["settings"].get("pace") for call in Call.objects.filter(job="voice")}
    assert paces.pop(1003) == asking.SLOWER
    assert set(paces.values()) == {None}
    assert Narration.objects.get(scene__number=3).call.step.item == 1003
    assert invariants.broken() == []
