"""What films cost: the price in force, and changing it, which ends one price and begins another."""

from __future__ import annotations

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import Creator

from .models import Price


def price_for(*, creator: Creator, seconds: int, occasion: str = "") -> Price | None:
    """What a film of this length costs with this creator now; None where it is not offered.

    A price of the occasion's own goes before the one for every occasion.
    """
    found = Price.objects.current().filter(creator=creator, seconds=seconds, occasion__in={"", occasion})
    return found.order_by("-occasion", "-starts_at").first()


def change(*, creator: Creator, seconds: int, amount: int, occasion: str = "") -> Price:
    """End the price in force and begin another, of `amount` in minor units; the same amount changes nothing.

    Orders keep the price they were begun with. Raises ValueError for an amount no gateway takes.
    """
    if amount < settings.LEAST_PRICE:
        raise ValueError(f"no gateway takes {amount} minor units")
    for _attempt in range(5):
        now = timezone.now()
        try:
            with transaction.atomic():
                held = Price.objects.filter(creator=creator, seconds=seconds, occasion=occasion, ends_at=None)
                same = held.filter(amount=amount, currency=settings.CURRENCY).first()
                if same is not None:
                    return same
                held.update(ends_at=now)
                return Price.objects.create(
                    creator=creator,
                    seconds=seconds,
                    occasion=occasion,
                    amount=amount,
                    currency=settings.CURRENCY,
                    starts_at=now,
                )
        except IntegrityError:  # somebody else changed it at the same moment: the later one counts
            continue
    raise IntegrityError(f"the price of {seconds} seconds with {creator} cannot be changed now")


def end(*, price: Price) -> bool:
    """This length is not offered any more; True for whoever said so."""
    now = timezone.now()
    return bool(Price.objects.filter(pk=price.pk, ends_at=None).update(ends_at=now))
