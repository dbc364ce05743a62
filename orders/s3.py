"""Files on S3: private, never overwritten, typed when stored; botocore's troubles as the errors a disk would raise."""

from __future__ import annotations

import datetime as dt
import errno
import mimetypes
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from boto3.exceptions import Boto3Error
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from django.core.exceptions import ImproperlyConfigured
from django.utils.http import content_disposition_header
from s3transfer.exceptions import RetriesExceededError
from storages.backends.s3 import S3File, S3Storage
from storages.utils import clean_name

from .far import StorageAway

CONNECT_SECONDS = 5
READ_SECONDS = 30
# After the first try. botocore waits up to 1, 2 and 4 s before them; what lasts longer is the engine's to retry.
RETRIES = 3
CONNECTIONS = 32
# What pages show in place. Everything else, and above all what nobody has checked yet, is only ever a download.
SHOWN = ("image/", "video/", "audio/", "text/vtt")
MISSING = 404


@contextmanager
def reaching(name: str) -> Iterator[None]:
    """Say it as a disk would: FileNotFoundError for what is not there, StorageAway for everything else."""
    try:
        yield
    except ClientError as error:
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
        if status == MISSING and error.response["Error"]["Code"] != "NoSuchBucket":
            raise FileNotFoundError(errno.ENOENT, "no such object", name) from error
        raise StorageAway(f"{name}: {error}") from error
    except (BotoCoreError, Boto3Error, RetriesExceededError) as error:
        raise StorageAway(f"{name}: {error}") from error


def content_type(name: str) -> str:
    """The type a stored file is served with, by the suffix we gave it."""
    if name.endswith(".vtt"):
        return "text/vtt; charset=utf-8"
    return mimetypes.guess_type(name)[0] or "application/octet-stream"


class StoredFile(S3File):  # type: ignore[misc]  # django-storages has no types
    """An object, fetched into a temporary file at the first read."""

    def _get_file(self) -> Any:
        try:
            with reaching(self.name):
                return super()._get_file()
        except OSError:
            self._file = None  # else the next read would find an empty file, as if that were all
            raise

    file = property(_get_file, S3File._set_file)


class FilesOnS3(S3Storage):  # type: ignore[misc]  # django-storages has no types
    """The default storage of a site whose bucket is set. See `orders.far.Far` for what it adds."""

    def __init__(self, **options: Any) -> None:
        try:
            super().__init__(**options)
        except ValueError as error:
            raise ImproperlyConfigured("AWS_CLOUDFRONT_KEY is no private key in PEM form.") from error
        self.client_config = Config(
            signature_version=self.signature_version,
            s3={"addressing_style": self.addressing_style},
            connect_timeout=CONNECT_SECONDS,
            read_timeout=READ_SECONDS,
            retries={"mode": "standard", "max_attempts": RETRIES},
            max_pool_connections=CONNECTIONS,
            # Compatible servers do not all know the newer checksums.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        )
        self._made: tuple[int, Any] | None = None

    @property
    def connection(self) -> Any:
        """One client for the whole process. Making one takes a quarter of a second, and every request has a new thread.

        A fork makes its own: two processes on one connection read each other's answers.
        """
        made = self._made
        if made is None or made[0] != os.getpid():
            self._connections = threading.local()
            made = self._made = (os.getpid(), super().connection)
        return made[1]

    @property
    def bucket(self) -> Any:
        """The bucket, by this process's client."""
        return self.connection.Bucket(self.bucket_name)

    def get_object_parameters(self, name: str) -> dict[str, Any]:
        """Type, disposition and caching, kept with the object and sent along by S3 and CloudFront."""
        kind = content_type(name)
        return {
            "ContentType": kind,
            "ContentDisposition": "inline" if kind.startswith(SHOWN) else "attachment",
            "CacheControl": "private, max-age=3600",
        }

    def _open(self, name: str, mode: str = "rb") -> StoredFile:
        with reaching(name):
            return StoredFile(self._normalize_name(clean_name(name)), mode, self)

    def _save(self, name: str, content: Any) -> str:
        with reaching(name):
            return str(super()._save(name, content))

    def delete(self, name: str) -> None:
        """Remove the object; one that is gone is gone. Raises StorageAway."""
        with reaching(name):
            super().delete(name)

    def exists(self, name: str) -> bool:
        """Whether the object is there. Raises StorageAway."""
        with reaching(name):
            return bool(super().exists(name))

    def size(self, name: str) -> int:
        """Bytes. Raises FileNotFoundError, StorageAway."""
        with reaching(name):
            return int(super().size(name))

    def get_modified_time(self, name: str) -> dt.datetime:
        """When it was written. Raises FileNotFoundError, StorageAway."""
        with reaching(name):
            written: dt.datetime = super().get_modified_time(name)
        return written

    def listdir(self, name: str) -> tuple[list[str], list[str]]:
        """Folders and files of one folder, all in memory; `walk` is for more. Raises StorageAway."""
        with reaching(name):
            folders, found = super().listdir(name)
        return folders, found

    def signed_url(self, name: str, *, seconds: int, filename: str = "", method: str = "GET") -> str:
        """See Far. CloudFront takes any method; S3 the signed one alone. Raises StorageAway."""
        asked = {}
        if filename:
            key = "response-content-disposition" if self.custom_domain else "ResponseContentDisposition"
            asked[key] = content_disposition_header(True, filename) or "attachment"
        with reaching(name):
            return str(self.url(name, asked, expire=seconds, http_method=method))

    def upload_form(self, name: str, *, kind: str, most: int, seconds: int) -> dict[str, Any]:
        """See Far. `kind` is an image/ type. The signed policy holds name, type, size and disposition."""
        # Unchecked bytes must never be a page of the bucket's origin.
        fixed = {"success_action_status": "201", "Content-Disposition": "attachment"}
        limits = [["content-length-range", 1, most], ["starts-with", "$Content-Type", "image/"]]
        with reaching(name):
            form: dict[str, Any] = self.connection.meta.client.generate_presigned_post(
                self.bucket_name,
                self._normalize_name(clean_name(name)),
                Fields={**fixed, "Content-Type": kind},
                Conditions=[*limits, *({key: value} for key, value in fixed.items())],
                ExpiresIn=seconds,
            )
        return form

    def copy(self, source: str, target: str) -> str:
        """See Far. Raises FileNotFoundError, StorageAway."""
        with reaching(source):
            key = self._normalize_name(clean_name(source))
            self.bucket.Object(self._normalize_name(clean_name(target))).copy_from(
                CopySource={"Bucket": self.bucket_name, "Key": key}
            )
        return target

    def walk(self, folder: str) -> Iterator[tuple[str, dt.datetime]]:
        """See Far. A thousand names at a time. Raises StorageAway."""
        with reaching(folder):
            pages = self.connection.meta.client.get_paginator("list_objects_v2")
            for page in pages.paginate(Bucket=self.bucket_name, Prefix=f"{folder}/"):
                for entry in page.get("Contents", ()):
                    yield entry["Key"], entry["LastModified"]
