"""How much the picture costs: a film's own CPU seconds against a bare x264 encode of the very same raw frames.

    python -m benchmarks.picture photo.jpg photo.jpg ... [--format tall|wide|square] [--seconds 30] [--threads 2]

The yardstick is `libx264 -preset veryfast -crf 20`; the jitter meter is the one described with `jitter`.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import cv2
import imageio_ffmpeg
import numpy as np

from benchmarks import raw
from pipeline.media import encode, frames, picture
from pipeline.media.compose import Composer, Scenery
from pipeline.media.timeline import FilmSpec, SceneIn, Timeline, Word, plan

SIZES = {"tall": (1080, 1920), "wide": (1920, 1080), "square": (1080, 1080)}
LINE = "Nobody in this family has ever laughed as loudly as you did that day."


@dataclass(frozen=True)
class Cost:
    """CPU (user and system) and wall seconds, megabytes of the file, and the most memory held so far in megabytes."""

    cpu: float
    wall: float
    megabytes: float
    peak: float


def sample(photos: Sequence[Path], kind: str, seconds: float) -> Timeline:
    """A film over `photos` with a made-up narration that fills `seconds`."""
    each = (seconds - 4.4) / len(photos) - 0.6
    words = LINE.split()
    pace = each / len(words)
    line = tuple(Word(w, i * pace, (i + 0.9) * pace) for i, w in enumerate(words))
    scenes = [SceneIn(LINE, line, each, photo, seed=i) for i, photo in enumerate(photos)]
    width, height = SIZES[kind]
    return plan(
        scenes,
        FilmSpec(
            width, height, "Happy birthday", "a film for you", "With love", "", "AI-generated · licensed voice", seconds
        ),
    )


def ours(timeline: Timeline, workdir: Path, threads: int) -> Cost:
    """Compose and encode the film's picture and join it."""
    cv2.setNumThreads(1)
    cpu, wall = _cpu(resource.RUSAGE_SELF), time.perf_counter()
    out = workdir / "film.mp4"
    picture.render_film(timeline, None, out, workdir / f"segments-{threads}", threads=threads)
    cpu, wall = _cpu(resource.RUSAGE_SELF) - cpu, time.perf_counter() - wall
    return Cost(cpu, wall, out.stat().st_size / 1e6, _peak())


def one_pass(timeline: Timeline, workdir: Path) -> Cost:
    """Compose and encode in one go on one thread, without segments."""
    cpu, wall = _cpu(resource.RUSAGE_SELF), time.perf_counter()
    out = workdir / "one.mp4"
    with Composer(Scenery(timeline, workdir)) as composer:
        encode.segment(out, timeline.spec.size, timeline.spec.fps, timeline.frames, composer.draw)
    cpu, wall = _cpu(resource.RUSAGE_SELF) - cpu, time.perf_counter() - wall
    return Cost(cpu, wall, out.stat().st_size / 1e6, _peak())


def bare(timeline: Timeline, workdir: Path) -> Cost:
    """The ffmpeg program encoding the same frames, ready and raw, from a file: the floor."""
    return floor(raw.write(timeline, workdir), timeline.spec.size, timeline.spec.fps, workdir / "bare.mp4")


def floor(frames: Path, size: tuple[int, int], fps: float, out: Path) -> Cost:
    """`libx264 -preset veryfast -crf 20` of raw yuv420p frames in a file."""
    given = ["-f", "rawvideo", "-pix_fmt", "yuv420p", "-s", f"{size[0]}x{size[1]}", "-r", str(fps), "-i", str(frames)]
    wanted = ["-c:v", "libx264", "-preset", "veryfast", "-crf", "20", str(out)]
    cpu, wall = _cpu(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run([imageio_ffmpeg.get_ffmpeg_exe(), "-loglevel", "error", "-y", *given, *wanted], check=True)
    cpu, wall = _cpu(resource.RUSAGE_CHILDREN) - cpu, time.perf_counter() - wall
    return Cost(cpu, wall, out.stat().st_size / 1e6, 0.0)


def jitter(lumas: Sequence[np.ndarray]) -> float:
    """Unsteadiness of one shot in pixels: the rms of its `residuals`."""
    return rms(residuals(lumas))


def rms(left: Sequence[float]) -> float:
    """Root mean square, 0 for nothing."""
    return float(np.sqrt(np.mean(np.square(left)))) if left else 0.0


def residuals(lumas: Sequence[np.ndarray]) -> list[float]:
    """What the movement between successive frames of one shot leaves after the best quadratic in time, in pixels across
    and down, on six patches, 256 pixels square. Patches with nothing to follow are left out.

    Movement is found by phase correlation and then refined by the enhanced correlation coefficient (Evangelidis and
    Psarakis, PAMI 2008). Phase correlation alone cannot judge hundredths: of a texture that was shifted exactly, by
    Fourier phases, along an eased move it reports 0.09 to 0.14 px of unsteadiness.
    """
    height, width = lumas[0].shape
    left: list[float] = []
    for row in range(3):
        for column in range(2):
            y, x = (height - 256) * (2 * row + 1) // 6, (width - 256) * (2 * column + 1) // 4
            patches = [luma[y : y + 256, x : x + 256].astype(np.float32) for luma in lumas]
            if min(_corners(patch) for patch in patches) < 12:  # nothing there that can be followed both ways
                continue
            moved = np.array([_moved(a, b) for a, b in pairwise(patches)])
            t = np.arange(len(moved))
            for ways in moved.T:
                left += (ways - np.polyval(np.polyfit(t, ways, 2), t)).tolist()
    return left


def _corners(patch: np.ndarray) -> float:
    """How well a patch can be followed along whichever way is worse: the smaller eigenvalue of its mean structure
    tensor (Shi and Tomasi, CVPR 1994), in squared grey levels a pixel. Low for soft light, and for stripes."""
    x, y = (cv2.Sobel(patch, cv2.CV_32F, *way, scale=1 / 8) for way in ((1, 0), (0, 1)))
    return float(np.linalg.eigvalsh([[np.mean(x * x), np.mean(x * y)], [np.mean(x * y), np.mean(y * y)]])[0])


def _moved(before: np.ndarray, after: np.ndarray) -> tuple[float, float]:
    x, y = cv2.phaseCorrelate(before, after, cv2.createHanningWindow((256, 256), cv2.CV_32F))[0]
    guess = np.array([[1, 0, x], [0, 1, y]], np.float32)
    enough = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 100, 1e-7)
    # Not smoothed: that takes away the finest detail, by which hundredths are told, and makes exact moves tremble.
    _, found = cv2.findTransformECC(before, after, guess, cv2.MOTION_TRANSLATION, enough, None, 1)
    if np.hypot(found[0, 2] - x, found[1, 2] - y) > 0.5:  # it has lost its way
        return x, y
    return float(found[0, 2]), float(found[1, 2])


def composed(timeline: Timeline, workdir: Path) -> list[list[float]]:
    """The residuals of every photo shot as composed, outside dissolves and without anything written over it."""
    found = []
    scenery = Scenery(timeline, workdir)
    out = frames.blank(*timeline.spec.size)
    for shot in timeline.shots:
        if shot.kind == "photo" and shot.path is not None:
            lumas = []
            for frame in range(shot.start + 16, min(shot.end - 16, shot.start + 76)):
                scenery.stage(shot).draw(shot.path, shot.share(frame), out)
                lumas.append(out.y.copy())
            found.append(residuals(lumas))
    return found


def floor_of_the_meter(timeline: Timeline, workdir: Path) -> list[list[float]]:
    """The residuals the meter finds in the moves, shots and frames of `composed` when they are drawn exactly: by cubic
    convolution (Keys, ASSP 1981) at the place of the window itself, in floating point. What it finds is not ours."""
    found = []
    scenery = Scenery(timeline, workdir)
    for shot in timeline.shots:
        if shot.kind == "photo" and shot.path is not None:
            made = scenery.stage(shot)
            source = made.planes.y.astype(np.float32)
            lumas = []
            for frame in range(shot.start + 16, min(shot.end - 16, shot.start + 76)):
                seen = shot.path.window(shot.share(frame))
                ways = []
                for axis, count in enumerate(timeline.spec.size):
                    step = seen[axis + 2] * made.scale[axis] / count
                    start = (seen[axis] - made.origin[axis]) * made.scale[axis]
                    ways.append((np.arange(count) + 0.5) * step + start - 0.5 + frames.MARGIN)
                lumas.append(_cubic(_cubic(source, ways[1], 0), ways[0], 1))
            found.append(residuals(lumas))
    return found


def _cubic(source: np.ndarray, places: np.ndarray, axis: int) -> np.ndarray:
    """A picture sampled at `places` along an axis."""
    whole = np.floor(places).astype(int)
    d = (places - whole).astype(np.float32)
    taps = (((2 - d) * d - 1) * d / 2, (3 * d - 5) * d * d / 2 + 1, ((4 - 3 * d) * d + 1) * d / 2, (d - 1) * d * d / 2)
    shape = (-1, 1) if axis == 0 else (1, -1)
    last = source.shape[axis] - 1
    parts = [np.take(source, np.clip(whole + n - 1, 0, last), axis) * tap.reshape(shape) for n, tap in enumerate(taps)]
    return np.sum(parts, axis=0, dtype=np.float32)


def window(size: tuple[int, int], count: int = 100) -> tuple[float, float]:
    """CPU milliseconds for the luma of one frame of a slow push, drawn as films are, and warped every time."""
    w, h = size
    chance = np.random.default_rng(1)
    source = chance.integers(0, 256, (round(h * 1.4) + 2 * frames.MARGIN, round(w * 1.4) + 2 * frames.MARGIN), np.uint8)
    out, spent = np.empty((h, w), np.uint8), []
    for exact in (frames.EXACT, 0.0):
        cpu = _cpu(resource.RUSAGE_SELF)
        for i in range(count):
            step = 1.15 * (1 + 0.16 * i / count)
            frames.show(source, (9.7 + 0.3 * i, step), (5.2 + 0.2 * i, step), out, exact)
        spent.append((_cpu(resource.RUSAGE_SELF) - cpu) / count * 1000)
    return spent[0], spent[1]


def _cpu(whose: int) -> float:
    used = resource.getrusage(whose)
    return used.ru_utime + used.ru_stime


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def compare(photos: Sequence[Path], kind: str, seconds: float, threads: Sequence[int]) -> None:
    """Print the figures for one film."""
    timeline = sample(photos, kind, seconds)
    with tempfile.TemporaryDirectory() as folder:
        workdir = Path(folder)
        mine = {f"segments, {n} threads": ours(timeline, workdir, n) for n in threads}
        mine["one pass"] = one_pass(timeline, workdir)
        steadiness = [rms(left) for left in composed(timeline, workdir)]
        floor = bare(timeline, workdir)
    size, seconds = timeline.spec.size, timeline.seconds
    drawn, warped = window(size)
    print(f"the luma of a frame: {drawn:.1f} ms as films draw it, {warped:.1f} ms warped every time")
    print(f"{len(photos)} photos, {size}, {seconds:.1f} s; jitter {max(steadiness):.3f} px at most")
    print(f"{'bare veryfast 20':22} {floor.cpu:6.1f} CPU s {floor.wall:6.1f} s {floor.megabytes:6.1f} MB")
    for name, cost in mine.items():
        ratio = f"{cost.cpu / floor.cpu:.2f} × bare"
        used = f"{cost.cpu:6.1f} CPU s {cost.wall:6.1f} s {cost.megabytes:6.1f} MB"
        print(f"{name:22} {used}  {ratio}, peak {cost.peak:.0f} MB")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", nargs="+", type=Path)
    parser.add_argument("--format", choices=SIZES, default="tall")
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--threads", type=int, nargs="+", default=[2, 1])
    asked = parser.parse_args()
    compare(asked.photos, asked.format, asked.seconds, asked.threads)
