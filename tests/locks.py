"""In which order transactions take rows, watched in every test: where all take the order's row first, none deadlock.

A database with row locks breaks one of two transactions off that wait for each other. Which ones could is seen on any
database, by what each writes first.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import pytest
from django.apps import apps
from django.db import transaction
from django.db.backends.utils import CursorWrapper

from orders.models import Order

WRITE = re.compile(r'\s*(INSERT INTO|UPDATE|DELETE FROM)\s+"(\w+)"', re.IGNORECASE)
ORDER = Order._meta.db_table
# Of an order, but written by all orders, and last; or a row of its own that nobody holds while waiting for another.
APART = {"billing_ledgerentry", "orders_photo"}
# Numbered within the order: two who add the same number wait for each other.
NUMBERED = {"orders_orderevent", "pipeline_event", "billing_payment", "billing_refund", "pipeline_production"}
# What all orders share: taken after an order, and never before one.
SHARED = "pipeline_vendor"


@cache
def _of_an_order() -> set[str]:
    """The tables whose rows belong to one order, by their foreign keys, however far away."""
    found, before = {ORDER}, 0
    while before != len(found):
        before = len(found)
        for model in apps.get_models():
            links = (field.related_model for field in model._meta.concrete_fields if field.is_relation)
            if model._meta.db_table not in APART and any(one._meta.db_table in found for one in links if one):
                found.add(model._meta.db_table)
    return found


class Watch:
    """What was written out of order: each a sentence."""

    def __init__(self) -> None:
        self.faults: list[str] = []
        self.tables = _of_an_order()
        self._here = threading.local()

    def begin(self) -> None:
        self._here.rows, self._here.orders = [], set()

    def end(self) -> None:
        rows, orders = getattr(self._here, "rows", None) or [], getattr(self._here, "orders", set())
        self._here.rows = None
        own = [table for table in rows if table != SHARED]
        if (len(own) > 1 and own[0] != ORDER) or (ORDER in rows and rows[0] != ORDER):
            self.faults.append(f"a transaction took {', then '.join(dict.fromkeys(rows))}")
        if len(orders) > 1:
            self.faults.append(f"a transaction took the rows of {len(orders)} orders")

    def wrote(self, verb: str, table: str, rows: int) -> None:
        taken = getattr(self._here, "rows", None)
        if taken is None or table not in {*self.tables, SHARED}:
            return
        # A row that is new is nobody else's yet, unless it has a number that another would give, too. What fits no row
        # takes none; what fits several at once counts as one.
        if table in NUMBERED | {ORDER} if verb.upper().startswith("INSERT") else rows > 0:
            taken.append(table)

    def locked(self, order: Order) -> None:
        if getattr(self._here, "rows", None) is not None:
            self._here.orders.add(order.pk)


@contextmanager
def watched() -> Iterator[Watch]:
    """Watch every transaction of this process that is not the test's own."""
    watch, depth = Watch(), threading.local()
    enter, leave, execute = transaction.Atomic.__enter__, transaction.Atomic.__exit__, CursorWrapper.execute
    lock = Order.locked

    def entered(self: Any) -> None:
        enter(self)
        if not self._from_testcase:
            depth.now = getattr(depth, "now", 0) + 1
            if depth.now == 1:
                watch.begin()

    def left(self: Any, *error: Any) -> None:
        try:
            leave(self, *error)
        finally:
            if not self._from_testcase:
                depth.now = getattr(depth, "now", 1) - 1
                if depth.now == 0:
                    watch.end()

    @contextmanager
    def locked(order: Order) -> Iterator[None]:
        with lock(order):
            watch.locked(order)
            yield

    def executed(self: Any, sql: Any, params: Any = None) -> Any:
        result = execute(self, sql, params)
        if found := WRITE.match(str(sql)):
            watch.wrote(*found.groups(), rows=self.cursor.rowcount)
        return result

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(transaction.Atomic, "__enter__", entered)
        patch.setattr(transaction.Atomic, "__exit__", left)
        patch.setattr(CursorWrapper, "execute", executed)
        patch.setattr(Order, "locked", locked)
        yield watch


@contextmanager
def before(do: Callable[[], object]) -> Iterator[None]:
    """Somebody else does this in the moment before the next order is locked: whoever waited for them sees it."""
    lock, left = Order.locked, [do]

    @contextmanager
    def locked(order: Order) -> Iterator[None]:
        if left:
            left.pop()()
        with lock(order):
            yield

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Order, "locked", locked)
        yield
