"""Recent sign-in: before money goes back or a licence changes we ask once more who is there."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import wraps
from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.login import get_authentication_records
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode

# A form that was opened in time may be sent this much later, so that nobody loses what they typed.
GRACE = 10 * 60


def recently(request: HttpRequest) -> bool:
    """Whether who asks has shown who they are a short while ago, by signing in or once more since."""
    records = get_authentication_records(request, request.user)
    window = settings.ACCOUNT_REAUTHENTICATION_TIMEOUT + (GRACE if request.method == "POST" else 0)
    return bool(records) and time.time() - records[-1]["at"] < window


def ask(request: HttpRequest) -> HttpResponse:
    """To where they show it, and back. Nothing of what was sent is done."""
    methods = get_adapter(request).get_reauthentication_methods(request.user)
    # Who has neither password nor second factor came in by a mailed code: a second factor is what they lack.
    where = methods[0]["url"] if methods else reverse("mfa_activate_totp")
    return redirect(f"{where}?{urlencode({'next': request.get_full_path()})}")


def recent_required(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """A view, or an admin page below `admin_view`, that only who is recent may open or send."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        return view(request, *args, **kwargs) if recently(request) else ask(request)

    return guarded
