"""How steady slow moves are, in pixels: every photo shot drawn exactly, as composed, and as encoded.

    python -m benchmarks.jitter [photo.jpg photo.jpg ...] [--format tall|wide|square] [--exact 0.02]

`benchmarks.picture.residuals` is the meter, and `floor` what it finds in moves that are drawn without any error: on
small, soft photos it cannot see less. The film's own figure is the rms over all its shots; moves are seen to tremble
from about 0.1 px. Without photos made-up ones are taken (see `textures`). `--exact` tries another value of
`frames.EXACT`, how far off a plain resize may be that is drawn in place of a warp.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path

import av
import numpy as np

from benchmarks import textures
from benchmarks.picture import SIZES, composed, floor_of_the_meter, residuals, rms, sample
from pipeline.media import frames, picture
from pipeline.media.timeline import Shot, Timeline

_CLEAR = 16  # frames at either end of a shot that belong to a dissolve


def encoded(film: Path, timeline: Timeline) -> Iterator[tuple[Shot, list[float]]]:
    """Each photo shot of a rendered film and its residuals, outside dissolves, in the part above the captions."""
    wanted = [shot for shot in timeline.shots if shot.kind == "photo"]
    kept: dict[int, list[np.ndarray]] = {}
    with av.open(str(film)) as container:
        for number, frame in enumerate(container.decode(video=0)):
            for index, shot in enumerate(wanted):
                if shot.start + _CLEAR <= number < min(shot.end - _CLEAR, shot.start + _CLEAR + 60):
                    luma = frame.to_ndarray(format="gray")
                    kept.setdefault(index, []).append(luma[: round(luma.shape[0] * 0.7)])
    for index, lumas in kept.items():
        yield wanted[index], residuals(lumas)


def main(photos: Sequence[Path], kind: str, seconds: float) -> None:
    """Print a line for every shot, then the film's figure and the worst shot's of each column."""
    timeline = sample(photos, kind, seconds)
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        least, drawn = floor_of_the_meter(timeline, work), composed(timeline, work)
        picture.render_film(timeline, None, work / "film.mp4", work / "segments")
        shown = list(encoded(work / "film.mp4", timeline))
    print(f"{'move':10} {'ground':6} {'floor':>9} {'composed':>9} {'encoded':>9}  px rms")
    columns = [least, drawn, [after for _, after in shown]]
    for (shot, _), *row in zip(shown, *columns, strict=True):
        assert shot.path is not None
        told = "".join(f" {rms(left):9.3f}" for left in row)
        print(f"{shot.path.kind:10} {'card' if shot.path.fill else 'whole':6}{told}")
    print(f"{'film':17}" + "".join(f" {rms(list(chain(*column))):9.3f}" for column in columns))
    print(f"{'worst shot':17}" + "".join(f" {max(map(rms, column)):9.3f}" for column in columns))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", nargs="*", type=Path)
    parser.add_argument("--format", choices=SIZES, default="tall")
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--exact", type=float, default=frames.EXACT)
    asked = parser.parse_args()
    frames.EXACT = asked.exact
    with tempfile.TemporaryDirectory() as made:
        main(asked.photos or textures.photos(Path(made)), asked.format, asked.seconds)
