"""One request to a provider: written down before it is sent, asked twice but done once, recovered after a crash.

    new ──slot──▶ (sent) ──▶ submitted ──▶ succeeded
     │  ◀──busy──┘   │            └──────▶ failed, expired, cancelled
     └▶ queued       └──▶ succeeded, failed

A step may have several calls by name: the takes of a shot. Whoever asks reads the truth from the row afterwards.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.db.models import Case, F, Q, QuerySet, Value, When
from django.utils import timezone

from orders.faults import faultpoint

from . import breaker, engine, files, queue, slots
from .engine import Work
from .models import OPEN_CALLS, Call, CallState, ProductionState, Step, StepState
from .providers.base import Answer, JobFailed, Json, Provider, ProviderError

log = logging.getLogger(__name__)

MAX_ATTEMPTS = 3
# A licensed voice has no stand-in, and a line costs cents: it is worth more tries than a shot.
VOICE_ATTEMPTS = 6
# Seconds between two tries at a vendor who is busy, or whose answer to "how far is it" did not come.
BUSY, UNSEEN = 5.0, 10.0
# A vendor who cannot be reached is asked again after as long as it has been tried already: at most this many seconds.
LONGEST_REST = 60.0
# Between two looks at a call of which nobody said when to look; one that stands in a queue is rung for.
LOOK_EVERY, QUEUED_LOOK = 5.0, 300.0
# A call nobody waits for any more is followed for so long: it is paid for and should be told.
FOLLOWED = dt.timedelta(hours=24)
SWEPT = 200


def ask(work: Work, provider: Provider, request: Json, folder: Path, *, name: str = "") -> Call:
    """Move one of this step's calls one step further, sending it where it has not been sent.

    The same call may be asked for any number of times; an answer is kept and returned for ever. `folder` is where
    the provider may write and finds what the request names. The answer's files are published to storage.

    Returns the call. Succeeded, it has its answer; else nothing has come of it yet, and `pause` says when to look
    again, `trouble` why. Raises ProviderError when nothing will come of it any more; LostLease.
    """
    call = latest(work.step, name)
    if call is None or _worth_another(call):
        call = _write_down(work, provider, request, name, 1 if call is None else call.attempt + 1)
    if call.state == CallState.SUCCEEDED or pause(call) > 0:
        return call
    if not call.is_open:
        raise final(call)
    try:
        answer = _forward(work, call, provider, folder)
    except ProviderError as error:
        log.info("%s: %s (%s)", call, error, error.trouble)
        answer = None
    if answer is not None:
        faultpoint("call.after_answer", provider.name)
        with work.waiting(files.PATIENCE if answer.files else 0):
            published = _published(answer, work.production.folder)
        with work.fence():
            _accept(call, answer, published)
        if answer.state == "done":
            ring_next(call)
    call.refresh_from_db()
    if call.state in (CallState.FAILED, CallState.EXPIRED, CallState.CANCELLED) and not more(call):
        raise final(call)
    return call


def pause(call: Call) -> float:
    """Seconds until it makes sense to look at a call again; 0 when it does now."""
    now = timezone.now()
    until = call.look_at if call.is_open else None
    if call.state == CallState.FAILED and more(call):
        rest = engine.backoff(call.attempt - 1, call.pk % 10 / 10)  # asked again, it is the same
        until = (call.ended_at or now) + dt.timedelta(seconds=rest)
    return max(0.0, (until - now).total_seconds()) if until else 0.0


def wait(call: Call) -> float:
    """Seconds until whoever waits for a call should look again, unless a bell rings before.

    A thousand that wait for a slot must not ask for it every few seconds: `ring_next` and the sweep ring for the first.
    """
    return pause(call) or (QUEUED_LOOK if call.state == CallState.QUEUED else LOOK_EVERY)


def hurry(call: Call) -> None:
    """Have the vendor asked about this call now, whatever its alarm says."""
    Call.objects.filter(pk=call.pk, state=CallState.SUBMITTED).update(look_at=timezone.now())


def withdraw(step: Step, *names: str) -> None:
    """Give up those of a step's calls that were never sent; what was goes on."""
    Call.objects.filter(step=step, name__in=names, sent_at=None, state__in=OPEN_CALLS).update(
        state=CallState.CANCELLED, ended_at=timezone.now()
    )


def final(call: Call) -> ProviderError:
    """What a call that came to nothing has to say."""
    return ProviderError(
        call.error or f"{call} was {call.get_state_display().lower()}",
        retryable=False,
        fan=call.fan_sentence,
        trouble=call.trouble or "refused",  # type: ignore[arg-type]
    )


def more(call: Call) -> bool:
    """Whether a failed call may be tried again, as a new attempt under a new key."""
    return call.state == CallState.FAILED and call.retryable and call.attempt < attempts(call.job)


def attempts(job: str) -> int:
    """How many times a job is tried anew after answers of no use."""
    return VOICE_ATTEMPTS if job == "voice" else MAX_ATTEMPTS


def _worth_another(call: Call) -> bool:
    return more(call) and pause(call) <= 0


def _forward(work: Work, call: Call, provider: Provider, folder: Path) -> Answer | None:
    if call.state == CallState.SUBMITTED:
        with _minded(work, call, provider):
            answer = provider.look(call.external_id, folder, work.beat)
        breaker.worked(provider.name)
        if answer.state == "done":
            faultpoint("call.after_fetch", provider.name)
        return answer
    if _may_send(work, call, provider):
        faultpoint("call.after_slot", provider.name)
        return _send(work, call, provider, folder)
    return None


def latest(step: Step, name: str = "") -> Call | None:
    """The last attempt at one of a step's calls."""
    return Call.objects.filter(step=step, name=name).order_by("-attempt").first()


def _write_down(work: Work, provider: Provider, request: Json, name: str, attempt: int) -> Call:
    step = work.step
    parts = [str(work.production), step.stage, str(step.item), *([name] if name else []), str(attempt)]
    with work.fence():
        call, _created = Call.objects.get_or_create(
            key=".".join(parts),
            defaults={
                "step": step,
                "name": name,
                "attempt": attempt,
                "provider": provider.name,
                "model": provider.model,
                "job": provider.job,
                "request": request,
                "estimate": provider.estimate(request),
                "due_at": step.deadline_at,
                "lined_up_at": work.order.placed_at or timezone.now(),
            },
        )
    faultpoint("call.before_send", provider.name)
    return call


def _may_send(work: Work, call: Call, provider: Provider) -> bool:
    """Whether the call holds a slot now. A vendor whose breaker is open is not asked; a sent call stays sent."""
    if call.sent_at is None and breaker.is_open(provider.name):
        Call.objects.filter(pk=call.pk, state__in=OPEN_CALLS).update(
            look_at=timezone.now() + dt.timedelta(seconds=UNSEEN),
            trouble="locked",
            error=f"{provider.name} is left alone",
        )
        return False
    if call.sent_at is not None or not (provider.limit or call.estimate):
        return True
    try:
        with work.fence():
            taken = slots.take(call, provider.limit)
    except ProviderError as error:
        with work.fence():
            _close(call, error)
        raise
    if taken:
        ring_next(call)  # where more than one slot is free, one bell brings all of them their callers
    return taken


def _send(work: Work, call: Call, provider: Provider, folder: Path) -> Answer | None:
    anew = 0
    with _minded(work, call, provider), work.waiting(provider.patience):
        if call.sent_at is not None:
            # Sent before, and no answer was written: the provider may or may not have done it.
            found = _search(call, provider)
            if found is not None:
                return found
            if provider.recovery == "wait":
                return None
            if provider.recovery == "redo" and call.estimate:
                files.reach()  # the answer may have been lost for want of a place: none is bought before there is one
                Call.objects.filter(pk=call.pk).update(maybe_paid_twice=True)
                anew = provider.estimate(call.request)
                with work.fence():
                    slots.afford_again(call, anew)
        if call.prepared is None:
            prepared = provider.prepare(call.request, folder)
            with work.fence():
                Call.objects.filter(pk=call.pk, prepared__isnull=True).update(prepared=prepared)
            call.refresh_from_db()
        with work.fence():
            # Whatever was cancelled, or lost to another worker, until here is not sent.
            if not Call.objects.filter(pk=call.pk, state__in=OPEN_CALLS).update(
                sent_at=call.sent_at or timezone.now(), state=CallState.NEW
            ):
                return None
        faultpoint("call.before_submit", provider.name)
        try:
            answer = provider.submit(call.key, call.prepared or {}, folder)
        except ProviderError as error:
            if error.cost == 0 and error.trouble != "unknown":
                slots.release(call, anew)
            raise
    breaker.worked(provider.name)
    return answer


def _search(call: Call, provider: Provider) -> Answer | None:
    """What the provider knows of a call that was sent. A search that fails says nothing about that sending."""
    try:
        return provider.find(call.key)
    except ProviderError as error:
        if error.trouble == "passing":
            error.trouble = "unknown"
        raise


@contextmanager
def _minded(work: Work, call: Call, provider: Provider) -> Iterator[None]:
    """Write down what a provider's trouble means for the call, and let the trouble go on to whoever asked."""
    try:
        yield
    except JobFailed as error:
        if error.trouble == "locked":
            breaker.failed(provider.name, error)
        with work.fence():
            _close(call, error)
        ring_next(call)
        raise
    except ProviderError as error:
        breaker.failed(provider.name, error, again=call.trouble in breaker.BAD_MOMENTS)
        with work.fence():
            _suffer(call, error, provider)
        raise


def _suffer(call: Call, error: ProviderError, provider: Provider) -> None:
    now = timezone.now()
    mine = Call.objects.filter(pk=call.pk, state__in=OPEN_CALLS)
    note = {"error": str(error)[:2000], "trouble": error.trouble}
    if call.state == CallState.SUBMITTED:
        # The job goes on at the vendor; only our question was not answered. A job that is gone is gone. What could not
        # be fetched twice in a row is not fetched every few seconds.
        again = error.trouble == call.trouble == "unfetched"
        if error.trouble == "gone":
            _close(call, error)
        else:
            rest = error.retry_after or (LONGEST_REST if again else UNSEEN)
            mine.update(look_at=_unless_rung(call, now + dt.timedelta(seconds=rest)), **note)
    elif call.sent_at is not None and (
        error.trouble in ("busy", "locked") or (error.retryable and provider.recovery != "redo")
    ):
        # This says nothing about the first sending, which may have been done: a new key would buy it twice, and a call
        # that counts as never sent would be cancelled for nothing.
        mine.update(look_at=now + _rest(call, error), **note)
    elif error.trouble == "busy":
        slots.give_back(call, error.retry_after or BUSY)
        mine.update(**note)
    elif error.trouble == "locked":
        slots.give_back(call, UNSEEN)
        mine.update(**note)
    elif error.trouble == "away":
        # Not sent after all, and so no attempt.
        mine.update(look_at=now + _rest(call, error), sent_at=call.sent_at, **note)
    elif error.trouble in ("unknown", "unfetched"):
        mine.update(look_at=now + _rest(call, error), **note)
    else:
        if call.sent_at is not None and error.cost == 0:
            error.cost = None  # this sending came to nothing; the first may have been done, and charged
        _close(call, error)


def _rest(call: Call, error: ProviderError) -> dt.timedelta:
    """How long to leave a vendor alone: its own wish, else ever longer without counting."""
    tried = (timezone.now() - (call.slot_at or call.created_at)).total_seconds()
    return dt.timedelta(seconds=error.retry_after or min(LONGEST_REST, max(BUSY, tried)))


def _unless_rung(call: Call, moment: dt.datetime) -> Case:
    """When to look again: at this moment, or when a bell said so that rang while the vendor was still being asked."""
    untouched = Q(look_at=call.look_at) if call.look_at is not None else Q(look_at=None)
    return Case(When(untouched, then=Value(moment)), default=F("look_at"))


def _published(answer: Answer, folder: str) -> dict[str, str]:
    """The answer's files in storage. Not inside a fence: storage may be far away, and no transaction waits for it."""
    return {name: files.publish(path, folder) for name, path in answer.files.items()}


def _accept(call: Call, answer: Answer, published: dict[str, str]) -> None:
    now = timezone.now()
    if answer.state == "pending":
        values: dict[str, object] = {
            "state": CallState.SUBMITTED,
            "external_id": answer.external_id,
            "look_at": _unless_rung(call, now + dt.timedelta(seconds=answer.poll_after)),
        }
    else:
        values = {
            "state": CallState.SUCCEEDED,
            "result": answer.result,
            "files": published,
            "cost": answer.cost,
            "ended_at": now,
        }
    Call.objects.filter(pk=call.pk, state__in=OPEN_CALLS).update(error="", trouble="", **values)


def _close(call: Call, error: ProviderError) -> None:
    Call.objects.filter(pk=call.pk, state__in=OPEN_CALLS).update(
        state=CallState.FAILED,
        error=str(error)[:2000],
        trouble=error.trouble,
        retryable=error.retryable,
        fan_sentence=error.fan[:300],
        cost=F("estimate") if error.cost is None else error.cost,
        ended_at=timezone.now(),
    )


def ring_next(call: Call) -> None:
    """This call's slot may have come free: whoever is next in the vendor's queue looks again.

    Outside transactions: that is another order's row, and no two orders' are taken together.
    """
    _ring_first(call.provider)


def _ring_first(provider: str) -> None:
    following = slots.following(provider)
    if following is not None:
        engine.ring_step(following.step.production, following.step.stage, following.step.item)


def ring(call: Call, external_id: str = "") -> str:
    """A vendor rang about a call: look at it now. What became of the bell, in one word for the record.

    A message that comes before the answer to our sending brings the vendor's id along, and is adopted.
    """
    if external_id and call.external_id and external_id != call.external_id:
        return "mismatch"
    if not call.is_open:
        return "late"
    values: dict[str, object] = {"look_at": timezone.now()}
    if external_id and not call.external_id and call.sent_at is not None:
        values |= {"external_id": external_id, "state": CallState.SUBMITTED}
    Call.objects.filter(pk=call.pk, state__in=OPEN_CALLS).update(**values)
    step = call.step
    if step.production.state != ProductionState.RUNNING or step.state in (StepState.DONE, StepState.FAILED):
        return "unwanted"
    engine.ring_step(step.production, step.stage, step.item)
    return "rung"


# --- calls nobody waits for any more ----------------------------------------------------------------------------------


def unwanted() -> QuerySet[Call]:
    """Open calls whose step is over, or whose production is: a late take, a cancelled order."""
    over = Q(step__state__in=[StepState.DONE, StepState.FAILED]) | ~Q(step__production__state=ProductionState.RUNNING)
    return Call.objects.filter(over, state__in=OPEN_CALLS)


def follow(call: Call, provider: Provider | None) -> None:
    """Bring a call nobody waits for to its end: unsent ones are cancelled, sent ones are followed and costed.

    What it made is fetched twice at the most: nobody needs it, and it is paid for either way. Without a provider, since
    it is not known here any more, nobody can be asked, and the call ends by its deadline. Raises StorageAway.
    """
    now = timezone.now()
    mine = Call.objects.filter(pk=call.pk, state__in=OPEN_CALLS)
    if call.sent_at is None:
        mine.update(state=CallState.CANCELLED, ended_at=now)
        return
    if provider is None or not call.external_id or now - call.sent_at > FOLLOWED:
        # Whether it was done, nobody will ever say: where it has a price, it may have been paid for.
        if now > (call.due_at or now) or now - call.sent_at > FOLLOWED:
            mine.update(state=CallState.EXPIRED, ended_at=now, maybe_paid_twice=call.estimate > 0, cost=call.estimate)
        else:
            mine.update(look_at=now + dt.timedelta(seconds=UNSEEN))
        return
    if call.look_at is not None and call.look_at > now:
        return
    call.look_at = now + dt.timedelta(seconds=UNSEEN)
    mine.update(look_at=call.look_at)
    try:
        if call.step.production.state != ProductionState.RUNNING and call.trouble not in ("unwanted", "unfetched"):
            mine.update(trouble="unwanted")
            provider.cancel(call.external_id)
        files.reach()  # nothing is fetched again and again for want of a place
        with files.workspace("late") as folder:
            answer = provider.look(call.external_id, folder)
            if answer.state == "done":
                _accept(call, answer, _published(answer, call.step.production.folder))
                ring_next(call)
    except JobFailed as error:
        _close(call, error)
    except ProviderError as error:
        log.info("Late call %s: %s", call, error)
        if error.trouble == "gone" or error.trouble == call.trouble == "unfetched":
            _close(call, error)
            return
        values: dict[str, object] = {"error": str(error)[:2000], "look_at": timezone.now() + _rest(call, error)}
        if error.trouble == "unfetched":
            values["trouble"] = error.trouble
        mine.update(**values)


def due() -> QuerySet[Call]:
    """Calls nobody waits for whose time to look has come. A step that ends makes its own due, so these are few."""
    ready = Q(state__in=OPEN_CALLS, look_at__lte=timezone.now()) | Q(state=CallState.NEW, look_at=None)
    return unwanted().filter(ready).order_by("look_at", "pk")


def sweep() -> int:
    """Ring for calls that are due, of which the number is returned, and for the first of every queue.

    A slot may have come free without a bell.
    """
    for provider in slots.queues():
        _ring_first(provider)
    found = list(due().values_list("pk", flat=True)[:SWEPT])
    for pk in found:
        queue.again("control", "follow_call", pk, f"call-{pk}")
    return len(found)
