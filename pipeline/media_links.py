"""Short-lived signed links to stored files: what a browser may fetch, until when."""

from __future__ import annotations

import time

from django.conf import settings
from django.core import signing
from django.urls import reverse

from orders.far import far

_SALT = "media"
# Links made within the same hour are equal, so that a page rendered again does not fetch its pictures again.
STEP = 3600
# How long the storage's own address holds that a link leads to. A player that lost it asks the link again.
FAR_SECONDS = 300


def link(name: str, filename: str = "") -> str:
    """An address for a stored file, valid for MEDIA_LINK_SECONDS to MEDIA_LINK_SECONDS + 1 hour. Empty for no file.

    `filename` makes it a download under that name; otherwise the file is shown in place.
    """
    if not name:
        return ""
    until = (int(time.time()) // STEP + 1) * STEP + settings.MEDIA_LINK_SECONDS
    signed = signing.Signer(salt=_SALT).sign_object([name, until, filename])
    return reverse("pipeline:media", args=[signed, filename or name.rsplit("/", 1)[-1]])


def read(signed: str) -> tuple[str, str] | None:
    """The stored name and download name of a link; None when it was forged or has run out."""
    try:
        name, until, filename = signing.Signer(salt=_SALT).unsign_object(signed)
    except (signing.BadSignature, ValueError, TypeError):
        return None
    return (name, filename) if until >= time.time() else None


def elsewhere(name: str, filename: str, method: str) -> str:
    """The far storage's own signed address of a file, for FAR_SECONDS; empty where we serve it ourselves.

    Raises StorageAway.
    """
    store = far()
    if store is None or name.endswith(".vtt"):  # browsers take captions from the page's own origin only
        return ""
    return store.signed_url(name, seconds=FAR_SECONDS, filename=filename, method=method)
