"""What part of the price is the creator's, with its history."""

from __future__ import annotations

from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Creator

WHOLE = 10_000


class ShareRate(models.Model):
    """A creator's own share, in hundredths of a percent; without an open one, CREATOR_SHARE counts. Old ones stay."""

    creator = models.ForeignKey(Creator, models.PROTECT, related_name="share_rates", verbose_name=_("creator"))
    points = models.PositiveSmallIntegerField(
        _("share, hundredths of a percent"), validators=[MaxValueValidator(WHOLE)]
    )
    starts_at = models.DateTimeField(_("from"), default=timezone.now)
    ends_at = models.DateTimeField(_("until"), null=True, blank=True)

    class Meta:
        verbose_name = _("creator's share")
        verbose_name_plural = _("creators' shares")
        ordering = ["creator", "-starts_at"]
        constraints = [
            models.UniqueConstraint(fields=["creator"], condition=Q(ends_at=None), name="one_open_share_per_creator"),
            models.CheckConstraint(condition=Q(points__lte=WHOLE), name="share_is_no_more_than_all"),
        ]

    def __str__(self) -> str:
        return f"{self.creator} {self.points / 100:.2f} %"
