"""Whoever turns notes into a script may say beforehand that these will not do; the wizard passes it on.

Orders lie below the making of films and may not import it: the app that makes them calls `use()` when it is loaded.
"""

from __future__ import annotations

from collections.abc import Callable

from .models import Order

_objections: list[Callable[[Order], str]] = []


def use(objection: Callable[[Order], str]) -> None:
    """Plug the writer's objection in. Called once, when the making app is loaded."""
    _objections[:] = [objection]


def objection(order: Order) -> str:
    """Why no script can be written from this order's words, as a sentence for the fan; empty where nobody objects."""
    return next((said for said in (ask(order) for ask in _objections) if said), "")
