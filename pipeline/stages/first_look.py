"""Stage `first_look`: a small film from the fan's own photos, to watch while the shots are being made elsewhere."""

from __future__ import annotations

from functools import partial

from django.conf import settings

from .. import files, film, roster
from ..engine import DONE, Done, Wait, Work
from ..history import tell
from ..media import picture, probe
from ..media.timeline import plan
from ..models import FirstLook, Step, StepState

SHORTER_SIDE = 480


def run(work: Work) -> Done | Wait:
    """Render it where there is something to wait for; where all shots are there already, the film itself comes next."""
    shots = Step.objects.filter(production=work.production, stage="shot")
    all_there = not shots.exclude(state=StepState.DONE).exists()
    if all_there or not roster.films_elsewhere() or FirstLook.objects.filter(production=work.production).exists():
        return DONE
    with files.workspace("first-look") as folder:
        parts = film.material(work, folder, stills=True)
        timeline = plan([part.scene for part in parts], film.spec(work, shorter_side=SHORTER_SIDE))
        soundtrack = film.soundtrack(work, parts, timeline)
        out, poster, sound = folder / "first-look.mp4", folder / "poster.jpg", folder / soundtrack.name
        picture.render_film(
            timeline,
            partial(soundtrack.make, folder),
            out,
            folder / "segments",
            threads=settings.RENDER_THREADS,
            on_progress=work.beat,
            keep_in=files.kept(),
        )
        picture.poster(timeline, poster, folder)
        media = probe.probe(out)
        with work.waiting(files.PATIENCE):
            stored = files.publish(out, work.production.folder), files.publish(poster, work.production.folder)
            heard = files.publish(sound, work.production.folder)
        with work.fence():
            FirstLook.objects.create(
                production=work.production,
                file=stored[0],
                poster=stored[1],
                segments={sound.name: heard},
                width=media.width,
                height=media.height,
                seconds=media.duration,
            )
            tell(work.production, "first_look.made", stage="first_look")
    return DONE
