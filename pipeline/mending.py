"""What quality control found is mended once, by itself; what fails after that is for people.

The failed cut goes, its reason stays in the history, and a second step of the stage `cut` (item 1) makes the film anew,
so no step is done twice; before it, a second step of `narration` reads a line again that was not understood. Quality
control waits for the cut and looks again.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Literal

from django.db.models import F, Q
from django.utils import timezone

from . import engine, roster
from .engine import Work
from .history import tell
from .line import STAGES
from .models import Cut, Finding, FirstLook, Narration, Shot, Step, StepState, Take, TakeState
from .models.board import ANEW
from .models.story import TakeKind

Mend = Literal["shot", "flat", "line", "recut"]

# What each finding is mended by. "shot": its filmed take goes and the photo stands in; a still one gets another move.
# "flat": it gets its move without depth. "line": it is read again. "recut": nothing that was encoded before is used
# again. What is not named here would come out the same.
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
    "depth_face": "flat",
    "depth_torn": "flat",
    "wrong_words": "line",
}

# What a warning is enough for: a line that was half understood is read again before somebody is asked to listen.
AT_ONCE = ("wrong_words",)

OTHER = 1000  # added to a shot's seed for another camera move
AGAIN = 30.0  # seconds until quality control looks for the new film without a bell


def mend(work: Work, cut: Cut) -> bool:
    """Have a film made once more, changed by what it failed for. False where that was tried, or is no use."""
    failed = list(cut.findings.filter(Q(severity="fail") | Q(severity="warn", code__in=AT_ONCE)))
    tried = work.production.events.filter(name="film.mended").exists()
    if not failed or tried or any(one.code not in MENDS for one in failed):
        return False
    told = [{"code": one.code, "second": one.second, "figure": one.figure, "by": MENDS[one.code]} for one in failed]
    scenes, flat = (
        {scene for one in failed if MENDS[one.code] == by for scene in _scenes(cut, one)} for by in ("shot", "flat")
    )
    lines = sorted({scene for one in failed if MENDS[one.code] == "line" for scene in _spoken(cut, one)})
    with work.fence():
        for shot in Shot.objects.filter(scene__script__production=work.production, scene__number__in=scenes | flat):
            _change(shot, flat=shot.scene.number not in scenes)
        if not (scenes or flat or lines) or "recut" in (one["by"] for one in told):
            _forget_pieces(work)
        shots = sorted(scenes | flat)
        tell(work.production, "film.mended", stage="qc", findings=told, scenes=shots, lines=lines, sha256=cut.sha256)
        cut.delete()
        now = timezone.now()
        Narration.objects.filter(scene__script__production=work.production, scene__number__in=lines).delete()
        for number in lines:
            Step.objects.create(
                production=work.production, stage="narration", item=ANEW + number, state=StepState.READY, not_before=now
            )
        # It waits for the lines that are read, as the first one did.
        state = StepState.BLOCKED if lines else StepState.READY
        Step.objects.create(production=work.production, stage="cut", item=1, state=state, not_before=now)
        # The time these may take is not quality control's own.
        more = dt.timedelta(seconds=STAGES["cut"].deadline + (STAGES["narration"].deadline if lines else 0))
        Step.objects.filter(pk=work.step.pk).update(deadline_at=F("deadline_at") + more)
        engine.ring_due(work.production)
    return True


def _scenes(cut: Cut, found: Finding) -> Iterable[int]:
    """The scenes a finding is about: of the shot that begins there, else of what is seen there."""
    shots = [shot for shot in cut.timeline["shots"] if len(shot) > 5]
    second = -1.0 if found.second is None else found.second
    begins = [shot for shot in shots if abs(shot[0] - second) < 0.001]
    return [shot[5] for shot in begins or [shot for shot in shots if shot[0] <= second < shot[1]]]


def _spoken(cut: Cut, found: Finding) -> Iterable[int]:
    """The scene whose line begins where a finding is: lines are told in the scenes' order."""
    lines = cut.timeline.get("lines", ())
    return [number for number, (start, _words) in enumerate(lines, 1) if start == found.second]


def _change(shot: Shot, *, flat: bool) -> None:
    take = shot.takes.filter(selected=True).first()
    if take is None:
        return
    number = shot.scene.number
    if take.kind == TakeKind.STILL:
        other = {"flat": True} if flat else {"seed": take.plan.get("seed", number) + OTHER}
        Take.objects.filter(pk=take.pk).update(plan=take.plan | other, segments={})
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
