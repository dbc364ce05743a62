"""Which gateway this site uses: the one whose key is set, else the sandbox till."""

from __future__ import annotations

import functools
import logging
import os
import re
from collections.abc import Callable, Iterator

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from .base import Gateway
from .sandbox import SandboxTill

log = logging.getLogger(__name__)

STRIPE = "stripe"


def _stripe() -> Gateway:
    if fault := next(faults(), ""):
        raise ImproperlyConfigured(fault)
    if not settings.STRIPE_SECRET_KEY:
        raise ImproperlyConfigured("GATEWAY=stripe needs STRIPE_SECRET_KEY.")
    return _stripe_with(settings.STRIPE_SECRET_KEY, settings.STRIPE_BASE_URL, settings.CAPTURE_AT_ONCE)


@functools.cache
def _stripe_with(key: str, base_url: str, at_once: bool) -> Gateway:
    # Stripe's library takes a while to load, in every process: it is loaded where its key is set, not at the start.
    from .stripe import StripeGateway  # noqa: PLC0415

    return StripeGateway(key, base_url=base_url, at_once=at_once)


# Two processes that speak through one connection read each other's answers.
os.register_at_fork(after_in_child=_stripe_with.cache_clear)

GATEWAYS: dict[str, Callable[[], Gateway]] = {SandboxTill.name: SandboxTill, STRIPE: _stripe}


def name() -> str:
    """The name of the gateway for new payments: as the settings say it, else the one whose key is set."""
    if settings.GATEWAY not in ("", "auto"):
        return str(settings.GATEWAY)
    return STRIPE if settings.STRIPE_SECRET_KEY else SandboxTill.name


def faults() -> Iterator[str]:
    """Why fans cannot pay with the settings as they are written, in sentences. Asks nobody."""
    key = settings.STRIPE_SECRET_KEY
    if key and not re.fullmatch(r"(sk|rk)_[!-~]+", key):
        yield "STRIPE_SECRET_KEY must begin with sk_ or rk_, without a space, line break or letter beyond ASCII."
    if not settings.STRIPE_BASE_URL.startswith(("https://", "http://")):
        yield "STRIPE_BASE_URL must begin with https:// or http://."
    if any(not re.fullmatch(r"whsec_[!-~]+", secret) for secret in settings.STRIPE_WEBHOOK_SECRETS):
        yield "STRIPE_WEBHOOK_SECRETS holds one that does not begin with whsec_."
    if settings.STRIPE_WEBHOOK_SECRETS and not key:
        yield "STRIPE_WEBHOOK_SECRETS is set, STRIPE_SECRET_KEY is not."
    if settings.GATEWAY == STRIPE and not key:
        yield "GATEWAY=stripe, and STRIPE_SECRET_KEY is not set."
    if settings.GATEWAY not in ("", "auto", *GATEWAYS):
        yield f"GATEWAY={settings.GATEWAY}: choose one of auto, {', '.join(GATEWAYS)}."


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
