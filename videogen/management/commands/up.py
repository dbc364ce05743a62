"""`up`: everything this site needs on this machine, under one supervisor. `bin/run` calls it."""

from __future__ import annotations

import fcntl
import os
import socket
from argparse import ArgumentParser
from pathlib import Path
from typing import IO, Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from pipeline import roster
from sandbox.environment import environment
from sandbox.environment import port as sandbox_port
from videogen import demo, site
from videogen.env import own_address
from videogen.supervisor import Supervisor


class Command(BaseCommand):
    """Migrates, seeds, starts web, workers, sweep and the embedded Redis, and keeps them running."""

    help = "Serve the site: web, workers, sweep and an embedded Redis under one supervisor."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """With whom."""
        parser.add_argument("--sandbox", action="store_true", help="serve pretended vendors too (see bin/run)")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run until told to stop."""
        host, port = settings.HOST, settings.PORT
        if options["sandbox"]:
            self._refuse_real_vendors()
        self._refuse_taken(host, port)
        lock = self._lock()
        call_command("migrate", verbosity=0, interactive=False)
        if not settings.PRODUCTION:
            demo.seed()
        supervisor = Supervisor()
        try:
            site.start(supervisor, beside=["sandbox"] if options["sandbox"] else [])
            self._greet(host, port)
            supervisor.watch()
        except site.NotServing as error:
            raise CommandError(str(error)) from None
        finally:
            supervisor.stop()
            lock.close()

    def _refuse_real_vendors(self) -> None:
        """Only `bin/run` leads the settings to the sandbox: without it real vendors would be asked, and paid."""
        wanted = environment(f"http://127.0.0.1:{sandbox_port()}")
        if any(os.environ.get(name) != value for name, value in wanted.items()):
            raise CommandError("The settings do not lead to the sandbox. Start it as bin/run --sandbox, in full.")

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
