"""Billing's verbs: what a film costs, hold the money, take it for an approved film, let it go when there is none."""

from __future__ import annotations

import logging
import secrets

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import IntegrityError, transaction
from django.db.models import Max, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy

from orders import drafts
from orders import services as orders
from orders.cashier import NotForSale
from orders.faults import faultpoint
from orders.models import WITHOUT_FILM, Order, OrderState

from . import fees, shares
from .gateways.base import Gateway, GatewayError
from .gateways.sandbox import SandboxTill
from .ledger import post
from .models import Account, Payment, PaymentState
from .prices import price_for

log = logging.getLogger(__name__)

GATEWAYS: dict[str, type[Gateway]] = {"sandbox": SandboxTill}
CLOSED = gettext_lazy("This payment is closed. Nothing was taken. Go back to your order and try again.")
LIVE = (PaymentState.AUTHORIZED, PaymentState.CAPTURED)


def gateway() -> Gateway:
    """The gateway this site uses. Raises ImproperlyConfigured for an unknown one."""
    if settings.GATEWAY not in GATEWAYS:
        raise ImproperlyConfigured(f"GATEWAY={settings.GATEWAY}: choose one of {', '.join(GATEWAYS)}.")
    return GATEWAYS[settings.GATEWAY]()


def is_open() -> bool:
    """Whether anyone can pay here now. A production site whose gateway is still the sandbox is closed."""
    try:
        gateway()
    except ImproperlyConfigured as error:
        log.warning("Nobody can pay: %s", error)
        return False
    return True


def begin_payment(*, order: Order) -> Payment:
    """Open a payment at today's price; a second click gets the same one. Raises NotForSale."""
    price = price_for(creator=order.creator, seconds=order.brief.seconds, occasion=order.brief.occasion)
    if not order.is_draft or price is None or not is_open():
        raise NotForSale(CLOSED)
    with transaction.atomic():
        order.amount, order.currency = price.amount, price.currency
        Order.objects.filter(pk=order.pk, state=OrderState.DRAFT).update(amount=price.amount, currency=price.currency)
        for waiting in order.payments.filter(state=PaymentState.CREATED):
            if (waiting.amount, waiting.currency) == (price.amount, price.currency):
                return waiting
            waiting.move(PaymentState.CREATED, PaymentState.EXPIRED, ended_at=timezone.now())
        last = order.payments.aggregate(last=Max("number"))["last"] or 0
        return Payment.objects.create(
            order=order,
            number=last + 1,
            key=secrets.token_urlsafe(24),
            gateway=settings.GATEWAY,
            amount=price.amount,
            currency=price.currency,
            share_points=shares.rate_for(order.creator),
        )


def pay(*, payment: Payment, card: str) -> None:
    """Hold the money on the card and place the order. Paying twice is paying once. Raises GatewayError, NotForSale."""
    if payment.state in LIVE:
        return
    live = payment.order.payments.filter(state__in=LIVE).first()
    if live is not None:
        settle(order=payment.order)  # paid under another number: a crash may have kept the order from being placed
        return
    if payment.state != PaymentState.CREATED or not payment.order.is_draft or drafts.missing(payment.order):
        raise NotForSale(CLOSED)
    if not is_open():
        raise NotForSale(CLOSED)
    till = gateway()
    try:
        hold = till.hold(payment, card)
    except GatewayError as error:
        Payment.objects.filter(pk=payment.pk, state=PaymentState.CREATED).update(error=str(error)[:200])
        raise
    faultpoint("payment.after_hold")
    if not _hold_and_place(payment, hold.external_id):
        _let_go(payment, hold.external_id)
        raise NotForSale(CLOSED)
    faultpoint("payment.after_place")


def _hold_and_place(payment: Payment, external_id: str) -> bool:
    """Write down that the money is held and place the order, both or neither. False when it cannot be placed."""
    order = payment.order
    try:
        with transaction.atomic():
            # The order's row first, as whoever changes a draft takes it: two who wait for each other wait for ever.
            Order.objects.filter(pk=order.pk).update(changed_at=timezone.now())
            held = payment.move(
                PaymentState.CREATED,
                PaymentState.AUTHORIZED,
                external_id=external_id,
                authorized_at=timezone.now(),
                error="",
            )
            if held:
                orders.place(order=order, amount=payment.amount, currency=payment.currency)
                order.tell("payment.authorized", actor="fan", payment=str(payment))
    except (orders.NotReady, orders.NotADraft, IntegrityError):
        # The draft changed, went, or was paid under another number, between the click and the hold.
        payment.refresh_from_db()
        return False
    payment.refresh_from_db()
    return payment.state in LIVE


def _let_go(payment: Payment, external_id: str) -> None:
    """Give back a hold that places no order: written down first, so that a crash cannot forget it."""
    payment.move(PaymentState.CREATED, PaymentState.CANCELLED, ended_at=timezone.now())
    Payment.objects.filter(pk=payment.pk).update(external_id=external_id)
    payment.refresh_from_db()
    gateway().release(payment)


def settle(*, order: Order) -> None:
    """Bring held money to where the order ended: taken when delivered, released when there is no film.

    Money that is held for a draft places it, or is released. Safe at any time and any number of times; called outside
    transactions, since a gateway is far away.
    """
    for payment in order.payments.filter(state=PaymentState.AUTHORIZED):
        if order.state == OrderState.DRAFT:
            _place_late(order, payment)
        elif order.state == OrderState.DELIVERED:
            _capture(order, payment)
        elif order.state in WITHOUT_FILM:
            _release(order, payment)


def _place_late(order: Order, payment: Payment) -> None:
    """Money is held for a draft, which only something broken leaves behind: place it, or let the money go."""
    try:
        orders.place(order=order, amount=payment.amount, currency=payment.currency)
    except (orders.NotReady, orders.NotADraft):
        _release(order, payment)


def unsettled() -> QuerySet[Order]:
    """Orders with held money that are not being made: ended ones, and drafts that something broken left behind."""
    return Order.objects.filter(payments__state=PaymentState.AUTHORIZED).exclude(state=OrderState.PLACED)


def _capture(order: Order, payment: Payment) -> None:
    gateway().capture(payment)
    with transaction.atomic():
        if payment.move(PaymentState.AUTHORIZED, PaymentState.CAPTURED, captured_at=timezone.now()):
            post(order=order, fact=f"charge:{payment.key}", lines={Account.GATEWAY: payment.amount})
            fees.charge(payment)
            shares.accrue(payment)
            order.tell("payment.captured", payment=str(payment))


def _release(order: Order, payment: Payment) -> None:
    gateway().release(payment)
    with transaction.atomic():
        if payment.move(PaymentState.AUTHORIZED, PaymentState.CANCELLED, ended_at=timezone.now()):
            order.tell("payment.released", payment=str(payment))
