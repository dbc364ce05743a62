"""From the summary to a placed order: consents, one payment, the price that was seen, and verbs that happen once."""

# ruff: noqa: F811  (fixtures arrive as imports and are named again as arguments)

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User, VoiceLicence
from billing.models import Payment, Price
from orders import cashier, drafts, services, signals
from orders.consents import asked
from orders.models import ConsentKind, Order, OrderState, PhotoState

from .wizard import complete, consents, creator, draft, fan, media, photo, ready, screens, text_of, till, to  # noqa: F401

pytestmark = pytest.mark.django_db


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
