"""A film's frames as they are drawn, in a file, before any encoder: what encoders are measured with."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import imageio_ffmpeg

from pipeline.media import frames as drawing
from pipeline.media.compose import Composer, Scenery
from pipeline.media.timeline import Timeline

FFMPEG = imageio_ffmpeg.get_ffmpeg_exe()


def composed(timeline: Timeline, workdir: Path) -> Iterator[drawing.Planes]:
    """Every frame before encoding; each is overwritten by the next."""
    out = drawing.blank(*timeline.spec.size)
    with Composer(Scenery(timeline, workdir)) as composer:
        for frame in range(timeline.frames):
            composer.draw(frame, out)
            yield out


def write(timeline: Timeline, folder: Path) -> Path:
    """Every frame of a film, one after the other, as yuv420p."""
    out = folder / "frames.yuv"
    with out.open("wb") as file:
        for planes in composed(timeline, folder):
            for plane in planes:
                file.write(plane.tobytes())
    return out


def given(timeline: Timeline, frames: Path) -> list[str]:
    """FFmpeg's words for those frames as its input."""
    w, h = timeline.spec.size
    return ["-f", "rawvideo", "-pix_fmt", "yuv420p", "-s", f"{w}x{h}", "-r", str(timeline.spec.fps), "-i", str(frames)]


def ffmpeg(*words: str) -> str:
    """Run FFmpeg; what it says."""
    done = subprocess.run([FFMPEG, "-nostdin", "-y", "-loglevel", "info", *words], capture_output=True, check=True)
    return done.stderr.decode(errors="replace")


def vmaf(film: Path, timeline: Timeline, frames: Path, *, every: int = 1) -> float:
    """VMAF of a film (or of one in `every` frames) against the frames as drawn."""
    # Frame by frame, whatever units a file counts time in; and where one says what its colours are and the other does
    # not, FFmpeg would convert them.
    same = f"setpts=N/{timeline.spec.fps}/TB,setparams=range=tv:colorspace=bt709:color_primaries=bt709:color_trc=bt709"
    graph = f"[0:v]{same}[film];[1:v]{same}[drawn];[film][drawn]libvmaf=n_threads=2:n_subsample={every}"
    log = ffmpeg("-i", str(film), *given(timeline, frames), "-lavfi", graph, "-f", "null", "-")
    found = re.search(r"VMAF score: ([\d.]+)", log)
    if found is None:
        raise RuntimeError("this FFmpeg measures no VMAF")
    return float(found[1])
