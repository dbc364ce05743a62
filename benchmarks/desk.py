"""How fast the desk is at 100,000 orders: lists, saved filters, searches, dashboards, rows; on SQLite and PostgreSQL.

    python -m benchmarks.desk [--orders 100000] [--only sqlite|postgresql] [--who staff] [--times 3] [--slow]

Each page is opened once and then `--times` as one of the demo's staff; of those the table has the best, in ms on
the clock and of CPU, ours and the database's together, which says more on a busy machine; and the queries. Marked is
what is beyond the bounds: 15 queries, 150 ms of CPU. Databases are its own and are removed.
"""

from __future__ import annotations

import argparse
import io
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tests import postgres

MOST_QUERIES, MOST_MS = 15, 150


def measure(orders: int, who: str, times: int, slow: bool) -> int:
    """Fill this process's database, open every page, print the table; how many were beyond the bounds."""
    import django  # noqa: PLC0415  (the settings are this process's own)

    django.setup()
    from django.core.management import call_command  # noqa: PLC0415
    from django.db import connection  # noqa: PLC0415
    from django.test import Client  # noqa: PLC0415
    from django.test.utils import CaptureQueriesContext  # noqa: PLC0415

    from accounts.models import User  # noqa: PLC0415
    from tests import entering  # noqa: PLC0415

    cpu_of_all = cpu_with(connection)
    call_command("migrate", verbosity=0)
    began = time.perf_counter()
    call_command("many", orders=orders, stdout=io.StringIO())
    print(f"\n{connection.vendor}: {orders:,} orders made in {time.perf_counter() - began:.0f} s, opened as {who}")
    client = Client()
    entering.enter(User.objects.get(email=f"{who}@videogen.invalid"), client=client)
    bad = 0
    print(f"{'ms':>7} {'CPU':>7} {'queries':>7}  page", flush=True)
    for page in pages():
        walls, cpus = [], []
        for _ in range(1 + times):
            with CaptureQueriesContext(connection) as caught:
                wall, cpu = time.perf_counter(), cpu_of_all()
                answer = client.get(page)
                walls.append(1000 * (time.perf_counter() - wall))
                cpus.append(1000 * (cpu_of_all() - cpu))
        if answer.status_code in (302, 403):
            continue
        wall, cpu, queries = min(walls[1:]), min(cpus[1:]), len(caught)
        beyond = answer.status_code != 200 or queries > MOST_QUERIES or cpu > MOST_MS
        bad += beyond
        mark = f"  <<< {answer.status_code}" if beyond else ""
        print(f"{wall:7.0f} {cpu:7.0f} {queries:7}  {page}{mark}", flush=True)
        if beyond and slow:
            for one in sorted(caught.captured_queries, key=lambda one: -float(one["time"]))[:3]:
                print(f"{'':17}{one['time']} s  {one['sql'][:500]}", flush=True)
    return bad


def cpu_with(connection: Any) -> Callable[[], float]:
    """Seconds of CPU of this process and, where that is another, of the one that answers its questions (Linux)."""
    if connection.vendor == "sqlite":
        return time.process_time
    with connection.cursor() as cursor:
        cursor.execute("SET max_parallel_workers_per_gather = 0")  # all of it in one process, which is counted
        cursor.execute("SELECT pg_backend_pid()")
        server = Path(f"/proc/{cursor.fetchone()[0]}/schedstat")
    return lambda: time.process_time() + int(server.read_text().split()[0]) / 1e9


def pages() -> Iterator[str]:
    """The dashboards; saved filters and searches by name; every list, bare and searched in; a row of each table."""
    from django.contrib import admin  # noqa: PLC0415
    from django.urls import reverse  # noqa: PLC0415

    from accounts.models import Creator  # noqa: PLC0415
    from billing import statements  # noqa: PLC0415
    from pipeline.order_lists import SAVED  # noqa: PLC0415

    yield from (reverse("admin:index"), reverse("admin:health"), reverse("admin:billing_payout_begin"))
    orders, reviews = reverse("admin:orders_order_changelist"), reverse("admin:pipeline_review_changelist")
    yield from (f"{orders}?show={saved.key}" for saved in SAVED)
    yield from (f"{orders}?q=Eileen", f"{reviews}?q=Eileen", f"{reviews}?show=all", f"{reviews}?show=all&q=Eileen")
    creator = Creator.objects.order_by("pk")[0]
    yield reverse("admin:billing_statement_month", args=[creator.pk, f"{statements.present():%Y-%m}"])
    for model, known in admin.site._registry.items():
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        address = reverse(f"{name}_changelist")
        yield address
        if known.search_fields or getattr(known, "finds", ()):
            yield f"{address}?q=M000-0500"
        rows = list(model._default_manager.order_by("pk").values_list("pk", flat=True)[:200])
        if rows:
            yield reverse(f"{name}_change", args=[rows[-1]])


def main() -> None:
    """Run once in each database, each in a process of its own."""
    words = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    words.add_argument("--orders", type=int, default=100_000)
    words.add_argument("--only", choices=["sqlite", "postgresql"])
    words.add_argument("--who", default="staff")
    words.add_argument("--times", type=int, default=3, help="more on a busy machine")
    words.add_argument("--slow", action="store_true", help="print the slowest queries of what is beyond the bounds")
    words.add_argument("--here", action="store_true", help="in the database of the environment")
    options = words.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "videogen.settings")
    if options.here:
        raise SystemExit(1 if measure(options.orders, options.who, options.times, options.slow) else 0)
    again = [sys.executable, "-m", "benchmarks.desk", "--here", *sys.argv[1:]]
    codes = []
    for vendor in ("sqlite", "postgresql"):
        if options.only in (None, vendor):
            with tempfile.TemporaryDirectory() as folder:
                env = {**os.environ, "VIDEOGEN_VAR": folder, "VIDEOGEN_ALONE": "1", "DATABASE_URL": ""}
                env |= {"ALLOWED_HOSTS": "testserver", "DEBUG": "0"}
                if vendor == "sqlite":
                    codes.append(subprocess.run(again, env=env, check=False).returncode)
                    continue
                with postgres.running() as server:
                    env["DATABASE_URL"] = server.url
                    codes.append(subprocess.run(again, env=env, check=False).returncode)
    raise SystemExit(max(codes))


if __name__ == "__main__":
    main()
