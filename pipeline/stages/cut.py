"""Stage `cut`: photos, reads and music become one film."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from orders.faults import faultpoint

from .. import files
from ..engine import DONE, Done, Wait, Work
from ..history import tell
from ..media import music, picture, probe, sound, subtitles
from ..media.timeline import FilmSpec, SceneIn, Timeline, Word, plan
from ..models import Cut, Scene
from ..models.story import TakeKind


@dataclass(frozen=True)
class Material:
    """One scene's material, fetched: what the timeline is planned from, the read, and the photo's stored name."""

    scene: SceneIn
    audio: Path
    photo_name: str


def run(work: Work) -> Done | Wait:
    """Plan the timeline, mix the sound, draw and encode the picture, publish film, poster and captions."""
    if Cut.objects.filter(production=work.production).exists():
        return DONE
    with files.workspace("cut") as folder:
        material = _material(work, folder)
        timeline = plan([part.scene for part in material], _spec(work))
        mixed = _mix(work, material, timeline, folder)
        work.beat()
        film, poster, captions = folder / "film.mp4", folder / "poster.jpg", folder / "captions.vtt"
        picture.render_film(
            timeline, mixed, film, folder / "segments", threads=settings.RENDER_THREADS, on_progress=work.beat
        )
        faultpoint("cut.after_render")
        picture.poster(timeline, poster, folder)
        captions.write_text(subtitles.vtt(_cues(material, timeline)), encoding="utf-8")
        _keep(work, facts(material, timeline), film, poster, captions)
    return DONE


def _material(work: Work, folder: Path) -> list[Material]:
    found = []
    for scene in Scene.objects.filter(script__production=work.production).select_related("photo", "narration"):
        take = scene.shot.takes.get(selected=True)
        planned = SceneIn(
            text=scene.text,
            words=tuple(Word(text, start, end) for text, start, end in scene.narration.words),
            audio_seconds=scene.narration.seconds,
            photo=files.fetch(scene.photo.file, folder),
            clip=files.fetch(take.file, folder) if take.kind == TakeKind.CLIP else None,
            faces=tuple(tuple(face) for face in scene.photo.facts.get("faces", ())),
            interest=tuple(scene.photo.facts["interest"]),
            seed=scene.number,
        )
        found.append(Material(planned, files.fetch(scene.narration.audio, folder), scene.photo.file))
        work.beat()
    return found


def _spec(work: Work) -> FilmSpec:
    brief = work.order.brief
    creator = work.order.creator
    width, height = (round(side * settings.RENDER_SCALE) for side in brief.size)
    return FilmSpec(
        width=width,
        height=height,
        title=work.production.script.title,
        subtitle=_("from %(sender)s") % {"sender": brief.sender} if brief.sender else "",
        end_title=_("Told by %(creator)s") % {"creator": creator.name},
        end_note=_("Made with Videogen"),
        label=_("AI-generated · licensed voice"),
        seconds=float(brief.seconds),
        accent=creator.accent,
    )


def _mix(work: Work, material: list[Material], timeline: Timeline, folder: Path) -> Path:
    brief = work.order.brief
    track = music.choose(brief.tone, brief.occasion, work.order.pk)
    out = folder / "mix.wav"
    sound.mix(
        [(material[index].audio, start) for index, start in timeline.narration],
        track.path,
        timeline.seconds,
        out,
        words=[(word.start, word.end) for word in timeline.words],
    )
    return out


def _cues(material: list[Material], timeline: Timeline) -> list[tuple[float, float, str]]:
    return [
        (start, start + material[index].scene.audio_seconds, material[index].scene.text)
        for index, start in timeline.narration
    ]


def facts(material: list[Material], timeline: Timeline) -> dict[str, Any]:
    """What quality control needs to know of a timeline, as plain data: seconds, and boxes in the film's pixels."""
    fps = timeline.spec.fps

    def placed(first: int, end: int, box: tuple[float, float, float, float]) -> list[float]:
        return [first / fps, end / fps, *(round(float(value), 1) for value in box)]

    return {
        "size": list(timeline.spec.size),
        "fps": fps,
        "seconds": timeline.seconds,
        "scenes": [[round(start, 3), round(end, 3)] for start, end in timeline.scenes],
        "captions": [placed(c.start, c.end, c.box) for c in timeline.captions],
        "labels": [placed(first, end, box) for first, end, box in timeline.labels],
        "shots": [
            [shot.start / fps, shot.end / fps, material[shot.scene].photo_name, shot.kind == "clip"]
            for shot in timeline.shots
            if shot.kind in ("photo", "clip")
        ],
    }


def _keep(work: Work, timeline: dict[str, Any], film: Path, poster: Path, captions: Path) -> None:
    media = probe.probe(film)
    folder = work.production.folder
    values: dict[str, Any] = {
        "file": files.publish(film, folder),
        "poster": files.publish(poster, folder),
        "captions": files.publish(captions, folder),
        "sha256": files.sha256(film),
        "size": film.stat().st_size,
        "width": media.width,
        "height": media.height,
        "fps": media.fps,
        "seconds": media.duration,
        "timeline": timeline,
    }
    with work.fence():
        Cut.objects.create(production=work.production, **values)
        tell(work.production, "film.cut", stage="cut", seconds=round(media.duration, 2), bytes=values["size"])
