"""The list of video models that a site may be given: read, or refused in one sentence."""

from __future__ import annotations

import json

import pytest

from pipeline.providers.higgsfield import parse_models

MODEL = {"slug": "maker/model/image-to-video", "durations": [5, 10], "price_per_second": 1}


def test_models_are_read_from_text_or_list():
    text = json.dumps([MODEL, MODEL | {"slug": "a/b", "durations": "3-6", "extra": {"generate_audio": False}}])
    one, two = parse_models(text)
    assert (one.durations, one.image_param, one.speed) == ((5, 10), "image_url", "quality")
    assert (two.durations, two.extra) == ((3, 4, 5, 6), {"generate_audio": False})
    assert parse_models(json.loads(text)) == (one, two)


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ('[{"quality": NaN}]', "not JSON"),
        ("{}", "list of 1 to 20"),
        ("[]", "list of 1 to 20"),
        ([MODEL] * 21, "list of 1 to 20"),
        ([MODEL, MODEL], "same slug"),
        ([7], "model 1 is not an object"),
        ([{"slug": "a/b"}], r"model 1 \(a/b\) lacks durations"),
        ([MODEL | {"colour": "red"}], "'colour' is none of slug"),
        ([MODEL | {"slug": "../a"}], "slug must look"),
        ([MODEL | {"slug": "a/../b"}], "slug must look"),
        ([MODEL | {"slug": "a/b?c"}], "slug must look"),
        ([MODEL | {"slug": "one"}], "slug must look"),
        ([MODEL | {"slug": ["a/b"]}], "slug must look"),
        ([MODEL | {"durations": []}], "durations must be"),
        ([MODEL | {"durations": "5"}], "durations must be"),
        ([MODEL | {"durations": "9-3"}], "durations must be"),
        ([MODEL | {"durations": "1-99"}], "durations must be"),
        ([MODEL | {"durations": [5.5]}], "durations must be"),
        ([MODEL | {"durations": [True]}], "durations must be"),
        ([MODEL | {"price_per_second": -1}], "price_per_second must be"),
        ([MODEL | {"price_per_second": 0.07}], "price_per_second must be"),
        ([MODEL | {"speed": "slow"}], "speed must be"),
        ([MODEL | {"speed": []}], "speed must be"),
        ([MODEL | {"quality": 1.1}], "quality must be"),
        ([MODEL | {"quality": True}], "quality must be"),
        ([MODEL | {"image_param": ""}], "image_param must be"),
        ([MODEL | {"seed_param": "a-b"}], "seed_param must be"),
        ([MODEL | {"extra": {"a b": 1}}], "extra must be"),
        ([MODEL | {"extra": {"a": {}}}], "extra must be"),
        ([MODEL | {"extra": {"prompt": "mine"}}], "prompt is named twice"),
        ([MODEL | {"seed_param": "duration"}], "duration is named twice"),
        ([MODEL | {"hedge_after": 0}], "hedge_after must be"),
        ([MODEL | {"hedge_after": 100, "local_after": 50}], "local_after must not be less"),
    ],
)
def test_a_fault_in_the_list_of_models_is_said_in_one_sentence(source, says):
    with pytest.raises(ValueError, match=says) as fault:
        parse_models(source)
    assert "\n" not in str(fault.value)
