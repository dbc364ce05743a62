"""An answer has an end: whatever a vendor sends for ever, nobody waits for it longer than was said."""

from __future__ import annotations

import contextlib
import http.client
import socket
import threading
import time
from pathlib import Path

import openai
import pytest

from pipeline.providers import deadline, fetch, openai_client
from pipeline.providers.base import ProviderError
from pipeline.providers.http import Http

pytestmark = pytest.mark.slow  # they wait for a server

SECONDS = 0.5
VIDEO = b"Content-Type: video/mp4\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n" + VIDEO
ZIPPED = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n" + VIDEO
# What is sent at once, and then over and over: none of it is ever a whole answer.
ENDLESS = {
    "status": (b"HTTP/1.1 200 O", b"K"),
    "headers": (b"HTTP/1.1 200 OK\r\nX-Long: ", b"x"),
    "continue": (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "chunk extension": (CHUNKED + b"\r\n1;", b"x"),
    "trailers": (CHUNKED + b"\r\n1\r\nx\r\n0\r\n", b"X-More: x\r\n"),
    "gzip of nothing": (ZIPPED + b"\r\n\x1f\x8b\x08\x08" + bytes(6), b"a"),
}  # fmt: skip


@contextlib.contextmanager
def endless(first: bytes, again: bytes):
    """A server that never comes to an end of its answer."""
    over = threading.Event()

    def answer(peer: socket.socket) -> None:
        with contextlib.suppress(OSError), peer:
            peer.recv(65536)
            peer.sendall(first)
            while not over.wait(0.05):
                peer.sendall(again)

    def serve() -> None:
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=answer, args=(listening.accept()[0],), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=serve, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            over.set()


def ask(url: str, folder: Path) -> None:
    Http("The vendor", url, seconds=SECONDS).ask("POST", "/x", body={})


def quietly(url: str, folder: Path) -> None:
    with contextlib.suppress(ProviderError):
        ask(url, folder)


def get(url: str, folder: Path) -> None:
    fetch.safe_get(url + "/x", folder / "x", hosts=(), trusted=(url,), max_bytes=10**7, seconds=SECONDS)


def put(url: str, folder: Path) -> None:
    fetch.safe_put(url + "/x", b"x", {}, trusted=(url,), seconds=SECONDS)


def ask_openai(url: str, folder: Path) -> None:
    try:
        openai_client.client("key", url + "/v1", SECONDS).models.retrieve("x")
    except openai.OpenAIError as error:
        raise openai_client.trouble(error) from error


def seconds_of(way, url: str, folder: Path) -> float:
    began = time.monotonic()
    with pytest.raises(ProviderError) as no:
        way(url, folder)
    assert no.value.retryable
    return time.monotonic() - began


@pytest.mark.parametrize("kind", ENDLESS)
@pytest.mark.parametrize("way", [ask, get, ask_openai])
def test_an_answer_without_an_end_is_given_up_in_time(way, kind, tmp_path):
    with endless(*ENDLESS[kind]) as url:
        assert seconds_of(way, url, tmp_path) < 4 * SECONDS


@pytest.mark.parametrize("kind", ["status", "headers", "continue"])
def test_an_upload_waits_no_longer_for_the_head_of_its_answer(kind, tmp_path):
    with endless(*ENDLESS[kind]) as url:
        assert seconds_of(put, url, tmp_path) < 4 * SECONDS


def test_negative_control_a_sockets_own_timeout_never_comes(tmp_path, monkeypatch):
    monkeypatch.setattr(deadline._Plain, "response_class", http.client.HTTPResponse)
    with endless(*ENDLESS["headers"]) as url:
        waiting = threading.Thread(target=quietly, args=(url, tmp_path), daemon=True)
        waiting.start()
        waiting.join(6 * SECONDS)
        assert waiting.is_alive()
