"""What may go wrong with a pretended Higgsfield: its switches, and what a submission is refused with."""

from __future__ import annotations

from collections.abc import Mapping

from . import bells
from .world import register

# What a submission is refused with, by switch; nothing has been done and the key is not used up.
REFUSALS: Mapping[str, tuple[int, str]] = {
    "bad_key": (401, "Invalid credentials"),
    "no_credits": (403, "Insufficient credits"),
    "retired": (404, "Model not found"),
    "rejected": (400, "Input image was rejected"),
    "blocked": (423, "Model is temporarily blocked, please retry later"),
    "disabled": (503, "Model is disabled"),
    "error_before": (500, "Internal Server Error"),
}

register(
    "higgsfield",
    {
        **bells.BELLS,
        **{name: f"{status} {detail}, nothing done" for name, (status, detail) in REFUSALS.items()},
        "mode_a": "over the limit it says 400, as it did until 2026; else jobs queue, and a full queue says 429",
        "busy": "the limit is reached, whether it is or not",
        "http_allowed": "plain http addresses are taken for bells and pictures, for a site on this machine",
        "error_after": "500 although the job was accepted",
        "silent_after": "the job is accepted and two minutes later the connection closed without a word",
        "garbage_after": "the job is accepted and the answer is a web page",
        "status_error": "500 when asked how far a job is",
        "status_lost": "404 when asked how far a job is",
        "failed": "the job fails",
        "nsfw": "the job ends as nsfw",
        "canceled": "the job ends as canceled",
        "never": "the job never ends",
        "slow": "the job takes six times as long",
        "no_clip": "the job is completed without a clip",
        "hostile": "the clip's address leads inside",
        "expired": "the clip's address says 403",
        "cut": "the clip's connection breaks half-way",
        "truncated": "only the first half of the clip was stored",
        "holes": "the pictures of the clip's second half are zeros; its index is whole",
        "empty": "the clip has no bytes",
        "page": "the clip is a web page",
        "garbage": "the clip is noise, called video/mp4",
        "huge": "the clip has 10 GB",
        "trickle": "the clip comes at one byte a second",
        "short": "the clip lasts one second",
        "small": "the clip has 64 lines",
        "upload_error": "500 for the picture's upload",
        "hook_early": "the job is done, and the message sent, before the submission is answered",
        "hook_flat": "the message has the shape of 2025",
        "hook_odd": "the message has a shape nobody knows",
    },
)
