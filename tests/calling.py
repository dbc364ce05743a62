"""What the tests of calls share: a vendor that remembers what it was asked, and a step that asks it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from orders.models import OrderState
from pipeline import calls, engine, services
from pipeline.engine import Work
from pipeline.line import STAGES
from pipeline.models import Call, Step
from pipeline.providers.base import Answer, Provider, ProviderError, silently

from . import making


class Vendor(Provider):
    """A provider that remembers what it was asked; `recovery` and `known` set the stage for a crash."""

    name = "vendor"
    job = "writer"
    recovery = "redo"
    limit = 0
    model = ""

    def __init__(
        self,
        *,
        recovery: str = "redo",
        known: bool = False,
        refuses: ProviderError | None = None,
        limit: int = 0,
        price: int = 0,
    ) -> None:
        self.recovery, self.known, self.refuses, self.limit, self.price = recovery, known, refuses, limit, price
        self.asked: list[tuple[str, dict]] = []

    def estimate(self, request):
        return self.price

    def submit(self, key, request, workdir):
        self.asked.append((key, request))
        if self.refuses is not None:
            raise self.refuses
        out = Path(workdir) / "answer.txt"
        out.write_text("the answer")
        return Answer("done", result={"said": request["word"]}, files={"text": out}, cost=7)

    def look(self, external_id, workdir, on_progress=silently):
        return Answer("done", result={"said": external_id})

    def find(self, key):
        return Answer("done", result={"said": "found"}) if self.known else None

    def cancel(self, external_id):
        pass


class Slow(Vendor):
    """Answers later; `looks` is what it says when it is asked how far it is."""

    looks: ProviderError | None = None
    looked = cancels = 0

    def submit(self, key, request, workdir):
        self.asked.append((key, request))
        return Answer("pending", external_id="job-1", poll_after=0)

    def look(self, external_id, workdir, on_progress=silently):
        self.looked += 1
        if self.looks is not None:
            raise self.looks
        return Answer("done", result={"said": external_id}, cost=9)

    def cancel(self, external_id):
        self.cancelled = [external_id]
        self.cancels += 1


@pytest.fixture
def work():
    production = making.production()
    return Work(engine.claim(Step.objects.get(production=production, stage="photos").pk), STAGES["photos"])


def trouble(kind: str, **extra) -> ProviderError:
    return ProviderError(kind, retryable=kind in ("busy", "unknown", "passing", "away"), trouble=kind, **extra)


def another_work(number: int, *, creator=None) -> Work:
    order = making.draft(by=making.fan(f"fan{number}@films.example"))
    if creator is not None:
        order.creator = creator
    order.state, order.placed_at = OrderState.PLACED, timezone.now()
    order.save()
    production = services.start(order=order)
    return Work(engine.claim(Step.objects.get(production=production, stage="photos").pk), STAGES["photos"])


class Endless(Slow):
    """Is never done, however often it is asked: no slot comes free."""

    def look(self, external_id, workdir, on_progress=silently):
        return Answer("pending", external_id=external_id)


def ask_again(clock, work, vendor, tmp_path, times: int) -> Call:
    """Ask so many times, each when it makes sense."""
    for _ in range(times):
        call = calls.ask(work, vendor, {"word": "hello"}, tmp_path)
        clock.shift(timedelta(seconds=calls.pause(call) + 1))
    return call
