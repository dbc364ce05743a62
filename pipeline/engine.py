"""The board's engine: claim a step, run its stage, leave it, advance the production, sweep what was lost.

The database is the truth and every change of state is one conditional UPDATE, so two workers need no lock
(`select_for_update` does nothing on SQLite). Messages are only doorbells.
"""

from __future__ import annotations

import datetime as dt
import importlib
import logging
import os
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db.models import Case, F, Q, QuerySet, Value, When
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext as _

from orders import disk
from orders.codes import token as new_token
from orders.faults import faultpoint

from . import holders, live, queue
from .claims import Claim, LostLease
from .history import tell
from .line import LINE, STAGES, Stage
from .models import OPEN_CALLS, Call, Production, ProductionState, Step, StepState
from .providers.base import ProviderError
from .signals import production_ended

log = logging.getLogger(__name__)

# Seconds before the first, second, third … retry. The last one repeats.
BACKOFF = (1, 3, 10, 30, 60)
# A step that is due but was not taken for so long has lost its doorbell.
UNANSWERED = dt.timedelta(seconds=10)
SWEEP_BATCH = 500
# A step that is taken so much later than it was due stood still with the whole site, or the clock jumped.
MISSED = dt.timedelta(seconds=60)
# How long a step stays parked while the disk is full, or the storage away.
PARKED = dt.timedelta(seconds=15)


def lease() -> dt.timedelta:
    """How long a worker may show no sign of life before another takes its step."""
    return dt.timedelta(seconds=settings.LEASE_SECONDS)


@dataclass(frozen=True)
class Done:
    """The stage has nothing left to do."""


@dataclass(frozen=True)
class Wait:
    """The stage looks again in `seconds`, or earlier when a bell rings."""

    seconds: float


DONE = Done()


class StageFailed(Exception):  # noqa: N818  (the house's word)
    """The stage cannot be done. `fan` is what the fan reads; trying again would not help."""

    def __init__(self, what: str, fan: str = "") -> None:
        super().__init__(what)
        self.fan = fan


class Work(Claim):
    """A claimed step, as its stage sees it: facts, a way to show life, a fence around writes."""

    def __init__(self, step: Step, line: Stage) -> None:
        super().__init__(step.production)
        self.step = step
        self.line = line
        self.overdue = step.deadline_at is not None and step.deadline_at < timezone.now()

    def __str__(self) -> str:
        return str(self.step)

    def _renew(self, **changes: Any) -> None:
        mine = Step.objects.filter(pk=self.step.pk, token=self.step.token, state=StepState.RUNNING)
        renewed = mine.update(lease_until=timezone.now() + lease(), **changes)
        # What was cancelled or refunded meanwhile buys nothing more and delivers nothing.
        wanted = Production.objects.filter(pk=self.production.pk, state=ProductionState.RUNNING).exists()
        if not (renewed and wanted):
            raise LostLease(str(self.step))


# --- claim, run, leave ----------------------------------------------------------------------------------------------


def claim(pk: int) -> Step | None:
    """Take a due step: one conditional UPDATE with a fresh token and lease. None when someone else was first."""
    now = timezone.now()
    found = Step.objects.due(now).filter(pk=pk).first()
    if found is None:
        return None
    line = STAGES[found.stage]
    token = new_token()
    taken = (
        Step.objects.takeable(now)
        .filter(pk=pk)
        .update(
            # A lease that ran out is a worker that died in the middle: that counts as a failure.
            failures=F("failures") + Case(When(state=StepState.RUNNING, then=1), default=0),
            state=StepState.RUNNING,
            token=token,
            holder=holders.me(),
            lease_until=now + lease(),
            attempts=F("attempts") + 1,
            seen=F("wanted"),
            started_at=Coalesce(F("started_at"), Value(now)),
            deadline_at=Coalesce(
                F("deadline_at") + _missed(found, now), Value(now + dt.timedelta(seconds=line.deadline))
            ),
        )
    )
    if not taken:
        return None
    return Step.objects.select_related("production__order__creator", "production__order__brief").get(pk=pk, token=token)


def _missed(step: Step, now: dt.datetime) -> dt.timedelta:
    """By how much a step's deadline moves: where it passed while nobody could look, by the time in which nobody did.

    So a step keeps what it had left, whatever a clock does, and however long a site was off. One that is looked at in
    time is not given any more, and one that is always late less and less.
    """
    since = step.lease_until if step.state == StepState.RUNNING else step.not_before
    if since is None or step.deadline_at is None or not since < step.deadline_at < now or now - since < MISSED:
        return dt.timedelta()
    return now - since


def stage_of(key: str) -> Callable[[Work], Done | Wait]:
    """The function that does a stage: `run` of the module that bears its name. Stages know the engine, not it them."""
    run: Callable[[Work], Done | Wait] = importlib.import_module(f"pipeline.stages.{key}").run
    return run


def run_step(pk: int) -> None:
    """Claim a step, call its stage once, and leave it as the stage says. Losing the claim is quiet."""
    step = claim(pk)
    if step is None:
        return
    line = STAGES[step.stage]
    work = Work(step, line)
    clock = _cpu()
    try:
        faultpoint("step.after_claim")
        if step.failures > line.max_failures:
            raise StageFailed(f"gave up after {step.failures} failures: {step.error or 'its worker died each time'}")
        outcome = stage_of(step.stage)(work)
        if isinstance(outcome, Wait) and work.overdue:
            raise StageFailed(f"not done within {line.deadline} s")
        faultpoint("step.before_leave")
    except LostLease:
        log.info("%s: another worker took over, or it is not wanted any more", step)
        return
    except StageFailed as error:
        fail(step, str(error), error.fan)
    except ProviderError as error:
        if error.retryable:
            retry(step, line, str(error), error.retry_after)
        else:
            fail(step, str(error), error.fan)
    except Exception as error:
        # Whatever a stage throws must end in a row: a step may fail, the board may not.
        what = f"{type(error).__name__}: {error}"
        if disk.is_at_fault(error) and not work.overdue:
            log.warning("%s is parked: %s", step, what)
            park(step, what)
        else:
            log.exception("%s failed", step)
            retry(step, line, what, None)
    else:
        leave(step, outcome, cpu_seconds=_cpu() - clock)
    faultpoint("step.after_leave")


def _cpu() -> float:
    """CPU seconds of this process and the children it has waited for."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def leave(step: Step, outcome: Done | Wait, *, cpu_seconds: float = 0) -> bool:
    """Write what came of a claimed step. False when the lease was lost: then nothing is written."""
    now = timezone.now()
    mine = Step.objects.filter(pk=step.pk, token=step.token, state=StepState.RUNNING)
    cost = F("cpu_seconds") + cpu_seconds
    with step.production.order.locked():
        if isinstance(outcome, Done):
            left = mine.update(
                state=StepState.DONE, ended_at=now, progress=1, error="", lease_until=None, cpu_seconds=cost
            )
            if left:
                _let_go(Call.objects.filter(step=step))
                tell(step.production, "step.done", stage=step.stage, item=step.item)
                advance(step.production)
        else:
            alarm = now + dt.timedelta(seconds=outcome.seconds)
            # A bell that rang while we worked means: look once more, now.
            left = mine.update(
                state=Case(When(~Q(wanted=F("seen")), then=Value(StepState.READY)), default=Value(StepState.WAITING)),
                not_before=Case(When(~Q(wanted=F("seen")), then=Value(now)), default=Value(alarm)),
                failures=0,
                error="",
                lease_until=None,
                cpu_seconds=cost,
            )
            if left:
                ring_due(step.production)  # a bell that rang meanwhile found nothing due; it is now
    live.order_changed(step.production.order.code)
    return bool(left)


def backoff(failures: int, chance: float) -> float:
    """Seconds before the next try, more after each failure; `chance` (0 to 1) takes off up to a fifth.

    So what failed together is not tried together.
    """
    return BACKOFF[min(failures, len(BACKOFF) - 1)] * (1 - chance / 5)


def retry(step: Step, line: Stage, error: str, retry_after: float | None) -> None:
    """Set the alarm with back-off; after the line's most failures, fail for good."""
    if step.failures + 1 > line.max_failures:
        fail(step, error, "")
        return
    seconds = retry_after if retry_after is not None else backoff(step.failures, random.random())
    Step.objects.filter(pk=step.pk, token=step.token, state=StepState.RUNNING).update(
        state=StepState.WAITING,
        not_before=timezone.now() + dt.timedelta(seconds=seconds),
        failures=F("failures") + 1,
        error=error[:2000],
        lease_until=None,
    )


def park(step: Step, error: str) -> None:
    """Files have no place now, which is not the step's fault: it looks again until its deadline, uncounted."""
    Step.objects.filter(pk=step.pk, token=step.token, state=StepState.RUNNING).update(
        state=StepState.WAITING,
        not_before=timezone.now() + PARKED,
        error=error[:2000],
        lease_until=None,
    )


def fail(step: Step, error: str, fan: str) -> None:
    """The step is lost, and with it the production: loudly on the desk, in a sentence for the fan."""
    now = timezone.now()
    with step.production.order.locked():
        lost = Step.objects.filter(pk=step.pk, token=step.token, state=StepState.RUNNING).update(
            state=StepState.FAILED, ended_at=now, error=error[:2000], lease_until=None
        )
        if lost:
            tell(step.production, "step.failed", stage=step.stage, item=step.item, error=error[:500])
            end_production(step.production, ProductionState.FAILED, stage=step.stage, error=error, fan=fan)
    live.order_changed(step.production.order.code)


def end_production(production: Production, state: ProductionState, *, stage: str, error: str, fan: str) -> bool:
    """Close a running production; who listens to `production_ended` settles order and money. True for one caller."""
    with production.order.locked():
        ended = Production.objects.filter(pk=production.pk, state=ProductionState.RUNNING).update(
            state=state, ended_at=timezone.now(), failed_stage=stage, error=error[:2000]
        )
        if ended:
            _let_go(Call.objects.filter(step__production=production))
            tell(production, f"production.{state}", stage=stage)
            production_ended.send(
                sender=Production,
                production_id=production.pk,
                state=state,
                fan=fan or (_("Something on our side broke while making your film.") if error else ""),
            )
    return bool(ended)


def _let_go(calls: QuerySet[Call]) -> None:
    """Nobody waits for these calls any more: those still open are due, so that the sweep finds and follows them."""
    calls.filter(state__in=OPEN_CALLS).update(look_at=timezone.now())


# --- advance and sweep ----------------------------------------------------------------------------------------------


def advance(production: Production) -> None:
    """Unblock every stage whose needs are done, ring for what is due, close the production when all is done."""
    with production.order.locked():
        if not Production.objects.filter(pk=production.pk, state=ProductionState.RUNNING).update(
            version=F("version") + 1
        ):
            return
        open_stages = set(
            Step.objects.filter(production=production).exclude(state=StepState.DONE).values_list("stage", flat=True)
        )
        known = set(Step.objects.filter(production=production).values_list("stage", flat=True))
        # A per-item stage that has no steps yet is not done: its parent has not written them.
        done = known - open_stages
        now = timezone.now()
        for line in LINE:
            if line.key in open_stages and set(line.needs) <= done:
                free = Step.objects.filter(production=production, stage=line.key, state=StepState.BLOCKED)
                if line.same_item:
                    before = Step.objects.filter(production=production, stage=line.same_item, state=StepState.DONE)
                    free = free.filter(item__in=list(before.values_list("item", flat=True)))
                free.update(state=StepState.READY, not_before=now)
        if not open_stages and len(known) == len(LINE):
            end_production(production, ProductionState.DONE, stage="", error="", fan="")
            return
        ring_due(production)


def ring_due(production: Production) -> None:
    """Ring for every due step of one production, after commit."""
    for step in Step.objects.due(timezone.now()).filter(production=production):
        _ring(step)


def ring_step(production: Production, stage: str, item: int | None = None) -> None:
    """A bell: whatever the stage waits for may have happened; it looks again now, or right after its present look."""
    now = timezone.now()
    steps = Step.objects.filter(production=production, stage=stage, state__in=[StepState.WAITING, StepState.RUNNING])
    if item is not None:
        steps = steps.filter(item=item)
    with production.order.locked():
        steps.update(
            wanted=F("wanted") + 1,
            not_before=Case(When(state=StepState.WAITING, then=Value(now)), default=F("not_before")),
        )
        ring_due(production)


def _ring(step: Step) -> None:
    """Ring under the step's present name; `rung_at` says since when."""
    Step.objects.filter(pk=step.pk).update(rung_at=timezone.now())
    _ring_again(step)


def _ring_again(step: Step) -> None:
    queue.ring(STAGES[step.stage].queue, "run_step", step.pk, job_name(step))


def job_name(step: Step) -> str:
    """The queue's name for this bell: one job waits per step and bell."""
    return f"step-{step.pk}-{step.wanted}"


def _ring_anew(step: Step) -> None:
    """Ring under a new name: the present one may live on in the memory of a worker that died."""
    Step.objects.filter(pk=step.pk).update(wanted=F("wanted") + 1)
    step.refresh_from_db(fields=["wanted"])
    _ring(step)


def alarms() -> int:
    """Ring for alarms that went off since the last look, and for what a process of this machine died over.

    Two small questions, so that they can be asked every second; what they miss the sweep finds. Returns how many.
    """
    now = timezone.now()
    off = Step.objects.due(now).filter(Q(rung_at=None) | Q(rung_at__lt=F("not_before")), state=StepState.WAITING)
    waiting = list(off[:SWEEP_BATCH])
    for step in waiting:
        _ring(step)
    left = 0
    for step in Step.objects.filter(state=StepState.RUNNING, lease_until__gte=now).exclude(holder=""):
        gone = holders.is_gone(step.holder)
        mine = Step.objects.filter(pk=step.pk, token=step.token, state=StepState.RUNNING)
        if gone and mine.update(lease_until=now - dt.timedelta(seconds=1)):
            _ring_anew(step)
            left += 1
    return len(waiting) + left


def sweep() -> int:
    """Ring again for everything due that nobody came for. The whole safety net; harmless at any time and place.

    Returns how many steps were due.
    """
    now = timezone.now()
    due = list(Step.objects.due(now).order_by("production__started_at", "pk")[:SWEEP_BATCH])
    for step in due:
        expired = step.state == StepState.RUNNING
        unanswered = step.rung_at is not None and step.rung_at < now - UNANSWERED
        if expired or (unanswered and not queue.waits(STAGES[step.stage].queue, job_name(step))):
            _ring_anew(step)
        elif step.rung_at is None:
            _ring(step)
        else:
            _ring_again(step)  # and it stays known for how long nobody has come
    return len(due)
