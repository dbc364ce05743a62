"""What every pretended vendor shares: the clock and its speed, the dice, the fault switches, a journal of requests."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

# Every switch with what it does. A rule sets a switch to a probability (0 to 1) or to a number of times ("3x").
FAULTS: dict[str, str] = {}


def register(vendor: str, faults: Mapping[str, str]) -> None:
    """Make a vendor's fault switches known, as `vendor.name`."""
    FAULTS.update({f"{vendor}.{name}": says for name, says in faults.items()})


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as the journal keeps it; header names in lower case."""

    at: float
    vendor: str
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass
class World:
    """One sandbox's state. All methods may be called from any thread.

    `speed` is how many simulated seconds pass in a real one: latencies are drawn in simulated seconds and slept divided
    by it; it may be changed at any time. `seed` decides everything that chance decides, per key, so that threads do not
    change the outcome.
    """

    seed: int = 1
    speed: float = 1.0
    base_url: str = ""
    rules: dict[str, float] = field(default_factory=dict)
    left: Counter[str] = field(default_factory=Counter)
    fired: Counter[str] = field(default_factory=Counter)
    journal: list[Asked] = field(default_factory=list)
    lock: threading.RLock = field(default_factory=threading.RLock)
    ended: threading.Event = field(default_factory=threading.Event)
    _timers: list[threading.Timer] = field(default_factory=list)
    _rows: dict[str, random.Random] = field(default_factory=dict)
    # When the speed last changed: real and simulated seconds.
    _anchor: tuple[float, float] = field(default_factory=lambda: (time.monotonic(), 0.0))

    def __setattr__(self, name: str, value: Any) -> None:
        """A new speed holds from now on: the clock goes on from where it is."""
        if name == "speed" and "_anchor" in self.__dict__:
            self._anchor = time.monotonic(), self.now()
        super().__setattr__(name, value)

    def switch(self, fault: str, how: float | int, *, times: bool = False) -> None:
        """Set a switch: to a probability, or with `times` to fall exactly so many times. Raises KeyError."""
        if fault not in FAULTS:
            raise KeyError(f"no fault is called {fault}; there are {', '.join(sorted(FAULTS))}")
        with self.lock:
            if times:
                self.left[fault] = int(how)
                self.rules.pop(fault, None)
            else:
                self.rules[fault] = float(how)
                self.left.pop(fault, None)

    def falls(self, fault: str, key: str = "") -> bool:
        """Whether a fault happens now; for one `key` (an id of the request) always the same answer of the dice."""
        if fault not in FAULTS:
            raise KeyError(fault)
        with self.lock:
            if self.left[fault] > 0:
                self.left[fault] -= 1
                fell = True
            else:
                chance = self.rules.get(fault, 0.0)
                fell = chance > 0 and self._thrown(fault, key) < chance
            if fell:
                self.fired[fault] += 1
            return fell

    def _thrown(self, fault: str, key: str) -> float:
        """One throw: of the key's own dice, or, for a request without one, the next of the fault's."""
        if key:
            return self.dice(f"{fault}:{key}").random()
        return self._rows.setdefault(fault, self.dice(fault)).random()

    def dice(self, key: str) -> random.Random:
        """Dice of a key's own: the same seed and key always fall the same way."""
        return random.Random(f"{self.seed}:{key}")

    def now(self) -> float:
        """Simulated seconds."""
        since, then = self._anchor
        return then + (time.monotonic() - since) * self.speed

    def wall(self, moment: float) -> float:
        """The Unix time of a simulated moment, at today's speed."""
        return time.time() + (moment - self.now()) / self.speed

    def sleep(self, seconds: float) -> None:
        """Let simulated seconds pass; ends early when the sandbox does."""
        self.ended.wait(seconds / self.speed)

    def later(self, seconds: float, do: Callable[[], Any]) -> threading.Timer:
        """Do something after simulated seconds, on a thread of its own, which is returned."""
        timer = threading.Timer(max(0.0, seconds / self.speed), do)
        timer.daemon = True
        with self.lock:
            self._timers = [old for old in self._timers if old.is_alive()]
            self._timers.append(timer)
        timer.start()
        return timer

    def write(self, asked: Asked) -> None:
        """Keep a request."""
        with self.lock:
            self.journal.append(asked)

    def asked(self, vendor: str, path: str = "", method: str = "") -> list[Asked]:
        """The journal's requests to a vendor whose path begins with `path`."""
        with self.lock:
            return [
                one
                for one in self.journal
                if one.vendor == vendor and one.path.startswith(path) and method in ("", one.method)
            ]

    def end(self) -> None:
        """Stop whatever is still to come."""
        self.ended.set()
        with self.lock:
            for timer in self._timers:
                timer.cancel()
