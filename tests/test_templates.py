"""Every template says to the page what is meant for it, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.template.base import Lexer, TokenType

MARKS = ("{#", "#}", "{%", "%}", "{{", "}}")


def leaks(source: str) -> list[str]:
    """The lines of text a reader would see that were written for the template engine."""
    texts = [token for token in Lexer(source).tokenize() if token.token_type == TokenType.TEXT]
    return [line for token in texts for line in token.contents.splitlines() if any(mark in line for mark in MARKS)]


@pytest.mark.parametrize("path", sorted(Path("templates").rglob("*.*")), ids=str)
def test_nothing_that_is_meant_for_the_engine_is_shown(path: Path) -> None:
    assert leaks(path.read_text()) == []


def test_negative_control_a_comment_of_two_lines_is_shown() -> None:
    """Only one that stands on one line is left out."""
    assert leaks("<p>{# one #}</p>") == []
    assert leaks("<p>{# one\ntwo #}</p>") == ["<p>{# one", "two #}</p>"]
