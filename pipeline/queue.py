"""The doorbell: the only file that knows RQ. A job carries an id; losing one is harmless, doubling one too."""

from __future__ import annotations

import datetime as dt
import gc
import importlib
import logging
import os
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import Any

import django_rq
from django.conf import settings
from django.db import DatabaseError, connections, transaction
from django.utils import timezone
from redis import Redis
from redis.exceptions import RedisError
from rq import SimpleWorker, Worker
from rq.exceptions import DuplicateJobError, NoSuchJobError
from rq.job import Job, JobStatus

from orders.models import Photo

from .media import faces
from .media.lifeline import die_with
from .models import Rendition, RenditionState, Step, StepState

log = logging.getLogger(__name__)

SERIALIZER = "rq.serializers.JSONSerializer"
# Work that loads models or may crash in C runs in a fork of its own; the rest is small and runs in the worker itself.
FORKING = ("pixels", "render")
# How far each queue stands back: films may take the machine, but never from the person who looks at a page, nor may
# one film's shots from another's first look.
NICE = {"pixels": 5, "render": 10}
# Loaded once, before the forks: each fork then begins with everything in memory.
PRELOAD: dict[str, tuple[tuple[str, ...], Callable[[], None] | None]] = {
    "pixels": (("pipeline.photos", "pipeline.looking", "pipeline.stages.first_look", "pipeline.stages.qc"), faces.load),
    "render": (("pipeline.stages.cut", "pipeline.renditions"), None),
}

# Whose claim a job works under, while it does: the claim's mark, and until when it holds without a sign of life.
CLAIMS: dict[str, Callable[[int], tuple[str, dt.datetime | None] | None]] = {
    "pipeline.jobs.run_step": lambda pk: (
        Step.objects.filter(pk=pk, state=StepState.RUNNING).values_list("token", "lease_until").first()
    ),
    "pipeline.jobs.make_rendition": lambda pk: (
        Rendition.objects.filter(pk=pk, state=RenditionState.RUNNING).values_list("token", "lease_until").first()
    ),
    "pipeline.jobs.check_photo": lambda pk: (
        Photo.objects.filter(pk=pk).exclude(lease="").values_list("lease", "lease_until").first()
    ),
}

# Where bells ring instead of RQ while `inline` is on: one process then does all the work itself.
_inline: deque[tuple[str, int]] | None = None


@contextmanager
def inline() -> Iterator[deque[tuple[str, int]]]:
    """Collect bells as (job, id) in a list instead of sending them; for one process without Redis."""
    global _inline  # noqa: PLW0603  (process-wide on purpose: stages ring from deep inside)
    _inline = deque()
    try:
        yield _inline
    finally:
        _inline = None


def ring(queue: str, job: str, pk: int, name: str) -> None:
    """Ask a worker of `queue` to call `pipeline.jobs.<job>(pk)`, once the present transaction has committed.

    `name` makes the job unique while it waits. A queue that cannot be reached is logged and left to the sweep.
    """
    transaction.on_commit(lambda: push(queue, job, pk, name))


def push(queue: str, job: str, pk: int, name: str) -> bool:
    """Ring now. False when nothing was added: the same job waits already, or the queue cannot be reached."""
    if _inline is not None:
        if (job, pk) in _inline:
            return False
        _inline.append((job, pk))
        return True
    try:
        rq = django_rq.get_queue(queue, serializer=SERIALIZER, connection=_impatient())
        rq.enqueue_call(f"pipeline.jobs.{job}", args=(pk,), job_id=name, unique=True, result_ttl=0, failure_ttl=60)
    except DuplicateJobError:
        return False
    except (RedisError, OSError) as error:
        log.warning("The queue cannot be reached (%s); the sweep will ring again.", error)
        return False
    return True


def again(queue: str, job: str, pk: int, name: str) -> bool:
    """Ring now, as a sweep does for what nobody came for: under a name of this minute's own.

    The old name may live on in the memory of a worker that died with the job in hand: then it would never get through.
    """
    return push(queue, job, pk, f"{name}-{int(time.time() // 60)}")


@cache
def _impatient() -> Redis:
    """A connection for ringing: no page and no step waits longer than a second on a Redis that hangs."""
    return Redis.from_url(settings.REDIS_URL, socket_timeout=1, socket_connect_timeout=1)


def waits(queue: str, name: str) -> bool:
    """Whether a job of this name really stands in the queue, and not only in the memory of a dead worker."""
    try:
        rq = django_rq.get_queue(queue, serializer=SERIALIZER)
        job = Job.fetch(name, connection=rq.connection, serializer=rq.serializer)
        return job.get_status() == JobStatus.QUEUED and rq.get_job_position(job) is not None
    except NoSuchJobError:
        return False
    except (RedisError, OSError):
        return False


def depth(queue: str) -> int | None:
    """How many jobs wait; None when the queue cannot be reached."""
    try:
        return len(django_rq.get_queue(queue, serializer=SERIALIZER, connection=_impatient()))
    except (RedisError, OSError):
        return None


def drain(bells: deque[tuple[str, int]], jobs: Mapping[str, Callable[[int], None]]) -> None:
    """Do the work of collected bells until none is left."""
    while bells:
        job, pk = bells.popleft()
        jobs[job](pk)


class SafeWorker(Worker):
    """Forks for every job; the fork dies with its worker, so that nobody works on after a kill -9."""

    # The job whose fork is being waited for, and who held its claim when we first looked.
    _watched = ("", "")

    def main_work_horse(self, job: Job, queue: Any) -> None:
        """Tie the fork to its parent, then do the job. A fork must not use its parent's database connections."""
        tie = die_with(self._parent)
        if tie is not None:
            tie()
        connections.close_all()
        super().main_work_horse(job, queue)

    def maintain_heartbeats(self, job: Job, execution: Any) -> None:
        """Look after the fork, too: one that hangs or stands still would keep this worker from all other work."""
        super().maintain_heartbeats(job, execution)
        if not self._leads(job):
            log.warning("%s shows no sign of life, or another worker has taken it over; its fork is killed.", job.id)
            self.kill_horse()

    def _leads(self, job: Job) -> bool:
        """Whether the claim that the fork made is still its own, and not dead for as long as a lease."""
        find = CLAIMS.get(job.func_name or "")
        try:
            claim = find(job.args[0]) if find is not None else None
        except DatabaseError:
            return True  # nobody can know now
        finally:
            connections.close_all()  # the next fork must not inherit one
        if claim is None:
            return True  # not claimed yet, or just ended
        holder, until = claim
        if self._watched[0] != job.id:
            self._watched = (job.id, holder)
        dead = until is not None and until < timezone.now() - dt.timedelta(seconds=settings.LEASE_SECONDS)
        return self._watched[1] == holder and not dead

    def work(self, *args: Any, **kwargs: Any) -> bool:
        """Work until told to stop."""
        self._parent = os.getpid()
        gc.collect()
        gc.freeze()  # the fork shares these pages instead of copying them at its first collection
        return bool(super().work(*args, **kwargs))


class CalmWorker(SimpleWorker):
    """Runs small jobs in its own process: 3 ms a job instead of 14."""

    def perform_job(self, job: Job, queue: Any, execution: Any) -> bool:
        """Do the job, with connections that may have died while we waited looked at first."""
        for connection in connections.all(initialized_only=True):
            connection.close_if_unusable_or_obsolete()
        return bool(super().perform_job(job, queue, execution))


def work(queue: str, *, burst: bool = False) -> None:
    """Be a worker of one queue until told to stop. One queue per process: a worker of two may lose a job for good."""
    if queue not in settings.QUEUES:
        raise ValueError(f"No queue is called {queue}; there are {', '.join(settings.QUEUES)}.")
    rq = django_rq.get_queue(queue, serializer=SERIALIZER)
    kind = SafeWorker if queue in FORKING else CalmWorker
    worker = kind(
        [rq],
        connection=rq.connection,
        serializer=SERIALIZER,
        worker_ttl=30,
        maintenance_interval=30,
        job_monitoring_interval=5,
    )
    if queue in PRELOAD:
        modules, load = PRELOAD[queue]
        for module in modules:
            importlib.import_module(module)
        if load is not None:
            load()
    connections.close_all()
    os.nice(NICE.get(queue, 0))
    worker.work(burst=burst, logging_level="WARNING")
