"""Storage that stands elsewhere: what it can do that a folder cannot, and how it fails."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any, Protocol, runtime_checkable

from django.core.files.storage import storages


class StorageAway(OSError):  # noqa: N818  (said of the place, not of the file)
    """The storage does not answer or does not let us in. The same again in a minute may well work."""


@runtime_checkable
class Far(Protocol):
    """What `orders.s3.FilesOnS3` offers besides Django's storage. A folder has none of it.

    A protocol, so that a site with its files in a folder never loads the S3 client: 30 MB in every process.
    """

    def signed_url(self, name: str, *, seconds: int, filename: str = "", method: str = "GET") -> str:
        """An address that gives the file to anyone for so long; as a download where `filename` is given."""

    def upload_form(self, name: str, *, kind: str, most: int, seconds: int) -> dict[str, Any]:
        """`url` and `fields` of a form that puts one file of up to `most` bytes under exactly this name."""

    def copy(self, source: str, target: str) -> str:
        """Copy a stored file without moving its bytes through us; the new name."""

    def walk(self, folder: str) -> Iterator[tuple[str, dt.datetime]]:
        """Every file below a folder with the time it was written, in pages: any number of them."""


def far() -> Far | None:
    """The far storage where the site has one; None where its files stand in a folder."""
    found = storages["default"]
    return found if isinstance(found, Far) else None
