"""What every test starts with: no Redis, bells collected in a list, a clean media folder."""

from __future__ import annotations

import gc
import re
import shutil
import sqlite3
from collections import deque
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.cache import cache
from django.db import connection
from django.test import TransactionTestCase

from pipeline import live, queue

from . import locks, making, wizard

# The files that take longest, in this order: whole sites with films, another database, every page of the desk.
LONGEST = (
    "test_prove",
    "test_postgresql",
    "test_money_journey",
    "test_processes",
    "test_desk_pages",
    "test_journey",
    "test_site_under_faults",
    "test_spoiled_films",
    "test_review_keys",
)


def pytest_configure() -> None:
    """Passwords are not what the tests are about, and a good hash takes a third of a second."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """`bin/test fast` does not load a file whose every test it would leave out."""
    unwanted = re.findall(r"not (\w+)", config.option.markexpr)
    if not unwanted or not collection_path.match("test_*.py"):
        return None
    marks = re.search(r"^pytestmark = .*", collection_path.read_text(), re.MULTILINE)
    return True if marks and re.search(rf"\.mark\.({'|'.join(unwanted)})\b", marks[0]) else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whole films by real processes and vendors go first: nobody is left alone with them when all others are done.
    So does what is slow as a whole file. The longest are the very first, so that the short ones fill what is left.
    """
    place = {name: number for number, name in enumerate(LONGEST)}
    long = {item.path for item in items if item.get_closest_marker("slow") and item.get_closest_marker("render")}
    long |= {item.path for item in items if (file := item.getparent(pytest.Module)) and file.get_closest_marker("slow")}
    items.sort(key=lambda item: (place.get(item.path.stem, len(LONGEST)), item.path not in long))


def pytest_collection_finish() -> None:
    """What is loaded by now stays; what tests leave is looked through less often than would suit a server."""
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)
    gc.enable()


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """After a test that commits, the database is as fresh as before: emptying all of it and filling in the rights anew,
    as Django does, takes longer than most tests."""
    with django_db_blocker.unblock(), pytest.MonkeyPatch.context() as patch, sqlite3.connect(":memory:") as fresh:
        connection.ensure_connection()
        if connection.vendor == "sqlite":
            connection.connection.backup(fresh)
            patch.setattr(TransactionTestCase, "_fixture_teardown", lambda test: fresh.backup(connection.connection))
        else:
            tables = connection.introspection.table_names()
            ours = set(tables) - _with_rows(tables)
            patch.setattr(TransactionTestCase, "_fixture_teardown", lambda test: _empty(_with_rows(ours)))
        making.remember()
        wizard.remember()
        shutil.rmtree(settings.MEDIA_ROOT, ignore_errors=True)
        yield


def _with_rows(tables: Collection[str]) -> set[str]:
    """Those of these tables that have any."""
    with connection.cursor() as cursor:
        cursor.execute(" union all ".join(f"(select '{name}' from {name} limit 1)" for name in tables))
        return {name for (name,) in cursor.fetchall()}


def _empty(tables: Collection[str]) -> None:
    """Remove all rows of these tables of PostgreSQL's, whatever refers to them."""
    with connection.cursor() as cursor:
        cursor.execute("set session_replication_role = replica")
        for name in tables:
            cursor.execute(f"delete from {name}")
        cursor.execute("reset session_replication_role")


@pytest.fixture(autouse=True)
def bells() -> Iterator[deque[tuple[str, int]]]:
    """Bells rung in this test, as (job, id); nothing is sent to Redis. Real processes, where started, ring for real."""
    with queue.inline() as rung, live.watching(lambda code: None):
        yield rung


@pytest.fixture(autouse=True)
def the_order_first() -> Iterator[locks.Watch]:
    """No transaction takes rows of an order, its money or its making before the order's own row."""
    with locks.watched() as watch:
        yield watch
    assert not watch.faults, watch.faults


@pytest.fixture(autouse=True)
def clean_media() -> Iterator[None]:
    """No test sees another's files or cached figures."""
    cache.clear()
    yield
    shutil.rmtree(settings.MEDIA_ROOT, ignore_errors=True)
