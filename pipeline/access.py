"""One door: who may see an order and its files."""

from __future__ import annotations

from typing import Any

from accounts.scoping import sees_all
from orders.models import Order


def may_see(order: Order, user: Any, visitor: str | None) -> bool:
    """The fan who owns it, the visitor who began it, the creator whose voice it is once it is placed, and those of the
    staff who may see fans' photos: who keeps the books may not.
    """
    if user is not None and user.is_authenticated:
        if order.fan_id == user.pk:
            return True
        if sees_all(user) and user.has_perm("orders.view_photo"):
            return True
        if not order.is_draft and order.creator.user_id == user.pk:
            return True
    return bool(visitor) and order.fan_id is None and order.session_key == visitor
