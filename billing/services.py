"""Billing's verbs: what a film costs, begin a payment, pay, and bring the money to where the order ended."""

from __future__ import annotations

import datetime as dt
import logging
import secrets

from django.conf import settings
from django.db.models import Exists, F, Max, OuterRef, Q, QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy

from orders import drafts
from orders import services as orders
from orders.cashier import NotForSale
from orders.faults import faultpoint
from orders.models import WITHOUT_FILM, Order, OrderState

from . import holds, refunds, shares, truth
from .gateways import chosen
from .gateways.base import Checkout, GatewayError
from .gateways.chosen import is_open
from .gateways.sandbox import SandboxTill
from .models import Payment, PaymentState, Refund, RefundReason
from .prices import price_for
from .truth import LIVE

log = logging.getLogger(__name__)

CLOSED = gettext_lazy("This payment is closed. Nothing was taken. Go back to your order and try again.")
# A hold that is about to end is taken or let go while there is still time to try again.
BEFORE_THE_END = dt.timedelta(days=1)
REASONS = {
    OrderState.FAILED: RefundReason.FAILED,
    OrderState.REFUSED: RefundReason.REFUSED,
    OrderState.CANCELLED: RefundReason.CANCELLED,
}


def begin_payment(*, order: Order) -> Payment:
    """Open a payment at today's price; a second click gets the same one. Raises NotForSale."""
    with order.locked():
        order.refresh_from_db()  # with its brief: as they are now that nobody can change them
        brief = order.brief
        price = price_for(creator=order.creator, seconds=brief.seconds, occasion=brief.occasion)
        if not order.is_draft or price is None or not is_open():
            raise NotForSale(CLOSED)
        order.amount, order.currency = price.amount, price.currency
        Order.objects.filter(pk=order.pk, state=OrderState.DRAFT).update(amount=price.amount, currency=price.currency)
        for waiting in order.payments.filter(state=PaymentState.CREATED):
            if (waiting.amount, waiting.currency, waiting.gateway) == (price.amount, price.currency, chosen.name()):
                return waiting
            # Its page may still be open in another tab: the alarm closes it there.
            now = timezone.now()
            waiting.move(PaymentState.CREATED, PaymentState.EXPIRED, ended_at=now, look_at=now)
        last = order.payments.aggregate(last=Max("number"))["last"] or 0
        return Payment.objects.create(
            order=order,
            number=last + 1,
            key=secrets.token_urlsafe(24),
            gateway=chosen.name(),
            amount=price.amount,
            currency=price.currency,
            share_points=shares.rate_for(order.creator),
        )


def checkout(*, payment: Payment) -> Checkout:
    """The gateway's page for this payment; asked again it is the same one. Raises NotForSale, GatewayError."""
    if payment.state != PaymentState.CREATED or not payment.order.is_draft or drafts.missing(payment.order):
        raise NotForSale(CLOSED)
    if not is_open():
        raise NotForSale(CLOSED)
    if payment.url:
        return Checkout(payment.session, payment.url)
    site = settings.SITE_URL.rstrip("/")
    opened = chosen.named(payment.gateway).checkout(
        payment,
        back=site + reverse("billing:back", args=[payment.key]),
        leave=site + reverse("orders:summary", args=[payment.order.code]),
    )
    soon = timezone.now() + dt.timedelta(minutes=truth.PAUSES[0])
    Payment.objects.filter(pk=payment.pk, state=PaymentState.CREATED).update(
        session=opened.session, url=opened.url, look_at=soon
    )
    payment.refresh_from_db()
    return opened


def pay(*, payment: Payment, card: str) -> None:
    """Hold the money on a test card, place the order. Paying twice is paying once. Raises GatewayError, NotForSale."""
    if payment.state in LIVE:
        return
    live = payment.order.payments.filter(state__in=LIVE).first()
    if live is not None:
        settle(order=payment.order)  # paid under another number: a crash may have kept the order from being placed
        return
    till = chosen.named(payment.gateway) if is_open() else None
    if not isinstance(till, SandboxTill):
        raise NotForSale(CLOSED)
    checkout(payment=payment)
    try:
        till.hold(payment, card)
    except GatewayError as error:
        Payment.objects.filter(pk=payment.pk, state=PaymentState.CREATED).update(error=str(error)[:200])
        raise
    faultpoint("payment.after_hold")
    truth.look(payment)
    if payment.state not in (PaymentState.CREATED, *LIVE):
        raise NotForSale(CLOSED)


def settle(*, order: Order) -> None:
    """Bring money to where the order ended: taken when delivered, released or given back when there is no film.

    Money that is held for a draft places it, or is released. Safe at any time and any number of times; called outside
    transactions, since a gateway is far away. Raises GatewayError.
    """
    for payment in order.payments.filter(state=PaymentState.AUTHORIZED):
        payment.order = order
        try:
            _settle_held(order, payment)
        except GatewayError as error:
            if not error.final:
                raise
            # It is not held any more, or was taken already: what is so, is written down.
            truth.look(payment)
    if order.state in WITHOUT_FILM:
        for payment in order.payments.filter(captured__gt=0, refunded__lt=F("amount")):
            refunds.give_all_back(payment=payment, reason=REASONS[OrderState(order.state)])


def ask_later(*, order: Order) -> None:
    """A gateway did not do what was asked: it is asked again after a pause, and how things stand is read first."""
    for payment in order.payments.filter(state=PaymentState.AUTHORIZED, look_at=None):
        Payment.objects.filter(pk=payment.pk).update(
            look_at=timezone.now() + truth.pause(payment.looks), looks=F("looks") + 1
        )


def _settle_held(order: Order, payment: Payment) -> None:
    if payment.refunded >= payment.amount and payment.wanted is None:
        holds.release(payment)  # all of it was given up before any was taken
    elif order.state == OrderState.DRAFT:
        _place_late(order, payment)
    elif order.state == OrderState.DELIVERED:
        holds.capture(payment)
    elif order.state in WITHOUT_FILM:
        holds.release(payment)
    elif payment.capture_before is not None and payment.capture_before < timezone.now() + BEFORE_THE_END:
        holds.capture(payment)  # the promise stands; should it be broken, the money goes back


def _place_late(order: Order, payment: Payment) -> None:
    """Money is held for a draft, which only something broken leaves behind: place it, or let the money go."""
    try:
        orders.place(order=order, amount=payment.amount, currency=payment.currency)
    except (orders.NotReady, orders.NotADraft):
        holds.release(payment)


def unsettled() -> QuerySet[Order]:
    """Orders whose money is not where it belongs: held though it ended, about to end, or taken without a film."""
    now = timezone.now()
    held = Payment.objects.filter(state=PaymentState.AUTHORIZED, look_at=None).filter(
        ~Q(order__state=OrderState.PLACED)
        | Q(capture_before__lt=now + BEFORE_THE_END)
        | Q(refunded__gte=F("amount"))  # given up
    )
    tried = Refund.objects.filter(payment__order=OuterRef("order"), key__startswith=f"{refunds.AUTOMATIC}:")
    kept = Payment.objects.filter(~Exists(tried), order__state__in=WITHOUT_FILM)
    kept = kept.filter(captured__gt=0, refunded__lt=F("amount"))
    # Two questions, each with an index of its own: together they would go through all orders there ever were.
    return Order.objects.filter(pk__in=held.order_by().values("order").union(kept.order_by().values("order")))
