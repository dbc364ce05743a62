"""What the gateway keeps of a payment, as it says itself or else as the contract says."""

from __future__ import annotations

from django.conf import settings

from .ledger import post
from .models import Account, Payment
from .models.shares import WHOLE


def estimate(amount: int) -> int:
    """The fee for taking an amount, by the settings, in minor units; half a cent and more counts as one."""
    fee: int = (amount * settings.GATEWAY_FEE_POINTS + WHOLE // 2) // WHOLE + settings.GATEWAY_FEE_FIXED
    return fee


def charge(payment: Payment, fee: int | None = None) -> int:
    """Write down the fee of a payment that was taken, once; `fee` where the gateway has said it. The fee, minor units.

    Called in the transaction that writes down the capture. A gateway keeps its fee when money goes back.
    """
    kept = estimate(payment.captured) if fee is None else fee
    if kept:
        post(
            order=payment.order,
            fact=f"fee:{payment.key}",
            lines={Account.GATEWAY: -kept, Account.FEES: kept},
        )
    return kept
