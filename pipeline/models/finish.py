"""The finish: the cut, what quality control found, the creator's review, the delivery."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Creator
from orders.codes import token
from orders.models import Order

from .board import Production


class Cut(models.Model):
    """A finished film of one production, before anyone has approved it. Its hash is what a review binds to."""

    production = models.OneToOneField(Production, models.CASCADE, related_name="cut", verbose_name=_("production"))
    token = models.CharField(max_length=32, unique=True, default=token, editable=False)
    file = models.CharField(_("film"), max_length=200)
    poster = models.CharField(_("poster"), max_length=200, blank=True)
    captions = models.CharField(_("captions"), max_length=200, blank=True)
    sha256 = models.CharField(_("hash"), max_length=64)
    size = models.PositiveBigIntegerField(_("bytes"), default=0)
    width = models.PositiveIntegerField(_("width"))
    height = models.PositiveIntegerField(_("height"))
    fps = models.FloatField(_("frames a second"))
    seconds = models.FloatField(_("seconds"))
    lufs = models.FloatField(_("loudness, LUFS"), null=True, blank=True)
    true_peak = models.FloatField(_("true peak, dBTP"), null=True, blank=True)
    # Where everything stands in the film, in seconds and pixels: scenes, caption boxes, label; and what captions say.
    timeline = models.JSONField(_("timeline"), default=dict, blank=True)
    verdict = models.CharField(_("verdict"), max_length=4, blank=True)
    # Frames of the film for whoever looks at it: file, size of one, how many in a row, and their seconds.
    sheet = models.JSONField(_("contact sheet"), default=dict, blank=True)
    created_at = models.DateTimeField(_("made"), auto_now_add=True)

    class Meta:
        verbose_name = _("cut")
        verbose_name_plural = _("cuts")

    def __str__(self) -> str:
        return f"{self.production} {self.seconds:.1f} s"


class FirstLook(models.Model):
    """A small film from the fan's own photos, to watch while the shots are being made."""

    production = models.OneToOneField(
        Production, models.CASCADE, related_name="first_look", verbose_name=_("production")
    )
    file = models.CharField(_("film"), max_length=200)
    poster = models.CharField(_("poster"), max_length=200, blank=True)
    # What of it the film takes over as it is, its sound: content name → stored name.
    segments = models.JSONField(_("segments"), default=dict, blank=True)
    width = models.PositiveIntegerField(_("width"))
    height = models.PositiveIntegerField(_("height"))
    seconds = models.FloatField(_("seconds"))
    created_at = models.DateTimeField(_("made"), auto_now_add=True)

    class Meta:
        verbose_name = _("first look")
        verbose_name_plural = _("first looks")

    def __str__(self) -> str:
        return f"first look of {self.production}"


class Finding(models.Model):
    """One thing quality control saw, with its evidence."""

    cut = models.ForeignKey(Cut, models.CASCADE, related_name="findings", verbose_name=_("cut"))
    code = models.CharField(_("code"), max_length=40)
    severity = models.CharField(_("severity"), max_length=4)
    sentence = models.CharField(_("sentence"), max_length=300)
    second = models.FloatField(_("at second"), null=True, blank=True)
    figure = models.FloatField(_("figure"), null=True, blank=True)

    class Meta:
        verbose_name = _("finding")
        verbose_name_plural = _("findings")
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.severity} {self.code}"

    @property
    def frame(self) -> int | None:
        """The film's frame it was seen in, counted from 0; None where it is about all of the film."""
        return None if self.second is None else int(self.second * self.cut.fps + 1e-3)


class ReviewState(models.TextChoices):
    """What the creator said."""

    WAITING = "waiting", _("Waits for the creator")
    APPROVED = "approved", _("Approved")
    REFUSED = "refused", _("Refused")
    CHANGED = "changed", _("A change was asked for")


class ReasonCode(models.TextChoices):
    """Why a film is not approved as it is. Each does something: see pipeline/reviewing.py."""

    FACE = "face", _("A face looks wrong")
    NAME = "name", _("A name is mispronounced")
    TONE = "tone", _("The tone is not right")
    CAPTION = "caption", _("A caption is in the way")
    UNSAFE = "unsafe", _("It must not go out")
    OTHER = "other", _("Something else")


class Review(models.Model):
    """The creator's look at one exact cut."""

    cut = models.OneToOneField(Cut, models.PROTECT, related_name="review", verbose_name=_("cut"))
    creator = models.ForeignKey(Creator, models.PROTECT, related_name="reviews", verbose_name=_("creator"))
    state = models.CharField(_("state"), max_length=8, choices=ReviewState, default=ReviewState.WAITING)
    # The film's hash as it was shown: approving anything else is refused.
    sha256 = models.CharField(_("hash"), max_length=64)
    automatic = models.BooleanField(_("automatic"), default=False)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, verbose_name=_("decided by")
    )
    code = models.CharField(_("kind of reason"), max_length=8, choices=ReasonCode, blank=True)
    reason = models.CharField(_("reason"), max_length=300, blank=True)
    # What is made again once that cannot be taken back any more; empty unless a change was asked for.
    change = models.JSONField(_("change"), default=dict, blank=True)
    asked_at = models.DateTimeField(_("asked"), auto_now_add=True)
    # By when somebody should have looked; noticed late once, and then staff are told.
    due_at = models.DateTimeField(_("wanted by"), null=True, blank=True)
    late_at = models.DateTimeField(_("late since"), null=True, blank=True)
    decided_at = models.DateTimeField(_("decided"), null=True, blank=True)
    # Until then a decision can be taken back; the board acts on it afterwards and empties this.
    takes_effect_at = models.DateTimeField(_("takes effect"), null=True, blank=True)
    # Who is looking at it, so that two people do not take one.
    claimed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("taken by")
    )
    claimed_until = models.DateTimeField(_("taken until"), null=True, blank=True)

    class Meta:
        verbose_name = _("review")
        verbose_name_plural = _("reviews")
        ordering = ["asked_at"]
        indexes = [models.Index(fields=["state", "asked_at"])]

    def __str__(self) -> str:
        return f"{self.cut.production} {self.state}"


class Delivery(models.Model):
    """The film in the fan's hands."""

    order = models.OneToOneField(Order, models.PROTECT, related_name="delivery", verbose_name=_("order"))
    cut = models.ForeignKey(Cut, models.PROTECT, related_name="deliveries", verbose_name=_("cut"))
    delivered_at = models.DateTimeField(_("delivered"), auto_now_add=True)
    # A re-run's approved cut took the place of an older one, at the same address.
    renewed_at = models.DateTimeField(_("replaced by a newer version"), null=True, blank=True)
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True)

    class Meta:
        verbose_name = _("delivery")
        verbose_name_plural = _("deliveries")

    def __str__(self) -> str:
        return self.order.code


class NoticeKind(models.TextChoices):
    """What the fan is written about."""

    READY = "ready", _("The film is ready")
    ATTENTION = "attention", _("Something needs attention")
    REVIEW = "review", _("The creator is looking at it")
    REFUND = "refund", _("Money goes back")
    MESSAGE = "message", _("A message from staff")
    RENEWED = "renewed", _("A new version is ready")


class EscalationKind(models.TextChoices):
    """What staff are called for."""

    LATE_REVIEW = "late", _("A review is late")
    UNSAFE = "unsafe", _("A creator says it must not go out")
    RERUN_FAILED = "rerun", _("A new version could not be made")


class Escalation(models.Model):
    """Something staff must look at: a flag on the desk until it is settled, and a mail to staff."""

    order = models.ForeignKey(Order, models.CASCADE, related_name="escalations", verbose_name=_("order"))
    production = models.ForeignKey(Production, models.CASCADE, verbose_name=_("production"))
    kind = models.CharField(_("kind"), max_length=8, choices=EscalationKind)
    note = models.CharField(_("note"), max_length=300, blank=True)
    raised_at = models.DateTimeField(_("raised"), auto_now_add=True)
    settled_at = models.DateTimeField(_("settled"), null=True, blank=True)
    settled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, verbose_name=_("settled by")
    )
    lease_until = models.DateTimeField(null=True, editable=False)
    tries = models.PositiveSmallIntegerField(_("tries"), default=0)
    error = models.CharField(_("error"), max_length=300, blank=True)
    sent_at = models.DateTimeField(_("mail sent"), null=True, blank=True)

    class Meta:
        verbose_name = _("escalation")
        verbose_name_plural = _("escalations")
        ordering = ["raised_at"]
        constraints = [models.UniqueConstraint(fields=["production", "kind"], name="one_escalation_per_kind")]
        indexes = [models.Index(fields=["settled_at", "raised_at"]), models.Index(fields=["sent_at", "lease_until"])]

    def __str__(self) -> str:
        return f"{self.order} {self.kind}"


class Notice(models.Model):
    """A mail promised to the fan: written with the fact it tells, sent after it, at least once."""

    order = models.ForeignKey(Order, models.CASCADE, related_name="notices", verbose_name=_("order"))
    production = models.ForeignKey(Production, models.CASCADE, null=True, blank=True, verbose_name=_("production"))
    kind = models.CharField(_("kind"), max_length=10, choices=NoticeKind)
    # Which of several, where there can be several of a kind: a refund's number, and that it failed; a message's key.
    about = models.CharField(_("about"), max_length=40, blank=True)
    # Of a message: its own words, and who wrote them.
    subject = models.CharField(_("subject"), max_length=120, blank=True)
    body = models.TextField(_("words"), blank=True)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("written by")
    )
    lease_until = models.DateTimeField(null=True, editable=False)
    tries = models.PositiveSmallIntegerField(_("tries"), default=0)
    error = models.CharField(_("error"), max_length=300, blank=True)
    created_at = models.DateTimeField(_("promised"), auto_now_add=True)
    sent_at = models.DateTimeField(_("sent"), null=True, blank=True)

    class Meta:
        verbose_name = _("mail to the fan")
        verbose_name_plural = _("mails to fans")
        constraints = [
            models.UniqueConstraint(fields=["production", "kind", "about"], name="one_notice_per_kind"),
            # A message may be about no making: then the order keeps a second click from sending it again.
            models.UniqueConstraint(fields=["order", "about"], condition=Q(kind="message"), name="one_message_per_key"),
        ]
        indexes = [models.Index(fields=["sent_at", "lease_until"])]

    def __str__(self) -> str:
        return f"{self.order} {self.kind}"
