"""A pretended Higgsfield for the tests of its client: one sandbox a file, a shot to film, and what the vendor says."""

from __future__ import annotations

import functools
import itertools
import json
import time
from urllib.request import urlopen

import pytest

from pipeline.providers.base import ShotRequest
from pipeline.providers.higgsfield import DEFAULT_MODELS, Higgsfield
from sandbox.higgsfield import KEY, Settings, higgsfield
from sandbox.server import running

from . import samples
from .waiting import PATIENCE

QUALITY, FAST = DEFAULT_MODELS
OURS = "PR-1.shot.1.take-1.1"
_NUMBERS = itertools.count(1)


@pytest.fixture(scope="module")
def film():
    """One picture for all, so that its clips are drawn once."""
    with running({"higgsfield": functools.partial(higgsfield, settings=Settings(queue=100))}, speed=4000) as made:
        yield made


@pytest.fixture
def sandbox(film):
    """The sandbox with all switches off and an empty journal."""
    film.world.rules.clear()
    film.world.left.clear()
    film.world.journal.clear()
    return film


@pytest.fixture
def key():
    """A key of each test's own: the sandbox remembers."""
    return f"PR-1.shot.{next(_NUMBERS)}.take-1.1"


@pytest.fixture
def vendor(sandbox):
    return higgs(sandbox)


def higgs(sandbox, model=FAST, key=KEY, **how):
    return Higgsfield(key, model, base_url=sandbox.at("higgsfield"), **how)


@functools.cache
def _picture():
    return samples.jpeg_bytes(3, (600, 800))


@pytest.fixture
def shot(tmp_path):
    (tmp_path / "photo.jpg").write_bytes(_picture())
    return ShotRequest("photo.jpg", 1080, 1920, 3.4, ((0.4, 0.1, 0.2, 0.15),), prompt="A wave\n at the sea.").to_json()


def fall(sandbox, **faults):
    for name, times in faults.items():
        sandbox.world.switch(f"higgsfield.{name}", times, times=True)


def asked(sandbox, path, method="POST"):
    return sandbox.world.asked("higgsfield", path, method)


def told(sandbox, what):
    with urlopen(f"{sandbox.at('higgsfield')}/{what}") as answer:
        return json.loads(answer.read())


def landed(vendor, external_id, workdir):
    """Look until the job is over."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        answer = vendor.look(external_id, workdir)
        if answer.state == "done":
            return answer
        time.sleep(0.01)
    raise AssertionError("it never came")


@pytest.fixture
def started(sandbox, vendor, shot, tmp_path, key):
    """Film a shot: switch the faults on, submit, and look until it is over."""

    def film_it(vendor=vendor, **faults):
        fall(sandbox, **faults)
        pending = vendor.submit(key, vendor.prepare(shot, tmp_path), tmp_path)
        return landed(vendor, pending.external_id, tmp_path)

    return film_it


def trouble(error):
    return error.value.trouble, error.value.retryable
