"""What every page may know."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest


def site(request: HttpRequest) -> dict[str, Any]:
    """`demo` is true where nothing costs money and sign-in codes are shown on the page."""
    return {"demo": settings.DEBUG}
