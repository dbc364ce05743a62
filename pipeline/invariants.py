"""What must always hold, as checks over the rows and the files: run after every flow test and whenever in doubt.

Each check yields sentences; none means all is well. The numbers are those of docs/invariants.md.
"""

from __future__ import annotations

import datetime as dt
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from django.core.files.storage import default_storage
from django.db.models import Count, F, Max, Q, Sum
from django.utils import timezone

from billing import fees, refunds, statements
from billing.models import Account, LedgerEntry, Payment, PaymentState, Refund, RefundReason, RefundSource, RefundState
from orders.consents import REQUIRED
from orders.models import WITHOUT_FILM, Order, OrderEvent, OrderState

from . import files, housekeeping
from .line import STAGES
from .models import (
    Call,
    CallState,
    Delivery,
    Event,
    Notice,
    Production,
    ProductionState,
    Rendition,
    ReviewState,
    Step,
    StepState,
)

# How late something due may be handled before it counts as forgotten.
GRACE = dt.timedelta(seconds=60)
OPEN = (RefundState.CREATED, RefundState.SENT)
SENT = (RefundState.SENT, RefundState.DONE)
MAIL_GRACE = dt.timedelta(hours=6)


def i1_ledger_balances() -> Iterator[str]:
    """Every ledger transaction sums to zero; nothing is refunded that was not captured."""
    for row in LedgerEntry.objects.values("fact").annotate(total=Sum("amount")).exclude(total=0):
        yield f"I1 ledger fact {row['fact']} sums to {row['total']}"
    for payment in Payment.objects.filter(refunds__isnull=False).distinct():
        rows = payment.refunds.exclude(state=RefundState.FAILED)
        claimed = rows.aggregate(sum=Sum("amount"))["sum"] or 0
        if claimed != payment.refunded:
            yield f"I1 {payment} has refunds of {claimed} and says {payment.refunded}"
        # What others took back at the gateway is a fact, whatever we think of it.
        ours = rows.exclude(source=RefundSource.BANK).exclude(reason=RefundReason.OUTSIDE)
        back = ours.aggregate(sum=Sum("amount"))["sum"] or 0
        sent = ours.filter(released=False, state__in=SENT).aggregate(sum=Sum("amount"))["sum"] or 0
        if back > payment.amount or sent > payment.captured:
            yield f"I1 {payment} gave back {back}, sent {sent}, of {payment.captured} taken"
    for payment in Payment.objects.filter(captured__gt=0):
        posted = LedgerEntry.objects.filter(fact=f"charge:{payment.key}", account=Account.GATEWAY)
        if [entry.amount for entry in posted] != [payment.captured]:
            yield f"I1 {payment} took {payment.captured} and the ledger says otherwise"
        if payment.fee is not None and fees.booked(payment) != payment.fee:
            yield f"I1 {payment} cost a fee of {payment.fee} and the ledger says otherwise"
    for payment in Payment.objects.filter(state=PaymentState.CAPTURED):
        if not LedgerEntry.objects.filter(fact=f"charge:{payment.key}").exists():
            yield f"I1 {payment} was captured and is not in the ledger"
    yield from (f"I1 {sentence}" for sentence in statements.differing())


def i2_paid_once() -> Iterator[str]:
    """Never two captures for one order."""
    captured = Payment.objects.filter(state=PaymentState.CAPTURED).values("order__code").annotate(times=Count("pk"))
    for row in captured.filter(times__gt=1):
        yield f"I2 order {row['order__code']} was captured {row['times']} times"


def i3_one_live_call() -> Iterator[str]:
    """Of each of a step's calls, such as its takes, at most one attempt is in flight and at most one has an answer."""
    flight = [CallState.NEW, CallState.QUEUED, CallState.SUBMITTED]
    for what, states in (("in flight", flight), ("answered", [CallState.SUCCEEDED])):
        calls = Call.objects.filter(state__in=states).values("step", "name").annotate(times=Count("pk"))
        for row in calls.filter(times__gt=1):
            yield f"I3 step {row['step']} has {row['times']} calls {row['name']} {what}"
    kept = Step.objects.filter(production__based_on__isnull=False, state=StepState.DONE, started_at=None)
    for step in kept.filter(calls__isnull=False).distinct():
        yield f"I3 step {step} was taken over and has calls"


def i4_nothing_forgotten() -> Iterator[str]:
    """Whatever is not over has a next moment, and that moment is not long past."""
    late = timezone.now() - GRACE
    for order in Order.objects.filter(state=OrderState.PLACED):
        if not order.productions.filter(state=ProductionState.RUNNING).exists():
            yield f"I4 order {order} is placed and nothing is being made"
    held = Payment.objects.filter(state=PaymentState.AUTHORIZED, authorized_at__lt=late, order__state=OrderState.DRAFT)
    for payment in held:
        yield f"I4 payment {payment} is held and its order was not placed"
    for payment in Payment.objects.filter(look_at__lt=late):
        yield f"I4 payment {payment} was to be looked at since before {late:%H:%M:%S}"
    for refund in Refund.objects.filter(state__in=OPEN).filter(Q(look_at=None) | Q(look_at__lt=late)):
        yield f"I4 refund {refund} is open and nobody looks at it"
    for notice in Notice.objects.filter(sent_at=None, created_at__lt=timezone.now() - MAIL_GRACE):
        yield f"I4 the mail {notice} has not left: {notice.error or 'no reason is known'}"
    for step in Step.objects.due(late):
        yield f"I4 step {step} has been due since before {late:%H:%M:%S}"
    for rendition in Rendition.objects.due(late):
        yield f"I4 the rendition {rendition} has been due since before {late:%H:%M:%S}"
    for production in Production.objects.filter(state=ProductionState.RUNNING):
        states = dict(production.steps.values_list("stage").annotate(open=Count("pk", filter=~Q(state="done"))))
        done = {stage for stage, still_open in states.items() if not still_open}
        for step in production.steps.filter(state=StepState.BLOCKED):
            if set(STAGES[step.stage].needs) <= done:
                yield f"I4 step {step} is blocked and nothing blocks it"


def i5_history_has_no_gap() -> Iterator[str]:
    """Histories are numbered 1, 2, 3 … without a gap."""
    for label, rows, owner in (("order", OrderEvent.objects, "order"), ("production", Event.objects, "production")):
        numbers: dict[int, list[int]] = {}
        for key, number in rows.order_by(owner, "number").values_list(owner, "number"):
            numbers.setdefault(key, []).append(number)
        for key, found in numbers.items():
            if found != list(range(1, len(found) + 1)):
                yield f"I5 the history of {label} {key} has a gap: {found}"


def i6_delivered_means_whole() -> Iterator[str]:
    """A delivered film exists, is the one that was approved, passed its checks, with consents and a licence."""
    delivered = Order.objects.filter(state=OrderState.DELIVERED, erased_at=None)  # an erased one has no film any more
    for order in delivered.select_related("brief", "creator__voice"):
        delivery = Delivery.objects.filter(order=order).select_related("cut__review").first()
        if delivery is None:
            yield f"I6 order {order} is delivered and has no delivery"
            continue
        cut = delivery.cut
        if cut.verdict not in ("pass", "warn"):
            yield f"I6 order {order} was delivered with the verdict “{cut.verdict}”"
        if cut.review.state != ReviewState.APPROVED or cut.review.sha256 != cut.sha256:
            yield f"I6 order {order} was delivered without approval of that film"
        if cut.review.takes_effect_at is not None:
            yield f"I6 order {order} was delivered while its approval could be taken back"
        if cut.review.automatic and cut.production.concerns.exists():
            yield f"I6 order {order} was delivered without a look at what moderation had flagged"
        if not default_storage.exists(cut.file):
            yield f"I6 the film of order {order} is gone"
        else:
            with tempfile.TemporaryDirectory() as folder:
                if files.sha256(files.fetch(cut.file, Path(folder))) != cut.sha256:
                    yield f"I6 the film of order {order} is not the one that was made"
        if not set(order.consents.values_list("kind", flat=True)) >= REQUIRED:
            yield f"I6 order {order} was delivered without the consents it needs"
        if order.creator.voice.licence_for(order.brief.occasion, delivery.delivered_at.date()) is None:
            yield f"I6 order {order} was delivered without a licence"


def i7_no_film_no_money() -> Iterator[str]:
    """An order that ended without a film has no delivery, took no money and makes no more calls."""
    for order in Order.objects.filter(state__in=WITHOUT_FILM):
        if Delivery.objects.filter(order=order, revoked_at=None, delivered_at__gt=order.ended_at).exists():
            yield f"I7 order {order} ended as {order.state} and was delivered after that"
        held = order.payments.filter(state=PaymentState.AUTHORIZED).exists()
        if held and order.ended_at and order.ended_at < timezone.now() - GRACE:
            yield f"I7 order {order} ended as {order.state} and the money is still held"
        kept = order.payments.filter(captured__gt=F("refunded")).exclude(refunds__state=RefundState.FAILED).exists()
        if kept and order.ended_at and order.ended_at < timezone.now() - GRACE:
            yield f"I7 order {order} ended as {order.state} and the money was kept"
        if Call.objects.filter(step__production__order=order, created_at__gt=order.ended_at).exists():
            yield f"I7 order {order} ended as {order.state} and calls were made after that"
    paid_back = Payment.objects.filter(state=PaymentState.CAPTURED, refunded__gte=F("amount")).values("order")
    for delivery in Delivery.objects.filter(order__in=paid_back, revoked_at=None):
        yield f"I7 order {delivery.order} was paid back whole and its film can still be watched"

    for delivery in Delivery.objects.exclude(renewed_at=None).select_related("order"):
        back = Refund.objects.filter(payment__order=delivery.order, state=RefundState.DONE)
        last = back.aggregate(last=Max("ended_at"))["last"]
        if last is not None and refunds.is_whole(delivery.order) and delivery.renewed_at and delivery.renewed_at > last:
            yield f"I7 order {delivery.order} was paid back and got a newer version after that"


def i8_files_and_rows_agree() -> Iterator[str]:
    """No row without its file; no file without a row for more than an hour."""
    known = housekeeping.known_names()
    for name in sorted(known):
        if not default_storage.exists(name):
            yield f"I8 a row names {name}, which does not exist"
    for name in housekeeping.orphans(known):
        yield f"I8 no row names {name}"


def i10_done_once() -> Iterator[str]:
    """No two attempts of a step both succeeded."""
    done = Event.objects.filter(name="step.done").values("production", "stage", "item").annotate(times=Count("pk"))
    for row in done.filter(times__gt=1):
        yield f"I10 {row['stage']}[{row['item']}] of production {row['production']} was done {row['times']} times"


def i11_progress_rises() -> Iterator[str]:
    """What the fan was shown stays within 0 and 100."""
    for production in Production.objects.filter(shown__gt=100):
        yield f"I11 production {production} showed {production.shown} percent"


ALL: tuple[Callable[[], Iterator[str]], ...] = (
    i1_ledger_balances,
    i2_paid_once,
    i3_one_live_call,
    i4_nothing_forgotten,
    i5_history_has_no_gap,
    i6_delivered_means_whole,
    i7_no_film_no_money,
    i8_files_and_rows_agree,
    i10_done_once,
    i11_progress_rises,
)


def broken() -> list[str]:
    """Every sentence of every check; empty when all invariants hold."""
    return [sentence for check in ALL for sentence in check()]
