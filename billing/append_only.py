"""The database's own guard of the ledger: triggers that refuse to change or remove a line, whoever asks.

They are made after every migration and not by one: SQLite makes a table anew, without its triggers, when a column
changes; and tests make their database without migrations.
"""

from __future__ import annotations

from typing import Any

from django.db import connections

from .models import LedgerEntry

TABLE = LedgerEntry._meta.db_table
WORDS = "The ledger is append-only."

SQLITE = [
    f"CREATE TRIGGER IF NOT EXISTS {TABLE}_no_{what} BEFORE {what} ON {TABLE} BEGIN SELECT RAISE(ABORT, '{WORDS}'); END"
    for what in ("update", "delete")
]
POSTGRESQL = [
    f"CREATE OR REPLACE FUNCTION {TABLE}_append_only() RETURNS trigger LANGUAGE plpgsql AS "
    f"$$ BEGIN RAISE EXCEPTION '{WORDS}' USING ERRCODE = 'restrict_violation'; END $$",
    f"CREATE OR REPLACE TRIGGER {TABLE}_append_only BEFORE UPDATE OR DELETE ON {TABLE} "
    f"FOR EACH ROW EXECUTE FUNCTION {TABLE}_append_only()",
]
STATEMENTS = {"sqlite": SQLITE, "postgresql": POSTGRESQL}


def guard(using: str = "default", **kwargs: Any) -> None:
    """Have the triggers where the ledger's table is. Called after every migration; doing it again is harmless."""
    connection = connections[using]
    if TABLE not in connection.introspection.table_names():
        return
    with connection.cursor() as cursor:
        for statement in STATEMENTS.get(connection.vendor, ()):
            cursor.execute(statement)
