"""Real processes, Redis, films, pretended vendors: a kill at every registered boundary, and of everything at once."""

from __future__ import annotations

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from environ import Env

from orders.faults import POINTS
from sandbox.environment import environment
from sandbox.server import Sandbox, running
from sandbox.vendors import VENDORS

from .sandboxed import bought

ROOT = Path(__file__).resolve().parent.parent
PATIENCE = 240


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Site:
    """A whole site in a folder of its own."""

    def __init__(self, var: Path, **env: str) -> None:
        self.port = free_port()
        self.log = var.parent / "site.log"
        self.env = {
            **os.environ,
            "VIDEOGEN_VAR": str(var),
            "PORT": str(self.port),
            "RENDER_SCALE": "0.2",
            "LEASE_SECONDS": "6",
            "DEMO_PASSWORD": "only-for-tests",
            **env,
        }
        self.up: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.up = subprocess.Popen(
                [sys.executable, "manage.py", "up"], cwd=ROOT, env=self.env, stdout=log, stderr=log
            )
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until and self.up.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return
            except OSError:
                time.sleep(0.2)
        raise AssertionError(f"the site did not start: {self.log.read_text()}")

    def kill(self, number: int) -> None:
        assert self.up is not None
        self.up.send_signal(number)
        self.up.wait(timeout=30)

    def ask(self, *words: str) -> Any:
        env = {name: value for name, value in self.env.items() if name != "VIDEOGEN_FAULTS"}
        done = subprocess.run(
            [sys.executable, "-m", "tests.live", *words], cwd=ROOT, env=env, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def die(self, *words: str) -> None:
        """Ask, and be killed by one of the site's faults."""
        done = subprocess.run([sys.executable, "-m", "tests.live", *words], cwd=ROOT, env=self.env, check=False)
        assert done.returncode == -signal.SIGKILL

    def wait_for(self, query: str, answer: list[tuple[Any, ...]]) -> None:
        """Wait until the site's database answers so. A bare query: starting Django for each look would be the load."""
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            if (now := self.rows(query)) == answer:
                return
            time.sleep(0.5)
        raise AssertionError(f"not within {PATIENCE} s: {now}\n{self.ask('look')}\n{self.log.read_text()[-4000:]}")

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """What the site's database answers."""
        if url := self.env.get("DATABASE_URL"):
            where = Env.db_url_config(url)
            with psycopg.connect(host=where["HOST"], user=where["USER"], dbname=where["NAME"]) as database:
                return database.execute(query).fetchall()
        path = Path(self.env["VIDEOGEN_VAR"]) / "videogen.sqlite3"
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=20) as database:
            return database.execute(query).fetchall()

    def processes(self) -> dict[int, str]:
        """What the processes that belong to this site are called, by their numbers."""
        found = {}
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                if f"VIDEOGEN_VAR={self.env['VIDEOGEN_VAR']}".encode() in (folder / "environ").read_bytes().split(
                    b"\0"
                ):
                    found[int(folder.name)] = (folder / "comm").read_text().strip()
            except OSError:
                continue
        return found


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    (tmp_path / "var").mkdir()
    made = Site(tmp_path / "var")
    yield made
    if made.up is not None and made.up.poll() is None:
        made.kill(signal.SIGTERM)


def gone(site: Site) -> bool:
    for _ in range(50):
        if not site.processes():
            return True
        time.sleep(0.1)
    return False


# At whose boundary each point of a call kills: recovery differs by vendor, fetching is only of those who answer later.
VENDORS_OF = {
    "call.before_send": ("higgsfield",),
    "call.after_slot": ("higgsfield",),
    "call.after_fetch": ("higgsfield", "custom-voice"),
    "call.before_submit": ("openai-writer", "elevenlabs", "custom-voice", "higgsfield"),
    "call.after_answer": ("openai-writer", "elevenlabs", "custom-voice", "higgsfield"),
}


# A call that is being sent a second time says so, and would say no more of a third: nothing else falls on it then.
NOBODY_AGAIN = "select count(*) from pipeline_call where maybe_paid_twice and state in ('new', 'queued', 'submitted')"

# What has to do with money that goes back, and with a gateway's messages, has tests of its own.
ELSEWHERE = {
    "payment.after_release",
    "refund.before_send",
    "refund.after_send",
    "till.before_commit",
    "till.after_commit",
}


@pytest.fixture
def vendors(site: Site) -> Iterator[Sandbox]:
    """Everybody whom the site asks is pretended, and rings when something is done."""
    with running(VENDORS, speed=40) as sandbox:
        sandbox.world.switch("higgsfield.http_allowed", 1.0)
        sandbox.world.switch("custom-voice.later", 1.0)
        site.env |= environment(sandbox.url) | {"GATEWAY": "sandbox"}
        yield sandbox


@pytest.mark.slow
@pytest.mark.render
def test_processes_die_at_every_boundary_and_all_at_once_and_every_film_arrives_and_nothing_is_bought_twice(
    site: Site, vendors: Sandbox
):
    points = {point for point in POINTS if not point.startswith("call.") and point not in ELSEWHERE}
    points |= {f"{point}@{name}" for point in POINTS if point.startswith("call.") for name in VENDORS_OF[point]}
    site.env["VIDEOGEN_FAULTS"] = ";".join(f"{point}=kill9:once" for point in points)
    site.env["SWEEP_SECONDS"] = "2"
    site.start()
    site.ask("voices", "elevenlabs", "custom-voice")
    # One order dies with its money held and no row that says so: the fan clicks again. One dies when it is placed.
    for first in ("0", "1"):
        site.die("place", "1", first)
    codes = site.ask("pay")
    assert len(codes) == 2
    # In the middle of it all, the whole site is killed and started again.
    site.wait_for("select count(*) >= 5 from pipeline_step where state = 'done'", [(1,)])
    site.wait_for(NOBODY_AGAIN, [(0,)])
    site.kill(signal.SIGKILL)
    assert gone(site), f"left behind: {site.processes()}"
    site.start()
    # Somebody holds the database for longer than any lease.
    site.wait_for(NOBODY_AGAIN, [(0,)])
    with sqlite3.connect(Path(site.env["VIDEOGEN_VAR"]) / "videogen.sqlite3", timeout=20) as held:
        held.execute("begin immediate")
        time.sleep(10)
    site.wait_for("select count(*) from orders_order where state = 'placed'", [(0,)])
    # Money follows the delivery within a sweep.
    site.wait_for("select distinct state from billing_payment", [("captured",)])
    # A version of a delivered film dies as well, and comes.
    site.ask("version", codes[0])
    site.wait_for("select state, attempts > 1 from pipeline_rendition", [("ready", 1)])
    now = site.ask("look")
    assert {now["orders"][code] for code in codes} == {"delivered"}
    assert now["broken"] == []
    fired = {path.name for path in (Path(site.env["VIDEOGEN_VAR"]) / "faults").iterdir()}
    assert fired == points, "a boundary was never reached"
    # Nobody was paid for more than we wrote down: each call once, and once more where we say that we could not know.
    owed = Counter(call["provider"] for call in now["calls"])
    twice = Counter(call["provider"] for call in now["calls"] if call["maybe_paid_twice"])
    assert bought(vendors) <= owed + twice
    assert set(twice) == {"openai-writer", "elevenlabs"}, "whoever remembers our key is never paid twice"
    site.kill(signal.SIGTERM)
    assert gone(site), f"left behind: {site.processes()}"


@pytest.mark.slow
def test_a_second_site_on_a_taken_port_says_so_in_one_sentence(site: Site):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", site.port))
        taken.listen()
        tried = subprocess.run(
            [sys.executable, "manage.py", "up"], cwd=ROOT, env=site.env, capture_output=True, text=True, check=False
        )
    assert tried.returncode == 1
    assert len(tried.stderr.strip().splitlines()) == 1
    assert str(site.port) in tried.stderr
