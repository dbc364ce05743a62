"""Signing in at the desk in tests, as somebody who has just shown who they are."""

from __future__ import annotations

import time

from django.test import Client

from accounts.models import User


def enter(user: User, *, client: Client | None = None, how: str = "password", ago: float = 0) -> Client:
    """A browser of somebody who signed in `ago` seconds ago, `how`: by `password`, `code` or `mfa`."""
    client = client or Client()
    client.force_login(user)
    session = client.session
    session["account_authentication_methods"] = [{"method": how, "at": time.time() - ago}]
    session["account_authentication_methods_user"] = str(user.pk)
    session.save()
    return client
