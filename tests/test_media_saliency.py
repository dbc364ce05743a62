"""What the camera keeps in view: the faces, or what stands out."""

import pytest
from PIL import Image

from pipeline.media import saliency
from tests import samples

pytestmark = pytest.mark.render


def holds(box, x, y):
    return box[0] <= x <= box[0] + box[2] and box[1] <= y <= box[1] + box[3]


# Looked up in the pictures by eye, in fractions: what a person would point at.
@pytest.mark.parametrize(
    ("path", "points"),
    [
        (samples.LAUNCH, [(0.50, 0.40), (0.50, 0.85)]),  # the rocket's tip and foot
        (samples.COFFEE, [(0.47, 0.38), (0.36, 0.68), (0.60, 0.68)]),  # the coffee, the handle, the spoon
        (samples.CAT, [(0.38, 0.38), (0.70, 0.45), (0.57, 0.80)]),  # both eyes, the nose
        (samples.MOON, [(0.68, 0.22), (0.50, 0.85)]),  # the crater with the bright rim, the dark field
    ],
)
def test_the_box_holds_what_a_person_would_point_at(path, points):
    box = saliency.interest(path)
    assert all(holds(box, *point) for point in points), box
    assert box[2] * box[3] < 0.6


def test_every_box_lies_inside_the_picture_and_is_large_enough_to_show(tmp_path):
    flat = tmp_path / "flat.jpg"
    Image.new("RGB", (400, 300), "grey").save(flat)
    wide = samples.make_photo(tmp_path / "wide.jpg", 2, (1600, 220))
    for path in (*samples.STORY, flat, wide):
        x, y, width, height = saliency.interest(path)
        assert min(x, y) >= 0
        assert x + width <= 1.0001
        assert y + height <= 1.0001
        assert min(width, height) >= 0.3


def test_one_bright_thing_on_a_plain_ground_is_found(tmp_path):
    picture = Image.new("RGB", (800, 600), (40, 60, 50))
    picture.paste((230, 60, 30), (480, 200, 600, 340))
    picture.save(tmp_path / "a.png")
    box = saliency.interest(tmp_path / "a.png")
    assert all(holds(box, x, y) for x, y in [(0.61, 0.35), (0.74, 0.55)])
    assert box[2] * box[3] < 0.2


def test_with_faces_the_box_holds_all_of_them_with_room_around():
    box = saliency.interest(samples.PORTRAIT, [(0.2, 0.2, 0.1, 0.15), (0.6, 0.3, 0.1, 0.15)])
    assert box[0] < 0.2
    assert box[1] < 0.2
    assert box[0] + box[2] > 0.7
    assert box[1] + box[3] > 0.45


def test_a_face_at_the_edge_keeps_the_box_inside():
    x, y, width, height = saliency.interest(samples.PORTRAIT, [(0.0, 0.0, 0.05, 0.05)])
    assert (x, y) == (0.0, 0.0)
    assert (width, height) == (0.3, 0.3)
