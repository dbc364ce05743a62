"""The sandbox till: test cards, no money. It stays closed in production."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ..models import Payment
from .base import GatewayError, Hold


@dataclass(frozen=True)
class TestCard:
    """A card the till knows how to answer for."""

    value: str
    label: str | Promise
    hint: str | Promise


CARDS = (
    TestCard("good", gettext_lazy("A card that works"), gettext_lazy("The amount is held; the film is made.")),
    TestCard("declined", gettext_lazy("A card that is declined"), gettext_lazy("The bank says no; nothing is held.")),
    TestCard("empty", gettext_lazy("A card without enough money"), gettext_lazy("Not enough on the card.")),
)


class SandboxTill:
    """Answers at once and keeps nothing but what the payment's row says."""

    name = "sandbox"

    def __init__(self) -> None:
        if settings.PRODUCTION:
            raise ImproperlyConfigured("The sandbox till is closed in production; set GATEWAY.")

    def hold(self, payment: Payment, card: str) -> Hold:
        """Hold as the test card says."""
        if card == "declined":
            raise GatewayError("declined", fan=_("The bank declined this card. Nothing was taken. Try another one."))
        if card == "empty":
            raise GatewayError(
                "insufficient funds", fan=_("There is not enough on this card. Nothing was taken. Try another one.")
            )
        if card != "good":
            raise GatewayError(f"unknown card {card!r}", fan=_("Choose one of the test cards."))
        return Hold(external_id=f"sandbox-{payment.key}")

    def capture(self, payment: Payment) -> None:
        """Nothing to do: there is no money."""

    def release(self, payment: Payment) -> None:
        """Nothing to do: there is no money."""
