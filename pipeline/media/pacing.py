"""When things happen in a film: how long cards stand and pauses last, where cuts fall, how long a picture stays."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from pipeline.media import conform, music

if TYPE_CHECKING:
    from pipeline.media.timeline import FilmSpec, SceneIn

DISSOLVE = 0.5  # seconds, as long as every way from one picture to the next
PAUSE = (0.25, 0.6, 1.6)  # seconds between lines: least, comfortable, most
TITLE, END = (1.4, 1.6, 2.0), (2.0, 2.4, 3.4)  # seconds each card stands: least, comfortable, most
LEAD = 0.15  # seconds from the title to the voice: the film's first seconds are all it has to be watched for
SHORTEST_SHOT, LONGEST_SHOT = 1.8, 7.0  # seconds from cut to cut; a filmed take alone may run on
_SHORTEST_LINE = SHORTEST_SHOT - PAUSE[0]  # a word as short as "Yes." still has its picture for as long as this
_BEAT, _AIR = 0.35, 0.08  # seconds: how far a cut moves to fall on a beat, and how near to a word


def seconds_of(scenes: Sequence[SceneIn], spec: FilmSpec) -> tuple[float, float, float]:
    """Seconds of title, pause and end card: pauses give first, then the cards."""
    speech = sum(line_seconds(scene) for scene in scenes)
    pauses = len(scenes)
    title = (0.0, 0.0, 0.0) if not (spec.title.strip() or spec.subtitle.strip()) else TITLE
    spare = spec.seconds - speech - LEAD - title[1] - END[1]
    pause = min(PAUSE[2], max(PAUSE[0], spare / pauses))
    over = spare - pause * pauses  # below nothing: too long; above: too short
    room = (title[0] - title[1], title[2] - title[1]), (END[0] - END[1], END[2] - END[1])
    first = min(room[0][1], max(room[0][0], over / 2))
    last = min(room[1][1], max(room[1][0], over - first))
    return title[1] + first, pause, END[1] + last


def line_seconds(scene: SceneIn) -> float:
    """How long a scene's line takes, at the least as long as a picture needs."""
    return max(_SHORTEST_LINE, scene.audio_seconds)


def on_beats(
    edges: Sequence[float],
    scenes: Sequence[SceneIn],
    narration: Sequence[tuple[int, float]],
    spec: FilmSpec,
    seconds: float,
) -> list[float]:
    """The seconds of the cuts, each on a beat where there is one near in the same silence. What is heard stays."""
    if spec.music is None:
        return list(edges)
    beats = music.beats(spec.music, seconds)
    spoken = [(at, at + line_seconds(scene)) for (_, at), scene in zip(narration, scenes, strict=True)]
    silent = pairwise([(0.0, 0.0), *spoken, (seconds - END[0] + _AIR, seconds)])
    found: list[float] = []
    for i, (edge, (before, after)) in enumerate(zip(edges, silent, strict=True)):
        # No shot on either side may become too short to be looked at.
        low = max(before[1] + _AIR, edge - _BEAT, found[-1] + SHORTEST_SHOT if found else 0.0)
        high = min(after[0] - _AIR, edge + _BEAT, edges[i + 1] - SHORTEST_SHOT if i + 1 < len(edges) else seconds)
        free = [beat for beat in beats if low <= beat <= high]
        found.append(min(free, key=lambda beat: abs(beat - edge), default=edge) if edge > 0 else edge)
    return found


def split(scene: SceneIn, spoken: float, first: int, last: int, fps: int) -> list[int]:
    """Where a scene's shots begin and end: one shot, or several of like length, parted in breaths of the voice."""
    seconds = (last - first) / fps
    if seconds <= LONGEST_SHOT:
        return [first, last]
    if scene.clip is not None and conform.measure(scene.clip)[0] >= seconds:
        return [first, last]
    breaths = {spoken + (a.end + b.start) / 2: b.start - a.end for a, b in pairwise(scene.words)}
    parts = math.ceil(seconds / LONGEST_SHOT)
    cuts, end = [first / fps], last / fps
    for left in range(parts - 1, 0, -1):  # so many shots come after this one
        before = cuts[-1]
        ideal = before + (end - before) / (left + 1)
        low = max(before + SHORTEST_SHOT, end - left * LONGEST_SHOT, ideal - 0.2 * seconds)
        high = min(before + LONGEST_SHOT, end - left * SHORTEST_SHOT, ideal + 0.2 * seconds)
        near = [second for second in breaths if low <= second <= high]
        cuts.append(max(near, key=lambda second: breaths[second] - abs(second - ideal) * 0.1, default=ideal))
    return [first, *(round(second * fps) for second in cuts[1:]), last]
