"""Long lists on the desk: how many rows there are is estimated, and counted only as far as anyone would turn pages."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from django.core.paginator import Paginator
from django.db import connections
from django.db.models import Max, Model

# What is said to be this many may be more: nobody turns so many pages, and counting further takes long.
MOST = 10_000


class LongPaginator(Paginator[Any]):
    """Counts exactly while that is quick; a whole table beyond `MOST` rows by what the database knows of it."""

    @cached_property
    def count(self) -> int:
        """How many rows there are; more than `MOST` are an estimate."""
        rows: Any = self.object_list
        if not hasattr(rows, "query"):
            return len(rows)
        counted: int = rows.order_by()[: MOST + 1].count()
        if counted <= MOST:
            return counted
        return max(counted, estimate(rows.model, rows.db)) if rows.query.where.children == [] else counted


def estimate(model: type[Model], using: str) -> int:
    """About how many rows a table has, without reading it: 0 where the database cannot say."""
    connection = connections[using]
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT reltuples::bigint FROM pg_class WHERE oid = %s::regclass", [model._meta.db_table])
            found = cursor.fetchone()
        return max(0, found[0]) if found else 0
    return int(model._default_manager.using(using).aggregate(last=Max("pk"))["last"] or 0)
