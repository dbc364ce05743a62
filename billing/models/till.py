"""The sandbox till's own books: what a real gateway would keep on its side. No money is behind any of it."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class TestCharge(models.Model):
    """One payment as the sandbox till sees it, under our payment's key."""

    __test__ = False

    key = models.CharField(_("our key"), max_length=64, unique=True)
    # open, action (the bank asks), processing, held, captured, cancelled, failed, expired
    status = models.CharField(_("state"), max_length=12, default="open")
    amount = models.PositiveIntegerField(_("amount, minor units"))
    currency = models.CharField(_("currency"), max_length=3)
    at_once = models.BooleanField(_("taken at once"), default=False)
    captured = models.PositiveIntegerField(_("taken, minor units"), default=0)
    refunded = models.PositiveIntegerField(_("given back, minor units"), default=0)
    # A card that answers late does so then.
    answers_at = models.DateTimeField(null=True, blank=True)
    ends_at = models.DateTimeField(_("hold ends"), null=True, blank=True)
    created_at = models.DateTimeField(_("begun"), auto_now_add=True)

    class Meta:
        verbose_name = _("test charge")
        verbose_name_plural = _("test charges")

    def __str__(self) -> str:
        return f"{self.key} {self.status}"


class TestRefund(models.Model):
    """One refund as the sandbox till sees it, under our refund's key."""

    __test__ = False

    key = models.CharField(_("our key"), max_length=64, unique=True)
    charge = models.ForeignKey(TestCharge, models.CASCADE, related_name="refunds", verbose_name=_("charge"))
    amount = models.PositiveIntegerField(_("amount, minor units"))
    status = models.CharField(_("state"), max_length=12, default="done")
    created_at = models.DateTimeField(_("begun"), auto_now_add=True)

    class Meta:
        verbose_name = _("test refund")
        verbose_name_plural = _("test refunds")

    def __str__(self) -> str:
        return f"{self.key} {self.status}"
