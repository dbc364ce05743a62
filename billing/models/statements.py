"""A creator's month, as it was when it was closed."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import Creator


class Statement(models.Model):
    """One creator's closed month in one currency: frozen figures, in minor units, of what we owe the creator."""

    creator = models.ForeignKey(Creator, models.PROTECT, related_name="statements", verbose_name=_("creator"))
    month = models.DateField(_("month"))  # its first day
    currency = models.CharField(_("currency"), max_length=3)
    opening = models.BigIntegerField(_("opening balance"))
    earned = models.BigIntegerField(_("earned"))
    reversed = models.BigIntegerField(_("taken back for refunds"))
    paid_out = models.BigIntegerField(_("paid out"))
    closing = models.BigIntegerField(_("closing balance"))
    films = models.PositiveIntegerField(_("films"))
    closed_at = models.DateTimeField(_("closed"), auto_now_add=True)

    class Meta:
        verbose_name = _("statement")
        verbose_name_plural = _("statements")
        ordering = ["-month", "creator"]
        constraints = [
            models.UniqueConstraint(fields=["creator", "month", "currency"], name="statement_once"),
            models.CheckConstraint(
                condition=models.Q(
                    closing=models.F("opening") + models.F("earned") + models.F("reversed") + models.F("paid_out")
                ),
                name="statement_adds_up",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.creator} {self.month:%Y-%m} {self.currency}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Written once, never changed."""
        if not self._state.adding:
            raise ValueError("A closed month is frozen.")
        super().save(*args, **kwargs)
