"""Money: prices with their history, payments, refunds and the double-entry ledger. Integer minor units everywhere."""

from .ledger import Account, AppendOnly, LedgerEntry
from .payments import Payment, PaymentState, Refund, RefundSource, RefundState
from .payouts import Payout, PayoutAccount, PayoutState
from .prices import Price, PriceQuerySet
from .shares import ShareRate
from .statements import Statement

__all__ = [
    "Account",
    "AppendOnly",
    "LedgerEntry",
    "Payment",
    "PaymentState",
    "Payout",
    "PayoutAccount",
    "PayoutState",
    "Price",
    "PriceQuerySet",
    "Refund",
    "RefundSource",
    "RefundState",
    "ShareRate",
    "Statement",
]
