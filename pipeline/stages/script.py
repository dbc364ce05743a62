"""Stage `script`: the fan's notes become scenes, and every scene gets its narration and its shot to be made."""

from __future__ import annotations

from django.utils.translation import gettext as _

from .. import files, roster
from ..calls import ask
from ..engine import DONE, Done, StageFailed, Wait, Work
from ..history import tell
from ..models import Call, CallState, Scene, Script, Step
from ..providers.base import PhotoNote, ScriptDraft, WriteRequest

LINE_STAGES = ("narration", "shot")
FEWEST_SCENES, MOST_SCENES = 5, 10
LONGEST_LINE = 400


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
    brief = work.order.brief
    usable = list(work.order.photos.usable())
    request = WriteRequest(
        name=brief.name,
        occasion=brief.occasion,
        tone=brief.tone,
        notes=brief.notes,
        must_say=tuple(brief.must_say),
        seconds=brief.seconds,
        creator=work.order.creator.name,
        sender=brief.sender,
        words_per_second=work.order.creator.voice.words_per_second,
        photos=tuple(
            PhotoNote(
                index=index,
                faces=len(photo.facts.get("faces", ())),
                shape="portrait" if photo.height > photo.width else "landscape",
                taken_on=photo.taken_at.date().isoformat() if photo.taken_at else "",
            )
            for index, photo in enumerate(usable)
        ),
    )
    with files.workspace("script") as folder:
        return ask(work, roster.writer(), request.to_json(), folder)


def _keep(work: Work, call: Call) -> Script:
    draft = ScriptDraft.from_json(call.result)
    usable = list(work.order.photos.usable())
    fault = fault_of(draft, photos=len(usable), must_say=tuple(work.order.brief.must_say))
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


def fault_of(draft: ScriptDraft, *, photos: int, must_say: tuple[str, ...]) -> str:
    """What makes a script unusable, in one phrase; empty when nothing does. A writer's answer is hostile until here."""
    if not FEWEST_SCENES <= len(draft.scenes) <= MOST_SCENES:
        return f"{len(draft.scenes)} scenes"
    if any(not scene.text.strip() or len(scene.text) > LONGEST_LINE for scene in draft.scenes):
        return "a line is empty or too long"
    if {scene.photo for scene in draft.scenes} != set(range(photos)):
        return "not every photo is used, or one is named that does not exist"
    said = " ".join(" ".join(scene.text for scene in draft.scenes).split())
    missing = [line for line in must_say if " ".join(line.split()) not in said]
    if missing:
        return f"a line that must be said is missing: {missing[0]}"
    return ""
