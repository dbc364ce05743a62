"""People and voices on the desk."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.contrib.auth.models import Group
from django.db import models
from django.db.models import QuerySet
from django.http import HttpRequest

from . import authenticator_admin, roles
from .desk import RecentChanges
from .models import Audit, Creator, User, Voice, VoiceLicence
from .reasons import Reasoned
from .scoping import SELF, STAFF, Scoped

__all__ = ["authenticator_admin"]  # imported so that it registers itself


@admin.register(User)
class UserAdmin(Reasoned, Scoped, admin.ModelAdmin[User]):
    """Who may sign in."""

    whose = STAFF
    list_display = ("email", "name", "is_staff", "is_active", "date_joined")
    list_filter = ("is_staff", "is_active")
    search_fields = ("email", "name")
    fields = ("email", "name", "is_active", "is_staff", "is_superuser", "groups", "last_login", "date_joined")
    readonly_fields = ("last_login", "date_joined")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Only superusers make superusers, or give somebody's account another address: whose it is goes by that."""
        if request.user.is_superuser:
            return self.readonly_fields
        return (*self.readonly_fields, "is_superuser", *(("email",) if obj is not None else ()))

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Others than superusers hand out roles and no other groups."""
        if db_field.name == "groups" and not request.user.is_superuser:
            kwargs["queryset"] = Group.objects.filter(name__in=roles.Role.values)
        # A few boxes to tick: two lists with arrows between have no names for whoever cannot see them.
        return super().formfield_for_manytomany(db_field, request, **kwargs, widget=forms.CheckboxSelectMultiple)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Superusers are changed by superusers."""
        return self._below(request, obj) and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Superusers are deleted by superusers."""
        return self._below(request, obj) and super().has_delete_permission(request, obj)

    def _below(self, request: HttpRequest, obj: Any) -> bool:
        return bool(request.user.is_superuser or obj is None or not obj.is_superuser)

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        """A new account has no password: its owner signs in by a mailed code."""
        if not change:
            obj.set_unusable_password()
        super().save_model(request, obj, form, change)

    def write_down(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Who was let in, or given which role, is told by itself."""
        powers = sorted({"is_active", "is_staff", "is_superuser", "groups"} & set(form.changed_data))
        if not powers:
            return super().write_down(request, form, formsets, change)
        user = form.instance
        now = {name: getattr(user, name) for name in powers if name != "groups"}
        now["groups"] = sorted(user.groups.values_list("name", flat=True))
        return self.keep(request, "user.empowered", user, **now)


class LicenceInline(Scoped, admin.StackedInline[VoiceLicence, Voice]):
    """What the voice may be used for."""

    whose = "voice__creator"
    model = VoiceLicence
    extra = 0
    # One field with one label, where the stock form has two fields and a label for the first.
    formfield_overrides: ClassVar[Any] = {
        models.DateTimeField: {"form_class": forms.DateTimeField, "widget": forms.DateTimeInput}
    }


@admin.register(Creator)
class CreatorAdmin(Reasoned, Scoped, admin.ModelAdmin[Creator]):
    """Who lends a voice."""

    whose = SELF
    raw_id_fields = ("user",)  # a list of all fans would be long
    list_display = ("name", "slug", "approval", "is_active")
    list_filter = ("is_active", "approval")
    search_fields = ("name", "slug")


@admin.register(Voice)
class VoiceAdmin(RecentChanges, Reasoned, Scoped, admin.ModelAdmin[Voice]):
    """Voices, at their providers, with their licences: what a creator has allowed is changed by who is surely there."""

    whose = "creator"
    list_display = ("creator", "provider", "provider_voice")
    own_list_display = ("creator", "words_per_second")
    own_fields = ("creator", "words_per_second", "sample")
    inlines = (LicenceInline,)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Voice]:
        """With the creators' names."""
        return super().get_queryset(request).select_related("creator")

    def write_down(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """What became of licences is told one by one."""
        super().write_down(request, form, formsets, change)
        for formset in formsets:
            told: list[tuple[str, VoiceLicence, list[str]]] = [
                ("licence.given", one, []) for one in formset.new_objects
            ]
            told += [("licence.changed", one, fields) for one, fields in formset.changed_objects]
            for verb, licence, fields in told:
                now = {"fields": fields, "until": licence.ends_on, "revoked": licence.revoked_at}
                self.keep(request, verb, licence, **now)
            for licence in formset.deleted_objects:
                self.keep(request, "licence.deleted", form.instance, licence=str(licence))


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
