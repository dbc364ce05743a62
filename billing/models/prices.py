"""Prices, with their history."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Creator
from orders.choices import Length, Occasion


class PriceQuerySet(models.QuerySet["Price"]):
    """Prices in force."""

    def current(self) -> PriceQuerySet:
        """Prices that hold now."""
        now = timezone.now()
        return self.filter(Q(ends_at=None) | Q(ends_at__gt=now), starts_at__lte=now)


class Price(models.Model):
    """What a film of some length costs with a creator; old prices stay, with their end.

    One without an occasion holds for every occasion that has none of its own.
    """

    creator = models.ForeignKey(Creator, models.PROTECT, related_name="prices", verbose_name=_("creator"))
    occasion = models.CharField(_("occasion"), max_length=20, choices=Occasion, blank=True)
    seconds = models.PositiveSmallIntegerField(_("length"), choices=Length)
    amount = models.PositiveIntegerField(_("amount, minor units"))
    currency = models.CharField(_("currency"), max_length=3, default="EUR")
    starts_at = models.DateTimeField(_("from"), default=timezone.now)
    ends_at = models.DateTimeField(_("until"), null=True, blank=True)

    objects = PriceQuerySet.as_manager()

    class Meta:
        verbose_name = _("price")
        verbose_name_plural = _("prices")
        ordering = ["creator", "occasion", "seconds", "-starts_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["creator", "occasion", "seconds"],
                condition=Q(ends_at=None),
                name="one_open_price_per_occasion_and_length",
            )
        ]

    def __str__(self) -> str:
        what = self.get_occasion_display() if self.occasion else _("every occasion")
        return f"{self.creator}: {what}, {self.seconds} s, {self.amount / 100:.2f} {self.currency}"
