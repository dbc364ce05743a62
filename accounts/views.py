"""What the sign-in library has no page for."""

from __future__ import annotations

from allauth.account.internal.stagekit import clear_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from .adapter import DEMO_CODE


@require_POST
def another_address(request: HttpRequest) -> HttpResponse:
    """Forget the code that was sent, for instance to a mistyped address, and ask for the address again."""
    clear_login(request)
    request.session.pop(DEMO_CODE, None)
    return redirect("account_request_login_code")
