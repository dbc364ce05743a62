"""What the encoder's settings cost and show: a film's raw frames, encoded with ours and with others.

    python -m benchmarks.encoder [photo.jpg photo.jpg …] [--format tall|wide|square] [--seconds 18]

Of each setting: CPU seconds (the less of two), megabytes, VMAF, the jitter of the middle photo in pixels (see
`picture`; of small and soft ones the meter loses hold), and of plain ground how far it is from what was drawn (grey
levels, rms): pixel by pixel, as soft patches of 16 pixels, and by how much those patches change from one frame to the
next, which is seen as breathing. Without photos made-up ones are taken (see `textures`). Needs an FFmpeg that measures
VMAF, as that of imageio-ffmpeg does.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import av
import cv2
import numpy as np

from benchmarks import raw, textures
from benchmarks.picture import SIZES, jitter, sample
from pipeline.media import encode
from pipeline.media.timeline import Timeline

# Frame types as ours: these are not what is compared.
STEADY = "scenecut=0:b-adapt=0:weightp=0:open-gop=0:keyint=150:threads=1"
# (name, preset, CRF, what else x264 is told)
OTHERS = (
    ("superfast", "superfast", "20", STEADY),
    ("superfast, aq 0.5", "superfast", "20", f"{STEADY}:aq-strength=0.5"),
    ("superfast, no aq", "superfast", "20", f"{STEADY}:aq-mode=0"),
    ("veryfast", "veryfast", "20", "threads=1"),
)
PATCH = 16
PLAIN = 2.0  # grey levels, standard deviation in a patch: below it the ground is plain
FRAMES = 4  # that follow each other, of the middle of each photo, in which plain ground is looked at


def cpu() -> float:
    """CPU seconds of the processes that have been waited for."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def lumas(film: Path) -> list[np.ndarray]:
    """The brightness of every frame: two megabytes each."""
    with av.open(str(film)) as container:
        return [frame.to_ndarray(format="yuv420p")[: frame.height].copy() for frame in container.decode(video=0)]


def plain(drawn: np.ndarray) -> np.ndarray:
    """Where a picture is plain."""
    exact = drawn.astype(np.float32)
    mean = cv2.blur(exact, (PATCH, PATCH))
    return np.sqrt(np.maximum(0, cv2.blur(exact * exact, (PATCH, PATCH)) - mean * mean)) < PLAIN


def ground(shown: Sequence[np.ndarray], drawn: Sequence[np.ndarray]) -> Iterator[tuple[float, float, float]]:
    """Of frames that follow each other, from the second on: how far plain ground is off, patches of it, and by how much
    those change."""
    before = None
    for now, as_drawn in zip(shown, drawn, strict=True):
        where, off = plain(as_drawn), now.astype(np.float32) - as_drawn
        patches = cv2.blur(off, (PATCH, PATCH))
        if before is not None and where.any():
            yield tuple(float(np.sqrt(np.mean(np.square(one[where])))) for one in (off, patches, patches - before))  # type: ignore[misc]
        before = patches


def measured(film: Path, timeline: Timeline, frames: Path) -> tuple[float, tuple[float, float, float]]:
    """The jitter of the middle one of those photos that can be followed, and what becomes of plain ground."""
    w, h = timeline.spec.size
    drawn = np.memmap(frames, np.uint8, "r", shape=(timeline.frames, h * 3 // 2, w))[:, :h]
    shown, shaken, grounds = lumas(film), [], []
    for shot in timeline.shots:
        if shot.kind == "photo":
            steady = shown[shot.start + 16 : min(shot.end - 16, shot.start + 76)]
            shaken += [jitter([luma[: round(0.7 * h)] for luma in steady])] if len(steady) > 1 else []
            middle = (shot.start + shot.end) // 2
            grounds += ground(shown[middle : middle + FRAMES], list(drawn[middle : middle + FRAMES]))
    mean = np.mean(grounds, axis=0) if grounds else np.zeros(3)
    held = [one for one in shaken if one > 0] or [0.0]
    return float(np.median(held)), (float(mean[0]), float(mean[1]), float(mean[2]))


def main(photos: Sequence[Path], kind: str, seconds: float) -> None:
    """Print a line for every setting, ours first."""
    timeline = sample(photos, kind, seconds)
    own = encode.OPTIONS
    with tempfile.TemporaryDirectory() as folder:
        frames, out = raw.write(timeline, Path(folder)), Path(folder) / "film.mp4"
        head = f"{'setting':26} {'crf':>4} {'CPU s':>7} {'MB':>6} {'VMAF':>6} {'jitter':>7}"
        print(f"{head}  plain: off, patches, breathing")
        for name, preset, crf, told in (("ours", own["preset"], own["crf"], own["x264-params"]), *OTHERS):
            command = [
                raw.FFMPEG,
                "-nostdin",
                "-loglevel",
                "error",
                "-y",
                *raw.given(timeline, frames),
                "-c:v",
                "libx264",
            ]
            command += ["-preset", preset, "-crf", crf, "-profile:v", "high", "-x264-params", told, str(out)]
            spent = []
            for _ in range(2):
                before = cpu()
                subprocess.run(command, check=True)
                spent.append(cpu() - before)
            shaken, plain_off = measured(out, timeline, frames)
            size, seen = out.stat().st_size / 1e6, raw.vmaf(out, timeline, frames, every=4)
            row = f"{name:26} {crf:>4} {min(spent):7.2f} {size:6.2f} {seen:6.2f} {shaken:7.3f}"
            print(row, *(f" {figure:.3f}" for figure in plain_off), flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", nargs="*", type=Path)
    parser.add_argument("--format", choices=SIZES, default="tall")
    parser.add_argument("--seconds", type=float, default=18.0)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        main(asked.photos or textures.photos(Path(made)), asked.format, asked.seconds)
