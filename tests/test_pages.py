"""The pages a visitor meets outside the order wizard: what they say, for whom, and that nothing is inline."""

# ruff: noqa: F811  (fixtures arrive as imports and are named again as arguments)

from __future__ import annotations

import datetime as dt
import re

import pytest
from django.template.loader import render_to_string
from django.test import Client
from django.utils import timezone

from accounts.models import ApprovalMode, User, Voice, VoiceLicence
from billing.gateways.sandbox import CARDS
from billing.models import Price
from orders.models import Order, OrderState
from videogen import showcase
from videogen.templatetags import say

from .shopping import clean, creator, fan, fan_client, make_creator, make_order, page, payment  # noqa: F401

pytestmark = pytest.mark.django_db


# --- the shop window ---------------------------------------------------------------------------------------------


def test_an_occasions_own_price_does_not_stand_in_the_window(client, creator):
    Price.objects.create(creator=creator, seconds=30, occasion="birthday", amount=100)
    assert "from <b>€19</b>" in page(client, "/")


def test_the_home_page_shows_each_creator_with_the_lowest_price(client, creator):
    Price.objects.create(creator=creator, seconds=20, amount=1550)
    html = page(client, "/")
    assert "Mira Solveig Lark" in html
    assert "from <b>€15.50</b>" in html


def test_a_price_that_has_ended_is_not_shown(client, creator):
    Price.objects.create(creator=creator, seconds=20, amount=100, ends_at=timezone.now() - dt.timedelta(days=1))
    assert "from <b>€19</b>" in page(client, "/")


def test_a_creator_who_takes_no_orders_is_not_on_the_home_page_and_their_page_says_so(client):
    make_creator(is_active=False)
    assert "No creator takes orders at the moment" in page(client, "/")
    html = page(client, "/creators/mira/")
    assert "does not take orders at the moment" in html
    assert "Begin your film" not in html


def test_a_creator_whose_licence_has_run_out_cannot_be_ordered(client, creator):
    VoiceLicence.objects.update(ends_on=dt.date(2021, 1, 1))
    assert "Begin your film" not in page(client, "/creators/mira/")


def test_before_the_first_film_the_home_page_says_that_nothing_was_measured(client):
    assert "yours would be the first measured" in page(client, "/")


def test_after_the_first_film_the_home_page_says_how_long_it_took(client, creator, fan):
    order = make_order(creator, fan, OrderState.DELIVERED)
    Order.objects.filter(pk=order.pk).update(ended_at=order.placed_at + dt.timedelta(seconds=75))
    assert "The first film was there after 75 seconds" in page(client, "/")


def test_with_several_films_the_home_page_gives_the_median_and_the_slow_tenth(client, monkeypatch):
    monkeypatch.setattr(showcase, "measured", lambda: showcase.Measured(12, 70, 200))
    html = page(client, "/")
    assert "70 seconds" in html
    assert "3 minutes" in html
    assert "the latest 12 films" in html


def test_the_creator_page_says_what_the_voice_may_be_used_for(client, creator):
    VoiceLicence.objects.update(occasions=["birthday", "pet"])
    html = page(client, "/creators/mira/")
    assert "Birthday" in html
    assert "A pet" in html
    assert "Condolence" not in html


def test_a_voice_without_a_sample_says_so_instead_of_showing_a_dead_player(client, creator):
    Voice.objects.update(sample="creators/not-there.m4a")
    html = page(client, "/creators/mira/")
    assert "<audio" not in html
    assert "no sample of this voice yet" in html


def test_a_voice_with_a_sample_can_be_heard(client, creator, tmp_path, settings):
    (tmp_path / "mira.wav").write_bytes(b"RIFF")
    settings.STATICFILES_DIRS = [*settings.STATICFILES_DIRS, tmp_path]
    Voice.objects.update(sample="mira.wav")
    assert 'src="/static/mira.wav"' in page(client, "/creators/mira/")
    assert "Hear the voice" in page(client, "/")


def test_the_creator_page_says_who_looks_at_a_film(client):
    make_creator("pip", name="Pip Pepperwick", approval=ApprovalMode.EVERY_FILM)
    make_creator("mira")
    assert "looks at every film personally" in page(client, "/creators/pip/")
    assert "goes out as soon as our checks" in page(client, "/creators/mira/")


def test_beginning_a_film_is_a_form_and_not_a_link(client, creator):
    html = page(client, "/creators/mira/")
    assert '<form method="post" action="/orders/new/mira/"' in html


def test_an_unknown_creator_is_a_page_of_ours(client):
    assert "There is nothing to see here" in page(client, "/creators/nobody/", 404)


# --- my films ----------------------------------------------------------------------------------------------------


def test_a_visitor_without_films_is_shown_where_to_begin(client):
    html = page(client, "/orders/")
    assert "No films yet" in html
    assert "sign in to see your films" in html


def test_my_films_lists_each_state_in_its_words(fan_client, creator, fan):
    make_order(creator, fan, OrderState.DRAFT, name="")
    make_order(creator, fan, OrderState.PLACED)
    make_order(creator, fan, OrderState.DELIVERED)
    make_order(creator, fan, OrderState.REFUSED)
    html = page(fan_client, "/orders/")
    for words in ("A film for someone", "Go on with it", "Watch it being made", "Ready to watch", "See what happened"):
        assert words in html


def test_someone_elses_films_are_not_listed(fan_client, creator):
    make_order(creator, User.objects.create_user("other@example.org"), name="Strangername")
    assert "Strangername" not in page(fan_client, "/orders/")


def test_the_till_says_that_it_is_a_test_and_what_is_held(fan_client, payment):
    html = page(fan_client, f"/pay/{payment.key}/")
    assert "This is a test till: no real money moves." in html
    assert "Pay €19.50" in html
    assert html.count('type="radio"') == len(CARDS)
    assert "data-once" in html


def test_a_declined_card_is_said_and_stays_chosen(fan_client, payment):
    till = f"/pay/{payment.key}/"
    answer = fan_client.post(till, {"card": "declined"})
    assert answer.url == till, "a page of its own: the browser's back button leads to the till"
    html = page(fan_client, till)
    assert "notice--error" in html
    assert re.search(r'value="declined" required checked', html)
    assert "notice--error" not in page(fan_client, till), "it is said once"


# --- when something is not there, and mail -----------------------------------------------------------------------


@pytest.mark.parametrize("name", ["403.html", "404.html", "403_csrf.html", "429.html", "500.html"])
def test_error_pages_render_without_a_request(name):
    assert "<h1>" in clean(render_to_string(name))


@pytest.mark.parametrize("address", ["/nowhere/", "/orders/AAAA-BBBB/film/", "/media/forged/film.mp4", "/a.php?x=<b>"])
def test_what_is_not_there_is_said_kindly_in_the_demo_too(client, settings, address):
    settings.DEBUG = True
    assert "There is nothing to see here" in page(client, address, status=404)
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if "not_found" not in name]
    answer = Client().get(address)
    assert answer.status_code == 404
    assert b"DEBUG = True" in answer.content, "the control"


def test_the_demo_still_mends_a_missing_slash_and_still_shows_errors(client, creator, settings, monkeypatch):
    settings.DEBUG = True
    assert client.get("/creators/mira").status_code == 301
    monkeypatch.setattr("videogen.views.Creator.objects", None)
    client.raise_request_exception = False
    answer = client.get("/")
    assert (answer.status_code, b"Traceback" in answer.content) == (500, True)


def test_a_form_from_a_page_open_too_long_meets_a_kind_page(creator):
    answer = Client(enforce_csrf_checks=True).post("/orders/new/mira/")
    assert answer.status_code == 403
    assert "open too long" in clean(answer.content.decode())


@pytest.mark.parametrize("kind", ["ready", "attention", "review"])
def test_a_mail_says_the_same_in_text_and_in_html(creator, fan, kind):
    order = make_order(creator, fan, name="Eileen & Tom")
    context = {"order": order, "brief": order.brief, "creator": creator, "url": "https://example.org/orders/x/film/"}
    text = render_to_string(f"mail/{kind}.txt", context)
    html = render_to_string(f"mail/{kind}.html", context)
    assert "Eileen & Tom" in text
    assert "Eileen &amp; Tom" in html
    assert context["url"] in text
    assert context["url"] in html
    assert order.code in text


# --- figures as people say them ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("eta", "said"),
    [
        ((1, 4), "a few seconds left"),
        ((20, 40), "about 20–40 seconds left"),
        ((28, 30), "about 30 seconds left"),
        ((80, 200), "about 1–3 minutes left"),
        ((110, 130), "about 2 minutes left"),
        ((4000, 9000), "about 2 hours left"),
    ],
)
def test_time_left_is_a_range_that_says_how_sure_we_are(eta, said):
    assert say.time_left(eta) == said


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.2, "1 second"), (48, "48 seconds"), (150, "2 minutes"), (7200, "2 hours"), (259200, "3 days")],
)
def test_durations_use_the_unit_that_still_says_something(seconds, said):
    assert say.duration(seconds) == said


def test_measured_times_are_exact():
    assert [say.took(n) for n in (0.01, 0.42, 12.3, 125)] == ["< 0.1 s", "0.4 s", "12 s", "2 min 5 s"]
    assert [say.clock(n) for n in (31.6, 725)] == ["0:32", "12:05"]
