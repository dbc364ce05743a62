"""Starts the site's processes, starts one again that dies or stands still, and takes all along when it ends.

Each is a fork of the supervisor, which has everything loaded already: a process is there, and again after a kill, in a
tenth of the time that Python and Django take to start, and its memory is shared. So nothing here may start a thread.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from multiprocessing.context import ForkProcess
from types import FrameType

from django.db import connections

from pipeline.media.lifeline import be_called, die_with

# A process that dies again and again is started again ever more slowly.
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 15.0
GRACE_SECONDS = 8.0
STEADY_SECONDS = 20.0
# A process that was stopped for so long (SIGSTOP) will not go on by itself; whoever stopped it on purpose is done.
STILL_SECONDS = 30.0
OURS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


@dataclass
class Child:
    """One process of the site."""

    name: str
    work: Callable[[], object]
    process: ForkProcess | None = None
    started: float = 0.0
    pause: float = FIRST_PAUSE
    again_at: float = 0.0
    still_since: float | None = None

    @property
    def pid(self) -> int | None:
        """Its process's number, while it lives."""
        return self.process.pid if self.process is not None and self.process.exitcode is None else None


@dataclass
class Supervisor:
    """Runs children until told to stop. Children that survive a polite request are killed."""

    children: list[Child] = field(default_factory=list)
    stopping: bool = False

    def start(self, name: str, work: Callable[[], object]) -> Child:
        """Start one more process that does `work`, in a process group of its own, tied to this one's life."""
        child = Child(name, work)
        self.children.append(child)
        self._spawn(child)
        return child

    def watch(self) -> None:
        """Start again whoever dies, until a signal says stop."""
        for number in OURS:
            signal.signal(number, self._stop)
        while not self.stopping:
            self.look_after()
            time.sleep(0.2)

    def look_after(self) -> None:
        """Start again whoever has died, when its pause is over."""
        for child in self.children:
            self._look_after(child)

    def stop(self) -> None:
        """End all children politely, then for good; the first one last: the others speak to it until they end."""
        for group in (self.children[1:], self.children[:1]):
            self._end(group)

    def _end(self, children: Sequence[Child]) -> None:
        for child in children:
            self._signal(child, signal.SIGTERM)
        until = time.monotonic() + GRACE_SECONDS
        for child in children:
            if child.process is not None:
                child.process.join(max(0.1, until - time.monotonic()))
                self._signal(child, signal.SIGKILL)
                child.process.join()

    def _stop(self, number: int, frame: FrameType | None) -> None:
        self.stopping = True

    def _spawn(self, child: Child) -> None:
        child.started = time.monotonic()
        connections.close_all()  # no process may use another's
        child.process = multiprocessing.get_context("fork").Process(target=_begin, args=(os.getpid(), child))
        # Until the child has handlers of its own, what it is told waits: ours would only note it and go on.
        heard = signal.pthread_sigmask(signal.SIG_BLOCK, OURS)
        try:
            child.process.start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, heard)

    def _look_after(self, child: Child) -> None:
        now = time.monotonic()
        if child.process is None:
            if now >= child.again_at:
                self._spawn(child)
            return
        code = child.process.exitcode
        if code is None:
            if now - child.started > STEADY_SECONDS:
                child.pause = FIRST_PAUSE
            self._mind_stillness(child, now)
            return
        print(f"{child.name} ended with {code}; starting it again in {child.pause:g} s", flush=True)
        child.process = None
        child.again_at = now + child.pause
        child.pause = min(LONGEST_PAUSE, child.pause * 2)

    def _mind_stillness(self, child: Child, now: float) -> None:
        """End a process that stands still: nobody else would, and what it had in hand is taken over already."""
        if child.pid is None or not _is_stopped(child.pid):
            child.still_since = None
        elif child.still_since is None:
            child.still_since = now
        elif now - child.still_since > STILL_SECONDS:
            print(f"{child.name} stands still and is killed", flush=True)
            child.still_since = None
            self._signal(child, signal.SIGKILL)

    def _signal(self, child: Child, number: int) -> None:
        if child.pid is None:
            return
        try:
            os.killpg(child.pid, number)
        except ProcessLookupError:
            # It has ended, or has not come to make its group yet.
            if child.pid is not None:
                os.kill(child.pid, number)


def _begin(parent: int, child: Child) -> None:
    """Be a child: a process of its own, with nothing of the supervisor's but what is loaded."""
    os.setpgid(0, 0)
    be_called(child.name)
    for number in OURS:
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, OURS)
    tie = die_with(parent)
    if tie is not None:
        tie()
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    child.work()


def _is_stopped(pid: int) -> bool:
    """Whether a child of ours is stopped now. Its status stays where it is: `Child.pid` asks whether it ended."""
    if sys.platform != "linux":
        return False
    try:
        return os.waitid(os.P_PID, pid, os.WSTOPPED | os.WNOHANG | os.WNOWAIT) is not None
    except ChildProcessError:  # it has ended since it was last asked, and will never stand still
        return False
