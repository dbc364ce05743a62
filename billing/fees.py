"""What the gateway keeps of a payment: an estimate by the contract, until the gateway says it itself.

It may say so at the capture, days later or never. The first word counts: another one is a difference in the books. A
dispute costs a fee of its own, which may be given back with the money.
"""

from __future__ import annotations

import datetime as dt

from django.conf import settings
from django.db.models import Count, Sum
from django.utils import timezone

from .ledger import post
from .models import Account, LedgerEntry, Payment, Refund
from .models.shares import WHOLE

# A gateway that has not said its fee is asked so long; the daily comparison of books hears it later.
PATIENCE = dt.timedelta(days=2)
# More than any gateway keeps, and than the column holds.
MOST = 2**31 - 1


def estimate(amount: int) -> int:
    """The fee for taking an amount, by the settings, in minor units; half a cent and more counts as one."""
    fee: int = (amount * settings.GATEWAY_FEE_POINTS + WHOLE // 2) // WHOLE + settings.GATEWAY_FEE_FIXED
    return fee


def charge(payment: Payment) -> int:
    """Write down the estimated fee of a payment that was taken, once; how much, in minor units.

    Called in the transaction that writes down the capture. A gateway keeps its fee when money goes back.
    """
    kept = estimate(payment.captured)
    _post(payment, f"fee:{payment.key}", kept)
    return kept


def said(payment: Payment, fee: int) -> bool:
    """The gateway says what it kept of a payment that was taken: the ledger gets what the estimate was off by.

    True for whoever heard it first; what is said later changes nothing.
    """
    if not 0 <= fee <= MOST:
        return False
    with payment.order.locked():
        mine = Payment.objects.filter(pk=payment.pk, fee=None, captured__gt=0)
        if not mine.update(fee=fee):
            return False
        payment.fee = fee
        _post(payment, f"fee-said:{payment.key}", fee - booked(payment))
        return True


def booked(payment: Payment) -> int:
    """The fee of a payment as the ledger has it, in minor units."""
    facts = [f"fee:{payment.key}", f"fee-said:{payment.key}"]
    lines = LedgerEntry.objects.filter(fact__in=facts, account=Account.FEES)
    return lines.aggregate(sum=Sum("amount"))["sum"] or 0


def disputed(refund: Refund, fee: int) -> None:
    """The gateway keeps so much for the dispute that took this money, as it stands now; said twice, it is the same."""
    if not 0 <= fee <= MOST:
        return
    facts = f"fee-dispute:{refund.key}:"
    lines = LedgerEntry.objects.filter(fact__startswith=facts, account=Account.FEES)
    # In one question: of two who hear the same at once, both write the same fact.
    told = lines.aggregate(sum=Sum("amount"), times=Count("pk"))
    _post(refund.payment, f"{facts}{told['times'] + 1}", fee - (told["sum"] or 0))


def is_waited_for(payment: Payment) -> bool:
    """Whether the gateway should be asked again what it kept."""
    since = payment.captured_at
    return payment.fee is None and since is not None and since > timezone.now() - PATIENCE


def _post(payment: Payment, fact: str, amount: int) -> None:
    if amount:
        post(order=payment.order, fact=fact, lines={Account.GATEWAY: -amount, Account.FEES: amount})
