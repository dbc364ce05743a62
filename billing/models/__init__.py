"""Money: prices with their history, payments, refunds and the double-entry ledger. Integer minor units everywhere."""

from .ledger import Account, AppendOnly, LedgerEntry
from .outside import GatewayEvent, Reconciliation
from .payments import Payment, PaymentState, Refund, RefundReason, RefundSource, RefundState
from .payouts import Payout, PayoutAccount, PayoutState, Standing
from .prices import Price, PriceQuerySet
from .shares import ShareRate
from .statements import Statement
from .till import TestCharge, TestRefund

__all__ = [
    "Account",
    "AppendOnly",
    "GatewayEvent",
    "LedgerEntry",
    "Payment",
    "PaymentState",
    "Payout",
    "PayoutAccount",
    "PayoutState",
    "Price",
    "PriceQuerySet",
    "Reconciliation",
    "Refund",
    "RefundReason",
    "RefundSource",
    "RefundState",
    "ShareRate",
    "Standing",
    "Statement",
    "TestCharge",
    "TestRefund",
]
