"""The camera: faces stay whole at every moment, windows stay inside, neighbours move differently."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.media import captions, ground
from pipeline.media.motion import SEEN, SHARP, Box, CameraPath, choose_path, going_on, hull

pytestmark = pytest.mark.render

FRAMES = [(1080, 1920), (1920, 1080), (1080, 1080), (270, 480)]
MIDDLE = Box(0.25, 0.25, 0.5, 0.5)

box = st.builds(
    lambda x, y, w, h: Box(x * (1 - w), y * (1 - h), w, h),
    st.floats(0, 1),
    st.floats(0, 1),
    st.floats(0.02, 0.9),
    st.floats(0.02, 0.9),
)


def moments(path: CameraPath, count: int = 60) -> list[Box]:
    return [path.window(i / (count - 1)) for i in range(count)]


@settings(max_examples=120, deadline=None)
@given(
    photo=st.tuples(st.integers(300, 7000), st.integers(300, 7000)),
    frame=st.sampled_from(FRAMES),
    faces=st.lists(box, max_size=5),
    interest=box,
    seconds=st.floats(1, 8),
    seed=st.integers(0, 99),
)
def test_no_face_is_cut_at_any_moment_and_the_window_never_leaves_the_canvas(
    *, photo, frame, faces, interest, seconds, seed
):
    path = choose_path(photo, frame, faces, interest, seconds=seconds, seed=seed)
    canvas = Box(0, 0, *path.canvas)
    slack = 1e-6 * max(path.canvas)
    if path.fill:  # a panorama's ground is as long as the panorama
        assert min(a - b for a, b in zip(path.canvas, frame, strict=True)) >= -slack
        assert path.canvas == tuple(map(float, frame)) or max(photo) >= 2 * min(photo)
    else:
        assert path.canvas == tuple(map(float, photo))
    for window in moments(path, 25):
        assert canvas.holds(window, slack)
        assert window.w / window.h == pytest.approx(frame[0] / frame[1], rel=1e-6)
        for face in faces:
            assert window.holds(path.on_canvas(face), slack)
    for face in faces:
        assert path.crop.holds(face), "the card itself must not cut a face"


@settings(max_examples=100, deadline=None)
@given(photo=st.tuples(st.integers(300, 7000), st.integers(300, 7000)), frame=st.sampled_from(FRAMES))
def test_nothing_is_ever_stretched(photo, frame):
    path = choose_path(photo, frame, [], MIDDLE, seconds=4)
    across, down = path.card.w / (path.crop.w * photo[0]), path.card.h / (path.crop.h * photo[1])
    assert across == pytest.approx(down, rel=1e-6)


def test_a_card_on_its_ground_is_seen_whole_for_the_whole_move():
    path = choose_path((3000, 2000), (1080, 1920), [Box(0.4, 0.3, 0.1, 0.1)], MIDDLE, seconds=4)
    assert path.fill
    assert all(window.holds(path.card) for window in moments(path))


def test_a_card_in_a_tall_film_stays_above_two_rows_of_captions_however_it_moves():
    (_, deep), rows = (1080, 1920), 1248 - 200  # where two rows begin whose last one ends in the safe area
    for photo in ((900, 1200), (3000, 3000), (626, 1200), (2400, 1700)):
        for seed in range(12):
            path = choose_path(photo, (1080, 1920), [], MIDDLE, seconds=5, seed=seed, whole=True)
            lowest = max((path.card.bottom - window.y) / window.h * deep for window in moments(path, 9))
            assert lowest <= rows + 0.03 * deep, (photo, seed, path.kind)


@pytest.mark.parametrize("frame", [(1920, 1080), (1080, 1080)], ids=["wide", "square"])
@pytest.mark.parametrize("photo", [(900, 1200), (626, 1200), (2400, 1700), (3000, 1000)], ids=str)
def test_a_page_stays_above_two_rows_of_captions_in_films_that_are_not_tall(frame, photo):
    size = captions.type_size(frame)
    rows = captions.safe_area(frame).bottom - 2 * 1.42 * size - 2 * captions.pad(size)
    for seed in range(12):
        path = choose_path(photo, frame, [], MIDDLE, seconds=5, seed=seed, whole=True)
        for share in (0, 0.25, 0.5, 0.75, 1):
            page = ground.seen(path, share, path.crop, frame)
            assert page.bottom <= rows + 0.01 * frame[1], (seed, path.kind)
            assert Box(0, 0, *frame).holds(page), (seed, path.kind)


def test_a_crop_that_would_cut_one_of_two_faces_becomes_a_whole_photo_on_a_ground():
    apart = [Box(0.02, 0.3, 0.15, 0.2), Box(0.83, 0.3, 0.15, 0.2)]
    assert choose_path((3000, 3000), (1080, 1920), apart, MIDDLE, seconds=4).fill
    assert not choose_path((3000, 3000), (1080, 1920), apart[:1], MIDDLE, seconds=4).fill


def test_a_large_photo_of_the_frames_shape_fills_the_frame():
    assert not choose_path((3000, 4000), (1080, 1920), [], MIDDLE, seconds=4).fill
    assert not choose_path((4000, 3000), (1920, 1080), [], MIDDLE, seconds=4).fill


@settings(max_examples=150, deadline=None)
@given(
    photo=st.tuples(st.integers(300, 7000), st.integers(300, 7000)),
    frame=st.sampled_from(FRAMES),
    faces=st.lists(box, max_size=2),
    seed=st.integers(0, 99),
    whole=st.booleans(),
)
def test_no_photo_is_ever_enlarged_by_more_than_is_not_seen(*, photo, frame, faces, seed, whole):
    path = choose_path(photo, frame, faces, MIDDLE, seconds=5, seed=seed, whole=whole)
    on_canvas = path.card.w / (path.crop.w * photo[0])
    assert max(frame[0] / window.w for window in moments(path, 9)) * on_canvas <= SHARP * (1 + 1e-6)


@pytest.mark.parametrize(
    ("photo", "frame"), [((6000, 1500), (1080, 1920)), ((9000, 2000), (1080, 1080)), ((1200, 5000), (1920, 1080))]
)
def test_a_panorama_is_travelled_along_at_a_calm_pace_as_a_band_that_nearly_all_of_comes_by(photo, frame):
    path = choose_path(photo, frame, [], MIDDLE, seconds=5)
    assert (path.kind, path.fill) == ("travel", True)
    along = 0 if photo[0] > photo[1] else 1
    travelled = abs(path.end[along] - path.start[along])
    assert 0.5 * frame[along] <= travelled <= 0.2 * 5 * frame[along] * 1.001, "a fifth of the frame a second, not more"
    assert (travelled + frame[along]) / path.canvas[along] > 0.6
    steps = [b[along] - a[along] for a, b in pairwise(moments(path))]
    assert abs(steps[0]) < 0.3 * max(map(abs, steps)) > abs(steps[-1])


def test_a_journey_goes_back_when_its_photo_stays_and_never_dissolves_into_a_card_of_itself():
    for photo, frame in (((6000, 1500), (1080, 1920)), ((4000, 3000), (1080, 1920))):
        there = choose_path(photo, frame, [], MIDDLE, seconds=5)
        card = choose_path(photo, frame, [], MIDDLE, seconds=3, before=there.kind)
        back = going_on(there, card, 0.6)
        assert back is not None
        assert (there.kind, back.kind, card.kind == "travel", back.start) == ("travel", "travel", False, there.end)
        far, near = (abs(one.end.x - one.start.x) for one in (there, back))
        assert near == pytest.approx(0.6 * far)
        assert (back.end.x - back.start.x) * (there.end.x - there.start.x) < 0


def test_a_panorama_of_people_who_would_not_all_be_seen_at_once_is_shown_whole():
    row = [Box(0.05 + 0.15 * i, 0.3, 0.05, 0.3) for i in range(6)]
    assert choose_path((6000, 1500), (1080, 1920), row, MIDDLE, seconds=5).kind != "travel"
    close = [Box(0.5, 0.4, 0.03, 0.2), Box(0.55, 0.4, 0.03, 0.2)]
    assert choose_path((6000, 1500), (1080, 1920), close, MIDDLE, seconds=5).kind == "travel"


def test_a_long_photo_whose_people_leave_no_way_to_travel_is_moved_over_all_the_same():
    for seed in range(12):
        path = choose_path((970, 2204), (1920, 1080), [Box(0.39, 0.02, 0.44, 0.25)], MIDDLE, seconds=6, seed=seed)
        assert max(abs(a - b) for a, b in zip(path.start, path.end, strict=True)) > 0.02 * 1080, path.kind
        assert path.kind != "travel"
    # Too little of it would be seen beside them.
    far = choose_path((1200, 6600), (1920, 1080), [Box(0.39, 0.002, 0.44, 0.08)], MIDDLE, seconds=3)
    assert far.card.h <= 1080


def test_a_landscape_without_people_fills_a_tall_frame_where_most_of_it_comes_by():
    path = choose_path((4000, 3000), (1080, 1920), [], MIDDLE, seconds=5)
    assert (path.kind, path.fill) == ("travel", False)
    assert hull([path.start, path.end]).w >= SEEN * 4000
    assert choose_path((4000, 3000), (1080, 1920), [], MIDDLE, seconds=2).fill, "there is no time for most of it"
    assert choose_path((4000, 3000), (1080, 1920), [Box(0.4, 0.3, 0.1, 0.1)], MIDDLE, seconds=5).fill
    assert choose_path((4000, 3000), (1080, 1920), [], MIDDLE, seconds=5, before="travel").fill


def test_a_page_or_a_screenshot_is_shown_whole():
    for photo in ((1200, 2600), (3000, 4000), (6000, 1500)):
        for seed in range(9):
            path = choose_path(photo, (1080, 1920), [], MIDDLE, seconds=5, seed=seed, whole=True)
            assert (path.fill, path.crop) == (True, Box(0, 0, 1, 1))
            assert all(window.holds(path.card) for window in moments(path, 9))


def test_neighbours_never_make_the_same_move():
    dice = random.Random(5)
    for frame in FRAMES:
        before = None
        for seed in range(60):
            photo = dice.choice([(4032, 3024), (3024, 4032), (1200, 1200), (512, 512), (1600, 900)])
            path = choose_path(photo, frame, [], MIDDLE, seconds=dice.uniform(2, 6), seed=seed, before=before)
            assert path.kind != before
            assert {path.kind, before} != {"pull_out", "reveal"}
            before = path.kind


def test_all_kinds_of_move_are_made():
    kinds = {choose_path((3024, 4032), (1080, 1920), [], MIDDLE, seconds=4, seed=seed).kind for seed in range(40)}
    assert kinds == {"push_in", "pull_out", "drift", "reveal"}


def test_a_move_starts_and_stops_gently_and_never_stands_still_for_long():
    path = choose_path((3024, 4032), (1080, 1920), [], MIDDLE, seconds=4, seed=1)
    steps = [sum(abs(a - b) for a, b in zip(one, two, strict=True)) for one, two in pairwise(moments(path))]
    assert steps[0] < 0.3 * max(steps) > steps[-1]
    assert min(steps[5:-5]) > 0.2 * max(steps)


def test_the_same_photo_always_gets_the_same_path():
    asked = ((3024, 4032), (1080, 1920), [Box(0.4, 0.2, 0.2, 0.2)], MIDDLE)
    assert choose_path(*asked, seconds=4, seed=3) == choose_path(*asked, seconds=4, seed=3)
    assert len({choose_path(*asked, seconds=4, seed=seed) for seed in range(20)}) > 2


def test_where_a_face_is_on_the_screen_covers_the_whole_move():
    face = Box(0.4, 0.2, 0.2, 0.15)
    path = choose_path((3024, 4032), (1080, 1920), [face], MIDDLE, seconds=5, seed=2)
    place, area = path.on_canvas(face), path.on_screen(face, (1080, 1920))
    for w in moments(path):
        k = 1080 / w.w
        assert area.holds(Box((place.x - w.x) * k, (place.y - w.y) * k, place.w * k, place.h * k), slack=0.01)


def test_a_hull_holds_its_boxes():
    parts = [Box(0, 0, 1, 1), Box(2, 3, 1, 1)]
    assert hull(parts) == Box(0, 0, 3, 4)
