"""Who does each job here: the vendor whose key is set, else the local twin. `doctor` and the README say the same."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.files.storage import storages
from django.db import connection

from .providers.base import Provider
from .providers.local_studio import LocalStudio
from .providers.local_voice import LocalVoice
from .providers.local_writer import LocalWriter

WRITERS: dict[str, type[Provider]] = {"local": LocalWriter}
VIDEOS: dict[str, type[Provider]] = {"local": LocalStudio}
VOICES: dict[str, type[Provider]] = {"local-voice": LocalVoice}


@dataclass(frozen=True)
class Post:
    """One job and who does it. `local` is true where nothing leaves this machine."""

    job: str
    who: str
    local: bool
    note: str = ""


def _pick(setting: str, choices: dict[str, type[Provider]]) -> Provider:
    wanted = getattr(settings, setting)
    name = "local" if wanted == "auto" else wanted
    if name not in choices:
        raise ImproperlyConfigured(f"{setting}={wanted}: choose one of auto, {', '.join(choices)}.")
    return choices[name]()


def writer() -> Provider:
    """Who writes scripts. Raises ImproperlyConfigured for an unknown name."""
    return _pick("WRITER", WRITERS)


def video() -> Provider:
    """Who films shots. Raises ImproperlyConfigured for an unknown name."""
    return _pick("VIDEO", VIDEOS)


def voice(name: str) -> Provider:
    """Who reads for a voice row's provider name. Raises ImproperlyConfigured for an unknown name."""
    if name not in VOICES:
        raise ImproperlyConfigured(f"No voice provider is called {name}; known: {', '.join(VOICES)}.")
    return VOICES[name]()


def posts() -> list[Post]:
    """Every job and who does it, for people."""
    return [
        Post("writer", writer().name, local=True, note="rules and templates, English"),
        Post("voice", LocalVoice.name, local=True, note="hibari-tts, three demo voices, English"),
        Post("video", video().name, local=True, note="camera moves over the fan's own photos"),
        Post("payments", settings.GATEWAY, local=settings.GATEWAY == "sandbox", note="test cards, no money moves"),
        Post(
            "queue",
            "embedded Valkey" if settings.REDIS_IS_LOCAL else "Redis",
            local=settings.REDIS_IS_LOCAL,
            note="a doorbell only; the database is the truth",
        ),
        Post(
            "database",
            connection.vendor,
            local=connection.vendor == "sqlite",
        ),
        Post("files", type(storages["default"]).__name__, local=True),
        Post("mail", settings.EMAIL_BACKEND.rsplit(".", 2)[-2], local="console" in settings.EMAIL_BACKEND),
    ]
