"""Who does each job here: the vendor whose key is set, else the local twin. `doctor` and the README say the same."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.files.storage import storages
from django.db import connection
from django.utils.functional import Promise
from django.utils.text import get_text_list
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, override

from accounts.models import Voice
from billing.gateways import chosen as tills
from orders.models import ConsentKind, Order
from orders.reader import Sharing

from . import breaker, hook_links, patience, slots
from .providers import higgsfield, signatures
from .providers.base import BadHook, Hooked, Provider
from .providers.custom_voice import CustomVoice
from .providers.elevenlabs import ElevenLabs
from .providers.higgsfield import Higgsfield, VideoModel
from .providers.local_studio import LocalStudio
from .providers.local_voice import LocalVoice
from .providers.local_writer import LocalWriter

LOCAL_STUDIO = LocalStudio.name
# Settings of one kind each, as people paste them.
KEYS = ("OPENAI_API_KEY", "HIGGSFIELD_KEY", "ELEVENLABS_API_KEY", "SPEECH_API_KEY", "CUSTOM_VOICE_KEY")
OPTIONAL = ("SPEECH_BASE_URL", "CUSTOM_VOICE_URL")
ADDRESSES = ("OPENAI_BASE_URL", "HIGGSFIELD_BASE_URL", "ELEVENLABS_BASE_URL", *OPTIONAL)
SECRETS = ("HIGGSFIELD_WEBHOOK_SECRETS", "CUSTOM_VOICE_WEBHOOK_SECRETS")
# Who is sent the photos, in the words the fan agrees to.
FILMED = gettext_lazy("The photos go to Higgsfield, which films the shots from them.")
CHECKED = gettext_lazy("Small copies of the photos go to OpenAI, which checks them for what must not be shown.")


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
        look_at_photos=settings.OPENAI_VISION,
    )


def _openai_moderation() -> Provider:
    from .providers.openai_moderation import OpenAIModeration  # noqa: PLC0415

    return OpenAIModeration(settings.OPENAI_API_KEY, base_url=settings.OPENAI_BASE_URL)


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
    try:
        return Higgsfield(
            settings.HIGGSFIELD_KEY,
            model,
            base_url=settings.HIGGSFIELD_BASE_URL,
            webhook=_bell(Higgsfield.name, settings.HIGGSFIELD_WEBHOOK_SECRETS),
            limit=settings.HIGGSFIELD_LIMIT,
            secrets=settings.HIGGSFIELD_WEBHOOK_SECRETS,
        )
    except ValueError:
        raise ImproperlyConfigured('HIGGSFIELD_KEY must be "id:secret": both halves, and a colon between.') from None


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


def moderator() -> Provider | None:
    """The vendor who judges words and photos beside our own rules, which are always asked; None where there is none."""
    return _openai_moderation() if settings.OPENAI_API_KEY and settings.OPENAI_MODERATION else None


def moderates_photos() -> bool:
    """Whether the moderating vendor is shown small copies of the photos."""
    return bool(settings.OPENAI_API_KEY and settings.OPENAI_MODERATION and settings.OPENAI_MODERATION_PHOTOS)


def writer_has_eyes() -> bool:
    """Whether the writer would look at small copies of the photos, if the fan agrees."""
    return bool(settings.OPENAI_VISION) and _wanted("WRITER", "openai", "OPENAI_API_KEY") == "openai"


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
    """Whether new shots are asked of the video vendor now: it is set up, and not left alone."""
    return _has_a_vendor() and not breaker.is_open(Higgsfield.name)


def _has_a_vendor() -> bool:
    return _wanted("VIDEO", "higgsfield", "HIGGSFIELD_KEY") != "local"


def ladder(order: Order, seconds: float, scenes: int) -> list[Rung]:
    """Who films an order's shots, best first, as far as its budget goes; empty where only the local studio does.

    `seconds` is the length of a shot, `scenes` how many there are: a model that all shots together could not be paid
    for is left out, so that no order ends with half its shots bought. After the first the fast ones come: their takes
    are for shots that are late. A vendor that is left alone stands on it, too: it may be filming already.
    """
    if not _has_a_vendor():
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
    if name == Higgsfield.name and settings.HIGGSFIELD_KEY:
        return next((_higgsfield(one) for one in video_models() if one.slug == model), None)
    if name in VOICES:
        return VOICES[name]()
    if name == LocalWriter.name:
        return LocalWriter()
    vendors = {"openai-writer": _openai_writer, "openai-moderation": _openai_moderation}
    return vendors[name]() if name in vendors else None


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


def faults() -> Iterator[str]:
    """Why no vendor can be asked with the settings as they are written, in sentences. Asks nobody."""
    for name in KEYS:
        if not re.fullmatch(r"[!-~]*", getattr(settings, name)):
            yield f"{name} holds what no key does: a space, a line break or a letter beyond ASCII."
    for name in ADDRESSES:
        address = getattr(settings, name)
        if not address.startswith(("https://", "http://")) and (address or name not in OPTIONAL):
            yield f"{name} must begin with https:// or http://."
    for name in SECRETS:
        try:
            for secret in getattr(settings, name):
                signatures.key_of(secret)
        except BadHook:
            yield f"{name} holds one that is not whsec_ and base64."
    for asked in (
        lambda: _wanted("WRITER", "openai", "OPENAI_API_KEY"),
        lambda: _wanted("VIDEO", "higgsfield", "HIGGSFIELD_KEY"),
        lambda: [_higgsfield(model) for model in video_models() if re.fullmatch(r"[!-~]+", settings.HIGGSFIELD_KEY)],
    ):
        try:
            asked()
        except ImproperlyConfigured as error:
            yield str(error)


def unread() -> Iterator[str]:
    """Creators' voices whose reader is not set up here, in sentences."""
    is_set = {
        "openai-speech": ("SPEECH_BASE_URL", settings.SPEECH_BASE_URL or settings.OPENAI_API_KEY),
        ElevenLabs.name: ("ELEVENLABS_API_KEY", settings.ELEVENLABS_API_KEY),
        CustomVoice.name: ("CUSTOM_VOICE_URL", settings.CUSTOM_VOICE_URL),
    }
    for name in sorted(_voices_in_use()):
        setting, value = is_set.get(name, ("", True))
        if not value:
            yield f"{name} reads for a creator, and {setting} is not set."
        elif name not in VOICES:
            yield f"{name} reads for a creator, and there is no such provider."


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
    writes, judge, films = writer(), moderator(), _wanted("VIDEO", "higgsfield", "HIGGSFIELD_KEY")
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
            "moderation",
            judge.name if judge is not None else "our own rules",
            local=judge is None,
            note="word lists; they see no photos"
            if judge is None
            else ("words, scripts and small copies of photos" if moderates_photos() else "words and scripts")
            + "; our own rules as well",
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
        Post("payments", tills.name(), local=tills.name() == "sandbox", note=tills.note()),
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


def sharing() -> Sharing:
    """Who is sent what when a film is made here, for the fan. Settings say so, not how a vendor is just now."""
    words, photos = [], []
    judges, writes = moderator() is not None, writer().name != LocalWriter.name
    if judges and writes:
        words.append(_("Your words go to OpenAI, which checks them and writes the story."))
    elif judges:
        words.append(_("Your words go to OpenAI, which checks them."))
    elif writes:
        words.append(_("Your words go to OpenAI, which writes the story."))
    readers = {
        "openai-speech": _("a speech service") if settings.SPEECH_BASE_URL else "OpenAI",
        ElevenLabs.name: "ElevenLabs",
        CustomVoice.name: _("the creator’s own service"),
    }
    if reads := [readers[name] for name in readers if name in _voices_in_use()]:
        words.append(
            _("With some voices the script goes to %(readers)s, to be read aloud.")
            % {"readers": get_text_list(reads, _("and"))}
        )
    if moderates_photos():
        photos.append(str(CHECKED))
    filmed = _wanted("VIDEO", "higgsfield", "HIGGSFIELD_KEY") != "local"
    if filmed:
        photos.append(str(FILMED))
    return Sharing(tuple(photos), tuple(words), eyes=writer_has_eyes(), filmed=filmed)


def agreed(order: Order, to: Promise) -> bool:
    """Whether the fan agreed to the photos going where these words say, in whichever language they were read.

    Whoever paid before a vendor was set up did not.
    """
    held = order.consents.filter(kind=ConsentKind.PHOTOS).values_list("words", flat=True).first() or ""
    for code, _name in settings.LANGUAGES:
        with override(code):
            if str(to) in held:
                return True
    return False


def _voices_in_use() -> set[str]:
    return set(Voice.objects.values_list("provider", flat=True).distinct())
