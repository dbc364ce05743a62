"""A whole site on PostgreSQL while everything it stands on fails in turn: Redis, the sweep, the database, a worker."""

from __future__ import annotations

import os
import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
import requests

from videogen import local_redis

from . import postgres
from .test_processes import Site, gone
from .waiting import soon

pytestmark = [pytest.mark.slow, pytest.mark.render]


@pytest.fixture
def database() -> Iterator[postgres.Server]:
    with postgres.running() as server:
        yield server


@pytest.fixture
def site(database: postgres.Server, tmp_path: Path) -> Iterator[Site]:
    """A site whose first cut stops for ever when its film is encoded."""
    (tmp_path / "var").mkdir()
    made = Site(
        tmp_path / "var", DATABASE_URL=database.url, SWEEP_SECONDS="1", VIDEOGEN_FAULTS="cut.after_render=stop:once"
    )
    made.start()
    yield made
    made.kill(signal.SIGTERM)
    assert gone(made), made.processes()


def one(site: Site, name: str) -> int:
    """The number of the process of the site that is called so."""
    [pid] = [pid for pid, called in site.processes().items() if called == name]
    return pid


def steps_done(site: Site, number: int) -> None:
    site.wait_for(f"select count(*) >= {number} from pipeline_step where state = 'done'", [(True,)])


def is_back(bells: redis.Redis) -> bool:
    try:
        return bool(bells.ping())
    except redis.ConnectionError:
        return False


def answers(site: Site) -> bool:
    return all(
        requests.get(f"http://127.0.0.1:{site.port}{path}", timeout=60).status_code == 200
        for path in ("/", "/admin/login/", "/creators/mira/")
    )


def test_a_film_is_made_while_redis_the_sweep_the_database_and_a_worker_fail_in_turn(
    site: Site, database: postgres.Server
) -> None:
    var = Path(site.env["VIDEOGEN_VAR"])
    # Redis hangs: orders are placed and pages are answered. Then it dies, and what it knew is gone.
    bells = redis.Redis.from_url(local_redis.url(var))
    hung = bells.info()["process_id"]
    os.kill(hung, signal.SIGSTOP)
    codes = site.ask("place", "1")
    assert answers(site)
    os.kill(hung, signal.SIGKILL)
    shutil.rmtree(var / "redis" / "appendonlydir")
    assert answers(site)
    steps_done(site, 3)
    # Every bell is lost in the middle, and so is whoever rings again.
    os.kill(one(site, "sweep"), signal.SIGKILL)
    assert soon(lambda: is_back(bells)), "the supervisor starts Redis again"
    bells.flushall()
    steps_done(site, 8)
    # The database is restarted under everybody.
    database.stop()
    time.sleep(2)
    database.start()
    site.wait_for("select count(*) from orders_order where state = 'placed'", [(0,)])
    site.wait_for("select distinct state from billing_payment", [("captured",)])
    # Whoever stood still in the middle of a cut is gone, and its film was made by another.
    assert (var / "faults" / "cut.after_render").exists()
    assert "shows no sign of life" in site.log.read_text()
    now = site.ask("look")
    assert {now["orders"][code] for code in codes} == {"delivered"}
    assert now["broken"] == []
