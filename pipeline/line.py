"""THE TABLE: what a film goes through, what each stage needs, where it runs and how long it may take."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True)
class Stage:
    """One line of the table. What has no `label` is not told to the fan as a stage of its own.

    `needs` are stages that must be done; `per_item` stages get one step per scene, written when their parent is done;
    `same_item` names a per-item stage whose step of the same scene must be done, whatever its other scenes do;
    `queue` is the worker kind;
    `deadline` the seconds after which the stage falls back or fails; `expected` the seconds it takes when there is no
    history yet; `weight` its share of the fan's percentage.
    """

    key: str
    label: str | Promise
    needs: tuple[str, ...]
    queue: str
    deadline: int = 600
    expected: float = 2
    weight: int = 5
    per_item: bool = False
    same_item: str = ""
    max_failures: int = 5


LINE: tuple[Stage, ...] = (
    Stage("photos", _("Looking at your photos"), (), "pixels", expected=2, weight=8),
    Stage("moderation", _("Checking words and photos"), ("photos",), "control", expected=0.1, weight=4),
    Stage("script", _("Writing the story"), ("moderation",), "control", expected=1, weight=10),
    Stage("narration", _("Reading it aloud"), ("script",), "voice", expected=1, weight=22, per_item=True),
    Stage("shot", _("Filming each shot"), ("script",), "control", 1800, expected=0.5, weight=14, per_item=True),
    # Not among the renders: a first look that waits behind other people's films is none.
    Stage("first_look", "", ("narration",), "pixels", expected=0.1, weight=2),
    Stage("conform", "", ("narration",), "render", expected=0.1, weight=4, per_item=True, same_item="shot"),
    Stage("cut", _("Cutting the film"), ("narration", "shot", "conform"), "render", 1800, expected=25, weight=36),
    # Beside the next film's cut, not before it.
    Stage("qc", _("Checking picture and sound"), ("cut",), "pixels", expected=5, weight=8),
    Stage("review", _("The creator’s approval"), ("qc",), "control", expected=1, weight=3, deadline=14 * 86400),
    Stage("delivery", _("Sending it to you"), ("review",), "control", expected=1, weight=3),
)

STAGES: dict[str, Stage] = {stage.key: stage for stage in LINE}


def leading_to(stage: str) -> list[Stage]:
    """All that a stage needs, and what that needs; they must be done before a re-run can begin at it."""
    wanted = set(STAGES[stage].needs)
    for line in reversed(LINE):
        if line.key in wanted:
            wanted |= {*line.needs, *filter(None, [line.same_item])}
    return [line for line in LINE if line.key in wanted]


def following(stage: str) -> list[Stage]:
    """A stage and all that need what it makes, in the table's order; they are what a re-run from it makes anew."""
    anew = {stage}
    for line in LINE:
        if anew & {*line.needs, line.same_item}:
            anew.add(line.key)
    return [line for line in LINE if line.key in anew]
