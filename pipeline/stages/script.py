"""Stage `script`: the fan's notes become scenes, and every scene gets its narration and its shot to be made."""

from __future__ import annotations

import contextlib
import logging
from dataclasses import dataclass, replace
from pathlib import Path

from django.utils import timezone
from django.utils.translation import gettext as _

from .. import files, judging, roster, wording
from ..calls import ask, latest, wait
from ..engine import DONE, Done, StageFailed, Wait, Work
from ..history import tell
from ..judging import Noticed
from ..line import LINE
from ..models import Call, CallState, Scene, Script, Step, Subject
from ..providers.base import Provider, ProviderError, ScriptDraft, WriteRequest
from ..providers.moderation import Flag, by_our_rules, named

log = logging.getLogger(__name__)

LINE_STAGES = tuple(line.key for line in LINE if line.per_item)
# Seconds a vendor's script is waited for; then the local writer, who takes a tenth of one, stands in.
PATIENCE = 45.0


@dataclass(frozen=True)
class Written:
    """A script that can be used, whose answer it is, and what moderation wants the creator to look at."""

    call: Call
    draft: ScriptDraft
    flags: list[Flag]


def run(work: Work) -> Done | Wait:
    """Ask the writer, check the answer, write the scenes and the steps that make them."""
    if Script.objects.filter(production=work.production).exists():
        return DONE
    if sign := wording.undrawable_words(work.order):  # before a vendor is paid for words that cannot be shown
        raise StageFailed(
            f"no font here draws {sign} (U+{ord(sign):04X}), which the fan wrote", fan=wording.cannot_draw(sign)
        )
    written = _written(work, roster.writer(), "")
    if written is None:
        if not work.production.events.filter(name="writer.stood_in").exists():
            tell(work.production, "writer.stood_in", stage="script")
        written = _written(work, roster.local_writer(), "local")
    if isinstance(written, Wait):
        return written
    if written is not None:
        _keep(work, written)
    return DONE


def _written(work: Work, writer: Provider, name: str) -> Written | Wait | None:
    """A script that can be used; how long to wait for it; or None where a vendor's will not come.

    Raises StageFailed where the local writer has none either: its sentence is for the fan.
    """
    is_local = writer.name == roster.local_writer().name
    try:
        with files.workspace("script") as folder:
            request = wording.request_for(work.order, eyes=not is_local, production=work.production)
            _fetch_pictures(work, request, folder, name)
            call = ask(work, writer, request.to_json(), folder, name=name)
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
    fault = wording.fault_of(draft, photos=usable, must_say=tuple(work.order.brief.must_say))
    flags: list[Flag] = []
    if not fault:
        judged = _judged(work, draft, is_local=is_local)
        if isinstance(judged, Wait):
            return judged
        flags = judged
        fault = named(flag for flag in flags if flag.ends or flag.category == "leave")
    if not fault:
        return Written(call, draft, flags)
    if is_local:
        sign = wording.undrawable(*(scene.text for scene in draft.scenes))
        kind = wording.cannot_draw(sign) if sign else _("We could not turn your notes into a story.")
        raise StageFailed(f"the script cannot be used: {fault}", fan=kind)
    log.warning("%s: %s wrote a script that cannot be used: %s", work.step, writer.name, fault)
    return None


def _fetch_pictures(work: Work, request: WriteRequest, folder: Path, name: str) -> None:
    """The small copies a request names, for a writer that has not answered yet; without one of them it sees none."""
    begun = latest(work.step, name)
    if request.pictures and (begun is None or begun.state != CallState.SUCCEEDED):
        for photo in work.order.photos.usable():
            with contextlib.suppress(FileNotFoundError):
                files.fetch(photo.thumb, folder)


def _judged(work: Work, draft: ScriptDraft, *, is_local: bool) -> list[Flag] | Wait:
    """What may give pause before this is said aloud in a licensed voice: the vendor's judgement, and our own rules.

    The local writer has judged its own words by the same rules already, and its picture ideas are a fixed list. A
    vendor's ideas are judged too: the shots are filmed from them. What is flagged in one counts for its scene.
    """
    scenes = len(draft.scenes)
    texts = [draft.title, *(scene.text for scene in draft.scenes)]
    if is_local:
        return judging.words(work, "judge-local", texts)
    texts += [scene.idea for scene in draft.scenes]
    judged = judging.words(work, "judge", texts)
    if isinstance(judged, Wait):
        return judged
    flags = [*by_our_rules(texts), *judged]
    return [replace(flag, where=flag.where - scenes) if flag.where > scenes else flag for flag in flags]


def _keep(work: Work, written: Written) -> Script:
    draft = written.draft
    usable = list(work.order.photos.usable())
    with work.fence():
        script = Script.objects.create(
            production=work.production,
            title=draft.title[:120],
            language=draft.language[:12],
            left_out=list(draft.left_out),
            call=written.call,
        )
        judging.keep(work, [Noticed(Subject.SCRIPT, flag.where, flag) for flag in written.flags])
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
