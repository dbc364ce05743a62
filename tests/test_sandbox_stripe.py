"""The pretended Stripe keeps Stripe's rules: states, amounts, idempotency keys, events, signed messages, the page."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import requests

from sandbox.forms import nested
from sandbox.server import Sandbox, running
from sandbox.stripe import stripe
from sandbox.stripe_door import FORGED, SECRET

from .waiting import soon

pytestmark = pytest.mark.slow  # they speak to a server, and wait for it

SPEED = 300


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with running({"stripe": stripe}, speed=SPEED) as sandbox:
        yield sandbox


class Client:
    """As little of a client as the tests need."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox, self.base = sandbox, sandbox.at("stripe")
        self.session = requests.Session()
        self.session.headers["Authorization"] = "Bearer sk_test_1"

    def post(self, path: str, key: str = "", **params: Any) -> tuple[int, dict[str, Any]]:
        headers = {"Idempotency-Key": key} if key else {}
        answer = self.session.post(f"{self.base}/v1/{path}", data=flat(params), headers=headers)
        return answer.status_code, answer.json()

    def get(self, path: str, **params: Any) -> dict[str, Any]:
        return self.session.get(f"{self.base}/v1/{path}", params=flat(params)).json()

    def open(self, amount: int = 4900, method: str = "manual", key: str = "", **more: Any) -> dict[str, Any]:
        status, session = self.post("checkout/sessions", key, **wanted(amount, method), **more)
        assert status == 200, session
        return session

    def pay(self, session: dict[str, Any], card: str = "4242424242424242", step: str = "pay") -> requests.Response:
        return requests.post(session["url"], data={"card": card, "step": step}, allow_redirects=False)

    def held(self, amount: int = 4900) -> str:
        session = self.open(amount)
        assert self.pay(session).status_code == 303
        return self.get(f"checkout/sessions/{session['id']}")["payment_intent"]

    def taken(self, amount: int = 4900) -> str:
        intent = self.held(amount)
        assert self.post(f"payment_intents/{intent}/capture")[0] == 200
        return intent

    def account(self) -> str:
        made = self.post("accounts", capabilities={"transfers": {"requested": "true"}})[1]["id"]
        here = {"refresh_url": "http://site/again", "return_url": "http://site/back"}
        link = self.post("account_links", account=made, type="account_onboarding", **here)[1]["url"]
        assert requests.get(link).status_code == 200
        requests.post(link, data={"step": "finish"}, allow_redirects=False)
        return made

    def fault(self, name: str, times: int = 1) -> None:
        self.sandbox.world.switch(f"stripe.{name}", times, times=True)


def wanted(amount: int = 4900, method: str = "manual") -> dict[str, Any]:
    return {
        "mode": "payment",
        "success_url": "http://site/done?s={CHECKOUT_SESSION_ID}",
        "cancel_url": "http://site/back",
        "client_reference_id": "ABC12",
        "customer_email": "fan@example.org",
        "metadata": {"order": "ABC12"},
        "line_items": [
            {
                "price_data": {"currency": "eur", "unit_amount": amount, "product_data": {"name": "A <film>"}},
                "quantity": 1,
            }
        ],
        "payment_intent_data": {"capture_method": method, "metadata": {"order": "ABC12"}, "transfer_group": "ABC12"},
    }


def flat(params: Any, inside: str = "") -> dict[str, str]:
    out: dict[str, str] = {}
    pairs = params.items() if isinstance(params, dict) else enumerate(params)
    for name, value in pairs:
        full = f"{inside}[{name}]" if inside else str(name)
        if isinstance(value, dict | list):
            out |= flat(value, full)
        else:
            out[full] = str(value)
    return out


@pytest.fixture
def client(sandbox: Sandbox) -> Client:
    return Client(sandbox)


# ---- Checkout --------------------------------------------------------------------------------------------------------


def test_forms_are_nested() -> None:
    assert nested("a[b][0][c]=d&a[b][1][c]=e&x=1&y[]=2&y[]=3") == {
        "a": {"b": [{"c": "d"}, {"c": "e"}]},
        "x": "1",
        "y": ["2", "3"],
    }
    for broken in ("a=1&a[b]=2", "[a]=1", "a[b=1"):
        with pytest.raises(ValueError, match="Invalid"):
            nested(broken)


def test_a_hold_is_paid_for_on_the_page_and_then_captured(client: Client) -> None:
    session = client.open()
    assert (session["status"], session["payment_status"], session["payment_intent"]) == ("open", "unpaid", None)
    assert (session["amount_total"], session["currency"]) == (4900, "eur")
    page = requests.get(session["url"])
    assert page.headers["Content-Type"].startswith("text/html")
    assert "A &lt;film&gt;" in page.text
    assert "49.00 EUR" in page.text
    paid = client.pay(session)
    assert paid.headers["Location"] == f"http://site/done?s={session['id']}"
    session = client.get(f"checkout/sessions/{session['id']}", expand=["payment_intent.latest_charge"])
    intent = session["payment_intent"]
    assert (session["status"], intent["status"], intent["amount_capturable"]) == ("complete", "requires_capture", 4900)
    assert intent["metadata"] == {"order": "ABC12"}
    held_for = intent["latest_charge"]["payment_method_details"]["card"]["capture_before"] - time.time()
    assert held_for == pytest.approx(7 * 86400, abs=60)
    status, intent = client.post(f"payment_intents/{intent['id']}/capture", amount_to_capture=4000)
    assert (status, intent["status"], intent["amount_received"]) == (200, "succeeded", 4000)
    for verb in ("capture", "cancel"):
        status, said = client.post(f"payment_intents/{intent['id']}/{verb}")
        assert (status, said["error"]["code"]) == (400, "payment_intent_unexpected_state")


def test_money_can_be_taken_at_once_and_a_hold_let_go(client: Client) -> None:
    session = client.open(method="automatic")
    client.pay(session)
    session = client.get(f"checkout/sessions/{session['id']}", expand=["payment_intent"])
    assert (session["payment_status"], session["payment_intent"]["status"]) == ("paid", "succeeded")
    held = client.held()
    assert client.post(f"payment_intents/{held}/cancel")[1]["status"] == "canceled"
    assert client.post(f"payment_intents/{held}/cancel")[0] == 400


@pytest.mark.parametrize("card", ["4000000000000002", "4000000000009995", "4000000000000069", "nonsense"])
def test_a_declined_card_can_be_followed_by_another(client: Client, card: str) -> None:
    session = client.open()
    answer = client.pay(session, card)
    assert answer.status_code == 402
    assert 'role="alert"' in answer.text
    assert client.get(f"checkout/sessions/{session['id']}")["status"] == "open"
    assert client.pay(session).status_code == 303


def test_a_bank_may_ask_first(client: Client) -> None:
    session = client.open()
    assert client.pay(session, "4000002500003155").status_code == 200
    assert client.pay(session, step="refuse").status_code == 402
    client.pay(session, "4000002500003155")
    assert client.pay(session, step="confirm").status_code == 303


@pytest.mark.parametrize(("card", "end"), [("delayed", "paid"), ("delayed_fails", "unpaid")])
def test_a_bank_transfer_arrives_later_or_never(client: Client, card: str, end: str) -> None:
    session = client.open(method="automatic")
    client.pay(session, card)
    session = client.get(f"checkout/sessions/{session['id']}", expand=["payment_intent"])
    assert (session["status"], session["payment_status"]) == ("complete", "unpaid")
    kind = "succeeded" if end == "paid" else "failed"
    assert soon(lambda: bool(client.get("events", type=f"checkout.session.async_payment_{kind}")["data"]))
    assert client.get(f"checkout/sessions/{session['id']}")["payment_status"] == end


def test_sessions_run_out_and_holds_too(client: Client) -> None:
    expired, late, held = client.open(), client.open(), client.held()
    assert client.post(f"checkout/sessions/{expired['id']}/expire")[1]["status"] == "expired"
    assert client.post(f"checkout/sessions/{expired['id']}/expire")[0] == 400
    assert client.pay(expired).status_code == 410
    requests.post(f"{client.base}/clock?advance=90000")
    assert client.get(f"checkout/sessions/{late['id']}")["status"] == "expired"
    assert client.get(f"payment_intents/{held}")["status"] == "requires_capture"
    requests.post(f"{client.base}/clock?advance=604800")
    assert client.get(f"payment_intents/{held}")["status"] == "canceled"


@pytest.mark.parametrize(
    "change",
    [
        {"mode": "subscription"},
        {"success_url": ""},
        {"colour": "blue"},
        {"line_items": []},
        {"line_items": [{"price": "price_1"}]},
        {"metadata": {"a": "b" * 501}},
        {"expires_at": 5},
        {"payment_intent_data": {"capture_method": "later"}},
        {"payment_intent_data": {"colour": "blue"}},
    ],
)
def test_what_stripe_would_not_understand_is_refused(client: Client, change: dict[str, Any]) -> None:
    status, said = client.post("checkout/sessions", **{**wanted(), **change})
    assert status == 400
    assert said["error"]["type"] == "invalid_request_error"


@pytest.mark.parametrize("amount", ["49.00", "-4900", "x", "", 10])
def test_amounts_are_whole_minor_units(client: Client, amount: Any) -> None:
    assert client.post("checkout/sessions", **wanted(amount))[0] == 400


# ---- money back, money on --------------------------------------------------------------------------------------------


def test_refunds_are_partial_and_never_more_than_was_taken(client: Client) -> None:
    intent = client.taken()
    assert client.post("refunds", payment_intent=intent, amount=1000)[1]["status"] == "succeeded"
    status, said = client.post("refunds", payment_intent=intent, amount=3901)
    assert status == 400
    assert "greater than unrefunded" in said["error"]["message"]
    assert client.post("refunds", payment_intent=intent, reason="requested_by_customer")[1]["amount"] == 3900
    assert client.post("refunds", payment_intent=intent)[1]["error"]["code"] == "charge_already_refunded"
    found = client.get("refunds", payment_intent=intent)
    assert [one["amount"] for one in found["data"]] == [3900, 1000]
    first = client.get("refunds", payment_intent=intent, limit=1)
    assert first["has_more"]
    rest = client.get("refunds", payment_intent=intent, limit=1, starting_after=first["data"][0]["id"])
    assert ([one["amount"] for one in rest["data"]], rest["has_more"]) == ([1000], False)


@pytest.mark.parametrize(
    "params", [{"amount": 0}, {"amount": "1.5"}, {"reason": "mood"}, {"payment_intent": "pi_none"}, {"colour": "x"}]
)
def test_refunds_that_make_no_sense_are_refused(client: Client, params: dict[str, Any]) -> None:
    assert client.post("refunds", **{"payment_intent": client.taken(), **params})[0] in (400, 404)


def test_what_is_only_held_is_not_refunded(client: Client) -> None:
    assert client.post("refunds", payment_intent=client.held())[0] == 400


@pytest.mark.parametrize(
    ("fault", "first", "last"), [("refund_pending", "pending", "succeeded"), ("refund_fails", "succeeded", "failed")]
)
def test_a_refund_may_take_its_time_and_may_fail(client: Client, fault: str, first: str, last: str) -> None:
    intent = client.taken()
    client.fault(fault)
    refund = client.post("refunds", payment_intent=intent)[1]
    assert refund["status"] == first
    assert soon(lambda: client.get(f"refunds/{refund['id']}")["status"] == last)
    charge = client.get(f"payment_intents/{intent}", expand=["latest_charge"])["latest_charge"]
    assert charge["amount_refunded"] == (4900 if last == "succeeded" else 0)


def test_transfers_are_reversed_in_parts(client: Client) -> None:
    charge = client.get(f"payment_intents/{client.taken()}")["latest_charge"]
    whole = {"amount": 3000, "currency": "eur", "destination": client.account(), "source_transaction": charge}
    status, transfer = client.post("transfers", **whole)
    assert (status, transfer["transfer_group"]) == (200, "ABC12")
    assert client.post("transfers", **whole)[0] == 400
    assert client.post("transfers", **{**whole, "destination": "nobody"})[0] == 400
    path = f"transfers/{transfer['id']}/reversals"
    assert client.post(path, amount=1000)[1]["amount"] == 1000
    assert client.post(path, amount=2001)[0] == 400
    assert client.post(path)[1]["amount"] == 2000
    assert client.get(f"transfers/{transfer['id']}")["reversed"]
    assert len(client.get(path)["data"]) == 2
    client.fault("no_balance")
    assert client.post("transfers", **{**whole, "amount": 10})[1]["error"]["code"] == "balance_insufficient"


def test_a_connected_account_is_paid_once_its_owner_has_said_all(client: Client) -> None:
    made = client.post("accounts", capabilities={"transfers": {"requested": "true"}}, metadata={"creator": "<ada>"})[1]
    assert (made["capabilities"], made["payouts_enabled"]) == ({"transfers": "inactive"}, False)
    whole = {"amount": 3000, "currency": "eur", "destination": made["id"]}
    assert client.post("transfers", **whole)[1]["error"]["code"] == "insufficient_capabilities_for_transfer"
    assert client.post("transfers", **{**whole, "destination": "acct_1"})[1]["error"]["code"] == "resource_missing"
    here = {"account": made["id"], "refresh_url": "http://site/again", "return_url": "http://site/back"}
    assert client.post("account_links", **here, type="account_update")[0] == 400
    assert client.post("account_links", account=made["id"], type="account_onboarding")[0] == 400
    link = client.post("account_links", **here, type="account_onboarding")[1]
    assert "id" not in link
    page = requests.get(link["url"])
    assert "&lt;ada&gt;" in page.text
    again = requests.get(link["url"], allow_redirects=False)
    assert again.headers["Location"] == "http://site/again", "it works once"
    later = requests.post(link["url"], data={"step": "later"}, allow_redirects=False)
    assert later.headers["Location"] == "http://site/back"
    assert not client.get(f"accounts/{made['id']}")["payouts_enabled"]
    requests.post(link["url"], data={"step": "finish"}, allow_redirects=False)
    account = client.get(f"accounts/{made['id']}")
    assert (account["capabilities"]["transfers"], account["requirements"]["currently_due"]) == ("active", [])
    assert client.post("transfers", **whole)[0] == 200


def test_what_was_taken_comes_into_the_balance_less_its_fee_now_later_or_never(client: Client) -> None:
    def charge(intent: str) -> dict[str, Any]:
        return client.get(f"payment_intents/{intent}", expand=["latest_charge.balance_transaction"])["latest_charge"]

    held = client.held()
    assert charge(held)["balance_transaction"] is None
    came = charge(client.taken())["balance_transaction"]
    assert (came["amount"], came["fee"], came["net"], came["currency"]) == (4900, 99, 4801, "eur")
    assert client.get(f"balance_transactions/{came['id']}") == came
    client.fault("settles_abroad")
    came = charge(client.taken())["balance_transaction"]
    assert (came["amount"], came["currency"], came["exchange_rate"]) == (5390, "usd", 1.1)
    client.fault("fee_late")
    late = client.taken()
    assert charge(late)["balance_transaction"] is None
    assert soon(lambda: charge(late)["balance_transaction"] is not None)
    client.fault("fee_never")
    assert charge(client.taken())["balance_transaction"] is None
    listed = client.get("payment_intents", expand=["data.latest_charge.balance_transaction"])["data"]
    assert [one["latest_charge"]["balance_transaction"] is None for one in listed] == [True, False, False, False, True]


# ---- keys and faults -------------------------------------------------------------------------------------------------


def test_the_same_key_is_the_same_answer_and_other_parameters_are_refused(client: Client) -> None:
    session = client.open(key="checkout:1")
    assert client.open(key="checkout:1") == session
    status, said = client.post("checkout/sessions", "checkout:1", **wanted(5000))
    assert (status, said["error"]["type"]) == (400, "idempotency_error")
    requests.post(f"{client.base}/clock?advance=90000")
    assert client.open(key="checkout:1")["id"] != session["id"]


def test_what_fails_validation_is_not_remembered(client: Client) -> None:
    assert client.post("refunds", "r1", payment_intent="pi_none")[0] == 404
    assert client.post("refunds", "r1", payment_intent=client.taken())[0] == 200


def test_a_500_is_remembered_whether_or_not_it_was_done(client: Client) -> None:
    intent = client.taken()
    for fault, done in (("down_after", 1), ("down", 1)):
        client.fault(fault)
        for _ in range(2):
            assert client.post("refunds", fault, payment_intent=intent, amount=100)[0] == 500
        assert len(client.get("refunds", payment_intent=intent)["data"]) == done


def test_a_lost_answer_is_given_again(client: Client) -> None:
    intent = client.held()
    client.fault("silent")
    with pytest.raises(requests.ConnectionError):
        client.post(f"payment_intents/{intent}/capture", "capture:1")
    assert client.post(f"payment_intents/{intent}/capture", "capture:1")[1]["status"] == "succeeded"


@pytest.mark.parametrize(
    ("fault", "status", "kind"),
    [
        ("bad_key", 401, "invalid_request_error"),
        ("rate", 429, "invalid_request_error"),
        ("in_use", 409, "idempotency_error"),
        ("declined", 402, "card_error"),
        ("hold_lost", 400, "invalid_request_error"),
    ],
)
def test_every_other_fault(client: Client, fault: str, status: int, kind: str) -> None:
    intent = client.held()
    client.fault(fault)
    got, said = client.post(f"payment_intents/{intent}/capture", "capture:1")
    assert (got, said["error"]["type"]) == (status, kind)
    again = client.post(f"payment_intents/{intent}/capture", "capture:1")[0]
    assert again == {"declined": 402, "hold_lost": 400}.get(fault, 200)


def test_a_stranger_is_not_served(client: Client) -> None:
    client.session.headers["Authorization"] = "Bearer nobody"
    assert client.post("refunds")[0] == 401


# ---- events ----------------------------------------------------------------------------------------------------------


class Ear:
    """Whoever is rung: messages with their right or wrong signature."""

    def __init__(self) -> None:
        self.heard: list[dict[str, Any]] = []
        self.refused: list[str] = []
        self.deaf = 0
        ear = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                pairs = dict(part.split("=") for part in self.headers["Stripe-Signature"].split(","))

                def fits(secret: str) -> bool:
                    content = f"{pairs['t']}.".encode() + body
                    return pairs["v1"] == hmac.new(secret.encode(), content, hashlib.sha256).hexdigest()

                status = 200
                if not fits(SECRET) or abs(int(pairs["t"]) - time.time()) > 300:
                    status = 400
                    ear.refused.append("forged" if fits(FORGED) else "stale")
                elif ear.deaf:
                    ear.deaf, status = ear.deaf - 1, 503
                else:
                    ear.heard.append(json.loads(body))
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/"


@pytest.fixture
def ear(client: Client) -> Iterator[Ear]:
    ear = Ear()
    kinds = ["checkout.session.expired", "refund.created"]
    assert client.post("webhook_endpoints", url=ear.url, enabled_events=kinds)[1]["secret"] == SECRET
    yield ear
    ear.server.shutdown()
    ear.server.server_close()


def gone(client: Client) -> str:
    """Make an event; the session it is about."""
    session = client.open()
    client.post(f"checkout/sessions/{session['id']}/expire")
    return session["id"]


def test_events_are_told_signed_and_kept(client: Client, ear: Ear) -> None:
    about = gone(client)
    assert soon(lambda: len(ear.heard) == 1)
    event = ear.heard[0]
    assert (event["type"], event["data"]["object"]["id"]) == ("checkout.session.expired", about)
    assert event["data"]["object"]["status"] == "expired"
    assert not [name for name in event["data"]["object"] if name.startswith("_")]
    assert client.get(f"events/{event['id']}") == event
    assert [one["id"] for one in client.get("events", type="checkout.session.expired")["data"]] == [event["id"]]


def test_a_message_that_was_not_taken_comes_again(client: Client, ear: Ear) -> None:
    ear.deaf = 1
    gone(client)
    assert soon(lambda: len(ear.heard) == 1)


def test_a_message_may_come_twice_late_or_in_another_order(client: Client, ear: Ear, sandbox: Sandbox) -> None:
    client.fault("hook_twice")
    gone(client)
    assert soon(lambda: len(ear.heard) == 2)
    assert ear.heard[0]["id"] == ear.heard[1]["id"]
    sandbox.world.speed = 30  # two minutes of theirs are enough for the next to be made, however slow this machine is
    client.fault("hook_shuffled")
    first, second = gone(client), gone(client)
    assert soon(lambda: len(ear.heard) == 4)
    assert [event["data"]["object"]["id"] for event in ear.heard[2:]] == [second, first]
    for fault in ("hook_lost", "hook_late"):
        client.fault(fault)
        gone(client)
    last = gone(client)
    assert soon(lambda: ear.heard[-1]["data"]["object"]["id"] == last)
    assert len(ear.heard) == 5
    assert len(client.get("events", type="checkout.session.expired")["data"]) == 6


@pytest.mark.parametrize("fault", ["hook_forged", "hook_stale"])
def test_a_message_may_be_forged_or_stale(client: Client, ear: Ear, fault: str) -> None:
    client.fault(fault)
    gone(client)
    assert soon(lambda: bool(ear.refused))
    assert ear.refused[0] == fault.removeprefix("hook_")
    assert not ear.heard
