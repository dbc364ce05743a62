"""The double-entry ledger."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from orders.models import Order


class Account(models.TextChoices):
    """The ledger's accounts. What others owe us is positive, what we owe or earned is negative."""

    FAN = "fan", _("Fans")
    GATEWAY = "gateway", _("Gateway")
    SALES = "sales", _("Sales")
    CREATOR = "creator", _("Creators")
    PROVIDERS = "providers", _("Providers")
    FEES = "fees", _("Fees")


class LedgerEntry(models.Model):
    """One line of one ledger transaction. Append-only; the lines that share a `fact` sum to zero."""

    fact = models.CharField(_("fact"), max_length=80, db_index=True)
    account = models.CharField(_("account"), max_length=12, choices=Account)
    amount = models.BigIntegerField(_("amount, minor units"))
    currency = models.CharField(_("currency"), max_length=3)
    order = models.ForeignKey(Order, models.PROTECT, related_name="ledger", verbose_name=_("order"))
    at = models.DateTimeField(_("when"), auto_now_add=True)

    class Meta:
        verbose_name = _("ledger entry")
        verbose_name_plural = _("ledger entries")
        ordering = ["pk"]
        constraints = [models.UniqueConstraint(fields=["fact", "account"], name="ledger_fact_once_per_account")]

    def __str__(self) -> str:
        return f"{self.fact} {self.account} {self.amount}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Written once, never changed."""
        if not self._state.adding:
            raise ValueError("The ledger is append-only.")
        super().save(*args, **kwargs)
