"""Private files: who may fetch them, in which parts, and for how long."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
import time_machine
from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.test import AsyncClient
from django.utils import timezone

from accounts.models import User
from orders.models import OrderState
from pipeline import media_links
from pipeline.models import Delivery

from . import making

pytestmark = pytest.mark.django_db(transaction=True)

BODY = bytes(range(256)) * 40


@pytest.fixture
def order():
    made = making.draft()
    made.state = OrderState.DELIVERED
    made.save()
    return made


@pytest.fixture
def film(order):
    name = default_storage.save(f"films/{order.code}/1/abc.mp4", ContentFile(BODY))
    return media_links.link(name)


async def fetch(client: AsyncClient, address: str, method: str = "get", **headers: str):
    response = await getattr(client, method)(address, headers=headers)
    if getattr(response, "streaming", False):
        return response, b"".join([chunk async for chunk in response.streaming_content])
    return response, response.content


def get(user: User | None, address: str, method: str = "get", **headers: str):
    client = AsyncClient()
    if user is not None:
        client.force_login(user)
    return asyncio.run(fetch(client, address, method, **headers))


@pytest.mark.parametrize(
    ("asked", "status", "start", "end"),
    [
        (None, 200, 0, len(BODY)),
        ("bytes=0-99", 206, 0, 100),
        ("bytes=100-", 206, 100, len(BODY)),
        ("bytes=-50", 206, len(BODY) - 50, len(BODY)),
        ("bytes=0-999999", 206, 0, len(BODY)),
        ("bytes=0-0", 206, 0, 1),
        ("bytes=0-1,5-6", 200, 0, len(BODY)),  # several ranges may be answered with the whole
        ("lines=1-2", 200, 0, len(BODY)),
    ],
)
def test_a_part_is_just_that_part(order, film, asked, status, start, end):
    response, body = get(order.fan, film, **({"Range": asked} if asked else {}))
    assert response.status_code == status
    assert body == BODY[start:end]
    assert response["Content-Length"] == str(end - start)
    assert response["Accept-Ranges"] == "bytes"
    assert response["Content-Type"] == "video/mp4"
    if status == 206:
        assert response["Content-Range"] == f"bytes {start}-{end - 1}/{len(BODY)}"


@pytest.mark.parametrize("asked", ["bytes=9-3", "bytes=0-" + "9" * 5000, "bytes=" + "9" * 5000 + "-", "bytes=a-b"])
def test_what_is_no_range_is_passed_over(order, film, asked):
    response, body = get(order.fan, film, Range=asked)
    assert (response.status_code, body) == (200, BODY)


@pytest.mark.parametrize("asked", [f"bytes={len(BODY)}-", "bytes=-0"])
def test_a_range_beyond_the_end_is_refused_with_the_size(order, film, asked):
    response, body = get(order.fan, film, Range=asked)
    assert (response.status_code, body) == (416, b"")
    assert response["Content-Range"] == f"bytes */{len(BODY)}"


def test_head_says_the_size_and_sends_nothing(order, film):
    response, body = get(order.fan, film, "head")
    assert (response.status_code, body, response["Content-Length"]) == (200, b"", str(len(BODY)))


def test_a_part_of_another_version_is_answered_whole(order, film):
    etag = get(order.fan, film)[0]["ETag"]
    assert get(order.fan, film, Range="bytes=0-9", **{"If-Range": etag})[0].status_code == 206
    assert get(order.fan, film, Range="bytes=0-9", **{"If-Range": '"other"'})[0].status_code == 200
    assert get(order.fan, film, **{"If-None-Match": etag})[0].status_code == 304


def test_the_owner_the_creator_and_staff_may_see_it_and_nobody_else(order, film):
    staff = User.objects.get(email="staff@videogen.invalid")
    others = [order.creator.user, staff]
    for may in [order.fan, *others]:
        assert get(may, film)[0].status_code == 200
    another = User.objects.exclude(pk__in=[order.creator.user_id, staff.pk]).filter(is_staff=True).first()
    for may_not in (None, making.fan("stranger@films.example"), another):
        assert get(may_not, film)[0].status_code == 404


def test_a_link_that_was_tampered_with_or_ran_out_is_dead(order, film):
    head, _, name = film.rpartition("/")
    assert get(order.fan, f"{head[:-3]}AAA/{name}")[0].status_code == 404
    late = timezone.now() + timedelta(seconds=settings.MEDIA_LINK_SECONDS + media_links.STEP + 1)
    with time_machine.travel(late, tick=False):
        assert media_links.read(head.rsplit("/", 1)[-1]) is None


def test_a_revoked_delivery_kills_the_link(order, film, monkeypatch):
    revoked = Delivery(order=order, revoked_at=timezone.now())
    monkeypatch.setattr(type(order), "delivery", revoked)
    assert get(order.fan, film)[0].status_code == 404


def test_a_file_that_belongs_to_no_order_is_not_served(order):
    name = default_storage.save("elsewhere/secret.txt", ContentFile(b"secret"))
    assert get(order.fan, media_links.link(name))[0].status_code == 404


def test_a_download_has_its_file_name_and_a_page_does_not_keep_it_for_others(order):
    name = default_storage.save(f"films/{order.code}/1/def.mp4", ContentFile(BODY))
    response, _ = get(order.fan, media_links.link(name, filename="film-for-eileen.mp4"))
    assert response["Content-Disposition"] == 'attachment; filename="film-for-eileen.mp4"'
    assert "private" in response["Cache-Control"]
    assert response["X-Content-Type-Options"] == "nosniff"


def test_links_of_the_same_hour_are_equal_so_pictures_are_not_fetched_again(order):
    with time_machine.travel("2026-11-22 10:05:00", tick=False):
        first = media_links.link("orders/X/a.jpg")
    with time_machine.travel("2026-11-22 10:55:00", tick=False):
        assert media_links.link("orders/X/a.jpg") == first
