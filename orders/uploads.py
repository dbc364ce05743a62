"""The gate: what an uploaded file must be before it is kept. Bytes decide, never names; only the header is read here.

The thorough look (decoding, orientation, metadata, faces) is a worker's, later.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

import pillow_heif
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext as _
from PIL import Image

pillow_heif.register_heif_opener()

# MPO, the phones' two-in-one JPEG, is opened by the JPEG reader.
FORMATS = ("JPEG", "PNG", "WEBP", "HEIF")
# A 230 KB PNG of 9000×9000 takes 305 MB once decoded: refused on the header's word.
MAX_PIXELS = 50_000_000
MAX_LABEL = 120
# What Pillow's and libheif's readers raise on broken headers.
BROKEN = (
    OSError,
    ValueError,
    SyntaxError,
    EOFError,
    RuntimeError,
    KeyError,
    IndexError,
    TypeError,
    Image.DecompressionBombError,
)


class Refused(Exception):  # noqa: N818  (said to people)
    """A file was not taken. The message is a sentence for the fan."""


class NoRoom(Refused):
    """The file is well, and there is no room for it now: it may be sent again once another has been taken out."""


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that passed the gate; width and height in pixels, size in bytes."""

    file: UploadedFile[Any]
    label: str
    sha256: str
    size: int
    width: int
    height: int


def label(name: str | None) -> str:
    """A file's name as it may be shown: no folders, nothing unseen, at most 120 characters."""
    plain = re.sub(r"[^\w .,()&+'-]", "_", PurePath((name or "").replace("\\", "/")).name)
    return plain.strip()[-MAX_LABEL:] or _("photo")


def megabytes(size: int) -> int:
    """Bytes as whole megabytes, as said to people."""
    return size // (1024 * 1024)


def unreadable(name: str) -> Refused:
    """The refusal of what is no photo."""
    return Refused(_("“%(name)s” is not a photo we can read. JPEG, PNG, WebP and HEIC photos work.") % {"name": name})


def weigh(name: str, size: int) -> None:
    """Raises Refused for a file of no bytes, or of more than a photo may have."""
    if size <= 0:
        raise Refused(_("“%(name)s” is empty: there is nothing in the file.") % {"name": name})
    if size > settings.MAX_PHOTO_BYTES:
        limit = megabytes(settings.MAX_PHOTO_BYTES)
        raise Refused(_("“%(name)s” is too big: a photo may have up to %(limit)d MB.") % {"name": name, "limit": limit})


def gate(file: UploadedFile[Any]) -> Upload:
    """Look at an uploaded file's size and header. Raises Refused with the sentence for the fan."""
    name = label(file.name)
    size = file.size or 0
    weigh(name, size)
    width, height = _measure(file, name)
    if width * height > MAX_PIXELS:
        raise Refused(
            _("“%(name)s” has %(pixels)d megapixels; up to %(limit)d fit. Please save it smaller and add it again.")
            % {"name": name, "pixels": width * height // 1_000_000, "limit": MAX_PIXELS // 1_000_000}
        )
    digest = hashlib.sha256()
    file.seek(0)
    for chunk in file.chunks():
        digest.update(chunk)
    file.seek(0)
    return Upload(file=file, label=name, sha256=digest.hexdigest(), size=size, width=width, height=height)


def _measure(file: UploadedFile[Any], name: str) -> tuple[int, int]:
    """Width and height by the header alone; nothing is decoded."""
    try:
        file.seek(0)
        with Image.open(file, formats=FORMATS) as image:
            return image.size
    except BROKEN as broken:
        raise unreadable(name) from broken
