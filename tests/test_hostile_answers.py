"""What a vendor may say to hurt us: it becomes a trouble that a call can be left in, never a crash."""

from __future__ import annotations

from pipeline.providers.base import JobFailed, ProviderError
from pipeline.providers.http import Reply


def test_an_answer_nested_without_end_is_no_answer():
    assert Reply(200, {}, b"[" * 100_000).json() is None


def test_what_is_said_of_a_failure_can_be_stored():
    for error in (ProviderError("no \ud800 room\0", retryable=True), JobFailed("no \ud800 room\0", retryable=True)):
        assert str(error) == "no ? room "
