"""Creators' accounts at the gateway: opened, completed on its own page, and looked at before money goes there.

Nothing is believed of an account but what the gateway says when it is asked; asked outside transactions.
"""

from __future__ import annotations

import datetime as dt
import logging

from django.core.exceptions import ImproperlyConfigured
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Creator

from .gateways import chosen
from .gateways.base import GatewayError
from .gateways.sandbox import SandboxTill
from .models import PayoutAccount, Standing

log = logging.getLogger(__name__)

# How soon an account is looked at again: one that was just opened, one that lacks something, and one that can be paid.
SOON, LACKING, READY = dt.timedelta(minutes=5), dt.timedelta(hours=1), dt.timedelta(days=1)
SWEPT = 100


def trouble(creator: Creator, account: PayoutAccount | None) -> str:
    """Why nothing can be sent to a creator, in one sentence; empty when it can. Asks nobody."""
    gateway = chosen.name()
    if account is not None and account.paused:
        return _("Payouts to %(name)s are paused.") % {"name": creator}
    if gateway == SandboxTill.name:
        return ""  # it has an account for everybody
    if account is None or not account.external_id:
        return _("%(name)s has no payout account yet, so nothing can be sent.") % {"name": creator}
    said = account.standing if account.gateway == gateway else Standing.UNASKED
    return {
        Standing.READY: "",
        Standing.UNASKED: _("The payout account of %(name)s has not been looked at by the gateway yet."),
        Standing.INCOMPLETE: _("The payout account of %(name)s is not complete yet: the gateway wants to know more."),
        Standing.UNKNOWN: _("The gateway does not know the payout account of %(name)s."),
    }[Standing(said)] % {"name": creator}


def onboarding(creator: Creator, *, back: str, again: str) -> str:
    """Where a creator completes their account, which is opened where there is none. Raises GatewayError."""
    gateway = chosen.gateway()
    account, _made = PayoutAccount.objects.get_or_create(creator=creator)
    if not account.external_id or account.gateway not in ("", gateway.name):
        opened = gateway.open_account(account)
        # Two at once ask under one key, and so for one account.
        PayoutAccount.objects.filter(pk=account.pk, external_id=account.external_id).update(
            external_id=opened, gateway=gateway.name, standing=Standing.INCOMPLETE, look_at=timezone.now() + SOON
        )
        account.refresh_from_db()
    return gateway.onboarding(account, back=back, again=again)


def look(account: PayoutAccount) -> str:
    """Ask the gateway whether an account can be paid, and write it down; the trouble with it. Raises GatewayError."""
    account.refresh_from_db()
    if not account.external_id:
        PayoutAccount.objects.filter(pk=account.pk).update(look_at=None)
        return trouble(account.creator, account)
    gateway = chosen.gateway()
    try:
        missing = gateway.missing(account)
        standing = Standing.INCOMPLETE if missing else Standing.READY
    except GatewayError as error:
        if not error.final:
            raise
        standing, missing = Standing.UNKNOWN, str(error)
    now = timezone.now()
    # What was said is about this account, and not about one that somebody wrote in its place meanwhile.
    PayoutAccount.objects.filter(pk=account.pk, external_id=account.external_id).update(
        gateway=gateway.name,
        standing=standing,
        missing=missing[:200],
        looked_at=now,
        look_at=now + (READY if standing == Standing.READY else LACKING),
    )
    account.refresh_from_db()
    return trouble(account.creator, account)


def look_if_due(pk: int) -> None:
    """The alarm of an account has gone off: look, if nobody else does."""
    now = timezone.now()
    if not PayoutAccount.objects.filter(pk=pk, look_at__lte=now).update(look_at=now + LACKING):
        return
    account = PayoutAccount.objects.select_related("creator").get(pk=pk)
    try:
        look(account)
    except (GatewayError, ImproperlyConfigured) as error:
        log.warning("The payout account of %s could not be looked at: %s", account.creator, error)


def due() -> list[int]:
    """Accounts whose alarm has gone off."""
    rows = PayoutAccount.objects.filter(look_at__lte=timezone.now()).order_by("look_at")
    return list(rows.values_list("pk", flat=True)[:SWEPT])
