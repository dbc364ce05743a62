"""What each role may do on the desk: the table, kept in the groups of the same names by every `migrate`.

The table is the truth: rights given to one of these groups by hand are taken away at the next `migrate`. Whose rows
someone sees is another question, answered by `accounts.scoping`.
"""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Group, Permission
from django.db import models
from django.utils.translation import gettext_lazy as _

from .models import User

# Beside our own apps: second factors.
OURS = ("accounts", "orders", "billing", "pipeline", "mfa")


class Role(models.TextChoices):
    """Who somebody is on the desk. The group has the value as its name."""

    CREATOR = "creator", _("Creator")
    SUPPORT = "support", _("Support")
    FINANCE = "finance", _("Finance")
    ADMIN = "admin", _("Admin")


def _see(app: str, *names: str) -> set[str]:
    return {f"{app}.view_{name}" for name in names}


# The fan's own words and pictures, and whatever shows them.
PRIVATE = _see("orders", "brief", "photo", "consent") | _see(
    "pipeline", "production", "step", "review", "concern", "event", "cut", "finding", "rendition"
)
# What money came and went, and to whom.
BOOKS = _see("billing", "ledgerentry", "sharerate", "statement", "payout", "payoutaccount")

TABLE: dict[Role, set[str]] = {
    # Their own rows only, and of an order what the film is about: `accounts.scoping` sees to both.
    Role.CREATOR: {
        "pipeline.view_review",
        "pipeline.change_review",
        *_see("accounts", "creator", "voice", "voicelicence"),
        *_see("orders", "order", "brief", "photo"),
        *_see("billing", "price", "statement", "payout"),
        "billing.change_price",  # which begins a new one; none is taken away
    },
    # Mends films and answers fans: everything about an order, and nothing of the books.
    Role.SUPPORT: {
        "accounts.see_every_creator",
        *_see("accounts", "user", "creator", "voice", "voicelicence"),
        *_see("orders", "order", "orderevent"),
        *PRIVATE,
        *_see("billing", "price", "payment", "refund"),
        *_see("pipeline", "call", "vendor", "hookevent", "notice", "refundrequest", "escalation"),
        "orders.change_order",  # pause, cancel
        "billing.add_refund",  # up to the limit that asks for four eyes
        "pipeline.add_refundrequest",
        "pipeline.add_production",  # re-run
        "pipeline.add_notice",  # write to the fan
        "pipeline.change_review",  # a review that is late
        "pipeline.change_rendition",  # another version that failed, once more
        "pipeline.change_escalation",  # looked after
        "pipeline.change_vendor",  # the breaker
    },
    # Keeps the books: money, prices and what vendors cost; no fan's words or photos.
    Role.FINANCE: {
        "accounts.see_every_creator",
        *_see("accounts", "creator"),
        *_see("orders", "order"),
        *_see("billing", "price", "payment", "refund", "gatewayevent", "reconciliation"),
        *BOOKS,
        *_see("pipeline", "call", "vendor", "refundrequest"),
        "billing.add_refund",
        "billing.add_price",
        "billing.change_price",
        "billing.add_payout",
        "billing.change_payout",
        "billing.add_payoutaccount",
        "billing.change_payoutaccount",
        "billing.add_sharerate",
        "billing.change_sharerate",
        "pipeline.change_refundrequest",  # the other pair of eyes
    },
    # Runs the site: all that is ours. What the desk shows to read only stays so.
    Role.ADMIN: {"*"},
}


def wanted(role: Role, app: str) -> models.QuerySet[Permission]:
    """The rights in one app that the table gives a role; a right whose model is not there (yet) is passed over."""
    rights = Permission.objects.filter(content_type__app_label=app)
    if "*" in TABLE[role]:
        return rights
    names = [name.split(".", 1)[1] for name in TABLE[role] if name.startswith(f"{app}.")]
    return rights.filter(codename__in=names)


def sync(app: str) -> None:
    """Bring the groups' rights in one app to what the table says."""
    for role in Role:
        group, _made = Group.objects.get_or_create(name=role.value)
        want = set(wanted(role, app).values_list("pk", flat=True))
        have = set(group.permissions.filter(content_type__app_label=app).values_list("pk", flat=True))
        group.permissions.remove(*have - want)
        group.permissions.add(*want - have)


def after_migrate(sender: Any, apps: Any, **kwargs: Any) -> None:
    """Heard after every `migrate`, for each app, when its rights have been made."""
    try:
        apps.get_model("auth", "Group")
    except LookupError:
        return  # a migration back beyond the groups
    if sender.label in OURS:
        sync(sender.label)


def give(user: User, role: Role) -> None:
    """Make somebody this and nothing else on the desk."""
    others = [other.value for other in Role if other != role]
    user.groups.remove(*Group.objects.filter(name__in=others))
    user.groups.add(Group.objects.get_or_create(name=role.value)[0])


def of(user: User) -> list[Role]:
    """What somebody is, in the table's order; a superuser without a group is none of these and may do everything."""
    names = set(user.groups.values_list("name", flat=True))
    return [role for role in Role if role.value in names]
