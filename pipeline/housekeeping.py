"""Files that no row names: what a crash between storage and database leaves behind, found and removed."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Iterator

from django.core.files.storage import default_storage
from django.utils import timezone

from accounts.models import User
from orders.models import Photo

from .models import Call, Cut, Narration, Take

log = logging.getLogger(__name__)

# A file stands for a moment before its row does; after this it never will.
YOUNG = dt.timedelta(hours=1)
# A code is good for minutes; an account nobody has opened after this was never wanted.
UNPROVEN = dt.timedelta(days=1)


def known_names() -> set[str]:
    """The names of all stored files that rows speak of."""
    names: set[str] = set()
    for original, file, thumb in Photo.objects.values_list("original", "file", "thumb"):
        names |= {original, file, thumb}
    for film, poster, captions in Cut.objects.values_list("file", "poster", "captions"):
        names |= {film, poster, captions}
    names |= set(Narration.objects.values_list("audio", flat=True))
    names |= set(Take.objects.values_list("file", flat=True))
    for made in Call.objects.values_list("files", flat=True):
        names |= set(made.values())
    return names - {""}


def orphans(known: set[str]) -> Iterator[str]:
    """Stored files that no row speaks of and that are not young any more."""
    before = timezone.now() - YOUNG
    for name in _walk(""):
        if name not in known and default_storage.get_modified_time(name) < before:
            yield name


def _walk(folder: str) -> Iterator[str]:
    try:
        folders, found = default_storage.listdir(folder)
    except FileNotFoundError:
        return
    for name in found:
        yield f"{folder}/{name}" if folder else name
    for name in folders:
        yield from _walk(f"{folder}/{name}" if folder else name)


def clear() -> int:
    """Remove orphans. Returns how many there were."""
    gone = 0
    for name in list(orphans(known_names())):
        default_storage.delete(name)
        gone += 1
    if gone:
        log.info("Removed %d files that no row names.", gone)
    return gone


def forget_unproven() -> int:
    """Remove accounts that an address was typed for a day ago, and no code was ever: nobody's, and of no use."""
    unproven = User.objects.filter(
        last_login=None,
        is_staff=False,
        orders=None,
        creator=None,
        date_joined__lt=timezone.now() - UNPROVEN,
    )
    gone, _kinds = unproven.delete()
    return gone
