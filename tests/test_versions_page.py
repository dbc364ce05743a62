"""Other versions of a film on its page in a real browser: asked for, watched coming, kept; also without scripts."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from pipeline import renditions
from pipeline.models import Rendition, RenditionState

from .browsers import chromium, violations
from .test_renditions import order, studio

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]

__all__ = ["order", "studio"]
PHONE = {"width": 390, "height": 844}
DESK = {"width": 1280, "height": 900}


def signed_in(page: Any, fan: Any, url: str) -> None:
    client = Client()
    client.force_login(fan, backend="django.contrib.auth.backends.ModelBackend")
    page.context.add_cookies(
        [{"name": "sessionid", "value": client.cookies[settings.SESSION_COOKIE_NAME].value, "url": url}]
    )


@pytest.mark.parametrize(
    ("viewport", "scheme"), [(PHONE, "dark"), (DESK, "light")], ids=["phone at night", "desk by day"]
)
def test_a_version_is_asked_for_with_the_keyboard_and_comes_by_itself(
    live_server: Any, order: Any, studio: Any, viewport: Any, scheme: str
) -> None:
    with chromium(viewport=viewport, color_scheme=scheme) as page:
        signed_in(page, order.fan, live_server.url)
        page.goto(f"{live_server.url}/orders/{order.code}/film/")
        assert violations(page) == []
        page.get_by_role("button", name="Make it Wide (16:9) with captions").focus()
        page.keyboard.press("Enter")
        page.wait_for_url("**/film/#film-versions")
        row = page.locator("#version-wide")
        row.get_by_text("waits its turn").wait_for()
        failed = renditions.ask(order=order, format="1:1", captions=True)
        Rendition.objects.filter(pk=failed.pk).update(state=RenditionState.FAILED)
        running = renditions.ask(order=order, format="1:1", captions=False)
        Rendition.objects.filter(pk=running.pk).update(state=RenditionState.RUNNING, progress=0.4)
        page.locator("#version-square").get_by_text("not good enough").wait_for()
        assert page.locator("#version-square-without-captions").inner_text().strip().endswith("40%")
        assert violations(page) == []
        renditions.make(Rendition.objects.get(format="16:9").pk)
        row.get_by_role("link", name="Wide (16:9) with captions: Download").wait_for()
        assert "Wide (16:9) with captions is ready." in page.locator("#film-versions-said").inner_text()
        # What came meanwhile left the buttons as they were: they still work.
        page.get_by_role("button", name="Make it Wide (16:9) without captions").click()
        page.locator("#version-wide-without-captions").get_by_text("waits its turn").wait_for()
        width = page.evaluate("document.documentElement.scrollWidth")
        assert width <= viewport["width"]


def test_without_scripts_it_is_asked_for_and_looked_for_all_the_same(live_server: Any, order: Any, studio: Any) -> None:
    with chromium(viewport=PHONE, java_script_enabled=False) as page:
        signed_in(page, order.fan, live_server.url)
        page.goto(f"{live_server.url}/orders/{order.code}/film/")
        page.get_by_role("button", name="Make it Wide (16:9) with captions").click()
        page.locator("#version-wide").get_by_text("waits its turn").wait_for()
        renditions.make(Rendition.objects.get().pk)
        page.get_by_role("link", name="Look again").click()
        page.locator("#version-wide").get_by_role("link", name="Download").wait_for()
        assert page.get_by_role("link", name="Look again").count() == 0
