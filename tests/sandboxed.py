"""Vendors as they are when nothing is wrong with them: one sandbox for a process's contract tests, and its books."""

from __future__ import annotations

import functools
import weakref
from collections import Counter

import requests

from pipeline.providers.base import Provider
from pipeline.providers.custom_voice import CustomVoice
from pipeline.providers.elevenlabs import ElevenLabs
from sandbox.server import Sandbox
from sandbox.vendors import VENDORS


@functools.cache
def sandbox() -> Sandbox:
    """The sandbox, begun by the first who asks; its thread ends with the process."""
    made = Sandbox(VENDORS, speed=1000)
    made.start()
    return made


def openai_writer() -> Provider:
    from pipeline.providers.openai_writer import OpenAIWriter  # loads much, and most tests do without

    return OpenAIWriter("key", base_url=f"{sandbox().at('openai')}/v1")


def openai_speech() -> Provider:
    from pipeline.providers.openai_speech import OpenAISpeech

    return OpenAISpeech("key", base_url=sandbox().at("openai"))


def elevenlabs() -> Provider:
    return ElevenLabs("key", base_url=sandbox().at("elevenlabs"))


def custom_voice() -> Provider:
    """With a sandbox of its own: it remembers keys, and the contract tests use the same ones."""
    made = Sandbox({"custom-voice": VENDORS["custom-voice"]}, speed=1000)
    made.start()
    voice = CustomVoice("key", base_url=made.at("custom-voice"))
    weakref.finalize(voice, made.stop)
    return voice


def bought(sandbox: Sandbox) -> Counter[str]:
    """What the vendors' own books say they were asked to do, and charge for, since the sandbox began."""
    asked = sandbox.world.asked
    return Counter(
        {
            "openai-writer": len(asked("openai", "/v1/responses", "POST")),
            "elevenlabs": len(asked("elevenlabs", "/v1/text-to-speech", "POST")),
            # These two do what comes under one key once.
            "custom-voice": len({one.headers["idempotency-key"] for one in asked("custom-voice", "/v1/reads", "POST")}),
            "higgsfield": sum(requests.get(f"{sandbox.at('higgsfield')}/_charged", timeout=10).json().values()),
        }
    )
