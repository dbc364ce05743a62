"""A delivered film once more, in another shape or without captions in the picture, because its fan asked for it."""

from __future__ import annotations

import datetime as dt

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from orders.choices import Format
from orders.codes import token

from .finish import Cut


class RenditionState(models.TextChoices):
    """A rendition's life."""

    WAITING = "waiting", _("Waits its turn")
    RUNNING = "running", _("Being made")
    READY = "ready", _("Ready")
    FAILED = "failed", _("Not available")


class RenditionQuerySet(models.QuerySet["Rendition"]):
    """Renditions by what should happen to them."""

    def takeable(self, now: dt.datetime) -> RenditionQuerySet:
        """Those nobody has: they wait and their alarm has gone off, or their worker died. Only columns of the row."""
        return self.filter(
            Q(state=RenditionState.WAITING, not_before__lte=now) | Q(state=RenditionState.RUNNING, lease_until__lt=now)
        )

    def wanted(self) -> RenditionQuerySet:
        """Those of films that are in their fans' hands: not withdrawn, and not replaced by another cut."""
        return self.filter(cut__deliveries__isnull=False, cut__deliveries__revoked_at=None)

    def due(self, now: dt.datetime) -> RenditionQuerySet:
        """Takeable ones that are wanted."""
        return self.takeable(now).wanted()


class Rendition(models.Model):
    """One shape of one delivered cut, with its captions in the picture or without; claimed like any other work."""

    cut = models.ForeignKey(Cut, models.CASCADE, related_name="renditions", verbose_name=_("cut"))
    format = models.CharField(_("format"), max_length=5, choices=Format)
    captions = models.BooleanField(_("captions in the picture"), default=True)
    state = models.CharField(_("state"), max_length=7, choices=RenditionState, default=RenditionState.WAITING)
    token = models.CharField(max_length=32, default=token, editable=False)
    lease_until = models.DateTimeField(_("lease until"), null=True, blank=True)
    not_before = models.DateTimeField(_("next look"), default=timezone.now)
    deadline_at = models.DateTimeField(_("deadline"), null=True, blank=True)
    attempts = models.PositiveIntegerField(_("attempts"), default=0)
    failures = models.PositiveSmallIntegerField(_("failures in a row"), default=0)
    error = models.TextField(_("error"), blank=True)
    progress = models.FloatField(_("progress"), default=0)
    file = models.CharField(_("film"), max_length=200, blank=True)
    sha256 = models.CharField(_("hash"), max_length=64, blank=True)
    size = models.PositiveBigIntegerField(_("bytes"), default=0)
    width = models.PositiveIntegerField(_("width"), default=0)
    height = models.PositiveIntegerField(_("height"), default=0)
    seconds = models.FloatField(_("seconds"), default=0)
    verdict = models.CharField(_("verdict"), max_length=4, blank=True)
    # What quality control saw: code, severity, sentence, second, figure.
    findings = models.JSONField(_("findings"), default=list, blank=True)
    # Which frames of the file are which encoded piece: the next rendition of the same shape takes what it can.
    pieces = models.JSONField(_("pieces"), default=list, blank=True)
    cpu_seconds = models.FloatField(_("CPU seconds"), default=0)
    asked_at = models.DateTimeField(_("asked for"), auto_now_add=True)
    started_at = models.DateTimeField(_("started"), null=True, blank=True)
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)

    objects = RenditionQuerySet.as_manager()

    class Meta:
        verbose_name = _("rendition")
        verbose_name_plural = _("renditions")
        ordering = ["-asked_at"]
        constraints = [models.UniqueConstraint(fields=["cut", "format", "captions"], name="rendition_once")]
        indexes = [
            models.Index(fields=["state", "not_before"], name="rendition_due"),
            models.Index(fields=["state", "lease_until"], name="rendition_lease"),
        ]

    def __str__(self) -> str:
        return f"{self.cut.production} {self.format} {'with' if self.captions else 'without'} captions"
