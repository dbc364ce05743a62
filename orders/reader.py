"""Whoever makes films says what the wizard must tell: that no script can come of these words, and who is sent what.

Orders lie below the making of films and may not import it: the app that makes them calls `use()` when it is loaded.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .models import Order


@dataclass(frozen=True)
class Sharing:
    """What leaves this machine, in sentences for the fan: of the photos, of the words.

    `eyes`: the writer would look at the photos, where the fan agrees. `filmed`: shots are filmed by a vendor, and the
    people in them could be held against the photos, where the fan agrees.
    """

    photos: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    eyes: bool = False
    filmed: bool = False


class _Maker:
    """The one maker of films of this process."""

    objection: Callable[[Order], str] | None = None
    sharing: Callable[[], Sharing] | None = None


_maker = _Maker()


def use(*, objection: Callable[[Order], str], sharing: Callable[[], Sharing]) -> None:
    """Plug the maker in. Called once, when its app is loaded."""
    _maker.objection, _maker.sharing = objection, sharing


def objection(order: Order) -> str:
    """Why no script can be written from this order's words, as a sentence for the fan; empty where nobody objects."""
    return _maker.objection(order) if _maker.objection else ""


def sharing() -> Sharing:
    """Who is sent what when a film is made here; nobody anything, where all is made on this machine."""
    return _maker.sharing() if _maker.sharing else Sharing()
