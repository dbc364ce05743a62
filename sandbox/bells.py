"""How pretended vendors ring: a signed message is posted and posted again until somebody says 2xx, or not as it should.

Each vendor registers BELLS among its switches.
"""

from __future__ import annotations

import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Mapping

from .world import World

BELLS: Mapping[str, str] = {
    "hook_late": "the message comes an hour later",
    "hook_lost": "the message never comes",
    "hook_twice": "the message comes twice",
    "hook_forged": "the message is signed with another secret",
    "hook_stale": "the message carries a time an hour ago",
}
PAUSES = (5.0, 60.0, 600.0)  # simulated seconds between deliveries that were not taken
LATE = 3600.0
STALE = 3600
HEARD = 10.0  # real seconds that a message on its way is waited for

# Makes one delivery: (seconds its time is off, whether it is signed with a wrong secret) → body and headers.
Maker = Callable[[int, bool], tuple[bytes, Mapping[str, str]]]


def ring(
    world: World, vendor: str, address: str, key: str, make: Maker, after: float = 0.0, *, stubborn: bool = False
) -> list[threading.Timer]:
    """Post a message to `address`, `after` simulated seconds; `key` decides which switches fall. Returns who posts it.

    A `stubborn` vendor tries again even where it is told that its message is not wanted (4xx).
    """
    if world.falls(f"{vendor}.hook_lost", key):
        return []
    off = -STALE if world.falls(f"{vendor}.hook_stale", key) else 0
    forged = world.falls(f"{vendor}.hook_forged", key)
    after += LATE if world.falls(f"{vendor}.hook_late", key) else 0.0
    return [
        world.later(after, lambda: _deliver(world, address, lambda: make(off, forged), stubborn, PAUSES))
        for _ in range(2 if world.falls(f"{vendor}.hook_twice", key) else 1)
    ]


def wait_for(messengers: Iterable[threading.Timer]) -> None:
    """Go on when messages were delivered, or could not be: what is said next comes after them."""
    for messenger in messengers:
        messenger.join(HEARD)


def _deliver(
    world: World,
    address: str,
    make: Callable[[], tuple[bytes, Mapping[str, str]]],
    stubborn: bool,
    pauses: tuple[float, ...],
) -> None:
    body, headers = make()
    wanted = urllib.request.Request(  # noqa: S310  (an address of this machine's own site)
        address, body, {"Content-Type": "application/json", **headers}, method="POST"
    )
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(wanted, timeout=10):
            return
    except urllib.error.HTTPError as error:
        if 400 <= error.code < 500 and not stubborn:
            return
    except OSError:
        pass
    if pauses and not world.ended.is_set():
        world.later(pauses[0], lambda: _deliver(world, address, make, stubborn, pauses[1:]))
