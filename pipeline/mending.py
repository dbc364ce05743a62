"""What quality control found is mended once, by itself; what fails after that is for people.

The failed cut goes, its reason stays in the history, and a second step of the stage `cut` (item 1) makes the film anew,
so no step is done twice. Quality control waits for it and looks again.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Literal

from django.db.models import F
from django.utils import timezone

from . import engine, roster
from .engine import Work
from .history import tell
from .line import STAGES
from .models import Cut, Finding, FirstLook, Shot, Step, StepState, Take, TakeState
from .models.story import TakeKind

Mend = Literal["shot", "recut"]

# What each finding is mended by. "shot": its filmed take goes and the photo stands in; a still one gets another move.
# "recut": nothing that was encoded before is used again. What is not named here would come out the same.
MENDS: dict[str, Mend] = {
    "photo": "shot",
    "freeze": "shot",
    "face_cut": "shot",
    "banding": "shot",
    "shake": "shot",
    "jump": "shot",
    "stray": "shot",
    "black": "shot",
    "decode": "recut",
    "duration": "recut",
    "sound_length": "recut",
    "audio_codec": "recut",
    "caption": "recut",
    "label": "recut",
    "silence": "recut",
    "silence_share": "recut",
    "loudness": "recut",
    "true_peak": "recut",
    "blunt": "recut",
    "wrong_words": "recut",
}

OTHER = 1000  # added to a shot's seed for another camera move
AGAIN = 30.0  # seconds until quality control looks for the new film without a bell


def mend(work: Work, cut: Cut) -> bool:
    """Have a failed film made once more, changed by what it failed for. False where that was tried, or is no use."""
    failed = list(cut.findings.filter(severity="fail"))
    if work.production.events.filter(name="film.mended").exists() or any(one.code not in MENDS for one in failed):
        return False
    told = [{"code": one.code, "second": one.second, "figure": one.figure, "by": MENDS[one.code]} for one in failed]
    scenes = sorted({scene for one in failed if MENDS[one.code] == "shot" for scene in _scenes(cut, one)})
    with work.fence():
        for shot in Shot.objects.filter(scene__script__production=work.production, scene__number__in=scenes):
            _change(shot)
        if not scenes or "recut" in (one["by"] for one in told):
            _forget_pieces(work)
        tell(work.production, "film.mended", stage="qc", findings=told, scenes=scenes, sha256=cut.sha256)
        cut.delete()
        now = timezone.now()
        Step.objects.create(production=work.production, stage="cut", item=1, state=StepState.READY, not_before=now)
        # The time the cut may take is not quality control's own.
        more = dt.timedelta(seconds=STAGES["cut"].deadline)
        Step.objects.filter(pk=work.step.pk).update(deadline_at=F("deadline_at") + more)
        engine.ring_due(work.production)
    return True


def _scenes(cut: Cut, found: Finding) -> Iterable[int]:
    """The scenes a finding is about: of the shot that begins there, else of what is seen there."""
    shots = [shot for shot in cut.timeline["shots"] if len(shot) > 5]
    second = -1.0 if found.second is None else found.second
    begins = [shot for shot in shots if abs(shot[0] - second) < 0.001]
    return [shot[5] for shot in begins or [shot for shot in shots if shot[0] <= second < shot[1]]]


def _change(shot: Shot) -> None:
    take = shot.takes.filter(selected=True).first()
    if take is None:
        return
    number = shot.scene.number
    if take.kind == TakeKind.STILL:
        seed = take.plan.get("seed", number) + OTHER
        Take.objects.filter(pk=take.pk).update(plan=take.plan | {"seed": seed}, segments={})
        return
    Take.objects.filter(pk=take.pk).update(selected=False, state=TakeState.REFUSED)
    Take.objects.create(
        shot=shot,
        number=shot.takes.count() + 1,
        kind=TakeKind.STILL,
        state=TakeState.READY,
        provider=roster.LOCAL_STUDIO,
        plan={"seed": number},
        selected=True,
    )


def _forget_pieces(work: Work) -> None:
    Take.objects.filter(shot__scene__script__production=work.production).update(segments={})
    FirstLook.objects.filter(production=work.production).update(segments={})
