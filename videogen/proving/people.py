"""What people do in a trial: creators approve; with money in the play they also refuse and ask, and staff mend.

An order's part is decided by its place in line, so that a trial with the same seed plays the same parts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from billing import refunds
from billing.models import PaymentState, RefundReason, RefundSource, RefundState
from orders.models import Order, OrderState
from pipeline import rerun, reviewing
from pipeline.models import ProductionState, ReasonCode, Review, ReviewState
from pipeline.wishes import Change

STAFF = "the trial's staff"


class Part(StrEnum):
    """What becomes of an order, besides its film."""

    HALF_BACK = "half of the price goes back"
    SHOT_AGAIN = "staff have a shot made again"
    FACE = "the creator asks for another shot"
    CAPTION = "the creator has the captions made again; later everything goes back"
    REFUSED = "the creator refuses it"


def part_of(place: int, *, money: bool) -> Part | None:
    """The part of the order at this place in line; None without money."""
    return list(Part)[place % len(Part)] if money else None


@dataclass
class People:
    """Creators and staff of one trial. Everything they do, they do twice: fingers do."""

    money: bool
    done: set[str] = field(default_factory=set)  # what staff have done, by order

    def look(self, placed: Mapping[str, OrderState]) -> set[str]:
        """Answer every review that waits; the codes of orders that were refused."""
        places = {code: place for place, code in enumerate(placed)}
        refused = set()
        for review in Review.objects.filter(state=ReviewState.WAITING).select_related("cut__production__order"):
            production = review.cut.production
            part = part_of(places[production.order.code], money=self.money)
            first = production.based_on_id is None
            try:
                if part == Part.REFUSED:
                    refused.add(production.order.code)
                    self._say(review, approve=False)
                elif part == Part.FACE and first:
                    self._ask(review, ReasonCode.FACE, scenes=(1,))
                elif part == Part.CAPTION and first:
                    self._ask(review, ReasonCode.CAPTION)
                else:
                    self._say(review, approve=True)
            except reviewing.StaleReview:
                continue  # a cut that was replaced meanwhile: the new one is asked about
        return refused

    def mend(self, placed: Mapping[str, OrderState]) -> None:
        """What staff do with orders that are delivered, once each."""
        if not self.money:
            return
        delivered = Order.objects.filter(code__in=set(placed) - self.done, state=OrderState.DELIVERED)
        # Held money is taken with the delivery; what was not taken yet is none of the staff's business here.
        for order in delivered.filter(payments__state=PaymentState.CAPTURED).exclude(
            productions__state=ProductionState.RUNNING
        ):
            part = part_of(list(placed).index(order.code), money=True)
            if part == Part.HALF_BACK:
                self._refund(order, (order.amount or 0) // 2)
            elif part == Part.CAPTION:
                self._refund(order, order.amount or 0)
            elif part == Part.SHOT_AGAIN:
                self._again(order)
            self.done.add(order.code)

    def _say(self, review: Review, *, approve: bool) -> None:
        reviewing.decide(review=review, approve=approve, by=None, sha256=review.sha256, reason="the trial's creator")

    def _ask(self, review: Review, code: ReasonCode, scenes: Sequence[int] = ()) -> None:
        reviewing.request_change(review=review, by=None, sha256=review.sha256, code=code, scenes=scenes)
        try:
            reviewing.request_change(review=review, by=None, sha256=review.sha256, code=code, scenes=scenes)
        except (reviewing.StaleReview, rerun.CannotRerun):
            return
        raise AssertionError("one review was answered twice")

    def _refund(self, order: Order, amount: int) -> None:
        for _click in range(2):
            refunds.refund(
                order=order,
                amount=amount,
                reason=RefundReason.GOODWILL,
                note="",
                actor=STAFF,
                source=RefundSource.STAFF,
                key=f"trial:{order.code}",
            )

    def _again(self, order: Order) -> None:
        change = Change("shot", scenes=(1,))
        made = {
            rerun.rerun(order=order, change=change, by=None, reason="a trial", key=f"trial:{order.code}").pk
            for _click in range(2)
        }
        if len(made) != 1:
            raise AssertionError("one re-run was made twice")


def wrong_money(placed: Mapping[str, OrderState], *, money: bool) -> list[str]:
    """Orders whose money is not where their part says, as sentences."""
    wrong = []
    orders = Order.objects.filter(code__in=placed).prefetch_related("payments__refunds")
    for order in orders:
        part = part_of(list(placed).index(order.code), money=money)
        paid = order.amount or 0
        taken = sum(payment.captured for payment in order.payments.all())
        back = sum(
            refund.amount
            for payment in order.payments.all()
            for refund in payment.refunds.all()
            if refund.state != RefundState.FAILED
        )
        delivered = order.state == OrderState.DELIVERED
        due = (paid if delivered else 0, {Part.HALF_BACK: paid // 2, Part.CAPTION: paid}.get(part, 0) if part else 0)
        if (taken, back) != due:
            wrong.append(f"{order}: taken {taken}, given back {back}; due are {due[0]} and {due[1]}")
    return wrong
