"""The settings that lead a site to this sandbox instead of to real vendors.

`python -m sandbox.environment` prints them for a shell. All keys are replaced, so that no real one reaches anybody.
"""

from __future__ import annotations

import os
import shlex

from . import custom_voice, higgsfield, stripe_door

PORT = 8090


def environment(base_url: str) -> dict[str, str]:
    """Settings by name, for a sandbox at `base_url`."""
    return {
        "OPENAI_API_KEY": "sandbox",
        "OPENAI_BASE_URL": f"{base_url}/openai/v1",
        "HIGGSFIELD_KEY": higgsfield.KEY,
        "HIGGSFIELD_BASE_URL": f"{base_url}/higgsfield",
        "HIGGSFIELD_WEBHOOK_SECRETS": higgsfield.SECRET,
        "ELEVENLABS_API_KEY": "sandbox",
        "ELEVENLABS_BASE_URL": f"{base_url}/elevenlabs",
        "CUSTOM_VOICE_URL": f"{base_url}/custom-voice",
        "CUSTOM_VOICE_KEY": "sandbox",
        "CUSTOM_VOICE_WEBHOOK_SECRETS": custom_voice.SECRET,
        "STRIPE_SECRET_KEY": "sk_test_sandbox",
        "STRIPE_BASE_URL": f"{base_url}/stripe",
        "STRIPE_WEBHOOK_SECRETS": stripe_door.SECRET,
        "SPEECH_BASE_URL": "",
        "SPEECH_API_KEY": "",
    }


def port() -> int:
    """Where the sandbox listens on this machine. Raises ValueError."""
    return int(os.environ.get("SANDBOX_PORT") or PORT)


if __name__ == "__main__":
    for name, value in environment(f"http://127.0.0.1:{port()}").items():
        print(f"export {name}={shlex.quote(value)}")
