"""The review desk in a real browser: a whole review with keys only, without the script, on a phone, in the dark."""

from __future__ import annotations

import re
from typing import Any

import av
import numpy as np
import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.test import Client
from playwright.sync_api import Page, expect

from pipeline.models import Cut, Review, ReviewState

from . import films
from .browsers import chromium, violations
from .test_review_desk import film, page

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]

SETTLED = 700  # milliseconds: keys decide nothing before


@pytest.fixture(autouse=True)
def second_thoughts(settings: Any) -> None:
    """Time enough to take something back on a slow machine."""
    settings.REVIEW_UNDO_SECONDS = 300


@pytest.fixture(scope="module")
def moving(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A film of twenty seconds that a browser plays."""
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    with av.open(str(path), "w", options={"movflags": "faststart"}) as container:
        stream = container.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 90, 160, "yuv420p"
        for number in range(200):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.full((160, 90, 3), number, np.uint8), "rgb24")))
        container.mux(stream.encode())
    return path.read_bytes()


@pytest.fixture
def reviews(bells: Any, monkeypatch: Any, moving: bytes) -> list[Review]:
    """Three films that wait, all of which play; the first one's production is whole."""
    first = films.waiting(bells, monkeypatch)
    made = [first, film(first.creator, "Second", 2, hours=100), film(first.creator, "Third", 3, hours=200)]
    for one in made:
        name = default_storage.save(f"films/{one.cut.production.order.code}/1/whole.mp4", ContentFile(moving))
        Cut.objects.filter(pk=one.cut_id).update(file=name, width=90, height=160, seconds=20)
    return made


def sign_in(desk: Page, base: str, review: Review) -> None:
    client = Client()
    client.force_login(review.creator.user, backend="django.contrib.auth.backends.ModelBackend")
    desk.context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": base}])


def settle(desk: Page, review: Review) -> None:
    """Be at this film's page, with its keys awake."""
    desk.wait_for_url(re.compile(f"/review/{review.pk}/change/"))
    expect(desk.locator("[data-keys-switch]")).to_be_attached()
    desk.wait_for_timeout(SETTLED)


def tab_to(desk: Page, words: str) -> None:
    for _ in range(40):
        desk.keyboard.press("Tab")
        if words in (desk.evaluate("document.activeElement.textContent") or ""):
            return
    raise AssertionError(f"{words} cannot be reached with the tab key")


def test_a_whole_review_with_keys_only(live_server: Any, reviews: list[Review]) -> None:
    first, second, third = reviews
    # Whoever asks for no calm sees the film play by itself.
    with chromium(viewport={"width": 1280, "height": 860}, reduced_motion="no-preference") as desk:
        problems: list[str] = []
        desk.on("pageerror", lambda error: problems.append(str(error)))
        desk.on("console", lambda said: problems.append(said.text) if said.type == "error" else None)
        sign_in(desk, live_server.url, first)
        desk.goto(live_server.url + page(first))
        settle(desk, first)
        playing = "!document.querySelector('video').paused"
        desk.wait_for_function(f"() => {playing}")
        desk.keyboard.press("2")
        assert desk.evaluate("document.querySelector('video').playbackRate") == 2
        desk.keyboard.press("Space")
        desk.wait_for_function(f"() => !({playing})")
        # One change: the panel has the focus, says what it takes, and the film goes to be made again.
        desk.keyboard.press("c")
        expect(desk.get_by_role("heading", name="Ask for a change")).to_be_visible()
        assert desk.evaluate("document.activeElement.name") == "code"
        desk.keyboard.press("a")  # in the panel a letter decides nothing
        desk.keyboard.press("ArrowUp")  # round to the last reason: a caption
        expect(desk.get_by_text("Costs at the most")).to_be_visible()
        expect(desk.locator("[data-short]")).to_contain_text("At most €0, about")
        tab_to(desk, "Have it made again")
        desk.keyboard.press("Enter")
        settle(desk, second)
        expect(desk.get_by_text("A change was asked for: the film for Eileen comes back to you.")).to_be_visible()
        desk.keyboard.press("a")
        settle(desk, third)
        expect(desk.get_by_text("Approved: the film for Second.")).to_be_visible()
        assert desk.evaluate("document.querySelector('video').playbackRate") == 2, "the speed is kept"
        desk.keyboard.press("u")
        settle(desk, second)
        expect(desk.get_by_text("The film waits again")).to_be_visible()
        # Refusing: letters go into the field; Escape leads back to the button.
        desk.keyboard.press("r")
        expect(desk.get_by_label(re.compile("^Why"))).to_be_focused()
        desk.keyboard.type("a can run")
        assert desk.get_by_label(re.compile("^Why")).input_value() == "a can run"
        desk.keyboard.press("Escape")
        expect(desk.get_by_role("heading", name="Refuse this film")).to_be_hidden()
        # Switched off, a key is only a letter; so is one with another key held down.
        desk.keyboard.press("Control+n")
        tab_to(desk, "Next")
        desk.keyboard.press("Tab")
        desk.keyboard.press("Space")
        desk.evaluate("document.activeElement.blur()")
        desk.keyboard.press("a")
        desk.wait_for_timeout(500)
        assert f"/review/{second.pk}/" in desk.url
        assert problems == []
    states = {one.pk: one.state for one in Review.objects.filter(pk__in=[one.pk for one in reviews])}
    assert states == {
        first.pk: ReviewState.CHANGED,
        second.pk: ReviewState.WAITING,
        third.pk: ReviewState.WAITING,
    }


def test_the_desk_works_before_the_script_is_there(live_server: Any, reviews: list[Review]) -> None:
    first, second, _third = reviews
    with chromium(viewport={"width": 390, "height": 844}, java_script_enabled=False) as desk:
        sign_in(desk, live_server.url, first)
        desk.goto(live_server.url + page(first))
        desk.get_by_role("link", name="Ask for a change").click()
        desk.get_by_label(re.compile("A caption is in the way")).check()
        desk.get_by_role("button", name="Show what it takes").click()
        expect(desk.get_by_text("Takes about")).to_be_visible()
        desk.get_by_role("link", name="Close").first.click()
        desk.get_by_role("button", name="Approve").click()
        desk.wait_for_url(re.compile(f"/review/{second.pk}/"))
        desk.get_by_role("button", name=re.compile("Take back")).click()
        desk.wait_for_url(re.compile(f"/review/{first.pk}/"))
        expect(desk.get_by_text("The film waits again")).to_be_visible()


@pytest.mark.parametrize("light", ["light", "dark"])
@pytest.mark.parametrize("size", [(390, 844), (1280, 860)], ids=["phone", "desk"])
def test_nothing_is_in_anyones_way(live_server: Any, reviews: list[Review], light: Any, size: tuple[int, int]) -> None:
    first = reviews[0]
    with chromium(viewport={"width": size[0], "height": size[1]}, color_scheme=light) as desk:
        sign_in(desk, live_server.url, first)
        for where in (
            page(first),
            page(first, "#change"),
            page(first, "#refuse"),
            "/admin/",
            "/admin/pipeline/review/",
            "/admin/pipeline/review/green/",
        ):
            desk.goto(live_server.url + where)
            assert violations(desk) == [], where
            assert desk.evaluate("document.documentElement.scrollWidth") <= size[0], where
            for button in desk.locator(".rv-bar button:visible, .rv-bar a:visible").all():
                box = button.bounding_box()
                assert box is not None
                assert box["height"] >= 44, (where, button.inner_text())
