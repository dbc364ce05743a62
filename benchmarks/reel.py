"""Twelve films in three shapes, to look at: three stories over four sets of photos, with contact sheets and a report.

    python -m benchmarks.reel FOLDER [--scale 1.0] [--only STORY-SET-SHAPE …]

Each film is ordered and made as `make_video` does it, checked by quality control, and laid out as a sheet of one frame
every half second. `FOLDER/report.md` says how long each is, how loud, what it cost and what was found.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from pipeline.media import fonts, meters, probe
from tests import samples

ROOT = Path(__file__).resolve().parent.parent
EVERY, COLUMNS, TILE = 0.5, 10, 240  # seconds, tiles in a row, pixels of a tile's longer side


@dataclass(frozen=True)
class Told:
    """One of the stories, as it is ordered."""

    notes: str
    words: tuple[str, ...]


STORIES = {
    "birthday": Told(
        "She dreamed of space as a girl, flew the shuttle, drinks too much coffee, and has a cat that thinks it is in "
        "command.",
        ("--for", "Eileen", "--tone", "funny", "--creator", "pip"),
    ),
    "wedding": Told(
        "They met on a night train to Lisbon. He lost his ticket and she paid. They got married in her grandmother's "
        "garden in the rain. They still take the night train every year.",
        ("--for", "Ana and Tom", "--occasion", "wedding", "--tone", "heartfelt", "--from", "Ruth"),
    ),
    "condolence": Told(
        "Grandpa Joe built wooden boats and named each one after somebody he loved. He whistled when he worked. He "
        "taught all of us to swim in the cold lake.",
        ("--for", "Maria", "--occasion", "condolence", "--tone", "warm", "--creator", "bram"),
    ),
}
SHAPES = {"tall": "9:16", "wide": "16:9", "square": "1:1"}


def portraits(folder: Path) -> list[Path]:
    """One person each, upright, tight and wide."""
    made = [samples.PORTRAIT, *samples.FACES]
    for number, (path, box) in enumerate(
        [(samples.FACES[0], (60, 0, 860, 1137)), (samples.PORTRAIT, (60, 0, 420, 480))]
    ):
        made.append(_cropped(path, box, folder / f"portrait-{number}.jpg"))
    return made


def shapes(folder: Path) -> list[Path]:
    """A panorama, a strip that stands, a page, a small square, a landscape and a portrait."""
    return [
        samples.make_photo(folder / "panorama.jpg", 3, (4200, 1200)),
        samples.make_photo(folder / "strip.jpg", 4, (900, 2300)),
        samples.page_of_text(folder / "page.jpg"),
        samples.MOON,
        samples.make_photo(folder / "landscape.jpg", 6, (2400, 1600)),
        samples.FACES[1],
    ]


def no_faces(folder: Path) -> list[Path]:
    """Things, a sky, an animal."""
    return [
        samples.LAUNCH,
        samples.DEEP_FIELD,
        samples.COFFEE,
        samples.CAT,
        samples.MOON,
        samples.make_photo(folder / "things.jpg", 9, (1600, 2000)),
    ]


def groups(folder: Path) -> list[Path]:
    """Two rows of four people, near and far, upright and lying, and two who sit together."""
    sizes = [(110, (2400, 1600)), (150, (2400, 1800)), (120, (1800, 2200)), (160, (2600, 1500))]
    made = [samples.group(folder / f"group-{n}.jpg", head, size) for n, (head, size) in enumerate(sizes)]
    return [*made, samples.FACES[0], samples.PORTRAIT]


SETS: dict[str, Callable[[Path], list[Path]]] = {
    "portraits": portraits,
    "shapes": shapes,
    "no-faces": no_faces,
    "groups": groups,
}


def _cropped(path: Path, box: tuple[int, int, int, int], out: Path) -> Path:
    with Image.open(path) as photo:
        photo.crop(box).save(out, quality=92)
    return out


def film(name: str, folder: Path, scale: float) -> dict[str, Any]:
    """Make one film into `folder`; what `make_video --json` says, with its sheet. Raises CalledProcessError."""
    story, photos, shape = name.split("-", 1)[0], name.split("-", 1)[1].rsplit("-", 1)[0], name.rsplit("-", 1)[1]
    told, out = STORIES[story], folder / f"{name}.mp4"
    with tempfile.TemporaryDirectory() as work:
        given = SETS[photos](Path(work))
        words = [str(path) for path in given] + ["--story", told.notes, *told.words, "--format", SHAPES[shape]]
        done = subprocess.run(
            [sys.executable, "manage.py", "make_video", *words, "--out", str(out), "--json"],
            cwd=ROOT,
            env={**os.environ, "VIDEOGEN_VAR": work, "VIDEOGEN_ALONE": "1", "RENDER_SCALE": str(scale)},
            stdout=subprocess.PIPE,
            check=True,
        )
    sheet(out, folder / f"{name}.png")
    return dict(json.loads(done.stdout))


def sheet(film: Path, out: Path) -> None:
    """Lay one frame every half second side by side, each with its second."""
    seconds = np.arange(0.05, probe.probe(film).duration - 0.05, EVERY)
    tiles = [Image.fromarray(picture) for picture in meters.sample_frames(film, [float(s) for s in seconds])]
    scale = TILE / max(tiles[0].size)
    w, h = (round(side * scale) for side in tiles[0].size)
    picture = Image.new("RGB", (COLUMNS * (w + 4), -(-len(tiles) // COLUMNS) * (h + 4)), "white")
    pen = ImageDraw.Draw(picture)
    for number, (tile, second) in enumerate(zip(tiles, seconds, strict=True)):
        x, y = number % COLUMNS * (w + 4), number // COLUMNS * (h + 4)
        picture.paste(tile.resize((w, h), Image.Resampling.BOX), (x, y))
        pen.rectangle((x + w - 32, y + h - 15, x + w - 1, y + h - 1), fill="black")
        fonts.draw(picture, (x + w - 29, y + h - 4), f"{second:.1f}", "note", 11, fill=(255, 255, 255))
    picture.save(out)


def report(made: dict[str, dict[str, Any]]) -> str:
    """A table of all films."""
    rows = ["| film | seconds | LUFS | CPU s | findings |", "|---|---:|---:|---:|---|"]
    for name, told in made.items():
        found, film_ = told["findings"], told["film"]
        spent = sum(stage["cpu_seconds"] for stage in told["stages"])
        said = "; ".join(f"{each['severity']}: {each['sentence']} ({each['second']} s)" for each in found) or "none"
        rows.append(f"| {name} | {film_['duration']:.1f} | {film_['loudness']:.1f} | {spent:.1f} | {said} |")
    return "\n".join(rows) + "\n"


def main(folder: Path, names: Sequence[str], scale: float) -> None:
    """Make them all and write the report as far as it has come."""
    folder.mkdir(parents=True, exist_ok=True)
    made: dict[str, dict[str, Any]] = {}
    for name in names:
        made[name] = film(name, folder, scale)
        (folder / "report.md").write_text(report(made), encoding="utf-8")
        print(report({name: made[name]}).splitlines()[-1], flush=True)


if __name__ == "__main__":
    everything = ["-".join(parts) for parts in product(STORIES, SETS, SHAPES)]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--scale", type=float, default=1.0, help="size of the films")
    parser.add_argument("--only", nargs="+", default=everything, choices=everything, metavar="STORY-SET-SHAPE")
    asked = parser.parse_args()
    main(asked.folder, asked.only, asked.scale)
