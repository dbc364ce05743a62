"""The picture of one film made in four ways: ours, MoviePy as its documentation does it, one zoompan filtergraph, bare.

    python -m benchmarks.ways [photo.jpg photo.jpg ...] [--format tall|wide|square] [--seconds 16] [--chart chart.svg]

Each way runs in a process of its own: CPU seconds (user and system, children too) for a second of film, the most
memory, the jitter of its photos (`benchmarks.picture.residuals`, as encoded: their rms over the film, and over the
worst shot), and for those that encode
the frames we compose the VMAF against these frames. MoviePy and zoompan write no captions, title or label here, which
is to their advantage. `bare` is `libx264 -preset veryfast -crf 20` of our ready raw frames: no composition at all.
Without photos made-up ones are taken (see `textures`).
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from itertools import chain, pairwise
from pathlib import Path

import av
import cv2
import numpy as np

from benchmarks import raw, textures
from benchmarks.picture import SIZES, residuals, rms, sample
from pipeline.media import picture
from pipeline.media.timeline import Timeline

ZOOM = 0.03  # a second, as far as MoviePy and zoompan push in


def ours(timeline: Timeline, photos: Sequence[Path], work: Path) -> None:
    """As films are made: composed in planes, encoded in this process in segments on two threads."""
    cv2.setNumThreads(1)
    picture.render_film(timeline, None, work / "film.mp4", work / "segments")


def moviepy(timeline: Timeline, photos: Sequence[Path], work: Path) -> None:
    """`ImageClip.resized` with a function of time, crossfades, `CompositeVideoClip`, `write_videofile`."""
    from moviepy import CompositeVideoClip, ImageClip, vfx  # noqa: PLC0415  (only this way needs it)

    (w, h), clips = timeline.spec.size, []
    for photo, (start, end) in zip(photos, _spans(timeline), strict=True):
        clip = ImageClip(str(photo)).with_duration(end - start)
        cover = max(w / clip.w, h / clip.h)
        clip = clip.resized(lambda t, cover=cover: cover * (1 + ZOOM * t)).with_position("center")
        clips.append(clip.with_start(start).with_effects([vfx.CrossFadeIn(0.5)]))
    film = CompositeVideoClip(clips, size=(w, h)).with_duration(timeline.seconds)
    film.write_videofile(str(work / "film.mp4"), fps=timeline.spec.fps, codec="libx264", threads=2, logger=None)


def zoompan(timeline: Timeline, photos: Sequence[Path], work: Path) -> None:
    """One FFmpeg call: every photo scaled to cover 1.2 times the frame, `zoompan`, then `xfade` after `xfade`."""
    (w, h), fps = timeline.spec.size, timeline.spec.fps
    given, graph = [], []
    spans = _spans(timeline)
    for number, (photo, (start, end)) in enumerate(zip(photos, spans, strict=True)):
        given += ["-i", str(photo)]
        count = round((end - start + 0.5) * fps)
        big = f"scale={w * 6 // 5}:{h * 6 // 5}:force_original_aspect_ratio=increase,crop={w * 6 // 5}:{h * 6 // 5}"
        pan = f"zoompan=z='1+{ZOOM / fps:.6f}*on':x='iw/2-iw/zoom/2':y='ih/2-ih/zoom/2':d={count}:s={w}x{h}:fps={fps}"
        graph.append(f"[{number}]{big},{pan},setsar=1[v{number}]")
    last = "v0"
    for number in range(1, len(photos)):
        graph.append(f"[{last}][v{number}]xfade=duration=0.5:offset={spans[number][0]:.3f}[x{number}]")
        last = f"x{number}"
    wanted = ["-map", f"[{last}]", "-c:v", "libx264", "-preset", "veryfast", "-crf", "20", "-pix_fmt", "yuv420p"]
    raw.ffmpeg(*given, "-filter_complex", ";".join(graph), *wanted, str(work / "film.mp4"))


def bare(timeline: Timeline, photos: Sequence[Path], work: Path) -> None:
    """The encoder alone, over the raw frames that `main` has written beside."""
    wanted = ["-c:v", "libx264", "-preset", "veryfast", "-crf", "20"]
    raw.ffmpeg(*raw.given(timeline, work.parent / "frames.yuv"), *wanted, str(work / "film.mp4"))


WAYS: dict[str, Callable[[Timeline, Sequence[Path], Path], None]] = {
    "ours": ours,
    "MoviePy 2.2": moviepy,
    "one zoompan graph": zoompan,
    "bare x264": bare,
}


def _spans(timeline: Timeline) -> list[tuple[float, float]]:
    """When each photo is to be seen, the title's time given to the first and the end card's to the last."""
    edges = [0.0, *(start for start, _ in timeline.scenes[1:]), timeline.seconds]
    return list(pairwise(edges))


def _shaken(film: Path, spans: Sequence[tuple[float, float]], fps: int) -> tuple[float, float]:
    """The jitter of all photos together and of the unsteadiest: of each what lies between its first second (of the
    first photo, two and a half) and the last half, up to 4.5 s into it."""
    lumas: dict[int, list[np.ndarray]] = {}
    with av.open(str(film)) as container:
        for number, frame in enumerate(container.decode(video=0)):
            for index, (start, end) in enumerate(spans):
                if start + (2.5 if index == 0 else 1.0) <= number / fps < min(end - 0.5, start + 4.5):
                    luma = frame.to_ndarray(format="gray")
                    lumas.setdefault(index, []).append(luma[: round(luma.shape[0] * 0.7)])
    left = [residuals(shot) for shot in lumas.values() if len(shot) > 20]
    return rms(list(chain(*left))), max(map(rms, left))


def one(name: str, photos: Sequence[Path], kind: str, seconds: float, work: Path) -> None:
    """Make the film in one way and print what it took as JSON; for a process of its own."""
    timeline = sample(photos, kind, seconds)
    begun, before = time.perf_counter(), _cpu()
    WAYS[name](timeline, photos, work)
    peak = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    print(json.dumps({"cpu": _cpu() - before, "wall": time.perf_counter() - begun, "megabytes": peak / 1024}))


def _cpu() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def main(photos: Sequence[Path], kind: str, seconds: float, names: Sequence[str], chart: Path | None) -> None:
    """Make the film in every way and print the table."""
    timeline = sample(photos, kind, seconds)
    spent: dict[str, float] = {}
    print("| way | CPU s per second of film | wall s | memory, MB | jitter, px | its worst shot | VMAF | MB |")
    print("|---|---:|---:|---:|---:|---:|---:|---:|")
    with tempfile.TemporaryDirectory() as folder:
        frames = raw.write(timeline, Path(folder))
        for name in names:
            work = Path(folder) / name.replace(" ", "-")
            work.mkdir()
            words = [*map(str, photos), "--format", kind, "--seconds", str(seconds), "--one", name, "--work", str(work)]
            told = subprocess.run([sys.executable, "-m", __spec__.name, *words], stdout=subprocess.PIPE, check=True)
            took, film = json.loads(told.stdout), work / "film.mp4"
            spent[name] = took["cpu"] / timeline.seconds
            shaken, worst = _shaken(film, _spans(timeline), timeline.spec.fps)
            seen = f"{raw.vmaf(film, timeline, frames):.1f}" if name in ("ours", "bare x264") else ""
            cost = f"{spent[name]:.2f} | {took['wall']:.1f} | {took['megabytes']:.0f}"
            print(
                f"| {name} | {cost} | {shaken:.3f} | {worst:.3f} | {seen} | {film.stat().st_size / 1e6:.1f} |",
                flush=True,
            )
    if chart is not None:
        chart.write_text(drawn(spent), encoding="utf-8")


def drawn(spent: dict[str, float]) -> str:
    """A bar for each way, as SVG; its colours read on light and dark pages."""
    most, rows = max(spent.values()), []
    for number, (name, value) in enumerate(spent.items()):
        y, long = 30 + 34 * number, 400 * value / most
        fill = "#e8643c" if name == "ours" else "#7d8590"
        rows.append(f'<text x="150" y="{y + 16}" text-anchor="end">{name}</text>')
        rows.append(f'<rect x="160" y="{y}" width="{max(2, long):.0f}" height="22" rx="3" fill="{fill}"/>')
        rows.append(f'<text x="{168 + max(2, long):.0f}" y="{y + 16}">{value:.2f}</text>')
    style = 'font-family="system-ui, sans-serif" font-size="14" fill="#7d8590"'
    title = '<text x="160" y="18">CPU seconds for one second of film</text>'
    high = 44 + 34 * len(spent)
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 640 {high}" {style}>{title}{"".join(rows)}</svg>\n'


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", nargs="*", type=Path)
    parser.add_argument("--format", choices=SIZES, default="tall")
    parser.add_argument("--seconds", type=float, default=16.0)
    parser.add_argument("--only", nargs="+", choices=WAYS, default=[*WAYS], metavar="WAY")
    parser.add_argument("--chart", type=Path, help="where a bar chart goes, as SVG")
    parser.add_argument("--one", choices=WAYS, help=argparse.SUPPRESS)
    parser.add_argument("--work", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.one:
        one(asked.one, asked.photos, asked.format, asked.seconds, asked.work)
    else:
        with tempfile.TemporaryDirectory() as made:
            photos = asked.photos or textures.photos(Path(made))
            main(photos, asked.format, asked.seconds, asked.only, asked.chart)
