"""Files that no row names: what a crash between storage and database leaves behind, found and removed."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Collection, Container, Iterator
from itertools import chain, islice
from typing import Any

from django.core.files.storage import default_storage
from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import User
from orders.far import StorageAway, far
from orders.models import Photo

from .models import Call, Cut, FirstLook, Narration, Rendition, Take

log = logging.getLogger(__name__)

# A file stands for a moment before its row does; after this it never will.
YOUNG = dt.timedelta(hours=1)
# Where our files stand, each below its order's code.
FOLDERS = ("orders", "films")
BATCH = 1000
# A code is good for minutes; an account nobody has opened after this was never wanted.
UNPROVEN = dt.timedelta(days=1)
# The same film can be cut again at any time; until then whoever follows a link to an older one still gets it.
REPLACED = dt.timedelta(days=1)


def known_names(codes: Collection[str] | None = None) -> set[str]:
    """The names of all stored files that rows speak of, or of those in the folders of some orders."""

    def of(rows: QuerySet[Any], order: str) -> QuerySet[Any]:
        return rows if codes is None else rows.filter(**{f"{order}__code__in": codes})

    names: set[str] = set()
    for original, file, thumb in of(Photo.objects.all(), "order").values_list("original", "file", "thumb"):
        names |= {original, file, thumb}
    cuts = of(Cut.objects.all(), "production__order")
    for film, poster, captions, sheet in cuts.values_list("file", "poster", "captions", "sheet"):
        names |= {film, poster, captions, sheet.get("file", "")}
    names |= set(of(Rendition.objects.all(), "cut__production__order").values_list("file", flat=True))
    names |= set(of(Narration.objects.all(), "scene__script__production__order").values_list("audio", flat=True))
    takes = of(Take.objects.all(), "shot__scene__script__production__order")
    for clip, small, pieces in takes.values_list("file", "thumb", "segments"):
        names |= {clip, small, *pieces.values()}
    looks = of(FirstLook.objects.all(), "production__order")
    for film, poster, pieces in looks.values_list("file", "poster", "segments"):
        names |= {film, poster, *pieces.values()}
    for made in of(Call.objects.all(), "step__production__order").values_list("files", flat=True):
        names |= set(made.values())
    return names - {""}


def orphans(known: Container[str] | None = None) -> Iterator[str]:
    """Stored files that no row speaks of and that are not young any more.

    Without `known` the rows are asked a batch at a time, so any number of files takes the same memory.
    """
    return chain.from_iterable(_batches(known))


def _batches(known: Container[str] | None) -> Iterator[list[str]]:
    """The orphans of one batch of stored files after the other; of most there are none."""
    before = timezone.now() - YOUNG
    stored = _stored()
    while batch := list(islice(stored, BATCH)):
        spoken_of = known_names({name.split("/")[1] for name, _ in batch}) if known is None else known
        yield [name for name, written in batch if name not in spoken_of and written < before]


def stored_of(code: str) -> Iterator[str]:
    """Every stored file in the folders of one order, named by a row or not."""
    store = far()
    for folder in FOLDERS:
        below = f"{folder}/{code}"
        yield from (name for name, _ in (_below(below) if store is None else store.walk(below)))


def _stored() -> Iterator[tuple[str, dt.datetime]]:
    """Every file in our folders and when it was written. A bucket may hold what is not ours."""
    store = far()
    for folder in FOLDERS:
        yield from _below(folder) if store is None else store.walk(folder)


def _below(folder: str) -> Iterator[tuple[str, dt.datetime]]:
    try:
        folders, found = default_storage.listdir(folder)
    except FileNotFoundError:
        return
    for name in found:
        try:
            written = default_storage.get_modified_time(f"{folder}/{name}")
        except FileNotFoundError:  # removed since
            continue
        yield f"{folder}/{name}", written
    for name in folders:
        yield from _below(f"{folder}/{name}")


def clearing() -> Iterator[int]:
    """Remove orphans, and say how many are gone after each of them and after each batch of files that were looked at.

    A bucket may take minutes: whoever has something else to do stops in between. A storage that is away is left for the
    next time.
    """
    gone = 0
    try:
        for batch in _batches(None):
            for name in batch:
                default_storage.delete(name)
                gone += 1
                yield gone
            yield gone
    except StorageAway as error:
        log.warning("The storage cannot be tidied now: %s", error)
    if gone:
        log.info("Removed %d files that no row names.", gone)


def clear() -> int:
    """Remove all orphans; how many there were."""
    return max(clearing(), default=0)


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


def forget_replaced() -> int:
    """Remove renditions of cuts that are nobody's film any more, a day after; their files follow as orphans."""
    old = Rendition.objects.filter(cut__deliveries=None, asked_at__lt=timezone.now() - REPLACED)
    gone, _kinds = old.delete()
    return gone
