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


@pytest.mark.parametrize(("queue", "count"), [("voice", 1), ("voice", 3), ("pixels", 2), ("render", 0)])
def test_every_queue_has_as_many_workers_as_the_settings_say(
    monkeypatch: pytest.MonkeyPatch, settings, queue: str, count: int
):
    started: list[str] = []
    monkeypatch.setattr(site, "_wait_for_redis", lambda: None)
    monkeypatch.setattr(site, "_wait_for_web", lambda web: None)
    monkeypatch.setattr(Supervisor, "start", lambda supervisor, name, work: started.append(name))
    settings.WORKERS = dict.fromkeys(settings.QUEUES, 1) | {queue: count}
    site.start(Supervisor())
    workers = [name for name in started if name.startswith("worker ")]
    assert [name for name in workers if queue not in name] == [f"worker {q}" for q in settings.QUEUES if q != queue]
    names = [f"worker {queue}", *(f"worker {queue} {number}" for number in range(2, count + 1))]
    assert [name for name in workers if queue in name] == names[:count]
