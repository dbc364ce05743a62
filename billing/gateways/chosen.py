"""Which gateway this site uses: the one whose key is set, else the sandbox till."""

from __future__ import annotations

import logging
from collections.abc import Callable

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from .base import Gateway
from .sandbox import SandboxTill

log = logging.getLogger(__name__)

GATEWAYS: dict[str, Callable[[], Gateway]] = {SandboxTill.name: SandboxTill}


def name() -> str:
    """The name of the gateway for new payments, as the settings say it."""
    return SandboxTill.name if settings.GATEWAY in ("", "auto") else str(settings.GATEWAY)


def note() -> str:
    """What new payments are like, in a few words, for whoever runs the site."""
    if name() == SandboxTill.name:
        return "test cards, no money moves"
    return "taken at once" if settings.CAPTURE_AT_ONCE else "held, taken when the film is approved"


def named(wanted: str) -> Gateway:
    """A gateway by its name. Raises ImproperlyConfigured for an unknown one."""
    if wanted not in GATEWAYS:
        raise ImproperlyConfigured(f"GATEWAY={wanted}: choose one of auto, {', '.join(GATEWAYS)}.")
    return GATEWAYS[wanted]()


def gateway() -> Gateway:
    """The gateway for new payments. Raises ImproperlyConfigured."""
    return named(name())


def is_open() -> bool:
    """Whether anyone can pay here now. A production site whose gateway is still the sandbox is closed."""
    try:
        gateway()
    except ImproperlyConfigured as error:
        log.warning("Nobody can pay: %s", error)
        return False
    return True
