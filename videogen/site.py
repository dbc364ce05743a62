"""The site's processes on this machine: Redis, web, a worker per queue and the sweep, started in the right order."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import redis
from django.conf import settings
from django.core.management import CommandError, call_command
from redis.exceptions import RedisError

from .env import own_address
from .local_redis import command as redis_command
from .supervisor import Child, Supervisor

REDIS_SECONDS = 30.0
WEB_SECONDS = 120.0
# How long open pages may finish when the site ends.
GRACE_SECONDS = 3


class NotServing(Exception):  # noqa: N818  (said to people)
    """The site could not be started; one sentence says why."""


def start(site: Supervisor, *, beside: Sequence[str] = ()) -> None:
    """Start everything, with the management commands `beside` it. Raises NotServing; what was started stays started."""
    if settings.REDIS_IS_LOCAL:
        command = redis_command(Path(settings.VAR_DIR))
        site.start("redis", partial(os.execv, command[0], command))
    web = site.start("web", _serve)
    _wait_for_redis()
    _wait_for_web(web)
    # The workers load their models after the first page can be seen.
    for name in beside:
        site.start(name, partial(_manage, name))
    for queue in settings.QUEUES:
        for number in range(1, settings.WORKERS[queue] + 1):
            name = f"worker {queue}" if number == 1 else f"worker {queue} {number}"
            site.start(name, partial(_manage, "worker", queue))
    site.start("sweep", partial(_manage, "sweep"))


def _serve() -> None:
    """The web server, as the Procfile starts it."""
    import uvicorn  # noqa: PLC0415  (of all processes, only this one serves)

    uvicorn.run(
        "videogen.asgi:application",
        host=settings.HOST,
        port=settings.PORT,
        ws="websockets-sansio",
        log_level="warning",
        timeout_graceful_shutdown=GRACE_SECONDS,
    )


def _manage(*words: str) -> None:
    """A management command, as the Procfile starts it."""
    try:
        call_command(*words)
    except CommandError as error:
        raise SystemExit(str(error)) from None


def _wait_for_redis() -> None:
    until = time.monotonic() + REDIS_SECONDS
    client = redis.Redis.from_url(settings.REDIS_URL)
    while True:
        try:
            client.ping()
            return
        except (RedisError, OSError) as error:
            if time.monotonic() > until:
                raise NotServing(f"Redis does not answer at {settings.REDIS_URL}: {error}") from None
            time.sleep(0.05)


def _wait_for_web(web: Child) -> None:
    until = time.monotonic() + WEB_SECONDS
    while time.monotonic() < until and web.pid is not None:
        try:
            socket.create_connection((own_address(settings.HOST), settings.PORT), timeout=1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise NotServing("The web server did not start; its messages stand above.")
