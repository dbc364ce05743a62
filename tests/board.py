"""A board whose stages do next to nothing, and a doorbell that loses and doubles: the engine alone, under fire."""

from __future__ import annotations

import random
import time
from collections import Counter, deque
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.db import connection

from orders import faults
from orders.models import OrderState
from pipeline import engine, jobs, photos
from pipeline.engine import DONE, Done, Wait, Work
from pipeline.line import LINE
from pipeline.models import Production, ProductionState, Scene, Script, Step

ITEMS = 3


class Died(BaseException):
    """This worker is gone, in the middle of whatever it did."""


class LossyBells(deque[tuple[str, int]]):
    """Loses a quarter of the bells and doubles a fifth, as a seed decides."""

    def __init__(self, seed: int, lose: float = 0.25, double: float = 0.2) -> None:
        super().__init__()
        self.chance = random.Random(seed)
        self.lose, self.double = lose, double

    def append(self, bell: tuple[str, int]) -> None:
        """Maybe keep it, maybe twice, in no particular order."""
        for _ in range(1 + (self.chance.random() < self.double)):
            if self.chance.random() >= self.lose:
                self.insert(self.chance.randint(0, len(self)), bell)


class Stages:
    """Stand-ins for all stages; `begun` counts how often each was entered, `done` what its fenced write achieved."""

    def __init__(self) -> None:
        self.done: Counter[tuple[int, str, int]] = Counter()
        self.begun: Counter[tuple[int, str, int]] = Counter()

    def of(self, key: str) -> Callable[[Work], Done | Wait]:
        """The stand-in of a stage."""
        stage = getattr(self, key, self._simple)

        def begin(work: Work) -> Done | Wait:
            self.begun[(work.production.pk, work.step.stage, work.step.item)] += 1
            return stage(work)

        return begin

    def _simple(self, work: Work) -> Done | Wait:
        with work.fence():
            pass
        self._count(work)
        return DONE

    def script(self, work: Work) -> Done | Wait:
        """Writes the items' steps, as the real one does."""
        if not Script.objects.filter(production=work.production).exists():
            with work.fence():
                script = Script.objects.create(production=work.production, title="A film")
                photo = work.order.photos.first()
                for number in range(1, ITEMS + 1):
                    Scene.objects.create(script=script, number=number, text=f"Line {number}.", photo=photo)
                    for stage in (line.key for line in LINE if line.per_item):
                        Step.objects.get_or_create(production=work.production, stage=stage, item=number)
        self._count(work)
        return DONE

    def narration(self, work: Work) -> Done | Wait:
        """Waits once for an alarm before it is done."""
        if work.step.attempts < 2:
            return Wait(3)
        return self._simple(work)

    def delivery(self, work: Work) -> Done | Wait:
        """Ends the order, as the real one does."""
        with work.fence():
            work.order.move(OrderState.PLACED, OrderState.DELIVERED)
        self._count(work)
        return DONE

    def _count(self, work: Work) -> None:
        self.done[(work.production.pk, work.step.stage, work.step.item)] += 1


def die_at(chance: float, seed: int, monkeypatch: Any) -> Counter[str]:
    """Make every fault point kill its worker with a chance; counts how often each did."""
    dice = random.Random(seed)
    deaths: Counter[str] = Counter()

    def maybe(name: str) -> None:
        assert name in faults.POINTS
        if dice.random() < chance:
            deaths[name] += 1
            raise Died(name)

    for module in (engine, photos):
        monkeypatch.setattr(module, "faultpoint", maybe)
    return deaths


def run(bells: deque[tuple[str, int]], travel: Callable[[timedelta], None], *, rounds: int = 400) -> int:
    """Answer bells, sweep when there are none, let time pass; until every production has ended. Returns the rounds."""
    for turn in range(rounds):
        while bells:
            job, pk = bells.popleft()
            try:
                jobs.JOBS[job](pk)
            except Died:
                connection.close() if connection.in_atomic_block else None
        if not Production.objects.filter(state=ProductionState.RUNNING).exists():
            return turn
        travel(timedelta(seconds=5))
        engine.sweep()
    raise AssertionError(f"not all productions ended within {rounds} sweeps")


def outlast_a_lease(step: Step) -> Step | None:
    """Take longer than a lease lasts while another worker tries for `step`; the claim, where that one got it."""
    until = time.monotonic() + 1.2 * engine.lease().total_seconds()
    while time.monotonic() < until:
        if taken := engine.claim(step.pk):
            return taken
        time.sleep(0.05)
    return None
