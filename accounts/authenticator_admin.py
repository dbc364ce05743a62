"""Second factors on the desk: who has one, and taking one away from somebody who has lost the phone."""

from __future__ import annotations

from typing import Any

from allauth.mfa.models import Authenticator
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from .reasons import Reasoned
from .scoping import STAFF, Scoped

# The library's own page shows the secrets.
admin.site.unregister(Authenticator)


@admin.register(Authenticator)
class AuthenticatorAdmin(Reasoned, Scoped, admin.ModelAdmin[Authenticator]):
    """To be read, without the secrets; taking one away is written into the audit, and asked for again at sign-in."""

    whose = STAFF
    list_display = ("user", "type", "created_at", "last_used_at")
    list_filter = ("type",)
    list_select_related = ("user",)
    search_fields = ("user__email",)
    fields = ("user", "type", "created_at", "last_used_at")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Authenticator]:
        """Only superusers see, or take away, those of superusers."""
        rows = super().get_queryset(request)
        return rows if request.user.is_superuser else rows.filter(user__is_superuser=False)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Everyone sets up their own."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody changes one by hand."""
        return False

    def delete_model(self, request: HttpRequest, obj: Authenticator) -> None:
        """Take one away."""
        self.delete_queryset(request, self.get_queryset(request).filter(pk=obj.pk))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Authenticator]) -> None:
        """Take some away. Recovery codes go with the app they stand in for."""
        for one in queryset:
            self.keep(request, "second_factor.removed", one.user, type=one.type)
        people = set(queryset.exclude(type=Authenticator.Type.RECOVERY_CODES).values_list("user", flat=True))
        queryset.delete()
        left = Authenticator.objects.filter(user__in=people)
        with_app = left.exclude(type=Authenticator.Type.RECOVERY_CODES).values("user")
        left.exclude(user__in=with_app).delete()
