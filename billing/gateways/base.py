"""What every payment gateway speaks. Amounts are integer minor units of the payment's currency.

A gateway is asked outside transactions, and may be asked the same thing any number of times: it answers how things
stand, and what it did once it does not do again.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from ..models import Payment, Payout, PayoutAccount, Refund


class GatewayError(Exception):
    """The gateway said no, or nothing. `fan` is the sentence for the person paying.

    `final` says that asking again is of no use: what was asked for is known not to have been done, and will not be.
    """

    def __init__(self, what: str, *, fan: str = "", final: bool = False) -> None:
        super().__init__(what)
        self.fan = fan
        self.final = final


class Stand(StrEnum):
    """How a payment stands at its gateway."""

    OPEN = "open"  # nobody has paid yet
    PENDING = "pending"  # paid, and the bank has not answered
    HELD = "held"
    TAKEN = "taken"
    GONE = "gone"  # cancelled, run out, or failed for good: nothing is held


@dataclass(frozen=True)
class Checkout:
    """Where a fan pays: the gateway's id of that page, and its address."""

    session: str
    url: str


@dataclass(frozen=True)
class Back:
    """Money that went back at the gateway: by a refund, ours or another, or taken by the bank.

    `fee` is what the gateway keeps for a dispute so far, in minor units of the payment's currency.
    """

    external_id: str
    amount: int
    state: str  # sent, done or failed
    key: str = ""  # of our refund, where it is ours
    dispute: bool = False
    error: str = ""
    fee: int = 0


@dataclass(frozen=True)
class Truth:
    """How a payment stands at its gateway now.

    `fee` is what the gateway keeps of `captured`, in minor units of the payment's currency whatever it settles in; None
    while it has not said so, which may be for ever.
    """

    stand: Stand
    external_id: str = ""
    amount: int = 0
    currency: str = ""
    captured: int = 0
    capture_before: dt.datetime | None = None
    fee: int | None = None
    backs: tuple[Back, ...] = ()
    error: str = ""


@dataclass(frozen=True)
class Line:
    """One payment in the gateway's books; `key` is our payment's, empty where it is not ours; `fee` as in `Truth`."""

    key: str
    external_id: str
    stand: Stand
    amount: int
    currency: str
    captured: int
    back: int  # refunded and taken by the bank, together
    fee: int | None = None


@dataclass(frozen=True)
class Sent:
    """One transfer to a creator in the gateway's books; `key` is our payout's, empty where it is not ours."""

    key: str
    external_id: str
    amount: int
    currency: str
    back: int  # what of it was taken back from the creator's account


class Gateway(Protocol):
    """Where a fan pays, and creators are paid from."""

    name: str

    def checkout(self, payment: Payment, *, back: str, leave: str) -> Checkout:
        """A page for paying this payment: the same for the same payment while it is open. Raises GatewayError.

        The fan comes to the address `back` afterwards, or to `leave` without having paid.
        """

    def look(self, payment: Payment) -> Truth:
        """How the payment stands. Raises GatewayError."""

    def capture(self, payment: Payment) -> int:
        """Take `payment.wanted` of what is held; how much was taken, by us or by whoever came first.

        Raises GatewayError.
        """

    def release(self, payment: Payment) -> None:
        """Let held money go, or close the page where it could still be paid. Raises GatewayError."""

    def refund(self, refund: Refund) -> Back:
        """Send taken money back, once per refund. Raises GatewayError."""

    def transfer(self, payout: Payout, *, sent_before: bool) -> str:
        """Send a creator their money, once per payout; the gateway's id of it. Raises GatewayError.

        `sent_before` says that it was asked for already and may have been done, whenever that was.
        """

    def open_account(self, account: PayoutAccount) -> str:
        """Open an account for a creator, the same when asked again soon; its id. Raises GatewayError."""

    def onboarding(self, account: PayoutAccount, *, back: str, again: str) -> str:
        """The address of a page where the creator says what the gateway has to know. It works once, for minutes.

        From there they come to `back`, whether it is complete or not, or to `again` when it had run out. Raises
        GatewayError.
        """

    def missing(self, account: PayoutAccount) -> str:
        """What keeps an account from being paid, in the gateway's words; empty when it can be paid.

        Raises GatewayError, a final one where there is no such account.
        """

    def books(self, since: dt.datetime) -> Iterator[Line]:
        """Every payment that was begun there since then. Raises GatewayError."""

    def sent(self, since: dt.datetime) -> Iterator[Sent]:
        """Every transfer to a creator that was made there since then. Raises GatewayError."""

    def check(self) -> str:
        """One free question: who answers. Raises GatewayError."""
