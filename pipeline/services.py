"""The pipeline's verbs: start a making, stop it, settle how it ended, approve or refuse a film."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from orders import services as orders
from orders.models import Order, OrderState

from . import engine, live, money
from .history import tell
from .line import LINE
from .models import Cut, Delivery, NoticeKind, Production, ProductionState, Review, ReviewState, Step, StepState
from .notices import promise


class StaleReview(Exception):  # noqa: N818  (said to people, not a bug)
    """The review was decided already, or is for another version of the film."""


def start(*, order: Order) -> Production:
    """Begin making a placed order's film: one production, its steps on the board. Starting twice gives the first."""
    with transaction.atomic():
        running = order.productions.filter(state=ProductionState.RUNNING).first()
        if running is not None:
            return running
        last = order.productions.aggregate(last=Max("number"))["last"] or 0
        production = Production.objects.create(order=order, number=last + 1)
        now = timezone.now()
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
        promise(production, NoticeKind.READY)
    elif production.state == ProductionState.FAILED:
        refused = Review.objects.filter(cut__production=production, state=ReviewState.REFUSED).exists()
        if orders.finish(order=order, state=OrderState.REFUSED if refused else OrderState.FAILED, ending=fan):
            promise(production, NoticeKind.ATTENTION)
            money.ring(order.pk)
    live.order_changed(order.code)


def close_or_open(*, order: Order, whole: bool, failed: bool) -> None:
    """An order that was paid back whole has no film: its links die. They live again if that refund fails."""
    if whole:
        Delivery.objects.filter(order=order, revoked_at=None).update(revoked_at=timezone.now())
    elif failed:
        Delivery.objects.filter(order=order).exclude(revoked_at=None).update(revoked_at=None)


def decide(*, review: Review, approve: bool, by: Any, sha256: str, reason: str = "") -> None:
    """The creator's word on one exact cut, given once. Raises StaleReview when it is late or for another version."""
    production = review.cut.production
    with transaction.atomic():
        same = Cut.objects.filter(pk=review.cut_id, sha256=sha256, production__state=ProductionState.RUNNING).exists()
        decided = same and Review.objects.filter(pk=review.pk, state=ReviewState.WAITING, sha256=sha256).update(
            state=ReviewState.APPROVED if approve else ReviewState.REFUSED,
            decided_by=by,
            reason=reason[:300],
            decided_at=timezone.now(),
        )
        if not decided:
            raise StaleReview(str(review))
        tell(
            production,
            "review.approved" if approve else "review.refused",
            stage="review",
            by=str(by) if by else "command line",
            reason=reason[:300],
        )
        engine.ring_step(production, "review")
    live.order_changed(production.order.code)
