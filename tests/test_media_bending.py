"""Depth, measured in the finished film: faces keep their shape, and nothing beside people leans or tears."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter

from pipeline.media import bending, depth, meters, picture, shotcheck, verdict
from pipeline.media.depth import Relief
from pipeline.media.expected import Expected, ExpectedShot, shot_times
from pipeline.media.limits import LIMITS
from pipeline.media.motion import Box
from pipeline.media.timeline import FilmSpec, SceneIn, Timeline, plan
from tests.samples import FACES, photo

pytestmark = pytest.mark.render

SIZE = (360, 640)
HEADS = {FACES[0]: (0.3722, 0.029, 0.3456, 0.3629), FACES[2]: (0.3929, 0.02, 0.4393, 0.252)}


def long_hair(path):
    """A portrait whose hair falls loose over the shoulders, strand by strand, before a window's bars."""
    with Image.open(FACES[0]) as opened:
        made = opened.convert("RGB")
    w, h = made.size
    pen, dice = ImageDraw.Draw(made), np.random.default_rng(4)
    for bar in range(12):
        pen.line([(bar * w / 11, 0), (bar * w / 11, 0.42 * h)], fill=(226, 222, 210), width=7)
    with Image.open(FACES[0]) as opened:
        people = Image.new("L", (w, h))
        ImageDraw.Draw(people).ellipse((0.36 * w, 0.01 * h, 0.73 * w, 0.42 * h), fill=255)
        ImageDraw.Draw(people).rectangle((0.1 * w, 0.38 * h, 0.95 * w, h), fill=255)
        made.paste(opened, mask=people.filter(ImageFilter.GaussianBlur(3)))
    pen = ImageDraw.Draw(made)
    for strand in range(700):
        side = 1 if strand % 2 else -1
        out = dice.uniform(0.13, 0.2) + 0.035 * abs(dice.normal())
        x, y = 0.545 * w + side * 0.15 * w * dice.uniform(0.6, 1.05), (0.06 + 0.1 * dice.random()) * h
        down = dice.uniform(0.3, 0.5)
        points = [
            (x + side * out * w * t**1.5 + 5 * np.sin(9 * t + strand), y + down * h * t) for t in np.linspace(0, 1, 24)
        ]
        shade = int(dice.integers(30, 90))
        pen.line(points, fill=(shade + 25, shade + 5, shade // 2), width=int(dice.integers(1, 4)))
    made.save(path, quality=92)
    return path


def told(path, head, matte=None):
    """A small film of one photo with depth, and the shot in it."""
    text = depth.matte(path, (head,)) if matte is None else matte
    scene = SceneIn("Hello.", (), 4.0, path, None, (head,), matte=text, seed=2)
    film = plan([scene], FilmSpec(*SIZE, "", "", "Bye", "", "", 8.0, template="letter"))
    return film, next(shot for shot in film.shots if shot.kind == "photo")


def found(film: Timeline, folder):
    """What is measured and found in the shots with depth of the encoded film."""
    out = folder / "film.mp4"
    picture.render_film(film, None, out, folder / "pieces")
    fps = film.spec.fps
    shots = tuple(
        ExpectedShot(
            shot.start / fps,
            shot.end / fps,
            shot.photo,
            faces=(Box(*HEADS.get(shot.photo, HEADS[FACES[0]])),),
            depth=True,
        )
        for shot in film.shots
        if shot.kind == "photo"
    )
    expected = Expected(*SIZE, fps, film.seconds, shots=shots)
    measured = meters.measure(out, at=verdict.looks(expected))
    return [one for one in shotcheck.check(measured, expected) if one.code.startswith("depth_")]


def codes(findings):
    return {(one.code, one.severity) for one in findings}


@pytest.mark.parametrize("path", HEADS, ids=lambda path: path.stem)
def test_depth_as_it_is_made_keeps_faces_and_lines(tmp_path, path):
    film, shot = told(str(path), HEADS[path])
    assert shot.relief is not None
    assert found(film, tmp_path) == []


def test_loose_hair_before_straight_bars_comes_along(tmp_path):
    """The matte is drawn here, so that it does not matter whether the photo check is certain of one."""
    path = long_hair(tmp_path / "hair.jpg")
    drawn = Image.new("L", (77, 96))
    ImageDraw.Draw(drawn).polygon(
        [(28, 22), (30, 6), (42, 1), (54, 6), (56, 22), (68, 50), (70, 95), (8, 95), (14, 50)], 255
    )
    film, shot = told(str(path), HEADS[FACES[0]], as_text(drawn))
    assert shot.relief is not None
    assert found(film, tmp_path) == []


def as_text(drawn):
    png = cv2.imencode(".png", np.asarray(drawn))[1].tobytes()
    return depth.base64.b64encode(png).decode()


def spoiled(film, relief):
    return replace(
        film,
        shots=tuple(replace(shot, relief=relief(shot.relief)) if shot.relief else shot for shot in film.shots),
    )


@pytest.mark.parametrize("path", HEADS, ids=lambda path: path.stem)
def test_people_who_come_four_times_as_near_bend_what_is_beside_them(tmp_path, path):
    film, _ = told(str(path), HEADS[path])
    much = spoiled(film, lambda one: replace(one, grow=tuple(4 * grow for grow in one.grow)))
    assert ("depth_torn", "fail") in codes(found(much, tmp_path))


def test_a_seam_through_the_background_is_found(tmp_path, monkeypatch):
    """The matte ends at once, where it should fall softly, and people drift."""
    path = FACES[2]
    film, shot = told(str(path), HEADS[path])
    aside = 0.03 * shot.path.canvas[0]
    monkeypatch.setattr(depth, "_near", depth_of)
    drifted = spoiled(film, lambda one: Relief(one.matte, one.centre, (0.0, 0.0), (-aside, aside)))
    assert ("depth_torn", "fail") in codes(found(drifted, tmp_path))


def depth_of(text):
    raw = np.frombuffer(depth.base64.b64decode(text), np.uint8)
    return (cv2.imdecode(raw, cv2.IMREAD_GRAYSCALE) > 127).astype(np.float32)


def test_a_face_of_which_only_half_moves_is_found(tmp_path):
    path = FACES[2]
    film, shot = told(str(path), HEADS[path])
    aside = 0.03 * shot.path.canvas[0]
    whole = depth_of(shot.relief.matte)
    x, _y, w, _h = HEADS[path]
    whole[:, round((x + w / 2) * whole.shape[1]) :] = 0
    half = as_text((whole * 255).astype(np.uint8))
    cut = spoiled(film, lambda one: Relief(half, one.centre, (0.0, 0.0), (-aside, aside)))
    assert ("depth_face", "fail") in codes(found(cut, tmp_path))


def test_where_nothing_can_be_told_nothing_is(tmp_path):
    plain = np.full((640, 360), 120, np.uint8)
    assert bending.bent(plain, plain) is None
    busy = np.asarray(photo(3, (360, 640)).convert("L"))
    same = bending.bent(busy, busy)
    assert same is not None
    assert same.torn < 0.02
    assert same.face == 0
    written = [Box(0, 0, 360, 640)]
    assert bending.bent(busy, busy, taken=written) is None


def test_a_camera_alone_bends_nothing():
    whole = np.asarray(photo(3, (720, 1280)).convert("L"))
    near = cv2.resize(whole[100:1180, 60:667], (720, 1280), interpolation=cv2.INTER_AREA)
    seen = bending.bent(whole, near, [Box(200, 300, 200, 250)])
    assert seen is not None
    assert seen.torn < LIMITS["depth_torn"].warn / 2
    assert seen.face < LIMITS["depth_face"].warn / 2


def test_shots_with_depth_are_looked_at_as_far_apart_as_can_be():
    deep = ExpectedShot(10, 14, FACES[0], depth=True)
    assert shot_times(deep) == (10.6, 13.4)
    assert shot_times(replace(deep, end=11)) == (10.3, 10.7)
    assert shot_times(replace(deep, depth=False)) == (11.8, 13.0)
