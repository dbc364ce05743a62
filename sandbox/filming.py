"""Generations as a pretended video vendor has them: they wait for a place, take their time, and end in one way."""

from __future__ import annotations

import heapq
import math
from collections.abc import Sequence
from dataclasses import dataclass

from .higgsfield_models import MODELS


@dataclass
class Job:
    """One generation; times in simulated seconds, of which it waits at least `waits`. `outcome` is how it will end."""

    ident: str
    key: str
    slug: str
    body: dict[str, object]
    hook: str
    accepted: float
    waits: float
    takes: float
    outcome: str
    starts: float = math.inf
    ends: float = math.inf
    downloads: int = 0
    looks: int = 0
    rung: bool = False

    def state(self, now: float) -> str:
        """Where it stands."""
        if now < self.starts and self.outcome != "stopped":
            return "queued"
        if self.outcome == "never" or (now < self.ends and self.outcome != "stopped"):
            return "in_progress"
        return "canceled" if self.outcome == "stopped" else self.outcome

    @property
    def seconds(self) -> int:
        """The length asked for."""
        return int(str(self.body.get("duration", MODELS[self.slug].durations[0])))


def plan(jobs: Sequence[Job], now: float, limit: int) -> list[Job]:
    """Decide who is filmed when: `limit` at once, first come, first served. Those that are not over, in order."""
    live = [job for job in jobs if job.outcome != "stopped" and job.ends > now]
    free = [job.ends for job in live if job.starts <= now]
    free += [now] * (limit - len(free))
    heapq.heapify(free)
    for job in live:
        if job.starts > now:
            job.starts = max(heapq.heappop(free), job.accepted + job.waits)
            job.ends = job.starts + job.takes
            heapq.heappush(free, job.ends)
    return live
