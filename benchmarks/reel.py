"""Twelve films in three shapes, to look at: three stories over four sets of photos, with contact sheets and a report.

    python -m benchmarks.reel FOLDER [--scale 1.0] [--only STORY-SET-SHAPE …]

Each film is ordered and made as `make_video` does it, checked by quality control, and laid out as three pictures: one
frame every half second, eight frames around every cut, and how loud each moment is. `FOLDER/report.md` says how long
each film is, how loud, what it cost and what was found, and then, of each, what is said over which picture and for how
long that one stands.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import av
from PIL import Image, ImageDraw

from pipeline.media import fonts, pacing, sound
from pipeline.media import samples as audio
from tests import samples

ROOT = Path(__file__).resolve().parent.parent
EVERY = 0.5  # seconds
TILE = (240, 300)  # pixels of the longer side of a tile that stands, and of one that lies
AROUND = (-10, -7, -4, -1, 2, 5, 8, 11)  # frames from the middle of a change of picture
LOUD, CURVE = 0.4, (1200, 260)  # seconds a momentary loudness is taken over (EBU Tech 3341), and pixels of its curve


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
    """One person each, upright, tight and wide; two of the same moment."""
    near = _cropped(samples.FACES[2], (0, 40, 970, 1010), folder / "near.jpg")
    return [samples.PORTRAIT, samples.FACES[2], samples.FACES[1], near, samples.FACES[0]]


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
    """Two rows of four people, near and far, upright and lying, and two who sit alone."""
    sizes = [(110, (2400, 1600)), (150, (2400, 1800)), (120, (1800, 2200)), (160, (2600, 1500))]
    made = [samples.group(folder / f"group-{n}.jpg", head, size, 77 + n) for n, (head, size) in enumerate(sizes)]
    return [made[0], samples.FACES[0], made[1], made[2], samples.PORTRAIT, made[3]]


SETS: dict[str, Callable[[Path], list[Path]]] = {
    "portraits": portraits,
    "shapes": shapes,
    "no-faces": no_faces,
    "groups": groups,
}
EVERYTHING = ["-".join(parts) for parts in product(STORIES, SETS, SHAPES)]


def _cropped(path: Path, box: tuple[int, int, int, int], out: Path) -> Path:
    with Image.open(path) as photo:
        photo.crop(box).save(out, quality=92)
    return out


def film(name: str, folder: Path, scale: float) -> dict[str, Any]:
    """Make one film into `folder`; what `make_video --json` says, with `wall` seconds and the loudness `range` (LU)."""
    story, photos, shape = name.split("-", 1)[0], name.split("-", 1)[1].rsplit("-", 1)[0], name.rsplit("-", 1)[1]
    told, out = STORIES[story], folder / f"{name}.mp4"
    with tempfile.TemporaryDirectory() as work:
        given = SETS[photos](Path(work))
        words = [str(path) for path in given] + ["--story", told.notes, *told.words, "--format", SHAPES[shape]]
        begun = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "manage.py", "make_video", *words, "--out", str(out), "--json"],
            cwd=ROOT,
            env={**os.environ, "VIDEOGEN_VAR": work, "VIDEOGEN_ALONE": "1", "RENDER_SCALE": str(scale)},
            stdout=subprocess.PIPE,
            check=False,
        )
        told = dict(json.loads(done.stdout)) | {"wall": time.perf_counter() - begun}
    if not told["delivered"]:
        return told
    told["range"] = sound.loudness(out).range
    fps = told["film"]["fps"]
    every = range(1, round(told["film"]["duration"] * fps), round(EVERY * fps))
    middles = [round((shot["start"] + pacing.DISSOLVE / 2) * fps) for shot in told["shots"]]
    middles.append(round((told["shots"][-1]["end"] - pacing.DISSOLVE / 2) * fps))
    around = [max(0, middle + step) for middle in middles for step in AROUND]
    tiles = picked(out, {*every, *around})
    sheet([(n, tiles[n]) for n in every if n in tiles], 0, fps, folder / f"{name}.png")
    sheet([(n, tiles[n]) for n in around if n in tiles], len(AROUND), fps, folder / f"{name}-cuts.png")
    curve(out, folder / f"{name}-sound.png")
    return told


def picked(film: Path, numbers: set[int]) -> dict[int, Image.Image]:
    """The frames of these numbers, small."""
    with av.open(str(film)) as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        scale = TILE[stream.width >= stream.height] / max(stream.width, stream.height)
        size = {"width": round(stream.width * scale), "height": round(stream.height * scale)}
        frames = enumerate(container.decode(stream))
        return {n: frame.to_image(**size, interpolation="AREA") for n, frame in frames if n in numbers}


def sheet(shown: Sequence[tuple[int, Image.Image]], columns: int, fps: float, out: Path) -> None:
    """Lay frames (each with its number) side by side, each with its second; as wide as high where `columns` is 0."""
    w, h = shown[0][1].size
    columns = columns or max(1, round((len(shown) * h / w) ** 0.5))
    picture = Image.new("RGB", (columns * (w + 4), -(-len(shown) // columns) * (h + 4)), "white")
    pen = ImageDraw.Draw(picture)
    for place, (number, tile) in enumerate(shown):
        x, y = place % columns * (w + 4), place // columns * (h + 4)
        picture.paste(tile, (x, y))
        pen.rectangle((x + w - 38, y + h - 15, x + w - 1, y + h - 1), fill="black")
        fonts.draw(picture, (x + w - 35, y + h - 4), f"{number / fps:.2f}", "note", 11, fill=(255, 255, 255))
    picture.save(out)


def curve(film: Path, out: Path) -> None:
    """How loud each moment is, from −60 to 0 LUFS, with a line at −14 and one every five seconds."""
    signal = audio.decode(film, "stereo")[0]
    hop, width = round(audio.RATE * 0.1), round(audio.RATE * LOUD)
    at = range(0, max(1, signal.shape[1] - width), hop)
    found = [max(-60.0, audio.loudness_of(signal[:, i : i + width])) for i in at]
    picture = Image.new("RGB", CURVE, "white")
    pen = ImageDraw.Draw(picture)
    across, down = CURVE[0] / max(1, len(found)), CURVE[1] / 60
    pen.line((0, 14 * down, CURVE[0], 14 * down), fill=(200, 60, 40))
    for second in range(0, len(found) // 10 + 1, 5):
        pen.line((second * 10 * across, 0, second * 10 * across, CURVE[1]), fill=(225, 225, 225))
        fonts.draw(picture, (second * 10 * across + 3, CURVE[1] - 5), f"{second} s", "note", 12, fill=(90, 90, 90))
    pen.line([(i * across, -value * down) for i, value in enumerate(found)], fill=(30, 60, 140), width=2)
    picture.save(out)


HEADS = (
    *("film", "shape", "seconds", "LUFS", "dBTP", "LU", "CPU s", "of these a film second", "wall s"),
    *("pictures stand, s", "verdict", "findings"),
)


def report(made: dict[str, dict[str, Any]]) -> str:
    """A table of all films, then what is said over which picture in each. Two figures say how long the shortest
    and the longest picture stands."""
    rows = [f"| {' | '.join(HEADS)} |", "|---" * 2 + "|---:" * 8 + "|---" * 2 + "|"]
    for name, told in made.items():
        if not told["delivered"]:
            why = [told["error"]] if "error" in told else told["faults"]
            rows.append(f"| {name} |{' |' * 9} none | {'; '.join([*why, *map(_finding, told.get('findings', ()))])} |")
            continue
        film_, spent = told["film"], sum(stage["cpu_seconds"] for stage in told["stages"])
        stands = [shot["end"] - shot["start"] - pacing.DISSOLVE for shot in told["shots"]]
        said = "; ".join(map(_finding, told["findings"])) or "none"
        cells = [name, f"{film_['width']}×{film_['height']}", f"{film_['duration']:.1f}", f"{film_['loudness']:.1f}"]
        cells += [f"{film_['true_peak']:.1f}", f"{told['range']:.1f}", f"{spent:.1f}"]
        cells += [f"{spent / film_['duration']:.2f}", f"{told['wall']:.1f}", f"{min(stands):.1f} to {max(stands):.1f}"]
        rows.append(f"| {' | '.join([*cells, film_['verdict'], said])} |")
    for name, told in made.items():
        if not told["delivered"]:
            continue
        rows += ["", f"## {name}: “{told['film']['title']}”", ""]
        rows += ["| from | stands, s | photo | said |", "|---:|---:|---|---|"]
        rows += [
            f"| {scene['start']:.1f} | {scene['end'] - scene['start']:.1f} | {scene['photo']} | {scene['text']} |"
            for scene in told["scenes"]
        ]
    return "\n".join(rows) + "\n"


def _finding(found: dict[str, Any]) -> str:
    where = "" if found["second"] is None else f", {found['second']:.1f} s"
    figure = "" if found["figure"] is None else f", {found['figure']:.3g}"
    return f"{found['severity']}: {found['sentence']} ({found['code']}{where}{figure})"


def main(folder: Path, names: Sequence[str], scale: float) -> None:
    """Make them all and write the report of all that are in the folder, as far as it has come."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        told = film(name, folder, scale)
        (folder / f"{name}.json").write_text(json.dumps(told, ensure_ascii=False), encoding="utf-8")
        made = {one: folder / f"{one}.json" for one in EVERYTHING if (folder / f"{one}.json").exists()}
        whole = report({one: json.loads(path.read_text(encoding="utf-8")) for one, path in made.items()})
        (folder / "report.md").write_text(whole, encoding="utf-8")
        print(report({name: told}).splitlines()[2], flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--scale", type=float, default=1.0, help="size of the films")
    parser.add_argument("--only", nargs="+", default=EVERYTHING, choices=EVERYTHING, metavar="STORY-SET-SHAPE")
    asked = parser.parse_args()
    main(asked.folder, asked.only, asked.scale)
