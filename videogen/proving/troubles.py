"""What goes wrong in a trial: the pretended vendors' switches, and how often a process of the site is killed.

Chances are per request, per job or per message, as each switch says. Voices have no stand-in, so what would rightly end
an order (a voice that is gone) is no part of any mix; nor is a refused key, after which a vendor is left alone for
minutes of our own time, which are hours of a fast one's: little but local takes would be proved.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Mix:
    """One weather: chances by switch, and the seconds between two kills (0: nobody is killed)."""

    faults: Mapping[str, float] = field(default_factory=dict)
    kill_every: float = 0.0


USUAL = {
    "higgsfield.error_before": 0.01,
    "higgsfield.busy": 0.02,
    "higgsfield.error_after": 0.005,
    "higgsfield.garbage_after": 0.002,
    "higgsfield.failed": 0.01,
    "higgsfield.nsfw": 0.005,
    "higgsfield.slow": 0.01,
    "higgsfield.never": 0.002,
    "higgsfield.status_error": 0.02,
    "higgsfield.cut": 0.01,
    "higgsfield.expired": 0.005,
    "higgsfield.truncated": 0.002,
    "higgsfield.upload_error": 0.01,
    "higgsfield.hook_lost": 0.03,
    "higgsfield.hook_late": 0.01,
    "higgsfield.hook_twice": 0.03,
    "higgsfield.hook_early": 0.01,
    "openai.busy": 0.02,
    "openai.down": 0.01,
    "openai.refusal": 0.01,
    "openai.truncated": 0.01,
    "elevenlabs.busy": 0.02,
    "elevenlabs.down": 0.01,
    "custom-voice.busy": 0.02,
    "custom-voice.later": 0.3,
    "custom-voice.down_after": 0.01,
    "stripe.rate": 0.01,
    "stripe.down": 0.01,
    "stripe.down_after": 0.01,
    "stripe.silent": 0.01,
    "stripe.hook_lost": 0.03,
    "stripe.hook_twice": 0.03,
    "stripe.hook_late": 0.01,
    "stripe.hook_shuffled": 0.03,
    "stripe.refund_pending": 0.1,
}

STORM = {
    **{name: min(0.15, chance * 5) for name, chance in USUAL.items()},
    "higgsfield.silent_after": 0.01,
    "higgsfield.rejected": 0.02,
    "higgsfield.blocked": 0.02,
    "higgsfield.retired": 0.003,
    "higgsfield.canceled": 0.02,
    "higgsfield.status_lost": 0.01,
    "higgsfield.no_clip": 0.02,
    "higgsfield.hostile": 0.01,
    "higgsfield.empty": 0.01,
    "higgsfield.page": 0.01,
    "higgsfield.garbage": 0.02,
    "higgsfield.huge": 0.01,
    "higgsfield.short": 0.02,
    "higgsfield.small": 0.02,
    "higgsfield.hook_forged": 0.05,
    "higgsfield.hook_stale": 0.05,
    "higgsfield.hook_flat": 0.05,
    "higgsfield.hook_odd": 0.02,
    "openai.silent": 0.05,
    "openai.page": 0.03,
    "openai.incomplete": 0.03,
    "openai.failed": 0.03,
    "openai.few_scenes": 0.05,
    "openai.invented": 0.05,
    "openai.unsaid": 0.05,
    "elevenlabs.concurrent": 0.05,
    "elevenlabs.silent": 0.02,
    "elevenlabs.truncated": 0.02,
    "elevenlabs.html": 0.02,
    "elevenlabs.empty": 0.02,
    "elevenlabs.wrong_times": 0.05,
    "elevenlabs.no_times": 0.05,
    "custom-voice.silent": 0.02,
    "stripe.in_use": 0.02,
    "stripe.hook_forged": 0.05,
    "stripe.hook_stale": 0.05,
}

MIXES: Mapping[str, Mix] = {
    "none": Mix(),
    "usual": Mix(USUAL, kill_every=60.0),
    "storm": Mix(STORM, kill_every=15.0),
}
