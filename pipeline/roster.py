"""Who does each job here: the vendor whose key is set, else the local twin. `doctor` and the README say the same."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.files.storage import storages
from django.db import connection

from accounts.models import Voice
from orders.models import Order

from . import breaker, hook_links, patience, slots
from .providers import higgsfield
from .providers.base import Hooked, Provider
from .providers.custom_voice import CustomVoice
from .providers.elevenlabs import ElevenLabs
from .providers.higgsfield import Higgsfield, VideoModel
from .providers.local_studio import LocalStudio
from .providers.local_voice import LocalVoice
from .providers.local_writer import LocalWriter
from .providers.moderation import LocalRules, Moderator, WithRules

LOCAL_STUDIO = LocalStudio.name


@dataclass(frozen=True)
class Rung:
    """One rung of the ladder of takes: who films, how good it is (0 to 1), and for how long it is waited for.

    After `hedge_after` seconds the next rung begins as well; after `local_after` the local take stands in.
    """

    provider: Provider
    quality: float
    hedge_after: float
    local_after: float


# --- building them ----------------------------------------------------------------------------------------------------


# OpenAI's library takes a second to load, in every process: it is loaded where its key is set, not at the start.


def _openai_writer() -> Provider:
    from .providers.openai_writer import OpenAIWriter  # noqa: PLC0415

    return OpenAIWriter(
        settings.OPENAI_API_KEY,
        base_url=settings.OPENAI_BASE_URL,
        model=settings.OPENAI_SCRIPT_MODEL,
        reasoning=settings.OPENAI_REASONING,
        prices=settings.OPENAI_PRICES,
        limit=settings.OPENAI_LIMIT,
    )


def _elevenlabs() -> ElevenLabs:
    return ElevenLabs(
        settings.ELEVENLABS_API_KEY,
        base_url=settings.ELEVENLABS_BASE_URL,
        model_id=settings.ELEVENLABS_MODEL,
        price=settings.ELEVENLABS_PRICE,
        limit=settings.ELEVENLABS_LIMIT,
        secrets=settings.ELEVENLABS_WEBHOOK_SECRETS,
    )


def _speech() -> Provider:
    from .providers.openai_speech import OpenAISpeech  # noqa: PLC0415

    return OpenAISpeech(
        # A key goes to its own server and nowhere else.
        settings.SPEECH_API_KEY if settings.SPEECH_BASE_URL else settings.OPENAI_API_KEY,
        base_url=settings.SPEECH_BASE_URL or settings.OPENAI_BASE_URL,
        model=settings.SPEECH_MODEL,
        price=settings.SPEECH_PRICE,
        limit=settings.SPEECH_LIMIT,
    )


def _bell(vendor: str, secrets: list[str]) -> Callable[[str], str] | None:
    """Where the vendor may ring about a call; nowhere while its messages could not be told from forged ones."""
    return partial(hook_links.link, vendor) if secrets else None


def _custom_voice() -> CustomVoice:
    return CustomVoice(
        settings.CUSTOM_VOICE_KEY,
        base_url=settings.CUSTOM_VOICE_URL,
        price=settings.CUSTOM_VOICE_PRICE,
        limit=settings.CUSTOM_VOICE_LIMIT,
        secrets=settings.CUSTOM_VOICE_WEBHOOK_SECRETS,
        webhook=_bell(CustomVoice.name, settings.CUSTOM_VOICE_WEBHOOK_SECRETS),
    )


def _higgsfield(model: VideoModel) -> Higgsfield:
    return Higgsfield(
        settings.HIGGSFIELD_KEY,
        model,
        base_url=settings.HIGGSFIELD_BASE_URL,
        webhook=_bell(Higgsfield.name, settings.HIGGSFIELD_WEBHOOK_SECRETS),
        limit=settings.HIGGSFIELD_LIMIT,
        secrets=settings.HIGGSFIELD_WEBHOOK_SECRETS,
    )


WRITERS: dict[str, Callable[[], Provider]] = {"local": LocalWriter, "openai": _openai_writer}
VOICES: dict[str, Callable[[], Provider]] = {
    LocalVoice.name: LocalVoice,
    "openai-speech": _speech,
    ElevenLabs.name: _elevenlabs,
    CustomVoice.name: _custom_voice,
}


def _wanted(setting: str, vendor: str, key: str) -> str:
    """Which of "local" and the vendor does a job: as set, or by the key that is there. Raises ImproperlyConfigured."""
    wanted: str = getattr(settings, setting)
    if wanted not in ("auto", "local", vendor):
        raise ImproperlyConfigured(f"{setting}={wanted}: choose one of auto, local, {vendor}.")
    if wanted == "auto":
        return vendor if getattr(settings, key) else "local"
    if wanted == vendor and not getattr(settings, key):
        raise ImproperlyConfigured(f"{setting}={vendor} needs {key}.")
    return wanted


# --- who does it ------------------------------------------------------------------------------------------------------


def writer() -> Provider:
    """Who writes scripts. Raises ImproperlyConfigured for an unknown name."""
    return WRITERS[_wanted("WRITER", "openai", "OPENAI_API_KEY")]()


def local_writer() -> Provider:
    """Who writes when nobody else can."""
    return LocalWriter()


def moderator() -> Moderator:
    """Who judges what is going to be said: our own rules, and the vendor with them where its key is set."""
    if not (settings.OPENAI_API_KEY and settings.OPENAI_MODERATION):
        return LocalRules()
    from .providers.openai_moderation import OpenAIModeration  # noqa: PLC0415

    return WithRules(OpenAIModeration(settings.OPENAI_API_KEY, base_url=settings.OPENAI_BASE_URL))


def video_models() -> list[VideoModel]:
    """The video vendor's models in the order they are tried. Raises ImproperlyConfigured."""
    try:
        return list(
            higgsfield.parse_models(settings.VIDEO_MODELS) if settings.VIDEO_MODELS else higgsfield.DEFAULT_MODELS
        )
    except ValueError as error:
        raise ImproperlyConfigured(f"VIDEO_MODELS: {error}") from None


def local_video() -> Provider:
    """Who films when nobody else can: a take from the photo always exists."""
    return LocalStudio()


def films_elsewhere() -> bool:
    """Whether shots are asked of the video vendor now: it is set up, and not left alone."""
    return _wanted("VIDEO", "higgsfield", "HIGGSFIELD_KEY") != "local" and not breaker.is_open(Higgsfield.name)


def ladder(order: Order, seconds: float, scenes: int) -> list[Rung]:
    """Who films an order's shots, best first, as far as its budget goes; empty where only the local studio does.

    `seconds` is the length of a shot, `scenes` how many there are: a model that all shots together could not be paid
    for is left out, so that no order ends with half its shots bought. After the first the fast ones come: their takes
    are for shots that are late.
    """
    if not films_elsewhere():
        return []
    cap = slots.order_cap(order.amount)
    models = [model for model in video_models() if model.cost(seconds) * scenes <= cap]
    models[1:] = sorted(models[1:], key=lambda model: model.speed != "fast")
    return [Rung(_higgsfield(model), model.quality, patience.hedge_after(model), model.local_after) for model in models]


def voice(name: str) -> Provider:
    """Who reads for a voice row's provider name. Raises ImproperlyConfigured for an unknown name."""
    if name not in VOICES:
        raise ImproperlyConfigured(f"No voice provider is called {name}; known: {', '.join(VOICES)}.")
    return VOICES[name]()


def by_name(name: str, model: str = "") -> Provider | None:
    """The provider that a call row names; None when it is not known here any more."""
    if name == Higgsfield.name:
        return next((_higgsfield(one) for one in video_models() if one.slug == model), None)
    if name in VOICES:
        return VOICES[name]()
    if name == LocalWriter.name:
        return LocalWriter()
    return _openai_writer() if name == "openai-writer" else None


def hooked(name: str) -> Hooked | None:
    """The vendor behind a webhook's address; None for a name that has none, or no secret to verify it with."""
    if name == Higgsfield.name and settings.HIGGSFIELD_WEBHOOK_SECRETS:
        return _higgsfield(video_models()[0])
    if name == ElevenLabs.name and settings.ELEVENLABS_WEBHOOK_SECRETS:
        return _elevenlabs()
    if name == CustomVoice.name and settings.CUSTOM_VOICE_WEBHOOK_SECRETS:
        return _custom_voice()
    return None


def vendors() -> list[Provider]:
    """Every vendor that is set up here, for the doctor's one free question to each."""
    found: list[Provider] = []
    if settings.OPENAI_API_KEY:
        found.append(_openai_writer())
    if settings.HIGGSFIELD_KEY:
        found.append(_higgsfield(video_models()[0]))
    if settings.ELEVENLABS_API_KEY:
        found.append(_elevenlabs())
    if settings.SPEECH_BASE_URL:
        found.append(_speech())
    if settings.CUSTOM_VOICE_URL:
        found.append(_custom_voice())
    return found


# --- said to people ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Post:
    """One job and who does it. `local` is true where nothing leaves this machine."""

    job: str
    who: str
    local: bool
    note: str = ""


def posts() -> list[Post]:
    """Every job and who does it, for people."""
    writes, films = writer(), _wanted("VIDEO", "higgsfield", "HIGGSFIELD_KEY")
    local_writes = writes.name == LocalWriter.name
    stored = type(storages["default"]).__name__
    reads = [name for name in VOICES if name != LocalVoice.name and name in _voices_in_use()]
    return [
        Post(
            "writer",
            writes.name,
            local=local_writes,
            note="rules and templates, English" if local_writes else f"{writes.model}; the local writer stands in",
        ),
        Post(
            "voice",
            ", ".join([LocalVoice.name, *reads]),
            local=not reads,
            note="each creator's own: hibari-tts for the three demo voices, English",
        ),
        Post(
            "video",
            LOCAL_STUDIO if films == "local" else Higgsfield.name,
            local=films == "local",
            note="camera moves over the fan's own photos"
            if films == "local"
            else f"{', '.join(model.slug for model in video_models())}; the local studio stands in",
        ),
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
        Post("files", stored, local=stored == "FileSystemStorage"),
        Post("mail", settings.EMAIL_BACKEND.rsplit(".", 2)[-2], local="console" in settings.EMAIL_BACKEND),
    ]


def _voices_in_use() -> set[str]:
    return set(Voice.objects.values_list("provider", flat=True).distinct())
