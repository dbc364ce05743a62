"""Beginning a film, and beginning again one that could not be made: one draft, no file lost, none left."""

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
from orders import services
from orders.far import StorageAway
from orders.models import Order, OrderState

from .wizard import NOTES, creator, draft, fan, media, photo, ready, text_of, till, to  # noqa: F401

pytestmark = pytest.mark.django_db


def again(client: Client, order: Order) -> Any:
    return client.post(reverse("orders:begin_again", args=[order.code]))


def ended(order: Order, fan: User, state: OrderState = OrderState.FAILED) -> Order:
    """This order, paid by this fan and ended without a film."""
    Order.objects.filter(pk=order.pk).update(fan=fan, session_key="", state=state)
    order.refresh_from_db()
    return order


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
