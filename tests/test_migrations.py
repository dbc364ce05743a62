"""Every migration goes there and back, on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from . import postgres

pytestmark = pytest.mark.slow

THERE_AND_BACK = """
import django
django.setup()
from django.core.management import call_command
from django.db import connection
from orders.models import Order
from tests import making
def migrate(*where):
    call_command("migrate", *where, verbosity=0, interactive=False)
migrate()
making.draft()
migrate("accounts", "zero")  # and so everything that stands on it
ours = ("accounts_", "orders_", "billing_", "pipeline_")
assert not [name for name in connection.introspection.table_names() if name.startswith(ours)]
migrate()
making.draft()
assert Order.objects.count() == 1
"""


@pytest.fixture(scope="module")
def database() -> Iterator[str]:
    with postgres.running() as server:
        yield server.url


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_every_migration_goes_there_and_back(kind: str, database: str, tmp_path: Path):
    env = {"VIDEOGEN_VAR": str(tmp_path), "DJANGO_SETTINGS_MODULE": "videogen.settings"}
    if kind == "postgresql":
        env["DATABASE_URL"] = database
    postgres.run_python("-c", THERE_AND_BACK, **env)
