"""Pay, wait for the creator, who has one shot changed and approves, get half back: pages, mail, books, gateway agree.

The fan orders at a wide screen and goes on with a phone; the creator reads on a phone and decides at a wide screen.
"""

from __future__ import annotations

import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from sandbox.environment import environment
from sandbox.server import running
from sandbox.vendors import VENDORS
from videogen.management.commands.sandbox import listen

from .browsers import chromium, violations
from .test_journey import look, order_a_film, shot
from .test_processes import Site, gone

pytestmark = [pytest.mark.browser, pytest.mark.render, pytest.mark.slow]

FAN, CREATOR, STAFF = "eileens-friend@films.example", "pip@videogen.invalid", "staff@videogen.invalid"
PHONE, WIDE = {"width": 390, "height": 844}, {"width": 1280, "height": 900}
PATIENCE = 180_000  # milliseconds


@pytest.fixture(scope="module")
def mails(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("mails")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, mails: Path) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("money")
    (folder / "var").mkdir()
    with running(VENDORS, speed=40) as sandbox:
        sandbox.world.switch("higgsfield.http_allowed", 1.0)
        made = Site(
            folder / "var", **environment(sandbox.url), REVIEW_UNDO_SECONDS="5", EMAIL_URL=f"filemail:///{mails}"
        )
        listen(sandbox.at("stripe"), f"http://127.0.0.1:{made.port}/hooks/stripe/")
        made.start()
        yield made
        made.kill(signal.SIGTERM)
        assert gone(made), made.processes()


@contextmanager
def desk_of(page: Page, base: str, mail: str) -> Iterator[Page]:
    """The desk in a browser of somebody's own, entered with a password."""
    context = page.context.browser.new_context(viewport=WIDE, reduced_motion="reduce")
    desk = context.new_page()
    desk.goto(f"{base}/admin/")
    desk.get_by_label(re.compile("e-?mail", re.I)).fill(mail)
    desk.get_by_label(re.compile("password", re.I)).first.fill("only-for-tests")
    desk.keyboard.press("Enter")
    desk.wait_for_url(re.compile("/admin/$"))
    yield desk
    context.close()


def by_stripe(page: Page) -> None:
    """Pay on the pretended Stripe's page."""
    assert violations(page) == []
    page.get_by_role("button", name="Pay").click()


def ask_for_another_shot(desk: Page) -> None:
    """With keys only: the film's page is open."""
    desk.wait_for_timeout(700)  # keys that were meant for the page before count for nothing
    desk.keyboard.press("c")
    desk.locator("input[name=code][value=face]").focus()
    desk.keyboard.press("Space")
    desk.locator("input[name=scene]").first.focus()
    desk.keyboard.press("Space")
    plan = desk.locator("[data-plan]")
    expect(plan).to_contain_text("Filming each shot: 1")
    expect(plan).to_contain_text("Costs at the most")
    shot(desk, "change-planned")
    desk.get_by_role("button", name="Have it made again").focus()
    desk.keyboard.press("Enter")


def test_fan_creator_and_staff_and_every_cent(site: Site, mails: Path) -> None:
    base = f"http://localhost:{site.port}"
    with chromium(viewport=WIDE, has_touch=True) as page:
        address = order_a_film(page, base, "Pip", FAN, "Robin", till=by_stripe)
        code = address.rstrip("/").split("/")[-2]
        site.wait_for("select state from pipeline_review", [("waiting",)])
        assert site.rows("select state, captured from billing_payment") == [("authorized", 0)]
        expect(page.get_by_text(re.compile("Pip Pepperwick is looking at your film"))).to_be_visible(timeout=PATIENCE)
        look(page, "review-fan")
        with desk_of(page, base, CREATOR) as desk:
            desk.set_viewport_size(PHONE)
            desk.goto(f"{base}/admin/pipeline/review/")
            shot(desk, "desk-queue")
            desk.get_by_role("link", name=re.compile("Robin")).click()
            expect(desk.locator("video")).to_be_visible()
            look(desk, "review-phone")
            desk.set_viewport_size(WIDE)
            desk.goto(f"{base}/admin/pipeline/review/next/")
            look(desk, "review")
            ask_for_another_shot(desk)
            site.wait_for("select state from pipeline_review order by id", [("changed",), ("waiting",)])
            shots = site.rows(
                "select distinct s.item from pipeline_call c join pipeline_step s on s.id = c.step_id "
                "join pipeline_production p on p.id = s.production_id where p.number = 2 and c.job = 'video'"
            )
            assert shots == [(1,)], "one shot was filmed again, and no other"
            desk.goto(f"{base}/admin/pipeline/review/next/")
            desk.get_by_role("button", name="Approve").click()
            expect(desk.locator("[data-toast]")).to_be_visible()
            expect(desk.get_by_text(re.compile("^\\s*Approved[.:]"))).to_be_visible()
            shot(desk, "approved")
        # The fan's page changes by itself.
        expect(page.locator("video")).to_be_visible(timeout=PATIENCE)
        assert page.url == address
        site.wait_for("select state, captured from billing_payment", [("captured", 1600)])
        page.set_viewport_size(PHONE)
        page.reload()
        expect(page.locator("video")).to_be_visible(timeout=PATIENCE)
        expect(page.get_by_text("Paid", exact=True)).to_be_visible()
        with desk_of(page, base, STAFF) as desk:
            desk.goto(f"{base}/admin/orders/order/?q={code}")
            desk.get_by_role("link", name=code).first.click()
            desk.wait_for_url(re.compile("/change/"))
            look(desk, "order")
            desk.get_by_role("link", name="Give money back").click()
            desk.get_by_label(re.compile("^Amount")).fill("8.00")
            desk.get_by_label("Reason", exact=True).select_option("goodwill")
            desk.get_by_label("Note").fill("Late by an hour.")
            look(desk, "refund")
            desk.get_by_role("button", name="Give it back").click()
            site.wait_for("select state, amount from billing_refund", [("done", 800)])
            desk.goto(f"{base}/admin/orders/order/?q={code}")
            desk.get_by_role("link", name=code).first.click()
            desk.wait_for_url(re.compile("/change/"))
            look(desk, "order-refunded")
        page.reload()
        expect(page.get_by_text(re.compile("€8 went back to your card"))).to_be_visible()
        look(page, "refunded")
    told = "\n".join(path.read_text() for path in mails.glob("*"))
    assert "€8" in told, told
    assert site.ask("look")["broken"] == []
    books = site.ask("books")
    assert books["differences"] == []
    assert sum(books["accounts"].values()) == 0
    # Of what stayed with us, the creator has the share that was agreed.
    assert books["owed"]["pip"] == 320
    assert site.ask("look")["broken"] == []
