"""The pipeline's verbs: start a making, stop it, settle how it ended, approve or refuse a film."""

from __future__ import annotations

import datetime as dt

from django.conf import settings
from django.db.models import Max
from django.utils import timezone

from orders import services as orders
from orders.models import Order, OrderState

from . import engine, live, money
from .escalations import escalate
from .history import tell
from .line import LINE
from .models import (
    Delivery,
    EscalationKind,
    NoticeKind,
    Production,
    ProductionState,
    Review,
    ReviewState,
    Step,
    StepState,
)
from .notices import promise
from .rerun import rerun
from .reviewing import StaleReview, decide, request_change, undo

__all__ = ["StaleReview", "cancel", "decide", "request_change", "rerun", "settle", "start", "undo"]


def start(*, order: Order) -> Production:
    """Begin making a placed order's film: one production, its steps on the board. Starting twice gives the first."""
    with order.locked():
        running = order.productions.filter(state=ProductionState.RUNNING).first()
        if running is not None:
            return running
        last = order.productions.aggregate(last=Max("number"))["last"] or 0
        production = Production.objects.create(order=order, number=last + 1)
        now = timezone.now()
        promised = now + dt.timedelta(hours=settings.PROMISE_HOURS)
        if Order.objects.filter(pk=order.pk, promised_at=None).update(promised_at=promised):
            order.promised_at = promised
        for line in LINE:
            if line.per_item:
                continue  # the script writes these
            ready = not line.needs
            Step.objects.create(
                production=production,
                stage=line.key,
                state=StepState.READY if ready else StepState.BLOCKED,
                not_before=now if ready else None,
            )
        tell(production, "production.started")
        engine.advance(production)
    live.order_changed(order.code)
    return production


def cancel(*, order: Order) -> None:
    """Stop whatever is being made for an order."""
    for production in order.productions.filter(state=ProductionState.RUNNING):
        engine.end_production(production, ProductionState.CANCELLED, stage="", error="", fan="")
    live.order_changed(order.code)


def settle(*, production: Production, fan: str) -> None:
    """A production ended: end the order, settle the money, promise the fan a mail. In the caller's transaction.

    `fan` is the sentence the fan reads when there is no film.
    """
    order = production.order
    if production.state == ProductionState.DONE:
        renewed = Delivery.objects.filter(order=order, cut__production=production).exclude(renewed_at=None).exists()
        promise(production, NoticeKind.RENEWED if renewed else NoticeKind.READY)
    elif production.state == ProductionState.FAILED:
        refused = Review.objects.filter(cut__production=production, state=ReviewState.REFUSED).exists()
        if orders.finish(order=order, state=OrderState.REFUSED if refused else OrderState.FAILED, ending=fan):
            promise(production, NoticeKind.ATTENTION)
            money.ring(order.pk)
        elif order.state == OrderState.DELIVERED:
            # The fan keeps the film that was delivered; only staff asked for another.
            escalate(production, EscalationKind.RERUN_FAILED, production.error)
    live.order_changed(order.code)


def close_or_open(*, order: Order, whole: bool, failed: bool) -> None:
    """An order that was paid back whole has no film: its links die. They live again if that refund fails."""
    if whole:
        Delivery.objects.filter(order=order, revoked_at=None).update(revoked_at=timezone.now())
        cancel(order=order)  # a new version of it, where one is being made
    elif failed:
        Delivery.objects.filter(order=order).exclude(revoked_at=None).update(revoked_at=None)
