"""The addresses at which vendors ring about one call: they carry our key, signed, so that nobody can make one up."""

from __future__ import annotations

from django.conf import settings
from django.core import signing
from django.urls import reverse

_SALT = "hook"


def link(provider: str, key: str) -> str:
    """The whole address for one call."""
    signed = signing.Signer(salt=_SALT).sign_object([provider, key])
    return str(settings.SITE_URL).rstrip("/") + reverse("hooks:call", args=[provider, signed])


def read(provider: str, signed: str) -> str | None:
    """The key in an address of this provider; None when it was forged or is another provider's."""
    try:
        named, key = signing.Signer(salt=_SALT).unsign_object(signed)
    except (signing.BadSignature, ValueError, TypeError):
        return None
    return str(key) if named == provider else None
