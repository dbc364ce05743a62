"""Money that waits for a gateway: bells for it, and the sweep that rings again for whatever was lost.

A gateway may take seconds to answer, so no sweep asks it: workers do.
"""

from __future__ import annotations

import logging

from django.core.exceptions import ImproperlyConfigured

from billing import payout_accounts, payouts, reconcile, refunds, truth
from billing import services as billing
from billing.gateways.base import GatewayError
from billing.models import Payout
from orders.models import Order

from . import queue

log = logging.getLogger(__name__)

AT_ONCE = 100


def ring(order_id: int) -> None:
    """Have an order's money brought to where the order ended, after the commit."""
    queue.ring("control", "settle_order", order_id, f"settle-{order_id}")


def settle(pk: int) -> None:
    """Do that. A gateway that is away is asked again by the sweep."""
    order = Order.objects.get(pk=pk)
    try:
        billing.settle(order=order)
    except (GatewayError, ImproperlyConfigured) as error:
        log.warning("The money of order %s is not settled: %s", order, error)
        billing.ask_later(order=order)


def send_payout(pk: int) -> None:
    """Send a creator their money, again where nothing was heard."""
    try:
        payouts.send(Payout.objects.get(pk=pk))
    except ImproperlyConfigured as error:
        log.warning("Payout %s waits: %s", pk, error)


def sweep() -> int:
    """Ring for money that is out of place, payments and accounts to look at, refunds and payouts to send. How many."""
    found = 0
    for job, due in (
        ("settle_order", billing.unsettled().values_list("pk", flat=True)[:AT_ONCE]),
        ("look_at_payment", truth.due()),
        ("send_refund", refunds.due()),
        ("send_payout", payouts.due()),
        ("look_at_account", payout_accounts.due()),
    ):
        for pk in due:
            queue.again("control", job, pk, f"{job}-{pk}")
            found += 1
    if reconcile.is_due():
        queue.again("control", "compare_books", 0, "compare_books")
    return found
