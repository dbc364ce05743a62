"""What is written → what is said."""

from __future__ import annotations

import re

import pytest

from pipeline.providers.numerals import cardinal, ordinal, year
from pipeline.providers.say import NAMES, fold, say

HOSTILE = [
    "",
    " \n\t ",
    "🎉🎂 ❤️",
    "[Eileen](/həlˈO/) and [a](b)",
    "<speak><break time='9s'/></speak> &amp; {{ name }} {% if %} $(rm -rf) `ls` ; DROP TABLE",
    "a" * 5000,
    "9" * 5000,
    "1/0 0/0 99/99/9999 25:61 -- $ $. £, % # @ & ' ' ’ ½ ⅓ ² ٣ ५ Ⅷ ①",
    "-" * 300 + " " + "." * 300 + " '" * 50,
    "\x00\x01\u202e\ufeff\u200b zero\u200bwidth \ud7ff",
    "https://example.org/a?b=c#d mail@example.org",
    "你好 Привет Γειά مرحبا नमस्ते",
    "'s ''s s' x xx X XX",
    "+ ( +( (0 +1( 0)))) 12.5. 99.99.9999 7.99 at 7.61 0 – 1 1 – 5€ €€ $€5 1,5,5 12-x III's IIII",
    "$1,2,3.4.5 1,,2 1..2 1-2-3 +-5 1e9 1:2:3 5'11\" ½½",
]


def spoken(text: str, **said_as: str) -> str:
    return " ".join(said.text for said in say(text, said_as) if said.text)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("Happy 60th!", "Happy sixtieth!"),
        ("21 cats", "twenty-one cats"),
        ("in 1998", "in nineteen ninety-eight"),
        ("in 2024, not 2005", "in twenty twenty-four, not two thousand five"),
        ("the 1980s and the '90s", "the nineteen eighties and the nineties"),
        ("the 3rd", "the third"),
        ("$5 and $5.50", "five dollars and five dollars and fifty cents"),
        ("$3 million", "three million dollars"),
        ("50% of 1,200", "fifty percent of one thousand two hundred"),
        ("at 10:30", "at ten thirty"),
        ("at 7:30 pm", "at seven thirty P.M"),
        ("at 3 p.m. on the dot", "at three P.M on the dot"),
        ("7.5 miles", "seven point five miles"),
        ("10 km", "ten kilometers"),
        ("May 5, 2024", "May fifth, twenty twenty-four"),
        ("on 5 May", "on the fifth of May"),
        ("1998–2024", "nineteen ninety-eight to twenty twenty-four"),
        ("1/2 of it", "a half of it"),
        ("#1 & more", "number one and more"),
        ("@sam #love", "at sam hashtag love"),
        ("24/7", "twenty-four seven"),
        ("12/5/1960 or 25.12.1960", "December fifth, nineteen sixty or December twenty-fifth, nineteen sixty"),
        ("12.5.1960", "May twelfth, nineteen sixty"),
        ("on 2nd of May 1960", "on the second of May nineteen sixty"),
        ("the 5th of May, 1984", "the fifth of May, nineteen eighty-four"),
        ("in the 1990s", "in the nineteen nineties"),
        ("€20, 20€, 20 € and £2.50", "twenty euros, twenty euros, twenty euros and two pounds and fifty pence"),
        ("99p or 50c", "ninety-nine pence or fifty cents"),
        ("at 7:30, at 7.30", "at seven thirty, at seven thirty"),
        ("9am-5pm", "nine A.M to five P.M"),
        ("noon–3pm", "noon to three P.M"),
        ("10–12 people, 10 – 12 people", "ten to twelve people, ten to twelve people"),
        ("50-60%", "fifty to sixty percent"),
        (
            "-5°C, 30 °C and 98.6°F",
            "minus five degrees celsius, thirty degrees celsius and ninety-eight point six degrees fahrenheit",
        ),
        ("1,5 km and .5 more", "one point five kilometers and point five more"),
        ("5'11\" and 5ft 4in", "five foot eleven and five feet four inches"),
        ("3x a week, 100s of times", "three times a week, hundreds of times"),
        ("call +1 (555) 010-9999!", "call plus one, five five five, zero one zero, nine nine nine nine!"),
        ("ring 555-0199", "ring five five five, zero one nine nine"),
        ("07700 900123", "zero seven seven zero zero, nine zero zero one two three"),
        ("555 010 9999", "five five five, zero one zero, nine nine nine nine"),
        ("300-1200 people", "three hundred to twelve hundred people"),
    ],
)
def test_numbers_dates_money_and_symbols_are_said_in_words(written: str, said: str) -> None:
    assert spoken(written) == said


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("Dr. Smith vs. Mr. Jones, etc.", "doctor Smith versus mister Jones, et cetera."),
        ("in St. Louis on Elm St. She", "in saint Louis on Elm street. She"),
        ("NASA, the USA, two TVs", "NASA, the U.S.A, two T.V's"),
        ("a DJ with a PhD", "a D.J with a P.H.D"),
        ("we LOVE you", "we love you"),
        ("EVERYBODY LOVES US HERE", "everybody loves us here"),
        ("Henry VIII saw Rocky II", "Henry the eighth saw Rocky two"),
        ("King George VI's and King Charles I", "King George the sixth's and King Charles the first"),
        ("Henry V, but Malcolm X and Charles I love", "Henry the fifth, but Malcolm X and Charles I love"),
        ("World War I, Apollo XIII, chapter IV", "World War one, Apollo thirteen, chapter four"),
        ("Ms. Lee, Ph.D. and vol. 2", "miz Lee, P.H.D and volume two"),
        ("Soooo happy, yesss!!!", "So happy, yes!"),
        ("J. K. says e.g. this", "J K says for example this"),
        ("AT&T", "A.T and T"),
    ],
)
def test_abbreviations_initials_and_shouting_are_read_as_people_do(written: str, said: str) -> None:
    assert spoken(written) == said


def test_emoji_and_kisses_are_silent_but_keep_their_place() -> None:
    said = say("Love 🎂 you, Mum xx")
    assert [(s.first, s.text) for s in said] == [(0, "Love"), (1, ""), (2, "you,"), (3, "Mum"), (4, "")]


def test_words_said_together_remember_the_words_they_were_written_as() -> None:
    said = say("Come at 7:30 pm, please")
    assert [(s.first, s.count) for s in said] == [(0, 1), (1, 1), (2, 2), (4, 1)]


def test_dashes_and_brackets_become_pauses() -> None:
    assert spoken("you came — twice (really) and stayed—always") == "you came— twice, really, and stayed— always"


@pytest.mark.parametrize("text", HOSTILE)
def test_any_text_gives_plain_words_and_every_written_word_belongs_once(text: str) -> None:
    said = say(text, {"Eileen": "[x](/y/)", "": "a", "b": "🎉"})
    assert [n for s in said for n in range(s.first, s.first + s.count)] == list(range(len(text.split())))
    for unit in said:
        assert re.fullmatch(r"[A-Za-z'.,;:!?…— -]*", unit.text), unit.text
        assert not unit.text or re.search("[A-Za-z]", unit.text)


def test_a_respelling_given_by_the_fan_wins_and_keeps_possessives_and_marks() -> None:
    said = say("Xiomara, Xiomara's dog and xiomara!", {"xiomara": "zoh-MAR-uh"})
    assert [s.text for s in said if s.respelt] == ["zoh-MAR-uh,", "zoh-MAR-uh's", "zoh-MAR-uh!"]


def test_a_respelling_may_be_for_a_phrase() -> None:
    said = say("Dear Anna María, hello", {"Anna Maria": "AH-nah mah-REE-ah"})
    assert (said[1].count, said[1].text, said[1].respelt) == (2, "AH-nah mah-REE-ah,", True)


def test_markup_in_a_respelling_never_comes_through() -> None:
    said = say("Hi Eileen", {"Eileen": "[eye](/lˈin/) <b>LEEN</b>"})
    assert not set(said[1].text) & set("[]()/<>ˈ")


@pytest.mark.parametrize(
    ("written", "plain"),
    [("José", "Jose"), ("Zoë", "Zoe"), ("Nguyễn", "Nguyen"), ("Łukasz", "Lukasz"), ("Søren", "Soren"), ("Оля", "Olya")],
)
def test_foreign_letters_fold_to_the_closest(written: str, plain: str) -> None:
    assert fold(written) == plain


@pytest.mark.parametrize("written", ["José", "Zoë's", "Nguyễn", "Łukasz,", "Eileen!"])
def test_common_names_english_rules_get_wrong_are_respelt(written: str) -> None:
    assert say(written)[0].respelt


def test_names_are_respelt_only_as_names() -> None:
    assert not say("an isla of calm")[1].respelt


def test_built_in_respellings_are_letters_and_hyphens() -> None:
    assert all(re.fullmatch(r"[A-Za-z-]+", respelt) for respelt in NAMES.values())


def test_number_words() -> None:
    assert cardinal(1_002_017) == "one million two thousand seventeen"
    assert [ordinal(n) for n in (1, 12, 20, 23, 101)] == [
        "first",
        "twelfth",
        "twentieth",
        "twenty-third",
        "one hundred first",
    ]
    assert [year(n) for n in (1905, 2000, 1900)] == ["nineteen oh five", "two thousand", "nineteen hundred"]
