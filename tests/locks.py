"""In which order transactions take rows, watched in every test: where all take the order's row first, none deadlock.

A database with row locks breaks one of two transactions off that wait for each other. Which ones could is seen on any
database, by what each writes first.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
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
# Numbered in the order's history or the making's: two who add the same number wait for each other.
NUMBERED = {"orders_orderevent", "pipeline_event"}


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
        self._here.rows = []

    def end(self) -> None:
        rows = list(dict.fromkeys(getattr(self._here, "rows", [])))
        self._here.rows = None
        if len(rows) > 1 and rows[0] != ORDER:
            self.faults.append(f"a transaction took {', then '.join(rows)}")

    def wrote(self, verb: str, table: str, rows: int) -> None:
        taken = getattr(self._here, "rows", None)
        if taken is None or table not in self.tables:
            return
        # A row that is new is nobody else's yet, unless it has a number that another would give, too.
        if table in NUMBERED or table == ORDER or (not verb.upper().startswith("INSERT") and rows > 0):
            taken.append(table)


@contextmanager
def watched() -> Iterator[Watch]:
    """Watch every transaction of this process that is not the test's own."""
    watch, depth = Watch(), threading.local()
    enter, leave, execute = transaction.Atomic.__enter__, transaction.Atomic.__exit__, CursorWrapper.execute

    def entered(self: Any) -> None:
        if not self._from_testcase:
            depth.now = getattr(depth, "now", 0) + 1
            if depth.now == 1:
                watch.begin()
        enter(self)

    def left(self: Any, *error: Any) -> None:
        if not self._from_testcase:
            depth.now -= 1
            if depth.now == 0:
                watch.end()
        leave(self, *error)

    def executed(self: Any, sql: Any, params: Any = None) -> Any:
        result = execute(self, sql, params)
        if found := WRITE.match(str(sql)):
            watch.wrote(*found.groups(), rows=self.cursor.rowcount)
        return result

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(transaction.Atomic, "__enter__", entered)
        patch.setattr(transaction.Atomic, "__exit__", left)
        patch.setattr(CursorWrapper, "execute", executed)
        yield watch
