"""Orders on the desk."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from .models import Brief, Consent, Order, OrderEvent, Photo


class Shown(admin.TabularInline[Any, Order]):
    """Rows of an order, to be read."""

    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Fans and the engine write these."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Fans and the engine write these."""
        return False


class BriefInline(admin.StackedInline[Brief, Order]):
    """What the film should be."""

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
class OrderAdmin(admin.ModelAdmin[Order]):
    """Orders, their briefs, photos, consents and history."""

    list_display = ("code", "fan", "creator", "state", "amount", "currency", "placed_at", "ended_at")
    list_filter = ("state", "creator")
    list_select_related = ("fan", "creator")
    search_fields = ("code", "fan__email", "brief__name")
    date_hierarchy = "created_at"
    inlines = (BriefInline, PhotoInline, ConsentInline, EventInline)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Fans begin orders."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """The verbs in services change orders."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Orders stay."""
        return False
