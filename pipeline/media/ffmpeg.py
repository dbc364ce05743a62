"""The one place that starts a process: FFmpeg, in its own process group, dying with its parent, killed when late.

A `Path` in the arguments is a file and reaches FFmpeg as `file:/absolute/path`, so a name with a colon or a leading
dash is never taken for a protocol or an option. A `str` goes through as it is. There is no shell and no quoting.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import IO

import imageio_ffmpeg

from pipeline.media.lifeline import die_with

CAP = 4 * 1024 * 1024  # bytes kept of each stream: the first of stdout, the last of stderr
TAIL = 2000  # characters of stderr that an error carries


class FfmpegError(Exception):
    """FFmpeg did not do it. `what` says what happened in one sentence; `stderr_tail` is the end of its own log."""

    def __init__(self, what: str, stderr_tail: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.stderr_tail = stderr_tail


@dataclass(frozen=True, slots=True)
class Result:
    """What FFmpeg wrote: raw stdout, and its log as text (the last 4 MB)."""

    stdout: bytes
    stderr: str


@cache
def binary() -> str:
    """The path of the FFmpeg that came with the imageio-ffmpeg wheel (or IMAGEIO_FFMPEG_EXE)."""
    return str(imageio_ffmpeg.get_ffmpeg_exe())


def run(
    args: Sequence[str | Path],
    *,
    timeout: float,
    on_progress: Callable[[], None] | None = None,
    env: Mapping[str, str] | None = None,
) -> Result:
    """Run FFmpeg with `args` (everything after the program's name) and wait at most `timeout` seconds.

    `on_progress` is called in this thread, about twice a second, whenever FFmpeg has got further (never while it
    hangs); FFmpeg then writes its progress to stdout, so the arguments must not. If it raises, FFmpeg is stopped.
    The child sees only `env` (by default no variable of ours, so no key of ours).

    Raises FfmpegError when FFmpeg fails, is late, or floods stdout. Nothing is left running in any case.
    """
    command = [binary(), "-nostdin", "-hide_banner", "-nostats"]
    if on_progress is not None:
        command += ["-progress", "pipe:1", "-stats_period", "0.5"]
    command += _arguments(args)
    deadline = time.monotonic() + timeout
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={"LC_ALL": "C"} if env is None else dict(env),
        process_group=0,
        preexec_fn=die_with(os.getpid()),  # noqa: PLW1509  one prctl and one getppid, both prepared before the fork
    )
    try:
        stdout, stderr = _read(process, deadline, timeout, on_progress)
        code = process.wait(timeout=max(0.1, deadline - time.monotonic()))
    except subprocess.TimeoutExpired as late:
        raise FfmpegError(f"FFmpeg was stopped after {timeout:g} s.") from late
    finally:
        _end(process)
    log = stderr.decode("utf-8", "replace")
    if code != 0:
        raise FfmpegError(f"FFmpeg ended with code {code}.", log[-TAIL:])
    return Result(stdout, log)


def _arguments(args: Sequence[str | Path]) -> list[str]:
    """The arguments as strings; every input may read files and pipes only, whatever a playlist inside it asks for."""
    out: list[str] = []
    for arg in args:
        if arg == "-i":
            out += ["-protocol_whitelist", "file,pipe"]
        out.append(f"file:{arg.absolute()}" if isinstance(arg, Path) else arg)
    return out


def _read(
    process: subprocess.Popen[bytes], deadline: float, timeout: float, on_progress: Callable[[], None] | None
) -> tuple[bytes, bytes]:
    """Both streams to their ends, as (stdout, stderr). Raises FfmpegError when late or when stdout overflows."""
    assert process.stdout is not None
    assert process.stderr is not None
    kept: dict[IO[bytes], bytearray] = {process.stdout: bytearray(), process.stderr: bytearray()}
    out, log = kept[process.stdout], kept[process.stderr]
    reached: tuple[bytes, ...] = ()
    with selectors.DefaultSelector() as waiting:
        for stream in kept:
            waiting.register(stream, selectors.EVENT_READ)
        while waiting.get_map():
            left = deadline - time.monotonic()
            if left <= 0:
                raise FfmpegError(f"FFmpeg was stopped after {timeout:g} s.", log.decode("utf-8", "replace")[-TAIL:])
            for key, _ in waiting.select(left):
                chunk = os.read(key.fd, 65536)
                if not chunk:
                    waiting.unregister(key.fileobj)
                    continue
                kept[key.fileobj] += chunk  # type: ignore[index]
            if len(log) > 2 * CAP:
                del log[:-CAP]
            if on_progress is not None:
                latest = _position(out)
                if latest != reached and any(latest):
                    reached = latest
                    on_progress()
                del out[:-4096]
            elif len(out) > CAP:
                raise FfmpegError(f"FFmpeg wrote more than {CAP} bytes to its output.")
    return bytes(out), bytes(log[-CAP:])


def _position(progress: bytearray) -> tuple[bytes, ...]:
    """How far FFmpeg says it is: the last complete line of each figure that only grows."""
    lines = progress.split(b"\n")[:-1]
    figures = (b"frame=", b"out_time_us=", b"total_size=")
    return tuple(bytes(next((x for x in reversed(lines) if x.startswith(name)), b"")) for name in figures)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Leave nothing: while the child is not reaped its process group is surely still ours, so the whole group goes."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    for stream in (process.stdout, process.stderr):
        if stream is not None:
            stream.close()
