"""The picture: the plan keeps its promises, the film has every frame, and only what changed is made again."""

# ruff: noqa: F811  (fixtures arrive as imports and are named again as arguments)

from __future__ import annotations

import threading
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from PIL import Image

from pipeline.media import encode, frames, ground, picture, samples, sound, stage
from pipeline.media.timeline import plan

from .picturing import SPEC, decoded, photos, scenes, words  # noqa: F401

# --- real frames ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def film(photos: list[Path], tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, int]:
    folder = tmp_path_factory.mktemp("film")
    timeline = plan(scenes(photos), SPEC)
    tone_at = folder / "sound.wav"
    with av.open(str(tone_at), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=24000, layout="mono")
        samples = (np.sin(np.arange(round(24000 * timeline.seconds)) / 20) * 9000).astype(np.int16)[None]
        tone = av.AudioFrame.from_ndarray(samples, "s16", "mono")
        tone.sample_rate = 24000
        container.mux(stream.encode(tone))
        container.mux(stream.encode())
    encode.sound(tone_at, folder / "sound.m4a")
    picture.render_film(timeline, lambda: folder / "sound.m4a", folder / "film.mp4", folder / "work")
    return folder / "film.mp4", folder / "work", timeline.frames


@pytest.mark.render
def test_a_film_is_what_players_expect(film):
    path, _, count = film
    with av.open(str(path)) as container:
        video, audio = container.streams.video[0], container.streams.audio[0]
        context = video.codec_context
        assert (context.codec.name, context.profile, context.pix_fmt) == ("h264", "High", "yuv420p")
        assert (context.width, context.height, video.average_rate) == (270, 480, Fraction(30))
        assert (context.color_primaries, context.color_trc, context.colorspace, context.color_range) == (1, 1, 1, 1)
        assert (audio.codec_context.name, audio.rate, audio.layout.name) == ("aac", 48000, "stereo")
        assert video.frames == count
        times = [frame.pts for frame in container.decode(video)]
        assert [b - a for a, b in pairwise(times)] == [times[1] - times[0]] * (count - 1)
        assert float(video.duration * video.time_base) == pytest.approx(count / 30)
        assert float(audio.duration * audio.time_base) == pytest.approx(count / 30, abs=0.06)
    head = path.read_bytes()[:4096]
    assert head.index(b"moov") < 100, "the index must come first"


@pytest.mark.render
def test_a_sound_that_was_encoded_before_is_heard_in_the_film_when_it_was_heard_in_the_mix(film, photos, tmp_path):
    _, work, count = film
    clicks = np.zeros(round(count / 30 * samples.RATE), np.float32)
    for second in (0.0, 1.0, 2.5):
        clicks[round(second * samples.RATE) + 100 :][:40] = 0.8
    sound._save(np.tile(clicks, (2, 1)), tmp_path / "clicks.wav")
    encode.sound(tmp_path / "clicks.wav", tmp_path / "clicks.m4a")
    parts = sorted(picture.segments(plan(scenes(photos), SPEC), work), key=lambda part: part.start)
    picture.join(parts, tmp_path / "clicks.m4a", tmp_path / "film.mp4")
    heard, rate = samples.decode(tmp_path / "film.mp4", "mono")
    for second in (0.0, 1.0, 2.5):
        around = heard[0][round(second * rate) :][:1000]
        assert abs(int(np.abs(around).argmax()) - 120) < 48, "within a millisecond"


@pytest.mark.render
def test_joined_segments_show_the_same_frames_as_were_composed(film, photos):
    path, work, _ = film
    timeline = plan(scenes(photos), SPEC)
    shown = decoded(path)
    for frame in (0, 40, 52, 100, 140, len(shown) - 1):
        composed = np.asarray(picture.still(timeline, frame, work).convert("L")).astype(float)
        assert np.abs(composed - shown[frame]).mean() < 8


@pytest.mark.render
def test_a_second_render_makes_nothing_anew_and_a_new_word_only_its_own_segments(film, photos):
    _, work, _ = film
    before = {path: path.stat().st_mtime_ns for path in work.glob("*.mp4")}
    timeline = plan(scenes(photos), SPEC)
    picture.render_picture(timeline, work)
    assert {path: path.stat().st_mtime_ns for path in work.glob("*.mp4")} == before
    last = timeline.captions[-1]
    other = replace(last, words=(replace(last.words[0], text="Somebody"), *last.words[1:]))
    picture.render_picture(replace(timeline, captions=(*timeline.captions[:-1], other)), work)
    assert 1 <= len(set(work.glob("*.mp4")) - set(before)) <= 3


@pytest.mark.render
def test_progress_grows_and_comes_from_the_callers_own_thread_often(photos, tmp_path):
    told: list[float] = []
    timeline = plan(scenes(photos), SPEC)
    picture.render_picture(timeline, tmp_path, on_progress=told.append)
    assert told == sorted(told)
    assert told[-1] == 1.0
    assert len(told) > 4


@pytest.mark.render
def test_stopping_ends_the_work_and_leaves_nothing_half_done(photos, tmp_path):
    class EnoughError(Exception):
        pass

    def enough(share: float) -> None:
        if share > 0.2:
            raise EnoughError

    timeline = plan(scenes(photos), SPEC)
    with pytest.raises(EnoughError):
        picture.render_picture(timeline, tmp_path, on_progress=enough)
    wanted = {part.path for part in picture.segments(timeline, tmp_path)}
    left = {path for path in tmp_path.iterdir() if path.suffix == ".mp4"}
    assert left < wanted
    assert not list(tmp_path.glob(".*"))


@pytest.mark.render
def test_a_sound_that_fails_ends_the_drawing_and_one_that_is_late_is_waited_for_with_signs_of_life(
    photos, tmp_path, monkeypatch
):
    timeline, out, told = plan(scenes(photos), SPEC), tmp_path / "film.mp4", []

    def fails() -> Path:
        raise OSError("no read")

    with pytest.raises(OSError, match="no read"):
        picture.render_film(timeline, fails, out, tmp_path / "work", on_progress=told.append)
    assert max(told, default=0.0) < 0.5, "nobody draws a film to the end that gets no sound"
    assert not out.exists()

    drawn = picture.render_picture(timeline, tmp_path / "work")
    monkeypatch.setattr(picture, "_SOON", 0.01)

    alive = threading.Semaphore(0)

    def late() -> Path:
        assert all(alive.acquire(timeout=30) for _ in range(3)), "nobody sees that it is being waited for"
        return drawn[0].path  # which has no sound, and that is found out

    with pytest.raises(IndexError):
        picture.render_film(timeline, late, out, tmp_path / "work", on_progress=lambda _: alive.release())
    assert not out.exists()


@pytest.mark.render
def test_a_photo_that_cannot_be_read_stops_the_film_loudly(photos, tmp_path):
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(photos[0].read_bytes()[:3000])
    with pytest.raises(OSError, match="truncated"):
        picture.render_picture(plan(scenes([broken]), SPEC), tmp_path / "work")
    assert not list((tmp_path / "work").glob(".*"))


@pytest.mark.render
def test_segments_with_other_parameters_are_not_joined(photos, tmp_path):
    def grey(_: int, out: frames.Planes) -> None:
        out.y[:], out.u[:], out.v[:] = 90, 128, 128

    encode.segment(tmp_path / "a.mp4", (270, 480), 30, 5, grey)
    encode.segment(tmp_path / "b.mp4", (480, 270), 30, 5, grey)
    with pytest.raises(ValueError, match="other parameters"):
        encode.join([tmp_path / "a.mp4", tmp_path / "b.mp4"], None, tmp_path / "out.mp4")
    assert not (tmp_path / "out.mp4").exists()
    assert not list(tmp_path.glob(".*"))


@pytest.mark.render
def test_a_poster_is_a_picture_of_the_films_size(photos, tmp_path):
    picture.poster(plan(scenes(photos), SPEC), tmp_path / "poster.jpg", tmp_path)
    with Image.open(tmp_path / "poster.jpg") as poster:
        assert (poster.format, poster.size) == ("JPEG", (270, 480))
        assert cv2.Laplacian(np.asarray(poster.convert("L")), cv2.CV_64F).std() > 3


def test_the_soft_ground_is_never_black_beside_a_dark_suit_nor_brighter_than_captions_are_told_it_is():
    suit = np.full((192, 84, 3), (14, 14, 20), np.uint8)
    suit[:60] = (200, 150, 40)  # curtains over a man in black
    halves = np.zeros((192, 192, 3), np.uint8)
    halves[:, 96:] = 255
    for thumb in (suit, halves, np.full((90, 160, 3), 255, np.uint8), np.full((90, 160, 3), 90, np.uint8)):
        for size in ((1920, 1080), (1080, 1920), (1080, 1080)):
            grey = stage._soft(thumb, size).mean(axis=2)
            assert grey.max() <= ground._SOFT_GROUND
            assert grey[::8, ::8].mean() >= 24
            assert np.percentile(grey[::8, ::8], 5) >= 14, "no bars"
