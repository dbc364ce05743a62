"""The double-entry ledger: lines that are written once and never changed. `billing.ledger.post` writes them."""

from __future__ import annotations

from typing import Any, NoReturn

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import Creator
from orders.models import Order


class AppendOnly(ValueError):  # noqa: N818  (what the ledger is)
    """Somebody tried to change or remove a line of the ledger."""

    def __init__(self) -> None:
        super().__init__("The ledger is append-only.")


class Account(models.TextChoices):
    """The ledger's accounts. What others owe us, or what we spent, is positive; what we owe or earned is negative."""

    FAN = "fan", _("Fans")
    GATEWAY = "gateway", _("Gateway")
    SALES = "sales", _("Sales")
    CREATOR = "creator", _("Creators")
    PROVIDERS = "providers", _("Providers")
    FEES = "fees", _("Fees")


class LedgerQuerySet(models.QuerySet["LedgerEntry"]):
    """Lines to be read. The database itself refuses what gets past this: see `billing.append_only`."""

    def update(self, **kwargs: Any) -> NoReturn:
        """Never."""
        raise AppendOnly

    def delete(self) -> NoReturn:
        """Never."""
        raise AppendOnly

    def bulk_update(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Never."""
        raise AppendOnly

    def bulk_create(self, objs: Any, *args: Any, **kwargs: Any) -> list[LedgerEntry]:
        """New lines; one that is there already is never written over."""
        if kwargs.get("update_conflicts"):
            raise AppendOnly
        return super().bulk_create(objs, *args, **kwargs)


class LedgerEntry(models.Model):
    """One line of one fact. The lines that share a fact sum to zero."""

    fact = models.CharField(_("fact"), max_length=140)
    account = models.CharField(_("account"), max_length=12, choices=Account)
    amount = models.BigIntegerField(_("amount, minor units"))
    currency = models.CharField(_("currency"), max_length=3)
    # A payout is of no order; what is of an order is of its creator too.
    order = models.ForeignKey(
        Order, models.PROTECT, null=True, blank=True, db_index=False, related_name="ledger", verbose_name=_("order")
    )
    creator = models.ForeignKey(
        Creator, models.PROTECT, null=True, blank=True, related_name="ledger", verbose_name=_("creator")
    )
    at = models.DateTimeField(_("when"), auto_now_add=True)

    objects = LedgerQuerySet.as_manager()

    class Meta:
        verbose_name = _("ledger entry")
        verbose_name_plural = _("ledger entries")
        ordering = ["pk"]
        indexes = [
            # What a creator is owed, whenever.
            models.Index(fields=["creator", "account", "currency", "at", "amount"], name="ledger_owed"),
            models.Index(fields=["at"], name="ledger_day"),
            # An order's lines, and its margin without a look at the rows.
            models.Index(fields=["order", "account", "amount"], name="ledger_order"),
        ]
        constraints = [models.UniqueConstraint(fields=["fact", "account"], name="ledger_fact_once_per_account")]

    def __str__(self) -> str:
        return f"{self.fact} {self.account} {self.amount}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Written once, never changed."""
        if not self._state.adding:
            raise AppendOnly
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Never."""
        raise AppendOnly
