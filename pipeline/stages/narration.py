"""Stage `narration`, one step per scene: the line read aloud in the licensed voice, with each word's timing."""

from __future__ import annotations

from django.utils import timezone
from django.utils.translation import gettext as _

from .. import asking, files, roster
from ..calls import ask, wait
from ..engine import DONE, Done, StageFailed, Wait, Work
from ..history import tell
from ..models import CallState, Narration, Scene
from ..providers.base import Reading


def run(work: Work) -> Done | Wait:
    """Ask the voice for this scene's line and keep the audio."""
    scene = Scene.objects.select_related("script").get(script__production=work.production, number=work.step.scene)
    if Narration.objects.filter(scene=scene).exists():
        return DONE
    brief = work.order.brief
    voice = work.order.creator.voice
    if voice.licence_for(brief.occasion, timezone.now().date()) is None:
        raise StageFailed(
            f"no licence of {voice} covers {brief.occasion} today",
            fan=_("The licence for this voice does not cover this film any more."),
        )
    request = asking.line(work.order, work.production, scene, again=work.step.again)
    with files.workspace("narration") as folder:
        call = ask(work, roster.voice(voice.provider), request.to_json(), folder)
    if call.state != CallState.SUCCEEDED:
        if work.overdue:
            raise StageFailed(f"not read within {work.line.deadline} s: {call.error or 'no answer yet'}")
        return Wait(wait(call))
    reading = Reading.from_json(call.result)
    if "audio" not in call.files or reading.seconds <= 0:
        raise StageFailed(f"{call.provider} answered without audio")
    # These words become the captions: a vendor that reads later brings our line back itself, and may bring another.
    if [word.text for word in reading.words] != scene.text.split():
        raise StageFailed(f"{call.provider} answered with the words of another line")
    with work.fence():
        Narration.objects.create(
            scene=scene,
            call=call,
            audio=call.files["audio"],
            seconds=reading.seconds,
            words=[[word.text, word.start, word.end] for word in reading.words],
        )
        tell(work.production, "line.read", stage="narration", item=scene.number, seconds=round(reading.seconds, 2))
    return DONE
