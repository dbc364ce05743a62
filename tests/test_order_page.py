"""The order's page and its fragment: every state has its words, its one root, and an end to the asking."""

# ruff: noqa: F811  (fixtures arrive as imports and are named again as arguments)

from __future__ import annotations

import re

import pytest

from billing import receipt
from billing.models import Payment

from .shopping import FINAL, clean, creator, fan, fan_client, fragment, make_order, make_progress, page  # noqa: F401

pytestmark = pytest.mark.django_db


def test_the_order_page_shows_its_fan_where_the_film_stands(fan_client, creator, fan):
    order = make_order(creator, fan)
    html = page(fan_client, f"/orders/{order.code}/film/")
    assert 'id="progress"' in html
    assert f'ws-connect="/ws/orders/{order.code}/"' in html


@pytest.mark.parametrize("state", ["making", "review", *FINAL])
def test_the_fragment_has_one_root_with_its_id_in_every_state(creator, fan, state):
    html = clean(fragment(make_order(creator, fan), make_progress(state))).strip()
    assert html.startswith('<section id="progress"')
    assert html.endswith("</section>")
    # One root: the depth of sections comes back to nothing at the very end only.
    depth, roots = 0, 0
    for tag in re.findall(r"</?section\b", html):
        depth += -1 if tag.startswith("</") else 1
        roots += depth == 0
    assert (depth, roots) == (0, 1)


@pytest.mark.parametrize("state", FINAL)
def test_a_final_state_stops_the_asking(creator, fan, state):
    html = fragment(make_order(creator, fan), make_progress(state))
    assert "hx-trigger" not in html
    assert "hx-get" not in html


def test_while_it_is_made_the_fragment_asks_again_by_itself(creator, fan):
    order = make_order(creator, fan)
    html = fragment(order, make_progress())
    assert f'hx-get="/orders/{order.code}/film/progress/"' in html
    assert 'hx-trigger="every 5s"' in html


def test_a_pushed_fragment_says_how_it_is_swapped_in(creator, fan):
    order = make_order(creator, fan)
    assert 'hx-swap-oob="morph"' in fragment(order, make_progress(), oob=True)
    assert "hx-swap-oob" not in fragment(order, make_progress())


def test_progress_says_percent_time_left_and_items(creator, fan):
    html = fragment(make_order(creator, fan), make_progress())
    assert 'value="42"' in html
    assert "about 20–40 seconds left" in html
    assert "2 of 6" in html
    assert "0.4 s" in html
    assert "Scene 2 is not written yet" in html


def test_the_address_for_the_mail_is_shown_only_where_the_viewer_may_know_it(creator, fan):
    order = make_order(creator, fan)
    assert "eileen@example.org" not in fragment(order, make_progress())
    assert "eileen@example.org" in fragment(order, make_progress(), mail_to="eileen@example.org")


def test_a_delivered_film_can_be_watched_read_and_kept(creator, fan):
    order = make_order(creator, fan)
    Payment.objects.create(order=order, key="k" * 20, gateway="sandbox", amount=1900, currency="EUR", state="captured")
    html = fragment(order, make_progress("delivered"), receipt=receipt.of(order))
    assert "<video" in html
    assert "data-keep" in html
    assert '<track kind="captions" src="/m/c.vtt" srclang="en"' in html
    assert " default" not in html  # the captions are in the picture already
    assert 'href="/d/film.mp4" download' in html
    assert "8.6" in html
    assert "0:32" in html
    assert "Paid" in html


def test_a_film_with_the_creator_shows_who_looks_at_it(creator, fan):
    html = fragment(make_order(creator, fan), make_progress("review"))
    assert "Mira Solveig Lark has the last word" in html
    assert "About an hour." in html


def test_an_ending_without_a_film_says_what_it_cost(creator, fan):
    order = make_order(creator, fan)
    assert "What it cost" in fragment(order, make_progress("failed"))
    assert "Tell it differently, with the same photos" not in fragment(order, make_progress("failed"))
    assert "Tell it differently, with the same photos" in fragment(
        order, make_progress("failed"), restart_url="/again/"
    )
    Payment.objects.create(order=order, key="k" * 20, gateway="sandbox", amount=1900, currency="EUR", state="cancelled")
    assert "Released" in fragment(order, make_progress("refused"), receipt=receipt.of(order))


def test_a_strangers_order_is_not_there(client, creator, fan):
    assert "There is nothing to see here" in page(client, f"/orders/{make_order(creator, fan).code}/film/", 404)
