"""Higgsfield against its sandbox: what goes over the wire, what every answer becomes, what is never paid twice."""

from __future__ import annotations

import base64
import contextlib
import functools
import itertools
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import quote
from urllib.request import urlopen

import pytest
from PIL import Image, ImageDraw

from pipeline.media import startframe
from pipeline.media.motion import Box
from pipeline.media.probe import probe
from pipeline.providers import higgsfield as client
from pipeline.providers.base import BadHook, JobFailed, ProviderError, ShotRequest
from pipeline.providers.higgsfield import DEFAULT_MODELS, Higgsfield, VideoModel, parse_models
from pipeline.providers.signatures import sign_standard
from sandbox.higgsfield import HOSTILE, KEY, SECRET, Settings, higgsfield
from sandbox.higgsfield_models import MODELS
from sandbox.server import Response, running

from . import samples
from .waiting import PATIENCE, soon

pytestmark = pytest.mark.slow  # they speak to a server, and wait for it

QUALITY, FAST = DEFAULT_MODELS
OURS = "PR-1.shot.1.take-1.1"
OTHER_SECRET = "whsec_" + base64.b64encode(b"the secret before").decode()
NOW = 1_800_000_000.0
_NUMBERS = itertools.count(1)


@pytest.fixture(scope="module")
def film():
    """One picture for all, so that its clips are drawn once."""
    with running({"higgsfield": functools.partial(higgsfield, settings=Settings(queue=100))}, speed=4000) as made:
        yield made


@pytest.fixture
def sandbox(film):
    """The sandbox with all switches off and an empty journal."""
    film.world.rules.clear()
    film.world.left.clear()
    film.world.journal.clear()
    return film


@pytest.fixture
def key():
    """A key of each test's own: the sandbox remembers."""
    return f"PR-1.shot.{next(_NUMBERS)}.take-1.1"


@pytest.fixture
def vendor(sandbox):
    return higgs(sandbox)


def higgs(sandbox, model=FAST, key=KEY, **how):
    return Higgsfield(key, model, base_url=sandbox.at("higgsfield"), **how)


@functools.cache
def _picture():
    return samples.jpeg_bytes(3, (600, 800))


@pytest.fixture
def shot(tmp_path):
    (tmp_path / "photo.jpg").write_bytes(_picture())
    return ShotRequest("photo.jpg", 1080, 1920, 3.4, ((0.4, 0.1, 0.2, 0.15),), prompt="A wave\n at the sea.").to_json()


def fall(sandbox, **faults):
    for name, times in faults.items():
        sandbox.world.switch(f"higgsfield.{name}", times, times=True)


def asked(sandbox, path, method="POST"):
    return sandbox.world.asked("higgsfield", path, method)


def told(sandbox, what):
    with urlopen(f"{sandbox.at('higgsfield')}/{what}") as answer:
        return json.loads(answer.read())


def landed(vendor, external_id, workdir):
    """Look until the job is over."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        answer = vendor.look(external_id, workdir)
        if answer.state == "done":
            return answer
        time.sleep(0.01)
    raise AssertionError("it never came")


@pytest.fixture
def started(sandbox, vendor, shot, tmp_path, key):
    """Film a shot: switch the faults on, submit, and look until it is over."""

    def film_it(vendor=vendor, **faults):
        fall(sandbox, **faults)
        pending = vendor.submit(key, vendor.prepare(shot, tmp_path), tmp_path)
        return landed(vendor, pending.external_id, tmp_path)

    return film_it


def trouble(error):
    return error.value.trouble, error.value.retryable


# --- the good way -----------------------------------------------------------------------------------------------------


def test_a_shot_is_uploaded_submitted_looked_at_and_fetched(sandbox, vendor, shot, tmp_path, key):
    prepared = vendor.prepare(shot, tmp_path)
    pending = vendor.submit(key, prepared, tmp_path)
    assert pending.state == "pending"
    assert 5 <= pending.poll_after <= 10
    answer = landed(vendor, pending.external_id, tmp_path)
    clip = probe(answer.files["video"])
    assert answer.result == {"kind": "clip", "model": FAST.slug, "seconds": clip.duration}
    assert clip.duration == pytest.approx(5, abs=0.1)
    assert clip.height > clip.width >= 320
    assert not clip.faststart
    assert answer.cost == vendor.estimate(shot) == vendor.estimate(prepared) == 5 * FAST.price_per_second
    assert told(sandbox, "_charged")[key] == 1


def test_a_clip_that_is_being_fetched_says_so(sandbox, vendor, shot, tmp_path, key):
    ident, pieces = vendor.submit(key, vendor.prepare(shot, tmp_path), tmp_path).external_id, []
    landed(vendor, ident, tmp_path)
    vendor.look(ident, tmp_path, lambda: pieces.append(1))
    assert pieces


def test_the_start_picture_is_put_with_every_signed_header_and_without_our_key(sandbox, vendor, shot, tmp_path):
    body = vendor.prepare(shot, tmp_path)["body"]
    put = asked(sandbox, "/_storage/", "PUT")[0]
    assert put.headers["x-amz-tagging"] == "retention=temporary"
    assert put.headers["content-type"] == "image/jpeg"
    assert "authorization" not in put.headers
    (tmp_path / "sent.jpg").write_bytes(put.body)
    with Image.open(tmp_path / "sent.jpg") as picture:
        assert picture.format == "JPEG"
        assert picture.width / picture.height == pytest.approx(1080 / 1920, abs=0.005)
        assert not picture.getexif()
    assert body[FAST.image_param].startswith(sandbox.at("higgsfield"))


def test_the_body_has_the_models_own_names_and_nothing_else(sandbox, shot, tmp_path):
    model = VideoModel("wan/v2.7/image-to-video", (2, 3, 4), 50_000, seed_param="seed", extra={"resolution": "720p"})
    prepared = higgs(sandbox, model).prepare({**shot, "seed": 7}, tmp_path)
    body = prepared["body"]
    assert set(body) == {"image_url", "prompt", "duration", "seed", "resolution"}
    assert (body["duration"], body["seed"], body["resolution"]) == (4, 7, "720p")
    assert body["prompt"] == f"A wave at the sea. {client.MANNER}"
    higgs(sandbox, model).submit(f"body-{OURS}", prepared, tmp_path)


@pytest.mark.parametrize("model", DEFAULT_MODELS, ids=lambda model: model.slug)
def test_the_default_models_are_understood_by_the_vendor_and_silent(sandbox, shot, tmp_path, model, key):
    prepared = higgs(sandbox, model).prepare(shot, tmp_path)
    higgs(sandbox, model).submit(key, prepared, tmp_path)
    assert "sound" not in MODELS[model.slug].keys or prepared["body"]["sound"] == "off"


def test_a_picture_of_our_own_address_is_not_uploaded(sandbox, vendor, shot, tmp_path):
    body = vendor.prepare({**shot, "image_url": "https://films.example/start.jpg?signed"}, tmp_path)["body"]
    assert body["image_url"] == "https://films.example/start.jpg?signed"
    assert sandbox.world.journal == []
    vendor = Higgsfield(KEY, FAST)
    with pytest.raises(ProviderError, match="https"):
        vendor.prepare({**shot, "image_url": "http://films.example/start.jpg"}, tmp_path)


@pytest.mark.parametrize(("wanted", "length"), [(0.5, 3), (3, 3), (3.1, 3), (3.4, 4), (14.9, 15), (40, 15)])
def test_the_shortest_length_that_covers_the_shot_is_bought(wanted, length):
    assert QUALITY.length(wanted) == length
    assert QUALITY.cost(wanted) == length * QUALITY.price_per_second


def test_quote_asks_for_todays_price_and_check_whether_the_key_is_good(sandbox, vendor, shot, tmp_path):
    assert vendor.quote(vendor.prepare(shot, tmp_path)) == 310_000
    assert vendor.check() == "the key is good"
    described = VideoModel("bytedance/seedance-2.5/image-to-video", (4, 5), 462_200)
    assert higgs(sandbox, described).quote(higgs(sandbox, described).prepare(shot, tmp_path)) is None
    assert told(sandbox, "_jobs") is not None
    with pytest.raises(ProviderError) as no:
        higgs(sandbox, key="who:ami").check()
    assert trouble(no) == ("locked", False)


# --- never paid twice -------------------------------------------------------------------------------------------------


def test_the_same_key_sends_the_same_bytes_and_is_charged_once(sandbox, vendor, shot, tmp_path, key):
    prepared = vendor.prepare(shot, tmp_path)
    stored = json.loads(json.dumps(prepared))  # as the board gives it back
    first = vendor.submit(key, prepared, tmp_path)
    again = vendor.submit(key, dict(reversed(stored.items())), tmp_path)
    assert first.external_id == again.external_id
    one, two = asked(sandbox, f"/{FAST.slug}")
    assert one.body == two.body
    assert one.headers["idempotency-key"] == two.headers["idempotency-key"] == key
    landed(vendor, first.external_id, tmp_path)
    assert vendor.submit(key, stored, tmp_path).poll_after == 0
    assert told(sandbox, "_charged")[key] == 1


def test_a_second_upload_would_be_another_body_and_is_refused_under_the_same_key(vendor, shot, tmp_path, key):
    vendor.submit(key, vendor.prepare(shot, tmp_path), tmp_path)
    with pytest.raises(ProviderError, match="Idempotency") as no:
        vendor.submit(key, vendor.prepare(shot, tmp_path), tmp_path)
    assert trouble(no) == ("refused", False)


@pytest.mark.parametrize("fault", ["error_after", "silent_after", "garbage_after"])
def test_an_answer_that_is_lost_after_the_yes_leaves_doubt_and_the_same_key_ends_it(
    sandbox, vendor, shot, tmp_path, key, fault
):
    prepared = vendor.prepare(shot, tmp_path)
    fall(sandbox, **{fault: 1})
    with pytest.raises(ProviderError) as lost:
        vendor.submit(key, prepared, tmp_path)
    assert trouble(lost) == ("unknown", True)
    assert vendor.find(key) is None
    assert vendor.recovery == "same_key"
    answer = landed(vendor, vendor.submit(key, prepared, tmp_path).external_id, tmp_path)
    assert answer.files["video"].exists()
    assert told(sandbox, "_charged")[key] == 1


# --- what is wrong, and so what may be done ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "meant", "says"),
    [
        ("bad_key", ("locked", False), "Invalid credentials"),
        ("no_credits", ("locked", False), "Insufficient credits"),
        ("retired", ("gone", False), "Model not found"),
        ("rejected", ("refused", False), "rejected"),
        ("blocked", ("passing", True), "temporarily blocked"),
        ("disabled", ("passing", True), "disabled"),
        ("error_before", ("unknown", True), "Internal Server Error"),
        ("busy", ("busy", True), "queue is full"),
    ],
)
def test_a_submission_that_is_refused_says_what_may_be_done(sandbox, vendor, shot, tmp_path, key, fault, meant, says):
    prepared = vendor.prepare(shot, tmp_path)
    fall(sandbox, **{fault: 1})
    with pytest.raises(ProviderError, match=says) as no:
        vendor.submit(key, prepared, tmp_path)
    assert trouble(no) == meant
    assert no.value.fan == ""
    assert not isinstance(no.value, JobFailed)
    assert no.value.retry_after == (1.0 if fault == "busy" else None)
    assert key not in told(sandbox, "_charged")
    assert vendor.submit(key, prepared, tmp_path).external_id  # the key was not used up


def test_an_unknown_parameter_is_refused_as_our_own_fault(sandbox, shot, tmp_path, key):
    odd = higgs(sandbox, VideoModel(FAST.slug, (5,), 1, extra={"sound": "off"}))
    with pytest.raises(ProviderError, match="Extra inputs") as no:
        odd.submit(key, odd.prepare(shot, tmp_path), tmp_path)
    assert trouble(no) == ("refused", False)


@pytest.mark.parametrize(("mode", "says"), [("a", "concurrent requests .2."), ("b", "queue is full")])
def test_over_the_limit_the_vendor_is_busy_in_both_its_manners(shot, tmp_path, mode, says):
    how = functools.partial(higgsfield, settings=Settings(limit=2, queue=1))
    with running({"higgsfield": how}, speed=1) as slow:
        slow.world.switch("higgsfield.mode_a", 1.0 if mode == "a" else 0.0)
        vendor = higgs(slow)
        prepared = vendor.prepare(shot, tmp_path)
        accepted = [vendor.submit(f"limit.{n}", prepared, tmp_path) for n in range(2 if mode == "a" else 3)]
        with pytest.raises(ProviderError, match=says) as no:
            vendor.submit("limit.9", prepared, tmp_path)
        assert trouble(no) == ("busy", True)
        if mode == "b":
            assert no.value.retry_after == 1
            vendor.cancel(accepted[-1].external_id)
            with pytest.raises(JobFailed, match="cancelled") as stopped:
                vendor.look(accepted[-1].external_id, tmp_path)
            assert trouble(stopped) == ("passing", True)
            assert "limit.2" not in told(slow, "_charged")
            vendor.submit("limit.9", prepared, tmp_path)


def test_a_job_that_is_being_filmed_goes_on_when_it_is_cancelled(sandbox, vendor, shot, tmp_path, key):
    fall(sandbox, never=1)
    ident = vendor.submit(key, vendor.prepare(shot, tmp_path), tmp_path).external_id
    assert soon(lambda: told(sandbox, "_jobs")[-1]["status"] != "queued")
    vendor.cancel(ident)
    assert vendor.look(ident, tmp_path).state == "pending"
    vendor.cancel(client.NOBODY)


@pytest.mark.parametrize(
    ("fault", "meant", "says"),
    [
        ("failed", ("passing", True), "Generation failed"),
        ("canceled", ("passing", True), "cancelled"),
        ("nsfw", ("refused", False), "filter"),
        ("no_clip", ("passing", True), "without a clip"),
        ("truncated", ("passing", True), "of no use"),
        ("garbage", ("passing", True), "of no use"),
        ("holes", ("passing", True), "of no use"),
        ("short", ("passing", True), "lasts only 1.0 s"),
        ("small", ("passing", True), "64 × 114 pixels"),
        ("page", ("refused", False), "text/html"),
        ("huge", ("refused", False), "bytes"),
        ("hostile", ("refused", False), "169.254.169.254"),
    ],
)
def test_a_job_that_came_to_nothing_is_over(sandbox, started, key, fault, meant, says):
    with pytest.raises(JobFailed, match=says) as over:
        started(**{fault: 1})
    assert trouble(over) == meant
    assert over.value.fan == ""
    free = key not in told(sandbox, "_charged")
    assert free == (fault in ("failed", "canceled", "nsfw"))
    assert over.value.cost == (0 if free else None), "what it charges is written down, also when we discard it"


@pytest.mark.parametrize(
    ("fault", "meant"),
    [
        ("status_error", ("passing", True)),
        ("status_lost", ("busy", True)),
        ("expired", ("unfetched", True)),
        ("cut", ("unfetched", True)),
        ("empty", ("unfetched", True)),
    ],
)
def test_a_question_or_a_fetch_that_fails_says_nothing_about_the_job_and_is_repeated(
    sandbox, vendor, started, shot, tmp_path, key, fault, meant
):
    with pytest.raises(ProviderError) as no:
        started(**{fault: 1})
    assert trouble(no) == meant
    assert not isinstance(no.value, JobFailed)
    ident = vendor.submit(
        key, {"slug": FAST.slug, "body": json.loads(asked(sandbox, f"/{FAST.slug}")[0].body)}, tmp_path
    )
    assert landed(vendor, ident.external_id, tmp_path).files["video"].exists()
    assert told(sandbox, "_charged")[key] == 1


def test_a_key_that_is_revoked_while_a_job_is_under_way_locks(sandbox, vendor, shot, tmp_path, key):
    ident = vendor.submit(key, vendor.prepare(shot, tmp_path), tmp_path).external_id
    with pytest.raises(ProviderError) as no:
        higgs(sandbox, key="old:key").look(ident, tmp_path)
    assert trouble(no) == ("locked", False)


def test_an_upload_that_fails_may_be_tried_again_and_costs_nothing(sandbox, vendor, shot, tmp_path):
    fall(sandbox, upload_error=1)
    with pytest.raises(ProviderError) as no:
        vendor.prepare(shot, tmp_path)
    assert trouble(no) == ("passing", True)
    assert vendor.prepare(shot, tmp_path)["body"]


def test_a_photo_or_a_size_that_cannot_be_is_our_own_fault(vendor, shot, tmp_path):
    (tmp_path / "bad.jpg").write_bytes(b"no picture")
    for wrong in ({"photo": "bad.jpg"}, {"photo": "missing.jpg"}, {"photo": "../../etc/passwd"}, {"width": 0}):
        with pytest.raises(ProviderError) as no:
            vendor.prepare(shot | wrong, tmp_path)
        assert trouble(no) == ("refused", False)


def test_the_picture_is_found_by_its_name_alone(vendor, shot, tmp_path):
    assert vendor.prepare(shot | {"photo": "orders/AB/photos/photo.jpg"}, tmp_path)["body"]


@pytest.mark.parametrize("ident", ["", "../models", "a/b", "x" * 65, "a b", "a\n"])
def test_an_id_that_cannot_be_theirs_is_not_asked_about(sandbox, vendor, tmp_path, ident):
    with pytest.raises(JobFailed):
        vendor.look(ident, tmp_path)
    assert sandbox.world.journal == []


def test_a_key_of_another_form_is_not_accepted():
    for wrong in ("", "id", "id:", ":secret", "id:se cret", "id:secret\n", "id:sécret"):
        with pytest.raises(ValueError, match="id:secret"):
            Higgsfield(wrong, FAST)


# --- answers nobody should have given ---------------------------------------------------------------------------------


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


# --- bells ------------------------------------------------------------------------------------------------------------


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


# --- the list of models -----------------------------------------------------------------------------------------------

MODEL = {"slug": "maker/model/image-to-video", "durations": [5, 10], "price_per_second": 1}


def test_models_are_read_from_text_or_list():
    text = json.dumps([MODEL, MODEL | {"slug": "a/b", "durations": "3-6", "extra": {"generate_audio": False}}])
    one, two = parse_models(text)
    assert (one.durations, one.image_param, one.speed) == ((5, 10), "image_url", "quality")
    assert (two.durations, two.extra) == ((3, 4, 5, 6), {"generate_audio": False})
    assert parse_models(json.loads(text)) == (one, two)


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ('[{"quality": NaN}]', "not JSON"),
        ("{}", "list of 1 to 20"),
        ("[]", "list of 1 to 20"),
        ([MODEL] * 21, "list of 1 to 20"),
        ([MODEL, MODEL], "same slug"),
        ([7], "model 1 is not an object"),
        ([{"slug": "a/b"}], r"model 1 \(a/b\) lacks durations"),
        ([MODEL | {"colour": "red"}], "'colour' is none of slug"),
        ([MODEL | {"slug": "../a"}], "slug must look"),
        ([MODEL | {"slug": "a/../b"}], "slug must look"),
        ([MODEL | {"slug": "a/b?c"}], "slug must look"),
        ([MODEL | {"slug": "one"}], "slug must look"),
        ([MODEL | {"slug": ["a/b"]}], "slug must look"),
        ([MODEL | {"durations": []}], "durations must be"),
        ([MODEL | {"durations": "5"}], "durations must be"),
        ([MODEL | {"durations": "9-3"}], "durations must be"),
        ([MODEL | {"durations": "1-99"}], "durations must be"),
        ([MODEL | {"durations": [5.5]}], "durations must be"),
        ([MODEL | {"durations": [True]}], "durations must be"),
        ([MODEL | {"price_per_second": -1}], "price_per_second must be"),
        ([MODEL | {"price_per_second": 0.07}], "price_per_second must be"),
        ([MODEL | {"speed": "slow"}], "speed must be"),
        ([MODEL | {"speed": []}], "speed must be"),
        ([MODEL | {"quality": 1.1}], "quality must be"),
        ([MODEL | {"quality": True}], "quality must be"),
        ([MODEL | {"image_param": ""}], "image_param must be"),
        ([MODEL | {"seed_param": "a-b"}], "seed_param must be"),
        ([MODEL | {"extra": {"a b": 1}}], "extra must be"),
        ([MODEL | {"extra": {"a": {}}}], "extra must be"),
        ([MODEL | {"extra": {"prompt": "mine"}}], "prompt is named twice"),
        ([MODEL | {"seed_param": "duration"}], "duration is named twice"),
        ([MODEL | {"hedge_after": 0}], "hedge_after must be"),
        ([MODEL | {"hedge_after": 100, "local_after": 50}], "local_after must not be less"),
    ],
)
def test_a_fault_in_the_list_of_models_is_said_in_one_sentence(source, says):
    with pytest.raises(ValueError, match=says) as fault:
        parse_models(source)
    assert "\n" not in str(fault.value)


# --- the start picture ------------------------------------------------------------------------------------------------

TALL, WIDE, SQUARE = (1080, 1920), (1920, 1080), (1080, 1080)
ANYWHERE = Box(0.25, 0.25, 0.5, 0.5)


def head(x, y, w=0.1, h=0.12):
    return Box(x, y, w, h)


@pytest.mark.parametrize("shape", [TALL, WIDE, SQUARE])
@pytest.mark.parametrize("photo", [(4000, 3000), (3000, 4000), (2000, 2000), (6000, 1500)])
@pytest.mark.parametrize(
    "faces", [[], [head(0, 0)], [head(0.9, 0.88)], [head(0.45, 0.02)], [head(0.4, 0.3), head(0.55, 0.5)]]
)
def test_a_crop_has_the_films_shape_lies_in_the_photo_and_cuts_no_face(photo, shape, faces):
    part = startframe.crop(photo, shape, faces, ANYWHERE)
    if part is None:
        around = max(face.right for face in faces) - min(face.x for face in faces)
        tall = max(face.bottom for face in faces) - min(face.y for face in faces)
        assert around * photo[0] > photo[1] * shape[0] / shape[1] or tall * photo[1] > photo[0] * shape[1] / shape[0]
        return
    assert part.w / part.h == pytest.approx(shape[0] / shape[1])
    assert Box(0, 0, *photo).holds(part, 1e-6)
    assert all(part.holds(face.scaled(*photo), 1e-6) for face in faces)
    assert max(part.w / photo[0], part.h / photo[1]) == pytest.approx(1), "as large as can be"


def test_without_faces_what_stands_out_is_in_the_middle():
    part = startframe.crop((4000, 1000), SQUARE, [], Box(0.7, 0.2, 0.1, 0.2))
    assert part.x + part.w / 2 == pytest.approx(3000)


@pytest.fixture
def marked(tmp_path):
    """A grey photo with a red head at each of these places, and the picture made of it."""

    def make(faces, shape, size=(1600, 1200), **how):
        photo = Image.new("RGB", size, (120, 120, 120))
        for face in faces:
            box = face.scaled(*size)
            ImageDraw.Draw(photo).rectangle((box.x, box.y, box.right - 1, box.bottom - 1), fill=(230, 20, 20))
        photo.save(tmp_path / "photo.jpg", quality=95)
        made = startframe.write(tmp_path / "photo.jpg", tmp_path / "start.jpg", shape, faces, ANYWHERE, **how)
        with Image.open(tmp_path / "start.jpg") as picture:
            assert picture.size == made
            return picture.convert("RGB")

    return make


def reds(picture):
    """The share of red pixels."""
    red, green, _ = picture.resize((200, 200)).split()
    both = zip(red.tobytes(), green.tobytes(), strict=True)
    return sum(r > 150 and g < 80 for r, g in both) / 40_000


@pytest.mark.parametrize(("shape", "size"), [(TALL, (720, 1280)), (WIDE, (1280, 720)), (SQUARE, (1200, 1200))])
def test_a_start_picture_has_the_films_shape_and_is_no_longer_than_it_need_be(marked, shape, size):
    faces = [head(0.8, 0.1)]
    picture = marked(faces, shape)
    expected = startframe.seen((1600, 1200), shape, faces, ANYWHERE, faces)[0]
    assert picture.size == pytest.approx(size, abs=100)
    assert max(picture.size) <= startframe.LONGEST
    assert reds(picture) == pytest.approx(expected.w * expected.h, rel=0.1)
    middle = (expected.x + expected.w / 2) * picture.width, (expected.y + expected.h / 2) * picture.height
    assert picture.getpixel(tuple(map(int, middle)))[0] > 200


def test_faces_that_no_crop_can_hold_are_shown_whole_on_a_soft_ground(marked):
    faces = [head(0.02, 0.3), head(0.88, 0.3)]
    assert startframe.crop((1600, 1200), TALL, faces, ANYWHERE) is None
    picture = marked(faces, TALL)
    assert picture.size == (720, 1280)
    seen = startframe.seen((1600, 1200), TALL, faces, ANYWHERE, faces)
    assert all(face.x >= 0 and face.right <= 1 for face in seen)
    assert reds(picture) == pytest.approx(sum(face.w * face.h for face in seen), rel=0.1)


def test_a_small_photo_is_enlarged_and_no_film_is_too_small(marked):
    assert marked([], TALL, size=(300, 400)).size == (404, 720)
    assert marked([], TALL, longest=320).size == (180, 320)
