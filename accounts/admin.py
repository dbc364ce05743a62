"""People and voices on the desk."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from . import authenticator_admin  # noqa: F401  (registers its class)
from .models import Audit, Creator, User, Voice, VoiceLicence
from .scoping import SELF, STAFF, Scoped


@admin.register(User)
class UserAdmin(Scoped, admin.ModelAdmin[User]):
    """Who may sign in."""

    whose = STAFF
    list_display = ("email", "name", "is_staff", "is_active", "date_joined")
    list_filter = ("is_staff", "is_active")
    search_fields = ("email", "name")
    fields = ("email", "name", "is_active", "is_staff", "is_superuser", "groups", "last_login", "date_joined")
    readonly_fields = ("last_login", "date_joined")
    filter_horizontal = ("groups",)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Only superusers hand out powers."""
        if request.user.is_superuser:
            return self.readonly_fields
        return (*self.readonly_fields, "email", "is_staff", "is_superuser", "groups")


class LicenceInline(Scoped, admin.StackedInline[VoiceLicence, Voice]):
    """What the voice may be used for."""

    whose = "voice__creator"
    model = VoiceLicence
    extra = 0


@admin.register(Creator)
class CreatorAdmin(Scoped, admin.ModelAdmin[Creator]):
    """Who lends a voice."""

    whose = SELF
    list_display = ("name", "slug", "approval", "is_active")
    list_filter = ("is_active", "approval")
    search_fields = ("name", "slug")


@admin.register(Voice)
class VoiceAdmin(Scoped, admin.ModelAdmin[Voice]):
    """Voices, at their providers, with their licences."""

    whose = "creator"
    list_display = ("creator", "provider", "provider_voice")
    own_list_display = ("creator", "words_per_second")
    own_fields = ("creator", "words_per_second", "sample")
    inlines = (LicenceInline,)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Voice]:
        """With the creators' names."""
        return super().get_queryset(request).select_related("creator")


@admin.register(Audit)
class AuditAdmin(Scoped, admin.ModelAdmin[Audit]):
    """What was done on the desk, by whom and why. To be read only, by everyone, superusers included."""

    whose = STAFF
    list_display = ("at", "who", "verb", "target_label", "reason")
    list_filter = ("verb", "target_type")
    search_fields = ("who", "target_label", "reason")
    fields = ("at", "who", "verb", "target_type", "target_label", "reason", "data")
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        """The verbs write it."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody changes it."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody deletes it."""
        return False
