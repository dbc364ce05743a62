"""Plots for the desk as plain SVG: bars of days, stacked; the same figures stand below as a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.functional import Promise

WIDTH, HEIGHT = 720, 180
LEFT, RIGHT, BOTTOM, TOP = 48, 20, 22, 8


@dataclass(frozen=True)
class Bar:
    """One rectangle, in the plot's own units, and what it says when pointed at. `kind` is the end of a class's name."""

    x: float
    y: float
    width: float
    height: float
    kind: str
    says: str


@dataclass(frozen=True)
class Tick:
    """One line of the scale, or one label below."""

    at: float
    label: str


@dataclass(frozen=True)
class Series:
    """The figures of one colour, one for each label. `shown` is how people read them."""

    kind: str
    name: str | Promise
    values: Sequence[float]
    shown: Sequence[str]


@dataclass(frozen=True)
class Plot:
    """What the template draws. All of it is computed here, so that the page needs neither script nor style."""

    key: str
    title: str | Promise
    labels: Sequence[str]
    series: Sequence[Series]
    bars: list[Bar]
    scale: list[Tick]
    below: list[Tick]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT

    @property
    def rows(self) -> list[tuple[str, list[str]]]:
        """The same as a table, latest first."""
        lines = [(label, [one.shown[at] for one in self.series]) for at, label in enumerate(self.labels)]
        return lines[::-1]

    @property
    def empty(self) -> bool:
        """Whether there is nothing to draw."""
        return not self.bars


def nice(top: float) -> float:
    """A round number that is not below: 1, 2 or 5 times a power of ten."""
    step = 1.0
    while step * 10 < top:
        step *= 10
    return next(step * factor for factor in (1, 2, 5, 10) if step * factor >= top)


def stacked(key: str, title: str | Promise, labels: Sequence[str], series: Sequence[Series], unit: str = "") -> Plot:
    """Bars, one above the other for each label; what is below zero hangs from the line."""
    ups = [sum(max(0, one.values[at]) for one in series) for at in range(len(labels))]
    downs = [sum(min(0, one.values[at]) for one in series) for at in range(len(labels))]
    top, low = nice(max([*ups, 1])), -nice(-min(downs)) if min([*downs, 0]) < 0 else 0.0
    high = HEIGHT - BOTTOM - TOP

    def y(value: float) -> float:
        return round(TOP + high * (top - value) / (top - low), 2)

    each = (WIDTH - LEFT - RIGHT) / max(1, len(labels))
    bars: list[Bar] = []
    for at, label in enumerate(labels):
        up = down = 0.0
        for one in series:
            value = one.values[at]
            if not value:
                continue
            start = up if value > 0 else down
            first, last = y(max(start, start + value)), y(min(start, start + value))
            bars.append(
                Bar(
                    round(LEFT + at * each + each * 0.12, 2),
                    first,
                    round(each * 0.76, 2),
                    max(1, round(last - first, 2)),
                    one.kind,
                    f"{label}: {one.name} {one.shown[at]}",
                )
            )
            up, down = (up + value, down) if value > 0 else (up, down + value)
    scale = [Tick(y(value), f"{value:g}{unit}") for value in sorted({low, 0.0, top / 2, top})]
    every = max(1, -(-len(labels) // 8))
    below = [
        Tick(round(LEFT + (at + 0.5) * each, 2), label)
        for at, label in enumerate(labels)
        if at % every == (len(labels) - 1) % every
    ]
    return Plot(key, title, labels, series, bars, scale, below)
