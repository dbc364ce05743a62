"""What every payment gateway speaks. Amounts are integer minor units of the payment's currency."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from ..models import Payment


class GatewayError(Exception):
    """The gateway said no, or nothing. `fan` is the sentence for the person paying."""

    def __init__(self, what: str, *, fan: str) -> None:
        super().__init__(what)
        self.fan = fan


@dataclass(frozen=True)
class Hold:
    """Money held on a card: the gateway's id of it."""

    external_id: str


class Gateway(Protocol):
    """Where a fan pays."""

    name: str

    def hold(self, payment: Payment, card: str) -> Hold:
        """Hold the payment's amount on the card. Raises GatewayError when it is declined."""

    def capture(self, payment: Payment) -> None:
        """Take held money. Doing it again is harmless. Raises GatewayError."""

    def release(self, payment: Payment) -> None:
        """Let held money go. Doing it again is harmless. Raises GatewayError."""
