"""The order's page in a real browser: swaps lose nothing, axe finds nothing, nothing sticks out."""

# ruff: noqa: F811  (fixtures arrive as imports and are named again as arguments)

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from django.contrib.staticfiles import finders

from billing import services, truth
from billing.gateways.base import GatewayError
from billing.models import Payment, PaymentState
from orders.models import OrderState

from .browsers import chromium, violations
from .shopping import creator, fan, fan_client, fragment, make_order, make_progress, payment  # noqa: F401

pytestmark = pytest.mark.django_db


def order_page_without_a_server(chrome: Any, html: str) -> None:
    """The fragment on a bare page with htmx and our swap."""
    chrome.set_content(f'<div hx-ext="morph">{html}</div>')
    chrome.add_style_tag(
        content="#progress-window { width: 9rem; overflow: auto } li { flex: 0 0 9rem } ol { display: flex }"
    )
    chrome.add_script_tag(path=finders.find("django_htmx/htmx-2.min.js"))
    chrome.add_script_tag(path=finders.find("js/morph.js"))


SWAP = """html => {
    const here = document.getElementById('progress');
    htmx.swap(here, html, {swapStyle: 'morph'}, {contextElement: here});
}"""


@pytest.mark.browser
def test_focus_scroll_and_nodes_survive_each_swap_up_to_the_film(creator, fan):
    order = make_order(creator, fan)
    before, review = fragment(order, make_progress()), fragment(order, make_progress("review", version=4))
    delivered = fragment(order, make_progress("delivered", version=5))
    with chromium() as chrome:
        order_page_without_a_server(chrome, before)
        chrome.focus("#progress-window")
        chrome.evaluate("document.getElementById('progress-window').scrollLeft = 60")
        chrome.evaluate("document.getElementById('frame-1').mark = 'the same node'")
        for html in (review, delivered):
            chrome.evaluate(SWAP, html)
            assert chrome.evaluate("document.activeElement.id") == "progress-window"
            assert chrome.evaluate("document.getElementById('progress-window').scrollLeft") == 60
            assert chrome.evaluate("document.getElementById('frame-1').mark") == "the same node"
        assert chrome.inner_text("h1") == "The story for Eileen is being written."
        assert chrome.get_attribute("#progress", "hx-trigger") is None


@pytest.mark.browser
def test_nothing_is_saved_by_itself_any_more_once_the_form_is_sent():
    """On a slow network the page stands for a while after the click that also ends the typing."""
    saving = 'hx-post="/saved/" hx-trigger="change delay:50ms" hx-swap="none"'
    form = f'<form method="post" action="/sent/" data-once {saving}><input name="name"><button>Go on</button></form>'
    asked: list[str] = []
    with chromium() as chrome:
        chrome.route("http://site.example/", lambda route: route.fulfill(body=form, content_type="text/html"))
        chrome.route("**/sent/", lambda route: asked.append("sent"))  # and the answer does not come
        chrome.route("**/saved/", lambda route: (asked.append("saved"), route.fulfill(body="")))
        chrome.goto("http://site.example/")
        for script in ("django_htmx/htmx-2.min.js", "js/site.js", "js/forms.js"):
            chrome.add_script_tag(path=finders.find(script))
        chrome.fill("input", "Eileen")
        chrome.dispatch_event("input", "change")
        chrome.wait_for_timeout(300)
        assert asked == ["saved"]
        chrome.evaluate("""() => {
            document.querySelector("button").click();
            document.querySelector("input").dispatchEvent(new Event("change", {bubbles: true}));
        }""")
        chrome.wait_for_timeout(300)
        assert asked == ["saved", "sent"]


@pytest.mark.browser
def test_a_new_version_takes_the_films_place_at_once_or_when_it_stops_playing(creator, fan):
    order = make_order(creator, fan)
    films = [
        dataclasses.replace(make_progress("delivered").film, video=f"/m/{name}.mp4", key=name)
        for name in ("first", "second", "third")
    ]
    first, second, third = (
        fragment(order, make_progress("delivered", version=10 + n, film=film)) for n, film in enumerate(films)
    )
    with chromium() as chrome:
        order_page_without_a_server(chrome, first)
        chrome.evaluate(SWAP, second)
        assert chrome.get_attribute("video", "src") == "/m/second.mp4"
        # One that is being watched. (There is no film to play here.)
        video = "document.querySelector('video')"
        chrome.evaluate(f"window.watched = true; Object.defineProperty({video}, 'paused', {{get: () => !watched}})")
        chrome.evaluate(SWAP, third)
        chrome.evaluate(SWAP, third)
        assert chrome.get_attribute("video", "src") == "/m/second.mp4"
        chrome.evaluate(f"window.watched = false; {video}.dispatchEvent(new Event('pause'))")
        assert chrome.get_attribute("video", "src") == "/m/third.mp4"


@pytest.mark.browser
def test_a_playing_film_is_neither_replaced_nor_taken_away(creator, fan):
    order = make_order(creator, fan)
    film = make_progress("delivered", version=9).film
    other = dataclasses.replace(film, video="/m/renewed-link.mp4")
    again = fragment(order, make_progress("delivered", version=10, film=other))
    late = fragment(order, make_progress("making", version=3))
    with chromium() as chrome:
        order_page_without_a_server(chrome, fragment(order, make_progress("delivered", version=9)))
        chrome.evaluate("document.querySelector('video').mark = 'the same film'")
        chrome.evaluate("document.querySelector('details').open = true")
        for html in (again, late):
            chrome.evaluate(SWAP, html)
            assert chrome.evaluate("document.querySelector('video').mark") == "the same film"
            assert chrome.get_attribute("video", "src") == "/m/film.mp4"
            assert chrome.evaluate("document.querySelector('details').open")


def gone(*_args: Any) -> None:
    """A gateway that does not answer."""
    raise GatewayError("nobody answers")


@pytest.mark.browser
@pytest.mark.parametrize("screen", ["390 light", "390 dark", "1280 light", "1280 dark"])
def test_axe_finds_nothing_and_nothing_sticks_out(live_server, fan_client, payment, screen, monkeypatch):
    placed = make_order(payment.order.creator, payment.order.fan)
    closed, away = (
        Payment.objects.create(
            order=make_order(placed.creator, placed.fan, OrderState.DRAFT), key=letter * 20, gateway="sandbox",
            amount=1950, currency="EUR", state=state,
        )
        for letter, state in (("c", PaymentState.CANCELLED), ("a", PaymentState.CREATED))
    )  # fmt: skip
    checkout = services.checkout
    monkeypatch.setattr(truth, "look", gone)
    monkeypatch.setattr(services, "checkout", lambda payment: gone() if payment == away else checkout(payment=payment))
    session = fan_client.cookies["sessionid"].value
    width, light = int(screen.split()[0]), screen.split()[1]
    pages = ["/", "/creators/mira/", "/accounts/logout/", "/orders/", f"/orders/{placed.code}/film/"]
    pages += [f"/pay/{payment.key}/", "/creators/nobody/"]
    # A payment that is over, one of which the bank says nothing, and a gateway that does not answer.
    pages += [f"/pay/{closed.key}/back/", f"/pay/{away.key}/back/", f"/pay/{away.key}/"]
    with chromium(viewport={"width": width, "height": 844}, color_scheme=light, reduced_motion="reduce") as chrome:
        chrome.goto(f"{live_server.url}/accounts/login/code/")
        assert violations(chrome) == []
        chrome.context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])
        for address in pages:
            chrome.goto(live_server.url + address)
            assert violations(chrome) == [], address
            assert chrome.evaluate("document.documentElement.scrollWidth") <= width, address
