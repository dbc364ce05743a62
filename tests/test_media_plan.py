"""The plan of a film's picture: cuts on beats, pages and light, pauses, captions off faces, and what a change costs."""

# ruff: noqa: F811  (fixtures arrive as imports and are named again as arguments)

from __future__ import annotations

import json
from dataclasses import asdict, replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pipeline.media import frames, ground, label, music, picture
from pipeline.media.meters import steps
from pipeline.media.motion import Box
from pipeline.media.pacing import LONGEST_SHOT, SHORTEST_SHOT
from pipeline.media.timeline import plan

from .picturing import FACE, SPEC, photos, scenes, words  # noqa: F401
from .samples import page_of_text


@pytest.mark.parametrize("mood", ["tender", "happy"])
def test_cuts_fall_on_the_musics_beats_where_the_words_leave_room_and_nothing_else_moves(photos, mood):
    told = scenes(photos * 2, 2.4)
    track = music.choose(mood, "birthday", 1).path
    plain, moved = plan(told, replace(SPEC, seconds=24)), plan(told, replace(SPEC, seconds=24, music=track))
    assert (moved.frames, moved.narration, moved.words) == (plain.frames, plain.narration, plain.words)
    beats = np.array(music.beats(track, moved.seconds))
    edges = np.array([moved.scenes[0][0], *(end for _, end in moved.scenes)])
    was = np.array([plain.scenes[0][0], *(end for _, end in plain.scenes)])
    near = np.array([np.abs(beats - edge).min() for edge in edges])
    assert (near <= 0.5 / SPEC.fps + 1e-6).sum() >= len(edges) - 2, "nearly all pauses are longer than a beat"
    assert np.abs(edges - was).max() <= 0.36
    for (_, at), (start, end) in zip(moved.narration, moved.scenes, strict=True):
        assert start + 0.05 <= at
        assert at + 2.4 <= end - 0.05
    assert moved.seconds - edges[-1] >= 2.0 - 0.04, "the end card stands long enough to be read"


def test_between_chapters_the_film_turns_a_page_and_within_one_it_dissolves(photos):
    parts = scenes([photos[0], photos[1], photos[2], photos[0]])
    told = [
        replace(part, chapter=chapter)
        for part, chapter in zip(parts, ("opening", "story", "story", "ending"), strict=True)
    ]
    for lively, way in ((False, "dip"), (True, "whip")):
        shots = plan(told, replace(SPEC, lively=lively)).shots
        firsts = {shot.scene: shot.enter for shot in reversed(shots) if shot.kind == "photo"}
        assert firsts == {0: "dissolve", 1: way, 2: "dissolve", 3: way}
        assert [shot.enter for shot in shots if shot.kind in ("title", "end")] == ["dissolve", "dissolve"]
    assert {shot.enter for shot in plan(parts, SPEC).shots} == {"dissolve"}


def test_light_falls_once_where_the_template_and_the_occasion_allow(photos):
    told = [
        replace(part, chapter=chapter)
        for part, chapter in zip(scenes([photos[0], photos[1], photos[2]]), ("opening", "story", "ending"), strict=True)
    ]
    for change, ways in (
        ({"glad": True}, ["dip", "glow"]),
        ({}, ["dip", "dip"]),
        ({"glad": True, "template": "logbook"}, ["dip", "dip"]),
        ({"glad": True, "lively": True}, ["whip", "whip"]),
    ):
        shots = plan(told, replace(SPEC, **change)).shots
        assert [shot.enter for shot in shots if shot.enter != "dissolve"] == ways


def test_falling_light_is_warm_comes_from_one_side_and_has_no_steps():
    dark, out = frames.blank(480, 270), frames.blank(480, 270)
    dark.y[:] = 60
    frames.glow(dark, dark, 0.5, out)
    assert out.y[:, -120:].mean() > out.y[:, :120].mean() + 25
    assert out.v.mean() > 132, "towards red"
    assert out.u.mean() < 124, "and away from blue"
    assert steps(out.y).max() == 0.0, "chance breaks the steps up"
    out.y[:] = 235
    frames.glow(out, out, 0.5, out)
    assert out.y.max() == 235


def test_grain_belongs_to_the_picture_and_spares_black_and_white():
    plain = frames.blank(320, 200)
    for light, most in ((126, 4.0), (16, 1.2), (235, 1.2)):
        plain.y[:] = light
        drawn = frames.grained(plain, 3.0)
        assert drawn.y.astype(float).std() < most
        assert (drawn.y == frames.grained(plain, 3.0).y).all()
    plain.y[:] = 126
    assert 2.4 < frames.grained(plain, 3.0).y.astype(float).std() < 3.6
    assert frames.grained(plain, 3.0).u is plain.u


def test_every_way_begins_at_the_first_picture_and_ends_at_the_second():
    one, two, out = (frames.blank(64, 96) for _ in range(3))
    chance = np.random.default_rng(1)
    for made in (one, two):
        for plane in made:
            plane[:] = chance.integers(40, 200, plane.shape)
    for way in frames.WAYS.values():
        for share, whole in ((0.0, one), (1.0, two)):
            way(one, two, share, out)
            assert max(np.abs(a.astype(int) - b).max() for a, b in zip(out, whole, strict=True)) <= 1
    frames.dip(one, two, 0.5, out)
    assert {*out.y.ravel()} == {26}, "half-way it is dark, and not quite black"
    assert {*out.u.ravel(), *out.v.ravel()} == {128}
    frames.whip(one, two, 0.5, out)
    assert out.y[:, :8].std() < one.y.std() / 2, "smeared along the way"
    left, right = one.y[:, 45:52].mean(axis=1), two.y[:, 13:20].mean(axis=1)
    assert np.corrcoef(left, out.y[:, 16])[0, 1] > 0.8
    assert np.corrcoef(right, out.y[:, 48])[0, 1] > 0.8


@pytest.mark.parametrize("wanted", [11, 12, 15, 18])
def test_a_film_comes_near_the_length_that_was_asked_for(photos, wanted):
    timeline = plan(scenes(photos), replace(SPEC, seconds=wanted))
    assert timeline.seconds == pytest.approx(wanted, rel=0.1)


@pytest.mark.parametrize("wanted", [5, 12, 40])
def test_pauses_between_lines_always_sound_natural(photos, wanted):
    timeline = plan(scenes(photos), replace(SPEC, seconds=wanted))
    for (_, one), (_, two) in pairwise(timeline.narration):
        assert 0.25 - 1e-9 <= two - (one + 2.0) <= 1.6 + 1e-9


def test_every_frame_has_one_picture_or_two_in_a_dissolve(photos):
    timeline = plan(scenes(photos), SPEC)
    counts = [len(timeline.shots_at(frame)) for frame in range(timeline.frames)]
    assert set(counts) == {1, 2}
    assert counts.count(2) == 15 * (len(timeline.shots) - 1)


def test_each_line_is_spoken_while_its_own_scene_is_shown(photos):
    timeline = plan(scenes(photos), SPEC)
    for (i, at), (start, end) in zip(timeline.narration, timeline.scenes, strict=True):
        assert start <= at
        assert at + 2.0 <= end
        assert timeline.scenes[i] == (start, end)
    for word in timeline.words:
        caption = timeline.caption_at(round((word.start + word.end) / 2 * 30))
        assert caption is not None
        assert word.text in caption.text


def test_a_long_line_gets_two_different_moves_on_its_photo(photos):
    timeline = plan(scenes(photos, seconds=9.0), replace(SPEC, seconds=40))
    pictured = [shot for shot in timeline.shots if shot.kind == "photo"]
    assert len(pictured) == 6
    assert all((shot.end - shot.start - 15) / 30 <= LONGEST_SHOT for shot in pictured)
    assert all(one.path.kind != two.path.kind for one, two in pairwise(pictured))


def test_a_photo_that_stays_for_a_second_line_neither_dips_nor_shows_twice(photos):
    two = [
        replace(scene, chapter=chapter) for scene, chapter in zip(scenes(photos)[:2], ("opening", "story"), strict=True)
    ]
    for lively in (False, True):
        for second, entrance, on in (
            (two[0].photo, "dissolve", True),
            (two[1].photo, "whip" if lively else "dip", False),
        ):
            timeline = plan([two[0], replace(two[1], photo=second)], replace(SPEC, lively=lively))
            shots = [shot for shot in timeline.shots if shot.kind == "photo"]
            assert [(shot.enter, shot.goes_on) for shot in shots] == [("dissolve", False), (entrance, on)]


def test_the_second_move_over_a_photo_goes_on_where_the_first_has_ended_so_that_it_never_looks_double(photos):
    wide = replace(SPEC, width=480, height=270, seconds=60)
    for spec, calm, seconds in ((SPEC, False, 9.0), (wide, False, 15.0), (SPEC, True, 9.0)):
        long = [replace(scene, calm=calm) for scene in scenes(photos, seconds=seconds, faces=(FACE,))]
        timeline = plan(long, replace(spec, seconds=60))
        pictured = [shot for shot in timeline.shots if shot.kind == "photo"]
        halves = [(one, two) for one, two in pairwise(pictured) if one.scene == two.scene]
        assert len(halves) >= len(photos)
        for one, two in halves:
            assert two.path.start == one.path.end
            assert two.path.end != two.path.start, "it moves all the same"
            assert all(window.holds(two.path.on_canvas(Box(*FACE))) for window in (two.path.start, two.path.end))


@pytest.mark.parametrize("line", [0.3, 1.0, 2.4, 6.9, 9.0, 14.5, 23.0])
@pytest.mark.parametrize("wanted", [6, 30])
@pytest.mark.parametrize("mood", [None, "happy"])
def test_no_picture_is_gone_before_it_was_seen_or_stays_until_it_drags(photos, line, wanted, mood):
    track = mood and music.choose(mood, "birthday", 1).path
    timeline = plan(scenes(photos, line), replace(SPEC, seconds=wanted, music=track))
    shown = [(shot.end - shot.start) / 30 - 0.5 for shot in timeline.shots if shot.kind == "photo"]
    assert min(shown) >= SHORTEST_SHOT - 2 / 30
    assert max(shown) <= LONGEST_SHOT + 2 / 30


def test_the_voice_begins_as_soon_as_the_title_has_been_read(photos):
    timeline = plan(scenes(photos), replace(SPEC, seconds=30))
    assert 1.2 <= timeline.narration[0][1] <= 2.4


def test_the_same_scenes_make_the_same_timeline_and_it_is_plain_data(photos):
    one, two = plan(scenes(photos), SPEC), plan(scenes(photos), SPEC)
    assert one == two
    assert json.loads(json.dumps(asdict(one), default=str))["frames"] == one.frames


def test_the_label_stands_in_every_frame_after_the_title_and_never_on_a_face(photos):
    for face in [(0.0, 0.0, 0.5, 0.3), (0.5, 0.0, 0.5, 0.3), FACE]:
        timeline = plan(scenes(photos, faces=(face,)), SPEC)
        title = next(shot for shot in timeline.shots if shot.kind == "title")
        for frame in range(title.end, timeline.frames):
            box = timeline.label_box(frame)
            assert Box(0, 0, 270, 480).holds(box)
            for shot in timeline.shots_at(frame):
                assert not shot.path or not box.touches(shot.path.on_screen(Box(*face), (270, 480)))


def test_the_label_keeps_clear_of_a_page_that_is_read_in_films_of_every_shape(photos, tmp_path):
    letter = page_of_text(tmp_path / "letter.jpg")
    for size in ((1080, 1920), (1920, 1080), (1080, 1080)):
        for seed in range(8):
            told = [replace(part, seed=seed) for part in scenes([photos[0], letter, photos[2]])]
            told[1] = replace(told[1], page=True, faces=())
            timeline = plan(told, replace(SPEC, width=size[0], height=size[1]))
            for shot in (one for one in timeline.shots if one.scene == 1 and one.kind == "photo"):
                page = shot.path.on_screen(shot.path.crop, size)
                over = [box for first, end, box in timeline.labels if first < shot.end and shot.start < end]
                assert over
                assert not any(box.touches(page) for box in over), (size, seed)


def test_the_label_keeps_clear_of_hair_and_chin_too_where_another_corner_does(photos):
    corners = label.corners(SPEC.label, SPEC.size)
    for n, corner in enumerate(corners[:2]):
        # Eyes and mouth end under the label, the forehead does not.
        face = Box(corner.x, corner.bottom + 2, 60, 60)
        assert label.free([corner, corners[2]], [face]) == corners[2], n
        assert label.free([corner], [face]) is None
        assert label.free([corner], [face], heads=False) == corner, "better a forehead than a mouth"


def test_captions_go_up_when_the_face_is_down_where_they_would_stand(photos):
    low_face = plan(scenes(photos[:1], faces=((0.3, 0.45, 0.4, 0.3),)), SPEC).captions
    high_face = plan(scenes(photos[:1], faces=((0.3, 0.05, 0.4, 0.28),)), SPEC).captions
    assert all(caption.box.bottom < 200 for caption in low_face)
    assert all(caption.box.y > 240 for caption in high_face)


@pytest.mark.parametrize("face", [(0.3, 0.45, 0.4, 0.3), (0.05, 0.35, 0.3, 0.25), (0.25, 0.1, 0.5, 0.4)])
def test_no_caption_touches_a_face_in_any_of_its_frames_whatever_the_camera_does(photos, face):
    timeline = plan(scenes(photos, seconds=9.0, faces=(face,)), replace(SPEC, seconds=40))
    for caption in timeline.captions:
        for frame in range(caption.start, caption.end):
            for shot in timeline.shots_at(frame):
                if (
                    shot.kind == "photo"
                    and shot.scene == timeline.shots_at((caption.start + caption.end) // 2)[0].scene
                ):
                    assert not caption.box.touches(ground.seen(shot.path, shot.share(frame), Box(*face), SPEC.size))


def test_what_lies_under_a_caption_is_looked_at_where_the_camera_shows_it(tmp_path):
    half = np.zeros((800, 450, 3), np.uint8)
    half[400:] = 250
    Image.fromarray(half).save(tmp_path / "half.jpg", quality=95)
    timeline = plan(scenes([tmp_path / "half.jpg"], faces=()), SPEC)
    shot = next(shot for shot in timeline.shots if shot.kind == "photo")
    assert shot.path is not None
    middle = ground.seen(shot.path, 0.5, Box(0, 0.5, 1, 0.5), SPEC.size).y
    span = shot.start, shot.end
    assert ground.luma([shot], SPEC.size, Box(60, middle - 100, 100, 60), *span) < 30
    assert ground.luma([shot], SPEC.size, Box(60, middle + 40, 100, 60), *span) > 240
    assert ground.luma([replace(shot, kind="clip")], SPEC.size, Box(60, middle - 100, 100, 60), *span) == 255
    assert ground.luma([], SPEC.size, Box(60, 10, 100, 60), *span) == 0
    # and so captions on the bright half get all the dark there is
    assert {caption.halo for caption in timeline.captions} == {1.0}


def test_a_film_without_scenes_is_refused():
    with pytest.raises(ValueError, match="scene"):
        plan([], SPEC)


def test_an_odd_size_becomes_even(photos):
    assert plan(scenes(photos), replace(SPEC, width=271, height=481)).spec.size == (270, 480)


def test_changing_one_word_renames_only_the_segments_it_is_seen_in(photos, tmp_path):
    timeline = plan(scenes(photos), SPEC)
    caption = timeline.captions[0]
    other = replace(caption, words=(replace(caption.words[0], text="Somebody"), *caption.words[1:]))
    changed = replace(timeline, captions=(other, *timeline.captions[1:]))
    pairs = list(zip(picture.segments(timeline, tmp_path), picture.segments(changed, tmp_path), strict=True))
    for one, two in pairs:
        assert (one.path != two.path) == (one.start < caption.end and one.end > caption.start)
    assert sum(one.path != two.path for one, two in pairs) < len(pairs) / 2


def test_segments_follow_each_other_without_a_gap(photos, tmp_path):
    timeline = plan(scenes(photos), SPEC)
    parts = picture.segments(timeline, tmp_path)
    assert (parts[0].start, parts[-1].end) == (0, timeline.frames)
    assert all(one.end == two.start for one, two in pairwise(parts))
    assert len({part.path for part in parts}) == len(parts)


def test_the_same_photo_in_another_file_keeps_its_segments(photos, tmp_path):
    moved = [Path(str(tmp_path / photo.name)) for photo in photos]
    for one, two in zip(photos, moved, strict=True):
        two.write_bytes(one.read_bytes())
    names = [[p.path.name for p in picture.segments(plan(scenes(s), SPEC), tmp_path)] for s in (photos, moved)]
    assert names[0] == names[1]
