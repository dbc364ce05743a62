"""The wizard's screens through the real views: every bad input gets one clear sentence, and nothing typed is lost."""

# ruff: noqa: F811  (fixtures arrive as imports and are named again as arguments)

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import Creator, User, VoiceLicence
from billing.models import Payment, Price
from orders import cashier, drafts, services, signals
from orders.consents import asked
from orders.far import StorageAway
from orders.models import MAX_NAME, ConsentKind, Order, OrderState, PhotoState
from pipeline.providers.writing.telling import NAME_LENGTH

from .wizard import (  # noqa: F401
    NOTES,
    WISHES,
    add,
    complete,
    creator,
    draft,
    fan,
    media,
    photo,
    ready,
    screens,
    text_of,
    till,
)

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


def to(name: str, order: Order) -> str:
    return reverse(f"orders:{name}", args=[order.code])


def consents() -> dict[str, str]:
    return {kind.value: "on" for kind in ConsentKind}


def again(client: Client, order: Order) -> Any:
    return client.post(reverse("orders:begin_again", args=[order.code]))


def ended(order: Order, fan: User, state: OrderState = OrderState.FAILED) -> Order:
    """This order, paid by this fan and ended without a film."""
    Order.objects.filter(pk=order.pk).update(fan=fan, session_key="", state=state)
    order.refresh_from_db()
    return order


# --- beginning again ---


@pytest.mark.parametrize("state", [OrderState.FAILED, OrderState.REFUSED, OrderState.CANCELLED])
def test_a_film_that_could_not_be_made_is_begun_again_with_its_words_and_photos(
    client: Client, ready: Order, fan: User, state: OrderState
) -> None:
    services.tell_story(order=ready, must_say=["See you at eight."])
    old = ended(ready, fan, state)
    client.force_login(fan)
    response = again(client, old)
    new = Order.objects.exclude(pk=old.pk).get()
    assert response.url == to("story", new)
    assert (new.state, new.fan, new.amount) == (OrderState.DRAFT, fan, None)
    assert (new.brief.name, new.brief.notes, new.brief.must_say) == ("Eileen", NOTES, ["See you at eight."])
    assert [photo.sha256 for photo in new.photos.all()] == [photo.sha256 for photo in old.photos.all()]
    assert not new.consents.exists(), "what is agreed to is asked again"
    # Each order owns its files: the new one may lose a photo and the old one keeps it.
    services.remove_photo(order=new, token=new.photos.all()[0].token)
    assert all(default_storage.exists(photo.original) for photo in old.photos.all())


def test_beginning_again_twice_makes_one_draft(client: Client, ready: Order, fan: User) -> None:
    old = ended(ready, fan)
    client.force_login(fan)
    assert again(client, old).url == again(client, old).url
    assert Order.objects.count() == 2


def every_file() -> set[str]:
    """Where the files of all orders' photos stand."""
    folders = [f"orders/{code}/{part}" for code in default_storage.listdir("orders")[0] for part in ("in", "photos")]
    there = [folder for folder in folders if default_storage.exists(folder)]
    return {f"{folder}/{name}" for folder in there for name in default_storage.listdir(folder)[1]}


def files_of(order: Order) -> set[str]:
    return {name for photo in order.photos.all() for name in (photo.original, photo.file, photo.thumb)} - {""}


@pytest.mark.django_db(transaction=True)
def test_files_are_copied_before_the_transaction_and_go_again_when_it_fails(
    ready: Order, fan: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = ended(ready, fan)
    before, copied, in_transaction = every_file(), services._copied, []

    def watched(name: str, target: str) -> str:
        in_transaction.append(connection.in_atomic_block)
        return copied(name, target)

    def broken(*args: Any) -> None:
        raise RuntimeError("the row fails")

    monkeypatch.setattr(services, "_copied", watched)
    with monkeypatch.context() as once:
        once.setattr(services, "_keep_again", broken)
        with pytest.raises(RuntimeError):
            services.begin_again(ended=old, fan=fan)
    assert in_transaction
    assert not any(in_transaction)
    assert every_file() == before
    new = services.begin_again(ended=old, fan=fan)
    assert every_file() - before == files_of(new) != set()


@pytest.mark.django_db(transaction=True)
def test_the_slower_of_two_clicks_gets_the_others_draft_and_leaves_no_files(
    ready: Order, fan: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, copied, drafts_made = ended(ready, fan), services._copied, []

    def meanwhile(name: str, target: str) -> str:
        monkeypatch.setattr(services, "_copied", copied)
        drafts_made.append(services.begin_again(ended=old, fan=fan))
        return copied(name, target)

    before = every_file()
    monkeypatch.setattr(services, "_copied", meanwhile)
    assert services.begin_again(ended=old, fan=fan) == drafts_made[0]
    assert every_file() - before == files_of(drafts_made[0])


def test_a_storage_that_is_away_is_said_and_nothing_is_begun(
    client: Client, ready: Order, fan: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*args: Any) -> str:
        raise StorageAway("no answer")

    old = ended(ready, fan)
    client.force_login(fan, backend="django.contrib.auth.backends.ModelBackend")
    monkeypatch.setattr(services, "_copied", away)
    response = again(client, old)
    assert response.url == reverse("pipeline:order", args=[old.code])
    assert Order.objects.filter(fan=fan, state=OrderState.DRAFT).count() == 0


def test_only_the_fan_begins_again_and_only_what_ended_without_a_film(client: Client, ready: Order, fan: User) -> None:
    film = reverse("pipeline:order", args=[ready.code])
    assert again(client, ready).url == film
    client.force_login(fan)
    assert again(client, ended(ready, fan, OrderState.DELIVERED)).url == film
    client.force_login(User.objects.create_user("other@example.org"))
    assert again(client, ended(ready, fan)).status_code == 404
    assert Order.objects.count() == 1


# --- beginning ---


def test_beginning_makes_a_draft_of_this_visitor(client: Client, creator: Creator) -> None:
    response = client.post(reverse("orders:begin", args=["mira"]))
    order = Order.objects.get()
    assert response.url == to("for_whom", order)
    assert (order.state, order.fan, order.session_key) == (OrderState.DRAFT, None, client.session["visitor"])


def test_beginning_twice_makes_one_draft(client: Client, creator: Creator) -> None:
    first, second = (client.post(reverse("orders:begin", args=["mira"])) for _ in range(2))
    assert first.url == second.url
    assert Order.objects.count() == 1


def test_a_second_film_is_a_second_draft(client: Client, ready: Order) -> None:
    client.post(reverse("orders:begin", args=["mira"]))
    assert Order.objects.count() == 2


def test_a_signed_in_fans_draft_is_the_accounts_at_once(client: Client, creator: Creator, fan: User) -> None:
    client.force_login(fan)
    client.post(reverse("orders:begin", args=["mira"]))
    assert Order.objects.get().fan == fan


def test_the_back_button_to_begin_leads_to_the_creator(client: Client, creator: Creator) -> None:
    assert client.get(reverse("orders:begin", args=["mira"])).url == reverse("creators:show", args=["mira"])
    assert not Order.objects.exists()


def test_without_a_licence_nothing_is_begun_and_the_fan_is_told(client: Client, creator: Creator) -> None:
    VoiceLicence.objects.update(ends_on=timezone.localdate() - dt.timedelta(days=1))
    response = client.post(reverse("orders:begin", args=["mira"]), follow=True)
    assert "is not taking new films" in text_of(response)
    assert not Order.objects.exists()


def test_a_creator_who_takes_no_orders_is_not_found(client: Client, creator: Creator) -> None:
    Creator.objects.update(is_active=False)
    assert client.post(reverse("orders:begin", args=["mira"])).status_code == 404


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


# --- summary ---


def test_the_summary_of_an_empty_draft_says_what_lacks_with_links(client: Client, draft: Order) -> None:
    page = text_of(client.get(to("summary", draft)))
    for name in ("for_whom", "photos", "story"):
        assert f'<li><a href="{to(name, draft)}">' in page
    assert "Add at least 5 more photos" in page
    assert "No photos yet." in page


def test_paying_for_an_unfinished_draft_is_refused_sentence_by_sentence(
    client: Client, draft: Order, fan: User
) -> None:
    client.force_login(fan)
    response = client.post(to("summary", draft), consents() | {"price": "2900 EUR"})
    assert response.status_code == 422
    assert "3 things need another look" in text_of(response)
    assert not Payment.objects.exists()


def test_the_consents_are_unticked_and_each_is_needed(client: Client, draft: Order, fan: User) -> None:
    complete(draft)
    services.agree(order=draft, kinds=[])
    client.force_login(fan)
    assert '" checked' not in text_of(client.get(to("summary", draft)))
    response = client.post(to("summary", draft), {"price": "2900 EUR", "photos": "on"})
    assert text_of(response).count("Please tick this box if you agree.") == 1
    assert '<a href="#id_ai_voice">Please tick: “I understand' in text_of(response)
    assert [consent.kind for consent in draft.consents.all()] == [ConsentKind.PHOTOS]
    assert not Payment.objects.exists()


def test_a_visitor_is_sent_to_sign_in_with_the_consents_kept_and_comes_back(client: Client, ready: Order) -> None:
    ready.consents.all().delete()
    assert "Sign in and pay" in text_of(client.get(to("summary", ready)))
    response = client.post(to("summary", ready), consents() | {"price": "2900 EUR"})
    assert response.url.startswith(reverse("account_request_login_code"))
    assert response.url.endswith(f"next=%2Forders%2F{ready.code}%2Fsummary%2F")
    assert {c.words for c in ready.consents.all()} == set(asked().values())
    assert not Payment.objects.exists()


def test_paying_leads_to_the_till_and_a_double_click_gives_one_payment(client: Client, ready: Order, fan: User) -> None:
    client.force_login(fan)
    first, second = (client.post(to("summary", ready), consents() | {"price": "2900 EUR"}) for _ in range(2))
    payment = Payment.objects.get()
    assert first.url == second.url == reverse("billing:till", args=[payment.key])
    assert (payment.amount, payment.currency, payment.order) == (2900, "EUR", ready)


def test_nobody_pays_another_price_than_they_saw(client: Client, ready: Order, fan: User) -> None:
    client.force_login(fan)
    Price.objects.filter(seconds=30).update(amount=3550)
    response = client.post(to("summary", ready), consents() | {"price": "2900 EUR"})
    assert "The price has changed: it is now €35.50." in text_of(response)
    assert not Payment.objects.exists()


def test_what_is_no_longer_for_sale_cannot_be_paid(client: Client, ready: Order, fan: User) -> None:
    client.force_login(fan)
    VoiceLicence.objects.update(revoked_at=timezone.now())
    Price.objects.all().delete()
    page = text_of(client.post(to("summary", ready), consents() | {"price": "2900 EUR"}))
    assert "does not offer films for this occasion" in page
    assert "This length is not for sale" in page
    assert not Payment.objects.exists()


def test_a_till_that_says_no_is_said_kindly(
    client: Client,
    ready: Order,
    fan: User,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def closed(order: Order) -> cashier.PaymentLike:
        raise cashier.NotForSale(order.code)

    monkeypatch.setattr(cashier, "begin", closed)
    client.force_login(fan)
    response = client.post(to("summary", ready), consents() | {"price": "2900 EUR"})
    assert response.status_code == 422
    assert "Nothing was taken." in text_of(response)


def test_without_history_no_time_is_promised_and_with_it_the_measured_range_is_said(
    client: Client, ready: Order
) -> None:
    page = text_of(client.get(to("summary", ready)))
    assert "so we promise no time" in page
    now = timezone.now()
    narrator = User.objects.create_user("someone@example.org")
    for seconds in (40, 60, 70, 300):
        Order.objects.create(
            creator=ready.creator,
            fan=narrator,
            state=OrderState.DELIVERED,
            placed_at=now - dt.timedelta(seconds=seconds),
            ended_at=now,
        )
    assert drafts.time_range(ready.creator) == (40, 300)
    assert "40 seconds to 5 minutes" in text_of(client.get(to("summary", ready)))


# --- the verbs ---


def test_placing_freezes_the_brief_hands_on_the_order_and_happens_once(ready: Order) -> None:
    heard: list[int] = []
    cashier.begin(ready)

    def listen(sender: Any, order_id: int, **kwargs: Any) -> None:
        heard.append(order_id)

    signals.order_placed.connect(listen)
    try:
        assert [services.place(order=ready, amount=2900, currency="EUR") for _ in range(2)] == [True, False]
    finally:
        signals.order_placed.disconnect(listen)
    ready.refresh_from_db()
    assert heard == [ready.pk]
    assert (ready.state, ready.amount, ready.currency) == (OrderState.PLACED, 2900, "EUR")
    assert ready.placed_at is not None
    assert ready.brief.frozen_at is not None
    assert ready.events.filter(name="order.placed").count() == 1


def test_a_placed_order_cannot_be_changed_by_any_verb(ready: Order) -> None:
    services.place(order=ready)
    token = ready.photos.first().token
    upload = services.Upload(file=photo(9), label="x", sha256="x", size=1, width=1, height=1)
    for change in (
        lambda: services.describe(order=ready, name="Other"),
        lambda: services.tell_story(order=ready, notes="Other"),
        lambda: services.agree(order=ready, kinds=[]),
        lambda: services.remove_photo(order=ready, token=token),
        lambda: services.sort_photos(order=ready, tokens=[]),
        lambda: services.add_photo(order=ready, upload=upload),
    ):
        with pytest.raises(services.NotADraft):
            change()
    assert ready.photos.count() == 5
    assert ready.consents.count() == 2


def test_an_order_that_lacks_something_is_not_placed(ready: Order) -> None:
    ready.photos.filter(place=0).update(state=PhotoState.REFUSED)
    with pytest.raises(services.NotReady, match="1 more photo"):
        services.place(order=ready)
    ready.refresh_from_db()
    assert ready.is_draft


def test_a_longer_film_is_not_had_for_the_price_of_a_shorter_one(ready: Order) -> None:
    cashier.begin(ready)
    services.describe(order=ready, seconds=60)
    with pytest.raises(services.NotReady, match="Please pay again"):
        services.place(order=ready, amount=2900, currency="EUR")
    cashier.begin(ready)
    assert services.place(order=ready, amount=4900, currency="EUR")


def test_a_price_that_rises_while_the_fan_pays_does_not_concern_them(ready: Order) -> None:
    cashier.begin(ready)
    Price.objects.filter(seconds=30).update(amount=9900)
    assert services.place(order=ready, amount=2900, currency="EUR")


def test_a_cancelled_draft_is_not_placed(ready: Order) -> None:
    assert [services.cancel(order=ready) for _ in range(2)] == [True, False]
    with pytest.raises(services.NotADraft):
        services.place(order=ready)


def test_an_order_ends_once_and_staff_may_open_it_again(ready: Order) -> None:
    services.place(order=ready)
    assert services.finish(order=ready, state=OrderState.FAILED, ending="Sorry.")
    assert not services.finish(order=ready, state=OrderState.DELIVERED)
    assert (ready.state, ready.ending) == (OrderState.FAILED, "Sorry.")
    assert services.reopen(order=ready, actor="staff")
    assert services.finish(order=ready, state=OrderState.DELIVERED)
    names = list(ready.events.order_by("number").values_list("name", flat=True))
    assert names[-4:] == ["order.placed", "order.failed", "order.reopened", "order.delivered"]


def test_the_next_screen_is_where_something_lacks(draft: Order) -> None:
    assert drafts.next_screen(draft) == "for_whom"
    services.describe(order=draft, name="Eileen")
    assert drafts.next_screen(draft) == "photos"
    assert drafts.next_screen(draft, after="photos") == "story"
    complete(draft)
    assert drafts.next_screen(draft) == "summary"
    assert drafts.next_screen(draft, after="for_whom") == "summary"


def test_consents_in_old_words_are_asked_again(ready: Order) -> None:
    ready.consents.filter(kind=ConsentKind.PHOTOS).update(words="Something else.")
    assert [gap.screen for gap in drafts.missing(ready)] == ["summary"]


def test_every_screen_says_where_one_is(client: Client, ready: Order) -> None:
    for address in screens(ready):
        assert text_of(client.get(address)).count('aria-current="step"') == 1
