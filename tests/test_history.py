"""Whatever is told of an order or a making has a name on the list, with a sentence for the desk."""

from __future__ import annotations

import re
from pathlib import Path

from orders import history as of_orders
from pipeline import history as of_makings

ROOT = Path(__file__).resolve().parent.parent
TOLD = re.compile(r"""\btell\(\s*(?:[\w.]+,\s*)?"([a-z_]+\.[a-z_]+)\"""")


def told() -> dict[str, str]:
    """Every name that some code tells, with the file it stands in."""
    files = [path for app in ("accounts", "billing", "orders", "pipeline") for path in (ROOT / app).rglob("*.py")]
    return {name: path.name for path in files for name in TOLD.findall(path.read_text())}


def test_every_name_that_is_told_is_on_a_list():
    found = told()
    assert {"order.placed", "payment.unwanted", "film.delivered"} <= set(found), "the search finds them"
    assert {name: file for name, file in found.items() if name not in {*of_orders.NAMES, *of_makings.NAMES}} == {}


def test_every_name_stands_in_what_those_who_run_it_read():
    page = (ROOT / "docs" / "operations.md").read_text()
    assert [name for name in (*of_orders.NAMES, *of_makings.NAMES) if f"`{name}`" not in page] == []
