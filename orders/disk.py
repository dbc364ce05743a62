"""Is it where files stand? For a disk without room, or a storage that is away, what was asked for waits."""

from __future__ import annotations

import errno
import shutil

from django.conf import settings

from .far import StorageAway

FULL = {errno.ENOSPC, errno.EDQUOT}
# Below this, encoders and databases fail in words of their own.
LEAST_FREE = 32 * 1024 * 1024


def is_at_fault(error: BaseException) -> bool:
    """Whether an error comes from where files stand, here or far away: nothing is wrong with what was being done."""
    return isinstance(error, StorageAway) or is_full(error)


def is_full(error: BaseException) -> bool:
    """Whether an error comes from a disk without room: it says so itself, or there are less than 32 MB left."""
    return getattr(error, "errno", None) in FULL or shutil.disk_usage(settings.VAR_DIR).free < LEAST_FREE
