"""Notes as people type them: slips, shouting, kisses, insults, lists and contradictions."""

from __future__ import annotations

import re

import pytest

from pipeline.providers.local_writer import write
from pipeline.providers.writing.facts import gather
from pipeline.providers.writing.safety import judge
from tests.stories import DEMO
from tests.telling import lines_of, request_for


@pytest.mark.parametrize(
    ("notes", "said"),
    [
        ("just wanted to say i think ur amazing. I like ur songs.", "I think you're amazing."),
        ("She is up all nite reeding. Her freinds call evry day.", "You are up all night reading."),
        ("Her freinds call evry day.", "Your friends call every day."),
        ("She bakes on fridays in london.", "You bake on Fridays in London."),
        ("i dont really know what to write but she wears odd socks", "You wear odd socks."),
        ("He's a postman, knows every dog in town by name.", "You know every dog in town by name."),
        ("I owe her everything.", "I owe you everything."),
        ("Hired half of us. She bakes.", "You hired half of us."),
        ("Shes brave, she had her tonsils out in June.", "You're brave."),
        (
            "my teacher eileen is the best she makes maths fun and she wears odd socks on purpose every day",
            "You are the best.",
        ),
    ],
)
def test_slips_nobody_can_mistake_are_put_right(notes: str, said: str) -> None:
    assert said in lines_of(notes)


@pytest.mark.parametrize(
    ("name", "notes", "said"),
    [
        ("Finn", "Welcome to the world little Finn. Your mummy waited.", "Welcome to the world little Finn."),
        ("Mum and Dad", "Congratulations on 25 years Mum and Dad!", "Congratulations on 25 years Mum and Dad!"),
        ("Eileen", "Thanks to Eileen we made it.", "Thanks to you we made it."),
    ],
)
def test_who_is_called_by_name_stays_called_by_name(name: str, notes: str, said: str) -> None:
    assert lines_of(notes, name=name, occasion="new_baby")[0] == said


def test_a_baby_named_as_one_is_the_one_spoken_to() -> None:
    lines = lines_of("Baby Noor arrived on Monday. Her brother says she looks like a potato.", name="Noor")
    assert lines == ["You arrived on Monday.", "Your brother says you look like a potato."]


@pytest.mark.parametrize(
    ("signed", "said"), [("Ella and Max", "Ella and Max"), ("Love, Sam xx", "Sam"), ("Alex x", "Alex"), ("Rex", "Rex")]
)
def test_kisses_are_taken_off_a_sender_and_no_letter_of_the_name(signed: str, said: str) -> None:
    lines = " ".join(s.text for s in write(request_for(DEMO, sender=signed, tone="heartfelt")).scenes)
    assert re.search(rf"\b{said}\b(?! x)", lines)


def test_shouted_places_keep_their_capital() -> None:
    assert lines_of("HE IS LEAVING US FOR BRISTOL. HE BRINGS CAKE.")[0].endswith("Bristol.")


def test_parents_are_spoken_to_by_what_they_are_to_the_sender() -> None:
    notes = "My parents Jean and Alan have been married 50 years. They met in 1974. Their kids are Leo and Mia."
    lines = lines_of(notes, name="Jean & Alan", occasion="anniversary")
    assert lines == ["You have been married 50 years.", "You met in 1974.", "Your kids are Leo and Mia."]


def test_a_couple_is_spoken_to_however_the_two_names_are_joined() -> None:
    notes = "Tom and Priya met in a queue. Priya's gran says they argue already. They have two greyhounds."
    for name in ("Tom & Priya", "Tom and Priya"):
        lines = lines_of(notes, name=name, occasion="wedding")
        assert lines[0] == "You met in a queue."
        assert lines[2] == "You have two greyhounds."
    for others in ("Their kids are Leo and Mia.", "Priya's parents came from Goa."):
        assert lines_of(f"{others} They love chess.", name="Tom & Priya", occasion="wedding")[1] == "They love chess."


@pytest.mark.parametrize(
    "insult",
    [
        "She is fat and lazy and nobody likes her.",
        "He's such an idiot.",
        "Everybody hates him.",
        "No one can stand her!",
    ],
)
def test_insults_are_left_out(insult: str) -> None:
    script = write(request_for(f"{insult} She bakes bread. She sings in the car."))
    assert insult in script.left_out
    assert not re.search(r"fat|idiot|hate|stand|likes", " ".join(s.text for s in script.scenes))


@pytest.mark.parametrize("kind", ["Nobody loves her more than me.", "She is never lazy.", "Nobody wants her to go."])
def test_kind_words_that_look_like_insults_are_said(kind: str) -> None:
    assert judge(kind) == ""


def test_the_label_of_a_link_is_no_fact() -> None:
    script = write(
        request_for("She flew the shuttle. She bakes bread. [her page](https://example.com/e) She has a cat.")
    )
    assert "page" not in " ".join(s.text for s in script.scenes)


def test_a_list_is_not_cut_before_its_last_item() -> None:
    notes = (
        "John is a man of few words but when he speaks everybody listens because he has lived through three "
        "recessions, two floods and one very short career as a comedian in Blackpool where he met his wife Carol."
    )
    assert not any(line.startswith("One very short career") for line in lines_of(notes, name="John"))


def test_the_first_quotation_does_not_begin_with_and() -> None:
    for n in range(2, 30):
        script = write(request_for(f"We miss her on Fridays. She has {n} cats. She bakes bread.", sender="Sam"))
        first = next(s.text for s in script.scenes if s.role == "fact")
        assert not first.startswith("And "), first


@pytest.mark.parametrize(
    ("first", "then"),
    [
        ("She likes long walks.", "She does not like long walks."),
        ("She is 30.", "She is 31."),
        ("She turned 40.", "She is 41 now."),
        ("She can swim.", "She can't swim."),
    ],
)
def test_of_two_facts_that_contradict_each_other_the_later_is_said(first: str, then: str) -> None:
    harvest = gather(f"{first} {then} She bakes bread.", names=("Eileen",))
    assert [fact.quote for fact in harvest.facts] == [then, "She bakes bread."]
    assert harvest.left_out == [first]


@pytest.mark.parametrize(
    "notes",
    [
        "She is 30. She is kind.",
        "She has 2 dogs. She has 3 cats.",
        "She likes walks. She likes rain.",
        "She is a nurse. He is 9.",
    ],
)
def test_facts_that_only_look_alike_are_all_kept(notes: str) -> None:
    assert len(gather(notes, names=("Eileen",)).facts) == 2


def test_no_opening_or_ending_says_the_same_words_twice() -> None:
    notes = "Jack died in May. He was a carpenter. He loved the sea."
    for number in range(12):
        request = request_for(f"{notes} He had {number + 2} boats.", name="Jack", occasion="condolence", sender="Sam")
        scenes = write(request).scenes
        opening = " ".join(s.text for s in scenes if s.role == "opening")
        ending = " ".join(s.text for s in scenes if s.role == "ending")
        assert (
            len(re.findall(r"\b(?:words|pictures)\b", opening.replace("a few words and a few pictures", "words"))) < 2
        )
        assert ending.count("This was ") < 2
