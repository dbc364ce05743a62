"""Vendors' bells: whose they are, once each, at the right time or not, and what a wrong one may do (nothing)."""

from __future__ import annotations

import hmac
import json
import time
from base64 import b64encode

import pytest
from django.db import DatabaseError, OperationalError, connection
from django.urls import reverse
from django.utils import timezone

from pipeline import calls, engine, hook_links, hooks
from pipeline.models import Call, CallState, HookEvent, ProductionState, Step
from pipeline.providers.signatures import sign_standard

from . import locks, making

pytestmark = pytest.mark.django_db

SECRET, OLD = "whsec_" + "c2VjcmV0" * 4, "whsec_" + "b2xkLW9u" * 4


@pytest.fixture(autouse=True)
def vendor(settings):
    settings.HIGGSFIELD_KEY = "id:secret"
    settings.HIGGSFIELD_WEBHOOK_SECRETS = [SECRET, OLD]


@pytest.fixture
def call():
    production = making.production()
    step = Step.objects.get(production=production, stage="photos")
    return Call.objects.create(
        step=step,
        key="order.shot.1",
        provider="higgsfield",
        job="video",
        request={},
        sent_at=timezone.now(),
        state=CallState.NEW,
    )


@pytest.fixture
def rung(monkeypatch):
    heard: list[str] = []
    monkeypatch.setattr(engine, "ring_step", lambda production, stage, item: heard.append(stage))
    return heard


def message(job: str = "job-1") -> bytes:
    return json.dumps({"request_id": job, "status": "completed"}).encode()


def post(client, address: str, body: bytes, *, ident: str = "msg-1", at: float | None = None, secret: str = SECRET):
    signed = sign_standard(ident, int(at or time.time()), body, secret)
    return client.post(address, body, content_type="application/json", headers=signed)


def address(call: Call) -> str:
    return reverse("hooks:call", args=["higgsfield", hook_links.link("higgsfield", call.key).rsplit("/", 2)[1]])


def test_a_bell_rings_the_step_and_brings_the_vendors_id(client, call, rung):
    answer = post(client, address(call), message())
    assert (answer.status_code, answer.content) == (200, b"rung")
    call.refresh_from_db()
    assert (call.external_id, call.state, call.result) == ("job-1", CallState.SUBMITTED, {})
    assert rung == ["photos"]


@pytest.mark.parametrize("secret", [SECRET, OLD])
def test_the_same_message_counts_once_under_either_secret(client, call, rung, secret):
    assert [post(client, address(call), message(), secret=secret).content for _ in range(3)] == [
        b"rung",
        b"seen",
        b"seen",
    ]
    assert HookEvent.objects.get().outcome == "rung"
    assert rung == ["photos"]


def test_a_message_after_the_end_changes_nothing(client, call, rung):
    Call.objects.update(state=CallState.SUCCEEDED, external_id="job-1", ended_at=timezone.now())
    assert post(client, address(call), message()).content == b"late"
    assert Call.objects.get().state == CallState.SUCCEEDED
    assert rung == []


def test_a_message_that_waited_for_the_calls_own_answer_is_late(client, call, rung):
    ended = {"state": CallState.SUCCEEDED, "external_id": "job-1", "ended_at": timezone.now()}
    with locks.before(lambda: Call.objects.update(**ended)):
        assert post(client, address(call), message()).content == b"late"
    assert Call.objects.get().state == CallState.SUCCEEDED
    assert rung == []


def test_a_message_about_another_job_is_not_adopted(client, call, rung):
    Call.objects.update(external_id="job-7", state=CallState.SUBMITTED)
    assert post(client, address(call), message("job-1")).content == b"mismatch"
    assert Call.objects.get().external_id == "job-7"
    assert rung == []


def test_a_message_for_a_cancelled_order_rings_nobody(client, call, rung):
    call.step.production.state = ProductionState.CANCELLED
    call.step.production.save()
    assert post(client, address(call), message()).content == b"unwanted"
    assert rung == []


def test_a_message_nobody_waits_for_is_taken_and_written_down(client, rung):
    where = hook_links.link("higgsfield", "no.such.call").removeprefix("http://localhost:8000")
    where = "/" + where.split("/", 3)[-1] if "://" in where else where
    assert post(client, where, message()).content == b"unknown"
    assert HookEvent.objects.get().call is None


@pytest.mark.parametrize(
    ("how", "status"),
    [
        ({"secret": "whsec_" + "Zm9yZ2Vk" * 4}, 401),
        ({"at": 1_000_000_000}, 401),
        ({"at": 4_000_000_000}, 401),
    ],
)
def test_what_is_forged_or_stale_is_refused_and_changes_nothing(client, call, rung, how, status):
    assert post(client, address(call), message(), **how).status_code == status
    assert not HookEvent.objects.exists()
    assert rung == []
    call.refresh_from_db()
    assert call.external_id == ""


def test_a_changed_body_and_a_missing_signature_are_refused(client, call):
    signed = sign_standard("msg-1", int(time.time()), message(), SECRET)
    there = address(call)
    for body, headers in ((message("job-2"), signed), (message(), {})):
        assert client.post(there, body, content_type="application/json", headers=headers).status_code == 401
    assert not HookEvent.objects.exists()


def test_an_address_that_is_not_ours_is_not_there(client, call):
    other = hook_links.link("elevenlabs", call.key).rsplit("/", 2)[1]
    for signed in ("forged", other):
        assert post(client, reverse("hooks:call", args=["higgsfield", signed]), message()).status_code == 404
    assert post(client, reverse("hooks:vendor", args=["nobody"]), message()).status_code == 404


def test_without_a_secret_there_is_no_door(client, call, settings):
    settings.HIGGSFIELD_WEBHOOK_SECRETS = []
    assert post(client, address(call), message()).status_code == 404


def test_a_secret_without_a_key_in_it_opens_no_door(client, call, settings):
    settings.HIGGSFIELD_WEBHOOK_SECRETS = ["whsec_"]
    stamp = str(int(time.time()))
    forged = hmac.digest(b"", f"msg-1.{stamp}.".encode() + message(), "sha256")
    headers = {
        "webhook-id": "msg-1",
        "webhook-timestamp": stamp,
        "webhook-signature": f"v1,{b64encode(forged).decode()}",
    }
    there = address(call)
    assert client.post(there, message(), content_type="application/json", headers=headers).status_code == 401


@pytest.mark.parametrize("length", ["²", "9" * 5000, "-1", ""])
def test_a_length_that_is_no_number_is_refused_unread(client, call, length):
    signed = sign_standard("msg-1", int(time.time()), message(), SECRET)
    answer = client.post(
        address(call), message(), content_type="application/json", headers=signed, CONTENT_LENGTH=length
    )
    assert answer.status_code == 413


def test_too_much_is_refused_unread(client, call):
    assert post(client, address(call), b"x" * (hooks.LARGEST + 1)).status_code == 413


@pytest.mark.parametrize("body", [b"", b"null", b"[]", b"{", b'"x"', b"\xff\xfe", b'{"request_id": 7}', b"[" * 60_000])
@pytest.mark.parametrize("provider", ["higgsfield", "custom-voice"])
def test_a_signed_body_that_is_no_message_breaks_nothing(client, call, body, provider, settings):
    settings.CUSTOM_VOICE_WEBHOOK_SECRETS = [SECRET]
    there = address(call) if provider == "higgsfield" else reverse("hooks:vendor", args=[provider])
    assert post(client, there, body).status_code in (200, 401, 413)
    call.refresh_from_db()
    assert call.external_id == ""


@pytest.mark.parametrize(
    "body", [b"[" * 60_000, b'{"data": {"request_id": "\\ud800"}}', b'{"data": {"request_id": "\\u0000"}}']
)
def test_what_no_database_can_look_up_is_no_job_of_elevenlabs(client, body, settings):
    settings.ELEVENLABS_WEBHOOK_SECRETS = ["secret"]
    stamp = str(int(time.time()))
    signature = hmac.digest(b"secret", f"{stamp}.".encode() + body, "sha256").hex()
    answer = client.post(
        reverse("hooks:vendor", args=["elevenlabs"]),
        body,
        content_type="application/json",
        headers={"elevenlabs-signature": f"t={stamp},v0={signature}"},
    )
    assert (answer.status_code, answer.content) in [(200, b"unknown"), (401, b"")]


def test_our_own_trouble_asks_for_another_delivery(client, call, monkeypatch):
    def down(*args: object) -> str:
        raise DatabaseError("away")

    monkeypatch.setattr(hooks, "_record", down)
    assert post(client, address(call), message()).status_code == 503


def test_a_message_that_comes_while_the_database_is_locked_is_asked_for_again_and_then_counts(client, call, rung):
    def locked(execute, sql, params, many, context):
        if sql.startswith(("INSERT", "UPDATE")):
            raise OperationalError("database is locked")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(locked):
        assert post(client, address(call), message()).status_code == 503
    assert not HookEvent.objects.exists()
    assert rung == []
    assert post(client, address(call), message()).content == b"rung"
    assert rung == ["photos"]


def test_a_bell_before_our_sending_is_written_is_adopted_only_when_it_was_sent(client, call):
    Call.objects.update(sent_at=None)
    post(client, address(call), message())
    assert Call.objects.get().external_id == ""


def test_a_bell_makes_the_waiting_call_due(client, call, rung):
    later = timezone.now() + calls.FOLLOWED
    Call.objects.update(state=CallState.SUBMITTED, external_id="job-1", look_at=later)
    post(client, address(call), message())
    assert Call.objects.get().look_at < later
