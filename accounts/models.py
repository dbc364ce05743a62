"""Who people are: the user who signs in by e-mail, the creator who lends a voice, the voice and its licence."""

from __future__ import annotations

import datetime as dt
from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.core.serializers.json import DjangoJSONEncoder
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class UserManager(BaseUserManager["User"]):
    """Makes users from an e-mail address."""

    def create_user(self, email: str, password: str | None = None, **extra: Any) -> User:
        """A user who can sign in; without a password only by e-mailed code."""
        user = self.model(email=self.normalize_email(email).lower(), **extra)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **extra: Any) -> User:
        """A user who may do everything in the admin."""
        return self.create_user(email, password, is_staff=True, is_superuser=True, **extra)


class User(AbstractBaseUser, PermissionsMixin):
    """A person, known by an e-mail address: fan, creator or staff."""

    email = models.EmailField(_("e-mail"), unique=True)
    name = models.CharField(_("name"), max_length=80, blank=True)
    is_staff = models.BooleanField(_("may enter the admin"), default=False)
    is_active = models.BooleanField(_("active"), default=True)
    date_joined = models.DateTimeField(_("joined"), default=timezone.now)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        verbose_name = _("user")
        verbose_name_plural = _("users")
        constraints = [models.UniqueConstraint(Lower("email"), name="user_email_once")]

    def __str__(self) -> str:
        return self.name or self.email

    def get_short_name(self) -> str:
        """What the admin greets with."""
        return str(self)


class ApprovalMode(models.TextChoices):
    """Who looks at a film before it goes out."""

    AUTOMATIC = "automatic", _("Automatic when all checks are green")
    SAMPLED = "sampled", _("The creator looks at some of the green ones")
    EVERY_FILM = "every_film", _("The creator looks at every film")


class Template(models.TextChoices):
    """How the words of a creator's films are set: pipeline/media/templates.py draws them."""

    LETTER = "letter", _("Letter: plain type, the spoken word on a pill")
    LOGBOOK = "logbook", _("Logbook: serifs on a plate, the spoken word underlined")
    COMIC = "comic", _("Comic: round type, a fat pill, a coloured close")


class Creator(models.Model):
    """Someone whose voice fans may choose."""

    slug = models.SlugField(_("address"), unique=True)
    name = models.CharField(_("name"), max_length=80)
    tagline = models.CharField(_("tagline"), max_length=120)
    bio = models.TextField(_("about"))
    user = models.OneToOneField(
        User, models.PROTECT, null=True, blank=True, related_name="creator", verbose_name=_("signs in as")
    )
    approval = models.CharField(_("approval"), max_length=20, choices=ApprovalMode, default=ApprovalMode.EVERY_FILM)
    sample_percent = models.PositiveSmallIntegerField(
        _("share looked at, percent"),
        default=20,
        validators=[MinValueValidator(1), MaxValueValidator(100)],
        help_text=_("Where the creator looks at some of the green films: how many of a hundred."),
    )
    accent = models.CharField(
        _("accent colour"), max_length=7, default="#e4572e", validators=[RegexValidator(r"^#[0-9a-fA-F]{6}$")]
    )
    template = models.CharField(_("template"), max_length=12, choices=Template, default=Template.LETTER)
    portrait = models.CharField(_("portrait"), max_length=120, blank=True, help_text=_("Path of a static file."))
    is_active = models.BooleanField(_("takes orders"), default=True)
    place = models.PositiveSmallIntegerField(_("place on the home page"), default=0)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("creator")
        verbose_name_plural = _("creators")
        permissions = [("see_every_creator", _("Can see every creator's rows on the desk"))]
        ordering = ["place", "name"]

    def __str__(self) -> str:
        return self.name


class Voice(models.Model):
    """A creator's voice at a provider: which provider, which of its voices, with which settings."""

    creator = models.OneToOneField(Creator, models.PROTECT, related_name="voice", verbose_name=_("creator"))
    provider = models.CharField(_("provider"), max_length=40, default="local-voice")
    provider_voice = models.CharField(_("the provider's name of the voice"), max_length=120)
    settings = models.JSONField(_("settings"), default=dict, blank=True)
    words_per_second = models.FloatField(_("pace, words a second"), default=2.4)
    sample = models.CharField(_("sample"), max_length=120, blank=True, help_text=_("Path of a static file."))

    class Meta:
        verbose_name = _("voice")
        verbose_name_plural = _("voices")

    def __str__(self) -> str:
        return f"{self.creator.name} ({self.provider})"

    def licence_for(self, occasion: str, on: dt.date) -> VoiceLicence | None:
        """The licence that allows a film for this occasion on this day, if one does."""
        for licence in self.licences.filter(revoked_at=None, starts_on__lte=on):
            if licence.covers(occasion, on):
                return licence
        return None


class VoiceLicence(models.Model):
    """What a creator has allowed their voice to be used for, and until when."""

    voice = models.ForeignKey(Voice, models.PROTECT, related_name="licences", verbose_name=_("voice"))
    starts_on = models.DateField(_("from"))
    ends_on = models.DateField(_("until"), null=True, blank=True)
    occasions = models.JSONField(_("occasions"), default=list, blank=True, help_text=_("Empty: every occasion."))
    terms = models.TextField(_("terms"))
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True)

    class Meta:
        verbose_name = _("voice licence")
        verbose_name_plural = _("voice licences")
        ordering = ["-starts_on"]

    def __str__(self) -> str:
        return f"{self.voice} {self.starts_on}"

    def covers(self, occasion: str, on: dt.date) -> bool:
        """Whether this licence allows the occasion on that day."""
        if self.revoked_at is not None or on < self.starts_on or (self.ends_on is not None and on > self.ends_on):
            return False
        return not self.occasions or occasion in self.occasions


class AppendOnly(models.QuerySet["Audit"]):
    """Rows that may be read and added to, and nothing else."""

    def update(self, **kwargs: Any) -> int:
        """Refused."""
        raise ValueError(APPEND_ONLY)

    def delete(self) -> tuple[int, dict[str, int]]:
        """Refused."""
        raise ValueError(APPEND_ONLY)

    def bulk_update(self, *args: Any, **kwargs: Any) -> int:
        """Refused."""
        raise ValueError(APPEND_ONLY)


APPEND_ONLY = "The audit is append-only."


class Audit(models.Model):
    """One thing somebody did on the desk: who, what, to what, why. Append-only; `accounts.audit` writes it."""

    # Somebody who has done something is never deleted: they are made inactive.
    actor = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, related_name="audits", verbose_name=_("account")
    )
    who = models.CharField(_("who"), max_length=254)
    verb = models.CharField(_("what"), max_length=40, db_index=True)
    target_type = models.CharField(_("kind"), max_length=80)
    target_pk = models.CharField(_("row"), max_length=64)
    target_label = models.CharField(_("to what"), max_length=200)
    reason = models.TextField(_("why"), blank=True)
    data = models.JSONField(_("with"), default=dict, blank=True, encoder=DjangoJSONEncoder)
    at = models.DateTimeField(_("when"), default=timezone.now, db_index=True, editable=False)

    objects = AppendOnly.as_manager()

    class Meta:
        verbose_name = _("audit entry")
        verbose_name_plural = _("audit")
        ordering = ["-pk"]
        base_manager_name = "objects"
        indexes = [models.Index(fields=["target_type", "target_pk"], name="audit_target")]

    def __str__(self) -> str:
        return f"{self.who}: {self.verb} {self.target_label}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Written once, never changed."""
        if not self._state.adding:
            raise ValueError(APPEND_ONLY)
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        """Refused."""
        raise ValueError(APPEND_ONLY)
