"""Creators' shares: earned when money is taken, taken back in proportion when it goes back, to the cent.

The share of a payment is a function of what is left of it, rounded once: what a refund takes back is the difference
between the share before and after. So the order of refunds does not matter, nothing is lost to rounding, and a payment
that has gone back whole leaves exactly nothing.
"""

from __future__ import annotations

import datetime as dt

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F, Q
from django.utils import timezone

from accounts.models import Creator

from .ledger import post
from .models import Account, LedgerEntry, Payment, Refund, ShareRate
from .models.shares import WHOLE

EARNED, BACK, AGAIN = "share:", "share-back:", "share-again:"


def of(amount: int, points: int) -> int:
    """The share of an amount, in minor units; half a cent counts as one. `points` are hundredths of a percent."""
    return (max(0, amount) * points + WHOLE // 2) // WHOLE


def rate_for(creator: Creator, at: dt.datetime | None = None) -> int:
    """A creator's share at a moment, by default now, in hundredths of a percent."""
    moment = at or timezone.now()
    rates = ShareRate.objects.filter(Q(ends_at=None) | Q(ends_at__gt=moment), creator=creator, starts_at__lte=moment)
    found = rates.order_by("-starts_at").values_list("points", flat=True).first()
    return settings.CREATOR_SHARE if found is None else found


def set_rate(*, creator: Creator, points: int) -> ShareRate:
    """End the creator's share and begin another; payments that have begun keep theirs. Raises ValueError."""
    if not 0 <= points <= WHOLE:
        raise ValueError(f"a share of {points} hundredths of a percent")
    for _attempt in range(5):
        now = timezone.now()
        try:
            with transaction.atomic():
                held = ShareRate.objects.filter(creator=creator, ends_at=None)
                same = held.filter(points=points).first()
                if same is not None:
                    return same
                held.update(ends_at=now)
                return ShareRate.objects.create(creator=creator, points=points, starts_at=now)
        except IntegrityError:  # somebody else did at the same moment: the later one counts
            continue
    raise IntegrityError(f"the share of {creator} cannot be changed now")


def accrue(payment: Payment) -> int:
    """The creator has earned their share of a payment that was taken. Once, whoever says so; the share, minor units.

    Called in the transaction that writes down the capture.
    """
    with transaction.atomic():
        _fix_points(payment)
        earned = of(payment.captured, payment.share_points or 0)
        post(order=payment.order, fact=f"{EARNED}{payment.key}", lines={Account.CREATOR: -earned})
    return earned


def reverse(refund: Refund) -> int:
    """Take back what the creator had earned of money that goes back. Once per refund; how much, in minor units.

    Called in the transaction that writes down that the money went. What was never earned is not taken back.
    """
    return _move(refund, BACK)


def restore(refund: Refund) -> int:
    """A refund that was counted has failed: the creator has earned that part again. Once per refund; how much."""
    return _move(refund, AGAIN)


def earned(payment: Payment) -> int:
    """What is left of the creator's share of a payment, in minor units."""
    return of(payment.captured - sum(_counted(payment).values()), payment.share_points or 0) if _has(payment) else 0


def _move(refund: Refund, kind: str) -> int:
    with transaction.atomic():
        # This write lines up all who would do the same to one payment, on databases with row locks as on those without.
        Payment.objects.filter(pk=refund.payment_id).update(share_points=F("share_points"))
        payment = Payment.objects.select_related("order__creator").get(pk=refund.payment_id)
        if not _has(payment):
            return 0
        counted = _counted(payment)
        if (kind == BACK) == (refund.key in counted) or _posted(payment, kind, refund):
            return 0
        taken, points, back = payment.captured, payment.share_points or 0, sum(counted.values())
        change = refund.amount if kind == BACK else -refund.amount
        moved = of(taken - back, points) - of(taken - back - change, points)
        post(order=payment.order, fact=f"{kind}{refund.key}", lines={Account.CREATOR: moved})
        return abs(moved)


def _fix_points(payment: Payment) -> None:
    """From its capture on, a payment's share is the one it was begun with, whatever is agreed later."""
    if payment.share_points is None:
        points = rate_for(payment.order.creator, payment.created_at)
        Payment.objects.filter(pk=payment.pk, share_points=None).update(share_points=points)
        payment.refresh_from_db(fields=["share_points"])


def _facts(payment: Payment, kind: str) -> set[str]:
    """The keys of one kind of fact about an order's shares."""
    facts = LedgerEntry.objects.filter(order=payment.order_id, account=Account.CREATOR, fact__startswith=kind)
    return {fact.removeprefix(kind) for fact in facts.values_list("fact", flat=True)}


def _has(payment: Payment) -> bool:
    return payment.key in _facts(payment, EARNED)


def _posted(payment: Payment, kind: str, refund: Refund) -> bool:
    return refund.key in _facts(payment, kind)


def _counted(payment: Payment) -> dict[str, int]:
    """The amounts of those of a payment's refunds that count against the share, by their keys."""
    keys = _facts(payment, BACK) - _facts(payment, AGAIN)
    return {key: amount for key, amount in payment.refunds.values_list("key", "amount") if key in keys}
