"""Stage `script`: the fan's notes become scenes, and every scene gets its narration and its shot to be made."""

from __future__ import annotations

import logging

from django.utils import timezone
from django.utils.translation import gettext as _

from .. import files, roster, wording
from ..calls import ask, wait
from ..engine import DONE, Done, StageFailed, Wait, Work
from ..history import tell
from ..line import LINE
from ..models import Call, CallState, Scene, Script, Step
from ..providers.base import Provider, ProviderError, ScriptDraft

log = logging.getLogger(__name__)

LINE_STAGES = tuple(line.key for line in LINE if line.per_item)
# Seconds a vendor's script is waited for; then the local writer, who takes a tenth of one, stands in.
PATIENCE = 45.0


def run(work: Work) -> Done | Wait:
    """Ask the writer, check the answer, write the scenes and the steps that make them."""
    if Script.objects.filter(production=work.production).exists():
        return DONE
    call = _written(work, roster.writer(), "")
    if isinstance(call, Wait):
        return call
    if call is None and roster.writer().name != roster.local_writer().name:
        tell(work.production, "writer.stood_in", stage="script")
        call = _written(work, roster.local_writer(), "local")
    if isinstance(call, Call):
        _keep(work, call)
    return DONE


def _written(work: Work, writer: Provider, name: str) -> Call | Wait | None:
    """A script that can be used; how long to wait for it; or None where a vendor's will not come.

    Raises StageFailed where the local writer has none either: its sentence is for the fan.
    """
    is_local = writer.name == roster.local_writer().name
    try:
        with files.workspace("script") as folder:
            call = ask(work, writer, wording.request_for(work.order).to_json(), folder, name=name)
    except ProviderError as error:
        if is_local:
            raise
        log.warning("%s: %s", work.step, error)
        return None
    age = (timezone.now() - work.step.started_at).total_seconds() if work.step.started_at else 0.0
    if call.state != CallState.SUCCEEDED:
        stand_in = not is_local and (age > PATIENCE or call.trouble == "locked")
        return None if stand_in else Wait(max(1.0, min(wait(call), PATIENCE - age)))
    draft, usable = ScriptDraft.from_json(call.result), work.order.photos.usable().count()
    fault = wording.fault_of(draft, photos=usable, must_say=tuple(work.order.brief.must_say)) or (
        "" if is_local else _objection(draft)
    )
    if not fault:
        return call
    if is_local:
        raise StageFailed(f"the script cannot be used: {fault}", fan=_("We could not turn your notes into a story."))
    log.warning("%s: %s wrote a script that cannot be used: %s", work.step, writer.name, fault)
    return None


def _objection(draft: ScriptDraft) -> str:
    """What must not be said aloud in a licensed voice, in one phrase; empty where all may be.

    The local writer has judged its own words by the same rules already.
    """
    flags = roster.moderator().judge([draft.title, *(scene.text for scene in draft.scenes)])
    return ", ".join(sorted({f"{flag.category} ({flag.source})" for flag in flags}))


def _keep(work: Work, call: Call) -> Script:
    draft = ScriptDraft.from_json(call.result)
    usable = list(work.order.photos.usable())
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
