"""What a vendor may say to hurt us: it becomes a trouble that a call can be left in, never a crash."""

from __future__ import annotations

from pathlib import Path

import httpx2
import openai
import pytest
from openai.types import Moderation
from openai.types.responses import Response

from pipeline.providers.base import JobFailed, ProviderError
from pipeline.providers.fetch import safe_get
from pipeline.providers.http import Reply
from pipeline.providers.openai_client import trouble
from pipeline.providers.openai_moderation import _flagged
from pipeline.providers.openai_writer import MOST_TOKENS, OpenAIWriter, _clean

pytestmark = pytest.mark.slow  # they take no time, but OpenAI's library takes a second to load


def test_an_answer_nested_without_end_is_no_answer():
    assert Reply(200, {}, b"[" * 100_000).json() is None


def test_what_is_said_of_a_failure_can_be_stored():
    for error in (ProviderError("no \ud800 room\0", retryable=True), JobFailed("no \ud800 room\0", retryable=True)):
        assert str(error) == "no ? room "


@pytest.mark.parametrize("host", ["a" * 70, "a."])
def test_a_name_that_cannot_be_one_is_refused_like_every_bad_address(host: str, tmp_path: Path):
    with pytest.raises(ProviderError, match="malformed") as no:
        safe_get(f"https://{host}.store.example/x", tmp_path / "x", hosts=(".store.example",), max_bytes=1, seconds=1)
    assert not no.value.retryable


@pytest.mark.parametrize("count", [-5, None, "7", 10**30, float("nan"), True])
def test_what_is_no_number_of_tokens_is_neither_a_crash_nor_money_back(count: object):
    details = {"cached_tokens": count}
    said = {"input_tokens": count, "output_tokens": count, "input_tokens_details": details}
    assert OpenAIWriter("key")._cost(Response.construct(usage=said)) == 0
    said |= {"input_tokens": MOST_TOKENS, "output_tokens": MOST_TOKENS}
    assert OpenAIWriter("key")._cost(Response.construct(usage=said)) > 0, "an honest count still costs"


def test_an_error_of_a_kind_that_is_no_word_is_still_an_error():
    reply = httpx2.Response(429, request=httpx2.Request("POST", "http://vendor.example/"))
    error = openai.APIStatusError("no", response=reply, body={"type": ["x"]})
    assert trouble(error).trouble == "busy"


@pytest.mark.parametrize(("said", "score"), [(0.5, 0.5), (float("nan"), 1.0), (float("inf"), 1.0), (7, 1.0), (-1, 0.0)])
def test_an_objection_counts_whatever_its_score_and_name_are(said: float, score: float):
    names = ("sexual", "x\0", "y" * 1000)
    judged = Moderation.construct(
        flagged=True, categories=dict.fromkeys(names, True), category_scores=dict.fromkeys(names, said)
    )
    assert _flagged(judged) == {"sexual": score, "other": score}


def test_what_is_not_said_aloud_is_cleaned_all_the_same():
    assert _clean("A push in\0 \u202e<b>slowly</b>") == "A push in slowly"
