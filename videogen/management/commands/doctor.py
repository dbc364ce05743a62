"""`doctor`: who does each job here, what is half-set, what is missing, and how to mend it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import redis
from django.conf import settings
from django.core.checks import run_checks
from django.core.exceptions import ImproperlyConfigured
from django.core.files.storage import default_storage
from django.core.management.base import BaseCommand
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone
from redis.exceptions import RedisError

from accounts.models import Creator
from billing.gateways import chosen
from billing.gateways.base import GatewayError
from pipeline import roster
from pipeline.media import ffmpeg, fonts, music
from pipeline.models import Sweeper
from pipeline.providers.base import ProviderError
from videogen.env import env

# Settings that only make sense together; one of a group alone is a slip.
TOGETHER = (
    ("PRODUCTION", ("SECRET_KEY", "ALLOWED_HOSTS", "SITE_URL")),
    ("EMAIL_URL", ("DEFAULT_FROM_EMAIL",)),
    ("HIGGSFIELD_WEBHOOK_SECRETS", ("HIGGSFIELD_KEY",)),
    ("ELEVENLABS_WEBHOOK_SECRETS", ("ELEVENLABS_API_KEY",)),
    ("STRIPE_WEBHOOK_SECRETS", ("STRIPE_SECRET_KEY",)),
    ("SPEECH_API_KEY", ("SPEECH_BASE_URL",)),
    ("CUSTOM_VOICE_KEY", ("CUSTOM_VOICE_URL",)),
    ("CUSTOM_VOICE_WEBHOOK_SECRETS", ("CUSTOM_VOICE_URL",)),
)
LOW_DISK = 2 * 1024**3
LATE_SWEEP_SECONDS = 30


@dataclass(frozen=True)
class Sign:
    """One line of the table."""

    what: str
    state: Literal["ok", "note", "bad"]
    says: str
    mend: str = ""


class Command(BaseCommand):
    """Prints the table; exit 1 when something is missing that films need."""

    requires_system_checks = ()  # what they find is said in the table, beside all else
    help = "Say who does each job here, which settings are half-set, and what is missing, with the mend."

    def handle(self, *args: Any, **options: Any) -> None:
        """Examine and print."""
        signs = [*self._jobs(), *self._vendors(), *self._till(), *self._settings(), *self._machine(), *self._files()]
        signs += [*self._database(), *self._redis(), *self._sweep()]
        width = max(len(sign.what) for sign in signs)
        marks = {"ok": self.style.SUCCESS("ok  "), "note": self.style.WARNING("note"), "bad": self.style.ERROR("BAD ")}
        for sign in signs:
            self.stdout.write(f"{marks[sign.state]}  {sign.what:{width}}  {sign.says}")
            if sign.mend:
                self.stdout.write(f"{'':6}{'':{width}}  → {sign.mend}")
        if any(sign.state == "bad" for sign in signs):
            raise SystemExit(1)

    def _jobs(self) -> Iterator[Sign]:
        try:
            for post in roster.posts():
                where = "local" if post.local else "vendor"
                yield Sign(post.job, "ok", f"{post.who} ({where})" + (f": {post.note}" if post.note else ""))
        except ImproperlyConfigured as error:
            yield Sign("jobs", "bad", str(error), "set it to one of the names above, or unset it")

    def _vendors(self) -> Iterator[Sign]:
        """One free question to each vendor."""
        if any(roster.faults()):
            return  # said with the settings
        for vendor in roster.vendors():
            try:
                yield Sign(vendor.name, "ok", vendor.check())
            except ProviderError as error:
                locked = error.trouble == "locked"
                twin = "its lines wait for it" if vendor.job == "voice" else "its twin stands in"
                mend = "look at its key; docs/settings.md, Vendors" if locked else f"it may pass; {twin}"
                yield Sign(vendor.name, "bad" if locked else "note", str(error), mend)

    def _till(self) -> Iterator[Sign]:
        """One free question to the gateway."""
        if any(chosen.faults()) or chosen.name() != chosen.STRIPE:
            return  # said with the settings, or nobody to ask
        try:
            yield Sign(chosen.STRIPE, "ok", chosen.gateway().check())
        except (GatewayError, ImproperlyConfigured) as error:
            yield Sign(chosen.STRIPE, "bad", str(error), "nobody can pay; docs/settings.md, Payments")
        if not settings.STRIPE_WEBHOOK_SECRETS:
            says = "no secret for its messages: it is asked again and again instead"
            yield Sign(chosen.STRIPE, "note", says, "set STRIPE_WEBHOOK_SECRETS; docs/payments.md says how")

    def _settings(self) -> Iterator[Sign]:
        for message in run_checks():
            if message.is_serious():
                yield Sign("settings", "bad", message.msg, message.hint or "")
        for fault in roster.unread():
            yield Sign("voice", "bad", fault, "set it, or choose another voice for the creator")
        for first, others in TOGETHER:
            if not env.str(first, default=""):
                continue
            for other in others:
                if not env.str(other, default=""):
                    yield Sign(
                        other, "bad", f"{first} is set, {other} is not", f"set {other}; docs/settings.md says how"
                    )
        if settings.PRODUCTION and chosen.name() == "sandbox":
            yield Sign("GATEWAY", "bad", "the sandbox till is closed in production", "set GATEWAY")
        if settings.REQUIRE_MFA:
            yield Sign("desk", "ok", "staff and creators enter with a second factor")
        elif settings.PRODUCTION:
            yield Sign("desk", "bad", "staff and creators enter without a second factor", "unset REQUIRE_MFA")
        else:
            yield Sign("desk", "note", "a demo: nobody needs a second factor", "REQUIRE_MFA=1 asks for it here, too")
        if settings.DEBUG and settings.HOST not in ("127.0.0.1", "localhost", "::1"):
            yield Sign("HOST", "note", f"a demo site listens on {settings.HOST}", "set PRODUCTION=1 for the public")

    def _machine(self) -> Iterator[Sign]:
        try:
            yield Sign("ffmpeg", "ok", ffmpeg.binary())
        except (OSError, RuntimeError) as error:
            yield Sign("ffmpeg", "bad", str(error), "install the packages again: rm .venv/installed && bin/run")
        yield Sign("music", "ok", f"{len(music.moods())} moods")
        if fonts.shaping():
            yield Sign("type", "ok", "names in Arabic, Hebrew, Devanagari and their neighbours can be written")
        else:
            says = "FriBiDi is missing: names in Arabic, Hebrew, Devanagari and their neighbours are refused"
            yield Sign("type", "note", says, "apt install libfribidi0, or brew install fribidi")
        settings.VAR_DIR.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(settings.VAR_DIR).free
        says = f"{free / 1024**3:.1f} GiB free in {settings.VAR_DIR}"
        if free < LOW_DISK:
            yield Sign("disk", "bad", says, "films need room: free some, or move VIDEOGEN_VAR")
        else:
            yield Sign("disk", "ok", says)

    def _files(self) -> Iterator[Sign]:
        if not settings.AWS_STORAGE_BUCKET_NAME:
            return
        try:
            default_storage.exists("orders/doctor")  # asks for the right to list, too: without it, gone is forbidden
            yield Sign("bucket", "ok", f"{settings.AWS_STORAGE_BUCKET_NAME} answers")
        except (ImproperlyConfigured, OSError, ValueError) as error:
            yield Sign("bucket", "bad", str(error), "docs/settings.md, Files on S3, has the rights it needs")

    def _database(self) -> Iterator[Sign]:
        try:
            executor = MigrationExecutor(connection)
            waiting = executor.migration_plan(executor.loader.graph.leaf_nodes())
            if waiting:
                yield Sign("migrations", "bad", f"{len(waiting)} not applied", "bin/manage migrate (bin/run does it)")
                return
            yield Sign("migrations", "ok", "all applied")
            creators = Creator.objects.filter(is_active=True).count()
            if creators:
                yield Sign("creators", "ok", f"{creators} take orders")
            else:
                yield Sign("creators", "bad", "nobody takes orders", "bin/manage demo, or add one in the admin")
        except DatabaseError as error:
            yield Sign("database", "bad", str(error), "check DATABASE_URL")

    def _redis(self) -> Iterator[Sign]:
        try:
            redis.Redis.from_url(settings.REDIS_URL, socket_connect_timeout=1).ping()
            yield Sign("redis", "ok", "answers")
        except (RedisError, OSError) as error:
            if settings.REDIS_IS_LOCAL:
                yield Sign("redis", "note", "the embedded server is not running", "bin/run starts it")
            else:
                yield Sign("redis", "bad", str(error), "check REDIS_URL")

    def _sweep(self) -> Iterator[Sign]:
        try:
            row = Sweeper.objects.filter(pk=1).first()
        except DatabaseError:
            return
        if row is None or row.swept_at is None:
            yield Sign("sweep", "note", "has not run yet", "bin/run starts it")
            return
        age = (timezone.now() - row.swept_at).total_seconds()
        if age > LATE_SWEEP_SECONDS:
            yield Sign("sweep", "note", f"last ran {age:.0f} s ago", "bin/run, or a sweep process")
        else:
            yield Sign("sweep", "ok", f"ran {age:.0f} s ago")
