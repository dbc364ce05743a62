"""What of Stripe's settings is missing or wrong, said before anybody pays; and our key said to nobody."""

# ruff: noqa: F811  (fixtures arrive as imports and are named again as arguments)

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from django.core.checks import run_checks
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command

from billing import truth
from billing.gateways import chosen
from billing.gateways.base import GatewayError
from billing.models import Payment

from . import tills
from .tills import at_stripes_till, payment  # noqa: F401
from .waiting import soon

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("STRIPE_SECRET_KEY", "pk_test_1"),
        ("STRIPE_SECRET_KEY", "sk_test_1\n"),
        ("STRIPE_BASE_URL", "api.stripe.com"),
        ("STRIPE_WEBHOOK_SECRETS", ["whsec_good", "good"]),
        ("GATEWAY", "bank"),
    ],
)
def test_half_a_key_is_named_and_closes_the_till(settings: Any, name: str, value: Any) -> None:
    setattr(settings, name, value)
    [error] = run_checks(tags=["vendors"])
    assert error.msg.startswith(name)
    assert not chosen.is_open()


def test_secrets_without_a_key_and_a_gateway_without_one(settings: Any) -> None:
    settings.STRIPE_SECRET_KEY = ""
    assert [error.msg for error in run_checks(tags=["vendors"])] == [
        "STRIPE_WEBHOOK_SECRETS is set, STRIPE_SECRET_KEY is not."
    ]
    settings.STRIPE_WEBHOOK_SECRETS = []
    assert run_checks(tags=["vendors"]) == []
    assert chosen.name() == "sandbox"
    settings.GATEWAY = "stripe"
    with pytest.raises(ImproperlyConfigured, match="STRIPE_SECRET_KEY"):
        chosen.gateway()


def test_the_doctor_asks_stripe_one_free_question(capsys: Any) -> None:
    for fault, says in (("", "account acct_sandbox, test mode"), ("bad_key", "AuthenticationError 401")):
        if fault:
            tills.fault(fault)
        with contextlib.suppress(SystemExit):
            call_command("doctor")
        assert says in capsys.readouterr().out


def test_our_key_is_said_to_nobody(payment: Payment, caplog: pytest.LogCaptureFixture) -> None:
    tills.fault("bad_key")
    with pytest.raises(GatewayError) as refused:
        truth.look(payment)
    assert tills.KEY not in str(refused.value) + caplog.text
    assert soon(lambda: True)
