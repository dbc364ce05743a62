"""Higgsfield's bells: signed, once, twice, early, forged, or never rung."""

# ruff: noqa: F811  (fixtures arrive as imports and are named again as arguments)

from __future__ import annotations

import base64
import contextlib
import functools
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import quote

import pytest

from pipeline.providers.base import BadHook, ProviderError
from pipeline.providers.higgsfield import Higgsfield
from pipeline.providers.signatures import sign_standard
from sandbox.higgsfield import KEY, SECRET, Settings, higgsfield
from sandbox.server import running

from .filming import FAST, fall, film, higgs, key, landed, sandbox, shot, told, trouble  # noqa: F401
from .waiting import soon

pytestmark = pytest.mark.slow  # they speak to a server, and wait for it

OTHER_SECRET = "whsec_" + base64.b64encode(b"the secret before").decode()
NOW = 1_800_000_000.0


@contextlib.contextmanager
def listening():
    """A site that takes every message down: (path, headers, body)."""
    heard: list[tuple[str, dict[str, str], bytes]] = []

    class Site(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            heard.append((self.path, {name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *what):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Site)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", heard
    finally:
        server.shutdown()
        server.server_close()


def heard_about(heard, path, count=1):
    assert soon(lambda: len([one for one in heard if one[0] == path]) >= count), heard
    return [one for one in heard if one[0] == path]


def test_the_vendor_rings_once_twice_early_flat_and_forged(shot, tmp_path):
    how = Settings(limit=50, secrets=(SECRET, OTHER_SECRET), http_allowed=True)
    with (
        running({"higgsfield": functools.partial(higgsfield, settings=how)}, speed=2000) as made,
        listening() as (site, heard),
    ):
        vendor = higgs(made, webhook=lambda key: f"{site}/hooks/{quote(key)}", secrets=(SECRET,))
        prepared = vendor.prepare(shot, tmp_path)

        def rung(key, count=1, **faults):
            fall(made, **faults)
            ident = vendor.submit(key, prepared, tmp_path).external_id
            if "hook_early" in faults:
                assert [one for one in heard if one[0] == f"/hooks/{key}"]
            found = heard_about(heard, f"/hooks/{key}", count)
            return ident, found

        ident, [(_, headers, body)] = rung("plain")
        news = vendor.verify(headers, body, time.time())
        assert (news.external_id, news.event_id) == (ident, f"msg_{ident}")
        assert len(headers["webhook-signature"].split()) == 2
        assert set(json.loads(body)) == {"request_id", "status", "error", "payload"}
        assert higgs(made, secrets=(OTHER_SECRET,)).verify(headers, body, time.time()) == news

        ident, [(_, headers, body)] = rung("flat", hook_flat=1)
        assert "video" in json.loads(body)
        assert vendor.verify(headers, body, time.time()).external_id == ident

        _, both = rung("twice", 2, hook_twice=1)
        assert len({vendor.verify(headers, body, time.time()).event_id for _, headers, body in both}) == 1

        ident, [(_, headers, body)] = rung("early", hook_early=1)
        assert vendor.verify(headers, body, time.time()).external_id == ident

        for name in ("hook_forged", "hook_stale", "hook_odd"):
            _, [(_, headers, body)] = rung(name, **{name: 1})
            with pytest.raises(BadHook):
                vendor.verify(headers, body, time.time())

        fall(made, hook_lost=1)
        landed(vendor, vendor.submit("lost", prepared, tmp_path).external_id, tmp_path)
        assert not [one for one in heard if one[0] == "/hooks/lost"]
        assert all(count == 1 for count in told(made, "_charged").values())


def test_a_hook_is_part_of_the_submission_and_of_what_the_key_stands_for(sandbox, shot, tmp_path, key):
    vendor = higgs(sandbox, webhook=lambda key: f"https://films.example/hooks/h/{quote(key)}?a=b&c=d")
    prepared = vendor.prepare(shot, tmp_path)
    first = vendor.submit(key, prepared, tmp_path)
    assert vendor.submit(key, prepared, tmp_path).external_id == first.external_id
    with pytest.raises(ProviderError, match="different parameters"):
        higgs(sandbox).submit(key, prepared, tmp_path)


@pytest.mark.parametrize(
    "url", ["https://127.0.0.1/h", "https://localhost/h", "https://u:p@films.example/h", "http://a.example/h"]
)
def test_the_vendor_takes_no_hook_that_leads_inside(sandbox, shot, tmp_path, key, url):
    vendor = higgs(sandbox, webhook=lambda key: url)
    with pytest.raises(ProviderError, match="hf_webhook") as no:
        vendor.submit(key, vendor.prepare(shot, tmp_path), tmp_path)
    assert trouble(no) == ("refused", False)


def test_a_plain_hook_is_never_given_to_a_vendor_on_the_open_internet(monkeypatch, tmp_path):
    sent: list[dict] = []
    vendor = Higgsfield(KEY, FAST, webhook=lambda key: f"http://localhost:8000/hooks/{key}")
    other = Higgsfield(KEY, FAST, webhook=lambda key: f"https://films.example/hooks/{key}")
    for one in (vendor, other):
        monkeypatch.setattr(type(one._http), "ask", lambda self, *what, **how: sent.append(how) or _Yes())
        one.submit("k", {"slug": FAST.slug, "body": {}}, tmp_path)
    assert sent[0]["params"] is None
    assert sent[1]["params"] == {"hf_webhook": "https://films.example/hooks/k"}


class _Yes:
    @staticmethod
    def json():
        return {"request_id": "a"}


BODIES = (
    {"request_id": "a-1", "status": "completed", "error": None, "payload": {"video": {"url": "https://x"}}},
    {"request_id": "a-1", "status": "completed", "video": {"url": "https://x"}},
)


def message(body, ident="msg_1", at=NOW, secret=SECRET):
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return sign_standard(ident, int(at), raw, secret), raw


def verify(headers, raw, secrets=(SECRET,)):
    return Higgsfield(KEY, FAST, secrets=secrets).verify(headers, raw, NOW)


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("secrets", [(SECRET,), (OTHER_SECRET, SECRET), (SECRET, OTHER_SECRET)])
@pytest.mark.parametrize("off", [-299, 0, 299])
def test_a_signed_message_names_its_job_in_either_shape(body, secrets, off):
    news = verify(*message(body, at=NOW + off), secrets)
    assert (news.event_id, news.external_id) == ("msg_1", "a-1")


@pytest.mark.parametrize("change", [
    lambda headers, raw: (headers, raw + b" "),
    lambda headers, raw: (headers | {"webhook-id": "msg_2"}, raw),
    lambda headers, raw: (headers | {"webhook-timestamp": str(int(NOW) + 1)}, raw),
    lambda headers, raw: (headers | {"webhook-timestamp": "soon"}, raw),
    lambda headers, raw: (headers | {"webhook-timestamp": "9" * 40}, raw),
    lambda headers, raw: (headers | {"webhook-signature": "v1,AAAA"}, raw),
    lambda headers, raw: (headers | {"webhook-signature": headers["webhook-signature"].replace("v1,", "v0,")}, raw),
    lambda headers, raw: (headers | {"webhook-signature": "v1,é" + "é" * 100_000}, raw),
    lambda headers, raw: ({}, raw),
    lambda headers, raw: (dict.fromkeys(headers, ""), raw),
    lambda headers, raw: message(raw, ident="m" * 201),
    lambda headers, raw: message(raw, at=NOW - 301),
    lambda headers, raw: message(raw, at=NOW + 301),
    lambda headers, raw: message(raw, secret=OTHER_SECRET),
    lambda headers, raw: message(b"x" * (64 * 1024 + 1)),
    lambda headers, raw: message(b"not JSON"),
    lambda headers, raw: message([]),
    lambda headers, raw: message({}),
    lambda headers, raw: message({"request_id": 7}),
    lambda headers, raw: message({"request_id": "../7"}),
])  # fmt: skip
def test_a_message_that_is_forged_stale_early_or_unclear_changes_nothing(change):
    with pytest.raises(BadHook):
        verify(*change(*message(BODIES[0])))


def test_without_a_secret_no_message_is_believed():
    with pytest.raises(BadHook):
        verify(*message(BODIES[0]), secrets=())
