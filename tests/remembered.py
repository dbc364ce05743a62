"""Rows that many tests begin with: made by the site's own verbs once, and put back afterwards as they were made."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Sequence
from pathlib import Path

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

Rows = Sequence[tuple[str, list[tuple[object, ...]]]]

_kept: dict[str, Rows] = {}
# Of what was made once: when that was, and its files.
_when: dict[str, dt.datetime] = {}
_files: dict[str, dict[Path, bytes]] = {}
# As PostgreSQL writes a moment into JSON.
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?\+00:00")
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
    _insert(_kept.get(name, ()), dt.timedelta())
    return name in _kept


def once(name: str, make: Callable[[], object]) -> None:
    """Have what `make` makes, its files included: made the first time, put back as if made just now at all others.

    Where there is something already, it is made.
    """
    if _everything():
        make()
    elif name in _kept:
        _insert(_kept[name], timezone.now() - _when[name])
        for path, data in _files[name].items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
    else:
        make()
        _kept[name], _when[name] = _everything(), timezone.now()
        _files[name] = {path: path.read_bytes() for path in Path(settings.MEDIA_ROOT).rglob("*") if path.is_file()}


def _everything() -> Rows:
    """All rows of all tables: in SQLite as their values, in PostgreSQL each as JSON."""
    found = []
    what = "*" if connection.vendor == "sqlite" else "to_jsonb(one)::text"
    with connection.cursor() as cursor:
        for table in sorted(set(connection.introspection.django_table_names(only_existing=True)) - APART):
            cursor.execute(f"SELECT {what} FROM {table} one")
            if lines := cursor.fetchall():
                found.append((table, lines))
    return found


def _insert(rows: Rows, late: dt.timedelta) -> None:
    """Write rows as they were, every moment in them so much later."""
    with transaction.atomic(), connection.cursor() as cursor:
        for table, lines in rows:
            moved = [tuple(_moved(value, late) for value in line) for line in lines] if late else lines
            if connection.vendor == "sqlite":
                marks = ", ".join(["%s"] * len(lines[0]))
                cursor.executemany(f"INSERT INTO {table} VALUES ({marks})", moved)
                continue
            cursor.executemany(f"INSERT INTO {table} SELECT * FROM jsonb_populate_record(NULL::{table}, %s)", moved)
            for one in connection.introspection.get_sequences(cursor, table):
                cursor.execute(f"SELECT setval(%s, (SELECT max({one['column']}) FROM {table}))", [one["name"]])


def _moved(value: object, late: dt.timedelta) -> object:
    if isinstance(value, dt.datetime):  # SQLite's
        return value + late
    if connection.vendor == "sqlite" or not isinstance(value, str):
        return value
    return _MOMENT.sub(lambda found: (dt.datetime.fromisoformat(found[0]) + late).isoformat(), value)
