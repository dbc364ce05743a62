"""Signing in: one way, by a mailed code; wrong, lost and worn-out codes are said at the field."""

# ruff: noqa: F811  (fixtures arrive as imports and are named again as arguments)

from __future__ import annotations

import re

import pytest
from django.contrib.auth import get_user
from django.core import mail
from django.test import Client

from .shopping import clean, fan, fan_client, page  # noqa: F401

pytestmark = pytest.mark.django_db


def ask_for_code(client: Client) -> str:
    client.post("/accounts/login/code/", {"email": "eileen@example.org"})
    return re.search(r"^\s+(\S+)$", mail.outbox[-1].body, re.MULTILINE).group(1)


def test_the_sign_in_page_asks_for_an_address(client):
    html = page(client, "/accounts/login/code/")
    assert 'for="id_email"' in html
    assert 'autocomplete="email"' in html


def test_a_mailed_code_signs_in(client):
    code = ask_for_code(client)
    client.post("/accounts/login/code/confirm/", {"code": code})
    assert get_user(client).is_authenticated


def test_a_demo_shows_the_code_on_the_page_and_forgets_it_at_sign_in(client, settings):
    settings.DEBUG = True
    code = ask_for_code(client)
    html = page(client, "/accounts/login/code/confirm/")
    assert "Demo: your code is" in html
    assert code in html
    client.post("/accounts/login/code/confirm/", {"code": code})
    assert "demo_code" not in client.session


def test_outside_a_demo_the_code_is_only_in_the_mail(client, settings):
    settings.DEBUG = False
    code = ask_for_code(client)
    assert code not in page(client, "/accounts/login/code/confirm/")
    assert "demo_code" not in client.session


def test_a_wrong_code_is_said_at_the_field(client):
    ask_for_code(client)
    answer = client.post("/accounts/login/code/confirm/", {"code": "WRONG1"})
    html = clean(answer.content.decode())
    assert 'aria-invalid="true"' in html
    assert "field__error" in html


def test_a_mistyped_address_can_be_changed(client):
    ask_for_code(client)
    assert "Use another address" in page(client, "/accounts/login/code/confirm/")
    client.post("/accounts/login/code/another/")
    assert 'id="id_email"' in page(client, "/accounts/login/code/")


def test_a_new_code_can_be_asked_for(client):
    first = ask_for_code(client)
    assert "Send a new code" in page(client, "/accounts/login/code/confirm/")
    client.post("/accounts/login/code/confirm/", {"action": "resend"})
    assert len(mail.outbox) == 2
    second = re.search(r"^\s+(\S+)$", mail.outbox[-1].body, re.MULTILINE).group(1)
    assert second != first
    client.post("/accounts/login/code/confirm/", {"code": second})
    assert get_user(client).is_authenticated


def test_too_many_wrong_codes_lead_to_a_new_one_and_then_to_where_one_was_going(client):
    session = client.session
    session["after_sign_in"] = "/orders/AAAA-BBBB/summary/"
    session.save()
    ask_for_code(client)
    for _ in range(5):
        answer = client.post("/accounts/login/code/confirm/", {"code": "WRONG1"})
    assert answer.url == "/accounts/login/code/"
    assert "Ask for a new one" in page(client, "/accounts/login/code/")
    answer = client.post("/accounts/login/code/confirm/", {"code": ask_for_code(client)})
    assert answer.url == "/orders/AAAA-BBBB/summary/"


@pytest.mark.parametrize("old", ["login", "signup", "email-verification-sent", "inactive"])
def test_there_is_one_way_in(client, old):
    assert client.get(f"/accounts/{old}/").url.partition("?")[0] == "/accounts/login/code/"


def test_signing_out_asks_first(fan_client):
    assert "Sign out?" in page(fan_client, "/accounts/logout/")
