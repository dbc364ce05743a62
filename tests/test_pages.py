"""The pages a visitor meets outside the order wizard: what they say, for whom, and that nothing is inline."""

from __future__ import annotations

import dataclasses
import datetime as dt
import re
from typing import Any

import pytest
from django.contrib.auth import get_user
from django.contrib.staticfiles import finders
from django.core import mail
from django.template.loader import render_to_string
from django.test import Client
from django.utils import timezone

from accounts.models import ApprovalMode, Creator, User, Voice, VoiceLicence
from billing import receipt
from billing.gateways.sandbox import CARDS
from billing.models import Payment, Price
from orders import drafts
from orders.models import Brief, Order, OrderState
from pipeline.progress import Film, Frame, Progress, StageLine
from videogen import showcase
from videogen.templatetags import say

from .browsers import chromium, violations

pytestmark = pytest.mark.django_db

INLINE = re.compile(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=|javascript:", re.IGNORECASE)
IDS = re.compile(r'\sid="([^"]+)"')
FINAL = ("delivered", "failed", "refused", "cancelled")


def make_creator(slug: str = "mira", **values) -> Creator:
    """A creator with a voice, a licence for everything and one price."""
    values = {
        "name": "Mira Solveig Lark",
        "tagline": "Tells it warmly",
        "bio": "Drawn.",
        "approval": "automatic",
    } | values
    creator = Creator.objects.create(slug=slug, **values)
    voice = Voice.objects.create(creator=creator, provider_voice=slug)
    VoiceLicence.objects.create(voice=voice, starts_on=dt.date(2020, 1, 1), terms="All of it.")
    Price.objects.create(creator=creator, seconds=30, amount=1900)
    return creator


@pytest.fixture
def creator() -> Creator:
    return make_creator()


@pytest.fixture
def fan() -> User:
    return User.objects.create_user("eileen@example.org")


@pytest.fixture
def fan_client(fan: User) -> Client:
    client = Client()
    client.force_login(fan, backend="django.contrib.auth.backends.ModelBackend")
    return client


def make_order(creator: Creator, fan: User, state: str = OrderState.PLACED, name: str = "Eileen") -> Order:
    """An order of this fan in this state."""
    placed = None if state == OrderState.DRAFT else timezone.now() - dt.timedelta(seconds=90)
    order = Order.objects.create(creator=creator, fan=fan, state=state, amount=1900, currency="EUR", placed_at=placed)
    Brief.objects.create(order=order, name=name)
    return order


def make_progress(state: str = "making", **values) -> Progress:
    """What the board might say of an order in this state."""
    stages = [StageLine("photos", "Looking at your photos", "done", 1, 1, 0.4)]
    stages.append(StageLine("narration", "Reading it aloud", "now", 2, 6, None))
    frames = [Frame(1, "Eileen, today is yours.", "/t/1.jpg", True, False), Frame(2, "", "", False, False)]
    film = Film(
        "/m/film.mp4", "/d/film.mp4", "/m/p.jpg", "/m/c.vtt", ["Eileen, today is yours."], 1080, 1920, 31.6, 9_000_000
    )
    made = Progress(
        code="ABCD",
        version=3,
        state=state,
        sentence="The story for Eileen is being written.",
        detail="About an hour.",
        percent=42,
        eta=(20, 40),
        elapsed=47,
        stages=stages,
        frames=frames,
        preview=None,
        film=film if state == "delivered" else None,
    )
    return dataclasses.replace(made, **values)


def fragment(order: Order, progress: Progress, **more) -> str:
    context = {"order": order, "brief": order.brief, "creator": order.creator, "progress": progress, **more}
    return render_to_string("pipeline/_progress.html", context)


def clean(html: str) -> str:
    """The page, having checked that nothing in it is inline and no id comes twice."""
    assert not INLINE.findall(html)
    ids = IDS.findall(html)
    assert len(ids) == len(set(ids))
    return html


def page(client: Client, address: str, status: int = 200) -> str:
    answer = client.get(address)
    assert answer.status_code == status
    return clean(answer.content.decode())


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


# --- signing in --------------------------------------------------------------------------------------------------


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


# --- the order page ----------------------------------------------------------------------------------------------


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


# --- the till ----------------------------------------------------------------------------------------------------


@pytest.fixture
def payment(creator, fan, monkeypatch) -> Payment:
    """A payment at the till for a draft that lacks nothing."""
    monkeypatch.setattr(drafts, "missing", lambda order: [])
    order = make_order(creator, fan, OrderState.DRAFT)
    return Payment.objects.create(order=order, key="k" * 20, gateway="sandbox", amount=1950, currency="EUR")


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
    assert [say.took(n) for n in (0.42, 12.3, 125)] == ["0.4 s", "12 s", "2 min 5 s"]
    assert [say.clock(n) for n in (31.6, 725)] == ["0:32", "12:05"]


# --- in a real browser -------------------------------------------------------------------------------------------


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


@pytest.mark.browser
@pytest.mark.parametrize("screen", ["390 light", "390 dark", "1280 light", "1280 dark"])
def test_axe_finds_nothing_and_nothing_sticks_out(live_server, fan_client, payment, screen):
    placed = make_order(payment.order.creator, payment.order.fan)
    session = fan_client.cookies["sessionid"].value
    width, light = int(screen.split()[0]), screen.split()[1]
    pages = ["/", "/creators/mira/", "/accounts/logout/", "/orders/", f"/orders/{placed.code}/film/"]
    pages += [f"/pay/{payment.key}/", "/creators/nobody/"]
    with chromium(viewport={"width": width, "height": 844}, color_scheme=light, reduced_motion="reduce") as chrome:
        chrome.goto(f"{live_server.url}/accounts/login/code/")
        assert violations(chrome) == []
        chrome.context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])
        for address in pages:
            chrome.goto(live_server.url + address)
            assert violations(chrome) == [], address
            assert chrome.evaluate("document.documentElement.scrollWidth") <= width, address
