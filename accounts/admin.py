"""People and voices on the desk."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from .models import Audit, Creator, User, Voice, VoiceLicence


@admin.register(User)
class UserAdmin(admin.ModelAdmin[User]):
    """Who may sign in."""

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


class LicenceInline(admin.StackedInline[VoiceLicence, Voice]):
    """What the voice may be used for."""

    model = VoiceLicence
    extra = 0


@admin.register(Creator)
class CreatorAdmin(admin.ModelAdmin[Creator]):
    """Who lends a voice."""

    list_display = ("name", "slug", "approval", "is_active")
    list_filter = ("is_active", "approval")
    search_fields = ("name", "slug")


@admin.register(Voice)
class VoiceAdmin(admin.ModelAdmin[Voice]):
    """Voices, at their providers, with their licences."""

    list_display = ("creator", "provider", "provider_voice")
    inlines = (LicenceInline,)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Voice]:
        """With the creators' names."""
        return super().get_queryset(request).select_related("creator")


@admin.register(Audit)
class AuditAdmin(admin.ModelAdmin[Audit]):
    """What was done on the desk, by whom and why. To be read only, by everyone, superusers included."""

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
