"""Pictures for lists and cards: a film's, and a creator's."""

from __future__ import annotations

from django.template import Library

from accounts.models import Creator
from orders.models import Order, OrderState, PhotoState
from pipeline.media_links import link
from pipeline.models import Delivery

from ..showcase import portrait as portrait_of

register = Library()


@register.simple_tag
def portrait(creator: Creator) -> str:
    """The address of a creator's picture; empty when there is none."""
    return portrait_of(creator)


@register.simple_tag
def poster(order: Order) -> str:
    """A short-lived link to the picture that stands for this order; empty when there is none yet."""
    if order.state == OrderState.DELIVERED:
        delivery = Delivery.objects.filter(order=order, revoked_at=None).select_related("cut").first()
        if delivery is not None and delivery.cut.poster:
            return link(delivery.cut.poster)
    # Sorted here, not in a query: lists fetch the photos of all their orders at once.
    photos = [p for p in order.photos.all() if p.thumb and p.state != PhotoState.REFUSED]
    first = min(photos, key=lambda p: (p.place, p.pk), default=None)
    return link(first.thumb) if first else ""
