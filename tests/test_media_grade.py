"""Photos of one film: the dark ones and those with a cast are nudged, the others are left alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pipeline.media import grade, pages

from . import samples

pytestmark = pytest.mark.render


def pixels(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        small = image.convert("RGB")
        small.thumbnail((256, 256))
        return np.asarray(small)


def graded(rgb: np.ndarray) -> np.ndarray:
    table = grade.look_up(rgb)
    return rgb if table is None else grade.apply(rgb, table)


def test_a_photo_that_is_well_is_left_alone():
    assert grade.look_up(pixels(samples.MOON)) is None
    assert grade.look_up(pixels(samples.COFFEE)) is None


def test_a_dark_photo_comes_up_and_a_light_one_down_and_neither_all_the_way():
    photo = pixels(samples.PORTRAIT).astype(float)
    for wrong in (photo * 0.35, 255 - (255 - photo) * 0.35):
        given = wrong.astype(np.uint8)
        was, now = abs(given.mean() - 120), abs(graded(given).mean() - 120)
        assert 0.4 * was < now < 0.95 * was


def test_faces_can_be_made_out_in_a_photo_taken_with_far_too_little_light():
    for path in (samples.PORTRAIT, *samples.FACES):
        dark = (pixels(path) / 7).astype(np.uint8)
        assert graded(dark).mean() > 2.4 * dark.mean(), path.name


def test_a_night_with_its_lights_stays_a_night():
    night = np.full((200, 300, 3), 12, np.uint8)
    night[40:60, 100:140] = 255
    assert grade.look_up(night) is None


@pytest.mark.parametrize("cast", [(1.1, 1.0, 0.9), (0.92, 1.0, 1.08), (1.0, 1.1, 1.0)])
def test_half_of_a_cast_goes_and_never_towards_orange(cast):
    photo = (np.clip(pixels(samples.MOON) * np.array(cast), 0, 255)).astype(np.uint8)
    was, now = photo.reshape(-1, 3).mean(axis=0), graded(photo).reshape(-1, 3).mean(axis=0)
    assert np.ptp(now) <= np.ptp(was)
    assert now[0] <= was[0] + 0.5, "red has grown"
    assert now[2] >= was[2] - 0.5, "blue has shrunk"


def test_black_stays_black_white_stays_white_and_greys_stay_in_order():
    for path in (*samples.STORY, *samples.FACES):
        table = grade.look_up(pixels(path))
        if table is not None:
            assert (table[0] == 0).all()
            assert (table[255] == 255).all()
            assert (np.diff(table.astype(int), axis=0) >= 0).all()


def test_the_same_photo_is_graded_alike_at_any_size():
    with Image.open(samples.LAUNCH) as image:
        whole = image.convert("RGB")
    tables = [grade.look_up(np.asarray(whole.resize(size))) for size in ((600, 400), (120, 80))]
    assert (tables[0] is None) == (tables[1] is None)
    if tables[0] is not None:
        assert np.abs(tables[0].astype(int) - tables[1]).max() <= 3


def test_pages_and_screens_are_told_from_photographs(tmp_path):
    page = samples.page_of_text(tmp_path / "page.jpg")
    under_a_lamp = tmp_path / "lamp.jpg"
    with Image.open(page) as image:
        flat = np.asarray(image).astype(float)
    light = np.linspace(0.7, 1.0, flat.shape[1])[None, :, None] * np.array([1, 0.97, 0.9])
    noise = np.random.default_rng(1).normal(0, 2, flat.shape)
    Image.fromarray((flat * light + noise).clip(0, 255).astype(np.uint8)).save(under_a_lamp, quality=85)
    assert pages.is_page(page)
    assert pages.is_page(under_a_lamp)
    assert pages.is_page(samples.chat(tmp_path / "chat.png"))
    others = [*samples.STORY, *samples.FACES, samples.group(tmp_path / "group.jpg")]
    others += [samples.make_photo(tmp_path / f"{seed}.jpg", seed, (900, 1200)) for seed in range(4)]
    others += [samples.dark(tmp_path / "dark.jpg"), samples.blurred(tmp_path / "blurred.jpg")]
    assert [path.name for path in others if pages.is_page(path)] == []
