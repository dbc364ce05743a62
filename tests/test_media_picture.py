"""The picture: the plan keeps its promises, the film has every frame, and only what changed is made again."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image

from benchmarks.picture import jitter
from pipeline.media import conform, encode, frames, ground, music, picture, samples, sound, stage
from pipeline.media.meters import banding
from pipeline.media.motion import Box, choose_path
from pipeline.media.pacing import LONGEST_SHOT, SHORTEST_SHOT
from pipeline.media.timeline import FilmSpec, SceneIn, Word, plan

SPEC = FilmSpec(
    270, 480, "Happy birthday, Eileen", "a film", "With love", "from all", "AI-generated · licensed voice", 12.0
)
FACE = (0.4, 0.2, 0.2, 0.15)


def words(text: str, seconds: float) -> tuple[Word, ...]:
    split = text.split()
    pace = seconds / len(split)
    return tuple(Word(word, i * pace, (i + 0.85) * pace) for i, word in enumerate(split))


def texture(seed: int, size: tuple[int, int]) -> Image.Image:
    """A picture with detail of every size, as photos have (a spectrum that falls with frequency)."""
    width, height = size
    fy, fx = np.meshgrid(np.fft.fftfreq(height), np.fft.rfftfreq(width), indexing="ij")
    noise = np.fft.rfft2(np.random.default_rng(seed).standard_normal((height, width)))
    grey = np.fft.irfft2(noise / np.maximum(np.hypot(fx, fy), 1 / width), s=(height, width))
    grey = np.clip((grey - grey.mean()) / grey.std() * 45 + 120, 0, 255).astype(np.uint8)
    return Image.merge("RGB", [Image.fromarray(grey)] * 3)


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("photos")
    made = []
    for i, size in enumerate([(600, 800), (900, 600), (500, 500)]):
        texture(i, size).save(folder / f"{i}.jpg", quality=90)
        made.append(folder / f"{i}.jpg")
    return made


def scenes(photos: list[Path], seconds: float = 2.0, **change: object) -> list[SceneIn]:
    line = "Nobody laughed as loudly as you did."
    return [
        replace(SceneIn(line, words(line, seconds), seconds, photo, None, (FACE,), seed=i), **change)
        for i, photo in enumerate(photos)
    ]


def clip(path: Path, *, seconds: float, rate: int, size: tuple[int, int]) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=rate)
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        for i in range(round(seconds * rate)):
            picture_ = np.full((size[1], size[0], 3), 60 + 3 * i % 150, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture_, "rgb24")))
        container.mux(stream.encode())
    return path


def decoded(film: Path) -> list[np.ndarray]:
    with av.open(str(film)) as container:
        return [frame.to_ndarray(format="gray") for frame in container.decode(video=0)]


# --- the plan ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mood", ["tender", "happy"])
def test_cuts_fall_on_the_musics_beats_where_the_words_leave_room_and_nothing_else_moves(photos, mood):
    told = scenes(photos * 2, 2.4)
    track = music.choose(mood, "birthday", 1).path
    plain, moved = plan(told, replace(SPEC, seconds=24)), plan(told, replace(SPEC, seconds=24, music=track))
    assert (moved.frames, moved.narration, moved.words) == (plain.frames, plain.narration, plain.words)
    beats = np.array(music.beats(track, moved.seconds))
    edges = np.array([moved.scenes[0][0], *(end for _, end in moved.scenes)])
    was = np.array([plain.scenes[0][0], *(end for _, end in plain.scenes)])
    near = np.array([np.abs(beats - edge).min() for edge in edges])
    assert (near <= 0.5 / SPEC.fps + 1e-6).sum() >= len(edges) - 2, "nearly all pauses are longer than a beat"
    assert np.abs(edges - was).max() <= 0.36
    for (_, at), (start, end) in zip(moved.narration, moved.scenes, strict=True):
        assert start + 0.05 <= at
        assert at + 2.4 <= end - 0.05
    assert moved.seconds - edges[-1] >= 2.0 - 0.04, "the end card stands long enough to be read"


def test_between_chapters_the_film_turns_a_page_and_within_one_it_dissolves(photos):
    parts = scenes([photos[0], photos[1], photos[2], photos[0]])
    told = [
        replace(part, chapter=chapter)
        for part, chapter in zip(parts, ("opening", "story", "story", "ending"), strict=True)
    ]
    for lively, way in ((False, "dip"), (True, "whip")):
        shots = plan(told, replace(SPEC, lively=lively)).shots
        firsts = {shot.scene: shot.enter for shot in reversed(shots) if shot.kind == "photo"}
        assert firsts == {0: "dissolve", 1: way, 2: "dissolve", 3: way}
        assert [shot.enter for shot in shots if shot.kind in ("title", "end")] == ["dissolve", "dissolve"]
    assert {shot.enter for shot in plan(parts, SPEC).shots} == {"dissolve"}


def test_light_falls_once_where_the_template_and_the_occasion_allow(photos):
    told = [
        replace(part, chapter=chapter)
        for part, chapter in zip(scenes([photos[0], photos[1], photos[2]]), ("opening", "story", "ending"), strict=True)
    ]
    for change, ways in (
        ({"glad": True}, ["dip", "glow"]),
        ({}, ["dip", "dip"]),
        ({"glad": True, "template": "logbook"}, ["dip", "dip"]),
        ({"glad": True, "lively": True}, ["whip", "whip"]),
    ):
        shots = plan(told, replace(SPEC, **change)).shots
        assert [shot.enter for shot in shots if shot.enter != "dissolve"] == ways


def test_falling_light_is_warm_comes_from_one_side_and_has_no_steps():
    dark, out = frames.blank(480, 270), frames.blank(480, 270)
    dark.y[:] = 60
    frames.glow(dark, dark, 0.5, out)
    assert out.y[:, -120:].mean() > out.y[:, :120].mean() + 25
    assert out.v.mean() > 132, "towards red"
    assert out.u.mean() < 124, "and away from blue"
    assert banding(out.y) == 0.0, "chance breaks the steps up"
    out.y[:] = 235
    frames.glow(out, out, 0.5, out)
    assert out.y.max() == 235


def test_grain_belongs_to_the_picture_and_spares_black_and_white():
    plain = frames.blank(320, 200)
    for light, most in ((126, 4.0), (16, 1.2), (235, 1.2)):
        plain.y[:] = light
        drawn = frames.grained(plain, 3.0)
        assert drawn.y.astype(float).std() < most
        assert (drawn.y == frames.grained(plain, 3.0).y).all()
    plain.y[:] = 126
    assert 2.4 < frames.grained(plain, 3.0).y.astype(float).std() < 3.6
    assert frames.grained(plain, 3.0).u is plain.u


def test_every_way_begins_at_the_first_picture_and_ends_at_the_second():
    one, two, out = (frames.blank(64, 96) for _ in range(3))
    chance = np.random.default_rng(1)
    for made in (one, two):
        for plane in made:
            plane[:] = chance.integers(40, 200, plane.shape)
    for way in frames.WAYS.values():
        for share, whole in ((0.0, one), (1.0, two)):
            way(one, two, share, out)
            assert max(np.abs(a.astype(int) - b).max() for a, b in zip(out, whole, strict=True)) <= 1
    frames.dip(one, two, 0.5, out)
    assert {*out.y.ravel()} == {26}, "half-way it is dark, and not quite black"
    assert {*out.u.ravel(), *out.v.ravel()} == {128}
    frames.whip(one, two, 0.5, out)
    assert out.y[:, :8].std() < one.y.std() / 2, "smeared along the way"
    left, right = one.y[:, 45:52].mean(axis=1), two.y[:, 13:20].mean(axis=1)
    assert np.corrcoef(left, out.y[:, 16])[0, 1] > 0.8
    assert np.corrcoef(right, out.y[:, 48])[0, 1] > 0.8


@pytest.mark.parametrize("wanted", [11, 12, 15, 18])
def test_a_film_comes_near_the_length_that_was_asked_for(photos, wanted):
    timeline = plan(scenes(photos), replace(SPEC, seconds=wanted))
    assert timeline.seconds == pytest.approx(wanted, rel=0.1)


@pytest.mark.parametrize("wanted", [5, 12, 40])
def test_pauses_between_lines_always_sound_natural(photos, wanted):
    timeline = plan(scenes(photos), replace(SPEC, seconds=wanted))
    for (_, one), (_, two) in pairwise(timeline.narration):
        assert 0.25 - 1e-9 <= two - (one + 2.0) <= 1.6 + 1e-9


def test_every_frame_has_one_picture_or_two_in_a_dissolve(photos):
    timeline = plan(scenes(photos), SPEC)
    counts = [len(timeline.shots_at(frame)) for frame in range(timeline.frames)]
    assert set(counts) == {1, 2}
    assert counts.count(2) == 15 * (len(timeline.shots) - 1)


def test_each_line_is_spoken_while_its_own_scene_is_shown(photos):
    timeline = plan(scenes(photos), SPEC)
    for (i, at), (start, end) in zip(timeline.narration, timeline.scenes, strict=True):
        assert start <= at
        assert at + 2.0 <= end
        assert timeline.scenes[i] == (start, end)
    for word in timeline.words:
        caption = timeline.caption_at(round((word.start + word.end) / 2 * 30))
        assert caption is not None
        assert word.text in caption.text


def test_a_long_line_gets_two_different_moves_on_its_photo(photos):
    timeline = plan(scenes(photos, seconds=9.0), replace(SPEC, seconds=40))
    pictured = [shot for shot in timeline.shots if shot.kind == "photo"]
    assert len(pictured) == 6
    assert all((shot.end - shot.start - 15) / 30 <= LONGEST_SHOT for shot in pictured)
    assert all(one.path.kind != two.path.kind for one, two in pairwise(pictured))


@pytest.mark.parametrize("line", [0.3, 1.0, 2.4, 6.9, 9.0, 14.5, 23.0])
@pytest.mark.parametrize("wanted", [6, 30])
@pytest.mark.parametrize("mood", [None, "happy"])
def test_no_picture_is_gone_before_it_was_seen_or_stays_until_it_drags(photos, line, wanted, mood):
    track = mood and music.choose(mood, "birthday", 1).path
    timeline = plan(scenes(photos, line), replace(SPEC, seconds=wanted, music=track))
    shown = [(shot.end - shot.start) / 30 - 0.5 for shot in timeline.shots if shot.kind == "photo"]
    assert min(shown) >= SHORTEST_SHOT - 2 / 30
    assert max(shown) <= LONGEST_SHOT + 2 / 30


def test_the_voice_begins_as_soon_as_the_title_has_been_read(photos):
    timeline = plan(scenes(photos), replace(SPEC, seconds=30))
    assert 1.2 <= timeline.narration[0][1] <= 2.4


def test_the_same_scenes_make_the_same_timeline_and_it_is_plain_data(photos):
    one, two = plan(scenes(photos), SPEC), plan(scenes(photos), SPEC)
    assert one == two
    assert json.loads(json.dumps(asdict(one), default=str))["frames"] == one.frames


def test_the_label_stands_in_every_frame_after_the_title_and_never_on_a_face(photos):
    for face in [(0.0, 0.0, 0.5, 0.3), (0.5, 0.0, 0.5, 0.3), FACE]:
        timeline = plan(scenes(photos, faces=(face,)), SPEC)
        title = next(shot for shot in timeline.shots if shot.kind == "title")
        for frame in range(title.end, timeline.frames):
            box = timeline.label_box(frame)
            assert Box(0, 0, 270, 480).holds(box)
            for shot in timeline.shots_at(frame):
                assert not shot.path or not box.touches(shot.path.on_screen(Box(*face), (270, 480)))


def test_captions_go_up_when_the_face_is_down_where_they_would_stand(photos):
    low_face = plan(scenes(photos[:1], faces=((0.3, 0.45, 0.4, 0.3),)), SPEC).captions
    high_face = plan(scenes(photos[:1], faces=((0.3, 0.05, 0.4, 0.28),)), SPEC).captions
    assert all(caption.box.bottom < 200 for caption in low_face)
    assert all(caption.box.y > 240 for caption in high_face)


@pytest.mark.parametrize("face", [(0.3, 0.45, 0.4, 0.3), (0.05, 0.35, 0.3, 0.25), (0.25, 0.1, 0.5, 0.4)])
def test_no_caption_touches_a_face_in_any_of_its_frames_whatever_the_camera_does(photos, face):
    timeline = plan(scenes(photos, seconds=9.0, faces=(face,)), replace(SPEC, seconds=40))
    for caption in timeline.captions:
        for frame in range(caption.start, caption.end):
            for shot in timeline.shots_at(frame):
                if (
                    shot.kind == "photo"
                    and shot.scene == timeline.shots_at((caption.start + caption.end) // 2)[0].scene
                ):
                    assert not caption.box.touches(ground.seen(shot.path, shot.share(frame), Box(*face), SPEC.size))


def test_what_lies_under_a_caption_is_looked_at_where_the_camera_shows_it(tmp_path):
    half = np.zeros((800, 450, 3), np.uint8)
    half[400:] = 250
    Image.fromarray(half).save(tmp_path / "half.jpg", quality=95)
    timeline = plan(scenes([tmp_path / "half.jpg"], faces=()), SPEC)
    shot = next(shot for shot in timeline.shots if shot.kind == "photo")
    assert shot.path is not None
    middle = ground.seen(shot.path, 0.5, Box(0, 0.5, 1, 0.5), SPEC.size).y
    span = shot.start, shot.end
    assert ground.luma([shot], SPEC.size, Box(60, middle - 100, 100, 60), *span) < 30
    assert ground.luma([shot], SPEC.size, Box(60, middle + 40, 100, 60), *span) > 240
    assert ground.luma([replace(shot, kind="clip")], SPEC.size, Box(60, middle - 100, 100, 60), *span) == 255
    assert ground.luma([], SPEC.size, Box(60, 10, 100, 60), *span) == 0
    # and so captions on the bright half get all the dark there is
    assert {caption.halo for caption in timeline.captions} == {1.0}


def test_a_film_without_scenes_is_refused():
    with pytest.raises(ValueError, match="scene"):
        plan([], SPEC)


def test_an_odd_size_becomes_even(photos):
    assert plan(scenes(photos), replace(SPEC, width=271, height=481)).spec.size == (270, 480)


# --- what a change costs ----------------------------------------------------------------------------------------------


def test_changing_one_word_renames_only_the_segments_it_is_seen_in(photos, tmp_path):
    timeline = plan(scenes(photos), SPEC)
    caption = timeline.captions[0]
    other = replace(caption, words=(replace(caption.words[0], text="Somebody"), *caption.words[1:]))
    changed = replace(timeline, captions=(other, *timeline.captions[1:]))
    pairs = list(zip(picture.segments(timeline, tmp_path), picture.segments(changed, tmp_path), strict=True))
    for one, two in pairs:
        assert (one.path != two.path) == (one.start < caption.end and one.end > caption.start)
    assert sum(one.path != two.path for one, two in pairs) < len(pairs) / 2


def test_segments_follow_each_other_without_a_gap(photos, tmp_path):
    timeline = plan(scenes(photos), SPEC)
    parts = picture.segments(timeline, tmp_path)
    assert (parts[0].start, parts[-1].end) == (0, timeline.frames)
    assert all(one.end == two.start for one, two in pairwise(parts))
    assert len({part.path for part in parts}) == len(parts)


def test_the_same_photo_in_another_file_keeps_its_segments(photos, tmp_path):
    moved = [Path(str(tmp_path / photo.name)) for photo in photos]
    for one, two in zip(photos, moved, strict=True):
        two.write_bytes(one.read_bytes())
    names = [[p.path.name for p in picture.segments(plan(scenes(s), SPEC), tmp_path)] for s in (photos, moved)]
    assert names[0] == names[1]


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
    picture.render_film(timeline, folder / "sound.m4a", folder / "film.mp4", folder / "work")
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
def test_slow_moves_are_steady(tmp_path):
    texture(9, (1500, 2000)).save(tmp_path / "photo.jpg", quality=95)
    asked = ((1500, 2000), (1080, 1920), [], Box(0.25, 0.25, 0.5, 0.5))
    path = next(p for seed in range(50) if (p := choose_path(*asked, seconds=4, seed=seed)).kind == "drift")
    ready, out, lumas = stage.build(tmp_path / "photo.jpg", path, (1080, 1920)), frames.blank(1080, 1920), []
    for i in range(20, 80):
        ready.draw(path, i / 119, out)
        lumas.append(out.y.copy())
    assert jitter(lumas) <= 0.02


@pytest.mark.render
def test_what_is_in_the_photo_stands_where_the_move_says_to_a_fiftieth_of_a_pixel(tmp_path):
    y, x = np.mgrid[0:2000, 0:1500].astype(np.float32)
    spots = [(500.0, 700.0), (900.0, 1100.0), (700.0, 1400.0)]
    grey = 40 + sum(170 * np.exp(-((x - a) ** 2 + (y - b) ** 2) / 128) for a, b in spots)
    Image.fromarray(np.dstack([grey.astype(np.uint8)] * 3)).save(tmp_path / "photo.jpg", quality=98)
    for seed in range(6):
        path = choose_path((1500, 2000), (1080, 1920), [], Box(0.3, 0.3, 0.4, 0.4), seconds=4, seed=seed)
        ready, out = stage.build(tmp_path / "photo.jpg", path, (1080, 1920)), frames.blank(1080, 1920)
        errors = []
        for i in range(0, 120, 7):
            ready.draw(path, i / 119, out)
            w = path.window(i / 119)
            for a, b in spots:
                column, row = (a + 0.5 - w.x) * 1080 / w.w - 0.5, (b + 0.5 - w.y) * 1920 / w.h - 0.5
                x0, y0 = round(column) - 40, round(row) - 40
                mass = np.clip(out.y[y0 : y0 + 81, x0 : x0 + 81].astype(float) - 100, 0, None)
                at = np.array([(mass.sum(k) * np.arange(81)).sum() / mass.sum() for k in (0, 1)])
                errors.append(at - (column - x0, row - y0))
        steady = np.array(errors) - np.mean(errors, axis=0)
        assert np.sqrt(np.mean(np.square(steady))) <= 0.02
        assert np.abs(np.mean(errors, axis=0)).max() <= 0.1


@pytest.mark.parametrize("room", [1.01, 1.16, 1.4], ids=["at the edges", "as stages are", "roomy"])
def test_a_window_shows_the_same_whether_resized_or_warped(monkeypatch, room):
    source = frames.margined(frames.from_rgb(np.array(texture(3, (round(270 * room), round(480 * room))))))
    quick, exact = frames.blank(270, 480), frames.blank(270, 480)
    resized, crop, chance = 0, frames._crop, np.random.default_rng(4)
    for _ in range(60):
        w = chance.uniform(240, 270 * room)
        free = Box(0, 0, 270 * room - w, (270 * room - w) * 480 / 270)
        window = Box(chance.uniform(0, free.w), chance.uniform(0, free.h), w, w * 480 / 270)
        frames.warp(source, window, quick)
        resized += crop(window.x, w / 270, 270, source.y.shape[1], frames.EXACT) is not None
        with monkeypatch.context() as patch:
            patch.setattr(frames, "_crop", lambda *_: None)
            frames.warp(source, window, exact)
        for a, b in zip(quick, exact, strict=True):
            assert np.abs(a.astype(int) - b).max() <= 6
    assert resized >= 30, "most windows lie on whole pixels, or nothing is gained"


def test_a_window_of_whole_pixels_is_shown_as_it_is():
    picture = frames.from_rgb(np.array(texture(3, (320, 560))))
    out = frames.blank(270, 480)
    frames.warp(frames.margined(picture), Box(14, 30, 270, 480), out)
    assert np.array_equal(out.y, picture.y[30:510, 14:284])


@pytest.mark.render
@pytest.mark.parametrize(
    ("seconds", "rate", "size"), [(6, 24, (360, 640)), (1.5, 25, (640, 360)), (2.2, 60, (480, 480))]
)
def test_a_vendors_clip_is_fitted_whatever_its_rate_size_and_length(photos, tmp_path, seconds, rate, size):
    take = clip(tmp_path / "take.mp4", seconds=seconds, rate=rate, size=size)
    timeline = plan([replace(scene, clip=take) for scene in scenes(photos[:2])], SPEC)
    assert [shot.kind for shot in timeline.shots] == ["title", "clip", "clip", "end"]
    picture.render_film(timeline, None, tmp_path / "film.mp4", tmp_path / "work")
    shown = decoded(tmp_path / "film.mp4")
    assert len(shown) == timeline.frames
    assert all(frame[200:230, 100:170].mean() > 25 for frame in shown[60:120])


@pytest.mark.render
@pytest.mark.parametrize(("seconds", "moves"), [(6, False), (1.5, True)], ids=["long enough", "held"])
def test_only_a_clip_whose_end_is_held_is_moved_over(photos, tmp_path, seconds, moves):
    take = clip(tmp_path / "take.mp4", seconds=seconds, rate=24, size=(360, 640))
    (scene,) = scenes(photos[:1], clip=take)
    (shot,) = [shot for shot in plan([scene], SPEC).shots if shot.kind == "clip"]
    assert (shot.path.start != shot.path.end) == moves


def test_a_clip_whose_face_would_be_cut_is_shown_whole():
    wide = conform.framing((1280, 720), (270, 480), [Box(0.1, 0.2, 0.8, 0.5)], Box(0, 0, 1, 1))
    assert wide.fill
    assert not conform.framing((720, 1280), (270, 480), [Box(0.1, 0.2, 0.8, 0.5)], Box(0, 0, 1, 1)).fill


heads = st.builds(
    lambda x, y, w, h: Box(x * (1 - w), y * (1 - h), w, h),
    st.floats(0, 1),
    st.floats(0, 1),
    st.floats(0.02, 1),
    st.floats(0.02, 1),
)


@settings(max_examples=150, deadline=None)
@given(
    size=st.sampled_from([(720, 1280), (1280, 720), (640, 640), (768, 1152)]),
    frame=st.sampled_from([(270, 480), (480, 270), (480, 480)]),
    faces=st.lists(heads, min_size=1, max_size=3),
    closer=st.booleans(),
)
@example(size=(720, 1280), frame=(480, 480), faces=[Box(0.2, 0.3, 0.6, 0.55)], closer=True)
def test_the_crop_of_a_clip_never_cuts_a_face(size, frame, faces, closer):
    path = conform.framing(size, frame, faces, Box(0, 0, 1, 1), closer=closer)
    for share in (0, 0.5, 1):
        for face in faces:
            assert path.window(share).holds(path.on_canvas(face), 1e-6 * max(size))


@pytest.mark.render
def test_captions_and_label_keep_clear_of_faces_where_the_clip_has_them(photos, tmp_path):
    take = clip(tmp_path / "take.mp4", seconds=6, rate=24, size=(360, 640))
    low = (0.3, 0.5, 0.4, 0.25)
    (scene,) = scenes(photos[:1], clip=take, faces=((0.3, 0.05, 0.4, 0.2),), clip_faces=(low,))
    timeline = plan([scene], SPEC)
    (shot,) = [shot for shot in timeline.shots if shot.kind == "clip"]
    face = shot.path.on_screen(Box(*low), SPEC.size)
    assert timeline.captions
    assert not any(Box(*caption.box).touches(face) for caption in timeline.captions)
    told_of_the_photo = plan([replace(scene, clip_faces=scene.faces)], SPEC)
    assert any(Box(*caption.box).touches(face) for caption in told_of_the_photo.captions), "the control"


@pytest.mark.render
def test_a_clip_that_lands_changes_nothing_that_was_encoded_before(photos, tmp_path):
    take = clip(tmp_path / "take.mp4", seconds=6, rate=24, size=(270, 480))
    high, low = (0.1, 0.0, 0.3, 0.2), (0.1, 0.7, 0.3, 0.3)
    awaited = [
        replace(scene, faces=faces, clip_faces=faces)
        for scene, faces in zip(scenes(photos), [(high,), (), (low,)], strict=True)
    ]
    names: dict[tuple[int, int], set[str]] = {}
    for landed in ({1}, {1, 0}, {1, 0, 2}):
        timeline = plan([replace(one, clip=take if n in landed else None) for n, one in enumerate(awaited)], SPEC)
        for part in picture.segments(timeline, tmp_path):
            if {shot.scene for shot in timeline.shots_at(part.start) if shot.kind not in ("title", "end")} <= landed:
                names.setdefault((part.start, part.end), set()).add(part.path.name)
    assert min(names) == (0, timeline.shots[1].start), "the title waits for no clip"
    assert len(names) >= 5
    assert all(len(called) == 1 for called in names.values())


@pytest.mark.render
def test_of_a_clip_that_lands_last_two_halves_can_be_encoded_at_once(photos, tmp_path):
    take = clip(tmp_path / "take.mp4", seconds=6, rate=24, size=(270, 480))
    first, *others = scenes(photos, 2.6)
    timeline = plan([replace(first, clip=take), *others], replace(SPEC, seconds=15))
    shown = [timeline.shots_at(part.start) for part in picture.segments(timeline, tmp_path)]
    kinds = [shots[0].kind for shots in shown if len(shots) == 1]
    assert kinds == ["title", "clip", "clip", *["photo"] * len(others), "end"]


@pytest.mark.render
def test_a_poster_is_a_picture_of_the_films_size(photos, tmp_path):
    picture.poster(plan(scenes(photos), SPEC), tmp_path / "poster.jpg", tmp_path)
    with Image.open(tmp_path / "poster.jpg") as poster:
        assert (poster.format, poster.size) == ("JPEG", (270, 480))
        assert cv2.Laplacian(np.asarray(poster.convert("L")), cv2.CV_64F).std() > 3
