"""The local writer is given anything at all: a valid script, or a sentence for the fan, and soon."""

from __future__ import annotations

import string

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.providers.base import ProviderError, ScriptDraft, WriteRequest
from pipeline.providers.local_writer import write
from pipeline.providers.writing import phrases
from tests.telling import OCCASIONS, check_shape, photo_notes, request_for


def check_script_or_refusal(request: WriteRequest) -> None:
    refusal: ProviderError | None = None
    try:
        check_shape(request, write(request))
    except ProviderError as error:
        refusal = error
    assert refusal is None or (refusal.fan and not refusal.retryable)


def _answer(request: WriteRequest) -> ScriptDraft | str:
    """The script, or the sentence the fan gets instead."""
    try:
        return write(request)
    except ProviderError as no:
        return no.fan


_PATHOLOGICAL = {
    "dots": ".", "marks": "!?", "and": "and ", "she loves and": "she loves and ", "nested": "(a (b ", "commas": ",",
    "comma list": "a, ", "quotes": "'\"", "curly": "“'‘\"’” ", "initials": "A b. ", "owner": "Eileen's ",
    "signed": "love from ", "hearts": "I ❤ ", "emoji": "🎉a ", "hyphens": "a-", "colons": "a: ", "tags": "<a ",
    "links": "[a](", "please": "please ", "wishes": "happy birthday ", "runs on": "and she flew ",
    "pairs": "w1 and w2 ",
    "mail": "a@", "phone": "+1 (555) ", "spaces": " ", "names": "A de la ", "one letter": "a", "article": "a apple ",
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("piece", _PATHOLOGICAL.values(), ids=_PATHOLOGICAL)
def test_no_notes_keep_the_writer_for_ever(piece: str) -> None:
    notes = (piece * 5000)[:5000]
    said = _answer(request_for(notes, sender=notes[:200]))
    assert said.endswith((".", "!", "?")) if isinstance(said, str) else 5 <= len(said.scenes) <= 10


_WORDS = st.sampled_from(
    [
        "she",
        "her",
        "he",
        "his",
        "they",
        "Eileen",
        "Eileen's",
        "I",
        "we",
        "you",
        "and",
        "but",
        ",",
        ".",
        "!",
        ";",
        "\n",
        "-",
        "loves",
        "love",
        "has",
        "is",
        "was",
        "flew",
        "the",
        "a",
        "cat",
        "cats",
        "dog",
        "mum",
        "my",
        "1998",
        "coffee",
        "who",
        "that",
        "when",
        "because",
        "never",
        "too",
        "says",
        "walks",
        "🚀",
        "<b>",
        "</b>",
        "**",
        "don't",
        "NASA",
        "Tom",
        "it",
        "its",
        "bakes",
    ]
)


@pytest.mark.slow
@settings(max_examples=120, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(
    notes=st.one_of(
        st.text(max_size=300), st.lists(_WORDS, max_size=50).map(" ".join), st.text(string.printable, max_size=200)
    ),
    occasion=st.sampled_from(OCCASIONS),
    tone=st.sampled_from(phrases.TONES),
    photos=st.integers(5, 10),
    seconds=st.sampled_from([20, 30, 45, 60]),
    must_say=st.lists(
        st.sampled_from(["We love you.", "Happy birthday, Eileen!", "Gracias."]), max_size=3, unique=True
    ),
    sender=st.sampled_from(["", "Sam", "Mum and Dad", "love from all of us xx"]),
)
def test_any_notes_make_a_valid_script_or_a_sentence_for_the_fan(
    *, notes: str, occasion: str, tone: str, photos: int, seconds: int, must_say: list[str], sender: str
) -> None:
    request = request_for(
        notes,
        occasion=occasion,
        tone=tone,
        photos=photo_notes(photos),
        seconds=seconds,
        must_say=tuple(must_say),
        sender=sender,
    )
    check_script_or_refusal(request)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(name=st.text(max_size=60))
def test_any_name_makes_a_valid_script_or_a_sentence_for_the_fan(name: str) -> None:
    request = request_for("She flew the shuttle. She drinks too much coffee.", name=name)
    check_script_or_refusal(request)
