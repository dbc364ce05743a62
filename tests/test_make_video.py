"""The command line: one film from photos to file, exit codes, one sentence per fault, nothing left behind."""

from __future__ import annotations

import io
import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from orders.models import Order, OrderState, Photo
from pipeline import invariants
from pipeline.line import LINE
from pipeline.models import Production, Review
from videogen import making

from . import samples
from .samples import STORY

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.render]

TOLD = "She flew the shuttle. She drinks too much coffee."


def stored_files() -> list[Path]:
    return [path for path in Path(settings.MEDIA_ROOT).rglob("*") if path.is_file()]


def make(*photos: Path, story: str = TOLD, name: str = "Eileen", **options: Any) -> tuple[dict[str, Any], int]:
    """Run it with --json; its object and its exit code."""
    out = io.StringIO()
    try:
        call_command(
            "make_video", *[str(photo) for photo in photos], story=story, name=name, json=True, stdout=out, **options
        )
    except CommandError as error:
        return json.loads(out.getvalue()), error.returncode
    return json.loads(out.getvalue()), 0


@pytest.mark.render
@pytest.mark.parametrize(
    ("shape", "size", "creator"),
    [("9:16", (216, 384), "mira"), ("16:9", (384, 216), "bram"), ("1:1", (216, 216), "pip")],
)
def test_a_film_in_every_shape_and_voice(tmp_path, monkeypatch, shape, size, creator):
    monkeypatch.setattr(settings, "RENDER_SCALE", 0.2)
    film = tmp_path / "film.mp4"
    report, code = make(*STORY, out=film, format=shape, creator=creator, seconds=20, must_say=["See you at 8, 100%!"])
    assert code == 0
    assert report["delivered"]
    assert (report["film"]["width"], report["film"]["height"]) == size
    assert -15 <= report["film"]["loudness"] <= -13
    assert report["film"]["true_peak"] <= -1
    assert (report["film"]["verdict"], bool(report["film"]["title"])) == ("pass", True)
    assert report["seconds"] >= max(stage["seconds"] for stage in report["stages"]) > 0
    assert [stage["stage"] for stage in report["stages"]] == [line.key for line in LINE]
    assert [finding for finding in report["findings"] if finding["severity"] != "info"] == []
    assert sum(stage["cpu_seconds"] for stage in report["stages"]) > 0
    scenes = report["scenes"]
    assert {scene["photo"] for scene in scenes} == {path.name for path in STORY}
    assert any("See you at 8, 100%!" in scene["text"] for scene in scenes)
    starts = [scene["start"] for scene in scenes]
    assert starts == sorted(starts)
    assert all(scene["start"] < scene["end"] <= report["film"]["duration"] for scene in scenes)
    assert {shot["scene"] for shot in report["shots"]} == set(range(1, len(scenes) + 1))
    assert all(one["end"] > two["start"] for one, two in pairwise(report["shots"])), "neighbours dissolve"
    with av.open(str(film)) as opened:
        assert (opened.streams.video[0].width, opened.streams.video[0].height) == size
        assert opened.streams.audio[0].rate == 48_000
    assert invariants.broken() == []
    order = Order.objects.get(code=report["order"])
    assert order.state == OrderState.DELIVERED
    review = Review.objects.get(cut__production__order=order)
    assert review.automatic is (creator != "pip")
    # Nothing of the upload's own bytes is kept once the clean photo exists.
    assert set(Photo.objects.values_list("original", flat=True)) == {""}


FAULTS = {
    "four photos": (lambda tmp: STORY[:4], {}, "5 to 10 photos"),
    "eleven photos": (lambda tmp: samples.make_photos(tmp, 11, size=(400, 500)), {}, "5 to 10 photos"),
    "a pdf named jpg": (lambda tmp: [*STORY, samples.pdf(tmp / "holiday.jpg")], {}, "“holiday.jpg” is not a photo"),
    "an empty file": (lambda tmp: [*STORY, samples.empty(tmp / "empty.jpg")], {}, "“empty.jpg” is empty"),
    "81 megapixels": (lambda tmp: [*STORY, samples.png_9000(tmp / "huge.png")], {}, "megapixels"),
    "16 megabytes": (lambda tmp: [*STORY, samples.big(tmp / "big.jpg")], {}, "too big"),
    "the same photo twice": (lambda tmp: [*STORY, STORY[0]], {}, "is the same photo as"),
    "no such file": (lambda tmp: [*STORY[:5], tmp / "none.jpg"], {}, "cannot be read"),
    "an empty story": (lambda tmp: STORY, {"story": "  "}, "The story is empty"),
    "no story file": (lambda tmp: STORY, {"story": "@/nowhere.txt"}, "cannot be read"),
    "a long name": (lambda tmp: STORY, {"name": "E" * 200}, "--for: That is 200 characters long"),
    "a name of emoji": (lambda tmp: STORY, {"name": "🎉🎂"}, "letters"),
    "an unknown creator": (lambda tmp: STORY, {"creator": "nobody"}, "No creator is called"),
    "no folder for the film": (lambda tmp: STORY, {"out": Path("/nowhere/at/all/film.mp4")}, "There is no folder"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_bad_input_is_one_sentence_exit_2_and_nothing_left_behind(tmp_path, fault):
    photos, options, sentence = FAULTS[fault]
    report, code = make(*photos(tmp_path), **options)
    assert code == 2
    assert not report["delivered"]
    assert len(report["faults"]) == 1, report["faults"]
    assert sentence in report["faults"][0]
    assert not Order.objects.exists()
    assert stored_files() == []


@pytest.mark.render
def test_a_truncated_photo_is_found_by_the_check_and_leaves_nothing(tmp_path):
    report, code = make(*STORY[:4], samples.truncated(tmp_path / "half.jpg"))
    assert code == 2
    assert report["faults"][0].startswith("half.jpg: ")
    assert not Order.objects.exists()
    assert stored_files() == []


def test_every_fault_is_said_at_once(tmp_path):
    report, code = make(*STORY[:3], samples.empty(tmp_path / "e.jpg"), story="", name="")
    assert code == 2
    assert len(report["faults"]) == 4


@pytest.mark.render
def test_a_story_nobody_can_tell_is_bad_input_and_leaves_nothing(tmp_path):
    report, code = make(*STORY, story="これは彼女の誕生日のための映画です。", out=tmp_path / "film.mp4")
    assert code == 2
    assert "English" in report["faults"][0]
    assert not Order.objects.exists()
    assert stored_files() == []


@pytest.mark.render
def test_a_stage_that_fails_is_exit_1_with_its_name_and_why(tmp_path, monkeypatch):
    monkeypatch.setattr(settings, "RENDER_SCALE", 0.2)
    monkeypatch.setattr(making.reader, "objection", lambda order: "")  # else it would be said beforehand
    report, code = make(*STORY, story="これは彼女の誕生日のための映画です。", out=tmp_path / "film.mp4")
    assert code == 1
    assert report["failed_stage"] == "script"
    assert "English" in report["ending"]
    assert Production.objects.get().state == "failed"
    assert Order.objects.get().state == OrderState.FAILED
    assert not (tmp_path / "film.mp4").exists()
    assert invariants.broken() == []
