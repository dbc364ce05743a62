"""Stage `script`: the fan's notes become scenes, and every scene gets its narration and its shot to be made."""

from __future__ import annotations

from django.utils.translation import gettext as _

from .. import files, roster, wording
from ..calls import ask
from ..engine import DONE, Done, StageFailed, Wait, Work
from ..history import tell
from ..models import Call, CallState, Scene, Script, Step
from ..providers.base import ScriptDraft

LINE_STAGES = ("narration", "shot")


def run(work: Work) -> Done | Wait:
    """Ask the writer, check the answer, write the scenes and the steps that make them."""
    script = Script.objects.filter(production=work.production).first()
    if script is None:
        call = _ask(work)
        if call.state != CallState.SUCCEEDED:
            return Wait(5)
        script = _keep(work, call)
    return DONE


def _ask(work: Work) -> Call:
    with files.workspace("script") as folder:
        return ask(work, roster.writer(), wording.request_for(work.order).to_json(), folder)


def _keep(work: Work, call: Call) -> Script:
    draft = ScriptDraft.from_json(call.result)
    usable = list(work.order.photos.usable())
    fault = wording.fault_of(draft, photos=len(usable), must_say=tuple(work.order.brief.must_say))
    if fault:
        raise StageFailed(f"the script cannot be used: {fault}", fan=_("We could not turn your notes into a story."))
    with work.fence():
        script = Script.objects.create(
            production=work.production,
            title=draft.title[:120],
            language=draft.language[:12],
            left_out=list(draft.left_out),
            call=call,
        )
        for number, scene in enumerate(draft.scenes, start=1):
            Scene.objects.create(
                script=script,
                number=number,
                text=scene.text,
                fact=scene.fact,
                role=scene.role,
                idea=scene.idea[:200],
                photo=usable[scene.photo],
            )
            for stage in LINE_STAGES:
                Step.objects.get_or_create(production=work.production, stage=stage, item=number)
        tell(work.production, "script.written", stage="script", scenes=len(draft.scenes), title=draft.title)
    return script
