"""Photos as they come in: what is refused and why, what the clean JPEG is, and when two photos are the same."""

import io
import itertools
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFile

from pipeline.media import likeness, stills
from tests import samples

pytestmark = pytest.mark.render


def refused(source: Path | bytes) -> str:
    with pytest.raises(stills.PhotoFault) as caught:
        stills.look(source)
    return caught.value.code


def mean(path: Path, box: tuple[int, int, int, int]) -> tuple[int, ...]:
    with Image.open(path) as image:
        return tuple(int(v) for v in np.asarray(image.crop(box)).reshape(-1, 3).mean(axis=0))


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (samples.empty, "empty"),
        (samples.pdf, "not_a_photo"),
        (samples.svg, "not_a_photo"),
        (samples.gif, "not_a_photo"),
        (samples.html, "not_a_photo"),
        (samples.big, "too_big"),
    ],
)
def test_a_file_that_is_no_photo_of_ours_is_refused_whatever_it_is_called(make, code, tmp_path):
    assert refused(make(tmp_path / "photo.jpg")) == code


def test_a_decompression_bomb_is_refused_by_its_header(tmp_path):
    bomb = samples.png_of_size(tmp_path / "bomb.png", 9000, 9000, rows=10)
    assert bomb.stat().st_size < 20_000
    assert refused(bomb) == "too_many_pixels"


@pytest.mark.parametrize(
    ("width", "height", "code"),
    [(40000, 30000, "too_many_pixels"), (199, 900, "too_small"), (2**31 - 1, 2**31 - 1, "too_many_pixels")],
)
def test_absurd_and_tiny_sizes_are_refused_by_the_header(width, height, code, tmp_path):
    assert refused(samples.png_of_size(tmp_path / "a.png", width, height, rows=0)) == code


def test_a_very_long_picture_is_refused(tmp_path):
    assert refused(samples.png_of_size(tmp_path / "a.png", 3000, 300, rows=0)) == "too_narrow"


def test_fifty_megapixels_pass_and_one_row_more_does_not(tmp_path):
    assert stills.look(samples.png_of_size(tmp_path / "a.png", 8000, 6250, rows=0)).width == 8000
    assert refused(samples.png_of_size(tmp_path / "b.png", 8000, 6251, rows=0)) == "too_many_pixels"


def test_a_phones_photo_of_48_megapixels_is_taken(tmp_path):
    still = stills.ingest(samples.jpeg_48mp(tmp_path / "phone.jpg"), tmp_path / "clean.jpg")
    assert (still.source_width, still.source_height, still.width, still.height) == (8000, 6000, 3000, 2250)


def test_every_fault_has_a_sentence_without_loose_ends():
    for code in stills.FAULTS:
        fault = stills.PhotoFault(code)
        assert fault.sentence.endswith((".", "?"))
        assert "%" not in fault.sentence
        assert fault.msgid % fault.params == fault.sentence
    assert "15 MB" in stills.PhotoFault("too_big").sentence


def test_a_look_reads_paths_bytes_and_streams_and_leaves_a_stream_open_at_its_start():
    data = samples.jpeg_bytes()
    header = stills.Header(600, 800, "JPEG", animated=False)
    stream = io.BytesIO(data)
    stream.seek(100)
    assert stills.look(data) == header
    assert stills.look(stream) == header
    assert not stream.closed
    assert stream.tell() == 0


def test_bytes_decide_the_format_not_the_name(tmp_path):
    (tmp_path / "holiday.pdf").write_bytes(samples.jpeg_bytes())
    assert stills.look(tmp_path / "holiday.pdf").format == "JPEG"
    assert stills.look(samples.mpo(tmp_path / "phone.jpg")) == stills.Header(600, 800, "JPEG", animated=False)
    assert stills.look(samples.animated_webp(tmp_path / "moving.webp")) == stills.Header(
        480, 640, "WEBP", animated=True
    )


@pytest.mark.parametrize("turned_on_elsewhere", [False, True])
@pytest.mark.parametrize("name", ["half.jpg", "half.png", "half.webp"])
def test_half_a_photo_is_refused_and_leaves_nothing_behind(name, turned_on_elsewhere, tmp_path, monkeypatch):
    # face_recognition turns this on for the whole process when it is imported.
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", turned_on_elsewhere)
    half = samples.truncated(tmp_path / name)
    with pytest.raises(stills.PhotoFault) as caught:
        stills.ingest(half, tmp_path / "out.jpg")
    assert caught.value.code == "incomplete"
    assert sorted(tmp_path.iterdir()) == [half]


@pytest.mark.parametrize("orientation", range(2, 9))
def test_every_orientation_note_ends_upright(orientation, tmp_path):
    upright = samples.photo(5, (300, 400))
    still = stills.ingest(
        samples.make_photo(tmp_path / "a.jpg", 5, (300, 400), orientation=orientation), tmp_path / "out.jpg"
    )
    with Image.open(tmp_path / "out.jpg") as image:
        difference = np.abs(np.asarray(image).astype(int) - np.asarray(upright).astype(int)).mean()
    assert (still.width, still.height, still.rotated) == (300, 400, True)
    assert difference < 12


def test_the_clean_photo_carries_no_notes_no_place_and_no_stowaways(tmp_path):
    source = samples.make_photo(tmp_path / "a.jpg", 1, (400, 500), taken="2024:06:01 10:00:00", place=True)
    assert b"PHONE-MAKER-MARK" in source.read_bytes()
    stills.ingest(source, tmp_path / "out.jpg")
    stills.ingest(samples.polyglot(tmp_path / "b.jpg"), tmp_path / "out2.jpg")
    with Image.open(tmp_path / "out.jpg") as image:
        assert not image.getexif()
        assert "icc_profile" not in image.info
    for out in ("out.jpg", "out2.jpg"):
        data = (tmp_path / out).read_bytes()
        assert b"MARK" not in data
        assert b"Exif" not in data
        assert data.endswith(b"\xff\xd9")


def test_a_large_photo_is_scaled_and_its_bands_join_without_a_seam(tmp_path):
    across, down = np.meshgrid(np.arange(1400), np.arange(1000))
    ramp = ((across + down) * 255 / 2400).astype(np.uint8)
    Image.fromarray(ramp).save(tmp_path / "a.png")
    still = stills.ingest(tmp_path / "a.png", tmp_path / "out.jpg", longest=700)
    with Image.open(tmp_path / "out.jpg") as image:
        steps = np.diff(np.asarray(image.convert("L")).astype(int), axis=0)
        whole = np.asarray(Image.fromarray(ramp).resize((700, 500), Image.Resampling.LANCZOS)).astype(int)
        assert np.abs(np.asarray(image.convert("L")).astype(int) - whole).max() <= 3
    assert (still.width, still.height, still.source_width) == (700, 500, 1400)
    assert np.abs(steps).max() <= 3


def test_a_small_photo_is_not_enlarged(tmp_path):
    still = stills.ingest(samples.make_photo(tmp_path / "a.jpg", 1, (300, 240)), tmp_path / "out.jpg")
    assert (still.width, still.height) == (300, 240)


def test_transparency_becomes_white(tmp_path):
    stills.ingest(samples.transparent_png(tmp_path / "a.png"), tmp_path / "out.jpg")
    assert min(mean(tmp_path / "out.jpg", (220, 20, 380, 380))) > 250
    red, green, blue = mean(tmp_path / "out.jpg", (20, 20, 180, 380))
    assert (red > 245, green < 10, blue < 10) == (True, True, True)


def test_the_colour_profile_is_followed(tmp_path):
    stills.ingest(samples.profiled_jpeg(tmp_path / "a.jpg"), tmp_path / "out.jpg")
    red, green, _ = mean(tmp_path / "out.jpg", (50, 50, 350, 350))
    assert green > 200
    assert red < 60


@pytest.mark.parametrize("profile", [b"x" * 300, samples.swapped_profile()[:180]])
def test_a_broken_colour_profile_does_not_cost_the_photo(profile, tmp_path):
    stills.ingest(samples.profiled_jpeg(tmp_path / "a.jpg", profile), tmp_path / "out.jpg")
    assert mean(tmp_path / "out.jpg", (50, 50, 350, 350))[0] > 245


def test_printers_colours_deep_greys_and_palettes_come_out_as_they_look(tmp_path):
    stills.ingest(samples.cmyk_jpeg(tmp_path / "a.jpg"), tmp_path / "cyan.jpg")
    red, _, blue = mean(tmp_path / "cyan.jpg", (50, 50, 350, 350))
    assert red < 60
    assert blue > 200
    stills.ingest(samples.deep_grey_png(tmp_path / "b.png"), tmp_path / "grey.jpg")
    assert 120 < mean(tmp_path / "grey.jpg", (190, 0, 210, 400))[0] < 136
    palette = samples.photo(1, (300, 300)).convert("P", palette=Image.Palette.ADAPTIVE)
    palette.save(tmp_path / "c.png", transparency=0)
    assert stills.ingest(tmp_path / "c.png", tmp_path / "palette.jpg").format == "PNG"


@pytest.mark.parametrize("make", [samples.animated_webp, samples.animated_png])
def test_a_moving_picture_gives_its_first_frame(make, tmp_path):
    still = (
        stills.ingest(make(tmp_path / "a"), tmp_path / "out.jpg")
        if make is samples.animated_webp
        else stills.ingest(make(tmp_path / "a.png"), tmp_path / "out.jpg")
    )
    with Image.open(tmp_path / "out.jpg") as image:
        difference = np.abs(np.asarray(image).astype(int) - np.asarray(samples.photo(1, (480, 640))).astype(int)).mean()
    assert still.animated
    assert difference < 12


def test_webp_and_heic_keep_their_colours(tmp_path):
    for name in ("a.webp", "a.heic"):
        samples.photo(3, (200, 200)).save(tmp_path / name, quality=90)
        still = stills.ingest(tmp_path / name, tmp_path / "out.jpg")
        with Image.open(tmp_path / "out.jpg") as image:
            shades = np.abs(np.asarray(image).astype(int) - np.asarray(samples.photo(3, (200, 200))).astype(int))
        assert still.format == name[2:].upper()
        assert shades.mean() < 12, name


@pytest.mark.parametrize(
    ("taken", "offset", "expected"),
    [
        ("2024:06:01 10:00:00", "", datetime(2024, 6, 1, 10)),
        ("2024:06:01 10:00:00", "+02:00", datetime(2024, 6, 1, 10, tzinfo=timezone(timedelta(hours=2)))),
        ("2024:06:01 10:00:00", "Z", datetime(2024, 6, 1, 10, tzinfo=UTC)),
        ("2024:06:01 10:00:00", "banana", datetime(2024, 6, 1, 10)),
        ("0000:00:00 00:00:00", "", None),
        ("9999:12:31 23:59:59", "", None),
        ("0001:01:01 00:00:00", "+23:59", None),
        ("2024:13:45 99:00:00", "", None),
        ("%s%n{0}" * 500, "", None),
        ("", "", None),
    ],
)
def test_the_date_is_read_and_nonsense_is_not_believed(taken, offset, expected, tmp_path):
    source = samples.make_photo(tmp_path / "a.jpg", 1, (240, 240), taken=taken, offset=offset)
    assert stills.ingest(source, tmp_path / "out.jpg").taken_at == expected


def test_whatever_is_done_to_the_bytes_the_answer_is_a_photo_or_a_fault(tmp_path):
    rng = np.random.default_rng(7)
    outcomes = set()
    for suffix in ("jpg", "png", "webp"):
        samples.make_photo(tmp_path / f"a.{suffix}", 1, (200, 200), taken="2024:06:01 10:00:00", orientation=6)
        good = np.frombuffer((tmp_path / f"a.{suffix}").read_bytes(), np.uint8)
        for _ in range(15):
            bad = good.copy()
            reach = int(rng.choice([60, 400, len(bad)]))
            bad[rng.integers(4, min(reach, len(bad)), 6)] = rng.integers(0, 256, 6)
            (tmp_path / "bad").write_bytes(bad.tobytes())
            try:
                outcomes.add(type(stills.ingest(tmp_path / "bad", tmp_path / "out.jpg")))
            except stills.PhotoFault as fault:
                outcomes.add(type(fault))
    assert outcomes == {stills.Still, stills.PhotoFault}
    assert not list(tmp_path.glob("*.part"))


def test_a_thumbnail_fits_its_box_and_is_never_enlarged(tmp_path):
    samples.make_photo(tmp_path / "a.jpg", 1, (600, 800))
    assert stills.thumbnail(tmp_path / "a.jpg", tmp_path / "t.jpg") == (360, 480)
    samples.make_photo(tmp_path / "b.jpg", 1, (200, 300))
    assert stills.thumbnail(tmp_path / "b.jpg", tmp_path / "t.jpg") == (200, 300)


def test_a_turn_is_clockwise(tmp_path):
    samples.transparent_png(tmp_path / "a.png")
    stills.ingest(tmp_path / "a.png", tmp_path / "out.jpg")
    assert stills.turn(tmp_path / "out.jpg", 90) == (400, 400)
    assert mean(tmp_path / "out.jpg", (20, 20, 380, 180))[1] < 20  # the red left half is on top now
    assert mean(tmp_path / "out.jpg", (20, 220, 380, 380))[1] > 240


def test_sharp_photos_are_told_from_blurred_ones(tmp_path):
    for path in samples.STORY:
        assert stills.sharpness(path) > stills.BLURRED, path.name
    assert stills.sharpness(samples.photo(4, (600, 800))) > stills.BLURRED
    assert stills.sharpness(samples.blurred(tmp_path / "a.jpg")) < stills.BLURRED


def test_dark_is_dark_and_a_night_sky_is_not(tmp_path):
    assert stills.brightness(samples.dark(tmp_path / "a.jpg")) < stills.DARK
    assert stills.brightness(samples.DEEP_FIELD) > stills.DARK


def test_the_same_photo_saved_again_scaled_lightened_or_cropped_a_little_is_alike():
    for path in samples.STORY:
        with Image.open(path) as file:
            image = file.convert("RGB")
        width, height = image.size
        saved = io.BytesIO()
        image.save(saved, "JPEG", quality=40)
        for other in (
            Image.open(saved),
            image.resize((width // 3, height // 3)),
            image.point(lambda value: min(255, int(value * 1.2 + 8))),
            image.crop((width // 50, height // 50, width - width // 50, height - height // 50)),
        ):
            assert likeness.alike(likeness.picture_hash(image), likeness.picture_hash(other)), path.name


def test_different_photos_are_not_alike():
    hashes = [likeness.picture_hash(path) for path in (*samples.STORY, samples.FACES[0])]
    hashes += [likeness.picture_hash(samples.photo(seed, (300, 400))) for seed in range(12)]
    assert min(likeness.distance(a, b) for a, b in itertools.combinations(hashes, 2)) > likeness.NEAR
    assert all(len(one) == 16 for one in hashes)


def test_the_same_bytes_are_the_same_file_under_any_name(tmp_path):
    (tmp_path / "a.jpg").write_bytes(b"one")
    (tmp_path / "b.png").write_bytes(b"one")
    (tmp_path / "c.jpg").write_bytes(b"two")
    assert likeness.same_file(tmp_path / "a.jpg", tmp_path / "b.png")
    assert not likeness.same_file(tmp_path / "a.jpg", tmp_path / "c.jpg")
