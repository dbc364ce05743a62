"""Shots filmed in simulated time: the real stage, calls, slots and sweep before a vendor that is a law and a clock.

Nothing sleeps. A simulated second passes when nothing is left to do in it; the sweep comes every `SWEEP_SECONDS`.
"""

from __future__ import annotations

import datetime as dt
import heapq
import math
import random
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

import time_machine
from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db.models import Q
from django.utils import timezone

from orders.models import Consent, ConsentKind, Photo
from pipeline import calls, jobs, queue, roster, sweeping
from pipeline.models import Call, CallState, Production, Step, StepState, Take
from pipeline.providers.base import Answer, Provider, silently
from pipeline.providers.higgsfield import LOOK_AGAIN
from pipeline.providers.video_models import VideoModel

from . import crowd

Law = Callable[[random.Random], float]
NINTH_DECILE = 1.2816  # standard deviations above the mean


def lognormal(median: float, p90: float) -> Law:
    """Seconds as real queues and renderers take them, by their median and their ninth decile."""
    spread = math.log(p90 / median) / NINTH_DECILE
    return lambda dice: median * math.exp(dice.gauss(0, spread))


@dataclass
class Studio:
    """The vendor: how long each model takes, what it was asked for, and when what it films is there.

    `limit` is how many calls we have under way at once, `at_once` how many it films itself; the others wait there. 0 is
    as many as there are.
    """

    laws: dict[str, Law]
    seed: int = 1
    limit: int = 0
    at_once: int = 0
    rings: bool = True
    poll: float = LOOK_AGAIN
    ends: dict[str, dt.datetime] = field(default_factory=dict)
    bells: list[tuple[dt.datetime, str]] = field(default_factory=list)

    def film(self, key: str, model: str) -> str:
        """Take a job; every job has dice of its own."""
        if key not in self.ends:
            seconds = self.laws[model](random.Random(f"{self.seed}:{len(self.ends)}"))
            running = sorted(end for end in self.ends.values() if end > timezone.now())
            waits = self.at_once and len(running) >= self.at_once
            begins = running[-self.at_once] if waits else timezone.now()
            self.ends[key] = begins + dt.timedelta(seconds=seconds)
            heapq.heappush(self.bells, (self.ends[key], key))
        return key

    def ring(self) -> None:
        """Ring for what is there now."""
        while self.bells and self.bells[0][0] <= timezone.now():
            _, key = heapq.heappop(self.bells)
            call = Call.objects.select_related("step__production").filter(external_id=key).first()
            if self.rings and call is not None:
                calls.ring(call, key)


@dataclass(frozen=True)
class Camera(Provider):
    """One model of the studio, as a provider."""

    studio: Studio
    of: VideoModel
    name = "higgsfield"
    job = "video"
    recovery = "same_key"

    @property
    def limit(self) -> int:
        return self.studio.limit

    @property
    def model(self) -> str:
        return self.of.slug

    def estimate(self, request: Any) -> int:
        return self.of.cost(request["seconds"])

    def submit(self, key: str, request: Any, workdir: Path) -> Answer:
        return Answer("pending", external_id=self.studio.film(key, self.model), poll_after=self.studio.poll)

    def look(self, external_id: str, workdir: Path, on_progress: Callable[[], None] = silently) -> Answer:
        if self.studio.ends[external_id] > timezone.now():
            return Answer("pending", external_id=external_id, poll_after=self.studio.poll)
        call = Call.objects.get(external_id=external_id)
        clip = Path(workdir) / "clip.mp4"
        clip.write_bytes(b"a clip")
        return Answer("done", result={"kind": "clip"}, files={"video": clip}, cost=self.estimate(call.request))

    def find(self, key: str) -> Answer | None:
        return None

    def cancel(self, external_id: str) -> None:
        """It is filmed to its end."""


@dataclass(frozen=True)
class Filmed:
    """One shot as it came out: seconds until its take was selected, whether it is the local one, and takes paid."""

    order: int
    seconds: float
    local: bool
    paid: int


@contextmanager
def at_work(studio: Studio) -> Iterator[tuple[deque[tuple[str, int]], time_machine.Coordinates]]:
    """The site's video vendor is this studio, and the clock stands still until it is moved."""
    with (
        mock.patch.object(roster, "_higgsfield", lambda model: Camera(studio, model)),
        mock.patch.object(settings, "HIGGSFIELD_KEY", "id:secret"),
        mock.patch.object(settings, "VIDEO", "auto"),
        queue.inline() as bells,
        time_machine.travel(timezone.now(), tick=False) as clock,
    ):
        yield bells, clock


def call_sheet(orders: int, shots: int, facts: dict[str, Any]) -> list[Production]:
    """So many new productions whose shots are about to be filmed, and nothing else of them; `facts` of their photos."""
    fresh = crowd.write(orders)
    Call.objects.filter(step__production__in=fresh, step__stage="shot").delete()
    steps = Step.objects.filter(production__in=fresh)
    steps.filter(Q(state=StepState.BLOCKED) | Q(stage="shot", item__gt=shots)).delete()
    steps.filter(stage="shot").update(
        state=StepState.READY, not_before=timezone.now(), started_at=None, deadline_at=None, attempts=0
    )
    photo = default_storage.save("orders/benchmark.jpg", ContentFile(b"photo"))
    for each in Photo.objects.filter(order__productions__in=fresh):
        Photo.objects.filter(pk=each.pk).update(file=photo, facts=each.facts | facts)
    Consent.objects.bulk_create(
        Consent(order=one.order, kind=ConsentKind.PHOTOS, words=str(roster.FILMED)) for one in fresh
    )
    return fresh


def film(
    studio: Studio,
    orders: int,
    *,
    shots: int = crowd.SHOTS,
    most: float = 3600,
    facts: dict[str, Any] | None = None,
) -> list[Filmed]:
    """Film all shots of new orders, and follow what is late until the vendor has ended it all."""
    with at_work(studio) as (bells, clock):
        fresh = call_sheet(orders, shots, facts or {})
        begun = timezone.now()
        swept = begun
        while (now := timezone.now()) - begun < dt.timedelta(seconds=most):
            studio.ring()
            if now >= swept:
                sweeping.sweep_once()
                swept = now + dt.timedelta(seconds=settings.SWEEP_SECONDS)
            queue.drain(bells, jobs.JOBS)
            if not Call.objects.filter(provider="higgsfield", state=CallState.SUBMITTED).exists() and not (
                Step.objects.filter(stage="shot").exclude(state=StepState.DONE).exists()
            ):
                break
            clock.move_to(min([swept, *(at for at, _ in studio.bells[:1])]))
        return [_outcome(step, begun) for step in Step.objects.filter(production__in=fresh, stage="shot")]


def _outcome(step: Step, begun: dt.datetime) -> Filmed:
    take = Take.objects.select_related("call").get(
        shot__scene__script__production=step.production_id, shot__scene__number=step.item, selected=True
    )
    paid = Call.objects.filter(step=step, provider="higgsfield", sent_at__isnull=False).count()
    return Filmed(
        step.production_id, (take.created_at - begun).total_seconds(), take.provider == roster.LOCAL_STUDIO, paid
    )
