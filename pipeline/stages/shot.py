"""Stage `shot`, one step per scene: a take for the scene's picture."""

from __future__ import annotations

from .. import files, roster
from ..calls import ask
from ..engine import DONE, Done, Wait, Work
from ..history import tell
from ..models import CallState, Scene, Shot, Take
from ..models.story import TakeKind, TakeState
from ..providers.base import ShotRequest


def run(work: Work) -> Done | Wait:
    """Ask the video provider for this scene's take and select it."""
    scene = Scene.objects.select_related("photo").get(script__production=work.production, number=work.step.item)
    if Take.objects.filter(shot__scene=scene, selected=True).exists():
        return DONE
    brief = work.order.brief
    width, height = brief.size
    request = ShotRequest(
        photo=scene.photo.file,
        width=width,
        height=height,
        seconds=brief.seconds / max(1, scene.script.scenes.count()),
        faces=tuple(tuple(face) for face in scene.photo.facts.get("faces", ())),
        interest=tuple(scene.photo.facts.get("interest", (0.25, 0.25, 0.5, 0.5))),
        prompt=scene.idea,
        seed=scene.number,
    )
    with files.workspace("shot") as folder:
        call = ask(work, roster.video(), request.to_json(), folder)
    if call.state != CallState.SUCCEEDED:
        return Wait(5)
    with work.fence():
        shot, _created = Shot.objects.get_or_create(scene=scene)
        Take.objects.create(
            shot=shot,
            kind=TakeKind(call.result.get("kind", TakeKind.CLIP)),
            state=TakeState.READY,
            provider=call.provider,
            call=call,
            file=call.files.get("video", ""),
            plan=call.result.get("plan", {}),
            selected=True,
        )
        tell(work.production, "shot.planned", stage="shot", item=scene.number, provider=call.provider)
    return DONE
