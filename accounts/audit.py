"""The audit: whoever does something on the desk leaves who, what, to what and why. Nothing here is ever changed.

But an erased order takes the words along that were typed about it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.db.models import Model, Q, QuerySet

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


def forget(rows: Iterable[QuerySet[Any]], *, keep: Collection[str]) -> None:
    """Blank what was typed about these rows: the reasons, and of the data all but the values named in `keep`.

    Who did what to what, and when, stays. Nothing else ever changes an entry.
    """
    about = Q(pk__in=())
    for some in rows:
        keys = [str(pk) for pk in some.values_list("pk", flat=True)]
        about |= Q(target_type=some.model._meta.label_lower, target_pk__in=keys)
    for entry in Audit.objects.filter(about):
        kept = {name: value for name, value in entry.data.items() if name in keep}
        # Past the manager that refuses it.
        QuerySet(Audit).filter(pk=entry.pk).update(reason="", data=kept)


def of(target: Model) -> QuerySet[Audit]:
    """What was done to one row, latest first."""
    return Audit.objects.filter(target_type=target._meta.label_lower, target_pk=str(target.pk)).select_related("actor")
