"""The plan of a film: which picture stands when, where each line is spoken, what is written over it. Repeatable."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Literal

from PIL import Image

from pipeline.media import captions, conform, ground, label, lettering, music, templates
from pipeline.media.captions import Caption
from pipeline.media.motion import Box, CameraPath, Kind, choose_path, hull

DISSOLVE = 0.5  # seconds, as long as every way from one picture to the next
Entrance = Literal["dissolve", "dip", "whip"]
PAUSE = (0.25, 0.6, 1.6)  # seconds between lines: least, comfortable, most
TITLE, END = (1.6, 2.0, 2.4), (2.0, 2.4, 3.4)  # seconds each card stands: least, comfortable, most
LONGEST_SHOT = 7.0
_SHORTEST_LINE = 1.0
_BEAT, _AIR = 0.35, 0.08  # seconds: how far a cut moves to fall on a beat, and how near to a word


@dataclass(frozen=True, slots=True)
class Word:
    """A word as written and when it is heard, in seconds."""

    text: str
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class SceneIn:
    """One line and its picture. Words are timed from the start of the line's audio; boxes are fractions of the photo.

    `photo` is an upright sRGB picture; `clip`, where there is one, is a moving take of it and is shown in its place.
    What the clip shows is a part of the photo: `clip_faces` and `clip_interest` are fractions of the clip. A `page` is
    shown whole. Between scenes of different chapters the film turns a page; within one it dissolves.
    """

    text: str
    words: tuple[Word, ...]
    audio_seconds: float
    photo: Path
    clip: Path | None = None
    faces: tuple[tuple[float, float, float, float], ...] = ()
    interest: tuple[float, float, float, float] = (0.25, 0.25, 0.5, 0.5)
    clip_faces: tuple[tuple[float, float, float, float], ...] = ()
    clip_interest: tuple[float, float, float, float] = (0.25, 0.25, 0.5, 0.5)
    seed: int = 0
    page: bool = False
    chapter: str = ""


@dataclass(frozen=True, slots=True)
class FilmSpec:
    """What the film should be: pixels (rounded down to even), wanted seconds, the words on its cards, its colour.

    A `lively` one whips where another dips into the dark. Its cuts fall on the beats of the `music` where the words
    leave room for it. A `draft` is encoded for speed.
    """

    width: int
    height: int
    title: str
    subtitle: str
    end_title: str
    end_note: str
    label: str
    seconds: float
    accent: str = "#e8643c"
    fps: int = 30
    lively: bool = False
    music: Path | None = None
    template: str = templates.DEFAULT
    draft: bool = False

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels, both even (4:2:0 needs it)."""
        return self.width // 2 * 2, self.height // 2 * 2


@dataclass(frozen=True, slots=True)
class Shot:
    """One picture on the timeline, in frames `start` to `end` (not included); neighbours overlap by a dissolve.

    The camera's move spans `move_start` to `move_end`, so that a title can share the move of the shot it opens into.
    `clip_speed` below 1 plays a clip slower. `enter` is how it comes after its neighbour: the two dissolve, or dip
    through the dark, or the camera whips from one to the other.
    """

    kind: Literal["title", "photo", "clip", "end"]
    scene: int
    start: int
    end: int
    photo: str
    path: CameraPath | None
    move_start: int
    move_end: int
    clip: str = ""
    clip_speed: float = 1.0
    enter: Entrance = "dissolve"

    def share(self, frame: int) -> float:
        """How far the camera's move has come in a frame, 0 to 1."""
        return (frame - self.move_start) / max(1, self.move_end - self.move_start - 1)


@dataclass(frozen=True, slots=True)
class Timeline:
    """Everything the picture is made from; `dataclasses.asdict` turns it into plain data (give json `default=str`)."""

    spec: FilmSpec
    frames: int
    shots: tuple[Shot, ...]
    narration: tuple[tuple[int, float], ...]  # (scene index, second its audio starts)
    scenes: tuple[tuple[float, float], ...]  # seconds each scene starts and ends
    words: tuple[Word, ...]  # of the whole film, in its own seconds
    captions: tuple[Caption, ...]
    labels: tuple[tuple[int, int, Box], ...]  # (first frame, end frame, place in pixels)

    @property
    def seconds(self) -> float:
        """How long the film runs."""
        return self.frames / self.spec.fps

    def label_box(self, frame: int) -> Box | None:
        """Where the label stands in a frame, in pixels; None while the title does."""
        return next((box for first, end, box in self.labels if first <= frame < end), None)

    def caption_at(self, frame: int) -> Caption | None:
        """The caption shown in a frame."""
        return next((c for c in self.captions if c.start <= frame < c.end), None)

    def shots_at(self, frame: int) -> tuple[Shot, ...]:
        """The one shot of a frame, or the two of a dissolve, earlier first."""
        return tuple(shot for shot in self.shots if shot.start <= frame < shot.end)


def plan(scenes: Sequence[SceneIn], spec: FilmSpec) -> Timeline:
    """Lay out a film of one or more scenes. The same input gives the same timeline.

    Pauses stretch and shrink within what sounds natural so that the film comes near `spec.seconds`; a narration that is
    too long for that makes a longer film, never a hurried one. Reads the sizes of photos and the lengths of clips.
    Raises ValueError without scenes and OSError for pictures that cannot be opened.
    """
    if not scenes:
        raise ValueError("a film needs at least one scene")
    title, pause, end = _pacing(scenes, spec)
    at = title
    narration, edges = [], [title]
    for i, scene in enumerate(scenes):
        lead = pause / 2 if i else pause
        narration.append((i, at + lead))
        at += lead + _line(scene) + (pause / 2 if i + 1 < len(scenes) else pause)
        edges.append(at)
    total = round(edges[-1] * spec.fps) + round(end * spec.fps)
    cuts = [round(second * spec.fps) for second in _on_beats(edges, scenes, narration, spec, total / spec.fps)]
    shots = _shots(scenes, spec, cuts, narration, total)
    spans = tuple((a / spec.fps, b / spec.fps) for a, b in pairwise(cuts))
    words = tuple(
        Word(w.text, at + w.start, at + w.end)
        for (i, at), scene in zip(narration, scenes, strict=True)
        for w in scene.words
    )
    return Timeline(
        spec=spec,
        frames=total,
        shots=tuple(shots),
        narration=tuple(narration),
        scenes=spans,
        words=words,
        captions=_captions(scenes, spec, shots, narration, spans),
        labels=_labels(scenes, spec, shots, total, _faces_anyhow(scenes, spec, cuts, narration, total)),
    )


def _line(scene: SceneIn) -> float:
    return max(_SHORTEST_LINE, scene.audio_seconds)


def _pacing(scenes: Sequence[SceneIn], spec: FilmSpec) -> tuple[float, float, float]:
    """Seconds of title, pause and end card: pauses give first, then the cards."""
    speech = sum(_line(scene) for scene in scenes)
    pauses = len(scenes) + 1
    title = (0.0, 0.0, 0.0) if not (spec.title.strip() or spec.subtitle.strip()) else TITLE
    spare = spec.seconds - speech - title[1] - END[1]
    pause = min(PAUSE[2], max(PAUSE[0], spare / pauses))
    over = spare - pause * pauses  # below nothing: too long; above: too short
    room = (title[0] - title[1], title[2] - title[1]), (END[0] - END[1], END[2] - END[1])
    first = min(room[0][1], max(room[0][0], over / 2))
    last = min(room[1][1], max(room[1][0], over - first))
    return title[1] + first, pause, END[1] + last


def _on_beats(
    edges: Sequence[float],
    scenes: Sequence[SceneIn],
    narration: Sequence[tuple[int, float]],
    spec: FilmSpec,
    seconds: float,
) -> list[float]:
    """The seconds of the cuts, each on a beat where there is one near in the same silence. What is heard stays."""
    if spec.music is None:
        return list(edges)
    beats = music.beats(spec.music, seconds)
    spoken = [(at, at + _line(scene)) for (_, at), scene in zip(narration, scenes, strict=True)]
    silent = pairwise([(0.0, 0.0), *spoken, (seconds - END[0] + _AIR, seconds)])
    found = []
    for edge, (before, after) in zip(edges, silent, strict=True):
        free = [beat for beat in beats if before[1] + _AIR <= beat <= after[0] - _AIR and abs(beat - edge) <= _BEAT]
        found.append(min(free, key=lambda beat: abs(beat - edge), default=edge) if edge > 0 else edge)
    return found


def _shots(
    scenes: Sequence[SceneIn], spec: FilmSpec, cuts: Sequence[int], narration: Sequence[tuple[int, float]], total: int
) -> list[Shot]:
    half = round(DISSOLVE * spec.fps) // 2
    overlap = (half, round(DISSOLVE * spec.fps) - half)  # frames before and after a cut
    found = [_title(scenes[0], spec, cuts, narration[0][1], overlap)] if cuts[0] > 0 else []
    before: Kind | None = None
    for i, scene in enumerate(scenes):
        inner = _split(scene, narration[i][1], cuts[i], cuts[i + 1], spec.fps)
        for number, (first, last) in enumerate(pairwise(inner)):
            opening = i == 0 and number == 0
            start, stop = max(0, first - overlap[0]), last + overlap[1]
            move_start = 0 if opening else start
            shot = _shot(scene, i, spec, (start, stop, move_start), before, part=number)
            turns = number == 0 and i > 0 and scene.chapter != scenes[i - 1].chapter
            found.append(replace(shot, enter=("whip" if spec.lively else "dip") if turns else "dissolve"))
            before = shot.path.kind if shot.path else before
    found.append(Shot("end", -1, cuts[-1] - overlap[0], total, "", None, cuts[-1] - overlap[0], total))
    return found


def _title(scene: SceneIn, spec: FilmSpec, cuts: Sequence[int], spoken: float, overlap: tuple[int, int]) -> Shot:
    """The title stands on the first photo, out of focus, in the very move that the first shot then sharpens into.

    A clip in that shot's place changes nothing here: the title is encoded before it lands.
    """
    still = replace(scene, clip=None)
    stop = _split(still, spoken, cuts[0], cuts[1], spec.fps)[1] + overlap[1]
    opener = _shot(still, 0, spec, (max(0, cuts[0] - overlap[0]), stop, 0), None, part=0)
    return replace(opener, kind="title", start=0, end=cuts[0] + overlap[1])


def _shot(
    scene: SceneIn, index: int, spec: FilmSpec, span: tuple[int, int, int], before: Kind | None, *, part: int
) -> Shot:
    start, stop, move_start = span
    seconds = (stop - move_start) / spec.fps
    if scene.clip is not None:
        length, size = conform.measure(scene.clip)
        needed = (stop - start) / spec.fps
        if part == 0 or length >= conform.SLOWEST * needed:
            faces = [Box(*face) for face in scene.clip_faces]
            held = length < conform.SLOWEST * needed
            path = conform.framing(size, spec.size, faces, Box(*scene.clip_interest), closer=held)
            speed = min(1.0, max(conform.SLOWEST, length / needed))
            return Shot("clip", index, start, stop, str(scene.photo), path, start, stop, str(scene.clip), speed)
    path = _path(scene, spec, seconds, before, part)
    return Shot("photo", index, start, stop, str(scene.photo), path, move_start, stop)


def _path(scene: SceneIn, spec: FilmSpec, seconds: float, before: Kind | None, part: int) -> CameraPath:
    with Image.open(scene.photo) as photo:
        size = photo.size
    faces = [Box(*face) for face in scene.faces]
    return choose_path(
        size,
        spec.size,
        faces,
        Box(*scene.interest),
        seconds=seconds,
        seed=scene.seed + 7919 * part,
        before=before,
        whole=scene.page,
    )


def _split(scene: SceneIn, spoken: float, first: int, last: int, fps: int) -> list[int]:
    """Where a scene's shots begin and end: one shot, or two of like length, parted in a breath of the voice."""
    seconds = (last - first) / fps
    if seconds <= LONGEST_SHOT:
        return [first, last]
    if scene.clip is not None and conform.measure(scene.clip)[0] >= seconds:
        return [first, last]
    middle = (first + last) / 2 / fps
    breaths = [(spoken + (a.end + b.start) / 2, b.start - a.end) for a, b in pairwise(scene.words)]
    near = [second for second, _ in breaths if abs(second - middle) < seconds * 0.2]
    pauses = dict(breaths)
    cut = max(near, key=lambda second: pauses[second] - abs(second - middle) * 0.1, default=middle)
    return [first, round(cut * fps), last]


def _faces_on_screen(scenes: Sequence[SceneIn], spec: FilmSpec, shots: Sequence[Shot]) -> list[Box]:
    return [
        shot.path.on_screen(Box(*face), spec.size)
        for shot in shots
        if shot.path is not None and shot.kind in ("photo", "clip")
        for face in (scenes[shot.scene].clip_faces if shot.kind == "clip" else scenes[shot.scene].faces)
    ]


def _captions(
    scenes: Sequence[SceneIn],
    spec: FilmSpec,
    shots: Sequence[Shot],
    narration: Sequence[tuple[int, float]],
    spans: Sequence[tuple[float, float]],
) -> tuple[Caption, ...]:
    found: list[Caption] = []
    for i, scene in enumerate(scenes):
        seen = [shot for shot in shots if shot.scene == i and shot.kind in ("photo", "clip")]

        def faces(first: int, end: int, scene: SceneIn = scene, seen: Sequence[Shot] = seen) -> list[Box]:
            return [face for shot in seen for face in _faces_during(scene, spec, shot, first, end)]

        at, (since, until) = narration[i][1], spans[i]
        words = [Word(w.text, at + w.start, at + w.end) for w in scene.words]
        found += captions.lay_out(
            words, spec.size, spec.fps, since=since, until=until, template=spec.template, faces=faces
        )
    brightest = [ground.luma(shots, spec.size, c.box, c.start, c.end) for c in found]
    return tuple(replace(c, halo=lettering.strength(luma)) for c, luma in zip(found, brightest, strict=True))


def _faces_during(scene: SceneIn, spec: FilmSpec, shot: Shot, first: int, end: int) -> list[Box]:
    """Where a shot's faces are between two frames (the second not included), in pixels."""
    first, last = max(first, shot.start), min(end, shot.end) - 1
    if shot.path is None or last < first:
        return []
    shares = [shot.share(frame) for frame in (first, (first + last) // 2, last)]
    faces = scene.clip_faces if shot.kind == "clip" else scene.faces
    return [hull([ground.seen(shot.path, share, Box(*face), spec.size) for share in shares]) for face in faces]


def _faces_anyhow(
    scenes: Sequence[SceneIn], spec: FilmSpec, cuts: Sequence[int], narration: Sequence[tuple[int, float]], total: int
) -> list[Box]:
    """Where faces come whichever scenes are filmed: in all photos, and in clips of the film's shape."""
    photos = [replace(scene, clip=None) for scene in scenes]
    found = _faces_on_screen(photos, spec, _shots(photos, spec, cuts, narration, total))
    (w, h), filmed = spec.size, [Box(*face) for scene in scenes for face in scene.clip_faces]
    return found + [Box(face.x * w, face.y * h, face.w * w, face.h * h) for face in filmed]


def _labels(
    scenes: Sequence[SceneIn], spec: FilmSpec, shots: Sequence[Shot], total: int, anyhow: Sequence[Box]
) -> tuple[tuple[int, int, Box], ...]:
    """The label's corner: one for the whole film where no face ever comes there, otherwise the best of each shot.

    `anyhow` are faces that keep the label away though they may not be seen: a clip that lands must not move it, or
    what was encoded of the film before would be encoded again.
    """
    shown = [shot for shot in shots if shot.kind != "title"]
    if not spec.label.strip():
        return ()
    corners = label.corners(spec.label, spec.size)
    faces = {id(shot): _faces_on_screen(scenes, spec, [shot]) for shot in shown}
    everywhere = _free(corners, [*anyhow, *(face for found in faces.values() for face in found)])
    if everywhere is not None:
        return ((shown[0].start, total, everywhere),)
    found: list[tuple[int, int, Box]] = []
    for i, shot in enumerate(shown):
        first = found[-1][1] if found else shot.start
        last = (shot.end + shown[i + 1].start) // 2 if i + 1 < len(shown) else total
        found.append((first, last, _free(corners, faces[id(shot)]) or corners[0]))
    return tuple(found)


def _free(corners: Sequence[Box], faces: Sequence[Box]) -> Box | None:
    """The first of `corners` no face touches."""
    return next((corner for corner in corners if not any(corner.touches(face) for face in faces)), None)
