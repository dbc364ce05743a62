"""Reads the environment, and a `.env` file next to manage.py where there is one and VIDEOGEN_ALONE is not set."""

from __future__ import annotations

import contextlib
import ipaddress
import os
import secrets
import tempfile
from pathlib import Path

import environ
from django.core.exceptions import ImproperlyConfigured

BASE = Path(__file__).resolve().parent.parent
env = environ.Env()
# Who starts a site on ground of its own, a trial or a test, says so: the owner's file would lead it to the real one.
if not os.environ.get("VIDEOGEN_ALONE"):
    env.read_env(BASE / ".env")
# One thread each for the numeric libraries, which read this when they load: the processes are the parallelism.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# Everything the product writes on this machine: database, media, Redis, logs. Moved for tests and for small trials.
VAR = Path(env.str("VIDEOGEN_VAR", default=str(BASE / "var"))).resolve()


def port(name: str, default: int) -> int:
    """A port from the environment. Raises ImproperlyConfigured with one sentence for what is none."""
    said = env.str(name, default=str(default))
    if not said.isascii() or not said.isdigit() or not 1 <= int(said[:6]) <= 65_535:
        raise ImproperlyConfigured(f"{name}={said} is not a port: it takes a number from 1 to 65535.")
    return int(said)


def own_address(host: str) -> str:
    """Where this machine itself reaches a server that listens on `host`: loopback where that is every interface."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:  # a name
        return host
    if not address.is_unspecified:
        return host
    return "::1" if address.version == 6 else "127.0.0.1"


def local_secret() -> str:
    """A secret key for this machine alone, made once. Production must set SECRET_KEY itself."""
    file = VAR / "secret_key"
    if not file.exists():
        VAR.mkdir(parents=True, exist_ok=True)
        # Written whole under another name, then linked: two processes that start together agree on the first one's.
        handle, draft = tempfile.mkstemp(dir=VAR)
        with os.fdopen(handle, "w") as out:
            out.write(secrets.token_urlsafe(50))
        with contextlib.suppress(FileExistsError):
            os.link(draft, file)
        os.unlink(draft)
    return file.read_text()
