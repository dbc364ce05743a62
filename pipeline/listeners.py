"""What the pipeline does when the apps below, or its own engine, have news."""

from typing import Any

from django.dispatch import receiver

from billing import refunds
from billing.models import Refund, RefundReason, RefundSource, RefundState
from billing.signals import money_due, payment_rang, refund_moved
from orders.models import Order, Photo
from orders.signals import order_cancelled, order_placed, photo_uploaded

from . import live, money, photos, queue, services
from .models import NoticeKind, Production
from .notices import promise
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


@receiver(money_due)
def settle_order(order_id: int, **_kwargs: Any) -> None:
    """Money is to be taken, released or given back."""
    money.ring(order_id)


@receiver(payment_rang)
def look_at_payment(payment_id: int, **_kwargs: Any) -> None:
    """A gateway has news of a payment."""
    queue.ring("control", "look_at_payment", payment_id, f"look_at_payment-{payment_id}")


@receiver(refund_moved)
def follow_refund(refund_id: int, **_kwargs: Any) -> None:
    """A refund was begun, sent, done or failed: send it, tell the fan, and close or open the film accordingly."""
    refund = Refund.objects.select_related("payment__order__fan", "payment__order__brief").get(pk=refund_id)
    order = refund.payment.order
    if refund.state == RefundState.CREATED:
        queue.ring("control", "send_refund", refund.pk, f"send_refund-{refund.pk}")
    failed = refund.state == RefundState.FAILED
    services.close_or_open(order=order, whole=refunds.is_whole(order), failed=failed)
    # The mail that says how an order ended says that nothing is paid for it, too.
    said = refund.source == RefundSource.SYSTEM and refund.reason != RefundReason.UNPLACED and not failed
    production = order.productions.order_by("-number").first()
    if (
        production is not None
        and refund.source != RefundSource.BANK
        and refund.state != RefundState.CREATED
        and not said
    ):
        promise(production, NoticeKind.REFUND, about=f"{refund.number}{' failed' if failed else ''}")
    live.order_changed(order.code)
