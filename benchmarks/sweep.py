"""What productions in flight cost: the sweep, a step, a slot, a webhook and the order page, with 100 to 10,000 of them.

    python -m benchmarks.sweep [--sizes 100 1000 10000] [--slots 40] [--runs 15] [--explain]

In a database of its own that is thrown away: SQLite in a temporary folder, or, with DATABASE_URL, a new one on that
server. `--slots` shots are with the vendor, all others wait in its queue; without it all are with the vendor. The same
small number of steps and late calls is due at every size. Printed are, as medians, milliseconds on the clock, those of
our process's own CPU, and the number of queries: on a busy machine the second says more.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from urllib.parse import urlsplit

folder = tempfile.TemporaryDirectory(prefix="videogen-sweep-")
os.environ |= {"VIDEOGEN_VAR": folder.name, "VIDEOGEN_ALONE": "1"}  # no .env file of the owner
os.environ["DJANGO_SETTINGS_MODULE"] = "videogen.settings"

import django  # noqa: E402

django.setup()

from django.conf import settings  # noqa: E402
from django.core.cache import cache  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402
from django.test import Client  # noqa: E402
from django.test.utils import CaptureQueriesContext  # noqa: E402
from django.urls import reverse  # noqa: E402
from django.utils import timezone  # noqa: E402

from benchmarks import crowd  # noqa: E402
from billing import services as billing  # noqa: E402
from orders.models import Order  # noqa: E402
from pipeline import calls, engine, hook_links, live, notices, photos, queue, slots, sweeping  # noqa: E402
from pipeline.models import Call, CallState, Step, StepState  # noqa: E402
from pipeline.providers.signatures import sign_standard  # noqa: E402
from videogen import demo  # noqa: E402

DUE_STEPS, DUE_CALLS = 20, 10
SECRET = "whsec_" + "c2VjcmV0" * 4
UNLIMITED = 10**6


class Figures(dict[str, str]):
    """One size's column of the table, and the slowest queries behind it."""

    slow: dict[str, list[dict[str, str]]]

    def time(self, what: str, do: Callable[[int], object], runs: int, *, ready: Callable[[int], object]) -> None:
        """Measure `do`, with `ready` before each run, not counted; both get the run's number."""
        walls, cpus = [], []
        for run in range(runs):
            ready(run)
            wall, cpu = time.perf_counter(), time.process_time()
            do(run)
            cpus.append(time.process_time() - cpu)
            walls.append(time.perf_counter() - wall)
        ready(runs)
        with CaptureQueriesContext(connection) as asked:
            do(runs)
        count = len([one for one in asked if not one["sql"].startswith(("BEGIN", "COMMIT"))])
        self[what] = f"{1000 * statistics.median(walls):.1f} / {1000 * statistics.median(cpus):.1f} / {count}"
        slow = sorted(asked.captured_queries, key=lambda one: float(one["time"]), reverse=True)
        self.slow[what] = slow[:3]


def due(_run: int) -> None:
    """Make the constant small number of things due again."""
    now = timezone.now()
    shots = Step.objects.filter(stage="shot").order_by("pk")
    ready = list(shots.values_list("pk", flat=True)[:DUE_STEPS])
    Step.objects.filter(pk__in=ready).update(state=StepState.WAITING, not_before=now, rung_at=None)
    over = list(shots.values_list("pk", flat=True)[DUE_STEPS : DUE_STEPS + DUE_CALLS])
    Step.objects.filter(pk__in=over).update(state=StepState.DONE)
    Call.objects.filter(step__in=over).update(look_at=now)


def measure(size: int, limit: int, runs: int) -> Figures:
    """All figures with so many productions in flight."""
    found = Figures()
    found.slow = {}
    client = Client()
    order = Order.objects.order_by("-pk").first()
    client.force_login(order.fan)
    model = crowd.DEFAULT_MODELS[0].slug
    shot = Step.objects.filter(stage="shot").order_by("-pk")
    hooked = list(Call.objects.filter(provider="higgsfield", step__stage="shot").order_by("-pk")[: runs + 1])
    written = Call(
        step=shot[0],
        key="new",
        name="take-2",
        provider="higgsfield",
        model=model,
        job="video",
        request={},
        estimate=1000,
        state=CallState.NEW,
    )
    written.save()

    due(0)
    tracemalloc.start()
    sweeping.sweep_once()
    found["a sweep, most memory, KiB"] = f"{tracemalloc.get_traced_memory()[1] / 1024:.0f}"
    tracemalloc.stop()
    found.time("a sweep", lambda run: sweeping.sweep_once(), runs, ready=due)
    for part in (engine, photos, notices, calls):
        found.time(f"of it {part.__name__}", lambda run, part=part: part.sweep(), runs, ready=due)
    found.time("of it held money", lambda run: list(billing.unsettled()[:100]), runs, ready=due)

    pk = shot[DUE_STEPS].pk

    def step(_run: int) -> None:
        claimed = engine.claim(pk)
        assert claimed is not None
        assert engine.leave(claimed, engine.Wait(3600))

    found.time(
        "claim and leave a step",
        step,
        runs,
        ready=lambda run: Step.objects.filter(pk=pk).update(not_before=timezone.now()),
    )

    def unwritten(_run: int) -> None:
        Call.objects.filter(pk=written.pk).update(state=CallState.NEW, slot_at=None, look_at=None)

    if limit == UNLIMITED:
        found.time("ask for a slot, all free", lambda run: slots.take(written, 0), runs, ready=unwritten)
    else:
        found.time("ask for a slot, none free", lambda run: slots.take(written, limit), runs, ready=unwritten)
        found.time("ask for a slot, one free", lambda run: slots.take(written, limit + 1), runs, ready=unwritten)
        found.time("whose turn is it", lambda run: slots.following("higgsfield"), runs, ready=unwritten)

    def webhook(run: int) -> None:
        call = hooked[run]
        body = json.dumps({"request_id": call.external_id or f"new-{run}", "status": "completed"}).encode()
        headers = sign_standard(f"msg-{size}-{run}", int(time.time()), body, SECRET)
        path = urlsplit(hook_links.link("higgsfield", call.key)).path
        answer = client.post(path, body, content_type="application/json", headers=headers)
        assert answer.status_code == 200, answer.content

    found.time("a webhook's answer", webhook, runs, ready=lambda run: None)
    address = reverse("pipeline:progress", args=[order.code])

    def page(_run: int) -> None:
        assert client.get(address).status_code == 200

    found.time("the order page's fragment", page, runs, ready=lambda run: cache.clear())
    found.time("the place in the queue", lambda run: slots.place(order.pk), runs, ready=lambda run: None)
    Call.objects.filter(pk=written.pk).delete()
    return found


def table(columns: dict[int, Figures]) -> None:
    """Print it in Markdown."""
    print("| in flight | " + " | ".join(f"{size:,}" for size in columns) + " |")
    print("|---|" + "---:|" * len(columns))
    for name in next(iter(columns.values())):
        print(f"| {name} | " + " | ".join(column[name] for column in columns.values()) + " |")


def main(sizes: list[int], limit: int, runs: int, explain: bool) -> None:
    """Fill, measure, print."""
    settings.HIGGSFIELD_KEY, settings.HIGGSFIELD_WEBHOOK_SECRETS = "id:secret", [SECRET]
    settings.DEBUG = False  # which would keep every query in memory
    settings.DAY_BUDGET, settings.ORDER_BUDGET, settings.ALLOWED_HOSTS = 10**9, 10**6, ["*"]
    columns: dict[int, Figures] = {}
    with queue.inline() as bells, live.watching(lambda code: None):
        demo.seed()
        for size in sizes:
            begun = time.perf_counter()
            crowd.grow(size)
            crowd.with_the_vendor(limit)
            if connection.vendor == "postgresql":
                with connection.cursor() as cursor:
                    cursor.execute("ANALYZE")
            print(f"{size:,} in flight after {time.perf_counter() - begun:.0f} s", flush=True)
            columns[size] = measure(size, limit, runs)
            bells.clear()
    print(f"\n{connection.vendor}; {'all shots with the vendor' if limit == UNLIMITED else f'{limit} slots'}\n")
    table(columns)
    if explain:
        for what, slow in columns[sizes[-1]].slow.items():
            print(f"\n== {what}")
            for one in slow:
                print(one["time"], one["sql"][:1500])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[100, 1000, 10_000])
    parser.add_argument("--slots", type=int, default=UNLIMITED)
    parser.add_argument("--runs", type=int, default=15)
    parser.add_argument("--explain", action="store_true", help="also print the slowest queries")
    asked = parser.parse_args()
    name = "videogen_sweep_benchmark"
    if connection.vendor == "postgresql":
        connection.settings_dict.setdefault("TEST", {})["NAME"] = name
        connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    else:
        call_command("migrate", verbosity=0)
    try:
        main(asked.sizes, asked.slots, asked.runs, asked.explain)
    finally:
        if connection.vendor == "postgresql":
            connection.creation.destroy_test_db(name, verbosity=0)
        connection.close()
        folder.cleanup()
