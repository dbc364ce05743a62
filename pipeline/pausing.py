"""Staff hold a making and let it go on: what runs ends, nothing new begins, and held money is still watched."""

from __future__ import annotations

from django.db.models import F
from django.utils import timezone

from accounts import audit
from accounts.models import User
from orders.models import Order

from . import engine, live
from .history import tell
from .models import OPEN_CALLS, Call, Production, ProductionState, Step, StepState


def pause(*, order: Order, by: User, reason: str) -> bool:
    """Hold what is being made for an order. True for exactly one caller, False when nothing runs or it is held."""
    running = Production.objects.filter(order=order, state=ProductionState.RUNNING, paused_at=None)
    with order.locked():
        production = running.first()
        if production is None or not running.filter(pk=production.pk).update(paused_at=timezone.now()):
            return False
        tell(production, "production.paused", by=str(by))
        order.tell("order.paused", actor=by.email, reason=reason)
        audit.write(actor=by, verb="order.paused", target=order, reason=reason)
    live.order_changed(order.code)
    return True


def resume(*, order: Order, by: User, reason: str) -> bool:
    """Let it go on. Deadlines move by the time in which nothing could happen. True for exactly one caller."""
    held = Production.objects.filter(order=order, state=ProductionState.RUNNING, paused_at__isnull=False)
    with order.locked():
        production = held.first()
        if production is None or production.paused_at is None:
            return False
        if not held.filter(pk=production.pk, paused_at=production.paused_at).update(paused_at=None):
            return False
        stood = timezone.now() - production.paused_at
        steps = Step.objects.filter(production=production).exclude(state__in=[StepState.DONE, StepState.FAILED])
        steps.filter(deadline_at__isnull=False).update(deadline_at=F("deadline_at") + stood)
        unsent = Call.objects.filter(step__in=steps.values("pk"), state__in=OPEN_CALLS, sent_at=None)
        unsent.filter(due_at__isnull=False).update(due_at=F("due_at") + stood)
        tell(production, "production.resumed", by=str(by))
        order.tell("order.resumed", actor=by.email, reason=reason)
        audit.write(actor=by, verb="order.resumed", target=order, reason=reason)
        engine.ring_due(production)
    live.order_changed(order.code)
    return True
