"""Money on the desk: prices can be set, everything else is to be read."""

from __future__ import annotations

from django.contrib import admin

from accounts.desk import Finds, ReadOnly
from accounts.scoping import STAFF, Scoped

from .models import LedgerEntry, Payment, Price, Refund


@admin.register(Price)
class PriceAdmin(Scoped, admin.ModelAdmin[Price]):
    """Prices with their history."""

    whose = "creator"
    list_display = ("creator", "seconds", "amount", "currency", "starts_at", "ends_at")
    list_filter = ("creator",)


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
    list_display = ("fact", "account", "amount", "currency", "order", "at")
    list_filter = ("account",)
    list_select_related = ("order",)
    finds = ("fact", "order__code")
