"""The pretended Stripe's connected accounts: made, linked to a page where their owner says who they are, and paid."""

from __future__ import annotations

import html
from typing import Any

from .forms import nested
from .server import Request, Response
from .stripe_door import Ask, Refused, Thing, known, metadata, public
from .stripe_page import over, page
from .stripe_till import Till

LINK_SECONDS = 300
DUE = ["external_account", "individual.verification.document", "tos_acceptance.date"]
ACCOUNT_PARAMS = (
    "type country email controller capabilities business_type business_profile default_currency settings "
    "tos_acceptance metadata expand"
)


class Accounts(Till):
    """To whom money may go on."""

    def create_account(self, ask: Ask) -> Thing:
        """`POST /v1/accounts`."""
        known(ask.params, ACCOUNT_PARAMS)
        wanted: Any = ask.params.get("capabilities") or {}
        asked = isinstance(wanted, dict) and (wanted.get("transfers") or {}).get("requested") == "true"
        return self.make(
            "account",
            "acct",
            country=ask.params.get("country", "DE"),
            email=ask.params.get("email"),
            capabilities={"transfers": "inactive"} if asked else {},
            charges_enabled=False,
            payouts_enabled=False,
            details_submitted=False,
            requirements={"currently_due": list(DUE), "disabled_reason": "requirements.past_due"},
            metadata=metadata(ask.params),
        )

    def link(self, ask: Ask) -> Thing:
        """`POST /v1/account_links`: an address that works once, and for a few minutes."""
        p = ask.params
        known(p, "account type refresh_url return_url collect collection_options expand")
        account = self.get(p.get("account") or "none", "account")
        if p.get("type") != "account_onboarding":
            raise Refused(400, "The sandbox knows type=account_onboarding only.", param="type")
        for name in ("refresh_url", "return_url"):
            if not str(p.get(name, "")).startswith(("https://", "http://")):
                raise Refused(400, f"Missing required param: {name}.", code="parameter_missing", param=name)
        names = {"_account": account["id"], "_back": p["return_url"], "_again": p["refresh_url"], "_seen": False}
        link = self.make("account_link", "alink", expires_at=int(self.now()) + LINK_SECONDS, **names)
        link["url"] = f"{self.world.base_url}/stripe/connect/{link['id']}"
        return {name: value for name, value in link.items() if name not in ("id", "livemode")}

    def onboarding(self, request: Request) -> Response:
        """The page, once."""
        with self.lock:
            link = self.things.get(request.match[1])
            if link is None or link["object"] != "account_link":
                return _html(404, over("There is no such page"))
            if link["_seen"] or link["expires_at"] < self.now():
                return Response(303, headers={"Location": link["_again"]})
            link["_seen"] = True
            return _html(200, _form(self.things[link["_account"]]))

    def onboarded(self, request: Request) -> Response:
        """Somebody pressed a button there."""
        form = nested(request.body.decode("utf-8", "replace"))
        with self.lock:
            link = self.things.get(request.match[1])
            if link is None or link["object"] != "account_link":
                return _html(404, over("There is no such page"))
            account = self.things[link["_account"]]
            if form.get("step") == "finish" and not self.falls("account_incomplete", account["id"]):
                account |= {"payouts_enabled": True, "details_submitted": True}
                account["requirements"] = {"currently_due": [], "disabled_reason": None}
                if "transfers" in account["capabilities"]:
                    account["capabilities"]["transfers"] = "active"
                self.tell("account.updated", account)
            return Response(303, headers={"Location": link["_back"]})

    def restrict(self, request: Request) -> Response:
        """Something about an account is not as it should be: it is paid nothing more."""
        with self.lock:
            account = self.get(request.match[1], "account")
            account["capabilities"]["transfers"] = "inactive"
            account["requirements"] = {
                "currently_due": ["external_account"],
                "disabled_reason": "requirements.past_due",
            }
            self.tell("account.updated", account)
            return Response(body=public(account))

    def may_be_paid(self, to: str) -> None:
        """Refuse a transfer to what is no account, or to one that is not ready."""
        account = self.things.get(to)
        if account is None or account["object"] != "account":
            raise Refused(400, f"No such destination: '{to}'", code="resource_missing", param="destination")
        if account["capabilities"].get("transfers") != "active":
            words = "Your destination account needs to have the transfers capability enabled."
            raise Refused(400, words, code="insufficient_capabilities_for_transfer")


def _form(account: Thing) -> bytes:
    who = html.escape(str(account["metadata"].get("creator") or account["id"]))
    return page(
        f"<h1>How {who} is paid</h1><p>Here Stripe would ask for a name, an identity document and a bank account. "
        "A pretended page: nothing is asked.</p><form method='post'>"
        '<button name="step" value="finish">Say all of it</button>'
        '<button name="step" value="later" class="other">Leave it for later</button></form>'
    )


def _html(status: int, body: bytes) -> Response:
    return Response(status, body, {"Content-Type": "text/html; charset=utf-8"})
