"""What the shop window shows: creators with their prices and voices, and how long a film has really taken here."""

from __future__ import annotations

import datetime as dt
import statistics
from dataclasses import dataclass

from django.contrib.staticfiles import finders
from django.db.models import F
from django.templatetags.static import static
from django.utils import timezone
from django.utils.functional import Promise

from accounts.models import ApprovalMode, Creator, Voice
from billing.models import Price
from orders.choices import Length, Occasion
from pipeline import progress
from pipeline.models import Review

LATEST = 100


@dataclass(frozen=True)
class Measured:
    """How long the latest films took from order to delivery, in seconds; 9 of 10 were there within `p90_seconds`."""

    count: int
    median_seconds: float
    p90_seconds: float


@dataclass(frozen=True)
class PriceLine:
    """What a film of one length costs."""

    length: str | Promise
    price: Price


@dataclass(frozen=True)
class Card:
    """A creator as the shop window shows them. Addresses of files that are not there are empty."""

    creator: Creator
    portrait: str
    sample: str
    prices: list[PriceLine]
    occasions: list[str | Promise]
    approves_each: bool
    approves_some: bool

    @property
    def lowest(self) -> Price | None:
        """The cheapest film there is with this creator."""
        return min((line.price for line in self.prices), key=lambda price: price.amount, default=None)

    @property
    def open(self) -> bool:
        """Whether a film can be begun now: active, priced, and licensed for at least one occasion today."""
        return self.creator.is_active and bool(self.prices) and bool(self.occasions)


def static_url(path: str) -> str:
    """A static file's address; empty for a file that is not there, so that no page shows a broken picture."""
    return static(path) if path and finders.find(path) else ""


def portrait(creator: Creator) -> str:
    """The address of a creator's picture: the one that is set, else the one that bears their name, else none."""
    return static_url(creator.portrait or f"creators/{creator.slug}.svg")


def _occasions(voice: Voice | None, today: dt.date) -> list[str | Promise]:
    """The occasions some licence of the voice covers today."""
    if voice is None:
        return []
    licences = [licence for licence in voice.licences.all() if licence.revoked_at is None]
    return [o.label for o in Occasion if any(licence.covers(o.value, today) for licence in licences)]


def card(creator: Creator) -> Card:
    """One creator's card."""
    voice = Voice.objects.filter(creator=creator).prefetch_related("licences").first()
    # One price per length: the one that came into force last. An occasion's own price is told where it is chosen.
    general = Price.objects.current().filter(creator=creator, occasion="")
    by_length = {price.seconds: price for price in general.order_by("seconds", "starts_at")}
    return Card(
        creator=creator,
        portrait=portrait(creator),
        sample=static_url(voice.sample) if voice else "",
        prices=[PriceLine(Length(seconds).label, price) for seconds, price in sorted(by_length.items())],
        occasions=_occasions(voice, timezone.localdate()),
        approves_each=creator.approval == ApprovalMode.EVERY_FILM,
        approves_some=creator.approval == ApprovalMode.SAMPLED,
    )


def cards() -> list[Card]:
    """Every creator who takes orders, in the home page's order."""
    return [card(creator) for creator in Creator.objects.filter(is_active=True)]


def measured() -> Measured | None:
    """From order to delivery over the latest films, the creator's look included; None before the first one."""
    found = progress.measured()
    return Measured(*found) if found else None


def usual_look(creator: Creator) -> float | None:
    """Median seconds the creator took to look at a film, over the latest ones; None while there are fewer than 3."""
    looks = (
        Review.objects.filter(creator=creator, decided_by__isnull=False, decided_at__gte=F("asked_at"))
        .order_by("-decided_at")
        .values_list("asked_at", "decided_at")[:LATEST]
    )
    seconds = [(decided - asked).total_seconds() for asked, decided in looks if decided is not None]
    return statistics.median(seconds) if len(seconds) >= 3 else None
