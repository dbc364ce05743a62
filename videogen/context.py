"""What every page may know."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest


def site(request: HttpRequest) -> dict[str, Any]:
    """`demo`: nothing costs money, codes are shown on the page. `paid_at_once`: money is taken, and not held."""
    return {"demo": settings.DEBUG, "paid_at_once": settings.CAPTURE_AT_ONCE}
