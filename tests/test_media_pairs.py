"""Two photos in one picture: only neighbours that belong together, both whole, and known again by quality control."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from PIL import Image

from pipeline.media import pairs, picture, sighting
from pipeline.media.limits import LIMITS
from pipeline.media.motion import Box
from pipeline.media.timeline import FilmSpec, SceneIn, Word, plan
from tests.samples import photo

pytestmark = pytest.mark.render

FACE = (0.35, 0.2, 0.3, 0.25)
LINE = "Nobody laughed as loudly as you did."
WORDS = tuple(Word(word, 0.4 * k, 0.4 * k + 0.3) for k, word in enumerate(LINE.split()))
WIDE, TALL, SQUARE = (640, 360), (360, 640), (360, 360)
STANDING, LYING = (600, 800), (900, 620)


def told(folder, size, count=5, **change):
    found = []
    for seed in range(count):
        path = folder / f"{size[0]}-{seed}.jpg"
        if not path.exists():
            photo(seed + 20, size).save(path, quality=88)
        scene = SceneIn(LINE, WORDS, 2.8, path, None, (FACE,), seed=seed, taken=f"2024-06-01T1{seed}:00:00")
        found.append(replace(scene, **change))
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("pairs")


def film(scenes, frame):
    return plan(scenes, FilmSpec(*frame, "Hello", "", "Bye", "", "AI-generated · licensed voice", 22.0))


@pytest.mark.parametrize(("frame", "size"), [(WIDE, STANDING), (TALL, LYING)])
def test_neighbours_of_one_occasion_that_leave_room_are_shown_together_once(folder, frame, size):
    scenes = told(folder, size)
    assert pairs.chosen(scenes, frame) == {2: 1}
    shot = next(shot for shot in film(scenes, frame).shots if shot.beside)
    assert (shot.scene, shot.beside.scene) == (2, 1)


@pytest.mark.parametrize(
    ("frame", "size", "change"),
    [
        (SQUARE, STANDING, {}),
        (TALL, STANDING, {}),
        (WIDE, LYING, {}),
        (WIDE, (450, 1200), {}),
        (WIDE, STANDING, {"faces": ()}),
        (WIDE, STANDING, {"page": True}),
        (WIDE, STANDING, {"taken": "not a moment"}),
    ],
)
def test_others_stay_alone(folder, frame, size, change):
    assert pairs.chosen(told(folder, size, **change), frame) == {}


def test_chapters_days_and_repetitions_part_them(folder):
    scenes = told(folder, STANDING, 4)
    assert pairs.chosen(scenes, WIDE) == {2: 1}
    for change in ({"chapter": "ending"}, {"taken": "2024-06-02T11:00:00"}, {"photo": scenes[1].photo}):
        assert pairs.chosen([*scenes[:2], replace(scenes[2], **change), scenes[3]], WIDE) == {}


def test_without_dates_they_must_look_like_one_occasion(folder):
    scenes = told(folder, STANDING, 4, taken="")
    dark = folder / "dark.jpg"
    Image.fromarray((np.asarray(Image.open(scenes[1].photo)) * (0.2, 0.3, 0.9)).astype(np.uint8)).save(dark)
    alike = folder / "alike.jpg"
    Image.open(scenes[1].photo).transpose(Image.Transpose.FLIP_LEFT_RIGHT).rotate(180).save(alike, quality=90)
    for path, found in ((dark, {}), (alike, {2: 1})):
        assert pairs.chosen([*scenes[:2], replace(scenes[2], photo=path), scenes[3]], WIDE) == found
    two = replace(scenes[2], photo=alike, faces=(FACE, FACE))
    assert pairs.chosen([*scenes[:2], two, scenes[3]], WIDE) == {}, "a group and one alone"


def test_in_a_long_film_there_are_few(folder):
    scenes = told(folder, STANDING, 10, taken="2024-06-01T10:00:00")
    found = sorted(pairs.chosen(scenes, WIDE))
    assert found[0] == 2
    assert all(b - a >= pairs.SCENES for a, b in pairwise(found))
    assert len(scenes) - 1 not in found


@pytest.mark.parametrize(("frame", "size"), [(WIDE, STANDING), (TALL, LYING)])
def test_both_are_whole_apart_and_nothing_is_written_over_a_face(folder, frame, size):
    timeline = film(told(folder, size), frame)
    shot = next(shot for shot in timeline.shots if shot.beside)
    one, two = shot.beside.path(shot.path), shot.path
    screen = Box(0, 0, *frame)
    faces = []
    for path in (one, two):
        assert screen.holds(path.on_screen(path.crop, frame), slack=1.0)
        assert path.crop.holds(Box(*FACE))
        faces.append(path.on_screen(Box(*FACE), frame))
    assert not one.card.touches(two.card)
    for first, end, box in timeline.labels:
        if first < shot.end and end > shot.start:
            assert not any(box.touches(face) for face in faces)
    for caption in timeline.captions:
        if shot.start + 8 <= caption.start < shot.end - 8:
            assert not any(caption.box.touches(face) for face in faces)


@pytest.mark.parametrize(("frame", "size"), [(WIDE, STANDING), (TALL, LYING)])
def test_quality_control_knows_both_again_and_misses_one_that_is_not_there(folder, frame, size, tmp_path):
    scenes = told(folder, size)
    timeline = film(scenes, frame)
    shot = next(shot for shot in timeline.shots if shot.beside)
    middle = (shot.start + shot.end) // 2
    still = np.asarray(picture.still(timeline, middle, tmp_path).convert("L"))
    caption, scale = timeline.caption_at(middle), 1 / frame[0]
    words = [caption.box.scaled(still.shape[1] * scale, still.shape[1] * scale)] if caption else []
    places = [pairs_place(path, frame) for path in (shot.beside.path(shot.path), shot.path)]
    for place, right, wrong in ((places[0], scenes[1], scenes[3]), (places[1], scenes[2], scenes[1])):
        seen = [
            sighting.sight(still, sighting.grey(one.photo), taken=words, place=place).likeness for one in (right, wrong)
        ]
        assert 1 - seen[0] < LIMITS["photo"].warn
        assert 1 - seen[1] > LIMITS["photo"].fail


def pairs_place(path, frame):
    window = path.window(0.5)
    card = path.card
    return Box((card.x - window.x) / window.w, (card.y - window.y) / window.h, card.w / window.w, card.h / window.h)


def test_what_was_encoded_of_a_pair_stays_good_when_another_scene_changes(folder, tmp_path):
    scenes = told(folder, STANDING)
    before = film(scenes, WIDE)
    names = {part.path.name for part in picture.segments(before, tmp_path)}
    other = replace(scenes[4], seed=99)
    after = {part.path.name for part in picture.segments(film([*scenes[:4], other], WIDE), tmp_path)}
    assert len(names - after) <= 3, "the pair keeps what was encoded of it when another scene changes"
