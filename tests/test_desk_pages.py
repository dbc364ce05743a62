"""The desk in a real browser: every page clean by axe on a phone and a wide screen, in light and in dark."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from mimetypes import guess_type
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.contrib import admin
from django.contrib.staticfiles import finders
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from accounts.models import User
from orders.models import Order, OrderState
from videogen import many

from . import making
from .browsers import chromium, violations
from .entering import enter

pytestmark = [pytest.mark.django_db, pytest.mark.browser, pytest.mark.slow]

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


@contextmanager
def serving(pages: dict[str, HttpResponse]) -> Iterator[str]:
    """The address of a server of these pages, and of static files, which a browser keeps: every page has the same."""

    class Desk(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            path = urlsplit(self.path).path
            static = finders.find(path.removeprefix("/static/")) if path.startswith("/static/") else None
            headers = {"Content-Type": guess_type(path)[0] or "text/plain", "Cache-Control": "max-age=3600"}
            body = Path(static).read_bytes() if static else b""
            if path in pages:
                headers, body = dict(pages[path].items()), pages[path].content
            self.send_response(200 if path in pages or static else 404)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Desk)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


# Pages of one row as Django draws them: two lists with arrows without names, tables of rows with an empty heading.
NOT_OURS = {"auth_group", "account_emailaddress", "mfa_authenticator", "pipeline_production"}


def addresses() -> list[str]:
    """The dashboards, every list, and a row of each of our own, where there is one."""
    found = [reverse("admin:index"), reverse("admin:health"), reverse("mfa_index"), reverse("mfa_activate_totp")]
    for model in admin.site._registry:
        name = f"{model._meta.app_label}_{model._meta.model_name}"
        found.append(reverse(f"admin:{name}_changelist"))
        row = model._default_manager.order_by("-pk").values_list("pk", flat=True).first()
        if row is not None and name not in NOT_OURS:
            found.append(reverse(f"admin:{name}_change", args=[row]))
    order = Order.objects.filter(state=OrderState.DELIVERED, payments__state="captured").latest("pk").pk
    held = Order.objects.filter(state=OrderState.PLACED).latest("pk").pk
    found += [reverse(f"admin:orders_order_{what}", args=[order]) for what in ("refund", "rerun", "message", "export")]
    found += [reverse(f"admin:orders_order_{what}", args=[held]) for what in ("pause", "cancel", "erase")]
    found += [reverse(f"admin:{name}_add") for name in ("accounts_user", "billing_price", "billing_sharerate")]
    staff = User.objects.latest("pk").pk
    found += [reverse("admin:accounts_user_delete", args=[staff]), reverse("admin:billing_payout_begin")]
    return [*found, reverse("admin:review_green")]


def test_every_page_of_the_desk_is_clean(monkeypatch: pytest.MonkeyPatch) -> None:
    making.creator()
    list(many.fill(60))  # enough for a row of each kind
    for shown in admin.site._registry.values():  # axe looks at each row; a second page is there all the same
        monkeypatch.setattr(shown, "list_per_page", 8)
    pages = rendered(enter(User.objects.get(email="staff@videogen.invalid")), addresses())
    wrong: set[str] = set()
    with serving(pages) as site:
        for size, light in SCREENS:
            with chromium(viewport=size, color_scheme=light) as page:
                for address in pages:
                    where = f"{address} ({size['width']} px, {light})"
                    page.goto(site + address)
                    wrong |= {f"{where}: {found}" for found in violations(page)}
                    wide = page.evaluate("() => document.documentElement.scrollWidth - window.innerWidth")
                    if wide > 0:
                        wrong.add(f"{where}: {wide} px too wide")
    assert not wrong, "\n".join(sorted(wrong))
