"""`up`: everything this site needs on this machine, under one supervisor. `bin/run` calls it."""

from __future__ import annotations

import fcntl
import os
import socket
import sys
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import IO, Any

import redis
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from redis.exceptions import RedisError

from pipeline import roster
from videogen import demo, local_redis
from videogen.env import own_address
from videogen.supervisor import Child, Supervisor

REDIS_SECONDS = 30.0
WEB_SECONDS = 120.0
# How long open pages may finish when the site ends.
GRACE = ("--timeout-graceful-shutdown", "3")


class Command(BaseCommand):
    """Migrates, seeds, starts web, workers, sweep and the embedded Redis, and keeps them running."""

    help = "Serve the site: web, workers, sweep and an embedded Redis under one supervisor."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Where to listen."""
        parser.add_argument("--port", type=int, default=settings.PORT)
        parser.add_argument("--host", default=settings.HOST)
        parser.add_argument("--sandbox", action="store_true", help="serve pretended vendors too (see bin/run)")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run until told to stop."""
        host, port = options["host"], options["port"]
        if not 1 <= port <= 65_535:
            raise CommandError(f"--port {port} is not a port: it takes a number from 1 to 65535.")
        self._refuse_taken(host, port)
        lock = self._lock()
        call_command("migrate", verbosity=0, interactive=False)
        if not settings.PRODUCTION:
            demo.seed()
        site = Supervisor(env=self._environment(host, port))
        try:
            self._start(site, host, port, sandbox=options["sandbox"])
            self._greet(host, port)
            site.watch()
        finally:
            site.stop()
            lock.close()

    def _refuse_taken(self, host: str, port: int) -> None:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError as error:
                raise CommandError(
                    f"Port {port} on {host} cannot be used ({error.strerror}): stop what runs there, "
                    f"or choose another with PORT=…"
                ) from None

    def _lock(self) -> IO[str]:
        path = Path(settings.VAR_DIR) / "up.lock"
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = path.open("w")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise CommandError("This clone is already being served by another bin/run; stop that one first.") from None
        return lock

    def _environment(self, host: str, port: int) -> dict[str, str]:
        return {
            **os.environ,
            "HOST": host,
            "PORT": str(port),
            "DJANGO_SETTINGS_MODULE": "videogen.settings",
            "PYTHONUNBUFFERED": "1",
            # One thread each for the numeric libraries: the workers are the parallelism.
            "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "1"),
        }

    def _start(self, site: Supervisor, host: str, port: int, *, sandbox: bool) -> None:
        if settings.REDIS_IS_LOCAL:
            site.start("redis", local_redis.command(Path(settings.VAR_DIR)))
        uvicorn = ["-m", "uvicorn", "videogen.asgi:application", "--host", host, "--port", str(port)]
        web = site.start(
            "web",
            [sys.executable, *uvicorn, *("--ws", "websockets-sansio", "--log-level", "warning"), *GRACE],
        )
        self._wait_for_redis()
        self._wait_for_web(web, host, port)
        # The workers load their models after the first page can be seen.
        manage = [sys.executable, str(settings.BASE_DIR / "manage.py")]
        if sandbox:
            site.start("sandbox", [*manage, "sandbox"])
        for queue in settings.QUEUES:
            site.start(f"worker {queue}", [*manage, "worker", queue])
        site.start("sweep", [*manage, "sweep"])

    def _wait_for_redis(self) -> None:
        until = time.monotonic() + REDIS_SECONDS
        client = redis.Redis.from_url(settings.REDIS_URL)
        while True:
            try:
                client.ping()
                return
            except (RedisError, OSError) as error:
                if time.monotonic() > until:
                    raise CommandError(f"Redis does not answer at {settings.REDIS_URL}: {error}") from None
                time.sleep(0.05)

    def _wait_for_web(self, web: Child, host: str, port: int) -> None:
        target = own_address(host)
        until = time.monotonic() + WEB_SECONDS
        while time.monotonic() < until and web.process is not None and web.process.poll() is None:
            try:
                socket.create_connection((target, port), timeout=1).close()
                return
            except OSError:
                time.sleep(0.05)
        raise CommandError("The web server did not start; its messages stand above.")

    def _greet(self, host: str, port: int) -> None:
        shown = "localhost" if own_address(host) in ("127.0.0.1", "::1") else host
        out = self.stdout.write
        out(f"\n  Videogen is at http://{shown}:{port}/   (the desk: http://{shown}:{port}/admin/)\n")
        if not settings.PRODUCTION:
            out(f"  Demo logins for the desk, all with the password {demo.password()}")
            for email, who in demo.logins():
                out(f"    {email:28} {who}")
            out("  Fans sign in by e-mailed code; here the code is shown on the page and in this terminal.\n")
        out("  Who does what")
        for post in roster.posts():
            out(f"    {post.job:10} {post.who:20} {'local ' if post.local else 'vendor'}  {post.note}".rstrip())
        out("\n  Ctrl-C ends everything.\n")
        self.stdout.flush()
