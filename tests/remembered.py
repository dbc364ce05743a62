"""Rows that many tests begin with: made by the site's own verbs once, and put back afterwards as they were made."""

from __future__ import annotations

from collections.abc import Callable

from django.db import connection, transaction

_kept: dict[str, list[tuple[str, list[tuple[object, ...]]]]] = {}
# Filled with the database itself, or by whoever signs in: no part of what is remembered.
APART = {
    "auth_group",
    "auth_group_permissions",
    "auth_permission",
    "django_content_type",
    "django_migrations",
    "django_session",
}


def keep(name: str, make: Callable[[], object], *, after: str = "") -> None:
    """Remember what `make` makes in a fresh database, which stays fresh; or in one where what is kept as `after` is."""
    with transaction.atomic():
        put_back(after)
        before = {(table, line) for table, lines in _kept.get(after, ()) for line in lines}
        make()
        found = ((table, [line for line in lines if (table, line) not in before]) for table, lines in _everything())
        _kept[name] = [(table, lines) for table, lines in found if lines]
        transaction.set_rollback(True)


def put_back(name: str) -> bool:
    """Have those rows where nothing else is yet. False when there are none to put back."""
    with transaction.atomic(), connection.cursor() as cursor:
        for table, lines in _kept.get(name, ()):
            marks = ", ".join(["%s"] * len(lines[0]))
            cursor.executemany(f"INSERT INTO {table} VALUES ({marks})", lines)
    return name in _kept


def _everything() -> list[tuple[str, list[tuple[object, ...]]]]:
    found = []
    with connection.cursor() as cursor:
        for table in sorted(set(connection.introspection.django_table_names(only_existing=True)) - APART):
            cursor.execute(f"SELECT * FROM {table}")
            if lines := cursor.fetchall():
                found.append((table, lines))
    return found
