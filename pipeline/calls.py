"""One request to a provider: written down before it is sent, asked twice but done once, recovered after a crash."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from django.utils import timezone

from orders.faults import faultpoint

from . import files
from .engine import Work
from .models import Call, CallState
from .providers.base import Answer, Json, Provider, ProviderError

MAX_ATTEMPTS = 3
OPEN = (CallState.NEW, CallState.QUEUED, CallState.SUBMITTED)


def ask(work: Work, provider: Provider, request: Json, folder: Path) -> Call:
    """Move this step's call one step further, sending it where it has not been sent.

    The same call may be asked for any number of times; an answer is kept and returned for ever. `folder` is where
    the provider may write and finds what the request names. The answer's files are published to storage.
    Returns the call: succeeded, or submitted with its `look_at`. Raises ProviderError, LostLease.
    """
    call = Call.objects.filter(step=work.step).order_by("-attempt").first()
    if call is None or (call.state == CallState.FAILED and call.retryable and call.attempt < MAX_ATTEMPTS):
        call = _write_down(work, provider, request, 1 if call is None else call.attempt + 1)
    if call.state == CallState.FAILED:
        raise ProviderError(call.error, retryable=False, fan=call.fan_sentence)
    if call.state == CallState.SUCCEEDED:
        return call
    try:
        answer = _look(call, provider, folder) if call.state == CallState.SUBMITTED else _send(call, provider, folder)
    except ProviderError as error:
        _close(work, call, error)
        raise
    if answer is not None:
        faultpoint("call.after_answer")
        _accept(work, call, answer)
    call.refresh_from_db()
    return call


def _write_down(work: Work, provider: Provider, request: Json, attempt: int) -> Call:
    step = work.step
    with work.fence():
        call, _created = Call.objects.get_or_create(
            key=f"{work.production}.{step.stage}.{step.item}.{attempt}",
            defaults={
                "step": step,
                "attempt": attempt,
                "provider": provider.name,
                "job": provider.job,
                "request": request,
                "due_at": step.deadline_at,
            },
        )
    faultpoint("call.before_send")
    return call


def _send(call: Call, provider: Provider, folder: Path) -> Answer | None:
    first = Call.objects.filter(pk=call.pk, sent_at=None).update(sent_at=timezone.now())
    if not first:
        # Sent before, and no answer was written: the provider may or may not have done it.
        found = provider.find(call.key)
        if found is not None:
            return found
        if provider.recovery == "wait":
            return None
    return provider.submit(call.key, call.request, folder)


def _look(call: Call, provider: Provider, folder: Path) -> Answer | None:
    if call.look_at is not None and call.look_at > timezone.now():
        return None
    return provider.look(call.external_id, folder)


def _accept(work: Work, call: Call, answer: Answer) -> None:
    now = timezone.now()
    if answer.state == "pending":
        values = {
            "state": CallState.SUBMITTED,
            "external_id": answer.external_id,
            "look_at": now + dt.timedelta(seconds=answer.poll_after),
        }
    else:
        published = {name: files.publish(path, work.production.folder) for name, path in answer.files.items()}
        values = {
            "state": CallState.SUCCEEDED,
            "result": answer.result,
            "files": published,
            "cost": answer.cost,
            "ended_at": now,
        }
    with work.fence():
        Call.objects.filter(pk=call.pk, state__in=OPEN).update(**values)


def _close(work: Work, call: Call, error: ProviderError) -> None:
    with work.fence():
        Call.objects.filter(pk=call.pk, state__in=OPEN).update(
            state=CallState.FAILED,
            error=str(error)[:2000],
            retryable=error.retryable,
            fan_sentence=error.fan[:300],
            ended_at=timezone.now(),
        )
