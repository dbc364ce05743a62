"""A landed take is looked at before it is used, by a worker that has the models; what it found stays with its call.

The shot's stage rings and waits. What the worker finds is written into the call's result as `seen`; a bell tells the
stage. Looking twice finds the same; where nobody comes for LOOKED, a take is used unseen rather than not at all.
"""

from __future__ import annotations

import logging
from typing import Any

from django.utils import timezone

from orders.models import ConsentKind

from . import engine, files, queue, roster
from .media import takecheck
from .media.motion import Box
from .media.probe import BadMedia
from .models import Call, Scene
from .models.story import TakeKind
from .providers.base import ShotRequest

log = logging.getLogger(__name__)

LOOKED = 300.0  # seconds a look is waited for, counted from when the take landed
RETAKES = 1  # takes of no use after which another is asked for


def due(call: Call) -> bool:
    """Whether a landed take must be looked at first; rings for it."""
    if "seen" in call.result or call.result.get("kind") != TakeKind.CLIP or call.provider == roster.LOCAL_STUDIO:
        return False
    if call.ended_at is None or (timezone.now() - call.ended_at).total_seconds() > LOOKED:
        return False
    queue.again("pixels", "look_at_take", call.pk, f"take-{call.pk}")
    return True


def faults(call: Call) -> list[dict[str, Any]]:
    """What a look found for which a take must not be used."""
    return [found for found in call.result.get("seen", ()) if found["severity"] == "fail"]


def look(pk: int) -> None:
    """Look at one landed take, if nobody has, and ring for its shot."""
    call = Call.objects.select_related("step__production__order").filter(pk=pk).first()
    if call is None or "seen" in call.result or call.step.stage != "shot" or not call.files.get("video"):
        return
    found = _look(call)
    Call.objects.filter(pk=pk).update(result=call.result | {"seen": found})
    engine.ring_step(call.step.production, call.step.stage, call.step.item)


def _look(call: Call) -> list[dict[str, Any]]:
    wanted = ShotRequest.from_json(call.request)
    photo = Scene.objects.get(script__production=call.step.production, number=call.step.item).photo
    agreed = call.step.production.order.consents.filter(kind=ConsentKind.LIKENESS).exists()
    with files.workspace("look") as folder:
        try:
            clip, still = files.fetch(call.files["video"], folder), files.fetch(photo.file, folder)
            known = [Box(*face) for face in wanted.faces]
            shape = wanted.width, wanted.height
            found = takecheck.check(clip, still, shape, known, Box(*wanted.interest), folder, alike=agreed)
        except (BadMedia, OSError) as error:
            log.warning("%s cannot be looked at, whoever cuts it will see: %s", call, error)
            return []
    return [
        {"code": f.code, "severity": f.severity, "sentence": f.sentence, "second": f.second, "figure": f.figure}
        for f in found
    ]
