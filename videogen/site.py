"""The site's processes on this machine: Redis, web, a worker per queue and the sweep, started in the right order."""

from __future__ import annotations

import os
import socket
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import redis
from django.conf import settings
from redis.exceptions import RedisError

from .env import own_address
from .local_redis import command as redis_command
from .supervisor import Child, Supervisor

REDIS_SECONDS = 30.0
WEB_SECONDS = 120.0
# How long open pages may finish when the site ends.
GRACE = ("--timeout-graceful-shutdown", "3")


class NotServing(Exception):  # noqa: N818  (said to people)
    """The site could not be started; one sentence says why."""


def environment(host: str, port: int) -> dict[str, str]:
    """The environment of every process of the site."""
    return {
        **os.environ,
        "HOST": host,
        "PORT": str(port),
        "DJANGO_SETTINGS_MODULE": "videogen.settings",
        "PYTHONUNBUFFERED": "1",
        # One thread each for the numeric libraries: the workers are the parallelism.
        "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "1"),
    }


def start(site: Supervisor, host: str, port: int, *, beside: Sequence[str] = ()) -> None:
    """Start everything, with the management commands `beside` it. Raises NotServing; what was started stays started."""
    if settings.REDIS_IS_LOCAL:
        site.start("redis", redis_command(Path(settings.VAR_DIR)))
    uvicorn = ["-m", "uvicorn", "videogen.asgi:application", "--host", host, "--port", str(port)]
    web = site.start(
        "web", [sys.executable, *uvicorn, *("--ws", "websockets-sansio", "--log-level", "warning"), *GRACE]
    )
    _wait_for_redis()
    _wait_for_web(web, host, port)
    # The workers load their models after the first page can be seen.
    manage = [sys.executable, str(settings.BASE_DIR / "manage.py")]
    for command in beside:
        site.start(command, [*manage, command])
    for queue in settings.QUEUES:
        site.start(f"worker {queue}", [*manage, "worker", queue])
    site.start("sweep", [*manage, "sweep"])


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


def _wait_for_web(web: Child, host: str, port: int) -> None:
    target = own_address(host)
    until = time.monotonic() + WEB_SECONDS
    while time.monotonic() < until and web.process is not None and web.process.poll() is None:
        try:
            socket.create_connection((target, port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise NotServing("The web server did not start; its messages stand above.")
