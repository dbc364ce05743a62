"""Paying creators: what has waited for the refund window, in one transfer at a time, once.

A row is written before the gateway is asked, and asked again under the same key until it answers. The ledger has a
payout when the money is on its way. One that is refused ends, and the next run begins another.
"""

from __future__ import annotations

import datetime as dt
import logging
import secrets
from collections.abc import Iterable
from dataclasses import dataclass

from django.conf import settings
from django.db import transaction
from django.db.models import F, Sum
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Creator
from orders.models import Order, OrderState

from . import payout_accounts, statements
from .gateways import chosen
from .gateways.base import GatewayError
from .gateways.sandbox import SandboxTill
from .ledger import post
from .models import Account, LedgerEntry, Payout, PayoutAccount, PayoutState
from .shares import EARNED
from .statements import PAYOUT

log = logging.getLogger(__name__)

LEASE = dt.timedelta(seconds=60)
# Until a transfer of which nothing was heard is tried again, under its own key.
AGAIN = dt.timedelta(minutes=10)
SWEPT = 100


def payable(creator: Creator, currency: str, now: dt.datetime | None = None) -> int:
    """What may be paid out, in minor units: of films whose refund window is over, less what was paid out before.

    A film that is still being made, paid at once as it may be, does not count.
    Refunds count at once, but never against a film that is not counted yet. Below nothing where more was paid out
    than is left: that is carried over.
    """
    return payables([creator], currency, now)[creator.pk]


def payables(creators: Iterable[Creator], currency: str, now: dt.datetime | None = None) -> dict[int, int]:
    """The same for many, by their ids, in two queries: what is owed, less what is owed for films that wait."""
    until = (now or timezone.now()) - dt.timedelta(days=settings.REFUND_WINDOW_DAYS)
    owed = statements.balances(creators, currency)
    lines = LedgerEntry.objects.filter(account=Account.CREATOR, currency=currency, creator__in=owed).order_by()
    young = lines.filter(fact__startswith=EARNED, at__gt=until).values("order")
    making = Order.objects.filter(state=OrderState.PLACED, creator__in=owed).order_by().values("pk")
    waits = lines.filter(order__in=young.union(making)).values_list("creator").annotate(sum=Sum("amount"))
    return owed | {pk: owed[pk] + amount for pk, amount in waits if pk is not None}


@dataclass(frozen=True, slots=True)
class Outlook:
    """What a creator would be sent now, and why not: `trouble` is a sentence about their account."""

    creator: Creator
    balance: int
    payable: int
    trouble: str
    open: bool

    @property
    def enough(self) -> bool:
        """Whether it is worth a transfer."""
        least: int = max(1, settings.PAYOUT_MINIMUM)
        return self.payable >= least

    @property
    def ready(self) -> bool:
        """Whether a payout would be begun."""
        return self.enough and not self.open and not self.trouble

    @property
    def note(self) -> str:
        """Why nothing would be sent, in one sentence; empty where something would."""
        if self.open:
            return _("A payout is under way.")
        if self.trouble:
            return self.trouble
        if self.payable < 0:
            return _("Refunds of what was paid out: the next films pay that off.")
        return "" if self.enough else _("Not enough yet.")


def outlook(currency: str) -> list[Outlook]:
    """Every creator we owe something, or who owes us, those to whom most may be sent first."""
    owed = {pk: owes for pk, owes in statements.balances(Creator.objects.all(), currency).items() if owes}
    accounts = {one.creator_id: one for one in PayoutAccount.objects.filter(creator__in=owed)}
    waiting = Payout.objects.filter(creator__in=owed, currency=currency, state=PayoutState.CREATED)
    begun = set(waiting.values_list("creator", flat=True))
    creators = list(Creator.objects.filter(pk__in=owed))
    sums = payables(creators, currency)
    rows = [
        Outlook(
            creator=creator,
            balance=owed[creator.pk],
            payable=sums[creator.pk],
            trouble=payout_accounts.trouble(creator, accounts.get(creator.pk)),
            open=creator.pk in begun,
        )
        for creator in creators
    ]
    return sorted(rows, key=lambda row: -row.payable)


def begin(*, creator: Creator, currency: str, actor: str = "system") -> Payout | None:
    """Write down a payout of all that is payable, or find the one that is open. None where nothing is to be paid."""
    with transaction.atomic():
        account = _account(creator)
        if account is None:
            return None
        # This write lines up all who would pay the same creator: whoever comes second sees what the first has done.
        PayoutAccount.objects.filter(pk=account.pk).update(paused=F("paused"))
        account.refresh_from_db()
        found = Payout.objects.filter(creator=creator, currency=currency, state=PayoutState.CREATED).first()
        if found is not None or payout_accounts.trouble(creator, account):
            return found
        amount = payable(creator, currency)
        if amount < max(1, settings.PAYOUT_MINIMUM):
            return None
        return Payout.objects.create(
            creator=creator,
            key=secrets.token_urlsafe(24),
            gateway=chosen.gateway().name,
            destination=account.external_id,
            amount=amount,
            currency=currency,
            actor=actor,
            look_at=timezone.now(),
        )


def send(payout: Payout) -> bool:
    """Have the gateway send it, if nobody else is at it; True when it is paid. Called outside transactions."""
    now = timezone.now()
    mine = Payout.objects.filter(pk=payout.pk, state=PayoutState.CREATED)
    if not mine.filter(look_at__lte=now).update(look_at=now + LEASE):
        return False
    payout.refresh_from_db()
    till = chosen.named(payout.gateway)
    # Whatever we hear, from here on it may have been done: the gateway is told so, and looks for it first.
    before = payout.sent_at
    mine.update(sent_at=before or now)
    try:
        external_id = till.transfer(payout, sent_before=before is not None)
    except GatewayError as error:
        if error.final:
            payout.move(PayoutState.CREATED, PayoutState.FAILED, error=str(error)[:200], ended_at=timezone.now())
            # It may be the account that changed: it is looked at before the next one.
            PayoutAccount.objects.filter(creator=payout.creator_id).update(look_at=now)
            log.warning("Payout %s was refused: %s", payout, error)
        else:
            mine.update(error=str(error)[:200], look_at=timezone.now() + AGAIN)
        return False
    return paid(payout, external_id)


def paid(payout: Payout, external_id: str) -> bool:
    """Write down that the money is on its way; True for whoever did."""
    with transaction.atomic():
        if not payout.move(
            PayoutState.CREATED, PayoutState.PAID, external_id=external_id, error="", ended_at=timezone.now()
        ):
            return False
        return post(
            fact=f"{PAYOUT}{payout.key}",
            creator=payout.creator,
            currency=payout.currency,
            lines={Account.CREATOR: payout.amount, Account.GATEWAY: -payout.amount},
        )


def run(*, actor: str = "system") -> list[Payout]:
    """Pay every creator what is payable. The payouts that were sent or tried."""
    owed = LedgerEntry.objects.filter(account=Account.CREATOR).order_by().values_list("creator", "currency").distinct()
    tried: list[Payout] = []
    for pk, currency in list(owed):
        payout = begin(creator=Creator.objects.get(pk=pk), currency=currency, actor=actor)
        if payout is not None:
            send(payout)
            payout.refresh_from_db()
            tried.append(payout)
    return tried


def due() -> list[int]:
    """Payouts that were begun and not answered, and are to be tried again now."""
    rows = Payout.objects.filter(state=PayoutState.CREATED, look_at__lte=timezone.now())
    return list(rows.order_by("look_at").values_list("pk", flat=True)[:SWEPT])


def _account(creator: Creator) -> PayoutAccount | None:
    """Where a creator's money goes; the sandbox till has an account for everybody."""
    found = PayoutAccount.objects.filter(creator=creator).first()
    if found is None and chosen.gateway().name == SandboxTill.name:
        sandbox = {"external_id": "acct_sandbox", "gateway": SandboxTill.name}
        found = PayoutAccount.objects.get_or_create(creator=creator, defaults=sandbox)[0]
    return found
