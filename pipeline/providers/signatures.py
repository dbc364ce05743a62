"""Signatures of webhooks: Standard Webhooks (Higgsfield, OpenAI, our own voice contract) and ElevenLabs' own.

Several secrets may be live at once, so that one can be changed without losing a message.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping, Sequence

from .base import BadHook

TOLERANCE = 300.0  # seconds a message may be old, or early
LARGEST = 64 * 1024


def standard(headers: Mapping[str, str], body: bytes, secrets: Sequence[str], now: float) -> str:
    """Verify a Standard Webhooks message (github.com/standard-webhooks/standard-webhooks, spec 1.0); its message id.

    The signature is base64(HMAC-SHA256(secret, "id.timestamp.body")); secrets are `whsec_` and base64. Raises BadHook.
    """
    ident, stamp, signed = (headers.get(f"webhook-{part}", "") for part in ("id", "timestamp", "signature"))
    if not ident or not stamp or not signed or len(ident) > 200:
        raise BadHook("the signature's headers are missing")
    _timely(stamp, now)
    content = f"{ident}.{stamp}.".encode() + body
    given = [part.partition(",")[2] for part in signed.split() if part.startswith("v1,")]
    wanted = [base64.b64encode(hmac.digest(key_of(secret), content, "sha256")).decode() for secret in secrets]
    if not any(hmac.compare_digest(one.encode(), two.encode()) for one in given for two in wanted):
        raise BadHook("the signature does not fit")
    return ident


def sign_standard(ident: str, stamp: int, body: bytes, secret: str) -> dict[str, str]:
    """The headers of a signed message: for tests, the sandbox, and whoever implements our voice contract."""
    content = f"{ident}.{stamp}.".encode() + body
    signature = base64.b64encode(hmac.digest(key_of(secret), content, "sha256")).decode()
    return {"webhook-id": ident, "webhook-timestamp": str(stamp), "webhook-signature": f"v1,{signature}"}


def elevenlabs(headers: Mapping[str, str], body: bytes, secrets: Sequence[str], now: float) -> str:
    """Verify ElevenLabs' `t=…,v0=hex` header over "t.body" (HMAC-SHA256); an id made of the message. Raises BadHook."""
    pairs = [part.strip().partition("=") for part in headers.get("elevenlabs-signature", "").split(",")]
    stamp = next((value for name, _, value in pairs if name == "t"), "")
    given = [value for name, _, value in pairs if name == "v0"]
    if not stamp or not given:
        raise BadHook("the signature's header is missing")
    _timely(stamp, now)
    content = f"{stamp}.".encode() + body
    wanted = [hmac.digest(secret.encode(), content, "sha256").hex() for secret in secrets]
    if not any(hmac.compare_digest(one.encode(), two.encode()) for one in given for two in wanted):
        raise BadHook("the signature does not fit")
    return hashlib.sha256(content).hexdigest()


def _timely(stamp: str, now: float) -> None:
    if not stamp.isascii() or not stamp.isdigit() or len(stamp) > 12 or abs(int(stamp) - now) > TOLERANCE:
        raise BadHook("the message is too old, too early or without a time")


def key_of(secret: str) -> bytes:
    """The key that a `whsec_` secret writes down. Raises BadHook."""
    try:
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadHook("our own webhook secret is not base64") from error
    if not key:  # whoever knows nothing could sign with it
        raise BadHook("our own webhook secret is empty")
    return key
