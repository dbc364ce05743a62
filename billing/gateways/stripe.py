"""Stripe: its hosted Checkout, holds that are captured later, refunds, disputes.

Every request that changes something carries a key of ours, so that sending it again is the same request. Stripe keeps
an answer of 500 under such a key, too: then how things stand is read, and the next try has the next key.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

import stripe
from django.conf import settings
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from ..models import Payment, Payout, PayoutAccount, Refund, RefundReason
from .base import Back, Checkout, GatewayError, Line, Sent, Stand, Truth

T = TypeVar("T")
CONNECT, READ = 5.0, 20.0  # seconds
PAGE = 100
STANDS: Mapping[str, Stand] = {
    "requires_payment_method": Stand.OPEN,
    "requires_confirmation": Stand.OPEN,
    "requires_action": Stand.OPEN,
    "processing": Stand.PENDING,
    "requires_capture": Stand.HELD,
    "succeeded": Stand.TAKEN,
    "canceled": Stand.GONE,
}
REFUNDS = {"pending": "sent", "requires_action": "sent", "succeeded": "done", "failed": "failed", "canceled": "failed"}
# What is not here is an inquiry: nothing has been taken for it.
DISPUTES = {"needs_response": "sent", "under_review": "sent", "lost": "done", "won": "failed"}
REASONS = {RefundReason.DUPLICATE: "duplicate", RefundReason.REQUESTED: "requested_by_customer"}


class StripeGateway:
    """One Stripe account. `base_url` is where its API is; `at_once` takes money when the order is placed."""

    name = "stripe"

    def __init__(self, key: str, *, base_url: str, at_once: bool = False) -> None:
        self.at_once = at_once
        self._client = stripe.StripeClient(
            key,
            base_addresses={"api": base_url.rstrip("/")},
            max_network_retries=1,
            http_client=stripe.RequestsClient(timeout=(CONNECT, READ)),
        )
        self._v1 = self._client.v1

    # -- money in ------------------------------------------------------------------------------------------------------

    def checkout(self, payment: Payment, *, back: str, leave: str) -> Checkout:
        """A Checkout session. Only cards: other ways to pay cannot be held. Who the film is for is not Stripe's."""
        order = payment.order
        names = {"payment": payment.key, "order": order.code}
        wanted: dict[str, Any] = {
            "mode": "payment",
            "payment_method_types": ["card"],
            "client_reference_id": order.code,
            "success_url": back,
            "cancel_url": leave,
            "metadata": names,
            "line_items": [
                {
                    "quantity": 1,
                    "price_data": {
                        "currency": payment.currency.lower(),
                        "unit_amount": payment.amount,
                        "product_data": {"name": f"A film in the voice of {order.creator.name}"},
                    },
                }
            ],
            "payment_intent_data": {
                "capture_method": "automatic" if self.at_once else "manual",
                "metadata": names,
                "transfer_group": order.code,
                "description": f"Order {order.code}",
            },
        }
        if order.fan is not None:
            wanted["customer_email"] = order.fan.email
        key = f"checkout:{payment.key}:{payment.turn}"
        made = self._ask(lambda: self._v1.checkout.sessions.create(wanted, {"idempotency_key": key}), payment)  # type: ignore[arg-type]
        if not made.url:
            raise GatewayError("the session has no address", fan=_away())
        return Checkout(made.id, made.url)

    def look(self, payment: Payment) -> Truth:
        """As the payment intent says or, before there is one worth the name, the session."""
        session_over = False
        intent_id = payment.external_id
        if not intent_id and payment.session:
            session = self._ask(lambda: self._v1.checkout.sessions.retrieve(payment.session))
            intent_id = _id(session.payment_intent)
            session_over = session.status == "expired"
        if not intent_id:
            return Truth(Stand.GONE if session_over else Stand.OPEN)
        with_charge: Any = {"expand": ["latest_charge.balance_transaction"]}
        intent = self._ask(lambda: self._v1.payment_intents.retrieve(intent_id, with_charge)).to_dict()
        stand = STANDS.get(intent["status"], Stand.OPEN)
        if stand == Stand.OPEN:
            said = (intent.get("last_payment_error") or {}).get("message") or ""
            return Truth(Stand.GONE if session_over else Stand.OPEN, error=said)
        charge = _charge(intent)
        card = (charge.get("payment_method_details") or {}).get("card") or {}
        until = card.get("capture_before")
        return Truth(
            stand=stand,
            external_id=intent_id,
            amount=intent["amount"],
            currency=intent["currency"].upper(),
            captured=intent.get("amount_received") or 0,
            capture_before=dt.datetime.fromtimestamp(until, dt.UTC) if until else None,
            fee=_fee(charge, intent["currency"]) if stand == Stand.TAKEN else None,
            backs=tuple(self._backs(intent_id, disputed=bool(charge.get("disputed")))) if stand == Stand.TAKEN else (),
            error=intent.get("cancellation_reason") or "",
        )

    def capture(self, payment: Payment) -> int:
        """Take `payment.wanted`. Whatever the answer was, what counts is how the payment stands after it."""
        key = f"capture:{payment.key}:{payment.turn}"
        wanted: Any = {"amount_to_capture": payment.wanted}
        try:
            done = self._ask(
                lambda: self._v1.payment_intents.capture(payment.external_id, wanted, {"idempotency_key": key}), payment
            )
            return done.amount_received or self.look(payment).captured
        except GatewayError as error:
            return self._unless(payment, Stand.TAKEN, error).captured

    def release(self, payment: Payment) -> None:
        """Cancel what is held; close a session where nobody has paid."""
        truth = self.look(payment)
        if truth.stand == Stand.GONE:
            return
        key = f"release:{payment.key}:{payment.turn}"
        try:
            if truth.stand == Stand.OPEN:
                if payment.session:
                    self._ask(
                        lambda: self._v1.checkout.sessions.expire(payment.session, {}, {"idempotency_key": key}),
                        payment,
                    )
                return
            self._ask(lambda: self._v1.payment_intents.cancel(truth.external_id, {}, {"idempotency_key": key}), payment)
        except GatewayError as error:
            self._unless(payment, Stand.GONE, error)

    def _unless(self, payment: Payment, wanted: Stand, error: GatewayError) -> Truth:
        """The answer was no, or nothing: raise it, unless what was asked for is so; how it stands."""
        truth = self.look(payment)
        if truth.stand != wanted:
            over = truth.stand in (Stand.TAKEN, Stand.GONE)
            raise GatewayError(f"{error} (it is {truth.stand})", fan=error.fan, final=over) from error
        return truth

    # -- money back ----------------------------------------------------------------------------------------------------

    def refund(self, refund: Refund) -> Back:
        """Send it, once: one that may have been sent before is looked for first."""
        payment = refund.payment
        if (refund.looks > 1 or refund.turn) and (found := self._sent(refund)):
            return found
        wanted: Any = {
            "payment_intent": payment.external_id,
            "amount": refund.amount,
            "metadata": {"refund": refund.key, "order": payment.order.code},
        }
        if reason := REASONS.get(RefundReason(refund.reason)):
            wanted["reason"] = reason
        key = f"refund:{payment.key}:{refund.number}:{refund.turn}"
        try:
            made = self._ask(lambda: self._v1.refunds.create(wanted, {"idempotency_key": key}), refund)
            return _refund(made.to_dict())
        except GatewayError:
            if found := self._sent(refund):
                return found
            raise

    def _sent(self, refund: Refund) -> Back | None:
        return next((one for one in self._backs(refund.payment.external_id) if one.key == refund.key), None)

    def _backs(self, intent: str, *, disputed: bool = False) -> Iterator[Back]:
        of_it: Any = {"payment_intent": intent, "limit": PAGE}
        for refund in self._ask(lambda: list(self._v1.refunds.list(of_it).auto_paging_iter())):
            yield _refund(refund.to_dict())
        if disputed:
            for dispute in self._ask(lambda: list(self._v1.disputes.list(of_it).auto_paging_iter())):
                if dispute.status in DISPUTES:
                    yield _dispute(dispute.to_dict())

    # -- money on ------------------------------------------------------------------------------------------------------

    def transfer(self, payout: Payout, *, sent_before: bool) -> str:
        """A transfer to the creator's connected account; one that may have been made is looked for by its group.

        One that was not made gets a fresh key in another hour: Stripe would say its 500 again under the old one.
        """
        group, key = f"payout:{payout.key}", f"transfer:{payout.key}"
        if sent_before:
            of_it: Any = {"transfer_group": group, "limit": 1}
            for made in self._ask(lambda: list(self._v1.transfers.list(of_it))):
                return made.id
            key += timezone.now().strftime(":%Y%m%d%H")
        wanted: Any = {
            "amount": payout.amount,
            "currency": payout.currency.lower(),
            "destination": payout.destination,
            "transfer_group": group,
            "metadata": {"payout": payout.key},
        }
        sent = self._ask(lambda: self._v1.transfers.create(wanted, {"idempotency_key": key}))
        return sent.id

    def open_account(self, account: PayoutAccount) -> str:
        """An account with Stripe's own small dashboard; who its owner is, Stripe asks on its own pages."""
        wanted: Any = {
            "controller": {
                "fees": {"payer": "application"},
                "losses": {"payments": "application"},
                "stripe_dashboard": {"type": "express"},
            },
            "capabilities": {"transfers": {"requested": True}},
            "metadata": {"creator": account.creator.slug},
        }
        key = f"account:{settings.SITE_URL}:{account.pk}:{timezone.now():%Y%m%d}"
        return self._ask(lambda: self._v1.accounts.create(wanted, {"idempotency_key": key})).id

    def onboarding(self, account: PayoutAccount, *, back: str, again: str) -> str:
        """An Account Link."""
        wanted: Any = {
            "account": account.external_id,
            "type": "account_onboarding",
            "return_url": back,
            "refresh_url": again,
        }
        return self._ask(lambda: self._v1.account_links.create(wanted)).url

    def missing(self, account: PayoutAccount) -> str:
        """An account can be paid when we may transfer to it and it may pay out to its bank."""
        try:
            found = self._ask(lambda: self._v1.accounts.retrieve(account.external_id)).to_dict()
        except GatewayError as error:
            # One that is not there, or not connected with ours.
            gone = getattr(error.__cause__, "http_status", 0) in (403, 404)
            raise GatewayError(str(error), fan=error.fan, final=gone or error.final) from error
        transfers = (found.get("capabilities") or {}).get("transfers") or "not asked for"
        if transfers == "active" and found.get("payouts_enabled") is True:
            return ""
        wants = found.get("requirements") or {}
        lacks = [str(one) for one in wants.get("currently_due") or ()]
        return ", ".join(lacks) or str(wants.get("disabled_reason") or f"transfers: {transfers}")

    # -- books ---------------------------------------------------------------------------------------------------------

    def sent(self, since: dt.datetime) -> Iterator[Sent]:
        """Every transfer since then."""
        wanted: Any = {"created": {"gte": int(since.timestamp())}, "limit": PAGE}
        pages = self._ask(lambda: self._v1.transfers.list(wanted).auto_paging_iter())
        while (one := self._ask(lambda: next(pages, None))) is not None:
            made = one.to_dict()
            yield Sent(
                key=(made.get("metadata") or {}).get("payout", ""),
                external_id=made["id"],
                amount=made["amount"],
                currency=made["currency"].upper(),
                back=made.get("amount_reversed") or 0,
            )

    def books(self, since: dt.datetime) -> Iterator[Line]:
        """Every payment intent since then that carries our names."""
        expand = ["data.latest_charge.balance_transaction"]
        wanted: Any = {"created": {"gte": int(since.timestamp())}, "limit": PAGE, "expand": expand}
        pages = self._ask(lambda: self._v1.payment_intents.list(wanted).auto_paging_iter())
        while (one := self._ask(lambda: next(pages, None))) is not None:
            intent = one.to_dict()
            charge = _charge(intent)
            back = charge.get("amount_refunded") or 0
            if charge.get("disputed"):
                disputes = (one for one in self._backs(intent["id"], disputed=True) if one.dispute)
                back += sum(dispute.amount for dispute in disputes if dispute.state != "failed")
            yield Line(
                key=(intent.get("metadata") or {}).get("payment", ""),
                external_id=intent["id"],
                stand=STANDS.get(intent["status"], Stand.OPEN),
                amount=intent["amount"],
                currency=intent["currency"].upper(),
                captured=intent.get("amount_received") or 0,
                back=back,
                fee=_fee(charge, intent["currency"]),
            )

    def check(self) -> str:
        """Whose account the key opens."""
        account = self._ask(self._v1.accounts.retrieve_current)
        kind = "live" if "_live_" in (self._client._requestor.api_key or "") else "test"
        if not account.charges_enabled:
            raise GatewayError(f"account {account.id} may not take payments yet")
        return f"account {account.id}, {kind} mode"

    # -- asking --------------------------------------------------------------------------------------------------------

    def _ask(self, do: Callable[[], T], row: Payment | Refund | None = None) -> T:
        """Ask Stripe. Raises GatewayError; where a row's key is used up, its next request has another."""
        try:
            return do()
        except stripe.StripeError as error:
            status = error.http_status or 0
            # A 409 says that the same request is under way: that one keeps its key.
            used = status >= 500 or status == 402 or (status == 400 and isinstance(error, stripe.IdempotencyError))
            if row is not None and used:
                type(row).objects.filter(pk=row.pk).update(turn=F("turn") + 1)
            # A wrong key, or another account's, is mended by people: that is no word on the request itself.
            never = status == 400 and isinstance(error, stripe.InvalidRequestError)
            says = f"{type(error).__name__} {status or ''} {error.code or ''}".strip()
            raise GatewayError(f"{says}: {error.user_message or 'no answer'}", fan=_away(), final=never) from error


def _away() -> str:
    return _("The payment service does not answer. Nothing was taken. Please try again in a little while.")


def _id(thing: Any) -> str:
    """The id of what may be given as itself, or as its id."""
    return str(getattr(thing, "id", thing) or "")


def _charge(intent: Mapping[str, Any]) -> Mapping[str, Any]:
    """The charge of an intent, empty before there is one. Raises GatewayError where only its id is told."""
    charge = intent.get("latest_charge") or {}
    if not isinstance(charge, Mapping):
        raise GatewayError(f"{intent.get('id')} was told without its charge", fan=_away())
    return charge


def _fee(charge: Mapping[str, Any], currency: str) -> int | None:
    """What Stripe kept of a charge, in minor units of the charge's currency; None while it does not say so.

    Where it settles in another currency the fee is the same part of the charge as it is of what was settled, so neither
    the rate nor the decimals of either currency matter; half a unit counts as one.
    """
    found = charge.get("balance_transaction")
    if not isinstance(found, Mapping):  # not there yet, or its id alone
        return None
    fee = _kept(found, currency, charge.get("amount_captured"))
    return fee if fee is not None and fee >= 0 else None


def _kept(moved: Mapping[str, Any], currency: str, amount: object) -> int | None:
    """The fee of one balance transaction that moved `amount` of `currency`, in minor units of that."""
    fee, settled = moved.get("fee"), moved.get("amount")
    if type(fee) is not int:
        return None
    if str(moved.get("currency")).lower() == currency.lower():
        return fee
    if type(settled) is not int or type(amount) is not int or not settled or amount <= 0:
        return None
    return (2 * fee * amount + abs(settled)) // (2 * abs(settled))


def _dispute(dispute: Mapping[str, Any]) -> Back:
    """Its fee is in the balance transactions that took the money and gave it back: API reference, Dispute object."""
    moved = [one for one in dispute.get("balance_transactions") or () if isinstance(one, Mapping)]
    fees = [_kept(one, dispute["currency"], dispute["amount"]) or 0 for one in moved]
    return Back(
        external_id=dispute["id"],
        amount=dispute["amount"],
        state=DISPUTES[dispute["status"]],
        dispute=True,
        error=dispute["status"],
        fee=sum(fees),
    )


def _refund(refund: Mapping[str, Any]) -> Back:
    return Back(
        external_id=refund["id"],
        amount=refund["amount"],
        state=REFUNDS.get(refund["status"], "sent"),
        key=(refund.get("metadata") or {}).get("refund", ""),
        error=refund.get("failure_reason") or "",
    )
