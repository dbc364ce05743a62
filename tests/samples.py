"""Sample files for all tests: photos that are quick to make, sharp and distinct, and what people and attackers send."""

import io
import struct
import zlib
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import pillow_heif
from PIL import Image, ImageDraw

pillow_heif.register_heif_opener()

PHOTOS = Path(__file__).parent / "photos"
STORY = tuple(sorted((PHOTOS / "story").glob("*.jpg")))
FACES = tuple(sorted((PHOTOS / "faces").glob("*.jpg")))
PORTRAIT, DEEP_FIELD, LAUNCH, COFFEE, CAT, MOON = STORY


def photo(seed: int, size: tuple[int, int] = (1200, 1600)) -> Image.Image:
    """A made-up photo, width × height: soft light, ten things with hard edges, grain. Same seed, same picture."""
    width, height = size
    rng = np.random.default_rng(seed)
    light = rng.integers(30, 226, (5, 4, 3), dtype=np.uint8)
    picture = cv2.resize(light, size, interpolation=cv2.INTER_CUBIC)
    unit = min(size)
    for _ in range(10):
        centre = (int(rng.integers(0, width)), int(rng.integers(0, height)))
        colour = tuple(int(c) for c in rng.integers(0, 256, 3))
        edge = tuple(255 - c for c in colour)
        radius = int(rng.integers(unit // 14, unit // 5))
        if rng.random() < 0.5:
            cv2.circle(picture, centre, radius, colour, -1)
            cv2.circle(picture, centre, radius, edge, max(2, unit // 200))
        else:
            box = cv2.boxPoints((centre, (2 * radius, radius), float(rng.integers(0, 180)))).astype(np.int32)
            cv2.fillPoly(picture, [box], colour)
            cv2.polylines(picture, [box], True, edge, max(2, unit // 200))
    grain = rng.integers(0, 14, (height // 2, width // 2), dtype=np.uint8)
    grain = cv2.resize(grain, size, interpolation=cv2.INTER_NEAREST)
    return Image.fromarray(cv2.add(picture, cv2.cvtColor(grain, cv2.COLOR_GRAY2RGB)))


def make_photo(
    path: Path,
    seed: int,
    size: tuple[int, int] = (1200, 1600),
    *,
    quality: int = 88,
    taken: str = "",
    offset: str = "",
    orientation: int = 0,
    place: bool = False,
) -> Path:
    """Write `photo(seed, size)`; the name's ending decides the format.

    `taken` is EXIF's "2024:06:01 10:00:00", `offset` "+02:00", `place` adds GPS; `orientation` stores the picture
    turned, so that it is upright, and `size`, once the note is followed.
    """
    picture = photo(seed, size)
    exif = Image.Exif()
    notes = exif.get_ifd(0x8769)
    if taken:
        notes[0x9003] = taken
    if offset:
        notes[0x9011] = offset
    if place:
        exif.get_ifd(0x8825).update({1: "N", 2: (28.0, 36.0, 30.0), 3: "W", 4: (80.0, 36.0, 15.0)})
        exif[0x010F] = "PHONE-MAKER-MARK"
    if orientation:
        exif[0x0112] = orientation
        picture = picture.transpose(_STORED_AS[orientation])
    picture.save(path, quality=quality, **({"exif": exif} if len(exif) or taken else {}))
    return path


_T = Image.Transpose
_STORED_AS = {
    2: _T.FLIP_LEFT_RIGHT,
    3: _T.ROTATE_180,
    4: _T.FLIP_TOP_BOTTOM,
    5: _T.TRANSPOSE,
    6: _T.ROTATE_90,
    7: _T.TRANSVERSE,
    8: _T.ROTATE_270,
}


def make_photos(folder: Path, count: int, size: tuple[int, int] = (1200, 1600)) -> list[Path]:
    """`count` distinct photos photo-1.jpg, photo-2.jpg, … in `folder`."""
    return [make_photo(folder / f"photo-{n}.jpg", n, size) for n in range(1, count + 1)]


def empty(path: Path) -> Path:
    """A file of no bytes."""
    path.write_bytes(b"")
    return path


def pdf(path: Path) -> Path:
    """A small real PDF, whatever `path` is called."""
    Image.new("RGB", (300, 400), "white").save(path, "PDF")
    return path


def svg(path: Path) -> Path:
    """An SVG with a script in it."""
    path.write_text('<svg xmlns="http://www.w3.org/2000/svg" width="900" height="900"><script>alert(1)</script></svg>')
    return path


def gif(path: Path) -> Path:
    """A GIF of two frames."""
    frames = [Image.new("P", (400, 400), n) for n in range(2)]
    frames[0].save(path, "GIF", save_all=True, append_images=frames[1:])
    return path


def html(path: Path) -> Path:
    """A web page."""
    path.write_text("<!doctype html><script>alert(1)</script>")
    return path


def truncated(path: Path, *, seed: int = 1, keep: float = 0.5) -> Path:
    """A photo of which only the first part arrived; the name's ending decides the format."""
    make_photo(path, seed, (600, 800))
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * keep)])
    return path


def png_of_size(path: Path, width: int, height: int, *, rows: int | None = None) -> Path:
    """A black RGB PNG of any size, about 0.5 % of its pixels' bytes; `rows` cuts the pixels short, not the promise."""
    line = zlib.compressobj(1)
    packed = [line.compress(bytes(1 + 3 * width)) for _ in range(height if rows is None else rows)]
    packed.append(line.flush())

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", b"".join(packed)) + chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + body)
    return path


def png_9000(path: Path) -> Path:
    """81 megapixels in about a megabyte: 240 MB once decoded."""
    return png_of_size(path, 9000, 9000)


def jpeg_48mp(path: Path) -> Path:
    """A plain 8000 × 6000 JPEG, as some phones make them."""
    Image.new("L", (8000, 6000), 90).save(path, "JPEG", quality=30)
    return path


def jpeg_12mp(path: Path, seed: int = 1) -> Path:
    """A photo as a phone makes it: 4032 × 3024."""
    return make_photo(path, seed, (4032, 3024), quality=90)


def big(path: Path, megabytes: int = 16) -> Path:
    """A good small JPEG followed by zeros up to `megabytes` (sparse: quick, and little on the disk)."""
    make_photo(path, 1, (600, 800))
    with path.open("r+b") as file:
        file.truncate(megabytes * 1024 * 1024)
    return path


def animated_webp(path: Path, seeds: Sequence[int] = (1, 2, 3)) -> Path:
    """A moving WebP; its first frame is `photo(seeds[0], (480, 640))`."""
    frames = [photo(seed, (480, 640)) for seed in seeds]
    frames[0].save(path, "WEBP", save_all=True, append_images=frames[1:], duration=100, quality=90)
    return path


def animated_png(path: Path) -> Path:
    """A moving PNG of two frames."""
    frames = [photo(seed, (480, 640)) for seed in (1, 2)]
    frames[0].save(path, "PNG", save_all=True, append_images=frames[1:], compress_level=1)
    return path


def rotated_jpeg(path: Path, seed: int = 1, orientation: int = 6) -> Path:
    """A phone's upright photo, 600 × 800: stored lying, with a note how to turn it."""
    return make_photo(path, seed, (600, 800), orientation=orientation)


def heic(path: Path, seed: int = 1, size: tuple[int, int] = (600, 800)) -> Path:
    """A photo as iPhones store it."""
    photo(seed, size).save(path, "HEIF", quality=70)
    return path


def mpo(path: Path) -> Path:
    """A phone's JPEG with a second picture behind the first."""
    photo(1, (600, 800)).save(path, "MPO", save_all=True, append_images=[photo(2, (600, 800))])
    return path


def polyglot(path: Path) -> Path:
    """A JPEG that is also a web page with a script and an archive: in its comment, and behind its end."""
    make_photo(path, 1, (600, 800))
    data = path.read_bytes()
    comment = b"*/--><html><script>alert('MARK-OF-SCRIPT')</script>"
    block = b"\xff\xfe" + struct.pack(">H", len(comment) + 2) + comment
    path.write_bytes(data[:2] + block + data[2:] + b"PK\x03\x04MARK-OF-ARCHIVE<?php system($_GET['c']); ?>")
    return path


def transparent_png(path: Path) -> Path:
    """400 × 400: the left half red, the right half see-through over hidden black."""
    picture = Image.new("RGBA", (400, 400), (0, 0, 0, 0))
    picture.paste((255, 0, 0, 255), (0, 0, 200, 400))
    picture.save(path, "PNG")
    return path


def deep_grey_png(path: Path) -> Path:
    """400 × 400, 16 bits of grey, left to right from black to white."""
    ramp = np.linspace(0, 65535, 400).astype(np.uint16)
    Image.fromarray(np.tile(ramp, (400, 1))).save(path, "PNG")
    return path


def cmyk_jpeg(path: Path) -> Path:
    """A printer's JPEG: 400 × 400 of plain cyan."""
    Image.new("CMYK", (400, 400), (255, 0, 0, 0)).save(path, "JPEG", quality=95)
    return path


def swapped_profile() -> bytes:
    """An ICC profile whose red is sRGB's green and the other way round: who ignores it shows the wrong colour.

    A minimal matrix profile, ICC.1:2001-04 section 6.3.1.2, gamma 2.2.
    """

    def xyz(x: float, y: float, z: float) -> bytes:
        return b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(v * 65536) for v in (x, y, z)))

    name = b"swapped\0"
    gamma = b"curv\0\0\0\0" + struct.pack(">IH", 1, round(2.2 * 256)) + b"\0\0"
    tags = {
        b"desc": b"desc\0\0\0\0" + struct.pack(">I", len(name)) + name + bytes(78),
        b"cprt": b"text\0\0\0\0none\0\0\0\0",
        b"wtpt": xyz(0.9642, 1.0, 0.8249),
        b"rXYZ": xyz(0.3851, 0.7169, 0.0971),
        b"gXYZ": xyz(0.4360, 0.2225, 0.0139),
        b"bXYZ": xyz(0.1431, 0.0606, 0.7141),
        b"rTRC": gamma,
        b"gTRC": gamma,
        b"bTRC": gamma,
    }
    table, body, start = struct.pack(">I", len(tags)), b"", 128 + 4 + 12 * len(tags)
    for tag, data in tags.items():
        padded = data + bytes(-len(data) % 4)
        table += tag + struct.pack(">II", start + len(body), len(data))
        body += padded
    size = start + len(body)
    head = struct.pack(">I4sI4s4s4s12x4s4s", size, b"none", 0x02400000, b"mntr", b"RGB ", b"XYZ ", b"acsp", b"\0\0\0\0")
    head = head.ljust(68, b"\0") + struct.pack(">3i", 63190, 65536, 54061)
    return head.ljust(128, b"\0") + table + body


def profiled_jpeg(path: Path, profile: bytes | None = None) -> Path:
    """400 × 400 of pure red in numbers; under `swapped_profile()` (the default) that means green."""
    Image.new("RGB", (400, 400), (255, 0, 0)).save(path, "JPEG", quality=95, icc_profile=profile or swapped_profile())
    return path


def blurred(path: Path, seed: int = 1) -> Path:
    """A photo out of focus, with a camera's noise."""
    soft = cv2.GaussianBlur(np.asarray(photo(seed, (900, 1200))), (0, 0), 6)
    noise = np.random.default_rng(seed).normal(0, 2, soft.shape)
    Image.fromarray((soft + noise).clip(0, 255).astype(np.uint8)).save(path, quality=88)
    return path


def dark(path: Path, seed: int = 1) -> Path:
    """A photo taken with almost no light."""
    photo(seed, (900, 1200)).point(lambda value: value // 8).save(path, quality=88)
    return path


@cache
def _portraits() -> tuple[Image.Image, ...]:
    crops = []
    for path, box in zip(
        (PORTRAIT, *FACES),
        ((140, 10, 330, 200), (250, 0, 710, 460), (90, 130, 560, 600), (330, 20, 880, 570)),
        strict=True,
    ):
        with Image.open(path) as image:
            crops.append(image.convert("RGB").crop(box))
    return tuple(crops)


def group(path: Path, head: int = 110, size: tuple[int, int] = (2400, 1600), seed: int = 77) -> Path:
    """Eight people in two rows before a made-up background; each face about `head` pixels high."""
    picture = photo(seed, size)
    tile = round(head * 1.9)
    for n in range(8):
        person = _portraits()[n % 4].resize((tile, tile), Image.Resampling.LANCZOS)
        if n >= 4:  # nobody looks the same twice
            person = person.transpose(_T.FLIP_LEFT_RIGHT)
        picture.paste(person, (150 + (n % 4) * (size[0] - 300) // 4, 300 + (n // 4) * (size[1] // 2)))
    picture.save(path, quality=92)
    return path


def on_its_side(path: Path, degrees: int = 90) -> Path:
    """The demo portrait, turned clockwise by `degrees` and with no note about it."""
    with Image.open(PORTRAIT) as image:
        image.rotate(-degrees, expand=True).save(path, quality=92)
    return path


def page_of_text(path: Path) -> Path:
    """A photographed page: no face, no colour, many edges."""
    picture = Image.new("RGB", (900, 1200), "white")
    pen = ImageDraw.Draw(picture)
    for line in range(40):
        pen.text((60, 30 + 28 * line), "Dear Eileen, happy birthday, and many more to come. " * 2, fill="black")
    picture.save(path, quality=88)
    return path


def chat(path: Path) -> Path:
    """A phone's screen with a conversation on it."""
    picture = Image.new("RGB", (780, 1690), (245, 245, 248))
    pen = ImageDraw.Draw(picture)
    for row in range(9):
        x, y, mine = (40, 240)[row % 2], 130 + row * 160, row % 2
        pen.rounded_rectangle((x, y, x + 500, y + 126), 26, fill=(0, 122, 255) if mine else (229, 229, 234))
        for line, words in enumerate(("Happy birthday, dear one!", "Are you coming home for the cake?")):
            pen.text((x + 26, y + 18 + line * 44), words, font_size=29, fill="white" if mine else "black")
    picture.save(path)
    return path


def jpeg_bytes(seed: int = 1, size: tuple[int, int] = (600, 800)) -> bytes:
    """A good JPEG in memory."""
    file = io.BytesIO()
    photo(seed, size).save(file, "JPEG", quality=88)
    return file.getvalue()
