"""Mending by keyboard in a real browser: part of the price given back, and one shot made again."""

from __future__ import annotations

from typing import Any

import pytest
from django.urls import reverse

from billing.models import Refund
from orders.models import Order
from pipeline.models import Production

from . import films
from .browsers import chromium, violations
from .entering import enter
from .test_order_desk import staff

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]

SCREENS = ({"width": 390, "height": 844}, {"width": 1280, "height": 900})


@pytest.fixture
def delivered(bells, monkeypatch) -> Order:
    return films.delivered(bells, monkeypatch)


def at_the_desk(chrome: Any, live_server: Any, order: Order) -> None:
    session = enter(staff()).cookies["sessionid"].value
    chrome.context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])
    chrome.goto(live_server.url + reverse("admin:orders_order_change", args=[order.pk]))


def tab_to(chrome: Any, selector: str) -> None:
    """Press Tab until this has the focus: whoever has no mouse gets there."""
    for _ in range(120):
        if chrome.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
        chrome.keyboard.press("Tab")
    raise AssertionError(f"{selector} cannot be reached by Tab")


def look(chrome: Any) -> None:
    assert violations(chrome) == []
    assert chrome.evaluate("document.documentElement.scrollWidth") <= chrome.viewport_size["width"]


@pytest.mark.parametrize("screen", SCREENS, ids=["phone", "desktop"])
def test_half_is_given_back_by_keys_alone(live_server, delivered, screen):
    with chromium(viewport=screen, color_scheme="dark") as chrome:
        at_the_desk(chrome, live_server, delivered)
        look(chrome)
        tab_to(chrome, ".od-actions a[href$='/refund/']")
        chrome.keyboard.press("Enter")
        chrome.wait_for_selector("#id_amount")
        look(chrome)
        tab_to(chrome, "#id_amount")
        chrome.keyboard.press("Control+A")
        chrome.keyboard.type(f"{delivered.amount / 200:.2f}")
        tab_to(chrome, "#id_reason")
        chrome.keyboard.type("Goodwill")
        tab_to(chrome, "#id_note")
        chrome.keyboard.type("The cat was cut off.")
        tab_to(chrome, "button.od-button--go")
        chrome.keyboard.press("Enter")
        chrome.wait_for_selector(".messagelist .success")
        look(chrome)
    made = Refund.objects.get()
    assert (made.amount, made.reason, made.note) == (delivered.amount // 2, "goodwill", "The cat was cut off.")


def test_one_shot_is_made_again_by_keys_alone(live_server, delivered):
    with chromium(viewport=SCREENS[1]) as chrome:
        at_the_desk(chrome, live_server, delivered)
        tab_to(chrome, "[data-stage=shot] > summary")
        chrome.keyboard.press("Enter")
        tab_to(chrome, "a[href$='from_stage=shot&scenes=2']")
        chrome.keyboard.press("Enter")
        chrome.wait_for_selector("#id_calm")
        look(chrome)
        tab_to(chrome, "#id_calm")
        chrome.keyboard.press("Space")
        tab_to(chrome, "#id_reason")
        chrome.keyboard.type("Too much motion.")
        chrome.keyboard.press("Enter")  # a look comes first, whatever button Enter means
        chrome.wait_for_selector("#plan")
        look(chrome)
        assert "Filming each shot: 2" in chrome.inner_text("#plan")
        assert Production.objects.count() == 1
        tab_to(chrome, "button[value=go]")
        chrome.keyboard.press("Enter")
        chrome.wait_for_selector(".messagelist .success")
        look(chrome)
    made = Production.objects.latest("number")
    assert made.change == {"from_stage": "shot", "scenes": [2], "calm": True}
