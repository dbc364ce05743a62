"""A real Chromium for the tests: found, else installed; where that fails the tests fail, they never skip."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .waiting import PATIENCE

if TYPE_CHECKING:  # loaded where a browser is really opened: files that hold other tests as well import this one
    from playwright.sync_api import Page


ROOT = Path(__file__).resolve().parent.parent
FLAGS = [
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--autoplay-policy=no-user-gesture-required",
]


@cache
def path() -> str:
    """Where the Chromium is; `bin/chromium` finds or installs it."""
    found = subprocess.run([ROOT / "bin" / "chromium"], capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr
    return found.stdout.strip().splitlines()[-1]


@contextmanager
def chromium(**context: Any) -> Iterator[Page]:
    """A page of a real Chromium. No database work while it is open.

    Whoever looks at it asks for calm: what turns for ever takes a processor where none draws pictures, and what is
    still fading has other colours than it will have.
    """
    from axe_playwright_python.base import AXE_FILE_PATH
    from playwright.sync_api import expect, sync_playwright

    with sync_playwright() as p:
        browser = p.chromium.launch(executable_path=path(), args=FLAGS)
        try:
            made = browser.new_context(**{"reduced_motion": "reduce"} | context)
            made.add_init_script(path=AXE_FILE_PATH)
            page = made.new_page()
            page.context.set_default_timeout(1000 * PATIENCE)
            expect.set_options(timeout=1000 * PATIENCE)
            yield page
        finally:
            browser.close()


def violations(page: Page) -> list[str]:
    """What axe finds on the page, a line each; empty when nothing."""
    from axe_playwright_python.sync_playwright import Axe

    page.wait_for_load_state()  # half a page is in nobody's order
    # In the context of a page that `chromium` made it is there already: half a megabyte need not be sent again.
    axe = Axe("0") if page.evaluate("'axe' in window") else Axe()
    return [f"{found['id']}: {found['nodes'][0]['html'][:120]}" for found in axe.run(page).response["violations"]]
