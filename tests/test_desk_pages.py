"""The desk in a real browser: every page clean by axe on a phone and a wide screen, in light and in dark."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import pytest
from django.contrib import admin
from django.contrib.staticfiles import finders
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from accounts.models import User
from videogen import many

from . import making
from .browsers import chromium, violations
from .entering import enter

pytestmark = [pytest.mark.django_db, pytest.mark.browser, pytest.mark.slow]

SITE = "https://desk.example"
# Width is a matter of layout, light one of colours: two pairs see all four.
SCREENS = (({"width": 390, "height": 844}, "dark"), ({"width": 1280, "height": 900}, "light"))


def rendered(client: Client, found: list[str]) -> dict[str, HttpResponse]:
    """The pages as Django answers them, after redirects: no database work may be done while a browser is open."""
    pages = {}
    for address in found:
        response = client.get(address, follow=True, HTTP_HOST="localhost")
        assert response.status_code == 200, address
        pages[address] = response
    return pages


def serve(page: Any, pages: dict[str, HttpResponse]) -> None:
    """Let a browser have these pages, and static files: no server, no socket."""

    def answer(route: Any) -> None:
        path = urlsplit(route.request.url).path
        if path in pages:
            headers = {name: value for name, value in pages[path].items() if name.lower() != "content-length"}
            return route.fulfill(status=200, headers=headers, body=pages[path].content)
        found = finders.find(path.removeprefix("/static/")) if path.startswith("/static/") else None
        return route.fulfill(path=found) if found else route.fulfill(status=204)

    page.route(f"{SITE}/**", answer)


# Pages of one row as Django draws them: two lists with arrows without names, tables of rows with an empty heading.
NOT_OURS = {"auth_group", "account_emailaddress", "mfa_authenticator", "pipeline_production"}
# The search's label is a picture with a name, which is what axe would rather see as words.
ADVICE = ("label-title-only",)


def addresses() -> list[str]:
    """The dashboards, every list, and a row of each of our own, where there is one."""
    found = [reverse("admin:index"), reverse("admin:health"), reverse("mfa_index"), reverse("mfa_activate_totp")]
    for model in admin.site._registry:
        name = f"{model._meta.app_label}_{model._meta.model_name}"
        found.append(reverse(f"admin:{name}_changelist"))
        row = model._default_manager.order_by("-pk").values_list("pk", flat=True).first()
        if row is not None and name not in NOT_OURS:
            found.append(reverse(f"admin:{name}_change", args=[row]))
    return found


def test_every_page_of_the_desk_is_clean() -> None:
    making.creator()
    list(many.fill(200))
    pages = rendered(enter(User.objects.get(email="staff@videogen.invalid")), addresses())
    wrong: set[str] = set()
    for size, light in SCREENS:
        with chromium(viewport=size, color_scheme=light) as page:
            serve(page, pages)
            for address in pages:
                where = f"{address} ({size['width']} px, {light})"
                page.goto(SITE + address)
                wrong |= {f"{where}: {found}" for found in violations(page) if not found.startswith(ADVICE)}
                wide = page.evaluate("() => document.documentElement.scrollWidth - window.innerWidth")
                if wide > 0:
                    wrong.add(f"{where}: {wide} px too wide")
    assert not wrong, "\n".join(sorted(wrong))
