"""Finding faces, the whole check of one photo with what it tells the fan, and that of a vendor's take."""

import json

import cv2
import numpy as np
import pytest
from PIL import Image, ImageFile

from pipeline.media import faces, ffmpeg, photocheck, resemblance, startframe, stills, takecheck
from pipeline.media.limits import LIMITS
from pipeline.media.motion import Box
from tests import samples

pytestmark = pytest.mark.render


def inside(box, x, y):
    return box[0] <= x <= box[0] + box[2] and box[1] <= y <= box[1] + box[3]


@pytest.mark.render
def test_the_portrait_has_one_face_with_hair_and_chin_in_its_box():
    found = faces.find_faces(samples.PORTRAIT)
    assert found.turned == 0
    (box,) = found.boxes
    assert inside(box, 0.45, 0.08)  # hair
    assert inside(box, 0.45, 0.34)  # chin
    assert box[2] * box[3] < 0.1


@pytest.mark.render
@pytest.mark.parametrize("path", samples.FACES, ids=lambda path: path.stem)
def test_each_official_portrait_has_exactly_one_face(path):
    found = faces.find_faces(path)
    assert (len(found.boxes), found.turned) == (1, 0)


@pytest.mark.render
@pytest.mark.parametrize("path", samples.STORY[1:], ids=lambda path: path.stem)
def test_rocket_galaxies_moon_cup_and_cat_have_no_face(path):
    assert faces.find_faces(path) == faces.Faces(())


@pytest.mark.render
def test_made_up_photos_and_pages_have_no_face(tmp_path):
    for seed in range(2):
        assert faces.find_faces(samples.make_photo(tmp_path / "a.jpg", seed, (900, 1200))) == faces.Faces(())
    assert faces.find_faces(samples.page_of_text(tmp_path / "b.jpg")) == faces.Faces(())


@pytest.mark.render
@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_a_portrait_on_its_side_is_found_and_the_turn_puts_it_upright(degrees, tmp_path):
    found = faces.find_faces(samples.on_its_side(tmp_path / "a.jpg", degrees))
    assert found.turned == 360 - degrees
    (box,) = found.boxes
    assert inside(box, 0.45, 0.2)


@pytest.mark.render
@pytest.mark.parametrize("head", [110, 260])
def test_everyone_in_a_group_is_found_once(head, tmp_path):
    found = faces.find_faces(samples.group(tmp_path / "a.jpg", head))
    assert (len(found.boxes), found.turned) == (8, 0)


@pytest.mark.render
def test_looking_for_faces_does_not_make_the_process_accept_half_photos():
    faces.find_faces(samples.CAT)
    assert ImageFile.LOAD_TRUNCATED_IMAGES is False


@pytest.mark.render
def test_a_check_gives_clean_files_facts_and_sentences(tmp_path):
    source = samples.make_photo(
        tmp_path / "up.jpg", 1, (900, 1200), taken="2024:06:01 10:00:00", offset="+02:00", orientation=6
    )
    checked = photocheck.check(source, tmp_path)
    assert (checked.width, checked.height, checked.rotated, checked.turned) == (900, 1200, True, 0)
    assert (checked.taken_at, checked.taken_on) == ("2024-06-01T10:00:00+02:00", "2024-06-01")
    assert checked.warnings == ("rotated", "no_face")
    assert checked.shape == "portrait"
    with Image.open(checked.file) as photo, Image.open(checked.thumb) as thumb:
        assert photo.size == (900, 1200)
        assert max(thumb.size) == 480
    assert photocheck.sentences(checked) == [
        ("No face found – we follow what stands out", {}),
        ("Turned upright", {}),
    ]


@pytest.mark.render
def test_a_photo_whose_face_lies_on_its_side_is_stored_upright(tmp_path):
    checked = photocheck.check(samples.on_its_side(tmp_path / "side.jpg"), tmp_path)
    assert checked.turned == 270
    assert "rotated" in checked.warnings
    assert faces.find_faces(checked.file).turned == 0
    assert inside(checked.interest, 0.45, 0.2)


@pytest.mark.render
def test_a_check_is_the_same_the_second_time_and_comes_back_from_json(tmp_path):
    source = samples.make_photo(tmp_path / "a.jpg", 3, (600, 800))
    first = photocheck.check(source, tmp_path)
    assert photocheck.check(source, tmp_path) == first
    back = photocheck.PhotoCheck.from_json(json.loads(json.dumps(first.to_json())) | {"newer": 1})
    assert back.to_json() == first.to_json()
    assert str(tmp_path) not in json.dumps(first.to_json())


@pytest.mark.render
def test_a_repeated_blurred_dark_or_small_photo_is_pointed_out(tmp_path):
    first = photocheck.check(samples.make_photo(tmp_path / "a.jpg", 3, (600, 800)), tmp_path)
    again = photocheck.check(
        samples.make_photo(tmp_path / "b.jpg", 3, (450, 600), quality=60),
        tmp_path,
        others=[(1, "0" * 16), (3, first.hash)],
    )
    assert again.like == 3
    assert again.warnings == ("no_face", "small", "duplicate")
    assert ("Very like photo %(number)d – one of them is enough", {"photo": 3}) in photocheck.sentences(again)
    assert "blurred" in photocheck.check(samples.blurred(tmp_path / "c.jpg"), tmp_path).warnings
    assert "dark" in photocheck.check(samples.dark(tmp_path / "d.jpg"), tmp_path).warnings


@pytest.mark.render
def test_half_a_photo_is_refused_also_after_faces_were_looked_for(tmp_path):
    faces.find_faces(samples.CAT)
    with pytest.raises(stills.PhotoFault):
        photocheck.check(samples.truncated(tmp_path / "a.jpg"), tmp_path)


def test_photos_are_ordered_by_when_they_were_taken():
    assert photocheck.order_by_date(["2024-03-01T10:00:00", "2022-01-01T10:00:00", "2023-01-01T10:00:00"]) == [1, 2, 0]


def test_undated_photos_stay_behind_the_photo_they_came_with():
    days = [None, "2024-03-01T10:00:00", "", None, "2022-01-01T10:00:00", None]
    assert photocheck.order_by_date(days) == [0, 4, 5, 1, 2, 3]
    assert photocheck.order_by_date([None, "", None]) == [0, 1, 2]
    assert photocheck.order_by_date([]) == []


def test_zones_count_when_all_have_one_and_clocks_when_not():
    east, west = "2024-01-01T10:00:00+09:00", "2024-01-01T09:00:00-05:00"
    assert photocheck.order_by_date([west, east]) == [1, 0]
    assert photocheck.order_by_date([east, west, "2024-01-01T08:00:00"]) == [2, 1, 0]


def test_photos_of_the_same_moment_stay_as_uploaded():
    moment = "2024-01-01T10:00:00"
    assert photocheck.order_by_date([moment, "2023-01-01T10:00:00", moment]) == [1, 0, 2]


# --- a vendor's take --------------------------------------------------------------------------------------------------

SHAPE, TAKE_FPS, TAKE_FRAMES = (360, 640), 10, 20
HEAD, ABOUT = Box(0.33, 0.0, 0.3, 0.36), Box(0.25, 0.0, 0.5, 0.6)


@pytest.fixture(scope="module")
def start(tmp_path_factory):
    """What the vendor is given of the portrait: BGR, in its size."""
    out = tmp_path_factory.mktemp("start") / "start.jpg"
    startframe.write(samples.PORTRAIT, out, SHAPE, [HEAD], ABOUT)
    return cv2.imread(str(out))


def closer(start, zoom):
    """The start picture, seen closer around its middle."""
    height, width = start.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 5), 0, zoom)
    return cv2.warpAffine(start, turn, (width, height), flags=cv2.INTER_LINEAR)


def guest(start, share):
    """From a third of the way on, somebody else stands below."""
    frame = closer(start, 1 + 0.15 * share)
    if share > 0.3:
        stranger = cv2.imread(str(samples.FACES[2]))[20:570, 330:880]
        side = frame.shape[1] // 3
        frame[-side - 60 : -60, 30 : 30 + side] = cv2.resize(stranger, (side, side))
    return frame


def melted(start, share):
    """The picture runs in whorls, more and more."""
    height, width = start.shape[:2]
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    wave = 0.06 * width * min(1.0, 3 * share)
    return cv2.remap(
        start, x + wave * np.sin(y / (0.03 * width)), y + wave * np.sin(x / (0.03 * width)), cv2.INTER_LINEAR
    )


def swelling(start, share):
    """The head is more than twice as large from one moment to the next, and whole."""
    height, width = start.shape[:2]
    if share < 0.6:
        return start
    turn = np.float32([[2.2, 0, width * (0.5 - 2.2 * 0.416)], [0, 2.2, height * (0.5 - 2.2 * 0.224)]])
    return cv2.warpAffine(start, turn, (width, height), borderMode=cv2.BORDER_REPLICATE)


def round_it(start, share):
    """The camera goes round a little: one side comes nearer."""
    height, width = start.shape[:2]
    lean = 0.12 * share
    corners = np.float32([[0, 0], [width, 0], [width, height], [0, height]])
    seen = np.float32(
        [[0, 0], [width * (1 - lean), height * lean], [width * (1 - lean), height * (1 - lean)], [0, height]]
    )
    return cv2.warpPerspective(start, cv2.getPerspectiveTransform(seen, corners), (width, height))


def fades_away(start, share):
    """In its last third it becomes another picture, with a face where the face was."""
    height, width = start.shape[:2]
    other = cv2.imread(str(samples.FACES[1]))[150:850, 60:560]
    return cv2.addWeighted(start, 1 - (late := max(0.0, 3 * share - 2)), cv2.resize(other, (width, height)), late, 0)


def melts_late(start, share):
    """Good until its last quarter."""
    return start if share < 0.78 else melted(start, 1.0)


def becomes_another(start, share):
    """The face becomes somebody else's, in its place and size; all else stays."""
    if share < 0.4:
        return start
    frame, (x, y, size) = start.copy(), face_of(start)
    stranger = cv2.imread(str(samples.FACES[2]))[60:600, 350:850]
    patch = cv2.resize(stranger, (size, size))
    soft = np.zeros((size, size), np.float32)
    cv2.ellipse(soft, (size // 2, size // 2), (size // 2 - 4, size // 2 - 4), 0, 0, 360, 1, -1)
    soft = cv2.GaussianBlur(soft, (0, 0), 3)[..., None]
    under = frame[y : y + size, x : x + size]
    frame[y : y + size, x : x + size] = (patch * soft + under * (1 - soft)).astype(np.uint8)
    return frame


def face_of(start):
    """Left, top and size in pixels of a square around the largest head of a start picture."""
    height, width = start.shape[:2]
    head = faces.heads(cv2.cvtColor(start, cv2.COLOR_BGR2GRAY))[0].scaled(width, height)
    size = round(max(head.w, head.h))
    return max(0, round(head.x + head.w / 2 - size / 2)), max(0, round(head.y)), size


TAKES = {
    "good": (lambda start, share: closer(start, 1 + 0.3 * share), []),
    "that goes round": (round_it, []),
    "of another photo": (lambda start, share: cv2.imread(str(samples.COFFEE)), ["take_start", "take_faceless"]),
    "with a guest": (guest, ["take_people"]),
    "melted": (melted, ["take_faceless"]),
    "melting at its end": (melts_late, ["take_end"]),
    "ending as another picture": (fades_away, ["take_end"]),
    "swelling": (swelling, ["take_size"]),
}


def take(folder, start, draw):
    """A vendor's clip, each frame drawn by `draw` from the start picture and the share of its length."""
    raw, clip = folder / "take.bgr", folder / "take.mp4"
    frames = (cv2.resize(draw(start, n / (TAKE_FRAMES - 1)), SHAPE) for n in range(TAKE_FRAMES))
    raw.write_bytes(b"".join(frame.tobytes() for frame in frames))
    size = f"{SHAPE[0]}x{SHAPE[1]}"
    source = ["-f", "rawvideo", "-pix_fmt", "bgr24", "-s", size, "-r", str(TAKE_FPS), "-i", raw]
    ffmpeg.run([*source, "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", clip], timeout=60)
    return clip


@pytest.mark.parametrize("kind", TAKES)
def test_a_take_of_use_passes_and_each_other_is_found_out(tmp_path, start, kind):
    draw, fails = TAKES[kind]
    found = takecheck.check(take(tmp_path, start, draw), samples.PORTRAIT, SHAPE, [HEAD], ABOUT, tmp_path)
    assert {finding.code for finding in found if finding.severity == "fail"} >= set(fails)
    assert all(finding.second is not None and finding.figure is not None for finding in found)
    assert found if fails else not found


@pytest.mark.parametrize(
    ("draw", "fails"),
    [(becomes_another, ["take_person"]), (TAKES["good"][0], []), (round_it, [])],
    ids=["another", "closer", "round"],
)
def test_who_is_filmed_stays_who_they_are_where_the_fan_let_us_ask(tmp_path, start, draw, fails):
    clip = take(tmp_path, start, draw)
    for alike, wanted in ((True, fails), (False, [])):
        found = takecheck.check(clip, samples.PORTRAIT, SHAPE, [HEAD], ABOUT, tmp_path, alike=alike)
        assert [one.code for one in found if one.severity == "fail" and one.code == "take_person"] == wanted


def test_two_photos_of_one_person_are_nearer_than_two_persons():
    seen = []
    for path in samples.FACES:
        picture = np.asarray(Image.open(path).convert("RGB"))
        heads = [Box(*box) for box in faces.find_faces(path).boxes]
        seen.append((picture, heads))
    (first, heads), *others = seen
    same, other = resemblance.apart(first, heads[0], others)
    assert same < LIMITS["take_person"].warn < LIMITS["take_person"].fail < other
    assert resemblance.apart(first, heads[0], [(first, [])]) == [None]
