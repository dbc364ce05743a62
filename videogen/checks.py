"""System checks: settings that contradict each other are said before the first request."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register


@register(Tags.security, deploy=True)
def production_is_not_a_demo(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """The sandbox till and debug pages must not meet real customers."""
    found: list[CheckMessage] = []
    if settings.PRODUCTION and settings.DEBUG:
        found.append(Error("DEBUG is on in production.", hint="Unset DEBUG.", id="videogen.E001"))
    if settings.PRODUCTION and settings.GATEWAY == "sandbox":
        found.append(
            Warning(
                "The sandbox till takes no real money.",
                hint="It closes in production; set GATEWAY once a payment provider is configured.",
                id="videogen.W001",
            )
        )
    return found
