"""Keys as people paste them: half, with a line break, of another form. The site says so before it takes an order."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.checks import run_checks
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command

from accounts.models import Voice
from pipeline import roster
from videogen import demo

SECRET = "whsec_" + "c2VjcmV0" * 4


def test_a_site_without_vendors_and_one_with_good_keys_have_nothing_to_say(settings: Any) -> None:
    assert run_checks(tags=["vendors"]) == []
    settings.HIGGSFIELD_KEY, settings.HIGGSFIELD_WEBHOOK_SECRETS = "id:secret", [SECRET]
    settings.CUSTOM_VOICE_URL, settings.CUSTOM_VOICE_KEY = "https://voice.example", "key-1"
    assert run_checks(tags=["vendors"]) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("HIGGSFIELD_KEY", "the-id-alone"),
        ("HIGGSFIELD_KEY", "id:secret\n"),
        ("OPENAI_API_KEY", "sk-proj–1"),
        ("ELEVENLABS_API_KEY", "two words"),
        ("SPEECH_API_KEY", "kéy"),
        ("CUSTOM_VOICE_KEY", "a\nb"),
        ("HIGGSFIELD_WEBHOOK_SECRETS", [SECRET, "not base64!"]),
        ("CUSTOM_VOICE_WEBHOOK_SECRETS", ["whsec_"]),
        ("CUSTOM_VOICE_URL", "voice.example"),
        ("SPEECH_BASE_URL", "localhost:8880/v1"),
        ("HIGGSFIELD_BASE_URL", ""),
        ("VIDEO_MODELS", "[]"),
        ("VIDEO", "hollywood"),
        ("WRITER", "openai"),
    ],
)
@pytest.mark.django_db
def test_what_no_vendor_can_be_asked_with_is_named_at_the_start_and_by_the_doctor(
    settings: Any, capsys: pytest.CaptureFixture[str], name: str, value: Any
) -> None:
    setattr(settings, name, value)
    [error] = run_checks(tags=["vendors"])
    assert error.msg.startswith(name)
    assert error.is_serious()
    secret = value if isinstance(value, str) else value[-1]
    assert "KEY" not in name or secret.strip() not in error.msg, "a key is not said aloud"
    with pytest.raises(SystemExit):
        call_command("doctor")
    assert error.msg in capsys.readouterr().out


def test_a_key_of_another_form_stops_whoever_would_film_with_it(settings: Any) -> None:
    settings.HIGGSFIELD_KEY = "the-id-alone"
    with pytest.raises(ImproperlyConfigured, match="HIGGSFIELD_KEY"):
        roster.vendors()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("provider", "key", "value"),
    [
        ("elevenlabs", "ELEVENLABS_API_KEY", "key"),
        ("custom-voice", "CUSTOM_VOICE_URL", "http://127.0.0.1:9"),
        ("openai-speech", "SPEECH_BASE_URL", "http://127.0.0.1:9"),
    ],
)
def test_the_doctor_names_a_voice_nobody_can_be_asked_to_read_with(
    settings: Any, capsys: pytest.CaptureFixture[str], provider: str, key: str, value: str
) -> None:
    demo.seed()
    Voice.objects.filter(pk=Voice.objects.first().pk).update(provider=provider)  # type: ignore[union-attr]
    with pytest.raises(SystemExit):
        call_command("doctor")
    assert f"{provider} reads for a creator, and {key} is not set" in capsys.readouterr().out
    setattr(settings, key, value)
    assert list(roster.unread()) == []


@pytest.mark.django_db
@pytest.mark.parametrize("name", [name for name in roster.VOICES if name != "local-voice"])
def test_whoever_reads_the_lines_is_named_to_the_fan(name: str) -> None:
    demo.seed()
    assert not any("read aloud" in sentence for sentence in roster.sharing().words)
    Voice.objects.update(provider=name)
    assert any("read aloud" in sentence for sentence in roster.sharing().words)
