"""Money on the desk, to be read: payments, refunds, the ledger."""

from __future__ import annotations

from django.contrib import admin
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy

from accounts.desk import Finds, ReadOnly
from accounts.scoping import STAFF

from . import (  # noqa: F401  (they register their classes)
    figures,
    outside_admin,
    payout_account_admin,
    payout_admin,
    price_admin,
    statement_admin,
)
from .models import LedgerEntry, Payment, Refund


@admin.register(Payment)
class PaymentAdmin(Finds, ReadOnly):
    """Payments."""

    whose = STAFF
    list_display = ("__str__", "gateway", "state", "amount", "currency", "created_at")
    list_filter = ("state",)
    list_select_related = ("order",)
    finds = ("order__code", "external_id", "key")


@admin.register(Refund)
class RefundAdmin(Finds, ReadOnly):
    """Refunds."""

    whose = STAFF
    list_display = ("__str__", "source", "state", "amount", "reason", "created_at")
    list_filter = ("state", "source")
    list_select_related = ("payment__order",)
    finds = ("payment__order__code", "external_id", "key")


@admin.register(LedgerEntry)
class LedgerEntryAdmin(Finds, ReadOnly):
    """The ledger."""

    whose = STAFF
    list_display = ("at", "fact", "account", "amount_", "order", "creator")
    list_filter = ("account", "creator")
    list_select_related = ("order", "creator")
    show_full_result_count = False
    finds = ("fact", "order__code")

    class Media:
        css = {"all": ("css/pages/books.css",)}

    @admin.display(description=gettext_lazy("amount"), ordering="amount")
    def amount_(self, entry: LedgerEntry) -> SafeString:
        """As books write it."""
        return figures.cell(entry.amount, entry.currency)
