"""The second factor: where `REQUIRE_MFA` is on, staff and creators go no further without one."""

from __future__ import annotations

from typing import Any

from allauth.account.internal.flows.login import get_authentication_records, record_authentication
from allauth.mfa.signals import authenticator_added
from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.deprecation import MiddlewareMixin
from django.utils.http import urlencode

from .models import User

# What somebody without a second factor may still open: the pages that give one, and the way out.
OPEN = ("account_", "mfa_")
OPEN_TOO = {"admin:login", "admin:logout", "admin:jsi18n", "favicon"}


def needed(user: User | AnonymousUser) -> bool:
    """Whether this person may only go on with a second factor."""
    return bool(settings.REQUIRE_MFA and user.is_authenticated and user.is_staff)


def passed(request: HttpRequest) -> bool:
    """Whether a second factor was shown in this session."""
    return any(record.get("method") == "mfa" for record in get_authentication_records(request, request.user))


def stops(request: HttpRequest) -> bool:
    """Whether whoever asks may only go on with a second factor and has shown none: pages and sockets ask the same."""
    return needed(request.user) and not passed(request)


def way(request: HttpRequest) -> str:
    """Where somebody without one is led: to show theirs, or to set one up."""
    if is_mfa_enabled(request.user):
        return f"{reverse('mfa_reauthenticate')}?{urlencode({'next': request.get_full_path()})}"
    return reverse("mfa_activate_totp")


class SecondFactorMiddleware(MiddlewareMixin):
    """Stops staff and creators before every page, not only the desk's: they may see fans' films elsewhere, too."""

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        """Lead away from what asks for a second factor."""
        if not settings.REQUIRE_MFA or settings.SESSION_COOKIE_NAME not in request.COOKIES:
            return None
        name = request.resolver_match.view_name if request.resolver_match else ""
        if name.startswith(OPEN) or name in OPEN_TOO or not stops(request):
            return None
        return redirect(way(request))


@receiver(authenticator_added, dispatch_uid="accounts.second_factor")
def shown(request: HttpRequest, user: User, authenticator: Any, **kwargs: Any) -> None:
    """Who has just set one up has shown it."""
    record_authentication(request, user, method="mfa", id=authenticator.pk, type=authenticator.type)
