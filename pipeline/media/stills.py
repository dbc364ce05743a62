"""Photos as they come in: what a file really is, and a clean upright sRGB JPEG made from it.

Bytes decide, names never. Re-encoding is the defence: whatever else a file carries (scripts, archives, places, serial
numbers) stays behind, because only pixels are copied.
"""

from __future__ import annotations

import io
import math
import os
import re
import secrets
import struct
import zlib
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import cv2
import numpy as np
import pillow_heif
from PIL import ExifTags, Image, ImageCms, ImageFile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pillow_heif.register_heif_opener(thumbnails=False, depth_images=False, aux_images=False, decode_threads=2)

MAX_BYTES = 15 * 1024 * 1024
MAX_PIXELS = 50_000_000  # phones take 48 million and a little more
MIN_SIDE = 200  # shorter side in pixels: below it a film frame would be a blur
SOFT_SIDE = 480  # below it the photo works, but looks soft
MAX_ASPECT = 8.0  # longer panoramas leave nothing worth showing once they are scaled
MAX_PROFILE_BYTES = 4 * 1024 * 1024

# A phone's MPO (a JPEG with further pictures behind the first) comes in through the JPEG reader.
_READERS = ("JPEG", "PNG", "WEBP", "HEIF")
_NAMES = {"MPO": "JPEG", "HEIF": "HEIC"}
# How those files begin: what begins so and cannot be opened is a damaged photo, not something else.
_BEGINNINGS = re.compile(rb"\xff\xd8\xff|\x89PNG\r\n\x1a\n|RIFF....WEBP|....ftyp(?:hei|hev|mif1|msf1)", re.DOTALL)

# Everything Pillow's readers are known to raise on hostile bytes. MemoryError is not among them: once the header has
# passed, it means that the machine is short of memory, and that is not the photo's fault.
_DECODER_FAULTS = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    ArithmeticError,
    RuntimeError,
    AssertionError,
    EOFError,
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
    Image.DecompressionBombWarning,
)

# EXIF orientation (tag 0x0112) to the turn that makes it upright; EXIF 2.32, section 4.6.4.
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
CLOCKWISE = {90: Image.Transpose.ROTATE_270, 180: Image.Transpose.ROTATE_180, 270: Image.Transpose.ROTATE_90}

_BAND_ROWS = 96


def gettext_noop(text: str) -> str:
    """Mark a sentence for the translators without translating it; makemessages looks for this name."""
    return text


_SENTENCES = {
    "empty": gettext_noop("This file is empty. Please choose the photo again."),
    "too_big": gettext_noop("This file is larger than %(megabytes)d MB. A smaller copy of the photo will do."),
    "not_a_photo": gettext_noop("This file is not a photo we can open. JPEG, PNG, WebP and HEIC work."),
    "too_many_pixels": gettext_noop("This photo has more than %(megapixels)d megapixels. A smaller copy will do."),
    "too_small": gettext_noop("This photo is too small for a film: its shorter side needs %(pixels)d pixels or more."),
    "too_narrow": gettext_noop("This picture is very long and narrow. Please crop it to the part that matters."),
    "incomplete": gettext_noop("This photo arrived incomplete or damaged. Please send it again, or another copy."),
}
_PARAMS: dict[str, int] = {"megabytes": MAX_BYTES // 1024**2, "megapixels": MAX_PIXELS // 1_000_000, "pixels": MIN_SIDE}


class PhotoFault(Exception):  # noqa: N818 - the fault is the photo's, not an error of ours
    """A file we cannot take. `code` is one of `FAULTS`, `msgid` and `params` its sentence for translation."""

    def __init__(self, code: str) -> None:
        self.code = code
        self.msgid = _SENTENCES[code]
        self.params = {name: value for name, value in _PARAMS.items() if f"%({name})" in self.msgid}
        super().__init__(f"{code}: {self.sentence}")

    @property
    def sentence(self) -> str:
        """What the fan reads, in English."""
        return self.msgid % self.params


FAULTS = tuple(_SENTENCES)


@dataclass(frozen=True, slots=True)
class Header:
    """What a file says it is: pixels as stored (before any turn), JPEG, PNG, WEBP or HEIC, and whether it moves."""

    width: int
    height: int
    format: str
    animated: bool


@dataclass(frozen=True, slots=True)
class Still:
    """A photo taken in: pixels of the upright JPEG written, and what is remembered of the file it came from.

    `rotated`: the camera's note asked for a turn, and got it. `taken_at` has a zone only where the camera wrote one.
    """

    width: int
    height: int
    format: str
    animated: bool
    rotated: bool
    taken_at: datetime | None
    source_width: int
    source_height: int


def look(source: Path | bytes | IO[bytes]) -> Header:
    """Read the header of an upload and say whether it can be taken. Decodes no pixels; a stream is left at its start.

    Raises PhotoFault.
    """
    with _stream(source) as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(0)
        if size == 0:
            raise PhotoFault("empty")
        if size > MAX_BYTES:
            raise PhotoFault("too_big")
        try:
            # Not closed by `with`: the stream is the caller's.
            return _header(_open(file))
        except MemoryError as why:
            raise PhotoFault("too_many_pixels") from why
        finally:
            file.seek(0)


def ingest(source: Path, out: Path, *, longest: int = 3000) -> Still:
    """Make a clean JPEG of a photo at `out`: upright, sRGB, alpha on white, no metadata, at most `longest` pixels long.

    Animations give their first frame. `out` appears whole or not at all. Raises PhotoFault.
    """
    look(source)
    # face_recognition switches this on for the whole process when it is imported; half a photo would then pass as grey.
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    with source.open("rb") as file:
        image = _open(file)
        header = _header(image)
        exif = _exif(image)
        turn = _UPRIGHT.get(exif.get(ExifTags.Base.Orientation, 1))
        try:
            profile = image.info.get("icc_profile")
            picture = _srgb(_shrink(_bands(image, file, longest), longest), profile)
        except _DECODER_FAULTS as why:
            raise PhotoFault("incomplete") from why
        finally:
            image.close()
    if turn is not None:
        picture = picture.transpose(turn)
    _save(picture, out)
    return Still(
        width=picture.width,
        height=picture.height,
        format=header.format,
        animated=header.animated,
        rotated=turn is not None,
        taken_at=_taken_at(exif),
        source_width=header.width,
        source_height=header.height,
    )


def turn(path: Path, degrees: int) -> tuple[int, int]:
    """Turn a JPEG of ours clockwise by 90, 180 or 270 degrees, in place; its new width and height in pixels."""
    with Image.open(path) as image:
        turned = image.transpose(CLOCKWISE[degrees])
    _save(turned, path)
    return turned.size


def thumbnail(source: Path, out: Path, *, box: tuple[int, int] = (480, 480)) -> tuple[int, int]:
    """Write a small JPEG that fits into `box` pixels, from a JPEG of ours; its width and height. Never enlarges."""
    with Image.open(source) as image:
        image.thumbnail(box, Image.Resampling.LANCZOS, reducing_gap=2.0)
        small = image.convert("RGB")
    _save(small, out, quality=84)
    return small.size


def grey(source: Path | Image.Image, longest: int) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """The luma of a photo of ours as an array (height, width), at most `longest` pixels long; never enlarged."""
    if isinstance(source, Path):
        with Image.open(source) as image:
            image.draft("L", (longest, longest))
            return grey(image, longest)
    scale = min(1.0, longest / max(source.size))
    size = (max(1, round(source.width * scale)), max(1, round(source.height * scale)))
    return np.asarray(
        source.convert("L").resize(size, Image.Resampling.BOX if scale < 0.5 else Image.Resampling.BICUBIC)
    )


def sharpness(image: Path | Image.Image) -> float:
    """How sharp the sharpest parts are: variance of the Laplacian at 800 px, over the local contrast; see `BLURRED`.

    The variance of the Laplacian is Pech-Pacheco et al., "Diatom autofocusing in brightfield microscopy" (2000). It is
    taken after a smoothing of 1 px, because noise is not detail; per tile, because a portrait before a soft background
    is a sharp photo; and divided by the tile's own variance, because a low-contrast photo is not a blurred one.
    """
    luma = cv2.GaussianBlur(grey(image, 800).astype(np.float32), (0, 0), 1.0)
    edges = cv2.Laplacian(luma, cv2.CV_32F)
    scores = []
    for rows, edge_rows in zip(np.array_split(luma, 6), np.array_split(edges, 6), strict=True):
        for tile, edge in zip(np.array_split(rows, 6, 1), np.array_split(edge_rows, 6, 1), strict=True):
            if tile.size:
                scores.append(float(edge.var()) / (float(tile.var()) + _GRAIN))
    return float(np.percentile(scores, 85))


# Measured on nine photos: sharp 0.015 to 0.092; blurred by 3 px of 800, with and without noise, up to 0.004; by 2 px up
# to 0.008. Motion blur in one direction passes: the edges along it stay sharp.
BLURRED = 0.008
_GRAIN = 200.0  # grey levels squared: below this a tile is flat, and its noise would count as sharpness


def brightness(image: Path | Image.Image) -> float:
    """How bright the bright parts are, 0 to 1: the 99th percentile of luma: stars and lit stages are not "dark"."""
    return float(np.percentile(grey(image, 400), 99)) / 255


DARK = 0.3  # the nine photos lie between 0.55 and 0.99; three stops under, below 0.3


@contextmanager
def _stream(source: Path | bytes | IO[bytes]) -> Iterator[IO[bytes]]:
    if isinstance(source, Path):
        with source.open("rb") as file:
            yield file
    elif isinstance(source, bytes):
        yield io.BytesIO(source)
    else:
        yield source


def _open(file: IO[bytes]) -> Image.Image:
    try:
        return Image.open(file, formats=_READERS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as why:
        raise PhotoFault("too_many_pixels") from why
    except _DECODER_FAULTS as why:
        file.seek(0)
        raise PhotoFault("incomplete" if _BEGINNINGS.match(file.read(16)) else "not_a_photo") from why


def _header(image: Image.Image) -> Header:
    width, height = image.size
    if width * height > MAX_PIXELS:
        raise PhotoFault("too_many_pixels")
    if min(width, height) < MIN_SIDE:
        raise PhotoFault("too_small")
    if max(width, height) > MAX_ASPECT * min(width, height):
        raise PhotoFault("too_narrow")
    name = image.format or ""
    moving = name in {"PNG", "WEBP"} and bool(getattr(image, "is_animated", False))
    return Header(width, height, _NAMES.get(name, name), moving)


def _exif(image: Image.Image) -> Image.Exif:
    try:
        return image.getexif()
    except _DECODER_FAULTS:
        return Image.Exif()  # notes that cannot be read are no reason to refuse the picture


def _taken_at(exif: Image.Exif) -> datetime | None:
    try:
        notes = exif.get_ifd(ExifTags.IFD.Exif)
        for date, offset in (
            (ExifTags.Base.DateTimeOriginal, ExifTags.Base.OffsetTimeOriginal),
            (ExifTags.Base.DateTimeDigitized, ExifTags.Base.OffsetTimeDigitized),
        ):
            taken = _moment(notes.get(date), notes.get(offset))
            if taken is not None:
                return taken
    except _DECODER_FAULTS:
        return None
    return None


def _moment(date: object, offset: object) -> datetime | None:
    """An EXIF date and zone as a moment; None for whatever is not a plausible date of a photo."""
    if not isinstance(date, str) or len(date) > 40:
        return None
    try:
        taken = datetime.strptime(date.strip("\0 "), "%Y:%m:%d %H:%M:%S")
    except ValueError:
        return None
    if taken.year < 1840 or taken > datetime.now() + timedelta(days=2):
        return None
    if isinstance(offset, str) and len(offset) <= 10:
        try:
            return taken.replace(tzinfo=datetime.strptime(offset.strip("\0 "), "%z").tzinfo)
        except ValueError:
            return taken  # the date still orders the photos without its zone
    return taken


@dataclass(frozen=True, slots=True)
class _Bands:
    """Decoded pixels, handed out in bands of whole rows `[first, last)`."""

    width: int
    height: int
    cut: Callable[[int, int], Image.Image]


def _bands(image: Image.Image, file: IO[bytes], longest: int) -> _Bands:
    """Decode. Pillow holds 4 bytes a pixel, and its WebP and HEIC readers up to 15: those two are decoded around it."""
    if image.format == "WEBP" and not getattr(image, "is_animated", False):
        file.seek(0)
        pixels = cv2.imdecode(np.frombuffer(file.read(), np.uint8), cv2.IMREAD_UNCHANGED)
        if pixels is None:
            raise PhotoFault("incomplete")
        rgb = cv2.COLOR_BGRA2RGBA if pixels.shape[2] == 4 else cv2.COLOR_BGR2RGB
        return _Bands(
            pixels.shape[1],
            pixels.shape[0],
            lambda first, last: Image.fromarray(cv2.cvtColor(pixels[first:last], rgb)),
        )
    if image.format == "HEIF":
        file.seek(0)
        planes = np.asarray(pillow_heif.open_heif(file, convert_hdr_to_8bit=True))
        return _Bands(planes.shape[1], planes.shape[0], lambda first, last: Image.fromarray(planes[first:last]))
    scale = max(1.0, max(image.size) / longest)
    # JPEG only: decode at 1/2, 1/4 or 1/8. Both sides are given: draft stops at the first one that gets too short.
    image.draft(None, (round(image.width / scale), round(image.height / scale)))
    image.load()
    return _Bands(image.width, image.height, lambda first, last: image.crop((0, first, image.width, last)))


def _shrink(source: _Bands, longest: int) -> Image.Image:
    """The photo as RGB or CMYK, at most `longest` pixels long; in bands: a second full copy would cost 160 MB."""
    scale = max(1.0, max(source.width, source.height) / longest)
    width, height = max(1, round(source.width / scale)), max(1, round(source.height / scale))
    step_x, step_y = source.width / width, source.height / height
    margin = math.ceil(3 * step_y) + 1  # Lanczos reaches 3 output pixels' worth of source to either side
    result: Image.Image | None = None
    for top in range(0, height, _BAND_ROWS):
        bottom = min(top + _BAND_ROWS, height)
        first = max(0, math.floor(top * step_y) - margin)
        last = min(source.height, math.ceil(bottom * step_y) + margin)
        band = _flat(source.cut(first, last))
        if scale > 1.0:
            box = (0.0, top * step_y - first, width * step_x, bottom * step_y - first)
            band = band.resize((width, bottom - top), Image.Resampling.LANCZOS, box=box)
        else:
            band = band.crop((0, top - first, width, bottom - first))
        if result is None:
            result = Image.new(band.mode, (width, height))
        result.paste(band, (0, top))
    assert result is not None
    return result


def _flat(image: Image.Image) -> Image.Image:
    """Any mode as RGB on white; CMYK stays for its colour profile."""
    if image.mode in {"RGB", "CMYK"}:
        return image
    if image.mode.startswith("I;16") or image.mode == "I":
        deep = np.asarray(image).astype(np.int64)  # 16-bit grey: Pillow's own conversion clips instead of scaling
        return Image.fromarray((deep.clip(0, 65535) >> 8).astype(np.uint8)).convert("RGB")
    if image.has_transparency_data:
        layer = image.convert("RGBA")
        white = Image.new("RGB", layer.size, "white")
        white.paste(layer, mask=layer.getchannel("A"))
        return white
    return image.convert("RGB")


_SRGB = ImageCms.createProfile("sRGB")


def _srgb(image: Image.Image, profile: object) -> Image.Image:
    """Convert from the embedded ICC profile; a profile that is broken or does not fit the picture is left out."""
    if isinstance(profile, bytes) and 128 <= len(profile) <= MAX_PROFILE_BYTES:
        try:
            converted = ImageCms.profileToProfile(
                image,
                ImageCms.ImageCmsProfile(io.BytesIO(profile)),
                ImageCms.ImageCmsProfile(_SRGB),
                renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
                outputMode="RGB",
                flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
            )
        except (ImageCms.PyCMSError, *_DECODER_FAULTS):
            return image.convert("RGB")
        if converted is not None:
            return converted
    return image.convert("RGB")


def _save(image: Image.Image, out: Path, *, quality: int = 92) -> None:
    """Write a JPEG under a name of this attempt's own, then move it: readers never see half a file."""
    # Small photos are enlarged by the film, and 4:2:0 would show as coloured fringes; large ones are scaled down to it.
    subsampling = 0 if max(image.size) < 2000 else 2
    draft = out.with_name(f".{out.name}.{secrets.token_hex(4)}.part")
    try:
        image.save(draft, "JPEG", quality=quality, subsampling=subsampling, exif=b"", icc_profile=None)
        draft.replace(out)
    finally:
        draft.unlink(missing_ok=True)
