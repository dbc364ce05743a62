"""What a whole film costs, from photos to file: CPU seconds per stage, against a bare x264 encode of its frames.

    python -m benchmarks.film [photo.jpg …] [--format 9:16] [--seconds 30] [--runs 3]

Each run is `manage.py make_video --json` in a folder of its own, as a fresh process; without a recogniser, which comes
with the tests only. The wall seconds of all stages are from the order to the delivery. `process` is all of it: Python
and Django, the photos' checks and the models' loading (the voice's, meanwhile) come before. The yardstick encodes the
delivered film's own frames with `libx264 -preset veryfast -crf 20`. Medians.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import imageio_ffmpeg

from benchmarks.picture import Cost, floor

ROOT = Path(__file__).resolve().parent.parent
STORY = (
    "She dreamed of space as a girl, flew the shuttle, drinks too much coffee, "
    "and has a cat that thinks it is in command."
)


def make(photos: Sequence[Path], shape: str, seconds: int, folder: Path) -> dict[str, Any]:
    """One film by the command line; its report, with the seconds of the whole process as `wall` and `cpu`."""
    command = [sys.executable, str(ROOT / "manage.py"), "make_video", *map(str, photos), "--story", STORY]
    command += [
        "--for",
        "Eileen",
        "--format",
        shape,
        "--seconds",
        str(seconds),
        "--out",
        str(folder / "film.mp4"),
        "--json",
    ]
    begun, cpu = time.perf_counter(), children()
    done = subprocess.run(
        command,
        env={**os.environ, "VIDEOGEN_VAR": str(folder / "var"), "VIDEOGEN_ALONE": "1", "RECOGNISER": "off"},
        check=True,
        capture_output=True,
        text=True,
    )
    return {**json.loads(done.stdout), "wall": time.perf_counter() - begun, "cpu": children() - cpu}


def children() -> float:
    """CPU seconds of the processes that have been waited for."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def yardstick(film: dict[str, Any], folder: Path) -> Cost:
    """The bare encode of a delivered film's frames."""
    raw = folder / "frames.yuv"
    decode = ["-i", film["path"], "-f", "rawvideo", "-pix_fmt", "yuv420p", str(raw)]
    subprocess.run([imageio_ffmpeg.get_ffmpeg_exe(), "-loglevel", "error", "-y", *decode], check=True)
    cost = floor(raw, (film["width"], film["height"]), film["fps"], folder / "bare.mp4")
    raw.unlink()
    return cost


def compare(photos: Sequence[Path], shape: str, seconds: int, runs: int) -> None:
    """Print the table."""
    reports, bare = [], []
    for _ in range(runs):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            reports.append(make(photos, shape, seconds, folder))
            bare.append(yardstick(reports[-1]["film"], folder).cpu)
    film = reports[0]["film"]
    print(f"{len(photos)} photos, {film['width']}×{film['height']}, {film['duration']:.1f} s of film, median of {runs}")
    print(f"{'stage':12} {'wall s':>8} {'CPU s':>8}")
    total = statistics.median(sum(stage["cpu_seconds"] for stage in report["stages"]) for report in reports)
    for index, stage in enumerate(reports[0]["stages"]):
        wall = statistics.median(report["stages"][index]["seconds"] for report in reports)
        cpu = statistics.median(report["stages"][index]["cpu_seconds"] for report in reports)
        print(f"{stage['stage']:12} {wall:8.2f} {cpu:8.2f}")
    whole = statistics.median(report["seconds"] for report in reports)
    print(f"{'all stages':12} {whole:8.2f} {total:8.2f}")
    wall, cpu = (statistics.median(report[key] for report in reports) for key in ("wall", "cpu"))
    print(f"{'process':12} {wall:8.2f} {cpu:8.2f}")
    yard = statistics.median(bare)
    print(f"{'bare x264':12} {'':8} {yard:8.2f}   all stages are {total / yard:.2f} × that")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", nargs="*", type=Path)
    parser.add_argument("--format", choices=["9:16", "16:9", "1:1"], default="9:16")
    parser.add_argument("--seconds", type=int, default=30)
    parser.add_argument("--runs", type=int, default=3)
    asked = parser.parse_args()
    found = asked.photos or sorted((ROOT / "tests" / "photos" / "story").glob("*.jpg"))
    compare(found, asked.format, asked.seconds, asked.runs)
