"""The meters and the verdict: a good small film passes, and each spoiled one fails for its own reason."""

import dataclasses

import av
import cv2
import numpy as np
import pytest
from PIL import Image

from pipeline.media import conform, ffmpeg, flow, meters, verdict
from pipeline.media.expected import Expected, ExpectedShot, TextBox
from pipeline.media.limits import LIMITS
from pipeline.media.motion import Box
from pipeline.media.probe import BadMedia
from pipeline.media.verdict import judge
from tests.samples import photo

pytestmark = pytest.mark.render

WIDTH, HEIGHT, FPS, SECONDS = 360, 640, 15, 6.0
CAPTION = TextBox(0.5, 2.5, 60, 470, 240, 44)
LABEL = TextBox(0.0, 6.0, 20, 30, 110, 24)
CHORD = "(0.6+0.4*sin(9*t))*(" + "+".join(f"sin({2 * f}*t*PI)" for f in (220, 331, 457, 619, 883, 1201)) + ")/6"
SOUND = f"aevalsrc='{CHORD}|{CHORD}':s=48000:d=6"
CUT, HALF = 3.0, 0.25  # seconds: where the shots meet, and half of their dissolve


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """Three made-up photos: two in the film, one that is not."""
    folder = tmp_path_factory.mktemp("photos")
    for seed in (1, 2, 3):
        photo(seed, (600, 900)).save(folder / f"{seed}.jpg", quality=85)
    return [folder / f"{seed}.jpg" for seed in (1, 2, 3)]


@pytest.fixture(scope="module")
def expected(photos):
    shots = (ExpectedShot(0, 3, photos[0]), ExpectedShot(3, 6, photos[1]))
    return Expected(WIDTH, HEIGHT, FPS, SECONDS, (CAPTION,), (LABEL,), shots)


def pictures(photos, *, words=True, label=True, still=False, black=0.0, seconds=SECONDS, size=(WIDTH, HEIGHT), **odd):
    """The film's frames: a slow push in over two photos, a caption with a dark halo, a label on a dark ground.

    `odd` is what a film must not have: `ink` and `halo`, greys of the caption; `hard`, a cut instead of a dissolve;
    `swap`, frames that are replaced (by number: a grey, or the share of the second photo); `shake` in pixels; `shades`;
    `grain`, new in every frame.
    """
    sources = [cv2.cvtColor(np.asarray(Image.open(path)), cv2.COLOR_RGB2BGR) for path in photos[:2]]
    dice = np.random.default_rng(3)

    def shown(source, second):
        zoom = 1.0 if still else 1 + 0.03 * (second % 3)
        w = 506 / zoom  # 506 × 900 is the photo's largest part of the film's shape
        left, top = (600 - w) / 2, (900 - w * 16 / 9) / 2
        left, top = (at + odd.get("shake", 0) * dice.uniform(-1, 1) for at in (left, top))
        scale = WIDTH / w
        matrix = np.array([[scale, 0, -left * scale], [0, scale, -top * scale]])
        return cv2.warpAffine(source, matrix, (WIDTH, HEIGHT), flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REPLICATE)

    for n in range(round(seconds * FPS)):
        second = n / FPS
        share = float(second >= CUT) if odd.get("hard") else float(np.clip((second - CUT + HALF) / (2 * HALF), 0, 1))
        swapped = odd.get("swap", {}).get(n, share)
        share = swapped if isinstance(swapped, float) else share
        frame = shown(sources[0], min(second, 2.99)) if share < 1 else 0
        if share > 0:
            second_frame = shown(sources[1], max(second, CUT))
            frame = cv2.addWeighted(second_frame, share, frame, 1 - share, 0) if share < 1 else second_frame
        if shades := odd.get("shades"):
            grey = cv2.blur(cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY), (91, 91))
            bands = cv2.merge([grey // shades * shades] * 3)
            frame[:190], frame[360:] = bands[:190], bands[360:]
        if grain := odd.get("grain"):
            frame = np.clip(frame + dice.normal(0, grain, frame.shape), 0, 255).astype(np.uint8)
        if words and CAPTION.start <= second < CAPTION.end:
            for grey, thick in ((odd.get("halo", 0), 7), (odd.get("ink", 255), 2)):
                cv2.putText(frame, "one cat, no dull", (68, 500), cv2.FONT_HERSHEY_DUPLEX, 0.8, [grey] * 3, thick, 16)
        if label:
            cv2.rectangle(frame, (20, 30), (130, 54), (10, 10, 10), -1)
            cv2.putText(frame, "Made with AI", (26, 47), cv2.FONT_HERSHEY_DUPLEX, 0.5, (255, 255, 255), 1, 16)
        if 1 <= second < 1 + black:
            frame[:] = 0
        if isinstance(swapped, int):
            frame[:] = swapped
        yield cv2.resize(frame, size) if size != (WIDTH, HEIGHT) else frame


def coded(sound=SOUND, loud="volume=-2.3dB"):
    """ffmpeg's words for the film's sound: where it comes from, and how it is encoded."""
    return (
        (["-f", "lavfi", "-i", sound], ["-af", loud, "-c:a", "aac", "-b:a", "192k", "-ac", "2"]) if sound else ([], [])
    )


def film(path, frames, *, size=(WIDTH, HEIGHT), tags="bt709", args=()):
    """Encode frames with a good sound; later `args` win over the good ones."""
    raw = path.with_suffix(".bgr")
    with raw.open("wb") as out:
        for frame in frames:
            out.write(frame.tobytes())
    said = f"setparams=color_primaries={tags}:color_trc=bt709:colorspace=bt709:range=tv"
    given = ["-f", "rawvideo", "-pix_fmt", "bgr24", "-s", f"{size[0]}x{size[1]}", "-r", str(FPS), "-i", raw]
    seen = ["-vf", f"scale=out_color_matrix=bt709,{said}", "-c:v", "libx264", "-preset", "veryfast", "-crf", "20"]
    seen += ["-pix_fmt", "yuv420p", "-profile:v", "high", "-movflags", "+faststart"]
    heard, as_what = coded()
    ffmpeg.run([*given, *heard, *as_what, *seen, *args, path], timeout=120)
    raw.unlink()
    return path


@pytest.fixture(scope="module")
def drawn(photos):
    """The good film's frames."""
    return list(pictures(photos))


@pytest.fixture(scope="module")
def good(tmp_path_factory, drawn):
    return film(tmp_path_factory.mktemp("good") / "film.mp4", drawn)


@pytest.mark.render
def test_a_good_film_passes_without_a_word(good, expected):
    assert verdict.examine(good, expected) == verdict.Verdict("pass", ())


@pytest.mark.render
@pytest.mark.parametrize(
    "case",
    [
        ("caption", "fail", {"words": False}, {}),
        ("label", "fail", {"label": False}, {}),
        ("freeze", "warn", {"still": True}, {}),
        ("freeze", "warn", {"still": True, "grain": 4}, {}),
        ("freeze", "warn", {"still": True, "grain": 12}, {}),
        ("black", "fail", {"black": 1.5}, {}),
        ("caption", "fail", {"ink": 120, "halo": 100}, {}),
        ("jump", "fail", {"hard": True}, {}),
        ("shake", "fail", {"shake": 4}, {}),
        ("banding", "warn", {"shades": 12}, {}),
        ("duration", "fail", {"seconds": 5.0}, {"args": ["-t", "5"]}),
        ("size", "fail", {"size": (240, 426)}, {"size": (240, 426)}),
        ("rate", "fail", {}, {"args": ["-r", "30"]}),
        ("video_codec", "fail", {}, {"args": ["-c:v", "mpeg4", "-profile:v", "0"]}),
        ("pix_fmt", "fail", {}, {"args": ["-pix_fmt", "yuv444p", "-profile:v", "high444"]}),
        ("profile", "warn", {}, {"args": ["-profile:v", "main"]}),
        ("color", "fail", {}, {"tags": "bt2020"}),
        ("color_tag", "warn", {}, {"tags": "unknown"}),
        ("faststart", "warn", {}, {"args": ["-movflags", "0"]}),
    ],
)
def test_each_spoiled_picture_is_found_out(tmp_path, photos, drawn, expected, case):
    code, result, odd, coding = case
    shown = pictures(photos, **odd) if odd else drawn
    found_out(film(tmp_path / "film.mp4", shown, **coding), expected, code, result)


@pytest.mark.render
def test_a_sky_of_stars_that_moves_behind_captions_does_not_stand():
    """No shift explains points that are smaller than a pixel; and the captions, which do not move, have the say."""
    dice = np.random.default_rng(3)
    sky = np.full((240, 136), 16, np.uint8)
    sky[dice.integers(0, 240, 900), dice.integers(0, 136, 900)] = 235
    seconds, fps = 3, 30
    moving = np.stack([sky[at // 6 : at // 6 + 120, :68] for at in range(seconds * fps)])
    moving[:, 60:75, 8:60:4] = 235
    assert not flow.standing(moving, fps).any()
    assert flow.standing(np.repeat(moving[:1], seconds * fps, axis=0), fps).all()


def test_grain_on_a_moving_picture_is_no_fault(tmp_path, photos, expected):
    for grain in (4, 12):
        judged = verdict.examine(film(tmp_path / f"{grain}.mp4", pictures(photos, grain=grain)), expected)
        assert judged.findings == ()


@pytest.mark.render
def test_a_take_from_a_tripod_may_stand_while_something_lives_in_it(tmp_path, photos, expected):
    """A hand that moves, in grain; without it the take is a photo that stands."""
    still = [frame.astype(float) for frame in pictures(photos, still=True, words=False, hard=True)][40]
    dice = np.random.default_rng(1)
    filmed = dataclasses.replace(expected, captions=(), shots=(ExpectedShot(0, 6, photos[0], filmed=True),))
    for hand in (True, False):
        frames = []
        for n in range(90):
            shown = still + dice.normal(0, 3, still.shape)
            if hand:
                at = round(220 + 60 * np.sin(n / 6))
                shown[at : at + 60, 150:190] = (90, 120, 190)
            frames.append(np.clip(shown, 0, 255).astype(np.uint8))
        judged = verdict.examine(film(tmp_path / f"{hand}.mp4", frames), filmed)
        assert ("freeze" in {one.code for one in judged.findings}) is not hand


DELIVERY = {"args": ["-preset", "superfast", "-crf", "22", "-x264-params", "scenecut=0:b-adapt=0:weightp=0"]}


def over_a_sky(step):
    """A slow move over an evening sky with a boat under it, in shades of `step` levels; 0 with a camera's grain."""
    dice = np.random.default_rng(2)
    y, x = np.mgrid[0:900, 0:600]
    sky = 70 + 90 * (0.8 * y / 900 + 0.2 * x / 600)
    boat = np.zeros(sky.shape, np.uint8)
    cv2.putText(boat, "=|=", (200, 560), cv2.FONT_HERSHEY_DUPLEX, 3, 1, 9)
    sky[boat > 0] = 30
    for n in range(round(SECONDS * FPS)):
        shown = sky
        w = 506 / (1 + 0.03 * n / FPS)
        turn = np.float32(
            [[WIDTH / w, 0, -(600 - w) / 2 * WIDTH / w], [0, WIDTH / w, -(900 - w * 16 / 9) / 2 * WIDTH / w]]
        )
        shown = cv2.warpAffine(shown, turn, (WIDTH, HEIGHT), flags=cv2.INTER_AREA)
        shown = np.floor(shown / step) * step if step else shown + dice.uniform(-0.7, 0.7, shown.shape)
        yield cv2.merge([np.clip(np.round(shown), 0, 255).astype(np.uint8)] * 3)


@pytest.mark.render
@pytest.mark.parametrize(
    ("step", "found"), [(0, []), (1, []), (2, ["warn"]), (3, ["warn"]), (6, ["warn"]), (12, ["warn"]), (24, ["warn"])]
)
def test_a_sky_in_shades_is_found_at_delivery_bitrate_and_an_even_one_is_not(tmp_path, step, found):
    photo_of_it = tmp_path / "sky.png"
    cv2.imwrite(str(photo_of_it), cv2.resize(next(over_a_sky(0)), (720, 1280)))
    sky = Expected(WIDTH, HEIGHT, FPS, SECONDS, shots=(ExpectedShot(0, 6, photo_of_it),))
    judged = verdict.examine(film(tmp_path / "film.mp4", over_a_sky(step), **DELIVERY), sky)
    assert [one.severity for one in judged.findings if one.code == "banding"] == found, judged.findings


@pytest.mark.render
def test_nothing_inside_filmed_takes_fails_a_film(tmp_path, photos, expected):
    """A cut, and a face at the edge: a person looks at it."""
    filmed = tuple(
        dataclasses.replace(shot, filmed=True, faces=(Box(0.0, 0.15, 0.15, 0.15),)) for shot in expected.shots
    )
    cut = film(tmp_path / "film.mp4", pictures(photos, hard=True))
    for shots, result in ((filmed, "warn"), (expected.shots, "fail")):
        judged = verdict.examine(cut, dataclasses.replace(expected, shots=shots))
        assert judged.verdict == result
        assert "jump" in {found.code for found in judged.findings}


@pytest.mark.render
def test_a_little_in_a_filmed_take_keeps_no_film_back(tmp_path, photos, expected):
    """Vendors compress: what would be a warning in a photo's shot is a remark in theirs."""
    banded = film(tmp_path / "film.mp4", pictures(photos, shades=12))
    for filmed, severity in ((True, "info"), (False, "warn")):
        shots = tuple(dataclasses.replace(shot, filmed=filmed) for shot in expected.shots)
        judged = verdict.examine(banded, dataclasses.replace(expected, shots=shots))
        assert {each.severity for each in judged.findings if each.code == "banding"} == {severity}


@pytest.mark.render
def test_a_filmed_take_may_shake(tmp_path, photos, expected):
    filmed = dataclasses.replace(
        expected, shots=tuple(dataclasses.replace(shot, filmed=True) for shot in expected.shots)
    )
    judged = verdict.examine(film(tmp_path / "film.mp4", pictures(photos, shake=4)), filmed)
    assert {found.severity for found in judged.findings if found.code == "shake"} == {"info"}


@pytest.mark.render
@pytest.mark.parametrize(
    ("swap", "frames"),
    [({20: 0, 21: 0, 46: 0.0, 70: 255}, {20, 46, 70}), ({40: 1.0, 48: 0.0, 80: 0.5}, {40, 48, 80})],
    ids=["black, a dissolve that goes back, white", "too early, too late, another photo shining through"],
)
def test_a_frame_that_does_not_belong_is_found_and_named(tmp_path, photos, expected, swap, frames):
    judged = verdict.examine(film(tmp_path / "film.mp4", pictures(photos, swap=swap)), expected)
    found = [(finding.code, finding.severity) for finding in judged.findings]
    assert found == [("stray", "fail")] * 3
    assert {round(finding.second * FPS) for finding in judged.findings} == frames
    assert all(finding.figure > LIMITS["stray"].fail for finding in judged.findings)


@pytest.mark.render
@pytest.mark.parametrize(
    ("code", "result", "sound", "args"),
    [
        ("audio_codec", "fail", {"sound": ""}, []),
        ("audio_codec", "fail", {}, ["-c:a", "libmp3lame"]),
        ("audio_form", "fail", {}, ["-ac", "1"]),
        ("audio_form", "fail", {}, ["-ar", "44100"]),
        ("sound_length", "fail", {"sound": SOUND.replace("d=6", "d=4")}, []),
        ("silence_share", "fail", {"loud": "volume=-2.3dB,volume=0:enable='gt(t,2)'"}, []),
        ("loudness", "fail", {"loud": "volume=-7.3dB"}, []),
        ("loudness", "fail", {"loud": "volume=0"}, []),
        ("blunt", "fail", {"loud": "volume=14dB,aformat=sample_fmts=s16,volume=-13dB"}, []),
        ("true_peak", "fail", {"loud": "volume=-2.3dB,volume=20dB:enable='between(t,3,3.1)'"}, []),
    ],
)
def test_each_spoiled_sound_is_found_out(tmp_path, good, expected, code, result, sound, args):
    heard, as_what = coded(**sound)
    spoiled, which = tmp_path / "film.mp4", ["-map", "0:v", *(["-map", "1:a"] if heard else [])]
    ffmpeg.run(
        ["-i", good, *heard, *which, "-c:v", "copy", *as_what, "-movflags", "+faststart", *args, spoiled], timeout=120
    )
    found_out(spoiled, expected, code, result)


def found_out(spoiled, expected, code, result):
    judged = verdict.examine(spoiled, expected)
    found = {finding.code: finding.severity for finding in judged.findings}
    assert found.get(code) == result
    assert judged.verdict in (result, "fail")


@pytest.mark.render
def test_a_photo_that_was_left_out_is_missed(good, photos, expected):
    wrong = (expected.shots[0], ExpectedShot(3, 6, photos[2]))
    judged = verdict.examine(good, dataclasses.replace(expected, shots=wrong))
    assert [(f.code, f.severity, f.second) for f in judged.findings] == [("photo", "fail", 3)]


@pytest.mark.render
def test_a_filmed_take_may_leave_its_photo_but_somebody_should_look(good, photos, expected):
    filmed = (ExpectedShot(0, 6, photos[2], filmed=True),)
    judged = verdict.examine(good, dataclasses.replace(expected, shots=filmed))
    assert [(f.code, f.severity) for f in judged.findings] == [("photo", "warn")]


@pytest.mark.render
def test_a_caption_that_hangs_over_the_edge_is_found(good, expected):
    over = dataclasses.replace(CAPTION, x=150.0)
    judged = verdict.examine(good, dataclasses.replace(expected, captions=(over,)))
    assert [finding.code for finding in judged.findings] == ["caption_outside"]


@pytest.fixture(scope="module")
def looked_at(good, expected):
    return meters.measure(good, at=verdict.looks(expected))


@pytest.mark.parametrize(
    ("head", "found"),
    [
        (Box(0.35, 0.15, 0.3, 0.25), []),
        (Box(0.09, 0.15, 0.3, 0.25), []),
        (Box(0.02, 0.15, 0.3, 0.25), [("face_cut", "warn")]),
        (Box(0.0, 0.15, 0.15, 0.15), [("face_cut", "fail")]),
        (Box(0.4, 0.5, 0.3, 0.25), []),
        (Box(0.4, 0.65, 0.2, 0.2), [("caption_face", "warn")]),
    ],
    ids=["whole", "at the edge", "an ear", "half", "chin under the words", "under the words"],
)
def test_a_face_is_seen_where_its_photo_is_shown(looked_at, expected, head, found):
    shots = (dataclasses.replace(expected.shots[0], faces=(head,)), expected.shots[1])
    judged = judge(looked_at, dataclasses.replace(expected, shots=shots))
    assert [(finding.code, finding.severity) for finding in judged.findings] == found


def test_a_caption_that_goes_while_the_next_photo_comes_stands_over_nobody_there(looked_at, expected):
    """The second photo's face is where the first one's caption still was when the two dissolved."""
    shots = (expected.shots[0], dataclasses.replace(expected.shots[1], faces=(Box(0.4, 0.65, 0.2, 0.2),)))
    for end, found in ((CUT + HALF, []), (5.0, ["caption_face"])):
        late = dataclasses.replace(CAPTION, end=end)
        judged = judge(looked_at, dataclasses.replace(expected, captions=(late,), shots=shots))
        assert [each.code for each in judged.findings if each.code == "caption_face"] == found


@pytest.mark.render
def test_damage_inside_the_film_is_found_by_decoding_it(tmp_path, good, expected):
    data = bytearray(good.read_bytes())
    rng = np.random.default_rng(5)
    for at in rng.integers(len(data) // 3, len(data) - 2000, 60):
        data[at] ^= 0x5A
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(data)
    judged = verdict.examine(broken, expected)
    assert "decode" in {finding.code for finding in judged.findings}


@pytest.mark.render
def test_one_pass_brings_the_stills_that_were_asked_for(good):
    at = (0.0, 1.0, 4.2, 99.0)
    calls = []
    measured = meters.measure(good, at=at, on_progress=lambda: calls.append(1))
    assert calls
    assert set(measured.stills) == set(at)
    exact = meters.sample_frames(good, [0.0, 1.0, 4.2])
    assert {frame.shape for frame in exact} == {(HEIGHT, WIDTH, 3)}
    grey = [cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY).astype(float).ravel() for frame in exact]
    for number, second in enumerate(at[:3]):
        alike = [float(np.corrcoef(one, measured.stills[second].ravel())[0, 1]) for one in grey]
        assert max(alike) == alike[number] > 0.97, "without the deblocking filter it is a little rougher"


@pytest.mark.render
@pytest.mark.parametrize(
    ("name", "how"),
    [
        ("seldom.mp4", ("libx264", "-g", "250", "-bf", "3")),
        ("often.mp4", ("libx264", "-g", "12", "-bf", "3")),
        ("other.mkv", ("libx264", "-g", "250", "-bf", "3")),
        ("open.mp4", ("libx264", "-g", "12", "-bf", "3", "-x264-params", "open-gop=1")),
        ("parts.mp4", ("libx264", "-g", "12", "-bf", "3", "-movflags", "frag_keyframe+empty_moov")),
        ("hevc.mp4", ("libx265", "-g", "12", "-x265-params", "log-level=none")),
        ("late.mp4", ("libx264", "-g", "12", "-output_ts_offset", "5")),
        ("late.mkv", ("libx264", "-g", "12", "-output_ts_offset", "5")),
    ],
)
def test_frames_come_in_order_of_time_wherever_key_frames_stand(tmp_path, name, how):
    """Each frame has its own grey, so that what came can be told from its neighbours."""
    clip, rate, count = tmp_path / name, 25, 100
    ffmpeg.run(
        [
            *("-f", "lavfi", "-i", f"color=black:s=64x48:r={rate}:d={count / rate},geq=lum='30+2*N':cb=128:cr=128"),
            *("-qp", "4", "-c:v", *how, clip),
        ],
        timeout=60,
    )
    asked = [3.99, 0.0, 0.04, 0.28, 0.45, 0.5, 0.53, 2.2, 99.0]
    found = list(meters.frames_at(clip, asked))
    assert [second for second, _ in found] == sorted(asked)
    with av.open(str(clip)) as source:
        every = [float(frame.to_ndarray(format="rgb24").mean()) for frame in source.decode(video=0)]
    assert conform.measure(clip)[0] == pytest.approx(count / rate, abs=0.1)
    for second, frame in found:
        wanted = min(range(count), key=lambda number: abs(number / rate - min(second, (count - 1) / rate)))
        assert min(range(count), key=lambda number: abs(every[number] - float(frame.mean()))) == wanted, second


@pytest.mark.render
def test_a_sound_is_no_film(tmp_path):
    ffmpeg.run(["-f", "lavfi", "-i", "sine=duration=1", tmp_path / "a.wav"], timeout=30)
    with pytest.raises(BadMedia, match="no moving picture"):
        meters.measure(tmp_path / "a.wav")


def test_a_box_must_keep_away_from_the_edges():
    assert meters.inside(TextBox(0, 1, 22, 22, 500, 100), 1080, 1920)
    assert not meters.inside(TextBox(0, 1, 10, 500, 500, 100), 1080, 1920)
    assert not meters.inside(TextBox(0, 1, 500, 1850, 500, 60), 1080, 1920)


def test_text_that_is_not_there_all_the_time_is_not_there():
    box = TextBox(0, 1, 10, 10, 200, 40)
    with_text = np.full((640, 360), 90, np.uint8)
    cv2.putText(with_text, "hello there", (14, 40), cv2.FONT_HERSHEY_DUPLEX, 0.9, 255, 2, 16)
    without = np.full((640, 360), 90, np.uint8)
    assert meters.text_strength([with_text, with_text], box, 360) > 0.1
    assert meters.text_strength([with_text, without], box, 360) == 0
    assert meters.text_strength([], box, 360) == 0


def test_what_is_silent_to_the_end_has_no_end_in_the_log():
    log = "[x] silence_start: 2.5\n[x] silence_end: 4 | silence_duration: 1.5\n[x] silence_start: 6"
    assert meters._silences(log, 8.0) == ((2.5, 4.0), (6.0, 8.0))
