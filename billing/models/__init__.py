"""Money: prices with their history, payments, refunds and the double-entry ledger. Integer minor units everywhere."""

from .ledger import Account, LedgerEntry
from .payments import Payment, PaymentState, Refund, RefundSource, RefundState
from .prices import Price, PriceQuerySet

__all__ = [
    "Account",
    "LedgerEntry",
    "Payment",
    "PaymentState",
    "Price",
    "PriceQuerySet",
    "Refund",
    "RefundSource",
    "RefundState",
]
