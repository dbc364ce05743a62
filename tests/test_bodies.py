"""What a request may bring, and what a log may keep: looked at before anything is written down."""

from __future__ import annotations

import asyncio
import logging

import pytest

from videogen import bodies, origins
from videogen.logs import WithoutKeys


def ask(path: str, headers: dict[bytes, bytes], chunks: list[bytes]) -> tuple[list[dict], list[bytes]]:
    """Send a request through the limit to an app that reads it all; what was answered, and what the app was given."""
    given: list[bytes] = []
    answers: list[dict] = []

    async def app(scope, receive, send):
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            given.append(message["body"])
            if not message["more_body"]:
                await send({"type": "http.response.start", "status": 200, "headers": []})
                return

    feed = iter(
        [{"type": "http.request", "body": body, "more_body": i + 1 < len(chunks)} for i, body in enumerate(chunks)]
    )

    async def receive():
        return next(feed)

    async def send(message):
        answers.append(message)

    scope = {"type": "http", "path": path, "headers": list(headers.items())}
    asyncio.run(bodies.BodyLimit(app)(scope, receive, send))
    return answers, given


def test_a_small_form_passes():
    answers, given = ask("/", {b"content-length": b"3"}, [b"abc"])
    assert (answers[0]["status"], given) == (200, [b"abc"])


@pytest.mark.parametrize("length", [b"200000000", b"9" * 5000, b"-1", b"many"])
def test_what_is_announced_too_large_or_nonsense_is_refused_before_it_is_read(length):
    answers, given = ask("/", {b"content-length": length}, [b"abc"])
    assert (answers[0]["status"], given) == (413, [])
    assert b"too much at once" in answers[1]["body"]


def test_what_grows_too_large_without_saying_so_is_cut_off():
    megabyte = b"x" * bodies.MEGABYTE
    answers, given = ask("/", {}, [megabyte] * 200)
    assert answers == []
    assert len(given) == bodies.ORDINARY // bodies.MEGABYTE


def test_photos_may_bring_more_than_words():
    assert bodies.allowed("/orders/AAAA-BBBB/photos/add/") > 80 * bodies.MEGABYTE
    assert bodies.allowed("/orders/AAAA-BBBB/story/") == bodies.ORDINARY


@pytest.mark.parametrize(
    ("origin", "host", "scheme", "own"),
    [
        ("http://localhost:8000", "localhost:8000", "http", True),
        ("https://films.example", "films.example", "http", True),  # a proxy in front speaks https
        ("http://localhost:9999", "localhost:8000", "http", False),
        ("http://films.example", "films.example", "https", False),
        ("https://films.example.evil.example", "films.example", "https", False),
        ("null", "films.example", "https", False),
        ("", "", "https", False),
    ],
)
def test_a_socket_is_for_pages_of_this_very_site(origin, host, scheme, own):
    assert origins.is_own(origin, host, scheme) is own


def test_keys_in_addresses_do_not_stand_in_the_log(caplog):
    caplog.handler.addFilter(WithoutKeys())
    log = logging.getLogger("django.request")
    log.warning("%s: %s", "Not Found", "/media/WyJmaWxtcyI:secret-signature/film.mp4")
    log.warning("Not Found: /pay/k7Hq-secret-key-of-a-payment/")
    assert "secret" not in caplog.text
    assert "/media/…/film.mp4" in caplog.text
