"""OpenAI's moderation of texts and pictures: free of charge, and nothing is made from it but flags."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Literal, cast

import openai
import pydantic
from openai.types import Moderation

from . import openai_client
from .base import Answer, Json, JudgeRequest, Provider, ProviderError
from .http import CONNECT_SECONDS
from .moderation import Flag
from .openai_client import API

MODEL = "omni-moderation-latest"
TEXTS_AT_ONCE = 32
PICTURES_AT_ONCE = 5
SECONDS = 12.0
_CATEGORY = re.compile(r"[\w/ -]{1,40}", re.ASCII)


class OpenAIModeration(Provider):
    """Provider of the job "moderator". Of pictures it judges violence, self-harm and sexual content, no more."""

    name = "openai-moderation"
    job: Literal["writer", "voice", "video", "moderator"] = "moderator"
    recovery: Literal["same_key", "redo", "wait"] = "redo"

    def __init__(self, key: str, *, base_url: str = API, model: str = MODEL, seconds: float = SECONDS) -> None:
        self._client = openai_client.client(key, base_url, seconds)
        self._model, self._seconds = model, seconds

    @property
    def model(self) -> str:
        """The model that judges."""
        return self._model

    @property
    def patience(self) -> float:
        """The texts' exchange and two rounds of pictures, ten at the most, and a connection for each."""
        return 3 * (CONNECT_SECONDS + self._seconds)

    def submit(self, key: str, request: Json, workdir: Path) -> Answer:
        """Answer with the flags for the JudgeRequest in `request`, as `{"flags": […]}`. Raises ProviderError."""
        asked = JudgeRequest.from_json(request)
        flags = self.judge(asked.texts, [workdir / Path(name).name for name in asked.pictures])
        return Answer("done", {"flags": [flag.to_json() for flag in flags]})

    def find(self, key: str) -> Answer | None:
        """None: nothing is stored there."""
        return None

    def cancel(self, external_id: str) -> None:
        """Nothing to stop."""

    def judge(self, texts: Sequence[str], pictures: Sequence[Path] = ()) -> list[Flag]:
        """Every category the vendor flags, with its score from 0 to 1. One exchange for the texts, one a picture.

        `pictures` are JPEG files, judged side by side: the vendor takes one at a time, and somebody waits. Raises
        ProviderError where one of them was not judged; asking again costs nothing.
        """
        flags: list[Flag] = []
        spoken = [(where, text) for where, text in enumerate(texts) if text.strip()]
        for at in range(0, len(spoken), TEXTS_AT_ONCE):
            some = spoken[at : at + TEXTS_AT_ONCE]
            found = self._ask([text for _, text in some], len(some))
            flags += [flag for (where, _), named in zip(some, found, strict=True) for flag in _flags(where, named)]
        with ThreadPoolExecutor(PICTURES_AT_ONCE, thread_name_prefix="judge") as beside:
            for where, named in enumerate(beside.map(self._look, pictures), start=len(texts)):
                flags += _flags(where, named)
        return flags

    def _look(self, picture: Path) -> dict[str, float]:
        return self._ask([{"type": "image_url", "image_url": {"url": openai_client.data_url(picture)}}], 1)[0]

    def _ask(self, what: Sequence[Any], things: int) -> list[dict[str, float]]:
        """The flagged categories with their scores, for each thing judged."""
        try:
            results = self._client.moderations.create(model=self._model, input=cast(Any, what)).results
            found = [_flagged(result) for result in results]
        except openai.OpenAIError as error:
            raise openai_client.trouble(error) from error
        except (pydantic.ValidationError, AttributeError, TypeError, ValueError, RecursionError) as error:
            raise ProviderError(f"OpenAI: no judgement to be read: {type(error).__name__}", retryable=True) from error
        if len(found) != things:
            raise ProviderError("OpenAI: not one judgement for each thing to judge", retryable=True)
        return found


def _flagged(result: Moderation) -> dict[str, float]:
    if not result.flagged:
        return {}
    scores: dict[str, Any] = result.category_scores.to_dict()
    named = [category for category, is_so in result.categories.to_dict().items() if is_so]
    # A name that is none, and a score that is no number, cannot be stored: the objection counts all the same.
    return {
        category if _CATEGORY.fullmatch(category) else "other": _score(scores.get(category, 1.0))
        for category in named or ["other"]
    }


def _score(said: Any) -> float:
    score = float(said)
    return min(1.0, max(0.0, score)) if math.isfinite(score) else 1.0


def _flags(where: int, named: Mapping[str, float]) -> list[Flag]:
    return [Flag(where, category, score, MODEL) for category, score in named.items()]
