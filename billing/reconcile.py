"""Comparing books: what the gateway lists against what we wrote down, payment by payment, to the cent."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Iterator
from dataclasses import dataclass, field

from django.core.exceptions import ImproperlyConfigured
from django.db.models import Q, QuerySet, Sum
from django.utils import timezone

from . import fees, truth
from .gateways import chosen
from .gateways.base import GatewayError, Line, Stand
from .models import (
    Account,
    LedgerEntry,
    Payment,
    PaymentState,
    Payout,
    PayoutState,
    Reconciliation,
    Refund,
    RefundState,
)
from .statements import PAYOUT

log = logging.getLogger(__name__)

# How far back a comparison looks by default: refunds and disputes come late.
DAYS = 120
# What has just happened may not be written down yet.
FRESH = dt.timedelta(minutes=10)
# A comparison that takes longer has died.
PATIENCE = dt.timedelta(hours=1)
STATES: dict[Stand, tuple[PaymentState, ...]] = {
    Stand.OPEN: (PaymentState.CREATED, PaymentState.EXPIRED, PaymentState.CANCELLED, PaymentState.FAILED),
    Stand.PENDING: (PaymentState.CREATED,),
    Stand.HELD: (PaymentState.AUTHORIZED,),
    Stand.TAKEN: (PaymentState.CAPTURED,),
    Stand.GONE: (PaymentState.EXPIRED, PaymentState.CANCELLED, PaymentState.FAILED),
}


@dataclass
class Found:
    """What a comparison came to: how many payments, what was put right on the way, what differs still."""

    compared: int = 0
    mended: list[str] = field(default_factory=list)
    differences: list[str] = field(default_factory=list)


def compare(gateway: str, *, days: int = DAYS) -> Found:
    """Compare a gateway's books with ours. Raises GatewayError.

    A payment that differs is read anew there, as a message of the gateway's would have had us do: what that puts right
    was only news that never came.
    """
    since = timezone.now() - dt.timedelta(days=days)
    found, seen = Found(), set()
    for line in chosen.named(gateway).books(since):
        found.compared += 1
        named = Q(key=line.key) | Q(external_id=line.external_id)
        payment = Payment.objects.select_related("order").filter(named, gateway=gateway).first()
        if payment is None:
            if line.key:  # what carries no name of ours is another shop's on the same account
                found.differences.append(
                    f"{line.external_id} is at {gateway} under our name, and we know nothing of it"
                )
            continue
        seen.add(payment.key)
        if before := list(_compared(payment, line)):
            truth.look(payment)
            payment.refresh_from_db()
            after = list(_compared(payment, line))
            for says in before:
                where = found.differences if says in after else found.mended
                where.append(f"{payment} ({line.external_id}): {says}")
            found.differences += [f"{payment} ({line.external_id}): {says}" for says in after if says not in before]
    ours = Payment.objects.filter(gateway=gateway, created_at__gte=since, created_at__lt=timezone.now() - FRESH)
    ours = ours.filter(Q(state=PaymentState.AUTHORIZED) | Q(captured__gt=0)).exclude(key__in=seen)
    for payment in ours:
        found.differences.append(f"{payment} ({payment.external_id}) is {payment.state} here, and not listed there")
    found.differences += _payouts(gateway, since)
    return found


def _payouts(gateway: str, since: dt.datetime) -> Iterator[str]:
    """What differs between what creators were sent there and what we wrote down of it."""
    seen: set[str] = set()
    for sent in chosen.named(gateway).sent(since):
        payout = Payout.objects.filter(key=sent.key, gateway=gateway).first() if sent.key else None
        if payout is None:
            if sent.key:
                yield f"the transfer {sent.external_id} is at {gateway} under our name, and we know nothing of it"
            continue
        named = f"payout {payout} ({sent.external_id})"
        if payout.key in seen:
            yield f"{named}: it was sent there more than once"
        seen.add(payout.key)
        if (sent.amount, sent.currency) != (payout.amount, payout.currency):
            yield f"{named}: {sent.amount} {sent.currency} was sent there, {payout.amount} {payout.currency} is here"
        if sent.back:
            yield f"{named}: {sent.back} of it was taken back there"
        if payout.state == PayoutState.FAILED:
            yield f"{named}: it was sent there and has failed here"
        if payout.state == PayoutState.PAID:
            lines = LedgerEntry.objects.filter(fact=f"{PAYOUT}{payout.key}", account=Account.GATEWAY)
            booked = -(lines.aggregate(sum=Sum("amount"))["sum"] or 0)
            if booked != payout.amount:
                yield f"{named}: {payout.amount} was paid as its row says, {booked} is in the ledger"
    ours = Payout.objects.filter(gateway=gateway, state=PayoutState.PAID, created_at__gte=since)
    for payout in ours.filter(created_at__lt=timezone.now() - FRESH).exclude(key__in=seen):
        yield f"payout {payout} ({payout.external_id}) is paid here, and not listed there"


def _compared(payment: Payment, line: Line) -> Iterator[str]:
    """What differs between a payment's rows, its ledger and the gateway's line."""
    taken, back = _ledger(payment)
    if payment.state not in STATES[line.stand] and not (line.stand == Stand.TAKEN and payment.captured):
        yield f"it is {line.stand} there and {payment.state} here"
    if line.stand in (Stand.HELD, Stand.TAKEN) and line.currency != payment.currency:
        yield f"its currency is {line.currency} there and {payment.currency} here"
    if line.captured != taken:
        yield f"{line.captured} was taken there, {taken} is in the ledger"
    if payment.captured != taken:
        yield f"{payment.captured} was taken as its row says, {taken} is in the ledger"
    if line.back != back:
        yield f"{line.back} went back there, {back} is in the ledger"
    if line.fee is not None and line.fee != payment.fee:
        yield f"{line.fee} was kept there as its fee, {'nothing' if payment.fee is None else payment.fee} is said here"
    if payment.fee is not None and (booked := fees.booked(payment)) != payment.fee:
        yield f"{payment.fee} was kept as its fee as its row says, {booked} is in the ledger"
    rows = payment.refunds.filter(released=False, state__in=(RefundState.SENT, RefundState.DONE))
    if (said := rows.aggregate(sum=Sum("amount"))["sum"] or 0) != back:
        yield f"{said} went back as its refunds say, {back} is in the ledger"


def _ledger(payment: Payment) -> tuple[int, int]:
    """What the ledger says was taken, and went back, at the gateway."""
    keys = list(Refund.objects.filter(payment=payment).values_list("key", flat=True))
    lines = LedgerEntry.objects.filter(account=Account.GATEWAY)
    taken = lines.filter(fact=f"charge:{payment.key}").aggregate(sum=Sum("amount"))["sum"] or 0
    facts = [f"{kind}:{key}" for key in keys for kind in ("refund", "refund-failed")]
    return taken, -(lines.filter(fact__in=facts).aggregate(sum=Sum("amount"))["sum"] or 0)


def gateways() -> list[str]:
    """The gateways that have payments here, or would get the next one."""
    used = set(Payment.objects.order_by().values_list("gateway", flat=True).distinct())
    return sorted(used | {chosen.name()})


def daily() -> list[Reconciliation]:
    """Compare each gateway's books once a day, whoever asks first. The comparisons made now."""
    today, made = timezone.now().date(), []
    for gateway in gateways():
        row, new = Reconciliation.objects.get_or_create(day=today, gateway=gateway)
        if not new and not _unfinished().filter(pk=row.pk).update(begun_at=timezone.now()):
            continue
        try:
            found = compare(gateway)
            row.compared, row.mended, row.differences = found.compared, found.mended, found.differences
        except (GatewayError, ImproperlyConfigured) as error:
            row.differences = [f"{gateway} could not be compared: {error}"]
        row.ended_at = timezone.now()
        row.save()
        made.append(row)
        for sentence in row.differences:
            log.error("Reconciliation: %s", sentence)
    return made


def _unfinished() -> QuerySet[Reconciliation]:
    """Comparisons whose process died."""
    return Reconciliation.objects.filter(ended_at=None, begun_at__lt=timezone.now() - PATIENCE)


def is_due() -> bool:
    """Whether today's comparison has not been begun, or not been finished in its time."""
    return not Reconciliation.objects.filter(day=timezone.now().date()).exists() or _unfinished().exists()
