"""The ledger's one verb: writes a fact once, in lines that sum to zero."""

from __future__ import annotations

from django.db import IntegrityError, transaction

from accounts.models import Creator
from orders.models import Order

from .models import Account, LedgerEntry


class FactDiffers(ValueError):  # noqa: N818  (what was found)
    """A fact is in the ledger already, with other amounts: one of the two who wrote it is wrong."""


def post(
    *,
    fact: str,
    lines: dict[Account, int],
    order: Order | None = None,
    creator: Creator | None = None,
    currency: str = "",
) -> bool:
    """Write one fact into the ledger, once; True for whoever did.

    What the lines leave over goes against sales, so the fact sums to zero. Amounts are minor units of `currency`, by
    default the order's; the creator is by default the order's. Raises FactDiffers.
    """
    over = -sum(lines.values())
    full = lines | ({Account.SALES: lines.get(Account.SALES, 0) + over} if over else {})
    if _known(fact, full):
        return False
    if creator is None and order is not None:
        creator = order.creator
    currency = currency or (order.currency if order is not None else "")
    if len(currency) != 3:
        raise ValueError(f"{fact}: an amount needs a currency")
    rows = [
        LedgerEntry(fact=fact, account=account, amount=full[account], currency=currency, order=order, creator=creator)
        for account in sorted(full)
    ]
    try:
        with transaction.atomic():
            LedgerEntry.objects.bulk_create(rows)
    except IntegrityError:  # somebody else wrote it at the same moment
        if not _known(fact, full):
            raise
        return False
    return True


def _known(fact: str, lines: dict[Account, int]) -> bool:
    found = dict(LedgerEntry.objects.filter(fact=fact).values_list("account", "amount"))
    if found and {name: amount for name, amount in found.items() if amount} != {
        str(name): amount for name, amount in lines.items() if amount
    }:
        raise FactDiffers(f"{fact} is {found} in the ledger, not {lines}")
    return bool(found)
