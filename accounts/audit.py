"""The audit: whoever does something on the desk leaves who, what, to what and why. Nothing here is ever changed."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.db.models import Model, QuerySet

from .models import Audit, User

SYSTEM = "system"


def write(
    *, actor: User | AnonymousUser | str, verb: str, target: Model, reason: str, data: dict[str, Any] | None = None
) -> Audit:
    """Append one entry, in the transaction of what it tells. `actor` is the account, or a name such as `system`.

    `verb` is `noun.past_verb` (`refund.sent`, `breaker.closed`); `data` is JSON, without secrets and without a fan's
    words or photos.
    """
    account = actor if isinstance(actor, User) else None
    return Audit.objects.create(
        actor=account,
        who=account.email if account is not None else str(actor) or SYSTEM,
        verb=verb,
        target_type=target._meta.label_lower,
        target_pk=str(target.pk),
        target_label=str(target)[:200],
        reason=reason.strip(),
        data=data or {},
    )


def of(target: Model) -> QuerySet[Audit]:
    """What was done to one row, latest first."""
    return Audit.objects.filter(target_type=target._meta.label_lower, target_pk=str(target.pk)).select_related("actor")
