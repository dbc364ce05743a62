"""Is it the disk? A machine without room is nobody's fault: what was asked for waits, or is asked for again."""

from __future__ import annotations

import errno
import shutil

from django.conf import settings

FULL = {errno.ENOSPC, errno.EDQUOT}
# Below this, encoders and databases fail in words of their own.
LEAST_FREE = 32 * 1024 * 1024


def is_full(error: BaseException) -> bool:
    """Whether an error comes from a disk without room: it says so itself, or there are less than 32 MB left."""
    return getattr(error, "errno", None) in FULL or shutil.disk_usage(settings.VAR_DIR).free < LEAST_FREE
