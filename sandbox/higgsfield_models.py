"""The models Higgsfield is pretended to have, and how it says what is wrong with a request to one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Model:
    """What a model takes: its lengths in seconds, its keys (those with a star are needed), dollars a second."""

    durations: tuple[int, ...]
    keys: str
    price: float = 0.07
    described: bool = False  # its price is told in words
    pace: float = 1.0  # how long it takes, as a share of what the account's law says

    def faults(self, body: Mapping[str, object]) -> list[dict[str, object]]:
        """What is wrong with a body, as FastAPI says it."""
        known = {name.rstrip("*") for name in self.keys.split()} | {"duration"}
        found = [fault(name, "Extra inputs are not permitted", "extra_forbidden") for name in body if name not in known]
        needed = [name[:-1] for name in self.keys.split() if name.endswith("*")]
        found += [fault(name, "Field required", "missing") for name in needed if not isinstance(body.get(name), str)]
        if body.get("duration", self.durations[0]) not in self.durations:
            found.append(fault("duration", f"Input should be one of {self.durations}", "literal_error"))
        if body.get("sound", "on") not in ("on", "off"):
            found.append(fault("sound", "Input should be 'on' or 'off'", "literal_error"))
        return found


_KLING_3 = Model(
    tuple(range(3, 16)), "image_url* prompt last_image_url sound multi_shots multi_prompt elements cfg_scale"
)
# Nobody publishes how long a clip takes; that the turbo models take three tenths of it is our assumption.
_TURBO = 0.3
_KLING_25 = Model((5, 10), "prompt* image_url* cfg_scale negative_prompt", 0.062, pace=_TURBO)
_SEEDANCE = "image_url* prompt end_image_url resolution generate_audio"
MODELS: Mapping[str, Model] = {
    "kling-video/v2.5-turbo/standard/image-to-video": _KLING_25,
    "kling-video/v2.5-turbo/pro/image-to-video": _KLING_25,
    "kling-video/v2.6/pro/image-to-video": Model((5, 10), "prompt* image_url* sound aspect_ratio"),
    "kling-video/v3.0/std/image-to-video": _KLING_3,
    "kling-video/v3.0/pro/image-to-video": _KLING_3,
    "kling-video/v3.0-turbo/image-to-video": Model(
        tuple(range(3, 16)), "image_url* prompt resolution", 0.062, pace=_TURBO
    ),
    "bytedance/seedance-2.0/image-to-video": Model(tuple(range(4, 16)), _SEEDANCE),
    "bytedance/seedance-2.5/image-to-video": Model(
        tuple(range(4, 31)), f"{_SEEDANCE} bitrate_mode output_format", 0.4622, described=True
    ),
    "minimax/hailuo-2.3/standard/image-to-video": Model((6, 10), "prompt* image_url* prompt_optimizer"),
    "wan/v2.7/image-to-video": Model(
        tuple(range(2, 16)), "image_url* prompt seed audio_url end_image_url negative_prompt resolution"
    ),
}


def fault(name: str, says: str, kind: str) -> dict[str, object]:
    """One fault of a body, as FastAPI says it."""
    return {"loc": ["body", *([name] if name else [])], "msg": says, "type": kind}
