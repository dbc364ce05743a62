"""The review desk: what is shown of a film, and every way to decide about it."""

from __future__ import annotations

import datetime as dt

import pytest
import time_machine
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import ApprovalMode, Creator, User
from orders.models import Brief, Order
from pipeline import review_lights, review_marks, review_queue, reviewing, sweeping
from pipeline.models import Concern, Cut, Finding, Review, ReviewState, Scene, Subject

from . import films, making
from .desk import World
from .entering import enter

pytestmark = pytest.mark.django_db

MOST_QUERIES = 15


@pytest.fixture(autouse=True)
def second_thoughts(settings):
    """As on the site: a decision can be taken back."""
    settings.REVIEW_UNDO_SECONDS = 10


@pytest.fixture
def pip() -> Creator:
    making.creator()
    return Creator.objects.get(slug="pip")


@pytest.fixture
def browser(pip) -> Client:
    client = Client()
    client.force_login(pip.user)
    return client


def film(creator: Creator, name: str, number: int, *, hours: float = 5, verdict: str = "pass") -> Review:
    """A film that waits, promised within so many hours."""
    world = World(creator, name, number)
    Cut.objects.filter(pk=world.cut.pk).update(verdict=verdict)
    wanted = timezone.now() + dt.timedelta(hours=hours)
    Order.objects.filter(pk=world.order.pk).update(promised_at=wanted)
    Review.objects.filter(pk=world.review.pk).update(due_at=wanted)
    return Review.objects.get(pk=world.review.pk)


def page(review: Review, how: str = "") -> str:
    return reverse("admin:pipeline_review_change", args=[review.pk]) + how


def send(client: Client, review: Review, verdict: str, **more: object):
    told = {"verdict": verdict, "sha256": review.sha256} | more
    return client.post(reverse("admin:decide_review", args=[review.pk]), told, follow=True)


def text(response: object) -> str:
    return response.content.decode().replace("&#x27;", "’").replace("’", "'")


# --- what is shown ----------------------------------------------------------------------------------------------------


def test_the_page_shows_the_film_the_script_with_marks_the_photo_the_lights_and_the_licence(browser, pip):
    review = film(pip, "Zenobia", 1, verdict="warn")
    Brief.objects.filter(order=review.cut.production.order).update(
        must_say=["Hello, you!", "Never said."], sender="Kim"
    )
    Scene.objects.update(text="Zenobia, hello you.", fact="She likes tea.")
    Concern.objects.create(
        production=review.cut.production, what=Subject.SCRIPT, number=1, category="hate", score=0.4, source="ours"
    )
    Finding.objects.create(cut=review.cut, code="face_cut", severity="warn", sentence="A face is cut.", second=1.2)
    Finding.objects.create(cut=review.cut, code="photo_plain", severity="info", sentence="Too plain.")
    sheet = {"file": review.cut.file, "tile": [90, 160], "across": 2, "seconds": [0.5, 1.0, 1.2]}
    Cut.objects.update(sheet=sheet, timeline={"scenes": [[0.8, 3.0]]})
    seen = text(browser.get(page(review)))
    assert "<video" in seen
    assert '<mark class="rv-mark rv-mark--name">Zenobia</mark>' in seen
    assert '<mark class="rv-mark rv-mark--must">hello you</mark>' in seen
    assert "hate, 40% (ours)" in seen
    assert "from the notes:" in seen
    assert "in scene 1" in seen
    assert "not said word for word" in seen
    assert "The fan's photo for scene 1" in seen
    assert "A face is cut." in seen
    assert "Too plain." not in seen, "a note is no trouble"
    assert 'viewBox="0 160 90 160"' in seen, "the frame that shows the finding"
    assert "Birthday: allowed" in seen
    assert "No advertising, no politics." in seen


def test_an_occasion_the_licence_does_not_cover_is_said_in_red(browser, pip):
    review = film(pip, "Zenobia", 1)
    Brief.objects.update(occasion="condolence")
    assert "Condolence: not allowed" in text(browser.get(page(review)))


def test_the_queue_puts_the_oldest_promise_first_with_its_clock(browser, pip):
    film(pip, "Later", 1, hours=9)
    film(pip, "Sooner", 2, hours=1)
    film(pip, "Late", 3, hours=-2)
    seen = text(browser.get(reverse("admin:pipeline_review_changelist")))
    assert seen.index("Late</span>") < seen.index("Sooner</span>") < seen.index("Later</span>")
    assert "2\xa0hours late" in seen
    assert "3 films wait for you" in seen
    first = browser.get(reverse("admin:review_next"))
    assert first.url == page(Review.objects.get(cut__production__order__brief__name="Late"))


def test_an_empty_queue_says_so_and_is_no_dead_end(browser, pip):
    assert "Nothing waits for you" in text(browser.get(reverse("admin:pipeline_review_changelist")))
    assert browser.get(reverse("admin:review_next")).url == reverse("admin:pipeline_review_changelist")
    assert "No film that waits is all green" in text(browser.get(reverse("admin:review_green")))


# --- deciding ---------------------------------------------------------------------------------------------------------


def test_approving_leads_to_the_next_film_and_can_be_taken_back(browser, pip):
    first, second = film(pip, "First", 1, hours=1), film(pip, "Second", 2, hours=2)
    answer = send(browser, first, "approve")
    assert answer.redirect_chain[-1][0] == page(second)
    seen = text(answer)
    assert "Approved: the film for First." in seen
    assert "Take back" in seen
    back = browser.post(reverse("admin:review_undo"), {"review": [first.pk]}, follow=True)
    assert back.redirect_chain[-1][0] == page(first)
    assert "The film waits again" in text(back)
    first.refresh_from_db()
    assert first.state == ReviewState.WAITING
    assert "Take back" not in text(back)


def test_what_has_taken_effect_is_not_taken_back(browser, pip):
    review = film(pip, "First", 1)
    send(browser, review, "approve")
    Review.objects.update(takes_effect_at=timezone.now() - dt.timedelta(seconds=1))
    back = browser.post(reverse("admin:review_undo"), {"review": [review.pk]}, follow=True)
    assert "It was too late" in text(back)
    review.refresh_from_db()
    assert review.state == ReviewState.APPROVED


def test_refusing_needs_a_reason_and_flags_what_must_not_go_out(browser, pip):
    review = film(pip, "First", 1)
    assert "Please say why" in text(send(browser, review, "refuse"))
    review.refresh_from_db()
    assert review.state == ReviewState.WAITING
    send(browser, review, "refuse", reason="I would not say this.", unsafe="1")
    review.refresh_from_db()
    assert (review.state, review.code) == (ReviewState.REFUSED, "unsafe")


def test_a_version_that_is_not_the_one_shown_is_refused_with_a_sentence(browser, pip):
    review = film(pip, "First", 1)
    said = "was decided already, or has changed"
    assert said in text(send(browser, review, "approve", sha256="f" * 64))
    asked = browser.post(
        reverse("admin:review_ask", args=[review.pk]), {"code": "caption", "sha256": "f" * 64}, follow=True
    )
    assert said in text(asked) or "never finished" in text(asked)
    review.refresh_from_db()
    assert review.state == ReviewState.WAITING
    send(browser, review, "approve")
    assert said in text(send(browser, review, "approve")), "a second click decides nothing"


def test_two_people_do_not_take_one_film(browser, pip):
    first, second = film(pip, "First", 1, hours=1), film(pip, "Second", 2, hours=2)
    browser.get(page(first))
    other = Client()
    other.force_login(User.objects.get(email="staff@videogen.invalid"))
    seen = text(other.get(page(first)))
    assert "is looking at this film just now" in seen
    assert 'data-key="a"' not in seen
    assert other.get(reverse("admin:review_next")).url == page(second)
    assert "Somebody else is looking" in text(send(other, first, "approve"))
    assert other.post(reverse("admin:review_hold", args=[first.pk])).status_code == 409
    assert browser.post(reverse("admin:review_hold", args=[first.pk])).status_code == 204
    browser.post(reverse("admin:review_skip", args=[first.pk]))
    assert 'data-key="a"' in text(other.get(page(first))), "whoever goes on leaves it to others"


def test_skipping_goes_round_the_queue(browser, pip):
    first, second = film(pip, "First", 1, hours=1), film(pip, "Second", 2, hours=2)
    go = lambda review: browser.post(reverse("admin:review_skip", args=[review.pk])).url  # noqa: E731
    assert go(first) == page(second)
    assert go(second) == page(first)
    send(browser, first, "approve")
    assert go(second) == reverse("admin:pipeline_review_changelist"), "the only one is not its own next"


def test_only_what_is_green_is_approved_at_once_each_in_the_version_shown(browser, pip):
    good, odd, changed = film(pip, "Good", 1), film(pip, "Odd", 2, verdict="warn"), film(pip, "Changed", 3)
    noted = film(pip, "Noted", 4)
    Concern.objects.create(
        production=noted.cut.production, what=Subject.NOTES, number=0, category="hate", score=0.4, source="ours"
    )
    address = reverse("admin:review_green")
    seen = text(browser.get(address))
    assert "Good" in seen
    assert "Odd" not in seen
    assert "Noted" not in seen
    boxes = [f"{good.pk}:{good.sha256}", f"{odd.pk}:{odd.sha256}", f"{changed.pk}:{'f' * 64}", f"{noted.pk}:x", "no:x"]
    answer = text(browser.post(address, {"film": boxes}, follow=True))
    assert "4 films had changed or were taken" in answer
    assert "Approved: the film for Good." in answer
    states = dict(Review.objects.values_list("cut__production__order__brief__name", "state"))
    assert states == {"Good": "approved", "Odd": "waiting", "Changed": "waiting", "Noted": "waiting"}


def test_what_one_click_decided_is_taken_back_by_one_and_what_another_did_by_another(browser, pip):
    rows = [film(pip, name, number) for number, name in enumerate(("Good", "Better", "Best"), start=1)]
    send(browser, rows[0], "approve")
    boxes = [f"{row.pk}:{row.sha256}" for row in rows[1:]]
    seen = text(browser.post(reverse("admin:review_green"), {"film": boxes}, follow=True))
    assert seen.index("Approved: 2 films.") < seen.index("Approved: the film for Good."), "the last one first"
    assert seen.count('data-key="u"') == 1
    browser.post(reverse("admin:review_undo"), {"review": [row.pk for row in rows[1:]]})
    states = list(Review.objects.order_by("pk").values_list("state", flat=True))
    assert states == ["approved", "waiting", "waiting"]


def test_nobody_approves_anothers_green_films(pip):
    good = film(pip, "Good", 1)
    stranger = Client()
    stranger.force_login(User.objects.get(email="mira@videogen.invalid"))
    stranger.post(reverse("admin:review_green"), {"film": [f"{good.pk}:{good.sha256}"]})
    send(stranger, good, "approve")
    assert stranger.post(reverse("admin:review_undo"), {"review": [good.pk]}).status_code == 404
    good.refresh_from_db()
    assert good.state == ReviewState.WAITING


def test_who_may_only_look_decides_nothing(pip):
    review = film(pip, "First", 1)
    looker = User.objects.create_user("looker@films.example", is_staff=True)
    looker.user_permissions.set(Permission.objects.filter(codename__in=["view_review", "see_every_creator"]))
    client = Client()
    client.force_login(looker)
    seen = text(client.get(page(review)))
    assert "<video" in seen
    assert 'data-key="a"' not in seen
    assert send(client, review, "approve").status_code == 403
    assert client.get(reverse("admin:review_green")).status_code == 403
    review.refresh_from_db()
    assert (review.state, review.claimed_by) == (ReviewState.WAITING, None)


# --- asking for a change ----------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_a_change_says_what_it_takes_first_and_makes_a_new_version(bells, monkeypatch, client):
    review = films.waiting(bells, monkeypatch)
    client.force_login(review.creator.user)
    asked = text(client.get(page(review), {"code": "face", "scene": ["2"]}))
    assert "Made again" in asked
    assert "Takes about" in asked
    part = text(client.get(reverse("admin:review_plan", args=[review.pk]), {"code": "name", "respelling": ""}))
    assert "Spell the name as it is said" in part
    assert "<html" not in part
    review.refresh_from_db()
    assert review.state == ReviewState.WAITING, "looking at a plan does nothing"
    wish = {"code": "face", "scene": ["2"], "sha256": review.sha256}
    said = text(client.post(reverse("admin:review_ask", args=[review.pk]), wish, follow=True))
    assert "A change was asked for: the film for Eileen comes back to you." in said
    assert "Take back" in said
    back = client.post(reverse("admin:review_undo"), {"review": [review.pk]}, follow=True)
    assert "The film waits again" in text(back)
    client.post(reverse("admin:review_ask", args=[review.pk]), wish)
    review.refresh_from_db()
    assert (review.state, review.code) == (ReviewState.CHANGED, "face")
    with time_machine.travel(timezone.now() + dt.timedelta(seconds=11)):
        sweeping.sweep_once()
        films.drain(bells)
    newer = Review.objects.get(state=ReviewState.WAITING)
    assert newer.cut.production.based_on == review.cut.production
    again = client.post(reverse("admin:review_ask", args=[review.pk]), wish, follow=True)
    assert "was decided already" in text(again)
    assert Review.objects.filter(state=ReviewState.WAITING).count() == 1


def test_a_change_that_is_not_on_the_list_is_refused_with_a_sentence(browser, pip):
    review = film(pip, "First", 1)
    for code in ("", "unsafe", "other", "sql"):
        told = browser.post(
            reverse("admin:review_ask", args=[review.pk]), {"code": code, "sha256": review.sha256}, follow=True
        )
        assert "Choose what should be different." in text(told), code
    review.refresh_from_db()
    assert review.state == ReviewState.WAITING


# --- fast -------------------------------------------------------------------------------------------------------------


def test_every_page_of_the_desk_takes_few_queries_however_many_films_wait(browser, pip):
    for number in range(1, 13):
        film(pip, f"Film{number}", number, hours=number, verdict="pass" if number % 2 else "warn")
    pages = {
        "the queue": reverse("admin:pipeline_review_changelist"),
        "all": reverse("admin:pipeline_review_changelist") + "?show=all",
        "green": reverse("admin:review_green"),
        "the index": reverse("admin:index"),
        "orders": reverse("admin:orders_order_changelist"),
        "prices": reverse("admin:billing_price_changelist"),
    }
    browser.get(pages["the index"])
    for name, address in pages.items():
        with CaptureQueriesContext(
            connection,
        ) as caught:
            assert browser.get(address).status_code == 200
        assert len(caught) <= MOST_QUERIES, (name, len(caught), [query["sql"][:90] for query in caught])


def test_one_films_page_takes_the_same_queries_for_many_scenes(browser, pip):
    review = film(pip, "First", 1)
    browser.get(page(review))
    with CaptureQueriesContext(connection) as few:
        browser.get(page(review))
    scene = Scene.objects.get()
    for number in range(2, 9):
        Scene.objects.create(script=scene.script, number=number, text=f"{number}", photo=scene.photo)
        Finding.objects.create(cut=review.cut, code="jump", severity="warn", sentence="A jump.", second=1)
    with CaptureQueriesContext(connection) as many:
        browser.get(page(review))
    assert len(many) == len(few)


# --- words and lights -------------------------------------------------------------------------------------------------


def test_marks_lose_nothing_of_a_line_and_find_whole_words_only():
    line = "Ann, Annika says: happy 60th, dear ann!"
    made = review_marks.pieces(line, names=["Ann"], must_say=["Happy 60th -- dear Ann"])
    assert "".join(piece.text for piece in made) == line
    assert [(piece.text, piece.kind) for piece in made if piece.kind] == [
        ("Ann", "name"),
        ("happy 60th, dear ann", "must"),
    ]
    assert review_marks.says(["Hello.", line], "happy 60th dear ANN!!") == [2]
    assert review_marks.says([line], "…") == []
    flagged = review_marks.pieces("Ann is odd.", names=["Ann"], must_say=[], flagged=True)
    assert [piece.kind for piece in flagged] == ["name", "flag"]
    assert review_marks.pieces("", names=["Ann"], must_say=["x"]) == []


def test_lights_are_green_until_something_was_found_and_red_beats_amber():
    made = review_lights.lights(
        [
            Finding(code="jump", severity="warn", sentence="a"),
            Finding(code="freeze", severity="fail", sentence="b"),
            Finding(code="loudness", severity="info", sentence="c"),
            Finding(code="video_codec", severity="warn", sentence="d"),
        ]
    )
    assert {light.key: light.colour for light in made} == {
        "faces": "green",
        "picture": "red",
        "words": "green",
        "sound": "green",
        "rest": "amber",
    }


def test_what_can_be_taken_back_is_ones_own(pip):
    review = film(pip, "First", 1)
    reviewing.decide(review=review, approve=True, by=pip.user, sha256=review.sha256)
    assert [one.reviews for one in review_queue.undoable(pip.user)] == [[review]]
    assert review_queue.undoable(User.objects.get(email="staff@videogen.invalid")) == []


def test_the_creators_who_need_not_look_have_a_queue_too(db):
    quick = Creator.objects.filter(approval=ApprovalMode.AUTOMATIC).first() or making.creator()
    film(quick, "Odd", 1, verdict="warn")
    client = Client()
    client.force_login(quick.user)
    assert "One film waits for you" in text(client.get(reverse("admin:pipeline_review_changelist")))


def test_a_review_is_found_by_its_orders_code_and_by_the_beginning_of_a_name(pip):
    review = film(pip, "Eileen", 1)
    film(pip, "Quentin", 2)
    code = review.cut.production.order.code
    client = enter(User.objects.get(email="staff@videogen.invalid"))
    address = reverse("admin:pipeline_review_changelist")
    for term, found in ((code.lower(), 1), (code.replace("-", ""), 1), ("eile", 1), ("leen", 0), ("", 2)):
        assert client.get(address, {"q": term}).context["cl"].result_count == found, term
    assert client.get(address, {"q": "eile", "show": "all"}).context["cl"].result_count == 1
