"""Where creators' money goes: an account is opened, completed at the gateway and looked at before anything is sent."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
import requests
from django.conf import settings as site
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import Audit, Creator, User
from accounts.roles import Role
from billing import payout_accounts, payouts, reconcile
from billing.gateways.base import GatewayError
from billing.models import Payout, PayoutAccount, PayoutState, Standing
from pipeline import jobs, sweeping

from . import making, tills
from .books import sold, total
from .browsers import chromium, violations
from .entering import enter
from .test_desk_pages import SCREENS, rendered, serving
from .test_order_desk import one_of
from .test_races import at_once, on_disk  # noqa: F401  (a fixture that is used by itself)

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

MINE = "admin:billing_payoutaccount_mine"


@pytest.fixture
def creator(settings: Any) -> Creator:
    """A creator whom we owe 20 euros that could be sent now, on a site with Stripe."""
    tills.use_stripe(settings, fresh=True)
    made = making.creator()
    sold(made, 5000, days_ago=20)
    return made


def at_the_desk(creator: Creator) -> Client:
    assert creator.user is not None
    return enter(creator.user, client=Client())


def text(client: Client, name: str = MINE, **how: Any) -> str:
    return client.get(reverse(name), follow=True, **how).content.decode()


def account_of(creator: Creator) -> PayoutAccount:
    return PayoutAccount.objects.get(creator=creator)


def test_a_creator_opens_an_account_completes_it_at_stripe_and_is_paid(creator: Creator) -> None:
    client = at_the_desk(creator)
    assert "How you are paid" in text(client, "admin:billing_payout_changelist")
    assert "You have no payout account yet, so nothing can be sent to you." in text(client)
    page = client.post(reverse(MINE)).content.decode()
    [there] = re.findall(r'href="(http[^"]+/connect/[^"]+)"', page)
    account = account_of(creator)
    assert account.external_id.startswith("acct_")
    assert Audit.objects.get(verb="payout_account.opened").data == {"account": account.external_id}
    assert payouts.run() == [], "it is not complete"
    assert "Nothing" not in requests.get(there, timeout=10).text
    gone_back = requests.post(there, data={"step": "finish"}, allow_redirects=False, timeout=10)
    assert gone_back.headers["Location"] == site.SITE_URL.rstrip("/") + reverse(MINE)
    assert "is complete and can be paid" in text(client)
    assert account_of(creator).standing == Standing.READY
    (paid,) = payouts.run()
    assert (paid.state, paid.amount, paid.destination) == (PayoutState.PAID, 2000, account.external_id)
    sent = tills.ask("v1/transfers", destination=account.external_id)["data"]
    assert [one["amount"] for one in sent] == [2000]
    assert reconcile.compare("stripe").differences == []


def test_who_leaves_before_the_end_may_go_on_and_an_old_way_leads_back_here(creator: Creator) -> None:
    client = at_the_desk(creator)
    client.post(reverse(MINE))
    account = account_of(creator)
    page = text(client)
    assert "is not complete yet" in page
    assert "Complete your account" in page
    client.post(reverse(MINE))
    assert account_of(creator).external_id == account.external_id, "the same account"
    assert "external_account" in account_of(creator).missing
    again = text(client, data={"again": "1"})
    assert "That page had run out" in again


def test_a_creator_who_comes_without_the_last_step_shows_who_they_are_and_others_have_no_page(creator: Creator) -> None:
    assert creator.user is not None
    stale = enter(creator.user, client=Client(), ago=2 * 24 * 3600)
    assert "reauthenticate" in stale.post(reverse(MINE))["Location"]
    assert not PayoutAccount.objects.exists()
    for who in ("finance", "support", "staff"):
        other = enter(User.objects.get(email="staff@videogen.invalid") if who == "staff" else one_of(Role(who)))
        assert other.get(reverse(MINE)).status_code == 403, who
        assert other.post(reverse(MINE)).status_code == 403, who


def test_several_clicks_at_once_open_one_account(creator: Creator) -> None:
    here = {"back": "http://site/back", "again": "http://site/again"}
    ways = at_once(lambda _: payout_accounts.onboarding(Creator.objects.get(pk=creator.pk), **here))
    assert [one for one in ways if isinstance(one, Exception)] == []
    assert PayoutAccount.objects.count() == 1
    assert [one["id"] for one in tills.ask("v1/accounts")["data"]] == [account_of(creator).external_id]


def states(creator: Creator) -> dict[str, Any]:
    """A creator's page as it is without an account, on the way, before it is complete and when it is; and the lists."""
    client = at_the_desk(creator)
    found = rendered(client, [reverse(MINE), reverse("admin:billing_payout_changelist")])
    pages = {"none": found.pop(reverse(MINE)), "list": found.popitem()[1]}
    pages["way"] = client.post(reverse(MINE))
    pages["lacks"] = client.get(reverse(MINE))
    PayoutAccount.objects.update(external_id=tills.account(), looked_at=None)
    pages["ready"] = client.get(reverse(MINE))
    staff = enter(one_of(Role.FINANCE), client=Client())
    pages["accounts"] = staff.get(reverse("admin:billing_payoutaccount_changelist"))
    pages["account"] = staff.get(reverse("admin:billing_payoutaccount_change", args=[account_of(creator).pk]))
    PayoutAccount.objects.all().delete()
    pages["begin"] = staff.get(reverse("admin:billing_payout_begin"))
    return {f"/{name}/": page for name, page in pages.items()}


@pytest.mark.browser
def test_each_state_of_the_page_is_clean_by_axe_on_a_phone_and_a_wide_screen(creator: Creator) -> None:
    pages = states(creator)
    for size, scheme in SCREENS:
        with serving(pages) as address, chromium(viewport=size, color_scheme=scheme) as page:
            for name in pages:
                page.goto(address + name)
                assert violations(page) == [], name
                wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
                assert wide <= 0, f"{name} scrolls sideways by {wide} pixels"


# --- staff ------------------------------------------------------------------------------------------------------------


def test_an_account_that_staff_enter_is_looked_at_before_money_goes_there(creator: Creator) -> None:
    client = enter(one_of(Role.FINANCE), client=Client())
    address = reverse("admin:billing_payoutaccount_add")
    iban = {"creator": creator.pk, "external_id": "DE02 1203 0000", "why": "agreed"}
    assert "errorlist" in client.post(address, iban).content.decode()
    half = tills.account(complete=False)
    said = client.post(
        address, {"creator": creator.pk, "external_id": half, "why": "agreed"}, follow=True
    ).content.decode()
    assert "is not complete yet" in said
    assert payouts.run() == []
    whole = tills.account()
    change = reverse("admin:billing_payoutaccount_change", args=[account_of(creator).pk])
    client.post(change, {"creator": creator.pk, "external_id": whole, "why": "agreed"})
    assert account_of(creator).standing == Standing.READY
    said = client.post(
        change, {"creator": creator.pk, "external_id": "acct_nobody", "why": "agreed"}, follow=True
    ).content.decode()
    assert "The gateway does not know" in said
    assert payouts.run() == []
    client.post(change, {"creator": creator.pk, "external_id": whole, "why": "agreed"})
    assert [one.state for one in payouts.run()] == [PayoutState.PAID]


def test_whom_nothing_can_be_sent_is_said_in_a_sentence_at_the_desk_and_by_the_command(
    creator: Creator, capsys: Any
) -> None:
    client = enter(one_of(Role.FINANCE), client=Client())
    sentence = f"{creator} has no payout account yet, so nothing can be sent."
    address = reverse("admin:billing_payout_begin")
    assert sentence in client.get(address).content.decode()
    said = client.post(address, {"creator": [creator.pk], "why": "month"}, follow=True).content.decode()
    assert sentence in said
    assert not Payout.objects.exists()
    call_command("pay_creators")
    assert sentence in capsys.readouterr().out


# --- what the gateway says --------------------------------------------------------------------------------------------


def ready(creator: Creator) -> PayoutAccount:
    made = PayoutAccount.objects.create(creator=creator, external_id=tills.account())
    assert payout_accounts.look(made) == ""
    return made


def test_a_gateway_that_is_away_says_nothing_about_an_account_and_is_asked_again(creator: Creator, bells: Any) -> None:
    account = ready(creator)
    for fault in ("rate", "bad_key"):
        tills.fault(fault)
        with pytest.raises(GatewayError):
            payout_accounts.look(account)
        assert account_of(creator).standing == Standing.READY, fault
    PayoutAccount.objects.update(look_at=timezone.now(), standing=Standing.INCOMPLETE)
    sweeping.sweep_once()
    assert ("look_at_account", account.pk) in bells
    jobs.JOBS["look_at_account"](account.pk)
    found = account_of(creator)
    assert found.standing == Standing.READY
    assert found.look_at is not None
    assert found.look_at > timezone.now() + timedelta(hours=23)


def test_an_account_that_is_closed_later_is_paid_nothing_and_looked_at_again(creator: Creator) -> None:
    account = ready(creator)
    tills.ask(f"restrict/{account.external_id}", post={})
    (payout,) = payouts.run()
    assert payout.state == PayoutState.FAILED
    assert "insufficient_capabilities_for_transfer" in payout.error
    assert total() == 0
    assert payout_accounts.due() == [account.pk]
    jobs.JOBS["look_at_account"](account.pk)
    assert account_of(creator).standing == Standing.INCOMPLETE
    assert payouts.run() == [], "and not tried again and again"


def test_an_account_of_another_gateway_is_no_account_here(creator: Creator, settings: Any) -> None:
    settings.STRIPE_SECRET_KEY = ""
    payouts.begin(creator=creator, currency="EUR")
    Payout.objects.all().delete()
    tills.use_stripe(settings)
    assert account_of(creator).external_id == "acct_sandbox"
    assert payouts.run() == []
    payout_accounts.onboarding(creator, back="http://site/back", again="http://site/again")
    assert account_of(creator).external_id != "acct_sandbox"


def test_negative_control_an_account_nobody_looked_at_would_be_sent_money(
    creator: Creator, monkeypatch: pytest.MonkeyPatch
) -> None:
    PayoutAccount.objects.create(creator=creator, external_id=tills.account(complete=False))
    assert payouts.run() == []
    monkeypatch.setattr(payout_accounts, "trouble", lambda *_: "")
    assert [one.state for one in payouts.run()] == [PayoutState.FAILED]
