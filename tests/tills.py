"""Both tills for the tests: the sandbox till, and Stripe pretended on this machine; how a fan pays at each."""

from __future__ import annotations

import functools
import json
import time
from datetime import timedelta
from typing import Any

import pytest
import requests
from django.utils import timezone
from stripe import WebhookSignature

from billing import services as billing
from billing import truth
from billing.gateways.base import GatewayError
from billing.gateways.sandbox import SandboxTill
from billing.models import Payment, PaymentState, Refund
from orders.models import Order, OrderState
from sandbox.server import Sandbox
from sandbox.stripe import stripe
from sandbox.stripe_door import SECRET

from . import making

KEY = "sk_test_films"
CARDS = {
    "good": "4242424242424242",
    "declined": "4000000000000002",
    "step": "4000002500003155",
    "late": "delayed",
}


@functools.cache
def pretended() -> Sandbox:
    """A Stripe for this process, begun by the first who asks; its thread ends with the process."""
    made = Sandbox({"stripe": stripe}, speed=2000)
    made.start()
    return made


def use_stripe(settings: Any, *, fresh: bool = False) -> Sandbox:
    """Lead the site to the pretended Stripe; to one that knows nothing yet where its books are read."""
    if fresh:
        pretended.cache_clear()
    settings.STRIPE_SECRET_KEY, settings.STRIPE_WEBHOOK_SECRETS = KEY, [SECRET]
    settings.STRIPE_BASE_URL = pretended().at("stripe")
    pretended().world.rules.clear()
    pretended().world.left.clear()
    return pretended()


def pay(payment: Payment, card: str = "good", step: str = "pay") -> None:
    """Pay on the till's own page, whatever comes of it; our rows know nothing yet. `step`: pay, confirm or refuse."""
    if payment.gateway == "stripe":
        payment.refresh_from_db()
        requests.post(
            payment.url, data={"card": CARDS.get(card, card), "step": step}, allow_redirects=False, timeout=10
        )
        return
    words = {"pay": card, "confirm": "yes", "refuse": "no"}
    try:
        SandboxTill().hold(payment, words[step])
    except GatewayError:
        if (card, step) != ("declined", "pay") and step != "refuse":
            raise


def fault(name: str, times: int = 1) -> None:
    """Let the pretended Stripe fail so often."""
    pretended().world.switch(f"stripe.{name}", times, times=True)


def ask(path: str, **params: Any) -> Any:
    """Ask the pretended Stripe itself; with `post=…` as its dashboard would."""
    base, headers = pretended().at("stripe"), {"Authorization": f"Bearer {KEY}"}
    if "post" in params:
        return requests.post(f"{base}/{path}", data=params["post"], headers=headers, timeout=10).json()
    return requests.get(f"{base}/{path}", params=params, headers=headers, timeout=10).json()


def account(*, complete: bool = True) -> str:
    """A connected account at the pretended Stripe; its owner has said all there is to say, or nothing yet."""
    made = str(ask("v1/accounts", post={"capabilities[transfers][requested]": "true"})["id"])
    if complete:
        here = {"refresh_url": "http://site/again", "return_url": "http://site/back"}
        link = ask("v1/account_links", post={"account": made, "type": "account_onboarding", **here})["url"]
        requests.post(link, data={"step": "finish"}, allow_redirects=False, timeout=10)
    return made


def message(kind: str, thing: dict[str, Any], ident: str = "evt_1") -> str:
    """An event as Stripe posts it."""
    return json.dumps({"id": ident, "object": "event", "type": kind, "data": {"object": thing}})


def ring(client: Any, body: str, *, secret: str = SECRET, at: int | None = None) -> Any:
    """Post a message to the site, signed by Stripe's own library."""
    stamp = int(time.time()) if at is None else at
    signed = WebhookSignature.generate_signature_header(body, secret, timestamp=stamp)
    return client.post("/hooks/stripe/", body, content_type="application/json", headers={"stripe-signature": signed})


def begun() -> Payment:
    """A payment of a draft whose page at the till is open."""
    made = billing.begin_payment(order=making.draft())
    billing.checkout(payment=made)
    return made


@pytest.fixture(autouse=True)
def at_stripes_till(settings: Any) -> Sandbox:
    """Everybody pays at the pretended Stripe, in modules that import this."""
    return use_stripe(settings)


@pytest.fixture
def payment() -> Payment:
    """What `begun` gives."""
    return begun()


def now_due() -> None:
    """Nobody waits here for an alarm."""
    Payment.objects.exclude(look_at=None).update(look_at=timezone.now() - timedelta(seconds=1))
    Refund.objects.exclude(look_at=None).update(look_at=timezone.now() - timedelta(seconds=1))


def placed(payment: Payment) -> Order:
    """Its order, once it is paid."""
    pay(payment)
    truth.look(payment)
    payment.order.refresh_from_db()
    assert payment.order.state == OrderState.PLACED
    return payment.order


def delivered(payment: Payment) -> Order:
    """Its order, once the money is taken."""
    order = placed(payment)
    order.move(OrderState.PLACED, OrderState.DELIVERED)
    billing.settle(order=order)
    payment.refresh_from_db()
    assert payment.state == PaymentState.CAPTURED
    return order


def at_stripe(payment: Payment) -> list[int]:
    """The refunds Stripe has of it that did not fail."""
    listed = ask("v1/refunds", payment_intent=payment.external_id, limit=100)["data"]
    return sorted(one["amount"] for one in listed if one["status"] != "failed")
