"""Who moderates: our own rules, and the vendor as a provider like every other."""

from __future__ import annotations

import io
import json

import pytest
from PIL import Image

from pipeline.providers.base import JudgeRequest, ProviderError
from pipeline.providers.moderation import ENDING, Flag, by_our_rules, named
from pipeline.providers.openai_moderation import MODEL, TEXTS_AT_ONCE, OpenAIModeration
from pipeline.stages.moderation import SAID
from sandbox.openai import CATEGORIES, openai
from sandbox.server import running

pytestmark = pytest.mark.slow  # they speak to a server, and wait for it

HATE, UNKIND, FINE = "I will kill you.", "You are worthless.", "You flew the shuttle."


@pytest.fixture(scope="module")
def server():
    with running({"openai": openai}, speed=1000) as made:
        yield made


@pytest.fixture
def sandbox(server):
    server.world.journal.clear()
    yield server
    server.world.rules.clear()
    server.world.left.clear()


@pytest.fixture
def vendor(sandbox):
    return OpenAIModeration("sk-test", base_url=f"{sandbox.at('openai')}/v1", seconds=1.0)


def bodies(sandbox):
    return [json.loads(one.body) for one in sandbox.world.asked("openai", "/v1/moderations")]


def test_our_own_rules_tell_what_is_refused_from_what_is_left_out():
    assert by_our_rules([FINE, HATE, "", UNKIND]) == [
        Flag(1, "refuse", 1.0, "rules"),
        Flag(3, "leave", 1.0, "rules"),
    ]


def test_all_texts_are_judged_in_one_exchange_and_empty_ones_in_none(vendor, sandbox):
    flags = vendor.judge([FINE, "", HATE, UNKIND])
    assert [(flag.where, flag.category, flag.source) for flag in flags] == [
        (2, "hate", MODEL),
        (3, "harassment", MODEL),
    ]
    assert all(0.9 < flag.score <= 1 for flag in flags)
    assert bodies(sandbox) == [{"model": MODEL, "input": [FINE, HATE, UNKIND]}]
    assert vendor.judge(["", " "]) == []
    assert len(bodies(sandbox)) == 1


def test_many_texts_go_in_several_exchanges_and_keep_their_numbers(vendor, sandbox):
    flags = vendor.judge([FINE] * TEXTS_AT_ONCE + [HATE])
    assert [flag.where for flag in flags] == [TEXTS_AT_ONCE]
    assert len(bodies(sandbox)) == 2


def test_pictures_go_one_at_a_time_and_are_counted_after_the_texts(vendor, sandbox, tmp_path):
    pictures = [tmp_path / f"{n}.jpg" for n in range(2)]
    for picture in pictures:
        picture.write_bytes(b"\xff\xd8" + picture.name.encode())
    assert vendor.judge([FINE], pictures) == []
    _, *seen = (body["input"] for body in bodies(sandbox))
    assert [[part["type"] for part in one] for one in seen] == [["image_url"], ["image_url"]]
    first, second = (one[0]["image_url"]["url"] for one in seen)
    assert first.startswith("data:image/jpeg;base64,/9g")
    assert first != second
    sandbox.world.switch("openai.flagged", 1, times=True)
    (flag,) = vendor.judge([], pictures[:1])
    assert (flag.where, flag.category) == (0, "violence")


def test_one_picture_that_is_not_judged_leaves_all_to_be_asked_again(vendor, sandbox, tmp_path):
    pictures = [tmp_path / f"{n}.jpg" for n in range(7)]
    for picture in pictures[:6]:
        picture.write_bytes(b"\xff\xd8" + picture.name.encode())
    pictures[6].write_bytes(painted("magenta"))
    sandbox.world.switch("openai.trickle", 1, times=True)
    with pytest.raises(ProviderError) as no:
        vendor.judge([], pictures)
    assert no.value.trouble == "unknown"
    assert [flag.where for flag in vendor.judge([FINE], pictures)] == [7], "in their order, whoever answers first"


@pytest.mark.parametrize(
    ("fault", "trouble"),
    [("busy", "busy"), ("quota", "locked"), ("down", "passing"), ("silent", "unknown"), ("page", "passing"),
     ("trickle", "unknown")],
)  # fmt: skip
def test_every_trouble_of_the_vendor_is_one_of_ours(vendor, sandbox, fault, trouble):
    sandbox.world.switch(f"openai.{fault}", 1, times=True)
    with pytest.raises(ProviderError) as no:
        vendor.judge([FINE])
    assert no.value.trouble == trouble


def test_as_a_provider_it_answers_in_json_and_finds_pictures_by_name(vendor, sandbox, tmp_path):
    (tmp_path / "0.jpg").write_bytes(painted("magenta"))
    request = JudgeRequest(texts=(FINE, "He was flagged as violence."), pictures=("../0.jpg",)).to_json()
    answer = vendor.submit("a.key", json.loads(json.dumps(request)), tmp_path)
    flags = [Flag.from_json(flag) for flag in json.loads(json.dumps(answer.result))["flags"]]
    assert [(flag.where, flag.category, flag.ends) for flag in flags] == [(1, "violence", False), (2, "sexual", True)]
    assert (answer.state, answer.cost, vendor.estimate(request)) == ("done", 0, 0)
    assert (vendor.job, vendor.model, vendor.recovery) == ("moderator", MODEL, "redo")
    assert named(flags) == f"sexual ({MODEL}), violence ({MODEL})"


def test_a_picture_of_many_colours_is_flagged_for_none(vendor, tmp_path):
    (tmp_path / "0.jpg").write_bytes(painted("green"))
    assert vendor.judge([], [tmp_path / "0.jpg"]) == []


def test_whatever_ends_a_making_can_be_told_to_the_fan():
    assert set(SAID) == ENDING
    assert ENDING - {"refuse"} <= set(CATEGORIES), "the vendor knows no such category"


def painted(colour: str) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (300, 200), colour).save(out, "JPEG")
    return out.getvalue()
