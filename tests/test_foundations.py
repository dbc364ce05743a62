"""What the site stands on fails: Redis away, empty or hanging, the database locked, clocks apart, memory gone."""

from __future__ import annotations

import contextlib
import random
import shutil
import socket
import subprocess
import tempfile
from collections import deque
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from channels.layers import channel_layers
from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import OperationalError, connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from redis import Redis
from redis.exceptions import RedisError

from accounts.models import User
from billing import services as billing
from billing.models import Payment, PaymentState
from orders.models import Order, OrderState, Photo, PhotoState
from pipeline import calls, engine, files, housekeeping, invariants, jobs, live, media_links, queue, sweeping
from pipeline.engine import DONE, Wait
from pipeline.line import STAGES
from pipeline.models import Call, Notice, NoticeKind, Production, ProductionState, Step, StepState
from videogen import local_redis

from . import making
from .board import Died, Stages, run
from .calling import Slow, another_work
from .test_chaos import begin

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

PAGES = ["/", "/creators/mira/"]


# --- Redis ------------------------------------------------------------------------------------------------------------


@pytest.fixture(params=["away", "hanging"])
def no_redis(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Bells are really rung, at a Redis that is not there, or that takes every connection and says nothing."""
    door = socket.socket(socket.AF_UNIX)
    where = Path(tempfile.mkdtemp(prefix="redis-", dir="/tmp")) / "s"  # the path of a socket must be short
    if request.param == "hanging":
        door.bind(str(where))
        door.listen(100)
    monkeypatch.setattr(settings, "REDIS_URL", f"unix://{where}")
    layer = {"BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer", "CONFIG": {"hosts": [settings.REDIS_URL]}}
    monkeypatch.setattr(settings, "CHANNEL_LAYERS", {"default": layer})
    monkeypatch.setattr(queue, "_inline", None)
    monkeypatch.setattr(live, "_watcher", None)
    channel_layers.backends.clear()
    queue._impatient.cache_clear()
    yield
    door.close()
    shutil.rmtree(where.parent)
    channel_layers.backends.clear()
    queue._impatient.cache_clear()


def test_without_redis_orders_are_placed_and_pages_answer_and_the_sweep_makes_up_for_it(
    no_redis: None, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = making.draft()
    client.force_login(order.fan)
    payment = billing.begin_payment(order=order)
    assert client.post(reverse("billing:till", args=[payment.key]), {"card": "good"}).status_code == 302
    order.refresh_from_db()
    assert order.state == OrderState.PLACED
    film = reverse("pipeline:order", args=[order.code])
    assert [client.get(page).status_code for page in [*PAGES, film]] == [200] * (len(PAGES) + 1)
    client.force_login(User.objects.create_superuser("staff@films.example"))
    assert client.get("/admin/").status_code == 200
    # Every bell was lost. Redis is back, and the sweep needs nothing but the board.
    rung: deque[tuple[str, int]] = deque()
    monkeypatch.setattr(queue, "_inline", rung)
    engine.sweep()
    assert ("run_step", Step.objects.get(stage="photos").pk) in rung


def test_ringing_at_a_redis_that_says_nothing_is_given_up_soon(no_redis: None) -> None:
    assert not queue.push("control", "run_step", 1, "step-1-0")
    assert queue._impatient().connection_pool.connection_kwargs["socket_timeout"] <= 1
    assert live.PATIENCE <= 1


@pytest.fixture
def redis_here(monkeypatch: pytest.MonkeyPatch) -> Iterator[Redis]:
    """Bells are rung at a Redis of this test's own, where nobody works."""
    folder = Path(tempfile.mkdtemp(prefix="redis-", dir="/tmp"))
    server = subprocess.Popen(local_redis.command(folder))
    monkeypatch.setattr(settings, "REDIS_URL", local_redis.url(folder))
    monkeypatch.setattr(queue, "_inline", None)
    queue._impatient.cache_clear()
    client = queue._impatient()
    while True:
        with contextlib.suppress(RedisError):
            client.ping()
            break
    yield client
    queue._impatient.cache_clear()
    server.kill()
    server.wait()
    shutil.rmtree(folder)


def test_a_sweep_gets_through_though_a_dead_workers_job_still_bears_the_name(redis_here: Redis) -> None:
    with time_machine.travel(timezone.now()) as clock:
        assert queue.again("control", "settle_order", 7, "settle_order-7")
        assert not queue.again("control", "settle_order", 7, "settle_order-7"), "once a minute is enough"
        # A worker takes the job, and is killed before it did anything: the queue is empty, and the name lives on.
        assert redis_here.lpop("rq:queue:control") is not None
        assert not queue.again("control", "settle_order", 7, "settle_order-7"), "so it would be for ever"
        clock.shift(timedelta(minutes=1))
        assert queue.again("control", "settle_order", 7, "settle_order-7")
        assert redis_here.llen("rq:queue:control") == 1


def test_every_sweep_but_the_boards_own_rings_so_that_it_gets_through() -> None:
    """The board's steps have a name for each bell; see engine.sweep."""
    pushing = {path.name for path in Path("pipeline").rglob("*.py") if "queue.push(" in path.read_text()}
    ringing = {path.stem for path in Path("pipeline").rglob("*.py") if "queue.again(" in path.read_text()}
    assert pushing == set()
    assert ringing == {"calls", "escalations", "looking", "money", "notices", "photos", "renditions"}


def test_when_the_sweeping_process_is_dead_another_sweeps_within_ten_seconds() -> None:
    with time_machine.travel(timezone.now(), tick=False) as clock:
        assert sweeping.hold("one")
        clock.shift(timedelta(seconds=5))
        assert not sweeping.hold("another"), "it may only be slow"
        clock.shift(timedelta(seconds=5.1))
        assert sweeping.hold("another")
        assert not sweeping.hold("one")


# --- workers ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("point", ["step.after_claim", "step.before_leave", "step.after_leave"])
def test_whatever_a_dead_worker_held_is_taken_up_within_35_seconds(point: str, monkeypatch: pytest.MonkeyPatch) -> None:
    stages = Stages()
    monkeypatch.setattr(engine, "stage_of", stages.of)
    with time_machine.travel(timezone.now(), tick=False) as clock:
        [production] = begin(1)

        def die(name: str, vendor: str = "") -> None:
            if name == point:
                raise Died(name)

        with monkeypatch.context() as dying:
            dying.setattr(engine, "faultpoint", die)
            queue._inline.clear()
            with pytest.raises(Died):
                engine.run_step(production.steps.get(stage="photos").pk)
        queue._inline.clear()  # its bells die with it
        clock.shift(timedelta(seconds=settings.LEASE_SECONDS + settings.SWEEP_SECONDS))
        assert settings.LEASE_SECONDS + settings.SWEEP_SECONDS <= 35
        engine.sweep()
        queue.drain(queue._inline, jobs.JOBS)
        assert production.steps.get(stage="script").state == StepState.DONE


class _Job:
    """What RQ says of a job."""

    def __init__(self, row: Step | Photo) -> None:
        self.args, self.id = (row.pk,), f"{row.pk}-0"
        self.func_name = "pipeline.jobs.run_step" if isinstance(row, Step) else "pipeline.jobs.check_photo"


def worker() -> Any:
    """A worker as it is while it waits for its fork, without a Redis."""
    made = object.__new__(queue.SafeWorker)
    made._watched = ("", "")
    return made


def test_a_fork_that_hangs_or_was_overtaken_is_not_waited_for() -> None:
    [production] = begin(1)
    step = production.steps.get(stage="photos")
    with time_machine.travel(timezone.now(), tick=False) as clock:
        mine = worker()
        assert mine._leads(_Job(step)), "it has not claimed yet"
        engine.claim(step.pk)
        assert mine._leads(_Job(step))
        clock.shift(timedelta(seconds=settings.LEASE_SECONDS + 1))
        assert mine._leads(_Job(step)), "a slow one has as long again, for nobody else may want the step"
        clock.shift(timedelta(seconds=settings.LEASE_SECONDS))
        assert not mine._leads(_Job(step)), "it hangs"
        assert engine.claim(step.pk) is not None
        assert not mine._leads(_Job(step)), "another worker has the step"
        assert worker()._leads(_Job(step)), "negative control: that worker waits for its own fork"
        Step.objects.update(state=StepState.DONE)
        assert mine._leads(_Job(step)), "it is about to end by itself"


def test_a_fork_that_hangs_in_a_photo_is_not_waited_for() -> None:
    photo = making.photo(making.draft(photos=0), 1)
    Photo.objects.update(state=PhotoState.UPLOADED)
    with time_machine.travel(timezone.now(), tick=False) as clock:
        mine = worker()
        assert photo.claim(60)
        clock.shift(timedelta(seconds=60 + settings.LEASE_SECONDS))
        assert mine._leads(_Job(photo))
        clock.shift(timedelta(seconds=1))
        assert not mine._leads(_Job(photo))


def test_a_job_that_always_runs_out_of_memory_fails_its_own_order_tells_everybody_and_hurts_no_other(
    monkeypatch: pytest.MonkeyPatch, bells: deque[tuple[str, int]]
) -> None:
    stages = Stages()
    poisoned: list[int] = []

    def of(key: str) -> Any:
        def stage(work: engine.Work) -> Any:
            if work.order.pk in poisoned and key == "script":
                raise MemoryError
            return stages.of(key)(work)

        return stage

    monkeypatch.setattr(engine, "stage_of", of)
    paid = []
    for number in range(2):
        order = making.draft(by=making.fan(f"fan{number}@films.example"))
        billing.pay(payment=billing.begin_payment(order=order), card="good")
        paid.append(order)
    poisoned.append(paid[0].pk)
    with time_machine.travel(timezone.now(), tick=False) as clock:
        run(bells, clock.shift)
        sweeping.sweep_once()
    lost, well = (Order.objects.get(pk=order.pk) for order in paid)
    assert (lost.state, well.state) == (OrderState.FAILED, OrderState.DELIVERED)
    step = Step.objects.get(production__order=lost, stage="script")
    assert (step.state, step.attempts) == (StepState.FAILED, STAGES["script"].max_failures + 1)
    assert "MemoryError" in lost.productions.get().error, "staff read why"
    assert lost.ending
    assert Notice.objects.filter(production__order=lost, kind=NoticeKind.ATTENTION).exists()
    assert Payment.objects.get(order=lost).state == PaymentState.CANCELLED, "the money goes back"
    assert list(invariants.i7_no_film_no_money()) == []


# --- the database -----------------------------------------------------------------------------------------------------


def test_a_file_whose_row_a_crash_prevented_is_removed_after_an_hour_and_no_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def die(name: str, vendor: str = "") -> None:
        if name == "files.after_publish":
            raise Died(name)

    work = another_work(1)
    kept = set(Path(settings.MEDIA_ROOT).rglob("*.jpg"))
    with files.workspace("test") as folder:
        (folder / "film.mp4").write_bytes(b"film")
        monkeypatch.setattr(files, "faultpoint", die)
        with pytest.raises(Died):
            files.publish(folder / "film.mp4", work.production.folder)
    [orphan] = Path(settings.MEDIA_ROOT).rglob("*.mp4")
    assert housekeeping.clear() == 0, "its row may be on its way"
    with time_machine.travel(timezone.now() + timedelta(hours=1, minutes=1), tick=False):
        assert list(invariants.i8_files_and_rows_agree()) == [
            f"I8 no row names {orphan.relative_to(settings.MEDIA_ROOT)}"
        ]
        assert housekeeping.clear() == 1
    assert set(Path(settings.MEDIA_ROOT).rglob("*.jpg")) == kept


def test_a_step_during_which_the_database_goes_away_is_taken_up_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Even its failure cannot be written down then; its lease says it."""
    [production] = begin(1)
    pk = production.steps.get(stage="photos").pk

    def away(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        raise OperationalError("database is locked")

    def stage(work: engine.Work) -> Any:
        stack.enter_context(connection.execute_wrapper(away))
        return DONE

    monkeypatch.setattr(engine, "stage_of", lambda key: stage)
    with time_machine.travel(timezone.now(), tick=False) as clock:
        with ExitStack() as stack, pytest.raises(OperationalError):
            engine.run_step(pk)
        assert Step.objects.get(pk=pk).state == StepState.RUNNING
        monkeypatch.setattr(engine, "stage_of", lambda key: lambda work: DONE)
        clock.shift(timedelta(seconds=settings.LEASE_SECONDS + 1))
        engine.run_step(pk)
        assert Step.objects.get(pk=pk).state == StepState.DONE


# --- clocks -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", [1, 2])
def test_workers_whose_clocks_are_an_hour_apart_do_each_step_once(
    seed: int, monkeypatch: pytest.MonkeyPatch, bells: deque[tuple[str, int]]
) -> None:
    stages, dice = Stages(), random.Random(seed)
    monkeypatch.setattr(engine, "stage_of", stages.of)
    with time_machine.travel(timezone.now(), tick=False) as clock:
        real = engine.run_step

        def skewed(pk: int) -> None:
            skew = timedelta(minutes=dice.choice([-60, 0, 9]))
            clock.shift(skew)
            try:
                real(pk)
            finally:
                clock.shift(-skew)

        monkeypatch.setattr(engine, "run_step", skewed)
        begin(2)
        run(bells, clock.shift, rounds=1000)
    assert {made.state for made in Production.objects.all()} == {ProductionState.DONE}
    assert [*invariants.i5_history_has_no_gap(), *invariants.i10_done_once()] == []


def test_of_two_workers_whose_clocks_are_an_hour_apart_only_the_last_claim_may_write(tmp_path: Path) -> None:
    vendor, work = Slow(), another_work(1)
    calls.ask(work, vendor, {"word": "a"}, tmp_path)
    with time_machine.travel(timezone.now() + timedelta(hours=1), tick=False):
        ahead = engine.claim(work.step.pk)
    assert ahead is not None, "to its clock the lease ran out long ago"
    with pytest.raises(engine.LostLease):
        calls.ask(work, vendor, {"word": "a"}, tmp_path)
    assert not engine.leave(work.step, Wait(1))
    done = calls.ask(engine.Work(ahead, STAGES["photos"]), vendor, {"word": "a"}, tmp_path)
    assert (done.result, Call.objects.count(), len(vendor.asked)) == ({"said": "job-1"}, 1, 1)


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_link_made_by_a_machine_whose_clock_is_an_hour_off_leads_to_the_film(hours: int, client: Client) -> None:
    order = making.draft()
    client.force_login(order.fan)
    name = default_storage.save(f"orders/{order.code}/photos/x.jpg", ContentFile(b"photo"))
    with time_machine.travel(timezone.now() + timedelta(hours=hours), tick=False):
        link = media_links.link(name)
    assert client.get(link).status_code == 200
