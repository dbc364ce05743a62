"""Which photo a film ends on: good ones before odd ones, and never against an order that means something."""

import itertools

import pytest

from pipeline.media.best import best_last, score

FACE = [0.4, 0.2, 0.2, 0.3]
PLAIN = {"faces": [], "sharpness": 0.03, "brightness": 0.7, "warnings": ["no_face"], "taken_at": ""}
GOOD = PLAIN | {"faces": [FACE], "warnings": []}


def of(day: str, facts: dict) -> dict:
    return facts | {"taken_at": f"{day}T12:00:00" if day else ""}


@pytest.mark.parametrize(
    "worse",
    [
        PLAIN,
        GOOD | {"warnings": ["page"]},
        GOOD | {"warnings": ["duplicate"]},
        GOOD | {"sharpness": 0.006, "warnings": ["blurred"]},
        GOOD | {"brightness": 0.2, "warnings": ["dark"]},
        GOOD | {"faces": [[0.4, 0.2, 0.02, 0.03]]},
        {},
    ],
)
def test_a_sharp_bright_photo_with_a_face_is_better_than(worse):
    assert score(GOOD) > score(worse)


def test_two_together_are_a_better_end_than_one_alone():
    assert score(GOOD | {"faces": [FACE, FACE]}) > score(GOOD)


def test_the_best_photo_goes_to_the_end_and_the_others_keep_their_order():
    assert best_last([PLAIN, GOOD, PLAIN, PLAIN]) == [0, 2, 3, 1]


def test_nothing_moves_where_nothing_is_clearly_better():
    assert best_last([GOOD, GOOD | {"sharpness": 0.04}, GOOD]) == [0, 1, 2]
    assert best_last([]) == []
    assert best_last([{}]) == [0]


def test_days_are_a_story_and_only_the_last_one_is_free():
    days = [of("2019-05-01", GOOD), of("2020-05-01", PLAIN), of("2021-05-01", PLAIN)]
    assert best_last(days) == [0, 1, 2]
    assert best_last([*days[:2], of("2021-05-01", GOOD), days[2]]) == [0, 1, 3, 2]


def test_photos_of_one_day_or_of_none_are_free():
    for day in ("", "2021-05-01"):
        assert best_last([of(day, GOOD), of(day, PLAIN)]) == [1, 0]


def test_putting_the_best_last_again_changes_nothing():
    kinds = [PLAIN, GOOD, GOOD | {"faces": [FACE, FACE]}, GOOD | {"warnings": ["page"]}]
    for photos in itertools.permutations(kinds):
        once = [photos[index] for index in best_last(photos)]
        assert best_last(once) == [0, 1, 2, 3]
