"""The runner that starts FFmpeg, and the probe that reads what it wrote."""

import os
import resource
import signal
import struct
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from pipeline.media import ffmpeg
from pipeline.media.ffmpeg import FfmpegError, run
from pipeline.media.probe import BadMedia, probe

from .waiting import soon

pytestmark = pytest.mark.render

TONE = ("-f", "lavfi", "-i", "sine=frequency=440:duration=0.2:sample_rate=48000")
FOREVER = ("-re", "-f", "lavfi", "-i", "testsrc2=size=64x64:rate=10", "-f", "null", "-")


def _alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def _gone(pid: int) -> bool:
    """Whether a process ends; the waiting is only for the kernel, any number of seconds would do."""
    return soon(lambda: not _alive(pid))


@pytest.fixture
def program(tmp_path, monkeypatch):
    """Stand a shell script in for FFmpeg."""

    def use(script: str) -> None:
        path = tmp_path / "program"
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        monkeypatch.setattr(ffmpeg, "binary", lambda: str(path))

    return use


@pytest.fixture
def late_once(monkeypatch):
    """Time passes for whoever waits for FFmpeg only when a file is there: the child has got so far, on any machine."""

    def written(path: Path) -> None:
        clock = SimpleNamespace(monotonic=lambda: float(path.exists() and path.read_text().endswith("\n")))
        monkeypatch.setattr(ffmpeg, "time", clock)

    return written


def test_a_file_with_a_colon_and_a_leading_dash_in_its_name_is_only_a_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    odd = Path("-http:x %d [v].wav")
    run([*TONE, odd], timeout=30)
    assert probe(tmp_path / odd).sample_rate == 48_000


def test_inputs_may_not_reach_the_network_even_from_inside_a_playlist(tmp_path):
    playlist = tmp_path / "list.m3u8"
    playlist.write_text("#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nhttp://127.0.0.1:9/a.ts\n#EXT-X-ENDLIST\n")
    with pytest.raises(FfmpegError) as caught:
        run(["-f", "hls", "-i", playlist, "-f", "null", "-"], timeout=30)
    assert "not on whitelist" in caught.value.stderr_tail


def test_a_failure_says_what_and_carries_the_end_of_the_log(tmp_path):
    with pytest.raises(FfmpegError, match="ended with code") as caught:
        run(["-i", tmp_path / "missing.mp4", "-f", "null", "-"], timeout=30)
    assert "No such file" in caught.value.stderr_tail


def test_standard_output_comes_back_as_bytes():
    data = run([*TONE, "-f", "s16le", "-"], timeout=30).stdout
    assert len(data) == 48_000 * 2 // 5


def test_too_much_output_is_refused(program):
    program("yes")
    with pytest.raises(FfmpegError, match="more than"):
        run([], timeout=30)


def test_of_a_flooded_log_the_end_is_kept(program):
    program("head -c 20000000 /dev/zero | tr '\\0' 'x' >&2; echo the-end >&2")
    log = run([], timeout=60).stderr
    assert log.endswith("the-end\n")
    assert len(log) <= ffmpeg.CAP


def test_our_keys_do_not_reach_the_child(program, monkeypatch):
    monkeypatch.setenv("A_SECRET_KEY", "hush")
    program("env")
    assert b"hush" not in run([], timeout=30).stdout
    assert b"FLAG=1" in run([], timeout=30, env={"FLAG": "1"}).stdout


def test_a_time_out_leaves_no_process_behind_not_even_a_grandchild(program, late_once, tmp_path):
    program(f"sleep 300 & echo $! > {tmp_path}/inner; echo $$ > {tmp_path}/outer; wait")
    late_once(tmp_path / "outer")
    with pytest.raises(FfmpegError, match="stopped after"):
        run([], timeout=0.5)
    for name in ("inner", "outer"):
        assert _gone(int((tmp_path / name).read_text()))


def test_a_child_that_closed_its_streams_but_does_not_end_is_stopped_too(program, late_once, tmp_path):
    program(f"echo $$ > {tmp_path}/pid; exec >&- 2>&-; exec sleep 300")
    late_once(tmp_path / "pid")
    with pytest.raises(FfmpegError, match="stopped after"):
        run([], timeout=0.5)
    assert _gone(int((tmp_path / "pid").read_text()))


def test_what_the_progress_callback_raises_stops_the_child(program, tmp_path):
    program(f"echo $$ > {tmp_path}/pid; echo out_time_us=1; sleep 300")

    def lease_lost():
        raise KeyError("lease lost")

    with pytest.raises(KeyError, match="lease lost"):
        run([], timeout=30, on_progress=lease_lost)
    assert _gone(int((tmp_path / "pid").read_text()))


def test_saying_the_same_again_is_no_progress(program):
    program("for i in 1 2 3 4 5 6; do echo out_time_us=7; sleep 0.02; done")
    calls = []
    run([], timeout=30, on_progress=lambda: calls.append(1))
    assert len(calls) == 1


def test_progress_is_told_while_ffmpeg_gets_further():
    calls = []
    run([*TONE, "-f", "null", "-"], timeout=30, on_progress=lambda: calls.append(1))
    assert calls


@pytest.mark.skipif(sys.platform != "linux", reason="PR_SET_PDEATHSIG is Linux's")
def test_the_child_dies_when_its_parent_is_killed_with_9(tmp_path):
    told = tmp_path / "pid"
    code = f"""
import subprocess
from pathlib import Path
from pipeline.media import ffmpeg
ffmpeg.binary()  # which is tried out in a process of its own, that is not to be told of
class Told(subprocess.Popen):
    def __init__(self, *args, **settings):
        super().__init__(*args, **settings)
        draft = Path({str(told)!r} + ".part")
        draft.write_text(str(self.pid))
        draft.replace({str(told)!r})
ffmpeg.subprocess.Popen = Told
ffmpeg.run({FOREVER!r}, timeout=300)
"""
    parent = subprocess.Popen([sys.executable, "-c", code], cwd=Path(__file__).parent.parent)
    try:
        assert soon(told.exists)
        child = int(told.read_text())
        assert _alive(child)
        assert b"testsrc2" in Path(f"/proc/{child}/cmdline").read_bytes()
    finally:
        os.kill(parent.pid, signal.SIGKILL)
        parent.wait()
    assert _gone(child)


def test_probe_knows_a_sound(tmp_path):
    run([*TONE, "-ac", "2", tmp_path / "a.wav"], timeout=30)
    media = probe(tmp_path / "a.wav")
    assert (media.audio_codec, media.sample_rate, media.channels) == ("pcm_s16le", 48_000, 2)
    assert media.duration == pytest.approx(0.2, abs=0.01)
    assert (media.width, media.frames, media.video_codec) == (0, 0, "")


@pytest.mark.render
@pytest.mark.parametrize("early", [True, False])
def test_probe_knows_a_film(tmp_path, early):
    film = tmp_path / "a.mp4"
    _film(film, *(["-movflags", "+faststart"] if early else []))
    media = probe(film)
    assert (media.width, media.height, media.fps, media.frames) == (128, 72, 25, 50)
    assert (media.video_codec, media.pix_fmt) == ("h264", "yuv420p")
    assert media.duration == pytest.approx(2, abs=0.05)
    assert media.faststart is early


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "empty"),
        (b"<html>404</html>" * 20, "not a film or a sound"),
        (os.urandom(4096), "not a film or a sound"),
        (b"#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1:9/a.ts\n", "not a film or a sound"),
        (b"ffconcat version 1.0\nfile /etc/passwd\n", "not a film or a sound"),
        (b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + b"\0" * 500, "not a film or a sound"),
    ],
)
def test_hostile_files_are_refused_in_one_sentence(tmp_path, content, sentence):
    bad = tmp_path / "bad.mp4"
    bad.write_bytes(content)
    with pytest.raises(BadMedia, match=sentence):
        probe(bad)


def test_a_missing_file_and_one_that_is_too_large_are_refused(tmp_path):
    with pytest.raises(BadMedia, match="not there"):
        probe(tmp_path / "nothing.mp4")
    (tmp_path / "large.mp4").write_bytes(b"x" * 2_000_001)
    with pytest.raises(BadMedia, match="larger than 2 MB"):
        probe(tmp_path / "large.mp4", max_bytes=2_000_000)


@pytest.mark.render
@pytest.mark.parametrize("share", [0.3, 0.7])
def test_a_film_that_is_cut_off_is_refused(tmp_path, share):
    film = tmp_path / "a.mp4"
    _film(film, "-movflags", "+faststart")
    data = film.read_bytes()
    film.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(BadMedia):
        probe(film)


@pytest.mark.render
def test_what_is_broken_in_its_middle_is_only_found_by_whoever_looks_at_all_of_it(tmp_path):
    film = tmp_path / "a.mp4"
    _film(film)
    data = film.read_bytes()
    half, end = len(data) // 2, data.rindex(b"moov") - 4
    film.write_bytes(data[:half] + bytes(end - half) + data[end:])
    assert probe(film).frames == 50, "negative control: every packet is there"
    with pytest.raises(BadMedia):
        probe(film, seconds=60)


CLAIM = """
import resource, sys
from pathlib import Path
from pipeline.media import probe
try:
    probe.probe(Path(sys.argv[1]))
except probe.BadMedia:
    # Not getrusage: its maximum is inherited from whoever forked us.
    [most] = [line.split()[1] for line in Path("/proc/self/status").read_text().splitlines() if line[:6] == "VmHWM:"]
    print(int(most) // 1024, resource.getrlimit(resource.RLIMIT_DATA)[0])
"""


@pytest.mark.render
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="only Linux says how much a process has")
def test_a_file_that_claims_millions_of_pictures_takes_no_memory_for_them(tmp_path):
    """Sixty million of one byte each: without the limit two gigabytes, in a worker that works for everybody."""
    film, many = tmp_path / "a.mp4", 60_000_000
    _film(film)
    data = bytearray(film.read_bytes())
    struct.pack_into(">II", data, data.find(b"stsz") + 8, 1, many)
    struct.pack_into(">I", data, data.find(b"stsc") + 16, many)
    struct.pack_into(">II", data, data.find(b"stts") + 12, many, 512)
    film.write_bytes(data)
    done = subprocess.run([sys.executable, "-c", CLAIM, film], capture_output=True, text=True, check=True)
    megabytes, limit = map(int, done.stdout.split())
    assert megabytes < 500
    assert limit == resource.getrlimit(resource.RLIMIT_DATA)[0], "it is lifted again"


@pytest.mark.render
def test_a_picture_that_changes_its_size_is_refused(tmp_path):
    parts = [tmp_path / "large.h264", tmp_path / "small.h264"]
    for part, size in zip(parts, ("128x72", "64x48"), strict=True):
        source = ("-f", "lavfi", "-i", f"testsrc2=size={size}:rate=25:duration=1")
        run([*source, "-c:v", "libx264", "-pix_fmt", "yuv420p", "-bsf:v", "dump_extra", part], timeout=60)
    raw = tmp_path / "both.h264"
    raw.write_bytes(b"".join(part.read_bytes() for part in parts))
    film = tmp_path / "a.mp4"
    run(["-f", "h264", "-r", "25", "-i", raw, "-c", "copy", film], timeout=60)
    assert probe(film).width == 128
    with pytest.raises(BadMedia, match="changes its size"):
        probe(film, seconds=60)


@pytest.mark.render
def test_every_picture_is_told_of_and_there_is_an_end_to_looking(tmp_path):
    film = tmp_path / "a.mp4"
    _film(film)
    seen: list[int] = []
    probe(film, seconds=60, on_picture=lambda: seen.append(1))
    assert len(seen) == 50
    with pytest.raises(BadMedia, match="too long"):
        probe(film, seconds=1e-9)


def _film(path: Path, *extra: str) -> None:
    source = ("-f", "lavfi", "-i", "testsrc2=size=128x72:rate=25:duration=2")
    run([*source, "-c:v", "libx264", "-pix_fmt", "yuv420p", *extra, path], timeout=60)
