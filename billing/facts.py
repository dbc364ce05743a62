"""What is written into the books when money has moved. Called in the transaction that says so, once per fact."""

from __future__ import annotations

from . import fees, shares
from .ledger import post
from .models import Account, Payment, Refund


def charged(payment: Payment) -> None:
    """`payment.captured` was taken."""
    post(order=payment.order, fact=f"charge:{payment.key}", lines={Account.GATEWAY: payment.captured})
    fees.charge(payment)
    shares.accrue(payment)


def sent_back(refund: Refund) -> None:
    """The gateway has a refund in hand: the money is not ours any more."""
    post(order=refund.payment.order, fact=f"refund:{refund.key}", lines={Account.GATEWAY: -refund.amount})
    shares.reverse(refund)


def came_back(refund: Refund) -> None:
    """A refund that the gateway had in hand failed, or a bank gave back what it took: the money is ours again."""
    post(order=refund.payment.order, fact=f"refund-failed:{refund.key}", lines={Account.GATEWAY: refund.amount})
    shares.restore(refund)
