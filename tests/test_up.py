"""`up`: what it starts, and what it refuses to serve."""

from __future__ import annotations

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from sandbox.environment import environment
from videogen import site
from videogen.management.commands import up
from videogen.supervisor import Supervisor


@pytest.mark.parametrize("real", ["HIGGSFIELD_BASE_URL", "OPENAI_API_KEY"])
def test_the_sandbox_is_not_served_beside_a_site_that_would_ask_real_vendors(
    monkeypatch: pytest.MonkeyPatch, real: str
):
    # `bin/run --sand` and `bin/manage up --sandbox` reach the command and not the script that changes the settings.
    monkeypatch.setenv("SANDBOX_PORT", "8090")
    for name, value in environment("http://127.0.0.1:8090").items():
        monkeypatch.setenv(name, value)
    up.Command()._refuse_real_vendors()
    monkeypatch.setenv(real, "real")
    with pytest.raises(CommandError, match="in full"):
        call_command("up", "--sand")


@pytest.mark.parametrize("count", [1, 3])
def test_every_queue_has_a_worker_and_the_voice_as_many_as_the_settings_say(
    monkeypatch: pytest.MonkeyPatch, settings, count: int
):
    started: list[str] = []
    monkeypatch.setattr(site, "_wait_for_redis", lambda: None)
    monkeypatch.setattr(site, "_wait_for_web", lambda web: None)
    monkeypatch.setattr(Supervisor, "start", lambda supervisor, name, work: started.append(name))
    settings.VOICE_WORKERS = count
    site.start(Supervisor())
    workers = [name for name in started if name.startswith("worker ")]
    assert workers[:4] == [f"worker {queue}" for queue in settings.QUEUES]
    assert workers[4:] == ["worker voice 2", "worker voice 3"][: count - 1]
