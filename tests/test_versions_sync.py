"""An order's versions side by side on the desk, in a real browser: what is done to one is done to the other."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.urls import reverse
from playwright.sync_api import Page

from accounts.models import User
from pipeline import rerun
from pipeline.models import Cut

from . import films
from .browsers import chromium, violations
from .entering import enter

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]

# Both films, the older one first.
FILMS = "const [older, newer] = [...document.querySelectorAll('[data-version]')].reverse();"
BOTH_PLAY = (
    "!older.paused && !newer.paused && newer.currentTime > 0.3 && Math.abs(older.currentTime - newer.currentTime) < 0.5"
)
BOTH_REST = "older.paused && newer.paused && Math.abs(older.currentTime - newer.currentTime) < 0.3"


def film(path: Path, seconds: int) -> bytes:
    """A film with a tone, which a browser plays."""
    with av.open(str(path), "w", options={"movflags": "faststart"}) as container:
        stream = container.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 90, 160, "yuv420p"
        for number in range(10 * seconds):
            picture = np.full((160, 90, 3), number % 250, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, "rgb24")))
        container.mux(stream.encode())
    return path.read_bytes()


@pytest.fixture
def address(bells: Any, monkeypatch: Any, tmp_path: Path) -> str:
    """The page of an order of which there are two versions, the newer one shorter."""
    first = films.waiting(bells, monkeypatch).cut.production
    rerun.rerun(order=first.order, change=rerun.Change("cut"), by=None, reason="", key="again")
    films.drain(bells)
    for cut, seconds in zip(Cut.objects.order_by("production__number"), (20, 12), strict=True):
        made = film(tmp_path / f"{cut.pk}.mp4", seconds)
        name = default_storage.save(f"films/{first.order.code}/{cut.pk}.mp4", ContentFile(made))
        Cut.objects.filter(pk=cut.pk).update(file=name, width=90, height=160, seconds=seconds)
    return reverse("admin:orders_order_change", args=[first.order.pk])


def sign_in(page: Page, base: str) -> None:
    session = enter(User.objects.get(email="staff@videogen.invalid")).cookies["sessionid"].value
    page.context.add_cookies([{"name": "sessionid", "value": session, "url": base}])


def wait(page: Page, condition: str) -> None:
    page.wait_for_function(f"() => {{ {FILMS} return {condition}; }}")


def do(page: Page, what: str) -> Any:
    return page.evaluate(f"() => {{ {FILMS} {what}; }}")


def test_what_is_done_to_one_version_is_done_to_the_other(live_server: Any, address: str) -> None:
    with chromium(viewport={"width": 1280, "height": 900}) as page:
        sign_in(page, live_server.url)
        page.goto(live_server.url + address)
        wait(page, "older.readyState >= 1 && newer.readyState >= 1")
        page.get_by_role("button", name="Play together").click()
        wait(page, BOTH_PLAY)
        assert page.locator("[data-version]").evaluate_all("films => films.map(film => film.muted)") == [False, True]
        assert violations(page) == []
        do(page, "older.pause()")
        wait(page, BOTH_REST)
        page.get_by_role("button", name="Play together").wait_for()
        do(page, "older.currentTime = 9")
        wait(page, "Math.abs(newer.currentTime - 9) < 0.3")
        do(page, "newer.currentTime = 4")
        wait(page, "Math.abs(older.currentTime - 4) < 0.3")
        do(page, "older.play()")
        wait(page, f"{BOTH_PLAY} && older.currentTime > 4")
        assert page.locator("[data-version]").evaluate_all("films => films.map(film => film.muted)") == [True, False]
        # The shorter one ends, and the other plays on.
        do(page, "older.currentTime = 11")
        wait(page, "newer.ended && !older.paused && older.currentTime > 12.3")
        page.get_by_role("button", name="Pause together").click()
        wait(page, "older.paused")
        do(page, "older.currentTime = 2")
        wait(page, "Math.abs(newer.currentTime - 2) < 0.3 && newer.paused")
        page.get_by_role("button", name="Play together").click()
        wait(page, "!older.paused && !newer.paused")


def test_negative_control_without_the_script_each_film_is_alone(live_server: Any, address: str) -> None:
    with chromium(viewport={"width": 1280, "height": 900}) as page:
        sign_in(page, live_server.url)
        page.route("**/js/versions*.js", lambda route: route.abort())
        page.goto(live_server.url + address)
        wait(page, "older.readyState >= 1 && newer.readyState >= 1")
        do(page, "older.play()")
        wait(page, "older.currentTime > 0.3")
        assert page.get_by_role("button", name="Play together").count() == 0
        do(page, "older.currentTime = 9")
        wait(page, "older.currentTime >= 9 && newer.currentTime === 0 && newer.paused")
