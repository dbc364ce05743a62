"""How long stages take here: what was measured lately, else what the table expects."""

from __future__ import annotations

import statistics
from collections import defaultdict

from django.core.cache import cache
from django.db.models import Max, Min

from . import roster
from .line import Stage
from .models import Production, ProductionState, Step, StepState

HISTORY = 30
HISTORY_SECONDS = 30


def seconds_of(line: Stage) -> tuple[float, float]:
    """Usual and slow seconds of a stage."""
    return stage_seconds().get(line.key) or _expected(line)


def _expected(line: Stage) -> tuple[float, float]:
    """Usual and slow seconds of a stage that was never measured here; a vendor's shots take as long as we wait."""
    if line.key == "shot" and roster.films_elsewhere():
        model = roster.video_models()[0]
        return model.hedge_after, model.local_after
    return line.expected, line.expected * 2


def stage_seconds() -> dict[str, tuple[float, float]]:
    """Median and 90th-percentile seconds of each stage over the last productions here; kept for half a minute.

    Re-runs make only parts, and say nothing about the whole.
    """
    kept: dict[str, tuple[float, float]] | None = cache.get("stage_seconds")
    if kept is not None:
        return kept
    whole = Production.objects.filter(state=ProductionState.DONE, based_on=None)
    recent = whole.order_by("-pk").values_list("pk", flat=True)[:HISTORY]
    spans = (
        Step.objects.filter(production__in=list(recent), state=StepState.DONE)
        .values("production", "stage")
        .annotate(begun=Min("started_at"), over=Max("ended_at"))
    )
    by_stage: dict[str, list[float]] = defaultdict(list)
    for span in spans:
        if span["begun"] and span["over"]:
            by_stage[span["stage"]].append((span["over"] - span["begun"]).total_seconds())
    found = {key: (statistics.median(values), p90(values)) for key, values in by_stage.items()}
    cache.set("stage_seconds", found, HISTORY_SECONDS)
    return found


def p90(values: list[float]) -> float:
    """The 90th percentile, by nearest rank; of one value, that value."""
    ranked = sorted(values)
    return ranked[min(len(ranked) - 1, round(0.9 * (len(ranked) - 1)))]
