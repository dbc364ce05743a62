"""The ledger's one verb: writes a fact once, in lines that sum to zero."""

from __future__ import annotations

from orders.models import Order

from .models import Account, LedgerEntry


def post(*, order: Order, fact: str, lines: dict[Account, int]) -> None:
    """Write one fact into the ledger, once; what the lines leave over goes against sales, so it sums to zero."""
    full = lines | {Account.SALES: lines.get(Account.SALES, 0) - sum(lines.values())}
    for account, amount in full.items():
        LedgerEntry.objects.get_or_create(
            fact=fact, account=account, defaults={"amount": amount, "currency": order.currency, "order": order}
        )
