"""Stage `qc`: the finished film is measured against what it was meant to be. A fail never reaches anyone.

What can be mended is mended once (see mending): the film is cut again, and measured again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from django.conf import settings
from django.utils.translation import gettext as _

from .. import files, film, mending
from ..engine import DONE, Done, StageFailed, Wait, Work
from ..history import tell
from ..media import hearing, meters, verdict
from ..media import sheet as contact
from ..media.probe import BadMedia
from ..models import Cut, Finding
from ..providers import hearing as spoken
from . import review

log = logging.getLogger(__name__)


def run(work: Work) -> Done | Wait:
    """Measure, judge, write the findings; the second fail, or one that cannot be mended, ends the production."""
    cut = Cut.objects.filter(production=work.production).first()
    if cut is None:
        return Wait(mending.AGAIN)
    if not cut.verdict:
        with files.workspace("qc") as folder:
            with work.waiting(files.PATIENCE):
                master = files.fetch(cut.file, folder)
                expected = film.expected(cut.timeline, folder)
            ear = _ear(work) if expected.lines else None
            measures = meters.measure(master, at=verdict.looks(expected), on_progress=work.beat, ear=ear)
            judged = verdict.judge(measures, expected)
            with work.waiting(files.PATIENCE):
                sheet = _sheet(work, cut, master, judged)
            _keep(work, cut, measures, judged, sheet)
    if mending.mend(work, cut):
        return Wait(mending.AGAIN)
    if cut.verdict == "fail":
        first = cut.findings.filter(severity="fail").first()
        raise StageFailed(
            f"quality control: {first.sentence if first else 'no reason was kept'}",
            fan=_("The film did not pass our own checks of picture and sound, so we did not send it to you."),
        )
    return DONE


def _ear(work: Work) -> Callable[[npt.NDArray[np.int16]], list[str]] | None:
    """Who listens to what is said; None where nobody is installed."""
    model = hearing.model(settings.RECOGNISER)
    if model is None:
        return None

    def listen(samples: npt.NDArray[np.int16]) -> list[str]:
        with work.waiting(files.PATIENCE):
            return spoken.words(hearing.heard(samples, model))

    return listen


def _sheet(work: Work, cut: Cut, master: Path, judged: verdict.Verdict) -> dict[str, Any]:
    """Frames for the creator's look, where there will be one. Without them the page shows the photos."""
    if judged.verdict == "fail" or not review.is_asked(work, judged.verdict):
        return {}
    evidence = [found.second for found in judged.findings if found.second is not None and found.severity != "info"]
    out = master.with_name("sheet.jpg")
    try:
        made = contact.make(master, contact.places(cut.timeline.get("scenes", ()), evidence, cut.seconds), out)
    except BadMedia as error:
        log.warning("%s: no contact sheet: %s", work.step, error)
        return {}
    name = files.publish(out, work.production.folder)
    return {"file": name, "tile": list(made.tile), "across": made.across, "seconds": list(made.seconds)}


def _keep(work: Work, cut: Cut, measures: meters.Measures, judged: verdict.Verdict, sheet: dict[str, Any]) -> None:
    loudness = measures.loudness
    with work.fence():
        for found in judged.findings:
            Finding.objects.create(
                cut=cut,
                code=found.code,
                severity=found.severity,
                sentence=found.sentence[:300],
                second=found.second,
                figure=found.figure,
            )
        cut.verdict = judged.verdict
        cut.lufs = loudness.lufs if loudness else None
        cut.true_peak = loudness.true_peak if loudness else None
        cut.sheet = sheet
        cut.save(update_fields=["verdict", "lufs", "true_peak", "sheet"])
        tell(work.production, "film.checked", stage="qc", verdict=judged.verdict, findings=len(judged.findings))
