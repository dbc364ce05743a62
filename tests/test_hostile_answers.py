"""What a vendor may say to hurt us: it becomes a trouble that a call can be left in, never a crash."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.providers.base import JobFailed, ProviderError
from pipeline.providers.fetch import safe_get
from pipeline.providers.http import Reply


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
