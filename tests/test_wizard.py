"""The wizard's screens through the real views: every bad input gets one clear sentence, and nothing typed is lost."""

# ruff: noqa: F811  (fixtures arrive as imports and are named again as arguments)

from __future__ import annotations

import datetime as dt

import pytest
from django.test import Client
from django.utils import timezone

from billing.models import Price
from orders import services
from orders.models import MAX_NAME, Order
from pipeline.providers.writing.telling import NAME_LENGTH

from .wizard import NOTES, WISHES, creator, draft, fan, media, ready, text_of, till, to  # noqa: F401

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}


# --- for whom ---


def test_only_licensed_occasions_are_offered_and_lengths_have_prices(client: Client, draft: Order) -> None:
    page = text_of(client.get(to("for_whom", draft)))
    assert 'value="wedding"' in page
    assert 'value="condolence"' not in page
    assert "€29" in page
    response = client.post(to("for_whom", draft), WISHES | {"occasion": "condolence"})
    assert "This occasion is not offered with this voice." in text_of(response)


def test_a_length_without_a_price_is_not_offered(client: Client, draft: Order) -> None:
    Price.objects.filter(seconds=60).update(ends_at=timezone.now() - dt.timedelta(days=1))
    assert 'name="seconds" value="60"' not in text_of(client.get(to("for_whom", draft)))
    assert "This length is not offered." in text_of(client.post(to("for_whom", draft), WISHES | {"seconds": "60"}))


BAD_NAMES = {
    "": "Tell us who the film is for.",
    "   ": "Tell us who the film is for.",
    "x" * 200: "That is 200 characters long; up to 40 fit here.",
    "🎉🎂": "Please write it in letters",
    "Eileen 🎉": "“🎉” cannot be said aloud.",
    "12345": "Please write it in letters",
    "!!!": "Please write it in letters",
    "<b>Eileen</b>": "Please leave out signs such as",
    "Eileen &lt;3": "Please leave out signs such as",
    "{{ name }}": "Please leave out signs such as",
    "https://example.org": "Web and e-mail addresses cannot be read aloud.",
    "www.example.org": "Web and e-mail addresses cannot be read aloud.",
    "eileen@example.org": "Web and e-mail addresses cannot be read aloud.",
    "Ei\x07leen": "characters in it that cannot be seen",
    "Ei\x00leen": "characters in it that cannot be seen",
    "\u202eneeliE": "characters in it that cannot be seen",
    "Eileen %": "“%” cannot be said aloud.",
    "x" * 35: "too long to be read aloud",
    "a" + "\u0301\u0327" * 25_000: "50001 characters long; up to 40 fit here.",
}


@pytest.mark.parametrize("name", BAD_NAMES)
def test_a_name_that_cannot_be_said_gets_one_sentence_and_stays_typed(client: Client, draft: Order, name: str) -> None:
    response = client.post(to("for_whom", draft), WISHES | {"name": name, "sender": "Grandma", "tone": "epic"})
    page = text_of(response)
    assert response.status_code == 422
    assert BAD_NAMES[name] in page
    assert "One thing needs another look" in page
    assert 'href="#id_name"' in page
    assert 'aria-describedby="id_name-hint id_name-error"' in page
    assert response.context["form"]["name"].value() == name
    draft.brief.refresh_from_db()
    assert (draft.brief.name, draft.brief.sender, draft.brief.tone) == ("", "Grandma", "epic")  # the rest is kept


GOOD_NAMES = {
    "Eileen": "Eileen",
    "  Eileen   Marie ": "Eileen Marie",
    "Zoë & Jörg": "Zoë & Jörg",
    "O’Neill-Łukasz (the 2nd)": "O’Neill-Łukasz (the 2nd)",
    "Zoe\u0308": "Zoë",
    "Ms. D'Angelo, Jr.": "Ms. D'Angelo, Jr.",
    "Maximiliane von Schoenburg-Hohenlohe II": "Maximiliane von Schoenburg-Hohenlohe II",
}


def test_a_name_that_is_taken_is_one_the_writer_can_say() -> None:
    assert MAX_NAME == NAME_LENGTH


@pytest.mark.parametrize("name", GOOD_NAMES)
def test_names_people_have_are_taken(client: Client, draft: Order, name: str) -> None:
    assert client.post(to("for_whom", draft), WISHES | {"name": name}).url == to("photos", draft)
    draft.brief.refresh_from_db()
    assert draft.brief.name == GOOD_NAMES[name]


def test_a_name_in_another_script_asks_how_it_is_said(client: Client, draft: Order) -> None:
    response = client.post(to("for_whom", draft), WISHES | {"name": "Ксения"})
    assert "Please write how the name sounds." in text_of(response)
    assert 'href="#id_said_as"' in text_of(response)
    assert client.post(to("for_whom", draft), WISHES | {"name": "Ксения", "said_as": "Ксе"}).status_code == 422
    assert client.post(to("for_whom", draft), WISHES | {"name": "Ксения", "said_as": "KSEH-nee-ya"}).status_code == 302


def test_choices_nobody_offered_get_a_sentence_each(client: Client, draft: Order) -> None:
    bad = {"format": "4:3", "tone": "angry", "seconds": "7", "occasion": "war"}
    response = client.post(to("for_whom", draft), WISHES | bad)
    assert "4 things need another look" in text_of(response)
    assert client.post(to("for_whom", draft), {"name": "Eileen"}).status_code == 422


def test_autosaving_keeps_what_is_valid_and_does_not_nag_about_what_is_empty(client: Client, draft: Order) -> None:
    response = client.post(to("for_whom", draft), WISHES | {"name": "", "sender": "Grandma"}, headers=HTMX)
    assert text_of(response).strip() == '<p id="saved" class="saved">Saved</p>'
    response = client.post(to("for_whom", draft), WISHES | {"name": "<b>", "sender": "Grandma"}, headers=HTMX)
    assert "Not all of it is saved yet: Please leave out signs" in text_of(response)
    draft.brief.refresh_from_db()
    assert draft.brief.sender == "Grandma"


def test_going_back_shows_what_was_saved(client: Client, ready: Order) -> None:
    client.post(to("for_whom", ready), WISHES | {"sender": "Grandma", "format": "1:1", "seconds": "45"})
    page = text_of(client.get(to("for_whom", ready)))
    for saved in ('value="Eileen"', 'value="Grandma"', 'value="1:1" checked', 'value="45" checked'):
        assert saved in page


def test_sending_a_screen_twice_is_sending_it_once(client: Client, draft: Order) -> None:
    first, second = (client.post(to("for_whom", draft), WISHES) for _ in range(2))
    assert first.url == second.url == to("photos", draft)
    assert draft.events.filter(name="brief.described").count() == 1


# --- story ---


@pytest.mark.parametrize("notes", ["", "   \n "])
def test_an_empty_story_gets_a_sentence(client: Client, draft: Order, notes: str) -> None:
    response = client.post(to("story", draft), {"notes": notes, "line_1": "Come home soon."})
    assert response.status_code == 422
    assert "The story is empty. Tell us at least one thing" in text_of(response)
    draft.brief.refresh_from_db()
    assert draft.brief.must_say == ["Come home soon."]


def test_a_story_that_is_too_long_stays_typed(client: Client, draft: Order) -> None:
    long = "word " * 1001
    response = client.post(to("story", draft), {"notes": long})
    assert "Your story has 5004 characters; up to 5000 fit." in text_of(response)
    assert response.context["form"]["notes"].value() == long


def test_unseen_characters_are_tidied_out_of_the_story_and_markup_is_only_text(client: Client, draft: Order) -> None:
    client.post(to("story", draft), {"notes": "One\x00 day\r\nwe <b>met</b> at the lake 🎉\u202e."})
    draft.brief.refresh_from_db()
    assert draft.brief.notes == "One day\nwe <b>met</b> at the lake 🎉."
    assert "&lt;b&gt;met&lt;/b&gt;" in text_of(client.get(to("summary", draft)))


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("x" * 161, "That is 161 characters long; up to 160 fit here."),
        ("W" * 60, "too long to be read aloud"),
        ("שלום עולם hello", "Our narrators read the letters A to Z."),
        ("Привет, друг", "Our narrators read the letters A to Z."),
        ("See https://example.org", "Web and e-mail addresses"),
        ("<script>", "Please leave out signs"),
        ("🎉🎉", "Please write it in letters"),
        ("Come\x07 home", "cannot be seen"),
    ],
)
def test_a_line_that_cannot_be_read_gets_its_sentence(client: Client, draft: Order, line: str, sentence: str) -> None:
    response = client.post(to("story", draft), {"notes": NOTES, "line_2": line, "line_3": "Come home soon."})
    assert sentence in text_of(response)
    assert 'href="#id_line_2"' in text_of(response)
    draft.brief.refresh_from_db()
    assert (draft.brief.notes, draft.brief.must_say) == (NOTES, ["Come home soon."])


def test_lines_are_kept_in_order_once_each(client: Client, draft: Order) -> None:
    client.post(to("story", draft), {"notes": NOTES, "line_1": "", "line_2": "B, always.", "line_3": "B, always."})
    draft.brief.refresh_from_db()
    assert draft.brief.must_say == ["B, always."]


def test_the_story_is_saved_while_it_is_typed_and_history_stays_short(client: Client, draft: Order) -> None:
    for letters in range(1, 30):
        assert "Saved" in text_of(client.post(to("story", draft), {"notes": NOTES[:letters]}, headers=HTMX))
    draft.brief.refresh_from_db()
    assert draft.brief.notes == NOTES[:29].strip()
    assert draft.events.filter(name="story.told").count() == 1
    assert NOTES[:20] not in str(list(draft.events.values_list("data", flat=True)))


def test_the_story_says_how_many_seconds_it_fills(client: Client, draft: Order) -> None:
    services.tell_story(order=draft, notes="word " * 24)
    assert "about 10 seconds of 30" in text_of(client.get(to("story", draft)))
