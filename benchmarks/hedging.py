"""How long an order waits for the slowest of its shots, with and without second takes: the law, then the real stage.

    python -m benchmarks.hedging [--orders 100] [--seed 1]

A shot of the first model takes lognormal seconds, median 150 and ninth decile 300. How fast the fast model is nobody
has told us: its law is an assumption, lognormal with median 45 and the same spread, and a table shows others. The law's
numbers are drawn; then the real stage films so many orders in simulated time, with the sweep's delay and the looks:
all at once with slots for everybody, and one after the other with HIGGSFIELD_LIMIT slots, with fewer, and with more
than the vendor films at once. All patience, prices and limits are the code's own defaults.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

folder = tempfile.TemporaryDirectory(prefix="videogen-hedging-")
os.environ |= {"VIDEOGEN_VAR": folder.name, "VIDEOGEN_ALONE": "1"}  # no .env file of the owner
os.environ |= {"DJANGO_SETTINGS_MODULE": "videogen.settings", "LOG_LEVEL": "ERROR"}

import django  # noqa: E402

django.setup()

from django.conf import settings  # noqa: E402
from django.core.management import call_command  # noqa: E402

from benchmarks.crowd import SHOTS  # noqa: E402
from benchmarks.filming import Filmed, Law, Studio, film, lognormal  # noqa: E402
from pipeline import live  # noqa: E402
from pipeline.providers.video_models import DEFAULT_MODELS  # noqa: E402
from sandbox.higgsfield import Settings as Vendor  # noqa: E402
from videogen import demo  # noqa: E402

FIRST, FAST = DEFAULT_MODELS
VENDOR = Vendor()
SLOW_LAW = (VENDOR.median, VENDOR.p90)
SPREAD = VENDOR.p90 / VENDOR.median
ASSUMED = 45.0  # the fast model's median seconds
NEVER = 10.0**9
FEWER = 4  # as the vendor's own pages say in their example
SECONDS = 5.0  # of a shot


@dataclass(frozen=True)
class Patience:
    """When the second take begins, and when the local one stands in."""

    hedge: float = FIRST.hedge_after
    local: float = max(FIRST.local_after, FAST.local_after)


def draw(orders: int, dice: random.Random, slow: Law, fast: Law, patience: Patience) -> list[Filmed]:
    """Shots by the law alone: nothing is late but the vendor."""
    found = []
    for order in range(orders):
        for _ in range(SHOTS):
            first, second = slow(dice), patience.hedge + fast(dice)
            found.append(
                Filmed(
                    order,
                    min(first, second, patience.local),
                    min(first, second) > patience.local,
                    1 + (first > patience.hedge),
                )
            )
    return found


def row(name: str, shots: Sequence[Filmed]) -> str:
    """One line of the table."""
    by_order: dict[int, list[Filmed]] = defaultdict(list)
    for shot in shots:
        by_order[shot.order].append(shot)
    orders = list(by_order.values())
    slowest = sorted(max(shot.seconds for shot in order) for order in orders)
    middle, p90, p99 = (slowest[min(len(slowest) - 1, int(share * len(slowest)))] for share in (0.5, 0.9, 0.99))
    local = sum(any(shot.local for shot in order) for order in orders) / len(orders)
    extra = statistics.mean(sum(shot.paid - 1 for shot in order) for order in orders)
    factor = 1 + extra * FAST.cost(SECONDS) / (SHOTS * FIRST.cost(SECONDS))
    return f"| {name} | {middle:.0f} | {p90:.0f} | {p99:.0f} | {100 * local:.1f} % | {extra:.2f} | {factor:.2f} |"


HEAD = "| | p50 | p90 | p99 | orders with a local take | extra paid takes an order | cost |\n|---|" + "---:|" * 6


def law(orders: int, seed: int) -> None:
    """The law's tables."""
    slow = lognormal(*SLOW_LAW)

    def line(name: str, median: float = ASSUMED, patience: Patience = Patience()) -> None:
        dice = random.Random(seed)
        print(row(name, draw(orders, dice, slow, lognormal(median, median * SPREAD), patience)))

    print(f"Slowest of {SHOTS} shots, seconds; the law, {orders:,} orders\n\n{HEAD}")
    line("one take, waited for", patience=Patience(NEVER, NEVER))
    line(f"one take, local at {FIRST.local_after:.0f} s", patience=Patience(NEVER))
    line(f"second take at {FIRST.hedge_after:.0f} s, local at {FIRST.local_after:.0f} s: the defaults")
    print(f"\nWere the fast model's median other than {ASSUMED:.0f} s\n\n{HEAD}")
    for median in (30, 45, 60, 75, 90, 150):
        line(f"{median} s", median)
    print(f"\nWere the second take begun at another time\n\n{HEAD}")
    for hedge in (90, 120, 135, 150, 165, 180, 200):
        line(f"{hedge} s", patience=Patience(hedge))


def stage(orders: int, seed: int) -> None:
    """The real stage's table."""
    call_command("migrate", verbosity=0)
    demo.seed()
    settings.DEBUG = False
    settings.DAY_BUDGET = settings.ORDER_BUDGET = 10**9
    laws = {FIRST.slug: lognormal(*SLOW_LAW), FAST.slug: lognormal(ASSUMED, ASSUMED * SPREAD)}
    print(
        f"\nThe real stage in simulated time, a sweep every {settings.SWEEP_SECONDS:.0f} s, {orders} orders\n\n{HEAD}"
    )
    with live.watching(lambda code: None):
        for name, rings in (("the vendor rings", True), ("the vendor never rings", False)):
            print(row(name, film(Studio(laws, seed=seed, rings=rings), orders)), flush=True)
        slots = settings.HIGGSFIELD_LIMIT
        for name, limit, at_once in (
            (f"one order at a time, {slots} slots: the default", slots, 0),
            (f"the same, {FEWER} slots", FEWER, 0),
            (f"{slots} slots at a vendor who films {FEWER} at once", slots, FEWER),
        ):
            alone = [
                shot
                for number in range(orders)
                for shot in film(Studio(laws, seed=1000 * seed + number, limit=limit, at_once=at_once), 1)
            ]
            print(row(name, alone), flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--orders", type=int, default=100, help="of the real stage; three CPU seconds each")
    parser.add_argument("--drawn", type=int, default=20_000, help="of the law")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    try:
        law(asked.drawn, asked.seed)
        if asked.orders:
            stage(asked.orders, asked.seed)
    finally:
        folder.cleanup()
