"""Stage `cut`: photos, takes, reads and music become one film; what was encoded when a take landed is used."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings

from orders.faults import faultpoint

from .. import engine, files, film
from ..engine import DONE, Done, Wait, Work
from ..history import tell
from ..media import picture, probe, subtitles
from ..media.timeline import plan
from ..models import Cut


def run(work: Work) -> Done | Wait:
    """Plan the timeline, draw and encode the picture, sound and poster beside it, publish film, poster and captions."""
    if Cut.objects.filter(production=work.production).exists():
        return DONE
    with files.workspace("cut") as folder:
        parts = film.material(work, folder)
        timeline = plan([part.scene for part in parts], film.spec(work))
        track, segments = film.soundtrack(work, parts, timeline), folder / "segments"
        master, poster, captions = folder / "film.mp4", folder / "poster.jpg", folder / "captions.vtt"
        with work.waiting(files.PATIENCE):
            names = [track.name, *(part.path.name for part in picture.segments(timeline, segments))]
            ready = film.bring(film.pieces(work), names, segments)
        if not work.step.item:  # a film that is mended is made of nothing old
            ready += film.take_back(work, names, segments, fps=timeline.spec.fps)

        def beside() -> Path:
            made = track.make(segments)
            picture.poster(timeline, poster, folder)
            return made

        picture.render_film(
            timeline,
            beside,
            master,
            segments,
            threads=settings.RENDER_THREADS,
            on_progress=work.beat,
            keep_in=files.kept(),
        )
        faultpoint("cut.after_render")
        captions.write_text(subtitles.vtt(film.cues(timeline)), encoding="utf-8")
        with work.waiting(files.PATIENCE):
            told = film.facts(parts, timeline)
            told |= {"pieces": film.parted(timeline, track.name), "lines": film.lines(work, parts, timeline)}
            _keep(work, told, master, poster, captions, ready=ready)
    return DONE


def _keep(work: Work, timeline: dict[str, Any], master: Path, poster: Path, captions: Path, *, ready: int) -> None:
    media = probe.probe(master)
    folder = work.production.folder
    values: dict[str, Any] = {
        "file": files.publish(master, folder),
        "poster": files.publish(poster, folder),
        "captions": files.publish(captions, folder),
        "sha256": files.sha256(master),
        "size": master.stat().st_size,
        "width": media.width,
        "height": media.height,
        "fps": media.fps,
        "seconds": media.duration,
        "timeline": timeline,
    }
    with work.fence():
        Cut.objects.create(production=work.production, **values)
        tell(
            work.production,
            "film.cut",
            stage="cut",
            seconds=round(media.duration, 2),
            bytes=values["size"],
            ready=ready,
        )
        engine.ring_step(work.production, "qc")  # which waits where this is the second cut
