"""Where allauth meets our house rules."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

DEMO_CODE = "demo_code"
# Where the visitor was on the way to when we asked them to sign in; a path of our own.
AFTER_SIGN_IN = "after_sign_in"


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Sign-in is by e-mailed code alone; a first code makes the account."""

    error_messages = DefaultAccountAdapter.error_messages | {
        "too_many_login_attempts": _("That code was typed wrongly too often. Ask for a new one and use that."),
        "incorrect_code": _("That is not the code we sent. Please look again, or ask for a new one."),
    }

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        """Back to where the visitor was going, even if it took a second code or another address."""
        wanted: str | None = request.session.pop(AFTER_SIGN_IN, None)
        return wanted or str(super().get_login_redirect_url(request))

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """No separate sign-up page: signing in is signing up."""
        return False

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Mail as usual; where this is a demo, the page that asks for the code may show it too."""
        super().send_mail(template_prefix, email, context)
        request = context.get("request") or self.request
        if settings.DEBUG and request is not None and "code" in context:
            request.session[DEMO_CODE] = context["code"]

    def login(self, request: HttpRequest, user: Any) -> None:
        """Sign in; a demo's code has done its work."""
        request.session.pop(DEMO_CODE, None)
        super().login(request, user)
