"""The video models an operator configured: what each films, how it names its parameters, its price and our patience.

Models come and go at the vendor, and an unknown parameter is refused, so none of this is code.
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from .base import Json

_SLUG = re.compile(r"[a-z0-9][a-z0-9._-]*(/[a-z0-9][a-z0-9._-]*){1,5}")
_PARAM = re.compile(r"[a-z][a-z0-9_]{0,40}")
_RANGE = re.compile(r"(\d{1,2})-(\d{1,2})")
_DAY = 86_400


@dataclass(frozen=True, slots=True)
class VideoModel:
    """One image-to-video model, as we use it.

    `durations` are all the lengths it films, in whole seconds, rising. `extra` goes along with every request. A param's
    empty name means that the model has none. `price_per_second` is in millionths of a US dollar;
    `quality`, from 0 to 1, picks among takes. When a shot is late by `hedge_after` seconds another model is asked too;
    after `local_after` the local studio stands in.
    """

    slug: str
    durations: tuple[int, ...]
    price_per_second: int
    speed: Literal["fast", "quality"] = "quality"
    quality: float = 0.5
    image_param: str = "image_url"
    prompt_param: str = "prompt"
    duration_param: str = "duration"
    seed_param: str = ""
    extra: Json = field(default_factory=dict)
    hedge_after: float = 165.0
    local_after: float = 300.0

    def length(self, seconds: float) -> int:
        """The shortest length that covers `seconds`, or 95 % of them: a clip slowed by so little looks the same."""
        return next((length for length in self.durations if length >= 0.95 * seconds), self.durations[-1])

    def cost(self, seconds: float) -> int:
        """What a shot of `seconds` costs, in millionths of a US dollar."""
        return self.length(seconds) * self.price_per_second


# Prices as others saw them in September 2026 ($0.35 and $0.31 for 5 s); Higgsfield.quote asks for today's.
DEFAULT_MODELS = (
    VideoModel(
        "kling-video/v3.0/std/image-to-video",
        durations=tuple(range(3, 16)),
        price_per_second=70_000,
        quality=0.9,
        extra={"sound": "off"},  # it would make its own; we narrate
    ),
    VideoModel(
        "kling-video/v2.5-turbo/standard/image-to-video",
        durations=(5, 10),
        price_per_second=62_000,
        speed="fast",
        quality=0.7,
    ),
)


def parse_models(source: str | Sequence[Any]) -> tuple[VideoModel, ...]:
    """The models in JSON text, or in its list. Raises ValueError with one sentence about the first fault.

    Each is an object with the fields of `VideoModel`, of which `slug`, `durations` and `price_per_second` are needed;
    durations may also be written "3-15".
    """
    if isinstance(source, str):
        try:
            source = json.loads(source, parse_constant=_no_constant)
        except (ValueError, RecursionError) as error:
            raise ValueError(f"the list of models is not JSON: {error}") from None
    if not isinstance(source, list | tuple) or not 1 <= len(source) <= 20:
        raise ValueError("the models must be a list of 1 to 20 objects")
    models = tuple(_model(number, one) for number, one in enumerate(source, start=1))
    if len({model.slug for model in models}) < len(models):
        raise ValueError("two models have the same slug")
    return models


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no number")


def _number(low: float, high: float) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high


def _is_slug(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= 120 and _SLUG.fullmatch(value) is not None


def _is_param(value: Any) -> bool:
    return isinstance(value, str) and (value == "" or _PARAM.fullmatch(value) is not None)


def _is_extra(value: Any) -> bool:
    return isinstance(value, dict) and all(
        isinstance(name, str) and _PARAM.fullmatch(name) and isinstance(said, str | int | float)
        for name, said in value.items()
    )


def _seconds(given: Any) -> list[int]:
    """The lengths that are meant; none where it is not clear."""
    if isinstance(given, str) and (ends := _RANGE.fullmatch(given)):
        given = list(range(int(ends[1]), int(ends[2]) + 1))
    good = isinstance(given, list | tuple) and all(type(one) is int and 1 <= one <= 60 for one in given)
    return sorted(set(given)) if good else []


_WORD = "must be a word of a-z, 0-9 and _"
_RULES: dict[str, tuple[Callable[[Any], bool], str]] = {
    "slug": (_is_slug, "must look like maker/model/image-to-video"),
    "durations": (lambda value: bool(_seconds(value)), 'must be whole seconds from 1 to 60, as [5, 10] or "3-15"'),
    "price_per_second": (
        lambda value: type(value) is int and 0 <= value <= 10**8,
        "must be a whole number of millionths",
    ),
    "speed": (lambda value: value in ("fast", "quality"), "must be fast or quality"),
    "quality": (_number(0, 1), "must be a number from 0 to 1"),
    "image_param": (lambda value: value != "" and _is_param(value), _WORD),
    "prompt_param": (_is_param, _WORD),
    "duration_param": (_is_param, _WORD),
    "seed_param": (_is_param, _WORD),
    "extra": (_is_extra, "must be an object of words to texts, numbers or true and false"),
    "hedge_after": (_number(1, _DAY), "must be from 1 second to a day"),
    "local_after": (_number(1, _DAY), "must be from 1 second to a day"),
}
_NEEDED = [one.name for one in dataclasses.fields(VideoModel)][:3]


def _model(number: int, data: Any) -> VideoModel:
    if not isinstance(data, dict):
        raise ValueError(f"model {number} is not an object")  # noqa: TRY004  (said to whoever wrote the setting)
    who = f"model {number} ({data['slug']})" if _is_slug(data.get("slug")) else f"model {number}"
    for name in _NEEDED:
        if name not in data:
            raise ValueError(f"{who} lacks {name}")
    for name, value in data.items():
        if name not in _RULES:
            raise ValueError(f"{who}: {str(name)[:40]!r} is none of {', '.join(_RULES)}")
        holds, demand = _RULES[name]
        if not holds(value):
            raise ValueError(f"{who}: {name} {demand}")
    model = VideoModel(**{**data, "durations": tuple(_seconds(data["durations"]))})
    if model.local_after < model.hedge_after:
        raise ValueError(f"{who}: local_after must not be less than hedge_after")
    names = [model.image_param, model.prompt_param, model.duration_param, model.seed_param, *model.extra]
    twice = {name for name in names if name and names.count(name) > 1}
    if twice:
        raise ValueError(f"{who}: {min(twice)} is named twice")
    return model
