"""The plan of a film: which picture stands when, where each line is spoken, what is written over it. Repeatable."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Literal

from PIL import Image

from pipeline.media import captions, conform, depth, ground, label, lettering, motion, pacing, pairs, templates
from pipeline.media.captions import Caption
from pipeline.media.motion import Box, CameraPath, Kind, choose_path, hull

Entrance = Literal["dissolve", "dip", "whip", "glow"]
Faces = Sequence[tuple[float, float, float, float]]  # fractions of a photo


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
    shown whole. Between scenes of different chapters the film turns a page; within one it dissolves. `taken` is the
    photo's ISO moment, `matte` where its people are (see depth); both empty when unknown. A `calm` one is hardly moved
    over; where `moved`, captions stand elsewhere than they would.
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
    taken: str = ""
    matte: str = ""
    calm: bool = False
    moved: bool = False


@dataclass(frozen=True, slots=True)
class FilmSpec:
    """What the film should be: pixels (rounded down to even), wanted seconds, the words on its cards, its colour.

    A `lively` one whips where another dips into the dark. Its cuts fall on the beats of the `music` where the words
    leave room for it. A `draft` is encoded for speed. Into a `glad` one's ending light may fall (see templates).
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
    glad: bool = False

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels, both even (4:2:0 needs it)."""
        return self.width // 2 * 2, self.height // 2 * 2


@dataclass(frozen=True, slots=True)
class Shot:
    """One picture on the timeline, in frames `start` to `end` (not included); neighbours overlap by a dissolve.

    The camera's move spans `move_start` to `move_end`, so that a title can share the move of the shot it opens into.
    `clip_speed` below 1 plays a clip slower. `enter` is how it comes after its neighbour: the two dissolve, or dip
    through the dark, the camera whips from one to the other, or light falls in as they dissolve. `beside` is a second
    photo on the same ground, `relief` the own move of who stands in front. One that `goes_on` begins over the same
    photo where the shot before has ended: nothing is seen of the cut.
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
    beside: pairs.Pane | None = None
    relief: depth.Relief | None = None
    goes_on: bool = False

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
    title, pause, end = pacing.seconds_of(scenes, spec)
    at = title
    narration, edges = [], [title]
    for i, scene in enumerate(scenes):
        lead = pause / 2 if i else pacing.LEAD
        narration.append((i, at + lead))
        at += lead + pacing.line_seconds(scene) + (pause / 2 if i + 1 < len(scenes) else pause)
        edges.append(at)
    total = round(edges[-1] * spec.fps) + round(end * spec.fps)
    cuts = [round(second * spec.fps) for second in pacing.on_beats(edges, scenes, narration, spec, total / spec.fps)]
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


def _shots(
    scenes: Sequence[SceneIn], spec: FilmSpec, cuts: Sequence[int], narration: Sequence[tuple[int, float]], total: int
) -> list[Shot]:
    half = round(pacing.DISSOLVE * spec.fps) // 2
    overlap = (half, round(pacing.DISSOLVE * spec.fps) - half)  # frames before and after a cut
    found = [_title(scenes[0], spec, cuts, narration[0][1], overlap)] if cuts[0] > 0 else []
    before: Kind | None = None
    together = pairs.chosen(scenes, spec.size)
    for i, scene in enumerate(scenes):
        inner = pacing.split(scene, narration[i][1], cuts[i], cuts[i + 1], spec.fps)
        for number, (first, last) in enumerate(pairwise(inner)):
            opening = i == 0 and number == 0
            start, stop = max(0, first - overlap[0]), last + overlap[1]
            move_start = 0 if opening else start
            held = number > 0 or (i > 0 and scenes[i - 1].photo == scene.photo)
            earlier = found[-1] if held else None
            shot = _shot(scene, i, spec, (start, stop, move_start), before, part=number, last=earlier)
            if shot.kind == "photo" and number == 0 and i in together:
                shot = _with_its_neighbour(shot, scenes, together[i], spec, before)
            found.append(replace(shot, enter="dissolve" if held else _entrance(scenes, i, spec)))
            before = shot.path.kind if shot.path else before
    found.append(Shot("end", -1, cuts[-1] - overlap[0], total, "", None, cuts[-1] - overlap[0], total))
    return found


def _entrance(scenes: Sequence[SceneIn], index: int, spec: FilmSpec) -> Entrance:
    """How a scene's first picture comes: between chapters the film turns a page; once, where it may, light falls."""
    if index == 0 or scenes[index].chapter == scenes[index - 1].chapter:
        return "dissolve"
    if spec.lively:
        return "whip"
    falls = spec.glad and templates.of(spec.template).glow and scenes[index].chapter == "ending"
    return "glow" if falls else "dip"


def _title(scene: SceneIn, spec: FilmSpec, cuts: Sequence[int], spoken: float, overlap: tuple[int, int]) -> Shot:
    """The title stands on the first photo, out of focus, in the very move that the first shot then sharpens into.

    A clip in that shot's place changes nothing here: the title is encoded before it lands.
    """
    still = replace(scene, clip=None)
    stop = pacing.split(still, spoken, cuts[0], cuts[1], spec.fps)[1] + overlap[1]
    opener = _shot(still, 0, spec, (max(0, cuts[0] - overlap[0]), stop, 0), None, part=0)
    return replace(opener, kind="title", start=0, end=cuts[0] + overlap[1])


def _shot(
    scene: SceneIn,
    index: int,
    spec: FilmSpec,
    span: tuple[int, int, int],
    before: Kind | None,
    *,
    part: int,
    last: Shot | None = None,
) -> Shot:
    """One shot of a scene; `last` is the one before it over the same photo, whose move it goes on from: a picture that
    dissolves into itself a little larger looks double."""
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
    path = _path(scene, spec, seconds, before, part, last if last and not last.clip else None)
    wanted = templates.of(spec.template).depth and scene.matte and not spec.draft and not scene.calm
    relief = depth.relief(scene.matte, path, [Box(*face) for face in scene.faces]) if wanted else None
    if relief is not None and last is not None and last.relief is not None:
        grow, shift = (last.relief.grow[1], relief.grow[1]), (last.relief.shift[1], relief.shift[1])
        relief = replace(relief, grow=grow, shift=shift)
    goes_on = last is not None and not last.clip and last.path is not None and last.path.end == path.start
    return Shot("photo", index, start, stop, str(scene.photo), path, move_start, stop, relief=relief, goes_on=goes_on)


def _with_its_neighbour(shot: Shot, scenes: Sequence[SceneIn], other: int, spec: FilmSpec, before: Kind | None) -> Shot:
    """A photo's shot with the photo of the scene before beside it, where there is room for both."""
    scene = scenes[shot.scene]
    laid = pairs.lay_out(scenes[other], scene, other, spec.size, seed=scene.seed, before=before)
    return shot if laid is None else replace(shot, path=laid[0], beside=laid[1], relief=None)


def _path(
    scene: SceneIn, spec: FilmSpec, seconds: float, before: Kind | None, part: int, last: Shot | None
) -> CameraPath:
    with Image.open(scene.photo) as photo:
        size = photo.size
    faces = [Box(*face) for face in scene.faces]
    path = choose_path(
        size,
        spec.size,
        faces,
        Box(*scene.interest),
        seconds=seconds,
        seed=scene.seed + 7919 * part,
        before=before,
        whole=scene.page,
    )
    if last is not None and last.path is not None and last.beside is None:
        pace = seconds * spec.fps / max(1, last.move_end - last.move_start)
        path = motion.going_on(last.path, path, pace) or path
    return path.calmer() if scene.calm and path.kind != "travel" else path


def _photos(scenes: Sequence[SceneIn], shot: Shot) -> list[tuple[CameraPath, Faces]]:
    """The move of a shot over each photo it shows (one, or two beside each other), with that photo's faces."""
    if shot.path is None or shot.kind not in ("photo", "clip"):
        return []
    scene, pane = scenes[shot.scene], shot.beside
    own: list[tuple[CameraPath, Faces]] = [(shot.path, scene.clip_faces if shot.kind == "clip" else scene.faces)]
    return own if pane is None else [*own, (pane.path(shot.path), scenes[pane.scene].faces)]


def _faces_on_screen(scenes: Sequence[SceneIn], spec: FilmSpec, shots: Sequence[Shot]) -> list[Box]:
    return [
        path.on_screen(Box(*face), spec.size)
        for shot in shots
        for path, faces in _photos(scenes, shot)
        for face in faces
    ]


def _pages_on_screen(scenes: Sequence[SceneIn], spec: FilmSpec, shot: Shot) -> list[Box]:
    if shot.path is None or shot.kind != "photo" or not scenes[shot.scene].page:
        return []
    return [shot.path.on_screen(shot.path.crop, spec.size)]


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
            found = [face for shot in seen for face in _faces_during(scenes, spec, shot, first, end)]
            # Where captions should stand elsewhere, their usual place counts as taken.
            return [*found, captions.usual(spec.size)] if scene.moved else found

        at, (since, until) = narration[i][1], spans[i]
        words = [Word(w.text, at + w.start, at + w.end) for w in scene.words]
        found += captions.lay_out(
            words, spec.size, spec.fps, since=since, until=until, template=spec.template, faces=faces
        )
    brightest = [ground.luma(shots, spec.size, c.box, c.start, c.end) for c in found]
    return tuple(replace(c, halo=lettering.strength(luma)) for c, luma in zip(found, brightest, strict=True))


def _faces_during(scenes: Sequence[SceneIn], spec: FilmSpec, shot: Shot, first: int, end: int) -> list[Box]:
    """Where a shot's faces are between two frames (the second not included), in pixels."""
    first, last = max(first, shot.start), min(end, shot.end) - 1
    if last < first:
        return []
    shares = [shot.share(frame) for frame in (first, (first + last) // 2, last)]
    return [
        hull([ground.seen(path, share, Box(*face), spec.size) for share in shares])
        for path, faces in _photos(scenes, shot)
        for face in faces
    ]


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
    """The label's corner: one for the whole film where no face and no page ever comes, else the best of each shot.

    `anyhow` are faces that keep the label away though they may not be seen: a clip that lands must not move it, or
    what was encoded of the film before would be encoded again.
    """
    shown = [shot for shot in shots if shot.kind != "title"]
    if not spec.label.strip():
        return ()
    corners = label.corners(spec.label, spec.size)
    faces = {id(shot): _faces_on_screen(scenes, spec, [shot]) for shot in shown}
    pages = {id(shot): _pages_on_screen(scenes, spec, shot) for shot in shown}
    everywhere = label.free(corners, [*anyhow, *_all_of(faces)], _all_of(pages))
    if everywhere is not None:
        return ((shown[0].start, total, everywhere),)
    found: list[tuple[int, int, Box]] = []
    for i, shot in enumerate(shown):
        first = found[-1][1] if found else shot.start
        last = (shot.end + shown[i + 1].start) // 2 if i + 1 < len(shown) else total
        here = faces[id(shot)], pages[id(shot)]
        found.append((first, last, label.free(corners, *here) or label.free(corners, *here, heads=False) or corners[0]))
    return tuple(found)


def _all_of(boxes: Mapping[int, Sequence[Box]]) -> list[Box]:
    return [box for found in boxes.values() for box in found]
