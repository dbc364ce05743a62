"""A production's film as material: what its timeline and sound are planned from, and what quality control knows."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import av
from django.conf import settings
from django.utils.translation import gettext as _
from PIL import Image

from orders.choices import Occasion, Tone

from . import files, wishes
from .claims import Claim
from .media import encode, ground, hearing, music, picture, probe, startframe
from .media.expected import Expected, ExpectedPhoto, ExpectedShot, TextBox
from .media.motion import Box, CameraPath
from .media.soundtrack import Soundtrack
from .media.timeline import FilmSpec, SceneIn, Shot, Timeline, Word
from .models import Cut, FirstLook, Rendition, RenditionState, Scene, Take
from .models.story import TakeKind
from .providers import hearing as spoken
from .providers.writing.person import who_is
from .providers.writing.telling import is_grave

log = logging.getLogger(__name__)
SAD = (Occasion.CONDOLENCE, Occasion.SORRY)
LIVELY = ("happy", "energetic")  # moods of music
# What of a plan is kept with its film: made once more, it looks the same, whatever has changed since.
LOOK = ("title", "subtitle", "end_title", "end_note", "label", "accent", "template", "lively", "glad")


@dataclass(frozen=True)
class Material:
    """One scene's material, fetched: what the timeline is planned from, the read, and the photo's stored name."""

    scene: SceneIn
    audio: Path
    photo_name: str


def material(work: Claim, folder: Path, *, stills: bool = False) -> list[Material]:
    """Every scene's material, in order, copied into `folder`. With `stills`, takes are left aside.

    A scene without a usable take is filmed from its photo: a clip that is gone, or cannot be read, costs no film.
    """
    found: list[Material] = []
    roles: list[str] = []
    scenes = Scene.objects.filter(script__production=work.production).select_related("photo", "narration")
    for scene in scenes.order_by("number"):
        take = None if stills else Take.objects.filter(shot__scene=scene, selected=True).first()
        with work.waiting(files.PATIENCE):
            photo = files.fetch(scene.photo.file, folder)
            audio = files.fetch(scene.narration.audio, folder)
            clip = _clip(take, folder) if take is not None else None
        faces = [Box(*face) for face in scene.photo.facts.get("faces", ())]
        interest = Box(*scene.photo.facts["interest"])
        clip_faces, clip_interest = _in_clip(photo, work.order.brief.size, faces, interest)
        planned = SceneIn(
            text=scene.text,
            words=tuple(Word(text, start, end) for text, start, end in scene.narration.words),
            audio_seconds=scene.narration.seconds,
            photo=photo,
            clip=clip,
            faces=tuple(faces),
            interest=interest,
            clip_faces=tuple(clip_faces),
            clip_interest=clip_interest,
            seed=take.plan.get("seed", scene.number) if take is not None else scene.number,
            page="page" in scene.photo.facts.get("warnings", ()),
            taken=scene.photo.facts.get("taken_at") or "",
            matte="" if take is not None and take.plan.get("flat") else scene.photo.facts.get("matte", ""),
            calm=wishes.shot(work.production, scene.number).calm,
            moved=scene.number in wishes.moved_captions(work.production),
        )
        found.append(Material(planned, audio, scene.photo.file))
        roles.append(scene.role)
        work.beat()
    return [
        replace(each, scene=replace(each.scene, chapter=chapter))
        for each, chapter in zip(found, chapters(roles), strict=True)
    ]


def chapters(roles: Sequence[str]) -> list[str]:
    """The chapter of each scene by its role: what opens, the story, what ends. A line of the writer's own that stands
    between two facts is part of the story."""
    first = next((k for k, role in enumerate(roles) if role != "opening"), len(roles))
    last = next((k for k in range(len(roles), first, -1) if roles[k - 1] != "ending"), first)
    return ["opening" if k < first else "ending" if k >= last else "story" for k in range(len(roles))]


def _in_clip(photo: Path, shape: tuple[int, int], faces: list[Box], interest: Box) -> tuple[list[Box], Box]:
    """Where a photo's faces, and what stands out in it, lie in a clip: the vendor began with a crop of `shape`."""
    with Image.open(photo) as picture:
        *seen, about = startframe.seen(picture.size, shape, faces, interest, [*faces, interest])
    return seen, about


def _clip(take: Take, folder: Path) -> Path | None:
    if take.kind != TakeKind.CLIP:
        return None
    try:
        clip = files.fetch(take.file, folder)
        probe.probe(clip)
    except (FileNotFoundError, probe.BadMedia) as error:
        log.warning("Take %s cannot be used any more, its photo stands in: %s", take, error)
        return None
    return clip


def spec(
    work: Claim,
    *,
    shorter_side: int | None = None,
    shape: tuple[int, int] | None = None,
    look: Mapping[str, Any] | None = None,
) -> FilmSpec:
    """What the film should be; with `shorter_side` in pixels, a draft of it, as small as that.

    `shape`, in pixels, is another than was ordered; `look` what of LOOK was said before and is not asked again.
    """
    brief, creator, heard = work.order.brief, work.order.creator, track(work)
    scale, size = settings.RENDER_SCALE, shape or brief.size
    if shorter_side is not None:
        scale = min(scale, shorter_side / min(size))
    width, height = (round(side * scale) for side in size)
    planned = FilmSpec(
        width=width,
        height=height,
        title=work.production.script.title,
        subtitle=_("from %(sender)s") % {"sender": brief.sender} if brief.sender else "",
        end_title=_("Told by %(creator)s") % {"creator": creator.name},
        end_note=_("Made with Videogen"),
        label=_("AI-generated · licensed voice"),
        seconds=float(brief.seconds),
        accent=creator.accent,
        template=creator.template,
        lively=heard.mood in LIVELY,
        glad=not _mourned(work) and brief.occasion not in SAD,
        music=heard.path,
        draft=shorter_side is not None,
    )
    return replace(planned, **(look or {}))


def track(work: Claim) -> music.Track:
    """The film's music: calm where somebody has died, and never funny about a hard life, whatever was chosen."""
    brief = work.order.brief
    told = work.production.script.scenes.filter(role="fact").values_list("text", flat=True)
    tone = Tone.WARM if brief.tone == Tone.FUNNY and is_grave(list(told)) else brief.tone
    mood, step = wishes.music(work.production)
    occasion = Occasion.CONDOLENCE if _mourned(work) else brief.occasion
    return music.choose(mood or tone, occasion, work.order.pk + step)


def _mourned(work: Claim) -> bool:
    """Whether somebody has died."""
    brief = work.order.brief
    return who_is(brief.name, brief.occasion, brief.notes).mourned


def soundtrack(work: Claim, parts: list[Material], timeline: Timeline) -> Soundtrack:
    """The plan of the film's sound."""
    return Soundtrack(
        reads=tuple((parts[index].audio, start) for index, start in timeline.narration),
        music=track(work).path,
        seconds=timeline.seconds,
        words=tuple((word.start, word.end) for word in timeline.words),
    )


def pieces(work: Claim) -> dict[str, str]:
    """What is encoded of the film already, with the first look or when a take landed: content name → stored name."""
    takes = Take.objects.filter(shot__scene__script__production=work.production, selected=True)
    looks = FirstLook.objects.filter(production=work.production)
    made = [*looks.values_list("segments", flat=True), *takes.values_list("segments", flat=True)]
    return {name: stored for segments in made for name, stored in segments.items()}


def bring(stored: Mapping[str, str], names: Iterable[str], segments: Path) -> int:
    """Fetch those of the `pieces` called so that are there into the folder `segments`; how many there were."""
    segments.mkdir(parents=True, exist_ok=True)
    found = 0
    for name in names:
        if name in stored:
            try:
                files.fetch(stored[name], segments).replace(segments / name)
                found += 1
            except FileNotFoundError:
                continue  # it is encoded again
    return found


def take_back(work: Claim, names: Iterable[str], folder: Path, *, fps: int) -> int:
    """Take those of the pieces called so out of films of this order that hold them, into `folder`; how many there were.

    So what did not change is not encoded again, though nothing was kept of it but the film.
    """
    folder.mkdir(parents=True, exist_ok=True)
    missing = {name for name in names if not (folder / name).exists()}
    wanted = len(missing)
    for stored, sha256, held in _films(work):
        spans = {name: (first, end) for name, first, end in held if name in missing}
        if not spans:
            continue
        try:
            with work.waiting(files.PATIENCE):
                whole = files.fetch(stored, folder)
            if files.sha256(whole) == sha256:
                _part(whole, spans, folder, fps)
        except (FileNotFoundError, ValueError, av.FFmpegError) as error:
            log.warning("Nothing can be taken out of %s: %s", stored, error)
        missing = {name for name in missing if not (folder / name).exists()}
        work.beat()
    return wanted - len(missing)


def _films(work: Claim) -> list[tuple[str, str, list[tuple[str, int, int]]]]:
    """Finished films of this order, newest first: the stored name, its hash, and which frames are which piece."""
    cuts = Cut.objects.filter(production__order=work.order).order_by("-pk")
    others = Rendition.objects.filter(cut__production__order=work.order, state=RenditionState.READY).order_by("-pk")
    return [
        *((one.file, one.sha256, one.timeline.get("pieces", [])) for one in cuts),
        *((one.file, one.sha256, one.pieces) for one in others),
    ]


def _part(whole: Path, spans: Mapping[str, tuple[int, int]], folder: Path, fps: int) -> None:
    pictures = {folder / name: span for name, span in spans.items() if not name.startswith("sound-")}
    if pictures:
        encode.take_out(whole, pictures, fps=fps)
    for name in spans:
        if name.startswith("sound-"):
            encode.take_sound(whole, folder / name)


def parted(timeline: Timeline, sound: str) -> list[tuple[str, int, int]]:
    """Which frames of the film are which encoded piece, by name; the sound, by its own, is all of them."""
    own = [(part.path.name, part.start, part.end) for part in picture.segments(timeline, Path())]
    return [*own, (sound, 0, timeline.frames)]


def cues(timeline: Timeline) -> list[tuple[float, float, str]]:
    """Start and end in seconds, and the words, of every caption as it stands in the picture."""
    fps = timeline.spec.fps
    return [(round(c.start / fps, 3), round(c.end / fps, 3), c.text) for c in timeline.captions]


def facts(parts: list[Material], timeline: Timeline) -> dict[str, Any]:
    """What quality control needs to know of a timeline, as plain data: seconds, and boxes in the film's pixels."""
    fps = timeline.spec.fps

    def placed(first: int, end: int, box: tuple[float, float, float, float]) -> list[float]:
        return [first / fps, end / fps, *(round(float(value), 1) for value in box)]

    return {
        "size": list(timeline.spec.size),
        "look": {key: getattr(timeline.spec, key) for key in LOOK},
        "fps": fps,
        "seconds": timeline.seconds,
        "scenes": [[round(start, 3), round(end, 3)] for start, end in timeline.scenes],
        "captions": [placed(c.start, c.end, c.box) for c in timeline.captions],
        "cues": [list(cue) for cue in cues(timeline)],
        "labels": [placed(first, end, box) for first, end, box in timeline.labels],
        "shots": [
            [
                shot.start / fps,
                shot.end / fps,
                parts[shot.scene].photo_name,
                shot.kind == "clip",
                [list(face) for face in parts[shot.scene].scene.faces],
                shot.scene + 1,
                _places(parts, shot, timeline.spec.size),
                shot.relief is not None,
                shot.goes_on,
            ]
            for shot in timeline.shots
            if shot.kind in ("photo", "clip")
        ],
    }


def _places(parts: list[Material], shot: Shot, size: tuple[int, int]) -> list[Any] | None:
    """Where a shot's own photo lies half-way (in shares of the frame), if not about the middle: a page, or one of two;
    of these then the other's stored name, place and faces."""
    if shot.path is None or not (shot.beside or (parts[shot.scene].scene.page and shot.path.fill)):
        return None

    def placed(path: CameraPath) -> list[float]:
        return list(ground.seen(path, 0.5, path.crop, size).scaled(1 / size[0], 1 / size[1]))

    if shot.beside is None:
        return [placed(shot.path)]
    second = parts[shot.beside.scene]
    faces = [list(face) for face in second.scene.faces]
    return [placed(shot.path), second.photo_name, placed(shot.beside.path(shot.path)), faces]


def lines(work: Claim, parts: list[Material], timeline: Timeline) -> list[tuple[float, tuple[str, ...]]]:
    """When each line begins and its words as they should be heard; none in a language nobody here understands."""
    if not work.production.script.language.startswith("en"):
        return []
    brief = work.order.brief
    names = (brief.name, brief.said_as, brief.sender, work.order.creator.name)
    return [(round(start, 3), spoken.line(parts[index].scene.text, names)) for index, start in timeline.narration]


def expected(told: Mapping[str, Any], folder: Path) -> Expected:
    """What quality control holds a film against: from its `facts`, with the photos fetched into `folder`."""
    return Expected(
        width=told["size"][0],
        height=told["size"][1],
        fps=told["fps"],
        seconds=told["seconds"],
        captions=tuple(TextBox(*box) for box in told["captions"]),
        labels=tuple(TextBox(*box) for box in told["labels"]),
        # A film cut before faces, scenes, places, depth and moves that go on were told has none of them.
        shots=tuple(_shot([*shot, *([], None, None, False, False)[len(shot) - 4 :]], folder) for shot in told["shots"]),
        lines=tuple(hearing.Line(start, tuple(words)) for start, words in told.get("lines", ())),
    )


def _shot(told: list[Any], folder: Path) -> ExpectedShot:
    start, end, photo, filmed, faces, scene, places, depth, goes_on = told
    own, *second = places or [None]
    beside = None
    if second:
        name, place, others = second
        beside = ExpectedPhoto(files.fetch(name, folder), _boxes(others), Box(*place))
    return ExpectedShot(
        *(start, end, files.fetch(photo, folder), filmed, _boxes(faces), scene),
        place=own and Box(*own),
        beside=beside,
        depth=depth,
        goes_on=goes_on,
    )


def _boxes(told: list[list[float]]) -> tuple[Box, ...]:
    return tuple(Box(*box) for box in told)
