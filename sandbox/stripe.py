"""Stripe, pretended: Checkout, holds and captures, refunds, transfers, events and their webhooks, idempotency keys.

Not Stripe's: `GET` and `POST /pay/{session}` are the hosted page, `/connect/{link}` the page about a connected
account, `POST /restrict/{account}` keeps one from being paid, `POST /clock?advance=86400` lets time pass,
`POST /dispute/{charge}?status=lost` has a bank take a charge back, win it or lose it.
"""

from __future__ import annotations

from . import bells
from .server import Request, Response, Route
from .stripe_accounts import Accounts
from .stripe_door import Ask, Refused, Thing, known, listed, metadata, number, public
from .world import World, register

register(
    "stripe",
    {
        "bad_key": "401",
        "rate": "429, nothing done",
        "in_use": "409: the idempotency key is being used",
        "down": "500, nothing done, and remembered under the key",
        "down_after": "500 although it was done, and remembered under the key",
        "silent": "done, and the connection closed without a word; the key remembers the true answer",
        "declined": "402 at a capture",
        "hold_lost": "the hold is gone when it is to be captured",
        "refund_pending": "a refund is pending first",
        "refund_fails": "a refund fails later",
        "fee_late": "what was taken comes into the balance, with its fee, a minute later",
        "fee_never": "it never does",
        "dispute_fee_back": "a dispute that is won gives its fee back, too",
        "settles_abroad": "it comes into the balance in another currency",
        "account_incomplete": "somebody leaves the page about a connected account before it is complete",
        "no_balance": "400 balance_insufficient at a transfer or its reversal",
        "hook_shuffled": "the message comes after those that follow",
        **bells.BELLS,
    },
)

REFUND_PARAMS = "payment_intent charge amount reason metadata reverse_transfer refund_application_fee currency expand"
TRANSFER_PARAMS = (
    "amount currency destination source_transaction source_type transfer_group metadata description expand"
)
DISPUTE_FEE = 2000
REASONS = ("duplicate", "fraudulent", "requested_by_customer")


def stripe(world: World) -> list[Route]:
    """Its routes."""
    desk = _Desk(world)
    api = desk.api
    one = r"([A-Za-z0-9_]+)"
    return [
        ("POST", "/v1/checkout/sessions", api(desk.create_session)),
        ("GET", "/v1/checkout/sessions", api(desk.lists("checkout.session", "payment_intent", "status"))),
        ("GET", f"/v1/checkout/sessions/{one}", api(desk.shows("checkout.session"))),
        ("POST", f"/v1/checkout/sessions/{one}/expire", api(desk.expire)),
        ("GET", "/v1/payment_intents", api(desk.lists("payment_intent"))),
        ("GET", f"/v1/payment_intents/{one}", api(desk.shows("payment_intent"))),
        ("POST", f"/v1/payment_intents/{one}/capture", api(desk.capture)),
        ("POST", f"/v1/payment_intents/{one}/cancel", api(desk.cancel)),
        ("GET", f"/v1/charges/{one}", api(desk.shows("charge"))),
        ("POST", "/v1/refunds", api(desk.refund)),
        ("GET", "/v1/refunds", api(desk.lists("refund", "payment_intent", "charge"))),
        ("GET", f"/v1/refunds/{one}", api(desk.shows("refund"))),
        ("POST", "/v1/transfers", api(desk.transfer)),
        ("GET", "/v1/transfers", api(desk.lists("transfer", "transfer_group", "destination"))),
        ("GET", f"/v1/transfers/{one}", api(desk.shows("transfer"))),
        ("POST", f"/v1/transfers/{one}/reversals", api(desk.reverse)),
        ("GET", f"/v1/transfers/{one}/reversals", api(desk.reversals)),
        ("GET", f"/v1/balance_transactions/{one}", api(desk.shows("balance_transaction"))),
        ("POST", "/v1/accounts", api(desk.create_account)),
        ("GET", "/v1/accounts", api(desk.lists("account"))),
        ("GET", f"/v1/accounts/{one}", api(desk.shows("account"))),
        ("POST", "/v1/account_links", api(desk.link)),
        ("GET", "/v1/disputes", api(desk.lists("dispute", "payment_intent", "charge"))),
        ("GET", f"/v1/disputes/{one}", api(desk.shows("dispute"))),
        ("GET", "/v1/events", api(desk.lists("event", "type"))),
        ("GET", f"/v1/events/{one}", api(desk.shows("event"))),
        ("POST", "/v1/webhook_endpoints", api(desk.listen)),
        ("GET", "/v1/webhook_endpoints", api(desk.lists("webhook_endpoint"))),
        ("GET", "/v1/account", api(lambda _: {"id": "acct_sandbox", "object": "account", "charges_enabled": True})),
        ("GET", f"/pay/{one}", desk.page),
        ("POST", f"/pay/{one}", desk.paid),
        ("GET", f"/connect/{one}", desk.onboarding),
        ("POST", f"/connect/{one}", desk.onboarded),
        ("POST", f"/restrict/{one}", desk.restrict),
        ("POST", "/clock", desk.clock),
        ("POST", f"/dispute/{one}", desk.dispute),
    ]


class _Desk(Accounts):
    """How money goes back, and on."""

    # -- money back ----------------------------------------------------------------------------------------------------

    def refund(self, ask: Ask) -> Thing:
        """`POST /v1/refunds`."""
        p = ask.params
        known(p, REFUND_PARAMS)
        if p.get("reason") not in (None, *REASONS):
            raise Refused(400, f"Invalid reason: must be one of {', '.join(REASONS)}", param="reason")
        if bool(p.get("payment_intent")) == bool(p.get("charge")):
            raise Refused(400, "One of payment_intent and charge is needed.", code="parameter_missing")
        name = p.get("charge") or self.get(p["payment_intent"], "payment_intent")["latest_charge"]
        charge = self.get(name or "none", "charge")
        if not charge["captured"]:
            raise Refused(400, f"Charge {charge['id']} has not been captured: cancel its PaymentIntent instead.")
        left = charge["amount_captured"] - charge["amount_refunded"]
        if left <= 0:
            words = f"Charge {charge['id']} has already been refunded."
            raise Refused(400, words, code="charge_already_refunded")
        amount = number(p, "amount", left)
        if amount < 1:
            raise Refused(400, "Invalid positive integer", code="parameter_invalid_integer", param="amount")
        if amount > left:
            words = f"Refund amount ({amount}) is greater than unrefunded amount on charge ({left})"
            raise Refused(400, words, param="amount")
        pending = charge["_fate"] == "refund_pending" or self.falls("refund_pending", charge["id"])
        fails = charge["_fate"] == "refund_fails" or self.falls("refund_fails", charge["id"])
        refund = self.make(
            "refund",
            "re",
            amount=amount,
            currency=charge["currency"],
            charge=charge["id"],
            payment_intent=charge["payment_intent"],
            reason=p.get("reason"),
            status="pending" if pending else "succeeded",
            failure_reason=None,
            metadata=metadata(p),
        )
        self._refunded(charge, amount)
        self.tell("refund.created", refund)
        self.tell("charge.refunded", charge)
        if pending or fails:
            self.world.later(60, lambda: self._settle(refund, charge, fails))
        return refund

    def _refunded(self, charge: Thing, amount: int) -> None:
        charge["amount_refunded"] += amount
        charge["refunded"] = charge["amount_refunded"] >= charge["amount_captured"]

    def _settle(self, refund: Thing, charge: Thing, fails: bool) -> None:
        with self.lock:
            if fails:
                refund |= {"status": "failed", "failure_reason": "expired_or_canceled_card"}
                self._refunded(charge, -refund["amount"])
                self.tell("refund.failed", refund)
            else:
                refund["status"] = "succeeded"
            self.tell("refund.updated", refund)

    def dispute(self, request: Request) -> Response:
        """A bank takes a charge back (`needs_response`), or says how that ended (`won`, `lost`)."""
        with self.lock:
            charge = self.get(request.match[1], "charge")
            found = [one for one in self.all("dispute") if one["charge"] == charge["id"]]
            status = request.query.get("status", "needs_response")
            if not found:
                charge["disputed"] = True
                named = {"charge": charge["id"], "payment_intent": charge["payment_intent"], "metadata": {}}
                named |= {"amount": charge["amount_captured"] - charge["amount_refunded"], "status": status}
                found = [self.make("dispute", "dp", currency=charge["currency"], balance_transactions=[], **named)]
                self._moved(found[0], -1, DISPUTE_FEE)
                self.tell("charge.dispute.created", found[0])
            else:
                found[0]["status"] = status
                if status == "won":
                    self._moved(found[0], 1, -DISPUTE_FEE if self.falls("dispute_fee_back", charge["id"]) else 0)
                self.tell("charge.dispute.closed", found[0])
            return Response(body=public(found[0]))

    def _moved(self, dispute: Thing, sign: int, fee: int) -> None:
        """What a dispute took from the balance, or brought back to it."""
        moved = {"amount": sign * dispute["amount"], "fee": fee, "currency": dispute["currency"]}
        made = self.make("balance_transaction", "txn", source=dispute["id"], type="adjustment", **moved)
        dispute["balance_transactions"].append(public(made))

    # -- money on ------------------------------------------------------------------------------------------------------

    def transfer(self, ask: Ask) -> Thing:
        """`POST /v1/transfers`."""
        p = ask.params
        known(p, TRANSFER_PARAMS)
        amount, to = number(p, "amount"), p.get("destination", "")
        if amount < 1 or not p.get("currency"):
            raise Refused(400, "amount and currency are needed.", code="parameter_missing", param="amount")
        self.may_be_paid(to)
        if source := p.get("source_transaction"):
            charge = self.get(source, "charge")
            gone = sum(
                one["amount"] - one["amount_reversed"]
                for one in self.all("transfer")
                if one["source_transaction"] == source
            )
            if gone + amount > charge["amount_captured"]:
                raise Refused(400, "Transfers from this charge would be more than the charge.", param="amount")
        self._balance()
        transfer = self.make(
            "transfer",
            "tr",
            amount=amount,
            amount_reversed=0,
            reversed=False,
            currency=p["currency"].lower(),
            destination=to,
            source_transaction=source,
            transfer_group=p.get("transfer_group") or (charge["transfer_group"] if source else None),
            description=p.get("description"),
            metadata=metadata(p),
        )
        self.tell("transfer.created", transfer)
        return transfer

    def reverse(self, ask: Ask) -> Thing:
        """`POST /v1/transfers/{id}/reversals`."""
        known(ask.params, "amount metadata description refund_application_fee expand")
        transfer = self.get(ask.ids[0], "transfer")
        left = transfer["amount"] - transfer["amount_reversed"]
        amount = number(ask.params, "amount", left)
        if not 0 < amount <= left:
            raise Refused(400, f"Reversal amount ({amount}) is more than is left ({left}).", param="amount")
        self._balance()
        transfer["amount_reversed"] += amount
        transfer["reversed"] = transfer["amount_reversed"] >= transfer["amount"]
        back = self.make(
            "transfer_reversal",
            "trr",
            amount=amount,
            currency=transfer["currency"],
            transfer=transfer["id"],
            metadata=metadata(ask.params),
        )
        self.tell("transfer.reversed", transfer)
        return back

    def reversals(self, ask: Ask) -> Thing:
        """`GET /v1/transfers/{id}/reversals`."""
        found = [one for one in self.all("transfer_reversal") if one["transfer"] == ask.ids[0]]
        return listed(found[::-1], ask.params, f"/v1/transfers/{ask.ids[0]}/reversals")

    def _balance(self) -> None:
        if self.falls("no_balance"):
            raise Refused(400, "You have insufficient available funds.", code="balance_insufficient")
