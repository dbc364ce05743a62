"""The supervisor looks after real processes: one that ends or stands still is started again, any other is let alone."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from videogen import supervisor
from videogen.supervisor import Child, Supervisor

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a parent that a child stands still")


@pytest.fixture
def site() -> Iterator[Supervisor]:
    made = Supervisor()
    yield made
    made.stop()


def pid_of(child: Child) -> int:
    assert child.pid is not None
    return child.pid


def work() -> None:
    time.sleep(600)


def look_until(site: Supervisor, found: Callable[[], bool]) -> None:
    for _ in range(600):
        site.look_after()
        if found():
            return
        time.sleep(0.05)
    raise AssertionError("it never came to that")


def test_a_process_that_stands_still_is_ended_and_started_again(
    site: Supervisor, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(supervisor, "STILL_SECONDS", 0.2)
    child, other = (site.start(name, work) for name in ("worker control", "worker voice"))
    frozen, running = pid_of(child), pid_of(other)
    os.kill(frozen, signal.SIGSTOP)
    look_until(site, lambda: child.pid not in (None, frozen))
    assert not os.path.exists(f"/proc/{frozen}")
    assert "worker control stands still" in capfd.readouterr().out
    assert other.pid == running, "one that works is let alone"


def test_negative_control_a_process_that_stands_still_for_a_moment_goes_on(site: Supervisor) -> None:
    child = site.start("worker control", work)
    pid = pid_of(child)
    os.kill(pid, signal.SIGSTOP)
    look_until(site, lambda: child.still_since is not None)
    os.kill(pid, signal.SIGCONT)
    look_until(site, lambda: child.still_since is None)
    assert child.pid == pid


def test_a_process_that_ends_is_started_again(site: Supervisor) -> None:
    child = site.start("worker control", work)
    pid = pid_of(child)
    os.kill(pid, signal.SIGKILL)
    look_until(site, lambda: child.pid not in (None, pid))


def test_a_process_that_ends_while_it_is_looked_at_does_not_stand_still(site: Supervisor) -> None:
    child = site.start("worker control", work)
    pid = pid_of(child)
    os.kill(pid, signal.SIGKILL)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    assert not supervisor._is_stopped(pid)


def test_a_process_is_called_what_it_does(site: Supervisor) -> None:
    child = site.start("worker control", work)
    look_until(site, lambda: Path(f"/proc/{pid_of(child)}/comm").read_text() == "worker control\n")


def test_a_process_that_is_told_to_end_before_it_has_begun_ends_politely(
    site: Supervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin = os.setpgid
    monkeypatch.setattr(os, "setpgid", lambda *group: time.sleep(0.5) or begin(*group))
    before = signal.signal(signal.SIGTERM, site._stop)  # as when the site is watched
    try:
        child = site.start("worker control", work)
        site.stop()
    finally:
        signal.signal(signal.SIGTERM, before)
    assert child.process is not None
    assert child.process.exitcode == -signal.SIGTERM, "and not after all patience, by a kill"
