"""Staff have films made again: one with a change, or many at once, each written down once under its key."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from accounts import audit
from accounts.models import User
from orders.models import Order

from . import rerun
from .models import Production
from .rerun import CannotRerun, Change, Plan


def make(*, order: Order, change: Change, by: User, reason: str, key: str) -> Production:
    """Make it again, as `rerun.rerun` does, and say in the history and the audit who asked. Raises CannotRerun."""
    with order.locked():  # two clicks at the same moment: the second sees what the first has made
        known = Production.objects.filter(key=key).exists()
        made = rerun.rerun(order=order, change=change, by=by, reason=reason, key=key)
        if not known:
            order.tell("rerun.asked", actor=by.email, what=str(made), reason=reason)
            data = {"production": str(made), "from_stage": change.from_stage, "scenes": list(change.scenes)}
            audit.write(actor=by, verb="rerun.asked", target=order, reason=reason, data=data)
    return made


@dataclass(frozen=True)
class Candidate:
    """One order of many: what it would take, or why it cannot be made again so."""

    order: Order
    plan: Plan | None
    why_not: str


def candidates(orders: Iterable[Order], change: Change) -> list[Candidate]:
    """What a change would mean for each of these orders. Nothing is written."""
    found = []
    for order in orders:
        try:
            found.append(Candidate(order, rerun.plan(order=order, change=change), ""))
        except CannotRerun as error:
            found.append(Candidate(order, None, str(error)))
    return found


def make_many(*, orders: Iterable[Order], change: Change, by: User, reason: str, key: str) -> tuple[int, list[str]]:
    """Make all of them again that can be; how many, and a sentence for each that could not."""
    made, faults = 0, []
    for order in orders:
        try:
            make(order=order, change=change, by=by, reason=reason, key=f"{key}-{order.pk}")
            made += 1
        except CannotRerun as error:
            faults.append(f"{order}: {error}")
    return made, faults
