"""What the pipeline does when the apps below, or its own engine, have news."""

from typing import Any

from django.dispatch import receiver

from orders.models import Order, Photo
from orders.signals import order_cancelled, order_placed, photo_uploaded

from . import photos, services
from .models import Production
from .signals import production_ended


@receiver(photo_uploaded)
def check_uploaded_photo(photo_id: int, **_kwargs: Any) -> None:
    """A photo arrived: have it checked."""
    photos.ring(Photo.objects.get(pk=photo_id))


@receiver(order_placed)
def make_placed_order(order_id: int, **_kwargs: Any) -> None:
    """An order was paid for: make its film."""
    services.start(order=Order.objects.get(pk=order_id))


@receiver(order_cancelled)
def stop_cancelled_order(order_id: int, **_kwargs: Any) -> None:
    """An order was cancelled: stop making its film."""
    services.cancel(order=Order.objects.get(pk=order_id))


@receiver(production_ended)
def settle_ended_production(production_id: int, fan: str, **_kwargs: Any) -> None:
    """A production ended: settle order, money and mail."""
    production = Production.objects.select_related("order__brief", "order__fan", "order__creator").get(pk=production_id)
    services.settle(production=production, fan=fan)
