"""Whose draft it is before anyone has signed in: the session's own random id, and the hand-over at sign-in."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from accounts.models import User

from .codes import token
from .models import Order, OrderState

KEY = "visitor"


def visitor(request: HttpRequest) -> str:
    """This session's own id, made on demand. It outlives the change of the session's key at sign-in."""
    found = request.session.get(KEY)
    if not isinstance(found, str) or not found:
        found = request.session[KEY] = token()
    return found


def known_visitor(request: HttpRequest) -> str | None:
    """This session's id if it has one: looking at a page makes no session."""
    found = request.session.get(KEY)
    return found if isinstance(found, str) and found else None


def adopt(order: Order, user: User) -> bool:
    """Give a draft nobody owns to an account: True for exactly one caller."""
    with order.locked():
        adopted = Order.objects.filter(pk=order.pk, fan=None, state=OrderState.DRAFT).update(fan=user, session_key="")
        if adopted:
            order.refresh_from_db()
            order.tell("order.claimed", actor="fan")
    return bool(adopted)


def adopt_drafts(sender: Any, request: HttpRequest | None, user: User, **kwargs: Any) -> None:
    """At sign-in the visitor's drafts become the account's. Listens to `user_logged_in`."""
    key = known_visitor(request) if request is not None and hasattr(request, "session") else None
    if key is not None:
        for order in Order.objects.filter(fan=None, session_key=key, state=OrderState.DRAFT):
            adopt(order, user)
