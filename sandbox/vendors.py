"""Every pretended vendor: one file each, one line here."""

from __future__ import annotations

from collections.abc import Mapping

from .custom_voice import custom_voice
from .elevenlabs import elevenlabs
from .higgsfield import higgsfield
from .openai import openai
from .server import Vendor
from .stripe import stripe

VENDORS: Mapping[str, Vendor] = {
    "custom-voice": custom_voice,
    "elevenlabs": elevenlabs,
    "higgsfield": higgsfield,
    "openai": openai,
    "stripe": stripe,
}
