"""The sandbox till: test cards, no money. It keeps books as a real gateway does, and stays closed in production."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db.models import F
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from .. import fees
from ..models import Payment, Payout, PayoutAccount, PayoutState, Refund, TestCharge, TestRefund
from .base import Back, Checkout, GatewayError, Line, Sent, Stand, Truth

LATE = dt.timedelta(seconds=20)
HOLD = dt.timedelta(days=7)
OPEN = dt.timedelta(hours=1)
STANDS = {
    "open": Stand.OPEN,
    "action": Stand.OPEN,
    "processing": Stand.PENDING,
    "held": Stand.HELD,
    "captured": Stand.TAKEN,
}


@dataclass(frozen=True)
class TestCard:
    """A card the till knows how to answer for."""

    value: str
    label: str | Promise
    hint: str | Promise


CARDS = (
    TestCard("good", gettext_lazy("A card that works"), gettext_lazy("The film is made.")),
    TestCard("step", gettext_lazy("A card whose bank asks first"), gettext_lazy("You say yes or no once more.")),
    TestCard("late", gettext_lazy("A card that answers late"), gettext_lazy("The bank takes twenty seconds.")),
    TestCard("declined", gettext_lazy("A card that is declined"), gettext_lazy("The bank says no.")),
    TestCard("empty", gettext_lazy("A card without enough money"), gettext_lazy("Not enough on the card.")),
)
# The answers to a bank that asks.
YES, NO = "yes", "no"


class SandboxTill:
    """Does what its test cards say."""

    name = "sandbox"

    def __init__(self) -> None:
        if settings.PRODUCTION:
            raise ImproperlyConfigured("The sandbox till is closed in production; set STRIPE_SECRET_KEY.")

    def checkout(self, payment: Payment, *, back: str, leave: str) -> Checkout:
        """Its page is one of ours."""
        self._charge(payment)
        return Checkout(session=f"sandbox-{payment.key}", url=reverse("billing:till", args=[payment.key]))

    def hold(self, payment: Payment, card: str) -> None:
        """Somebody pays with a test card, or answers the bank. Raises GatewayError when it is declined."""
        charge = self._charge(payment)
        if card == "declined" or (card == NO and charge.status == "action"):
            self._move(charge, ("open", "action"), "open")
            raise GatewayError("declined", fan=_("The bank declined this card. Nothing was taken. Try another one."))
        if card == "empty":
            raise GatewayError(
                "insufficient funds", fan=_("There is not enough on this card. Nothing was taken. Try another one.")
            )
        if card == "step":
            self._move(charge, ("open", "action"), "action")
        elif card == "late":
            self._move(charge, ("open", "action"), "processing", answers_at=timezone.now() + LATE)
        elif card == "good" or (card == YES and charge.status == "action"):
            self._pay(charge, ("open", "action"))
        else:
            raise GatewayError(f"unknown card {card!r}", fan=_("Choose one of the test cards."))

    def asks(self, payment: Payment) -> bool:
        """Whether the bank waits for a second step."""
        return TestCharge.objects.filter(key=payment.key, status="action").exists()

    def look(self, payment: Payment) -> Truth:
        """As the books say. A card that answers late may do so now."""
        charge = self._charge(payment)
        if charge.status == "processing" and charge.answers_at is not None and charge.answers_at <= timezone.now():
            self._pay(charge, ("processing",))
        if charge.status in ("open", "action") and charge.created_at < timezone.now() - OPEN:
            self._move(charge, ("open", "action"), "expired")
        self._run_out(charge)
        return Truth(
            stand=STANDS.get(charge.status, Stand.GONE),
            external_id=f"sandbox-{payment.key}",
            amount=charge.amount,
            currency=charge.currency,
            captured=charge.captured,
            capture_before=charge.ends_at,
            fee=_fee(charge),
            backs=tuple(_back(refund) for refund in charge.refunds.order_by("pk")),
        )

    def capture(self, payment: Payment) -> int:
        """Take what is wanted of it."""
        charge, wanted = self._charge(payment), payment.wanted or payment.amount
        self._run_out(charge)
        if not self._move(charge, ("held",), "captured", captured=wanted) and charge.status != "captured":
            raise GatewayError(f"it is {charge.status}", final=True)
        return charge.captured

    def release(self, payment: Payment) -> None:
        """Let it go."""
        charge = self._charge(payment)
        if not self._move(charge, ("open", "action", "held", "processing"), "cancelled") and charge.captured:
            raise GatewayError("it was taken", final=True)

    def refund(self, refund: Refund) -> Back:
        """Send it back, once."""
        charge = self._charge(refund.payment)
        found = TestRefund.objects.filter(key=refund.key).first()
        if found is None:
            room = charge.captured - refund.amount
            if not TestCharge.objects.filter(pk=charge.pk, status="captured", refunded__lte=room).update(
                refunded=F("refunded") + refund.amount
            ):
                raise GatewayError("more than was taken", final=True)
            found = TestRefund.objects.create(key=refund.key, charge=charge, amount=refund.amount)
        return _back(found)

    def transfer(self, payout: Payout, *, sent_before: bool) -> str:
        """Nothing moves: it counts as paid out."""
        return f"sandbox-t-{payout.key}"

    def open_account(self, account: PayoutAccount) -> str:
        """Everybody has the same one."""
        return "acct_sandbox"

    def onboarding(self, account: PayoutAccount, *, back: str, again: str) -> str:
        """There is nothing to say."""
        return back

    def missing(self, account: PayoutAccount) -> str:
        """Nothing."""
        return ""

    def sent(self, since: dt.datetime) -> Iterator[Sent]:
        """What counts as paid out: it keeps no books of its own about that."""
        for payout in Payout.objects.filter(gateway=self.name, state=PayoutState.PAID, created_at__gte=since):
            yield Sent(payout.key, payout.external_id, payout.amount, payout.currency, 0)

    def books(self, since: dt.datetime) -> Iterator[Line]:
        """All test charges since then."""
        for charge in TestCharge.objects.filter(created_at__gte=since).order_by("pk"):
            stand = STANDS.get(charge.status, Stand.GONE)
            name = f"sandbox-{charge.key}"
            yield Line(
                charge.key,
                name,
                stand,
                charge.amount,
                charge.currency,
                charge.captured,
                charge.refunded,
                fee=_fee(charge),
            )

    def check(self) -> str:
        """Always there."""
        return "test cards, no money moves"

    def _charge(self, payment: Payment) -> TestCharge:
        charge, _made = TestCharge.objects.get_or_create(
            key=payment.key,
            defaults={
                "amount": payment.amount,
                "currency": payment.currency,
                "at_once": settings.CAPTURE_AT_ONCE,
                # Whatever was paid before the till kept books stands as our row says.
                **_as_written(payment),
            },
        )
        return charge

    def _run_out(self, charge: TestCharge) -> None:
        if charge.status == "held" and charge.ends_at is not None and charge.ends_at <= timezone.now():
            self._move(charge, ("held",), "expired")

    def _pay(self, charge: TestCharge, olds: tuple[str, ...]) -> None:
        if charge.at_once:
            self._move(charge, olds, "captured", captured=charge.amount)
        else:
            self._move(charge, olds, "held", ends_at=timezone.now() + HOLD)

    def _move(self, charge: TestCharge, olds: tuple[str, ...], new: str, **values: object) -> bool:
        moved = TestCharge.objects.filter(pk=charge.pk, status__in=olds).update(status=new, **values)
        charge.refresh_from_db()
        return bool(moved)


def _fee(charge: TestCharge) -> int | None:
    """It keeps what the settings say a gateway keeps."""
    return fees.estimate(charge.captured) if charge.captured else None


def _back(refund: TestRefund) -> Back:
    return Back(external_id=f"sandbox-r-{refund.pk}", amount=refund.amount, state=refund.status, key=refund.key)


def _as_written(payment: Payment) -> dict[str, object]:
    stands = {"authorized": "held", "captured": "captured", "cancelled": "cancelled", "expired": "expired"}
    return {"status": stands.get(payment.state, "open"), "captured": payment.captured}
