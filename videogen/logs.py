"""What must not stand in a log: links that open something."""

from __future__ import annotations

import logging
import re

# The part of an address that is a key: of a stored file, of a payment, of a webhook.
_KEYS = re.compile(r"(/(?:media|pay|hooks/[\w-]+)/)[^/\s\"']{8,}")


def without_keys(text: str) -> str:
    """The text with the keys in its addresses cut out."""
    return _KEYS.sub(r"\1…", text)


class WithoutKeys(logging.Filter):
    """Cuts keys out of messages and their arguments; everything else is let through as it is."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Always lets the record through."""
        if isinstance(record.msg, str):
            record.msg = without_keys(record.msg)
        if isinstance(record.args, tuple):
            record.args = tuple(without_keys(arg) if isinstance(arg, str) else arg for arg in record.args)
        return True
