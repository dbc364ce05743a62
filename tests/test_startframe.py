"""The picture a shot starts from: the film's shape, no face cut, no longer than it need be."""

from __future__ import annotations

import pytest
from PIL import Image, ImageDraw

from pipeline.media import startframe
from pipeline.media.motion import Box

pytestmark = pytest.mark.render

TALL, WIDE, SQUARE = (1080, 1920), (1920, 1080), (1080, 1080)
ANYWHERE = Box(0.25, 0.25, 0.5, 0.5)


def head(x, y, w=0.1, h=0.12):
    return Box(x, y, w, h)


@pytest.mark.parametrize("shape", [TALL, WIDE, SQUARE])
@pytest.mark.parametrize("photo", [(4000, 3000), (3000, 4000), (2000, 2000), (6000, 1500)])
@pytest.mark.parametrize(
    "faces", [[], [head(0, 0)], [head(0.9, 0.88)], [head(0.45, 0.02)], [head(0.4, 0.3), head(0.55, 0.5)]]
)
def test_a_crop_has_the_films_shape_lies_in_the_photo_and_cuts_no_face(photo, shape, faces):
    part = startframe.crop(photo, shape, faces, ANYWHERE)
    if part is None:
        around = max(face.right for face in faces) - min(face.x for face in faces)
        tall = max(face.bottom for face in faces) - min(face.y for face in faces)
        assert around * photo[0] > photo[1] * shape[0] / shape[1] or tall * photo[1] > photo[0] * shape[1] / shape[0]
        return
    assert part.w / part.h == pytest.approx(shape[0] / shape[1])
    assert Box(0, 0, *photo).holds(part, 1e-6)
    assert all(part.holds(face.scaled(*photo), 1e-6) for face in faces)
    assert max(part.w / photo[0], part.h / photo[1]) == pytest.approx(1), "as large as can be"


def test_without_faces_what_stands_out_is_in_the_middle():
    part = startframe.crop((4000, 1000), SQUARE, [], Box(0.7, 0.2, 0.1, 0.2))
    assert part.x + part.w / 2 == pytest.approx(3000)


@pytest.fixture
def marked(tmp_path):
    """A grey photo with a red head at each of these places, and the picture made of it."""

    def make(faces, shape, size=(1600, 1200), **how):
        photo = Image.new("RGB", size, (120, 120, 120))
        for face in faces:
            box = face.scaled(*size)
            ImageDraw.Draw(photo).rectangle((box.x, box.y, box.right - 1, box.bottom - 1), fill=(230, 20, 20))
        photo.save(tmp_path / "photo.jpg", quality=95)
        made = startframe.write(tmp_path / "photo.jpg", tmp_path / "start.jpg", shape, faces, ANYWHERE, **how)
        with Image.open(tmp_path / "start.jpg") as picture:
            assert picture.size == made
            return picture.convert("RGB")

    return make


def reds(picture):
    """The share of red pixels."""
    red, green, _ = picture.resize((200, 200)).split()
    both = zip(red.tobytes(), green.tobytes(), strict=True)
    return sum(r > 150 and g < 80 for r, g in both) / 40_000


@pytest.mark.parametrize(("shape", "size"), [(TALL, (720, 1280)), (WIDE, (1280, 720)), (SQUARE, (1200, 1200))])
def test_a_start_picture_has_the_films_shape_and_is_no_longer_than_it_need_be(marked, shape, size):
    faces = [head(0.8, 0.1)]
    picture = marked(faces, shape)
    expected = startframe.seen((1600, 1200), shape, faces, ANYWHERE, faces)[0]
    assert picture.size == pytest.approx(size, abs=100)
    assert max(picture.size) <= startframe.LONGEST
    assert reds(picture) == pytest.approx(expected.w * expected.h, rel=0.1)
    middle = (expected.x + expected.w / 2) * picture.width, (expected.y + expected.h / 2) * picture.height
    assert picture.getpixel(tuple(map(int, middle)))[0] > 200


def test_faces_that_no_crop_can_hold_are_shown_whole_on_a_soft_ground(marked):
    faces = [head(0.02, 0.3), head(0.88, 0.3)]
    assert startframe.crop((1600, 1200), TALL, faces, ANYWHERE) is None
    picture = marked(faces, TALL)
    assert picture.size == (720, 1280)
    seen = startframe.seen((1600, 1200), TALL, faces, ANYWHERE, faces)
    assert all(face.x >= 0 and face.right <= 1 for face in seen)
    assert reds(picture) == pytest.approx(sum(face.w * face.h for face in seen), rel=0.1)


def test_a_small_photo_is_enlarged_and_no_film_is_too_small(marked):
    assert marked([], TALL, size=(300, 400)).size == (404, 720)
    assert marked([], TALL, longest=320).size == (180, 320)
