"""The pretended Stripe's till: Checkout sessions, their hosted page, and what is held or taken on a card."""

from __future__ import annotations

from typing import Any

from . import stripe_page
from .forms import nested
from .server import Request, Response
from .stripe_door import Ask, Door, Refused, Thing, known, metadata, number

HOLD_SECONDS = 7 * 86400
# What is kept of a charge: a part in hundredths of a percent, and an amount in minor units.
FEE_POINTS, FEE_FIXED = 150, 25
# Where it settles in another currency: that one, and what a unit of the charge's is worth in it.
ABROAD, RATE = "usd", 1.1
LEAST = 50  # minor units
SESSION_PARAMS = (
    "mode line_items success_url cancel_url client_reference_id metadata customer_email expires_at "
    "payment_intent_data payment_method_types ui_mode locale currency submit_type billing_address_collection "
    "customer customer_creation custom_text automatic_tax allow_promotion_codes consent_collection "
    "phone_number_collection expand"
)
INTENT_PARAMS = (
    "capture_method metadata transfer_group description receipt_email statement_descriptor "
    "statement_descriptor_suffix transfer_data application_fee_amount on_behalf_of setup_future_usage"
)


class Till(Door):
    """How money comes in."""

    def clock(self, request: Request) -> Response:
        """Let time pass: sessions run out, and holds."""
        with self.lock:
            self.ahead += float(request.query.get("advance", "0"))
            for thing in list(self.things.values()):
                kind, status = thing["object"], thing.get("status")
                if (kind, status) == ("checkout.session", "open") and thing["expires_at"] <= self.now():
                    self._expire(thing)
                if (kind, status) == ("payment_intent", "requires_capture"):
                    held = self.things[thing["latest_charge"]]
                    if held["_until"] <= self.now():
                        self._cancel(thing, "automatic")
        return Response(body={"now": int(self.now())})

    # -- Checkout ------------------------------------------------------------------------------------------------------

    def create_session(self, ask: Ask) -> Thing:
        """`POST /v1/checkout/sessions`."""
        p = ask.params
        known(p, SESSION_PARAMS)
        inner = p.get("payment_intent_data", {})
        known(inner, INTENT_PARAMS, "payment_intent_data")
        if p.get("mode") != "payment":
            raise Refused(400, "The sandbox knows mode=payment only.", param="mode")
        if p.get("ui_mode", "hosted_page") != "hosted_page":
            raise Refused(400, "The sandbox knows ui_mode=hosted_page only.", param="ui_mode")
        if not p.get("success_url"):
            raise Refused(400, "Missing required param: success_url.", code="parameter_missing", param="success_url")
        method = inner.get("capture_method", "automatic_async")
        if method not in ("automatic", "automatic_async", "manual"):
            raise Refused(400, "Invalid capture_method.", param="payment_intent_data[capture_method]")
        total, currency, names = _bill(p.get("line_items"))
        now = int(self.now())
        expires = number(p, "expires_at", now + 86400)
        if not now + 1790 <= expires <= now + 86410:
            raise Refused(400, "expires_at must be between 30 minutes and 24 hours from now.", param="expires_at")
        session = self.make(
            "checkout.session",
            "cs_test",
            amount_subtotal=total,
            amount_total=total,
            currency=currency,
            mode="payment",
            ui_mode="hosted_page",
            status="open",
            payment_status="unpaid",
            payment_intent=None,
            success_url=p["success_url"],
            cancel_url=p.get("cancel_url"),
            client_reference_id=p.get("client_reference_id"),
            customer_email=p.get("customer_email"),
            customer_details=None,
            expires_at=expires,
            metadata=metadata(p),
            _intent={**inner, "capture_method": method, "metadata": metadata(inner)},
            _names=names,
        )
        session["url"] = f"{self.world.base_url}/stripe/pay/{session['id']}"
        return session

    def expire(self, ask: Ask) -> Thing:
        """`POST /v1/checkout/sessions/{id}/expire`."""
        session = self.get(ask.ids[0], "checkout.session")
        if session["status"] != "open":
            raise Refused(400, f"Only open sessions can be expired; this one is {session['status']}.")
        return self._expire(session)

    def _expire(self, session: Thing) -> Thing:
        session |= {"status": "expired", "url": None}
        if session["payment_intent"] and self.things[session["payment_intent"]]["status"] != "canceled":
            self._cancel(self.things[session["payment_intent"]], "automatic")
        self.tell("checkout.session.expired", session)
        return session

    def page(self, request: Request) -> Response:
        """The hosted page."""
        with self.lock:
            session = self.things.get(request.match[1])
            if session is None or session["object"] != "checkout.session":
                return _html(404, stripe_page.over("There is no such session"))
            if session["status"] != "open":
                return _html(410, stripe_page.over(f"This session is {session['status']}", _back(session)))
            return _html(200, stripe_page.pay(session, session["_names"]))

    def paid(self, request: Request) -> Response:
        """Somebody pressed a button on the page."""
        form = nested(request.body.decode("utf-8", "replace"))
        with self.lock:
            session = self.things.get(request.match[1])
            if session is None or session.get("status") != "open" or session["object"] != "checkout.session":
                return self.page(request)
            card = form.get("card", stripe_page.GOOD)
            if card not in stripe_page.CARDS:
                return _html(402, stripe_page.pay(session, session["_names"], "The sandbox does not know this card."))
            intent = self._intent(session)
            fate = stripe_page.CARDS[card][0]
            if form.get("step") == "refuse":
                fate = "authentication_required"
            elif form.get("step") == "confirm" and intent["status"] == "requires_action":
                fate = ""
            if fate == "3ds":
                intent["status"] = "requires_action"
                self.tell("payment_intent.requires_action", intent)
                return _html(200, stripe_page.confirm(session))
            if fate in ("", "refund_pending", "refund_fails", "delayed", "delayed_fails"):
                self._pay(session, intent, card, fate)
                return Response(303, headers={"Location": _back(session)})
            self._decline(intent, card, fate)
            return _html(402, stripe_page.pay(session, session["_names"], f"Your card was declined: {fate}."))

    def _intent(self, session: Thing) -> Thing:
        if session["payment_intent"]:
            return self.things[session["payment_intent"]]
        asked = session["_intent"]
        intent = self.make(
            "payment_intent",
            "pi",
            amount=session["amount_total"],
            amount_capturable=0,
            amount_received=0,
            currency=session["currency"],
            capture_method=asked["capture_method"],
            confirmation_method="automatic",
            status="requires_payment_method",
            latest_charge=None,
            last_payment_error=None,
            canceled_at=None,
            cancellation_reason=None,
            transfer_group=asked.get("transfer_group"),
            description=asked.get("description"),
            metadata=asked["metadata"],
        )
        session["payment_intent"] = intent["id"]
        self.tell("payment_intent.created", intent)
        return intent

    def _pay(self, session: Thing, intent: Thing, card: str, fate: str) -> None:
        manual = intent["capture_method"] == "manual" and not fate.startswith("delayed")
        amount = intent["amount"]
        until = int(self.now()) + HOLD_SECONDS
        brief = {"brand": "visa", "last4": card[-4:], "capture_before": until} if manual else {"last4": card[-4:]}
        charge = self.make(
            "charge",
            "ch",
            amount=amount,
            amount_captured=0 if manual else amount,
            amount_refunded=0,
            captured=not manual,
            currency=intent["currency"],
            paid=True,
            refunded=False,
            disputed=False,
            status="succeeded",
            payment_intent=intent["id"],
            payment_method_details={"type": "card", "card": brief},
            transfer_group=intent["transfer_group"],
            balance_transaction=None,
            metadata=dict(intent["metadata"]),
            _fate=fate,
            _until=until,
        )
        intent |= {"latest_charge": charge["id"], "last_payment_error": None}
        session |= {"status": "complete", "url": None, "customer_details": {"email": session["customer_email"]}}
        if fate.startswith("delayed"):
            charge |= {"status": "pending", "paid": False, "captured": False, "amount_captured": 0}
            intent["status"] = "processing"
            self.tell("payment_intent.processing", intent)
            self.tell("checkout.session.completed", session)
            self.world.later(60, lambda: self._arrive(session, intent, charge, fate == "delayed"))
            return
        self.tell("charge.succeeded", charge)
        if manual:
            intent |= {"status": "requires_capture", "amount_capturable": amount}
            self.tell("payment_intent.amount_capturable_updated", intent)
        else:
            intent |= {"status": "succeeded", "amount_received": amount}
            session["payment_status"] = "paid"
            self._settle_fee(charge)
            self.tell("payment_intent.succeeded", intent)
        self.tell("checkout.session.completed", session)

    def _settle_fee(self, charge: Thing) -> None:
        """What was taken comes into the balance, less the fee: now, later or never."""
        if self.falls("fee_never", charge["id"]):
            return
        if self.falls("fee_late", charge["id"]):
            self.world.later(60, lambda: self._into_balance(charge))
        else:
            self._into_balance(charge)

    def _into_balance(self, charge: Thing) -> None:
        with self.lock:
            abroad = self.falls("settles_abroad", charge["id"])
            rate = RATE if abroad else None
            amount = round(charge["amount_captured"] * (rate or 1))
            fee = (amount * FEE_POINTS + 5000) // 10_000 + FEE_FIXED
            made = self.make(
                "balance_transaction",
                "txn",
                amount=amount,
                fee=fee,
                net=amount - fee,
                currency=ABROAD if abroad else charge["currency"],
                exchange_rate=rate,
                source=charge["id"],
                status="pending",
                type="charge",
            )
            charge["balance_transaction"] = made["id"]

    def _arrive(self, session: Thing, intent: Thing, charge: Thing, well: bool) -> None:
        with self.lock:
            if well:
                charge |= {"status": "succeeded", "paid": True, "captured": True, "amount_captured": charge["amount"]}
                intent |= {"status": "succeeded", "amount_received": intent["amount"]}
                session["payment_status"] = "paid"
                self._settle_fee(charge)
                self.tell("payment_intent.succeeded", intent)
                self.tell("checkout.session.async_payment_succeeded", session)
            else:
                charge["status"] = "failed"
                intent["status"] = "requires_payment_method"
                self.tell("payment_intent.payment_failed", intent)
                self.tell("checkout.session.async_payment_failed", session)

    def _decline(self, intent: Thing, card: str, fate: str) -> None:
        intent |= {"status": "requires_payment_method", "last_payment_error": _declined(fate).body["error"]}
        self.tell("payment_intent.payment_failed", intent)

    # -- holds ---------------------------------------------------------------------------------------------------------

    def capture(self, ask: Ask) -> Thing:
        """`POST /v1/payment_intents/{id}/capture`."""
        known(ask.params, "amount_to_capture metadata expand final_capture")
        intent = self.get(ask.ids[0], "payment_intent")
        if intent["status"] == "requires_capture" and self.falls("hold_lost", intent["id"]):
            self._cancel(intent, "automatic")
        if intent["status"] != "requires_capture":
            raise self._state(intent, "captured")
        amount = number(ask.params, "amount_to_capture", intent["amount_capturable"])
        if not 0 < amount <= intent["amount_capturable"]:
            words = "The amount to capture is greater than the amount that can be captured."
            raise Refused(400, words, code="amount_too_large", param="amount_to_capture")
        if self.falls("declined", intent["id"]):
            raise _declined("generic_decline")
        charge = self.things[intent["latest_charge"]]
        charge |= {"captured": True, "amount_captured": amount}
        intent |= {"status": "succeeded", "amount_received": amount, "amount_capturable": 0}
        intent["metadata"] |= metadata(ask.params)
        for session in self.all("checkout.session"):
            if session["payment_intent"] == intent["id"]:
                session["payment_status"] = "paid"
        self._settle_fee(charge)
        self.tell("charge.captured", charge)
        self.tell("payment_intent.succeeded", intent)
        return intent

    def cancel(self, ask: Ask) -> Thing:
        """`POST /v1/payment_intents/{id}/cancel`."""
        known(ask.params, "cancellation_reason expand")
        intent = self.get(ask.ids[0], "payment_intent")
        if intent["status"] in ("succeeded", "canceled", "processing"):
            raise self._state(intent, "canceled")
        return self._cancel(intent, ask.params.get("cancellation_reason"))

    def _cancel(self, intent: Thing, reason: str | None) -> Thing:
        intent |= {
            "status": "canceled",
            "amount_capturable": 0,
            "canceled_at": int(self.now()),
            "cancellation_reason": reason,
        }
        self.tell("payment_intent.canceled", intent)
        return intent

    def _state(self, intent: Thing, done: str) -> Refused:
        words = f"This PaymentIntent could not be {done} because it has a status of {intent['status']}."
        return Refused(400, words, code="payment_intent_unexpected_state")


def _bill(items: Any) -> tuple[int, str, list[str]]:
    """Total, currency and names of line items."""
    if not isinstance(items, list) or not items:
        raise Refused(400, "Missing required param: line_items.", code="parameter_missing", param="line_items")
    total, currencies, names = 0, set(), []
    for item in items:
        price = item.get("price_data") if isinstance(item, dict) else None
        if not isinstance(price, dict) or not isinstance(price.get("product_data"), dict):
            raise Refused(400, "The sandbox knows line_items with price_data only.", param="line_items[0][price_data]")
        total += number(price, "unit_amount") * number(item, "quantity", 1)
        currencies.add(str(price.get("currency", "")).lower())
        names.append(str(price["product_data"].get("name", "")))
    if len(currencies) != 1 or len(min(currencies)) != 3:
        raise Refused(400, "All line items need the same currency.", param="line_items")
    if total < LEAST:
        raise Refused(400, "The total is too small.", code="amount_too_small")
    return total, currencies.pop(), names


def _declined(fate: str) -> Refused:
    code = fate if fate in (*stripe_page.CODES, "authentication_required") else "card_declined"
    words = "Your card was declined."
    return Refused(402, words, kind="card_error", code=code, decline_code=fate if code == "card_declined" else None)


def _back(session: Thing) -> str:
    return str(session["success_url"]).replace("{CHECKOUT_SESSION_ID}", session["id"])


def _html(status: int, page: bytes) -> Response:
    return Response(status, page, {"Content-Type": "text/html; charset=utf-8"})
