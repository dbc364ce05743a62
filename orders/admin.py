"""Orders on the desk."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.scoping import Scoped

from .models import Brief, Consent, Order, OrderEvent, OrderState, Photo


class Shown(Scoped, admin.TabularInline[Any, Order]):
    """Rows of an order, to be read."""

    whose = "order__creator"
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Fans and the engine write these."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Fans and the engine write these."""
        return False


class BriefInline(Scoped, admin.StackedInline[Brief, Order]):
    """What the film should be."""

    whose = "order__creator"
    model = Brief
    can_delete = False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """The brief is the fan's, and frozen at purchase."""
        return False


class PhotoInline(Shown):
    """The photos and their checks."""

    model = Photo
    fields = ("place", "label", "state", "fault", "width", "height", "taken_at")


class ConsentInline(Shown):
    """What the fan agreed to."""

    model = Consent
    fields = ("kind", "words", "given_at")
    readonly_fields = ("given_at",)


class EventInline(Shown):
    """What happened."""

    model = OrderEvent
    fields = ("number", "at", "name", "actor", "data")
    readonly_fields = ("at",)


@admin.register(Order)
class OrderAdmin(Scoped, admin.ModelAdmin[Order]):
    """Orders, their briefs, photos, consents and history. A creator reads what a film is about, not who pays for it."""

    whose = "creator"
    own_list_display = ("code", "state", "placed_at", "ended_at")
    own_list_filter = ("state",)
    own_search_fields = ("code", "brief__name")
    own_fields = ("code", "state", "placed_at", "promised_at", "ended_at")
    own_inlines = (BriefInline, PhotoInline)
    list_display = ("code", "fan", "creator", "state", "amount", "currency", "placed_at", "ended_at")
    list_filter = ("state", "creator")
    list_select_related = ("fan", "creator")
    search_fields = ("code", "fan__email", "brief__name")
    date_hierarchy = "created_at"
    inlines = (BriefInline, PhotoInline, ConsentInline, EventInline)

    def own_rows(self, rows: QuerySet[Order]) -> QuerySet[Order]:
        """A draft is the fan's alone."""
        return rows.exclude(state=OrderState.DRAFT)

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        """Fans begin orders."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """The verbs in services change orders."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Orders stay."""
        return False
