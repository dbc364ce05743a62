"""Depth: people are found where that is certain, move as one piece, and what is behind them gives way softly."""

import base64
from dataclasses import replace
from functools import cache

import cv2
import numpy as np
import pytest
from PIL import Image

from pipeline.media import depth, frames, picture
from pipeline.media.motion import Box, CameraPath, choose_path
from pipeline.media.timeline import FilmSpec, SceneIn, plan
from tests.samples import CAT, FACES, PORTRAIT, photo

pytestmark = pytest.mark.render

# As the photo check finds them: (photo, faces).
CERTAIN = {
    FACES[0]: ((0.3722, 0.029, 0.3456, 0.3629),),
    FACES[2]: ((0.3929, 0.02, 0.4393, 0.252),),
}
HEAD = CERTAIN[FACES[0]]
FRAME = (360, 640)


@cache
def matte_of(path):
    return depth.matte(path, CERTAIN[path])


def shown(text):
    return cv2.imdecode(np.frombuffer(base64.b64decode(text), np.uint8), cv2.IMREAD_GRAYSCALE) > 0


@pytest.mark.parametrize("path", CERTAIN, ids=lambda path: path.stem)
def test_people_are_found_with_their_heads_and_without_the_corners(path):
    found = shown(matte_of(path))
    h, w = found.shape
    for x, y, fw, fh in CERTAIN[path]:
        assert found[
            int((y + 0.2 * fh) * h) : int((y + fh) * h), int((x + 0.3 * fw) * w) : int((x + 0.7 * fw) * w)
        ].all()
    assert not found[: h // 12, : w // 6].any()
    assert not found[: h // 12, -w // 6 :].any()
    assert found[-h // 8 :, w // 2].all(), "down to the photo's edge"
    assert len(matte_of(path)) < 2000, "it is kept with the photo's facts"


def test_what_is_not_certain_is_left_flat(tmp_path):
    made = tmp_path / "made.jpg"
    photo(5, (600, 800)).save(made)
    assert depth.matte(PORTRAIT, ((0.3278, 0.064, 0.2304, 0.3024),)) == "", "a helmet, a flag: three looks disagree"
    assert depth.matte(made, (HEAD[0],)) == "", "where nobody is"
    assert depth.matte(CAT, ()) == ""
    assert depth.matte(FACES[0], ((0.45, 0.3, 0.05, 0.06),)) == "", "far away"
    assert depth.matte(FACES[0], HEAD * 4) == "", "a crowd"


def test_the_same_photo_always_gives_the_same(tmp_path):
    assert depth.matte(FACES[0], HEAD) == matte_of(FACES[0])


def bent(moved, near=None):
    source = np.asarray(photo(3, (400, 600)), np.uint8)
    planes = frames.margined(frames.from_rgb(source))
    if near is None:
        near = np.zeros((75, 50), np.float32)
        near[20:, 12:38] = 1
        near = cv2.GaussianBlur(near, (0, 0), 4)
    out = frames.blank(200, 300)
    depth.bend(planes, Box(0, 0, 400, 600), near, (200, 300), moved, out)
    return out


def test_without_a_move_it_is_the_plain_picture():
    out, plain = bent((0.0, 0.0)), frames.blank(200, 300)
    source = np.asarray(photo(3, (400, 600)), np.uint8)
    frames.warp(frames.margined(frames.from_rgb(source)), Box(0, 0, 400, 600), plain)
    for one, two in zip(out, plain, strict=True):
        assert np.abs(one.astype(int) - two).mean() < 0.2


def test_the_foreground_moves_as_one_piece_and_the_background_stays():
    still, aside = bent((0.0, 0.0)), bent((0.0, 8.0))
    front, back = np.s_[160:290, 80:120], np.s_[10:60, 5:60]
    assert np.abs(aside.y[back].astype(int) - still.y[back]).max() <= 2
    moved = still.y[160:290, 76:116]  # 8 pixels of the source are 4 of the film, to the right
    assert np.abs(aside.y[front].astype(int) - moved).mean() < 2
    assert np.abs(aside.y[front].astype(int) - still.y[front]).mean() > 4


@pytest.mark.parametrize("kind", ["push_in", "pull_out", "drift"])
@pytest.mark.parametrize("path", CERTAIN, ids=lambda path: path.stem)
def test_nothing_is_stretched_or_turned_by_more_than_a_fifth(path, kind):
    w, h = Image.open(path).size
    move = CameraPath(kind, False, (w, h), Box(0, 0, 1, 1), Box(0, 0, w, h), Box(0, 0, 300, 500), Box(60, 0, 300, 500))
    found = depth.relief(matte_of(path), move, [Box(*face) for face in CERTAIN[path]])
    near = cv2.resize(depth._near(matte_of(path)), (w, h))
    for share in (0, 1):
        grow, shift = found.at(share)
        across, down = np.arange(w) - found.centre[0], (np.arange(h) - found.centre[1])[:, None]
        ways = near * (grow * across + shift), near * grow * down
        assert max(float(np.abs(np.diff(way, axis=axis)).max()) for way in ways for axis in (0, 1)) < 0.2
    assert found.at(0) != found.at(1)


def test_who_stands_in_front_has_a_move_of_their_own_where_the_template_asks_for_it():
    scene = SceneIn("Hello.", (), 3.0, FACES[0], None, HEAD, matte=matte_of(FACES[0]))
    spec = FilmSpec(*FRAME, "", "", "Bye", "", "", 8.0, template="letter")
    flat = [(scene, replace(spec, template="logbook")), (replace(scene, matte=""), spec)]
    assert all(shot.relief for shot in plan([scene], spec).shots if shot.kind == "photo")
    for told, wanted in flat:
        assert not any(shot.relief for shot in plan([told], wanted).shots)


def test_cards_journeys_and_broken_mattes_stay_flat():
    text, faces = matte_of(FACES[0]), [Box(*HEAD[0])]
    path = choose_path((910, 1137), FRAME, faces, Box(0.2, 0, 0.6, 0.6), seconds=5)
    assert depth.relief(text, path, faces)
    assert depth.relief(text, replace_path(path, kind="travel"), faces) is None
    assert depth.relief(text, replace_path(path, fill=True), faces) is None
    assert depth.relief(text, path, []) is None
    for broken in ("", "?", "aGVsbG8=", text[:40]):
        assert depth.relief(broken, path, faces) is None


def replace_path(path: CameraPath, **change) -> CameraPath:
    return replace(path, **change)


def test_the_head_stays_where_captions_and_label_expect_it(tmp_path):
    scene = SceneIn("Hello.", (), 3.0, FACES[0], None, HEAD, matte=matte_of(FACES[0]))
    spec = FilmSpec(*FRAME, "", "", "Bye", "", "", 8.0, template="letter")
    one, two = plan([scene], spec), plan([replace(scene, matte="")], spec)
    shot = next(shot for shot in one.shots if shot.kind == "photo")
    at = shot.end - 20
    head = shot.path.on_screen(Box(*HEAD[0]), FRAME)
    pictures = [np.asarray(picture.still(timeline, at, tmp_path).convert("L"), np.float32) for timeline in (one, two)]
    x, y, w, h = (int(v) for v in head)
    parts = [p[max(0, y) : y + h, max(0, x) : x + w] for p in pictures]
    (dx, dy), _ = cv2.phaseCorrelate(*parts, cv2.createHanningWindow(parts[0].shape[::-1], cv2.CV_32F))
    assert np.hypot(dx, dy) < 0.03 * w


def test_a_matte_changes_what_its_own_shot_is_encoded_as_and_no_other(tmp_path):
    other = tmp_path / "other.jpg"
    Image.fromarray(np.asarray(photo(8, (600, 900)))).save(other)
    scenes = [
        SceneIn("Hello.", (), 3.0, FACES[0], None, HEAD, matte=matte_of(FACES[0])),
        SceneIn("There.", (), 3.0, other, seed=1),
        SceneIn("There.", (), 3.0, FACES[2], None, CERTAIN[FACES[2]], seed=2),
    ]
    spec = FilmSpec(*FRAME, "", "", "Bye", "", "", 14.0)
    names = [
        {
            part.path.name
            for part in picture.segments(plan([replace(scenes[0], matte=text), *scenes[1:]], spec), tmp_path)
        }
        for text in (scenes[0].matte, "")
    ]
    assert len(names[0] - names[1]) == 2, "its body, and the dissolve that follows"
