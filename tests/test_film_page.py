"""The finished film's page in a real browser: a link that runs out while the film plays."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any

import av
import numpy as np
import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.test import Client

from orders.models import OrderState
from pipeline import media_links, services
from pipeline.models import Cut, Delivery

from . import making
from .browsers import chromium

pytestmark = [pytest.mark.browser, pytest.mark.render, pytest.mark.slow, pytest.mark.django_db(transaction=True)]

SIZE, RATE, SECONDS = (480, 270), 30, 16


@pytest.fixture(scope="module")
def film(tmp_path_factory) -> bytes:
    """A film of noise: more bytes than a browser fetches before it needs them."""
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    dice = np.random.default_rng(1)
    pictures = [dice.integers(0, 256, (SIZE[1], SIZE[0], 3), np.uint8) for _ in range(8)]
    with av.open(str(path), "w", options={"movflags": "faststart"}) as container:
        options = {"preset": "ultrafast", "qp": "8", "g": "1"}
        stream = container.add_stream("libx264", rate=RATE, options=options)
        stream.width, stream.height, stream.pix_fmt = *SIZE, "yuv420p"
        for number in range(RATE * SECONDS):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pictures[number % 8], "rgb24")))
        container.mux(stream.encode())
    return path.read_bytes()


@pytest.fixture
def order(film):
    made = making.draft()
    made.state = OrderState.PLACED
    made.save()
    production = services.start(order=made)
    name = default_storage.save(f"films/{made.code}/1/film.mp4", ContentFile(film))
    size = {"width": SIZE[0], "height": SIZE[1], "fps": RATE, "seconds": SECONDS, "size": len(film)}
    cut = Cut.objects.create(production=production, file=name, sha256="a" * 64, **size)
    Delivery.objects.create(order=made, cut=cut)
    made.state = OrderState.DELIVERED
    made.save()
    return made


JUMP = "document.querySelector('video').currentTime = 12"
AT = "document.querySelector('video').currentTime"


@pytest.mark.parametrize("renews", [True, False], ids=["it plays on", "negative control: without the script it stops"])
def test_a_film_whose_link_runs_out_plays_on_where_it_was(
    live_server: Any, order: Any, monkeypatch: pytest.MonkeyPatch, settings: Any, *, renews: bool
) -> None:
    clock = SimpleNamespace(ahead=0.0, time=lambda: time.time() + clock.ahead)
    monkeypatch.setattr(media_links, "time", clock)
    client = Client()
    client.force_login(order.fan, backend="django.contrib.auth.backends.ModelBackend")
    with chromium() as page:
        if not renews:
            page.route("**/js/order*.js", lambda route: route.abort())
        session = client.cookies["sessionid"].value
        page.context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])
        asked: list[tuple[str, int]] = []
        page.on(
            "response", lambda answer: asked.append((answer.url, answer.status)) if "/media/" in answer.url else None
        )
        page.goto(f"{live_server.url}/orders/{order.code}/film/")
        first = page.get_attribute("video", "src")
        page.wait_for_function("() => document.querySelector('video').readyState >= 1")
        page.evaluate("document.querySelector('video').muted = true")
        page.evaluate("document.querySelector('video').play()")
        page.wait_for_function(f"() => {AT} > 0.2")
        clock.ahead = settings.MEDIA_LINK_SECONDS + media_links.STEP + 1
        page.evaluate(JUMP)
        if renews:
            page.wait_for_function(f"() => {AT} > 12.3")
            assert page.get_attribute("video", "src") != first
            assert not page.evaluate("document.querySelector('video').paused")
        else:
            page.wait_for_function("() => document.querySelector('video').error !== null")
            assert page.get_attribute("video", "src") == first
        assert any(status == 404 for _, status in asked), "the link had run out"
