"""A real small film passes quality control; spoiled in any of twenty ways and more, it does not, and says why."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from pipeline.media import captions, ffmpeg, hearing, meters, music, picture, verdict, voicebox
from pipeline.media.compose import Composer
from pipeline.media.expected import Expected, ExpectedShot, TextBox
from pipeline.media.frames import Planes
from pipeline.media.limits import LIMITS
from pipeline.media.motion import Box, CameraPath
from pipeline.media.soundtrack import Soundtrack
from pipeline.media.timeline import FilmSpec, SceneIn, Timeline, Word, plan
from pipeline.providers import hearing as spoken
from pipeline.providers import local_voice

from .samples import LAUNCH, photo

pytestmark = [pytest.mark.render, pytest.mark.slow]

SIZE = (360, 640)
FACE = (0.03, 0.3, 0.16, 0.24)  # of the second photo, at its left edge
TEXTS = (
    "She dreamed of space as a girl, and she never stopped looking up at the stars.",
    "Her cat thinks it is in command of the house, and nobody has dared to say no.",
    "And on the day of the launch all of us stood on the beach and shouted your name.",
)

HEARD: dict[str, list[str]] = {}


@dataclass
class Studio:
    """A good film, and everything it was made from."""

    folder: Path
    timeline: Timeline
    track: Soundtrack
    sound: Path
    film: Path
    lines: tuple[hearing.Line, ...]
    photos: list[Path]

    def expected(self, timeline: Timeline | None = None) -> Expected:
        """What a film of this timeline should be; the good one's where none is given."""
        told = timeline or self.timeline
        fps = told.spec.fps
        return Expected(
            *SIZE,
            fps,
            told.seconds,
            tuple(TextBox(c.start / fps, c.end / fps, *c.box) for c in told.captions),
            tuple(TextBox(first / fps, end / fps, *box) for first, end, box in told.labels),
            tuple(
                ExpectedShot(
                    shot.start / fps,
                    shot.end / fps,
                    Path(shot.photo),
                    faces=(Box(*FACE),) if shot.scene == 1 else (),
                    scene=shot.scene,
                )
                for shot in told.shots
                if shot.kind == "photo"
            ),
            self.lines,
        )

    def drawn(self, out: Path, timeline: Timeline, work: str = "segments") -> Path:
        """Render a timeline with the film's sound; what is in the folder `work` already is not drawn again."""
        picture.render_film(timeline, lambda: self.sound, out, self.folder / work)
        return out


def judged(film: Path, expected: Expected) -> verdict.Verdict:
    model = hearing.model()
    assert model is not None

    def ear(samples: Any) -> list[str]:
        # Most are spoiled in their picture alone: what is said in all of them is listened to once.
        said = sha256(np.ascontiguousarray(samples)).hexdigest()
        if said not in HEARD:
            HEARD[said] = spoken.words(hearing.heard(samples, model))
        return HEARD[said]

    return verdict.judge(meters.measure(film, at=verdict.looks(expected), ear=ear), expected)


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Studio:
    folder = tmp_path_factory.mktemp("good")
    photos = [folder / "1.jpg", folder / "2.jpg", LAUNCH, folder / "other.jpg"]
    photo(1, (900, 1400)).save(photos[0], quality=90)
    photo(2, (1600, 1200)).save(photos[1], quality=90)
    photo(7, (900, 1400)).save(photos[3], quality=90)
    scenes, reads = [], []
    for number, text in enumerate(TEXTS):
        signal, timed = local_voice.read(text, local_voice.VOICES["mira"])
        reads.append(folder / f"read-{number}.wav")
        voicebox.write_wav(reads[-1], signal, local_voice.RATE)
        words = tuple(Word(word.text, word.start, word.end) for word in timed)
        seconds = len(signal) / local_voice.RATE
        faces = (FACE,) if number == 1 else ()
        scenes.append(SceneIn(text, words, seconds, photos[number], faces=faces, seed=number))
    spec = FilmSpec(*SIZE, "For Eileen", "from Ruth", "With love", "Videogen", "AI-generated · licensed voice", 20.0)
    timeline = plan(scenes, spec)
    track = Soundtrack(
        tuple((reads[index], start) for index, start in timeline.narration),
        music.choose("warm", "birthday", 1).path,
        timeline.seconds,
        tuple((word.start, word.end) for word in timeline.words),
    )
    lines = tuple(hearing.Line(start, spoken.line(TEXTS[index])) for index, start in timeline.narration)
    made = Studio(folder, timeline, track, track.make(folder), folder / "film.mp4", lines, photos)
    made.drawn(made.film, timeline)
    return made


def test_the_good_film_passes(studio):
    found = judged(studio.film, studio.expected())
    assert [one for one in found.findings if one.severity != "info"] == []
    assert found.verdict == "pass"


# --- what is seen -----------------------------------------------------------------------------------------------------

Draw = Callable[[int, Planes], None]
Tamper = Callable[[Studio, int, Planes, Draw], None]


@contextmanager
def tampered(studio: Studio, tamper: Tamper) -> Iterator[None]:
    """Every frame is drawn by `tamper`, which is given the real way to draw one."""
    real = Composer.draw

    def draw(self: Composer, frame: int, out: Planes) -> None:
        tamper(studio, frame, out, lambda number, into: real(self, number, into))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Composer, "draw", draw)
        yield


def shots(studio: Studio) -> list[Any]:
    return [shot for shot in studio.timeline.shots if shot.kind == "photo"]


def filled(out: Planes, luma: int) -> None:
    for plane, value in zip(out, (luma, 128, 128), strict=True):
        plane[:] = value


def black(studio, frame, out, draw):
    draw(frame, out)
    if 150 <= frame < 195:
        filled(out, 16)


def flash(studio, frame, out, draw):
    draw(frame, out)
    if frame == shots(studio)[1].start + 60:
        filled(out, 220)


def lip(studio, frame, out, draw):
    """One frame after the dissolve is over, the shot before is there again."""
    over = shots(studio)[0].end
    draw(over - 30 if frame == over + 2 else frame, out)


def hard_cut(studio, frame, out, draw):
    before, after = shots(studio)[:2]
    inside = after.start <= frame < before.end
    middle = (after.start + before.end) // 2
    draw((after.start - 1 if frame < middle else before.end) if inside else frame, out)


def trembling(studio, frame, out, draw):
    draw(frame, out)
    dice = np.random.default_rng(frame)
    right, down = (2 * int(step) for step in dice.integers(-2, 3, 2))
    for plane, step in zip(out, (1, 2, 2), strict=True):
        plane[:] = np.roll(plane, (down // step, right // step), (0, 1))


FRAMES: dict[str, tuple[str, Tamper]] = {
    "a second and a half is black": ("black", black),
    "a frame flashes up": ("stray", flash),
    "the shot before looks out after its dissolve": ("stray", lip),
    "a cut where there should be a dissolve": ("jump", hard_cut),
    "the picture trembles": ("shake", trembling),
}


@pytest.mark.parametrize("spoiled", FRAMES)
def test_what_is_drawn_wrong_is_found(studio, tmp_path, spoiled):
    code, tamper = FRAMES[spoiled]
    with tampered(studio, tamper):
        film = studio.drawn(tmp_path / "film.mp4", studio.timeline, work=f"of-{tamper.__name__}")
    fails(film, studio.expected(), code)


def fails(film: Path, expected: Expected, code: str) -> None:
    found = judged(film, expected)
    assert code in {one.code for one in found.findings if one.severity == "fail"}, found.findings
    assert found.verdict == "fail"


def test_a_film_without_its_label_is_found(studio, tmp_path):
    bare = replace(studio.timeline, labels=())
    fails(studio.drawn(tmp_path / "film.mp4", bare), studio.expected(), "label")


def test_a_film_without_its_captions_is_found(studio, tmp_path):
    bare = replace(studio.timeline, captions=())
    fails(studio.drawn(tmp_path / "film.mp4", bare), studio.expected(), "caption")


def test_captions_too_faint_to_be_read_are_found(studio, tmp_path, monkeypatch):
    real = captions.Caption.opacity
    monkeypatch.setattr(captions.Caption, "opacity", lambda self, frame: 0.12 * real(self, frame))
    fails(studio.drawn(tmp_path / "film.mp4", studio.timeline, work="faint"), studio.expected(), "caption")


def test_captions_that_leave_the_screen_are_found(studio, tmp_path):
    def moved(one: captions.Caption) -> captions.Caption:
        step = one.box.x + one.box.w / 3
        words = tuple(replace(word, x=word.x - step) for word in one.words)
        return replace(one, box=one.box._replace(x=one.box.x - step), words=words)

    over = replace(studio.timeline, captions=tuple(map(moved, studio.timeline.captions)))
    fails(studio.drawn(tmp_path / "film.mp4", over), studio.expected(over), "caption_outside")


def test_another_photo_in_the_place_of_one_is_found(studio, tmp_path):
    other = str(studio.photos[3])
    wrong = tuple(replace(shot, photo=other) if shot.scene == 0 else shot for shot in studio.timeline.shots)
    film = studio.drawn(tmp_path / "film.mp4", replace(studio.timeline, shots=wrong))
    fails(film, studio.expected(), "photo")


def test_a_face_that_the_frame_cuts_is_found(studio, tmp_path):
    """The frame is laid where the face has half left it."""
    with Image.open(studio.photos[1]) as opened:
        width, height = opened.size
    middle = (FACE[0] + 0.6 * FACE[2]) * width
    window = Box(middle, 0, height * SIZE[0] / SIZE[1], height)
    still = CameraPath(
        "push_in",
        False,
        (width, height),
        Box(0, 0, 1, 1),
        Box(0, 0, width, height),
        window,
        window._replace(x=middle + 30),
    )
    cut = tuple(replace(shot, path=still) if shot.scene == 1 else shot for shot in studio.timeline.shots)
    fails(studio.drawn(tmp_path / "film.mp4", replace(studio.timeline, shots=cut)), studio.expected(), "face_cut")


def test_a_photo_twice_in_a_row_and_a_caption_over_a_face_are_for_a_person_to_look_at(studio, tmp_path):
    """Neither ends a film: a story may come back to a photo, and a face may fill the frame."""
    first = str(studio.photos[0])
    twice = replace(
        studio.timeline,
        shots=tuple(
            replace(shot, photo=first, path=shots(studio)[0].path) if shot.scene == 1 else shot
            for shot in studio.timeline.shots
        ),
    )
    film = studio.drawn(tmp_path / "film.mp4", twice)
    expected = studio.expected(twice)
    box = expected.captions[0]
    seen = next(shot for shot in twice.shots if shot.kind == "photo")
    window = seen.path.window(0.5)
    kx, ky = window.w / SIZE[0], window.h / SIZE[1]
    under = Box((window.x + (box.x + box.width / 3) * kx) / 900, (window.y + box.y * ky) / 1400, 0.1, 0.05)
    covered = replace(expected.shots[0], faces=(under,))
    found = judged(film, replace(expected, shots=(covered, *(replace(s, faces=()) for s in expected.shots[1:]))))
    assert {one.code for one in found.findings if one.severity == "warn"} == {"repeat", "caption_face"}
    assert found.verdict == "warn"


# --- what is heard, and the file --------------------------------------------------------------------------------------

COPY = ["-map", "0:v", "-map", "0:a?", "-c", "copy", "-movflags", "+faststart"]
AAC = ["-c:a", "aac", "-b:a", "192k"]
AGAIN = ["-c:v", "libx264", "-preset", "veryfast", "-crf", "20", "-pix_fmt", "yuv420p", "-profile:v", "high"]
FILES: dict[str, tuple[str, list[str]]] = {
    "nothing is heard after five seconds": ("silence_share", ["-af", "volume=0:enable='gt(t,5)'", *AAC]),
    "it is too quiet": ("loudness", ["-af", "volume=-6dB", *AAC]),
    "two seconds are far too loud": ("true_peak", ["-af", "volume=12dB:enable='between(t,6,8)'", *AAC]),
    "the sound was cut off": ("blunt", ["-af", "volume=16dB,aformat=sample_fmts=s16,volume=-13dB", *AAC]),
    "there is no sound": ("audio_codec", ["-an"]),
    "the sound ends early": ("sound_length", ["-af", "atrim=end=9", *AAC]),
    "the film ends early": ("duration", ["-t", "11"]),
    "it has another size": ("size", ["-vf", "scale=240:426", *AGAIN]),
    "it has another rate": ("rate", ["-r", "15", *AGAIN]),
    "many players cannot show it": ("pix_fmt", ["-vf", "format=yuv444p", *AGAIN[:-4], "-pix_fmt", "yuv444p"]),
}


@pytest.mark.parametrize("spoiled", FILES)
def test_what_is_wrong_with_sound_or_file_is_found(studio, tmp_path, spoiled):
    code, words = FILES[spoiled]
    ffmpeg.run(["-i", studio.film, *COPY, *words, tmp_path / "film.mp4"], timeout=120)
    fails(tmp_path / "film.mp4", studio.expected(), code)


def test_a_line_that_says_something_else_is_found(studio, tmp_path):
    """The second line is read twice, and the first one never."""
    reads = list(studio.track.reads)
    reads[0] = (reads[1][0], reads[0][1])
    wrong = replace(studio.track, reads=tuple(reads)).make(tmp_path)
    parts = picture.segments(studio.timeline, studio.folder / "segments")
    picture.join(parts, wrong, tmp_path / "film.mp4")
    fails(tmp_path / "film.mp4", studio.expected(), "wrong_words")


def test_damage_is_found(studio, tmp_path):
    data = bytearray(studio.film.read_bytes())
    for at in np.random.default_rng(5).integers(len(data) // 3, len(data) - 2000, 80):
        data[at] ^= 0x5A
    (tmp_path / "film.mp4").write_bytes(data)
    fails(tmp_path / "film.mp4", studio.expected(), "decode")


def test_there_are_more_than_twenty_ways_and_every_meter_of_a_film_has_one():
    own = {"label", "caption", "caption_outside", "photo", "face_cut", "wrong_words", "decode"}
    spoiled = [code for code, _ in (*FRAMES.values(), *FILES.values())]
    assert len(spoiled) + len(own) + 1 > 20
    warned = {"caption_face"}  # above; never a fail
    elsewhere = {"silence", "freeze", "banding", "shot_short", "shot_long"}  # test_media_meters, _verdict
    bent = {"depth_torn", "depth_face"}  # in test_media_bending
    takes = {code for code in LIMITS if code.startswith("take_")}  # test_media_faces
    assert set(LIMITS) <= {*spoiled, *own, *warned, *elsewhere, *bent, *takes}
