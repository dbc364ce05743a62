"""Nobody meets another person's draft: owner, other visitor, other fan, creator and staff at every address."""

# ruff: noqa: F811  (fixtures arrive as imports and are named again as arguments)

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import get_resolver, reverse

from accounts.models import Creator, User
from orders.models import Order, OrderState

from .wizard import creator, draft, fan, media, ready, till  # noqa: F401

GETS = ["for_whom", "photos", "story", "summary", "photo_list"]
POSTS = ["for_whom", "photos", "story", "summary", "photo_add", "photo_sort", "photo_remove", "begin_again"]
POSTS += ["photo_ticket", "photo_arrived"]


def address(name: str, order: Order) -> str:
    args = [order.code, order.photos.first().token] if name == "photo_remove" else [order.code]
    return reverse(f"orders:{name}", args=args)


def somebody(who: str, order: Order) -> Client:
    client = Client()
    match who:
        case "other visitor":
            client.post(reverse("orders:begin", args=[order.creator.slug]))
        case "other fan":
            client.force_login(User.objects.create_user("other@example.org"))
        case "creator":
            user = User.objects.create_user("voice@example.org")
            Creator.objects.filter(pk=order.creator_id).update(user=user)
            client.force_login(user)
        case "staff":
            client.force_login(User.objects.create_user("staff@example.org", is_staff=True, is_superuser=True))
    return client


@pytest.mark.parametrize("who", ["stranger", "other visitor", "other fan", "creator", "staff"])
@pytest.mark.parametrize("method", ["get", "post"])
def test_everyone_but_the_owner_gets_404_at_every_address(ready: Order, who: str, method: str) -> None:
    client = somebody(who, ready)
    before = (ready.brief.name, ready.photos.count())
    for name in GETS if method == "get" else POSTS:
        assert getattr(client, method)(address(name, ready)).status_code == 404, name
    ready.refresh_from_db()
    assert (ready.brief.name, ready.photos.count()) == before


def test_these_tests_know_every_address_of_an_order() -> None:
    patterns = next(p for p in get_resolver().url_patterns if getattr(p, "app_name", "") == "orders").url_patterns
    assert {p.name for p in patterns if "code" in str(p.pattern)} == set(GETS) | set(POSTS)


def test_the_owner_sees_every_screen(client: Client, ready: Order) -> None:
    for name in GETS:
        assert client.get(address(name, ready)).status_code == 200, name


def test_private_pages_are_not_kept_by_browsers(client: Client, ready: Order) -> None:
    for name in GETS:
        assert "no-store" in client.get(address(name, ready))["Cache-Control"], name


def test_an_anonymous_draft_becomes_the_accounts_at_sign_in(client: Client, ready: Order, fan: User) -> None:
    client.force_login(fan)
    ready.refresh_from_db()
    assert (ready.fan, ready.session_key) == (fan, "")
    assert client.get(address("summary", ready)).status_code == 200
    assert ready.events.filter(name="order.claimed").count() == 1


def test_after_signing_out_the_draft_is_out_of_reach(client: Client, ready: Order, fan: User) -> None:
    client.force_login(fan)
    client.logout()
    assert client.get(address("summary", ready)).status_code == 404


def test_signing_in_takes_nobody_elses_draft(client: Client, ready: Order, fan: User) -> None:
    other = Client()
    other.post(reverse("orders:begin", args=[ready.creator.slug]))
    other.force_login(fan)
    ready.refresh_from_db()
    assert ready.fan is None
    assert Order.objects.filter(fan=fan).count() == 1


def test_an_order_that_was_placed_sends_its_owner_to_the_film(client: Client, ready: Order) -> None:
    ready.move(OrderState.DRAFT, OrderState.PLACED)
    film = reverse("pipeline:order", args=[ready.code])
    for name in GETS:
        assert client.get(address(name, ready)).url == film, name
    for name in POSTS:
        assert client.post(address(name, ready)).url == film, name
    assert client.post(address("story", ready), headers={"HX-Request": "true"})["HX-Redirect"] == film


def test_my_films_lists_only_mine(client: Client, ready: Order, fan: User) -> None:
    other = Client()
    other.force_login(fan)
    assert list(client.get(reverse("orders:mine")).context["orders"]) == [ready]
    assert list(other.get(reverse("orders:mine")).context["orders"]) == []


@pytest.mark.django_db
def test_looking_makes_no_session() -> None:
    client = Client()
    client.get("/orders/NONE-NONE/for/")
    assert "sessionid" not in client.cookies
