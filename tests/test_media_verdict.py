"""The judgement alone, on made-up measures: which figures become findings, and of what weight. No encoding."""

import dataclasses
import math

import numpy as np
import pytest
from PIL import Image

from pipeline.media import meters
from pipeline.media.expected import Expected, ExpectedShot
from pipeline.media.limits import LIMITS
from pipeline.media.probe import Color, Media
from pipeline.media.sound import Loudness
from pipeline.media.verdict import judge

from .samples import make_photo, page_of_text


def measures(**changes) -> meters.Measures:
    media = Media(1080, 1920, 30, 30, "h264", "High", "yuv420p", Color("bt709", "bt709", "bt709", "tv"),
                  "aac", 48_000, 2, True, 900, 30.0)  # fmt: skip
    good = meters.Measures(media, (), (), (), Loudness(-14.0, -1.9, 5.0), (), {})
    return dataclasses.replace(good, **changes)


FILM = Expected(1080, 1920, 30, 30)


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """Two made-up photos."""
    folder = tmp_path_factory.mktemp("photos")
    return [make_photo(folder / f"{seed}.jpg", seed, (600, 900)) for seed in (1, 2)]


def test_good_measures_pass():
    assert judge(measures(), FILM).verdict == "pass"


def test_every_limit_fails_later_than_it_warns_and_says_why():
    for limit in LIMITS.values():
        assert limit.warn < limit.fail
        assert limit.why


@pytest.mark.parametrize(
    ("changes", "code", "result"),
    [
        ({"black": ((0.0, 0.2),)}, "", "pass"),
        ({"black": ((3.0, 3.5),)}, "black", "warn"),
        ({"frozen": ((3.0, 4.2),)}, "", "pass"),
        ({"frozen": ((3.0, 7.0),)}, "freeze", "fail"),
        ({"silent": ((27.0, 30.0),)}, "", "pass"),
        ({"silent": ((26.0, 30.0),)}, "silence", "warn"),
        ({"silent": tuple((i * 3.0, i * 3.0 + 1.6) for i in range(10))}, "silence_share", "fail"),
        ({"loudness": Loudness(-14.6, -1.9, 5)}, "", "pass"),
        ({"loudness": Loudness(-13.1, -1.9, 5)}, "loudness", "warn"),
        ({"loudness": Loudness(-14.0, -1.1, 5)}, "true_peak", "warn"),
        ({"loudness": Loudness(-math.inf, -math.inf, 0)}, "loudness", "fail"),
        ({"blunt": 0.05}, "blunt", "warn"),
        ({"errors": ("[h264] [error] damaged",)}, "decode", "fail"),
    ],
)
def test_figures_become_findings_at_their_limits(changes, code, result):
    judged = judge(measures(**changes), FILM)
    assert judged.verdict == result
    assert [finding.code for finding in judged.findings] == ([code] if code else [])


def test_an_end_card_may_stand_still_a_shot_may_not(photos):
    shots = (ExpectedShot(0, 20, photos[0], filmed=True),)
    stands = measures(frozen=((21.0, 30.0),))
    moves = measures(frozen=((10.0, 30.0),))
    codes = [{f.code for f in judge(m, dataclasses.replace(FILM, shots=shots)).findings} for m in (stands, moves)]
    assert "freeze" not in codes[0]
    assert "freeze" in codes[1]


@pytest.mark.parametrize(
    ("seconds", "filmed", "code", "result"),
    [
        (1.8, False, "", "pass"),
        (7.0, False, "", "pass"),
        (1.6, False, "shot_short", "warn"),
        (1.6, True, "shot_short", "warn"),
        (0.7, False, "shot_short", "fail"),
        (8.0, False, "shot_long", "warn"),
        (12.0, True, "", "pass"),
    ],
)
def test_a_picture_has_its_time_and_no_more(photos, seconds, filmed, code, result):
    shots = (ExpectedShot(5, 5 + seconds + 0.5, photos[0], filmed=filmed),)
    judged = judge(measures(), dataclasses.replace(FILM, shots=shots))
    assert judged.verdict == result
    assert [f.code for f in judged.findings if f.code != "photo_plain"] == ([code] if code else [])


@pytest.mark.parametrize(
    ("scenes", "photos_shown", "found"),
    [
        ((1, 2), "AB", []),
        ((1, 1), "AA", []),
        ((None, None), "AA", []),
        ((1, 2), "AA", [("repeat", "warn", 3.0)]),
        ((1, 2), "AA on", []),
        ((1, 2), "Aa", [("repeat_like", "info", 3.0)]),
    ],
)
def test_the_same_photo_next_to_itself_is_noticed(tmp_path, photos, scenes, photos_shown, found):
    with Image.open(photos[0]) as picture:
        picture.resize((500, 750)).save(tmp_path / "again.jpg", quality=60)
    of = {"A": photos[0], "B": photos[1], "a": tmp_path / "again.jpg"}
    shots = tuple(
        ExpectedShot(3.0 * n, 3.0 * n + 3, of[name], scene=scene, goes_on=n == 1 and photos_shown.endswith("on"))
        for n, (name, scene) in enumerate(zip(photos_shown[:2], scenes, strict=True))
    )
    judged = judge(measures(), dataclasses.replace(FILM, shots=shots))
    told = [(f.code, f.severity, f.second) for f in judged.findings if f.code != "photo_plain"]
    assert told == found


def test_lightning_and_a_cut_in_a_filmed_take_are_worth_a_look(photos):
    still = np.full((450, 12, 8), 90, np.uint8)
    lightning, cut = still.copy(), still.copy()
    lightning[200] = 250
    cut[200:] = 200
    shots = tuple(ExpectedShot(0, 15, photos[0], filmed=filmed) for filmed in (True, False))
    for small, filmed, found in (
        (lightning, True, ("stray", "warn", 6.667)),
        (lightning, False, ("stray", "fail", 6.667)),
        (cut, True, ("jump", "warn", 6.667)),
        (cut, False, ("jump", "fail", 6.667)),
    ):
        shown = dataclasses.replace(FILM, shots=(shots[0 if filmed else 1],))
        judged = judge(measures(small=small), shown)
        assert [(f.code, f.severity, f.second) for f in judged.findings if f.second] == [found]


def test_a_shot_that_trembles_is_worth_a_look_unless_it_is_a_page_whose_lines_twinkle(photos, tmp_path):
    dice, still = np.random.default_rng(3), np.asarray(Image.open(photos[0]).convert("L").resize((80, 120)))
    small = np.stack([np.roll(still, dice.integers(-2, 3), axis=1) for _ in range(300)])
    for of, severity in ((photos[0], "fail"), (page_of_text(tmp_path / "page.jpg"), "info")):
        judged = judge(measures(small=small), dataclasses.replace(FILM, shots=(ExpectedShot(0, 6, of),)))
        assert [f.severity for f in judged.findings if f.code == "shake"] == [severity]


def test_the_worst_finding_comes_first():
    judged = judge(measures(black=((3.0, 3.5),), errors=("x",)), FILM)
    assert [finding.severity for finding in judged.findings] == ["fail", "warn"]
