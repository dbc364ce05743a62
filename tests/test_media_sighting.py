"""A photo is known again in a still, whatever its shape, size and place there; another, and bare paper, is not."""

import math

import cv2
import numpy as np
import pytest
from PIL import Image

from pipeline.media import frames, ground, motion, sighting, stage, verdict
from pipeline.media.expected import Expected, ExpectedShot
from pipeline.media.limits import LIMITS
from pipeline.media.motion import Box, choose_path
from pipeline.media.verdict import judge
from tests import samples
from tests.samples import CAT, COFFEE, LAUNCH, PORTRAIT, page_of_text, photo
from tests.test_media_verdict import measures

pytestmark = pytest.mark.render


@pytest.mark.parametrize(("zoom", "shade"), [(1.0, 1.0), (1.15, 0.8), (1.3, 1.1)])
def test_a_photo_is_known_again_in_part_closer_and_in_other_light(zoom, shade):
    whole = np.asarray(photo(1, (900, 1200)).convert("L"))
    w = 675 / zoom
    part = cv2.getRectSubPix(whole, (round(w), round(w * 16 / 9)), (430, 580))
    still = np.clip(cv2.resize(part, (360, 640), interpolation=cv2.INTER_AREA) * shade, 0, 255).astype(np.uint8)
    other = np.asarray(photo(2, (900, 1200)).convert("L"))
    assert sighting.photo_present(still, whole) > 0.8
    assert sighting.photo_present(still, other) < 0.6


@pytest.mark.parametrize("size", [(360, 640), (640, 360), (480, 480)])
def test_a_photo_is_known_again_as_a_card_on_its_own_blur(size):
    whole = np.asarray(photo(4, (1200, 900)).convert("L"))
    still = cv2.GaussianBlur(cv2.resize(whole, size), (0, 0), 20)
    width, middle = {360: 324, 640: 413, 480: 432}[size[0]], motion.on_ground(size)[2]
    card = cv2.resize(whole, (width, width * 3 // 4), interpolation=cv2.INTER_AREA)
    x, y = (size[0] - width) // 2, round(size[1] * middle) - card.shape[0] // 2
    still[max(0, y) : y + card.shape[0], x : x + width] = card[max(0, -y) :]
    assert sighting.photo_present(still, whole) > 0.8


def test_of_an_empty_sky_nothing_can_be_told():
    sky = np.tile(np.linspace(90, 160, 640)[:, None], (1, 360)).astype(np.uint8)
    assert math.isnan(sighting.photo_present(sky, np.asarray(photo(1).convert("L"))))


def test_of_what_grain_and_an_encoder_leave_in_an_even_picture_nothing_can_be_told_either():
    dice, even = np.random.default_rng(5), np.tile(np.linspace(90, 160, 640)[:, None], (1, 640))
    one, two = (even + 50 * cv2.GaussianBlur(dice.normal(size=even.shape), (0, 0), 3) for _ in range(2))
    assert math.isnan(sighting.sight(one.astype(np.uint8), two.astype(np.uint8)).likeness)


SHAPES = [(1080, 1920), (900, 1200), (1200, 900), (1920, 1080), (2400, 600), (600, 2400), (1000, 1000)]


@pytest.mark.render
@pytest.mark.parametrize("frame", [(720, 1280), (1280, 720), (720, 720)], ids=["tall", "wide", "square"])
@pytest.mark.parametrize("size", SHAPES, ids=[f"{w}x{h}" for w, h in SHAPES])
def test_every_shape_of_photo_is_known_again_in_every_shape_of_film_at_every_moment(tmp_path, frame, size):
    path = tmp_path / "photo.jpg"
    photo(4, size).save(path, quality=88)
    move = choose_path(size, frame, [], Box(0.25, 0.25, 0.5, 0.5), seconds=4, seed=3)
    made = stage.build(path, move, frame)
    # Not just any other: made-up photos may have a disc in common by chance, as the fourth and the fifth have.
    other = np.asarray(photo(6, size).convert("L"))
    told = 0
    for share in (0.1, 0.5, 0.9):
        out = frames.blank(*frame)
        made.draw(move, share, out)
        still = np.asarray(frames.to_image(out).convert("L"))
        present = sighting.photo_present(still, sighting.grey(path))
        if np.isnan(present):  # nothing but soft colour there, as in an empty sky
            continue
        told += 1
        assert 1 - present < LIMITS["photo"].warn
        # A thin strip has little to be told by: it must not be taken for another, which is enough to warn.
        thin = min(size) / max(size) < 0.4
        assert 1 - sighting.photo_present(still, other) > (LIMITS["photo"].warn if thin else LIMITS["photo"].fail)
    assert told


@pytest.mark.render
@pytest.mark.parametrize("frame", [(1080, 1920), (1920, 1080), (1080, 1080)], ids=["tall", "wide", "square"])
@pytest.mark.parametrize(
    "of", [samples.PORTRAIT, samples.COFFEE, samples.CAT, samples.MOON], ids=lambda path: path.stem
)
def test_a_small_photo_that_is_a_small_card_is_known_again(frame, of):
    with Image.open(of) as image:
        size = image.size
    assert max(size) < 700
    move = choose_path(size, frame, [], Box(0.25, 0.25, 0.5, 0.5), seconds=4, seed=3)
    made, out = stage.build(of, move, frame), frames.blank(*frame)
    other = samples.COFFEE if of != samples.COFFEE else samples.CAT
    for share in (0.1, 0.9):
        made.draw(move, share, out)
        still = np.asarray(frames.to_image(out).convert("L").resize((frame[0] * 2 // 3, frame[1] * 2 // 3)))
        assert 1 - sighting.sight(still, sighting.grey(of), scale=2 / 3).likeness < LIMITS["photo"].warn
        assert 1 - sighting.sight(still, sighting.grey(other), scale=2 / 3).likeness > LIMITS["photo"].fail


@pytest.mark.render
@pytest.mark.parametrize("frame", [(720, 1280), (1280, 720), (720, 720)], ids=["tall", "wide", "square"])
def test_a_page_of_writing_is_known_again_and_its_bare_paper_is_not_taken_for_anything(tmp_path, frame):
    path = page_of_text(tmp_path / "page.jpg")
    page, other = sighting.grey(path), np.asarray(photo(5, (900, 1200)).convert("L"))
    move = choose_path((900, 1200), frame, [], Box(0.25, 0.25, 0.5, 0.5), seconds=4, seed=3, whole=True)
    made, stills = stage.build(path, move, frame), {}
    place = ground.seen(move, 0.5, move.crop, frame).scaled(1 / frame[0], 1 / frame[1])
    for second in verdict.looks(Expected(*frame, 30, 4, shots=(ExpectedShot(0, 4, path),))):
        out = frames.blank(*frame)
        made.draw(move, second / 4, out)
        stills[second] = np.asarray(frames.to_image(out).convert("L"))
        assert sighting.sight(stills[second], other, thorough=True).likeness < 0.5
        assert sighting.sight(stills[second], page, place=place).likeness < 1
    shown = Expected(1080, 1920, 30, 30, shots=(ExpectedShot(0, 4, path, place=place),))
    assert judge(measures(stills=stills), shown).findings == ()


def likeness(sighting):
    return sighting.likeness


@pytest.mark.parametrize(
    ("frame", "path"),
    [((720, 720), COFFEE), ((1280, 720), CAT), ((1280, 720), LAUNCH)],
    ids=["square", "wide", "wide and plain"],
)
def test_a_photo_is_known_again_beside_what_is_written_across_it(frame, path):
    width, height = frame
    whole, other = sighting.grey(path), sighting.grey(PORTRAIT)
    move = choose_path(whole.shape[::-1], frame, [], Box(0.25, 0.25, 0.5, 0.5), seconds=4, seed=3)
    out = frames.blank(*frame)
    stage.build(path, move, frame).draw(move, 0.5, out)
    still = np.asarray(frames.to_image(out).convert("L")).copy()
    plain = sighting.sight(still, whole)
    words = Box(0.1 * width, 0.43 * height, 0.8 * width, 0.12 * height)
    still[round(words.y) : round(words.bottom), round(words.x) : round(words.right)] //= 5
    for line in (0.48, 0.54):
        at = round(words.x), round(line * height)
        cv2.putText(still, "and a cat that is in command", at, cv2.FONT_HERSHEY_DUPLEX, width / 700, 255, 3, 16)
    found = max((sighting.sight(still, whole, taken=[words], thorough=how) for how in (False, True)), key=likeness)
    assert sighting.sight(still, whole).likeness < 1 - LIMITS["photo"].warn < found.likeness
    assert found.scale == pytest.approx(plain.scale, rel=0.04)
    centre = [sight.place(Box(0.5, 0.5, 0, 0), whole) for sight in (plain, found)]
    assert max(abs(a - b) for a, b in zip(*centre, strict=True)) < 0.02 * width
    # The little that is left to tell by is enough for a warning about a wrong one.
    assert sighting.sight(still, other, taken=[words], thorough=True).likeness < 1 - LIMITS["photo"].warn


def _blotches(seed: int, size: float, strength: float) -> np.ndarray:
    """Soft blotches of that size in pixels and strength in grey levels, 720 × 720."""
    chance = np.random.default_rng(seed).standard_normal((720, 720)).astype(np.float32)
    drawn = cv2.GaussianBlur(chance, (0, 0), size)
    return drawn * (strength / float(drawn.std()))


@pytest.mark.parametrize(("strength", "plain"), [(5.0, True), (7.0, False)], ids=["nearly plain", "not so plain"])
def test_of_what_is_nearly_plain_half_a_likeness_is_no_evidence_against_a_photo(strength, plain):
    """An encoder's traces may be as strong as what little there is; a wrong photo is still told."""
    still = np.clip(120 + _blotches(1, 4.0, strength) + _blotches(9, 2.5, strength), 0, 255).astype(np.uint8)
    own, other = (np.clip(120 + _blotches(seed, 4.0, 8.0), 0, 255).astype(np.uint8) for seed in (1, 2))
    seen = sighting.sight(still, own).likeness
    assert np.isnan(seen) if plain else 0.6 < seen < 1 - LIMITS["photo"].warn
    assert sighting.sight(still, other).likeness < 1 - LIMITS["photo"].fail
