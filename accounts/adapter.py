"""Where allauth meets our house rules."""

import base64
import hashlib
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core import context
from allauth.mfa.adapter import DefaultMFAAdapter
from cryptography.fernet import Fernet, MultiFernet
from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from .recent import recently

DEMO_CODE = "demo_code"
# Where the visitor was on the way to when we asked them to sign in; a path of our own.
AFTER_SIGN_IN = "after_sign_in"


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Sign-in is by e-mailed code alone; a first code makes the account."""

    error_messages = DefaultAccountAdapter.error_messages | {
        "too_many_login_attempts": _("That code was typed wrongly too often. Ask for a new one and use that."),
        "incorrect_code": _("That is not the code we sent. Please look again, or ask for a new one."),
        "email_password_mismatch": _("That address and that password do not belong together. Please look again."),
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

    def is_reauthentication_required(self, *, app: str, **kwargs: Any) -> bool:
        """Signing in counts as showing who one is, for a while."""
        return context.request is None or not recently(context.request)

    def get_reauthentication_methods(self, user: Any) -> list[dict[str, Any]]:
        """Who has a second factor shows it; a password alone is not enough then."""
        methods: list[dict[str, Any]] = super().get_reauthentication_methods(user)
        return [one for one in methods if one["id"].startswith("mfa")] or methods


class SecondFactorAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    """Second factors as we keep them: their secrets are encrypted with the site's own; a stolen copy is of no use."""

    error_messages = DefaultMFAAdapter.error_messages | {
        "incorrect_code": _("That code is not right, or has just run out. Please type the one that is shown now."),
    }

    def encrypt(self, text: str) -> str:
        """As it is stored."""
        return _vault().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """As it was. Raises InvalidToken when SECRET_KEY has changed and is not among SECRET_KEY_FALLBACKS."""
        return _vault().decrypt(encrypted_text.encode()).decode()


def _vault() -> MultiFernet:
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    digests = (hashlib.sha256(b"accounts.second_factor" + str(key).encode()).digest() for key in keys)
    return MultiFernet([Fernet(base64.urlsafe_b64encode(digest)) for digest in digests])
