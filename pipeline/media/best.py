"""Which photo is kept for the end of the film: how good each is, from what the photo check found out anyway."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.media import stills

CLEARLY = 0.3  # what another must be ahead by, before a photo gives up the last place to it

# What takes from a photo, by its warning. Nobody wants a film to end on a screenshot, or on a picture seen before.
_FAULTS = {"page": 3.0, "duplicate": 1.5, "blurred": 1.0, "dark": 0.7, "small": 0.7}
_HEAD = (0.14, 0.5)  # of the photo's height: a head that is seen well, and not so large that there is nothing else


def score(facts: Mapping[str, Any]) -> float:
    """How good a photo is to end on, about 0 to 3, from the facts its check has kept; nothing known is 0.

    Faces count most: that there are some, and that the largest is seen well. Then sharpness and light. Smiles are not
    looked for: landmarks would cost 100 MB in every worker, and the cascade that is at hand sees them in closed mouths.
    """
    faces = [box for box in facts.get("faces", ()) if len(box) == 4]
    found = 0.0
    if faces:
        largest = max(box[3] for box in faces)
        seen = min(1.0, largest / _HEAD[0]) * min(1.0, _HEAD[1] / max(largest, 1e-3))
        found += 0.8 + 0.8 * seen
        found += 0.15 * min(2, len(faces) - 1)  # together is a better end than alone
    sharp = max(float(facts.get("sharpness", 0.0)), 1e-4) / stills.BLURRED
    found += 0.7 * min(1.0, max(0.0, math.log(sharp, 8)))
    found += 0.3 * min(1.0, max(0.0, (float(facts.get("brightness", 0.0)) - stills.DARK) / 0.3))
    return found - sum(_FAULTS.get(warning, 0.0) for warning in facts.get("warnings", ()))


def best_last(photos: Sequence[Mapping[str, Any]]) -> list[int]:
    """The photos' places (0-based) with the best one at the end, as far as their order means nothing.

    Photos of several days tell a story in time: then only those of the last day (and what lies behind its first) may
    change places. All others keep their order, and the last one stays where nothing is clearly better.
    """
    order = list(range(len(photos)))
    days = [str(facts.get("taken_at") or "")[:10] for facts in photos]
    dated = {day for day in days if day}
    free = order[days.index(max(dated)) :] if len(dated) > 1 else order
    if len(free) < 2:
        return order
    scores = {index: score(photos[index]) for index in free}
    best = max(free, key=lambda index: scores[index])
    if scores[best] < scores[free[-1]] + CLEARLY:
        return order
    return [index for index in order if index != best] + [best]
