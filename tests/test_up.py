"""`up`: what it refuses to serve."""

from __future__ import annotations

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from sandbox.environment import environment
from videogen.management.commands import up


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
