"""What the order wizard needs of the till, and where the till plugs itself in.

Orders lie below money and may not import it: the app that takes the money calls `use()` when it is loaded.
"""

from __future__ import annotations

from typing import Protocol

from accounts.models import Creator

from .models import Order

SIGNS = {"EUR": "€", "USD": "$", "GBP": "£"}


class NotForSale(Exception):  # noqa: N818  (said to people)
    """The order cannot be paid now. The message is a sentence for the fan."""


class PriceLike(Protocol):
    """A price: integer minor units and an ISO 4217 code."""

    amount: int
    currency: str


class PaymentLike(Protocol):
    """A payment begun: its key is the till page's address."""

    key: str


class PriceFor(Protocol):
    """Looks up the price in force."""

    def __call__(self, *, creator: Creator, seconds: int, occasion: str = "") -> PriceLike | None:
        """What a film of this many seconds costs now, for an occasion; None where it is not for sale."""


class BeginPayment(Protocol):
    """Begins the payment for an order."""

    def __call__(self, *, order: Order) -> PaymentLike:
        """The order's open payment; called twice, the same one. Raises NotForSale."""


class _Till:
    """The one till of this process."""

    price_for: PriceFor | None = None
    begin_payment: BeginPayment | None = None


_till = _Till()


def use(*, price_for: PriceFor, begin_payment: BeginPayment) -> None:
    """Plug the till in. Called once, when the money app is loaded."""
    _till.price_for = price_for
    _till.begin_payment = begin_payment


def price(creator: Creator, seconds: int, occasion: str = "") -> PriceLike | None:
    """What a film of this length costs with this creator now, for an occasion; None where it is not for sale."""
    return _till.price_for(creator=creator, seconds=seconds, occasion=occasion) if _till.price_for else None


def begin(order: Order) -> PaymentLike:
    """Begin, or find again, the order's payment. Raises NotForSale."""
    if _till.begin_payment is None:
        raise NotForSale("There is no till.")
    return _till.begin_payment(order=order)


def money(found: PriceLike) -> str:
    """A price as people write it: €29 or €29.50."""
    whole, cents = divmod(found.amount, 100)
    figure = f"{whole:,}" + (f".{cents:02d}" if cents else "")
    sign = SIGNS.get(found.currency)
    return f"{sign}{figure}" if sign else f"{figure} {found.currency}"
