"""The fan's whole way in a real browser, on a phone: from the home page to the playing film."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from .browsers import chromium, violations
from .samples import STORY
from .test_processes import Site, gone

pytestmark = [pytest.mark.browser, pytest.mark.render, pytest.mark.slow]

FILM_SECONDS = 150
PLAYS = "() => { const it = document.querySelector('video'); it.play().catch(() => {}); return it.currentTime > 0.5 }"
NOTES = (
    "She dreamed of space as a girl, flew the shuttle, drinks too much coffee, "
    "and has a cat that thinks it is in command."
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("journey")
    (folder / "var").mkdir()
    made = Site(folder / "var", RENDER_SCALE="0.2", LEASE_SECONDS="30")
    made.start()
    yield made
    made.kill(signal.SIGTERM)
    assert gone(made), made.processes()


def shot(page: Page, name: str) -> None:
    """Keep a picture of the page where SCREENSHOTS names a folder."""
    if folder := os.environ.get("SCREENSHOTS"):
        page.screenshot(path=str(Path(folder) / f"{name}.png"), full_page=True)


def look(page: Page, name: str) -> None:
    """Every page of the way: nothing for axe, nothing sticks out."""
    shot(page, name)
    assert violations(page) == [], name
    width = page.viewport_size["width"]
    assert page.evaluate("document.documentElement.scrollWidth") <= width, name


def at_the_till(page: Page) -> None:
    """Pay with the card that works."""
    page.wait_for_url(re.compile("/pay/"))
    look(page, "till")
    page.get_by_role("button", name=re.compile("^Pay")).click()


def order_a_film(
    page: Page, base: str, creator: str, mail: str, name: str = "Eileen", till: Callable[[Page], None] = at_the_till
) -> str:
    """From the home page to the paid order; the address of its page."""
    page.goto(base + "/")
    look(page, "home")
    page.get_by_role("link", name=re.compile(creator)).first.click()
    look(page, f"creator-{creator.lower()}")
    page.get_by_role("button", name=re.compile("Begin|Make")).first.click()
    page.get_by_label(re.compile("Who is the film for|Their name|^Name", re.I)).first.fill(name)
    look(page, "for-whom")
    page.get_by_role("button", name=re.compile("go on", re.I)).last.click()
    page.wait_for_url(re.compile("/photos/$"))
    page.set_input_files("#photos-input", [str(path) for path in STORY])
    expect(page.locator("[data-photo]")).to_have_count(len(STORY))
    # The workers have looked at every photo and answered in words.
    expect(page.get_by_text(re.compile("face found", re.I)).first).to_be_visible()
    expect(page.get_by_text("Being checked")).to_have_count(0)
    look(page, "photos")
    page.get_by_role("button", name=re.compile("go on", re.I)).last.click()
    page.wait_for_url(re.compile("/story/$"))
    page.locator("#id_notes").fill(NOTES)
    expect(page.locator("#saved")).to_have_text("Saved")
    look(page, "story")
    page.get_by_role("button", name=re.compile("go on", re.I)).last.click()
    page.wait_for_url(re.compile("/summary/$"))
    for box in page.get_by_role("checkbox").all():
        assert not box.is_checked(), "consents are never ticked for the fan"
        box.check()
    look(page, "summary")
    page.get_by_role("button", name=re.compile("pay", re.I)).last.click()
    if page.locator("#id_email, [name=email]").count():
        sign_in(page, mail)
        page.get_by_role("button", name=re.compile("pay", re.I)).last.click()
    till(page)
    page.wait_for_url(re.compile("/film/$"))
    return page.url


def sign_in(page: Page, mail: str) -> None:
    page.get_by_label(re.compile("e-?mail", re.I)).fill(mail)
    look(page, "sign-in")
    page.get_by_role("button", name=re.compile("code|sign in|continue", re.I)).first.click()
    page.wait_for_selector("#id_code")
    look(page, "code")
    code = re.search(
        r"\b([A-Z0-9]{3,4}-?[A-Z0-9]{3,4})\b", page.locator(".demo, .notice, [data-demo]").first.inner_text()
    )
    assert code, page.inner_text("main")
    page.locator("#id_code").fill(code[1])
    page.get_by_role("button", name=re.compile("sign in|continue|confirm", re.I)).first.click()


def test_a_fan_on_a_phone_goes_from_home_to_the_playing_film(site: Site):
    base = f"http://localhost:{site.port}"
    with chromium(viewport={"width": 390, "height": 844}, has_touch=True) as page:
        problems: list[str] = []
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
        address = order_a_film(page, base, "Mira", "eileens-friend@films.example")
        seen: list[int] = []
        bar = page.locator("progress").first
        expect(bar).to_be_visible()
        look(page, "making")
        video = page.locator("video")
        for _ in range(FILM_SECONDS * 2):
            if video.count():
                break
            # In one look: the page may change between two.
            percent = page.evaluate("() => document.querySelector('progress')?.value")
            if percent is not None:
                seen.append(int(percent))
            page.wait_for_timeout(500)
        assert seen == sorted(seen), "the percentage went back"
        assert max(seen) < 99, "the percentage sat at the end"
        expect(video).to_be_visible()
        # Asked again and again: what the page is told in this moment may put another film in this one's place.
        page.wait_for_function(PLAYS)
        assert page.evaluate("() => document.querySelector('video').duration") > 20
        look(page, "delivered")
        part = page.request.get(base + video.get_attribute("src"), headers={"Range": "bytes=0-99"})
        assert (part.status, len(part.body())) == (206, 100)
        captions = page.request.get(base + page.locator("track").get_attribute("src"))
        assert captions.text().startswith("WEBVTT")
        assert problems == []
        # Someone else's browser learns nothing.
        stranger = page.context.browser.new_context().new_page()
        assert stranger.goto(address).status == 404
    assert site.ask("look")["broken"] == []
