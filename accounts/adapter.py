"""Where allauth meets our house rules."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.http import HttpRequest

DEMO_CODE = "demo_code"


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Sign-in is by e-mailed code alone; a first code makes the account."""

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
