"""PostgreSQL beside SQLite: what concurrency could break is tried again; every migration goes there and back."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from . import postgres

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parent.parent
# Whatever is raced for, the calls with their slots and budgets, the bells. TEST_DATABASE_URL runs any other test there.
AGAIN = (
    "test_races",
    "test_money_races",
    "test_creators_races",
    "test_calls",
    "test_call_troubles",
    "test_call_budgets",
    "test_call_late",
    "test_hooks",
)
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


def run(*words: str, **env: str) -> None:
    done = subprocess.run(
        [sys.executable, *words], cwd=ROOT, env={**os.environ, **env}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]


def test_what_holds_on_sqlite_holds_on_postgresql(database: str):
    run("-m", "pytest", *(f"tests/{module}.py" for module in AGAIN), TEST_DATABASE_URL=database)


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_every_migration_goes_there_and_back(kind: str, database: str, tmp_path: Path):
    env = {"VIDEOGEN_VAR": str(tmp_path), "DJANGO_SETTINGS_MODULE": "videogen.settings"}
    if kind == "postgresql":
        env["DATABASE_URL"] = database
    run("-c", THERE_AND_BACK, **env)
