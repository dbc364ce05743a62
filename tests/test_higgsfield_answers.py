"""Answers that nobody should have given to the Higgsfield client: no id, no state, addresses that lead elsewhere."""

# ruff: noqa: F811  (fixtures arrive as imports and are named again as arguments)

from __future__ import annotations

import pytest

from pipeline.providers.base import JobFailed, ProviderError
from pipeline.providers.higgsfield import Higgsfield
from sandbox.higgsfield import HOSTILE, KEY
from sandbox.server import Response, running

from .filming import FAST, OURS, shot, trouble  # noqa: F401

pytestmark = pytest.mark.slow  # they speak to a server, and wait for it


@pytest.fixture(scope="module")
def odd():
    """A server that answers "upload", "submit", "status" and "quote" with whatever is in its dict."""
    says: dict[str, object] = {}
    routes = [
        ("POST", "/files/generate-upload-url", lambda asked: Response(body=says["upload"])),
        ("POST", "/kling.*", lambda asked: Response(body=says["submit"])),
        ("GET", "/requests/.*", lambda asked: Response(body=says["status"])),
        ("POST", "/estimate/.*", lambda asked: Response(body=says["quote"])),
        ("PUT", "/moved", lambda asked: Response(307, headers={"Location": "http://127.0.0.1:9/"})),
    ]
    with running({"odd": lambda world: routes}) as made:
        yield made.at("odd"), says


@pytest.fixture
def answering(odd):
    """A vendor with these answers."""

    def vendor(**answers):
        odd[1].clear()
        odd[1].update(answers)
        return Higgsfield(KEY, FAST, base_url=odd[0])

    return vendor


@pytest.mark.parametrize(
    "answer", [None, [], "x", {}, {"request_id": 7}, {"request_id": "../x"}, {"request_id": "a b"}]
)
def test_a_yes_without_an_id_leaves_doubt(answering, answer, tmp_path):
    with pytest.raises(ProviderError) as no:
        answering(submit=answer).submit(OURS, {"slug": FAST.slug, "body": {}}, tmp_path)
    assert trouble(no) == ("unknown", True)


@pytest.mark.parametrize("answer", [None, [], "x", {}, {"status": None}, {"status": ["completed"]}, {"status": {}}])
def test_a_state_that_is_none_is_asked_for_again(answering, answer, tmp_path):
    with pytest.raises(ProviderError) as no:
        answering(status=answer).look("a", tmp_path)
    assert trouble(no) == ("passing", True)


def test_a_state_yet_to_be_invented_is_waited_for(answering, tmp_path):
    vendor = answering(status={"status": "polishing"})
    assert vendor.look("a", tmp_path).state == "pending"


@pytest.mark.parametrize(
    "url",
    [
        None, 7, "", "file:///etc/passwd", HOSTILE, "http://127.0.0.1:9/a.mp4", "https://127.0.0.1/a.mp4",
        "https://[::1]/a.mp4", "https://[::ffff:169.254.169.254]/a.mp4", "https://[64:ff9b::a9fe:a9fe]/a.mp4",
        "https://[2002:a9fe:a9fe::]/a.mp4", "https://me:word@cdn.higgsfield.ai/a.mp4", "https://evil.example/a.mp4",
        "https://cdn.higgsfield.ai.evil.example/a.mp4", "https://cdn.higgsfield.ai:22/a.mp4",
    ],
)  # fmt: skip
def test_a_clip_is_fetched_from_nowhere_but_the_vendor(answering, url, tmp_path):
    with pytest.raises(JobFailed):
        answering(status={"status": "completed", "video": {"url": url}}).look("a", tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "answer",
    [
        None,
        [],
        {"public_url": "https://a.example/x"},
        {"upload_url": "https://127.0.0.1/x", "public_url": "https://a.example/x"},
        {"upload_url": "http://a.example/x", "public_url": "https://a.example/x"},
        {"upload_url": "file:///tmp/x", "public_url": "https://a.example/x"},
        {"upload_url": "https://u:p@a.example/x", "public_url": "https://a.example/x"},
        {"upload_url": "https://10.0.0.1/x", "public_url": "ftp://a.example/x"},
        {"upload_url": "https://10.0.0.1/x", "public_url": "https://a.example/x", "upload_headers": "x"},
    ],
)
def test_a_picture_is_put_nowhere_inside(answering, answer, shot, tmp_path):
    with pytest.raises(ProviderError):
        answering(upload=answer).prepare(shot, tmp_path)


def test_an_upload_is_not_led_elsewhere(answering, shot, tmp_path):
    answer = {"public_url": "https://a.example/x", "upload_headers": {"x": "y\r\nz: a"}}
    vendor = answering(upload=answer)
    answer["upload_url"] = f"{vendor._http.base_url}/moved"
    with pytest.raises(ProviderError, match="uploading failed"):
        vendor.prepare(shot, tmp_path)
    answer["upload_headers"] = {}
    with pytest.raises(ProviderError, match="answered with 307"):
        vendor.prepare(shot, tmp_path)


@pytest.mark.parametrize("answer", [None, {}, {"usd": "NaN"}, {"usd": "-1"}, {"usd": []}, {"usd": "Infinity"}])
def test_a_price_that_is_none_is_none(answering, answer):
    vendor = answering(quote=answer)
    assert vendor.quote({"slug": FAST.slug, "body": {}}) is None
