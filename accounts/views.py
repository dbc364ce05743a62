"""What the sign-in library has no page for."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from allauth.account.internal.stagekit import clear_login
from allauth.account.views import LoginView
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from .adapter import DEMO_CODE


@require_POST
def another_address(request: HttpRequest) -> HttpResponse:
    """Forget the code that was sent, for instance to a mistyped address, and ask for the address again."""
    clear_login(request)
    request.session.pop(DEMO_CODE, None)
    return redirect("account_request_login_code")


# Staff and creators may sign in by password. Who has a second factor shows it next.
desk = LoginView.as_view(template_name="account/desk.html")


def staff_only(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Second factors are for those who enter the desk: a fan who loses one would lose the films."""

    @login_required
    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not request.user.is_staff:
            raise Http404
        return view(request, *args, **kwargs)

    return guarded
