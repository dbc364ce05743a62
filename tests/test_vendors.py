"""A whole film by vendors, pretended: who made what, and that the film arrives whatever they do."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command

from orders.models import OrderState
from pipeline import housekeeping, invariants, roster
from pipeline.models import Call, CallState, FirstLook, Production, Take, Vendor
from pipeline.models.story import TakeKind
from pipeline.providers import higgsfield
from pipeline.providers.base import Answer
from sandbox.environment import environment
from sandbox.server import Sandbox, running
from sandbox.vendors import VENDORS

from .samples import STORY
from .test_make_video import make, stored_files

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.render, pytest.mark.slow]


@pytest.fixture
def vendors(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Everybody but the voice is a vendor; an hour of theirs passes in seconds."""
    with running(VENDORS, speed=100) as sandbox:
        for name, value in environment(sandbox.url).items():
            wanted = [value] if name.endswith("_SECRETS") else value
            monkeypatch.setattr(settings, name, wanted)
        sandbox.world.switch("higgsfield.http_allowed", 1.0)
        monkeypatch.setattr(settings, "RENDER_SCALE", 0.2)
        monkeypatch.setattr(higgsfield, "LOOK_AGAIN", 0.5)  # their seconds are short here, too
        yield sandbox


def film(tmp_path: Any) -> Production:
    report, code = make(*STORY, out=tmp_path / "film.mp4", seconds=20)
    assert (code, report["delivered"]) == (0, True)
    production = Production.objects.get()
    assert production.order.state == OrderState.DELIVERED
    assert [*invariants.broken()] == []
    return production


def takes(production: Production) -> list[tuple[str, str]]:
    found = Take.objects.filter(shot__scene__script__production=production, selected=True)
    return sorted({(take.provider, take.kind) for take in found})


@pytest.fixture
def after_the_first_look(monkeypatch: pytest.MonkeyPatch) -> None:
    """No shot lands before it: on a slow machine all would, and then there is none."""
    look = higgsfield.Higgsfield.look

    def later(vendor: higgsfield.Higgsfield, external_id: str, *more: Any) -> Answer:
        if FirstLook.objects.exists():
            return look(vendor, external_id, *more)
        return Answer("pending", external_id=external_id, poll_after=higgsfield.LOOK_AGAIN)

    monkeypatch.setattr(higgsfield.Higgsfield, "look", later)


@pytest.mark.usefixtures("after_the_first_look")
def test_with_keys_the_vendors_make_it_and_film_again_what_is_of_no_use(vendors: Sandbox, tmp_path: Any) -> None:
    vendors.world.switch("higgsfield.garbage", 1, times=True)
    production = film(tmp_path)
    assert takes(production) == [("higgsfield", TakeKind.CLIP)]
    assert production.script.call.provider == "openai-writer"
    calls = Call.objects.filter(step__production=production, provider="higgsfield")
    [lost] = calls.exclude(state=CallState.SUCCEEDED)
    assert (lost.state, lost.attempt) == (CallState.FAILED, 1)
    again = calls.get(attempt=2)
    assert (again.step, again.name, again.state) == (lost.step, lost.name, CallState.SUCCEEDED), again.error
    assert {call.name for call in lost.step.calls.all()} == {lost.name}, "nobody else was asked: it is not late"
    assert all(0 < call.cost <= call.estimate for call in calls)
    [sound] = FirstLook.objects.get(production=production).segments
    assert sound.endswith(".m4a")
    pieces = [name for take in Take.objects.filter(selected=True) for name in take.segments]
    ready = production.events.get(name="film.cut").data["ready"]
    assert ready == len(pieces) + 1, "what landed, and the first look's sound, are in the film as they are"
    shots = production.script.scenes.count()
    assert len(pieces) >= 2 * shots + 3, "shots, the title, the end and every dissolve are encoded when a clip lands"
    assert not any(call.maybe_paid_twice for call in calls)
    seen = [call.result["seen"] for call in calls.filter(state=CallState.SUCCEEDED)]
    assert not [found for one in seen for found in one if found["severity"] == "fail"], "they begin with their photos"
    stored = {path.relative_to(settings.MEDIA_ROOT).as_posix() for path in stored_files()}
    assert stored <= housekeeping.known_names(), "a file that no row speaks of would be swept away"
    assert set(FirstLook.objects.get().segments.values()) <= stored


def test_whoever_fails_is_stood_in_for(vendors: Sandbox, tmp_path: Any) -> None:
    vendors.world.switch("openai.refusal", 1.0)
    vendors.world.switch("higgsfield.nsfw", 1.0)
    production = film(tmp_path)
    assert production.script.call.provider == "local-writer"
    assert takes(production) == [("local-studio", TakeKind.STILL)]


def test_what_gives_moderation_pause_is_looked_at_by_a_person(
    vendors: Sandbox, tmp_path: Any, monkeypatch: Any
) -> None:
    monkeypatch.setattr(settings, "VIDEO", "local")
    vendors.world.switch("openai.flagged", 1.0)
    production = film(tmp_path)
    assert production.script.call.provider == "openai-writer"
    assert {concern.what for concern in production.concerns.all()} >= {"notes", "photo", "script"}
    assert not production.cut.review.automatic


def test_the_doctor_asks_every_vendor(vendors: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    names = {vendor.name for vendor in roster.vendors()}
    assert {"openai-writer", "higgsfield", "elevenlabs", "custom-voice"} <= names
    vendors.world.switch("higgsfield.bad_key", 1.0)
    with pytest.raises(SystemExit):
        call_command("doctor")
    told = capsys.readouterr().out
    assert all(name in told for name in names)
    assert not Vendor.objects.exists(), "a question of the doctor's opens no breaker"


def test_every_provider_is_found_by_the_name_on_its_calls(vendors: Sandbox) -> None:
    for name in [*roster.VOICES, "local-writer", "openai-writer", "openai-moderation"]:
        found = roster.by_name(name)
        assert found is not None
        assert found.name == name
    model = roster.video_models()[0].slug
    found = roster.by_name("higgsfield", model)
    assert found is not None
    assert (found.name, found.model) == ("higgsfield", model)
    assert roster.by_name("nobody") is None
