"""Higgsfield against its sandbox: what goes over the wire, what every answer becomes, what is never paid twice."""

# ruff: noqa: F811  (fixtures arrive as imports and are named again as arguments)

from __future__ import annotations

import functools
import json

import pytest
from PIL import Image

from pipeline.media.probe import probe
from pipeline.providers import higgsfield as client
from pipeline.providers.base import JobFailed, ProviderError
from pipeline.providers.higgsfield import DEFAULT_MODELS, Higgsfield, VideoModel
from sandbox.higgsfield import KEY, Settings, higgsfield
from sandbox.higgsfield_models import MODELS
from sandbox.server import running

from .filming import (  # noqa: F401
    FAST,
    OURS,
    QUALITY,
    asked,
    fall,
    film,
    higgs,
    key,
    landed,
    sandbox,
    shot,
    started,
    told,
    trouble,
    vendor,
)
from .waiting import soon

pytestmark = pytest.mark.slow  # they speak to a server, and wait for it


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
