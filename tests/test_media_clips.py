"""Vendors' clips and moves in the picture: steady, fitted, never a cut face, late ones without a new film."""

# ruff: noqa: F811  (fixtures arrive as imports and are named again as arguments)

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image

from benchmarks.picture import jitter
from pipeline.media import conform, frames, picture, stage
from pipeline.media.motion import Box, choose_path
from pipeline.media.timeline import plan

from .picturing import SPEC, clip, decoded, photos, scenes, texture  # noqa: F401


@pytest.mark.render
def test_slow_moves_are_steady(tmp_path):
    texture(9, (1500, 2000)).save(tmp_path / "photo.jpg", quality=95)
    asked = ((1500, 2000), (1080, 1920), [], Box(0.25, 0.25, 0.5, 0.5))
    path = next(p for seed in range(50) if (p := choose_path(*asked, seconds=4, seed=seed)).kind == "drift")
    ready, out, lumas = stage.build(tmp_path / "photo.jpg", path, (1080, 1920)), frames.blank(1080, 1920), []
    for i in range(20, 80):
        ready.draw(path, i / 119, out)
        lumas.append(out.y.copy())
    assert jitter(lumas) <= 0.02


@pytest.mark.render
def test_what_is_in_the_photo_stands_where_the_move_says_to_a_fiftieth_of_a_pixel(tmp_path):
    y, x = np.mgrid[0:2000, 0:1500].astype(np.float32)
    spots = [(500.0, 700.0), (900.0, 1100.0), (700.0, 1400.0)]
    grey = 40 + sum(170 * np.exp(-((x - a) ** 2 + (y - b) ** 2) / 128) for a, b in spots)
    Image.fromarray(np.dstack([grey.astype(np.uint8)] * 3)).save(tmp_path / "photo.jpg", quality=98)
    for seed in range(6):
        path = choose_path((1500, 2000), (1080, 1920), [], Box(0.3, 0.3, 0.4, 0.4), seconds=4, seed=seed)
        ready, out = stage.build(tmp_path / "photo.jpg", path, (1080, 1920)), frames.blank(1080, 1920)
        errors = []
        for i in range(0, 120, 7):
            ready.draw(path, i / 119, out)
            w = path.window(i / 119)
            for a, b in spots:
                column, row = (a + 0.5 - w.x) * 1080 / w.w - 0.5, (b + 0.5 - w.y) * 1920 / w.h - 0.5
                x0, y0 = round(column) - 40, round(row) - 40
                mass = np.clip(out.y[y0 : y0 + 81, x0 : x0 + 81].astype(float) - 100, 0, None)
                at = np.array([(mass.sum(k) * np.arange(81)).sum() / mass.sum() for k in (0, 1)])
                errors.append(at - (column - x0, row - y0))
        steady = np.array(errors) - np.mean(errors, axis=0)
        assert np.sqrt(np.mean(np.square(steady))) <= 0.02
        assert np.abs(np.mean(errors, axis=0)).max() <= 0.1


@pytest.mark.parametrize("room", [1.01, 1.16, 1.4], ids=["at the edges", "as stages are", "roomy"])
def test_a_window_shows_the_same_whether_resized_or_warped(monkeypatch, room):
    source = frames.margined(frames.from_rgb(np.array(texture(3, (round(270 * room), round(480 * room))))))
    quick, exact = frames.blank(270, 480), frames.blank(270, 480)
    resized, crop, chance = 0, frames._crop, np.random.default_rng(4)
    for _ in range(60):
        w = chance.uniform(240, 270 * room)
        free = Box(0, 0, 270 * room - w, (270 * room - w) * 480 / 270)
        window = Box(chance.uniform(0, free.w), chance.uniform(0, free.h), w, w * 480 / 270)
        frames.warp(source, window, quick)
        resized += crop(window.x, w / 270, 270, source.y.shape[1], frames.EXACT) is not None
        with monkeypatch.context() as patch:
            patch.setattr(frames, "_crop", lambda *_: None)
            frames.warp(source, window, exact)
        for a, b in zip(quick, exact, strict=True):
            assert np.abs(a.astype(int) - b).max() <= 6
    assert resized >= 30, "most windows lie on whole pixels, or nothing is gained"


def test_a_window_of_whole_pixels_is_shown_as_it_is():
    picture = frames.from_rgb(np.array(texture(3, (320, 560))))
    out = frames.blank(270, 480)
    frames.warp(frames.margined(picture), Box(14, 30, 270, 480), out)
    assert np.array_equal(out.y, picture.y[30:510, 14:284])


@pytest.mark.render
@pytest.mark.parametrize(
    ("seconds", "rate", "size"), [(6, 24, (360, 640)), (1.5, 25, (640, 360)), (2.2, 60, (480, 480))]
)
def test_a_vendors_clip_is_fitted_whatever_its_rate_size_and_length(photos, tmp_path, seconds, rate, size):
    take = clip(tmp_path / "take.mp4", seconds=seconds, rate=rate, size=size)
    timeline = plan([replace(scene, clip=take) for scene in scenes(photos[:2])], SPEC)
    assert [shot.kind for shot in timeline.shots] == ["title", "clip", "clip", "end"]
    picture.render_film(timeline, None, tmp_path / "film.mp4", tmp_path / "work")
    shown = decoded(tmp_path / "film.mp4")
    assert len(shown) == timeline.frames
    assert all(frame[200:230, 100:170].mean() > 25 for frame in shown[60:120])


@pytest.mark.render
@pytest.mark.parametrize(("seconds", "moves"), [(6, False), (1.5, True)], ids=["long enough", "held"])
def test_only_a_clip_whose_end_is_held_is_moved_over(photos, tmp_path, seconds, moves):
    take = clip(tmp_path / "take.mp4", seconds=seconds, rate=24, size=(360, 640))
    (scene,) = scenes(photos[:1], clip=take)
    (shot,) = [shot for shot in plan([scene], SPEC).shots if shot.kind == "clip"]
    assert (shot.path.start != shot.path.end) == moves


def test_a_clip_whose_face_would_be_cut_is_shown_whole():
    wide = conform.framing((1280, 720), (270, 480), [Box(0.1, 0.2, 0.8, 0.5)], Box(0, 0, 1, 1))
    assert wide.fill
    assert not conform.framing((720, 1280), (270, 480), [Box(0.1, 0.2, 0.8, 0.5)], Box(0, 0, 1, 1)).fill


heads = st.builds(
    lambda x, y, w, h: Box(x * (1 - w), y * (1 - h), w, h),
    st.floats(0, 1),
    st.floats(0, 1),
    st.floats(0.02, 1),
    st.floats(0.02, 1),
)


@settings(max_examples=150, deadline=None)
@given(
    size=st.sampled_from([(720, 1280), (1280, 720), (640, 640), (768, 1152)]),
    frame=st.sampled_from([(270, 480), (480, 270), (480, 480)]),
    faces=st.lists(heads, min_size=1, max_size=3),
    closer=st.booleans(),
)
@example(size=(720, 1280), frame=(480, 480), faces=[Box(0.2, 0.3, 0.6, 0.55)], closer=True)
def test_the_crop_of_a_clip_never_cuts_a_face(size, frame, faces, closer):
    path = conform.framing(size, frame, faces, Box(0, 0, 1, 1), closer=closer)
    for share in (0, 0.5, 1):
        for face in faces:
            assert path.window(share).holds(path.on_canvas(face), 1e-6 * max(size))


@pytest.mark.render
def test_captions_and_label_keep_clear_of_faces_where_the_clip_has_them(photos, tmp_path):
    take = clip(tmp_path / "take.mp4", seconds=6, rate=24, size=(360, 640))
    low = (0.3, 0.5, 0.4, 0.25)
    (scene,) = scenes(photos[:1], clip=take, faces=((0.3, 0.05, 0.4, 0.2),), clip_faces=(low,))
    timeline = plan([scene], SPEC)
    (shot,) = [shot for shot in timeline.shots if shot.kind == "clip"]
    face = shot.path.on_screen(Box(*low), SPEC.size)
    assert timeline.captions
    assert not any(Box(*caption.box).touches(face) for caption in timeline.captions)
    told_of_the_photo = plan([replace(scene, clip_faces=scene.faces)], SPEC)
    assert any(Box(*caption.box).touches(face) for caption in told_of_the_photo.captions), "the control"


@pytest.mark.render
def test_a_clip_that_lands_changes_nothing_that_was_encoded_before(photos, tmp_path):
    take = clip(tmp_path / "take.mp4", seconds=6, rate=24, size=(270, 480))
    high, low = (0.1, 0.0, 0.3, 0.2), (0.1, 0.7, 0.3, 0.3)
    awaited = [
        replace(scene, faces=faces, clip_faces=faces)
        for scene, faces in zip(scenes(photos), [(high,), (), (low,)], strict=True)
    ]
    names: dict[tuple[int, int], set[str]] = {}
    for landed in ({1}, {1, 0}, {1, 0, 2}):
        timeline = plan([replace(one, clip=take if n in landed else None) for n, one in enumerate(awaited)], SPEC)
        for part in picture.segments(timeline, tmp_path):
            if {shot.scene for shot in timeline.shots_at(part.start) if shot.kind not in ("title", "end")} <= landed:
                names.setdefault((part.start, part.end), set()).add(part.path.name)
    assert min(names) == (0, timeline.shots[1].start), "the title waits for no clip"
    assert len(names) >= 5
    assert all(len(called) == 1 for called in names.values())


@pytest.mark.render
def test_of_a_clip_that_lands_last_two_halves_can_be_encoded_at_once(photos, tmp_path):
    take = clip(tmp_path / "take.mp4", seconds=6, rate=24, size=(270, 480))
    first, *others = scenes(photos, 2.6)
    timeline = plan([replace(first, clip=take), *others], replace(SPEC, seconds=15))
    shown = [timeline.shots_at(part.start) for part in picture.segments(timeline, tmp_path)]
    kinds = [shots[0].kind for shots in shown if len(shots) == 1]
    assert kinds == ["title", "clip", "clip", *["photo"] * len(others), "end"]
