"""The sandbox's clock: it runs at its speed, and a new speed makes it neither jump nor go back."""

from __future__ import annotations

import pytest

from sandbox import world
from sandbox.world import World


@pytest.fixture
def real(monkeypatch):
    """The real clock, moved by hand."""
    hands = [1000.0]
    monkeypatch.setattr(world.time, "monotonic", lambda: hands[0])

    def move(seconds):
        hands[0] += seconds

    return move


def test_the_clock_runs_at_its_speed(real):
    made = World(speed=60)
    before = made.now()
    real(2)
    assert made.now() - before == 120


@pytest.mark.parametrize("speed", [0.5, 1, 60, 1000])
def test_a_new_speed_holds_from_now_on(real, speed):
    made = World(speed=60)
    real(2)
    before = made.now()
    made.speed = speed
    assert made.now() == before
    real(3)
    assert made.now() - before == 3 * speed
