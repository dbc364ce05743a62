"""One sandbox for all contract tests of a process: vendors as they are when nothing is wrong with them."""

from __future__ import annotations

import functools
import weakref

from pipeline.providers.base import Provider
from pipeline.providers.custom_voice import CustomVoice
from pipeline.providers.elevenlabs import ElevenLabs
from pipeline.providers.openai_speech import OpenAISpeech
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
