"""Files of a production: made under a temporary name, published whole under an unguessable one, fetched to work on."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.core.files import File
from django.core.files.storage import default_storage

from orders.codes import token
from orders.faults import faultpoint

CHUNK = 1024 * 1024
# Seconds a large file may be on its way to or from a far storage, which shows no sign of life meanwhile.
PATIENCE = 300.0


@contextmanager
def workspace(name: str) -> Iterator[Path]:
    """A folder of one attempt's own; gone afterwards, whatever happens."""
    base = settings.VAR_DIR / "work"
    base.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=base))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def kept() -> Path:
    """Where is kept what many films show, once it is drawn. Anybody may empty it; what nobody uses, the sweep does."""
    return Path(settings.VAR_DIR) / "kept"


def publish(path: Path, folder: str) -> str:
    """Put a finished file into storage; the name it got there. The suffix stays, the rest is unguessable."""
    faultpoint("files.before_publish")
    with path.open("rb") as source:
        name = default_storage.save(f"{folder}/{token()}{path.suffix}", File(source))
    faultpoint("files.after_publish")
    return str(name)


def reach() -> None:
    """Ask storage for nothing in particular. Raises StorageAway."""
    default_storage.exists("films/.there")


def fetch(name: str, folder: Path) -> Path:
    """Copy a stored file into a work folder; its path there. Storage may be far away, so there is no shortcut."""
    target = folder / Path(name).name
    if target.exists():
        return target
    draft = target.with_name(f".{target.name}.part")
    with default_storage.open(name, "rb") as source, draft.open("wb") as out:
        shutil.copyfileobj(source, out, CHUNK)
    draft.replace(target)
    return target


def sha256(path: Path) -> str:
    """A file's hash."""
    digest = hashlib.sha256()
    with path.open("rb") as source:
        while chunk := source.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
