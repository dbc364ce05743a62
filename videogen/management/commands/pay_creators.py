"""`pay_creators`: send creators what has waited for its refund window."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from billing import figures, payouts
from billing.models import PayoutState


class Command(BaseCommand):
    """Begins a payout for every creator who can be paid, sends it, and says what came of it."""

    help = "Send every creator what can be paid out. Doing it again sends nothing twice."

    def handle(self, *args: Any, **options: Any) -> None:
        """Pay, one line for each creator."""
        tried = payouts.run()
        for payout in tried:
            amount = figures.written(payout.amount, payout.currency)
            said = {PayoutState.PAID: "paid out", PayoutState.FAILED: "refused"}.get(PayoutState(payout.state), "waits")
            self.stdout.write(f"{payout.creator}  {amount}  {said}{f': {payout.error}' if payout.error else ''}")
        if not tried:
            self.stdout.write("Nobody can be paid now.")
        for row in payouts.outlook(settings.CURRENCY):
            if row.enough and row.trouble:
                self.stdout.write(row.trouble)
