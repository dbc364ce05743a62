"""The desk in a real browser: every page clean by axe on a phone and a wide screen, in light and in dark."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import pytest
from django.contrib import admin
from django.contrib.staticfiles import finders
from django.test import Client
from django.urls import reverse

from accounts.models import User
from videogen import many

from . import making
from .browsers import chromium, violations

pytestmark = [pytest.mark.django_db, pytest.mark.browser, pytest.mark.slow]

SITE = "http://desk.example"
SCREENS = {"phone": {"width": 390, "height": 844}, "wide": {"width": 1280, "height": 900}}


def serve(page: Any, client: Client) -> None:
    """Let the pages of a browser be answered by Django itself: no server, no socket."""

    def answer(route: Any) -> None:
        address = urlsplit(route.request.url)
        if address.path.startswith("/static/"):
            found = finders.find(address.path.removeprefix("/static/"))
            return route.fulfill(path=found) if found else route.fulfill(status=404)
        response = client.get(f"{address.path}?{address.query}", HTTP_HOST="localhost")
        if response.status_code in (301, 302):
            return route.fulfill(status=302, headers={"location": response.url})
        headers = {name: value for name, value in response.items() if name.lower() != "content-length"}
        return route.fulfill(status=response.status_code, headers=headers, body=response.getvalue())

    page.route(f"{SITE}/**", answer)


def addresses() -> list[str]:
    """The dashboards, every list, and a row of each, where there is one."""
    found = [reverse("admin:index"), reverse("admin:health"), reverse("mfa_index"), reverse("mfa_activate_totp")]
    for model in admin.site._registry:
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        found.append(reverse(f"{name}_changelist"))
        row = model._default_manager.order_by("-pk").values_list("pk", flat=True).first()
        if row is not None:
            found.append(reverse(f"{name}_change", args=[row]))
    return found


@pytest.mark.parametrize("light", ["light", "dark"])
@pytest.mark.parametrize("screen", SCREENS)
def test_every_page_of_the_desk_is_clean(screen: str, light: str) -> None:
    making.creator()
    list(many.fill(200))
    client = Client()
    client.force_login(User.objects.get(email="staff@videogen.invalid"))
    wrong: list[str] = []
    with chromium(viewport=SCREENS[screen], color_scheme=light) as page:
        serve(page, client)
        page.on("console", lambda said: wrong.append(f"{page.url}: {said.text}") if said.type == "error" else None)
        for address in addresses():
            opened = page.goto(SITE + address)
            assert opened is not None
            assert opened.status == 200, address
            wrong += [f"{address}: {found}" for found in violations(page)]
            wide = page.evaluate("() => document.documentElement.scrollWidth - window.innerWidth")
            if wide > 0:
                wrong.append(f"{address}: {wide} px too wide")
    assert wrong == []
