"""Stage `conform`, one step per scene: what a landed clip will be in the film is encoded now, not when all have landed.

So are its dissolves into what has landed before it, the cards, and the sound where there was no first look: the last
clip leaves little to cut.
The pieces are named by everything that decides their pixels. If another take changes a piece after all (its caption has
to move, say), the cut finds another name and makes it anew.
"""

from __future__ import annotations

from pathlib import Path

from django.conf import settings

from .. import files, film
from ..engine import DONE, Done, Wait, Work
from ..history import tell
from ..media import meters, picture
from ..media.picture import Segment
from ..media.timeline import Timeline, plan
from ..models import Take
from ..models.story import TakeKind


def run(work: Work) -> Done | Wait:
    """Encode the scene's own pieces from its clip; a still take has none: the cut draws it from the photo."""
    take = Take.objects.get(
        shot__scene__script__production=work.production, shot__scene__number=work.step.item, selected=True
    )
    if take.kind != TakeKind.CLIP or take.segments:
        return DONE
    with files.workspace("conform") as folder:
        parts = film.material(work, folder)
        clip = parts[work.step.item - 1].scene.clip
        if clip is None:
            return DONE
        timeline = plan([part.scene for part in parts], film.spec(work))
        there = film.pieces(work)
        segments = folder / "segments"
        own = [part for part in _ready(work, timeline, segments) if part.path.name not in there]
        picture.render_picture(
            timeline,
            segments,
            threads=settings.RENDER_THREADS,
            on_progress=work.beat,
            only=own,
            keep_in=files.kept(),
        )
        made = [part.path for part in own]
        track = film.soundtrack(work, parts, timeline)
        if track.name not in there:
            made.append(track.make(segments))
            work.beat()
        thumb = meters.thumbnail(clip, folder / "thumb.jpg")
        with work.waiting(files.PATIENCE):
            published = {path.name: files.publish(path, work.production.folder) for path in made}
            small = files.publish(thumb, work.production.folder)
        with work.fence():
            Take.objects.filter(pk=take.pk).update(segments=published, thumb=small)
            tell(work.production, "shot.conformed", stage="conform", item=work.step.item)
    return DONE


def _ready(work: Work, timeline: Timeline, folder: Path) -> list[Segment]:
    """The pieces that show this scene, alone or with others whose takes have landed, and what shows no take at all."""
    takes = Take.objects.filter(shot__scene__script__production=work.production, selected=True)
    landed = set(takes.values_list("shot__scene__number", flat=True))
    found = []
    for part in picture.segments(timeline, folder):
        shown = {shot.scene + 1 for shot in timeline.shots_at(part.start) if shot.kind not in ("title", "end")}
        if shown <= landed and (work.step.item in shown or not shown):
            found.append(part)
    return found
