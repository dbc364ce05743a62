"""Photos from the browser straight to a real S3 server: tickets, what arrives, and faults in between."""

# ruff: noqa: F811  (fixtures arrive as imports and are named again as arguments)

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import requests
import time_machine
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from PIL import Image
from playwright.sync_api import expect

from accounts.models import User
from orders import direct, s3, services
from orders.far import far
from orders.models import Order, OrderState, PhotoState
from orders.uploads import gate
from pipeline import photos

from . import stores
from .browsers import chromium
from .samples import STORY
from .stores import at, away, keys, server, store  # noqa: F401
from .waiting import PATIENCE
from .wizard import add, complete, creator, draft, photo, picture, text_of, till  # noqa: F401

pytestmark = pytest.mark.slow

SCRIPT = {"HTTP_X_REQUESTED_WITH": "XMLHttpRequest"}


def put(form: dict[str, Any] | direct.Ticket, data: bytes, **changed: str) -> int:
    """What the browser does with a ticket; the server's status."""
    url, fields = (form.url, form.fields) if isinstance(form, direct.Ticket) else (form["url"], form["fields"])
    photo = {"file": ("photo.jpg", data)}
    return requests.post(url, data={**fields, **changed}, files=photo, timeout=PATIENCE).status_code


def test_the_form_holds_size_type_name_and_time(store: s3.FilesOnS3) -> None:
    def form(seconds: int = 60, kind: str = "image/jpeg") -> dict[str, Any]:
        return store.upload_form("orders/C/in/token", kind=kind, most=1000, seconds=seconds)

    with time_machine.travel(timezone.now() - timedelta(hours=1)):
        short, long = form(seconds=60), form(seconds=7200)
    assert put(form(), b"x" * 1001) == 400
    assert put(form(), b"") == 400
    assert put(form(kind="text/html"), b"x") == 403
    assert put(form(), b"x", **{"Content-Type": "text/html"}) == 403
    assert put(form(), b"x", **{"Content-Disposition": "inline"}) == 403
    assert put(form(), b"x", key="orders/D/in/token") == 403
    assert put(form(), b"x", policy=form(seconds=6000)["fields"]["policy"]) == 403
    assert put(short, b"x") == 403
    assert keys(store) == []
    assert put(long, b"x" * 1000) == 201
    head = store.bucket.Object("orders/C/in/token")
    assert (head.content_type, head.content_disposition) == ("image/jpeg", "attachment")


def ask(client: Client, order: Order, name: str = "holiday.jpg", size: int = 1000, kind: str = "image/jpeg") -> Any:
    said = {"name": name, "size": size, "type": kind}
    return client.post(reverse("orders:photo_ticket", args=[order.code]), said, **SCRIPT)


def tell(client: Client, order: Order, token: str, name: str = "holiday.jpg") -> Any:
    address = reverse("orders:photo_arrived", args=[order.code])
    return client.post(address, {"token": token, "name": name}, **SCRIPT)


def send(client: Client, order: Order, data: bytes, **said: Any) -> tuple[Any, str]:
    """The whole way of one photo: our answer to its arrival, and its token."""
    given = ask(client, order, size=len(data), **said).json()
    assert put(given, data) == 201
    return tell(client, order, given["token"]), given["token"]


@pytest.mark.django_db
def test_a_photo_goes_straight_to_the_bucket_and_is_looked_at_there(
    client: Client, draft: Order, store: s3.FilesOnS3
) -> None:
    data = picture()
    response, token = send(client, draft, data)
    assert (response.status_code, response["X-Photo"]) == (200, token)
    assert f'id="photo-{token}"' in text_of(response)
    kept = draft.photos.get()
    assert (kept.token, kept.label, kept.size) == (token, "holiday.jpg", len(data))
    assert (kept.width, kept.height, kept.sha256) == (64, 48, hashlib.sha256(data).hexdigest())
    assert keys(store) == [kept.original] == [services.inbox(draft, token)]
    again = tell(client, draft, token)
    assert (again.status_code, again["X-Photo"]) == (200, token)
    assert draft.photos.count() == 1
    assert keys(store) == [kept.original]


@pytest.mark.django_db
def test_a_ticket_is_for_no_more_bytes_than_were_said(client: Client, draft: Order, store: s3.FilesOnS3) -> None:
    """There was room for so many; any number of tickets for one byte each would store fifteen megabytes each."""
    given = ask(client, draft, size=1000).json()
    assert put(given, b"x" * 1001) == 400
    assert keys(store) == []
    assert put(given, b"x" * 1000) == 201


@pytest.mark.django_db
def test_the_worker_checks_it_and_only_its_own_pixels_stay(
    client: Client, draft: Order, store: s3.FilesOnS3, django_capture_on_commit_callbacks: Any
) -> None:
    send(client, draft, STORY[0].read_bytes())
    with django_capture_on_commit_callbacks(execute=True):
        photos.check(draft.photos.get().pk)
    kept = draft.photos.get()
    assert kept.state == PhotoState.CHECKED
    assert set(keys(store)) == {kept.file, kept.thumb}
    with django_capture_on_commit_callbacks(execute=True):
        services.remove_photo(order=draft, token=kept.token)
    assert keys(store) == []


@pytest.mark.django_db
def test_what_is_no_photo_is_deleted_with_the_usual_sentence(client: Client, draft: Order, store: s3.FilesOnS3) -> None:
    huge = io.BytesIO()
    Image.new("1", (9000, 9000)).save(huge, "PNG")
    page = b"<html><script>alert(1)</script>"
    for sentence, data in (("is not a photo we can read", page), ("has 81 megapixels", huge.getvalue())):
        response, _ = send(client, draft, data)
        assert response.status_code == 422
        assert sentence in text_of(response)
        assert keys(store) == []
    assert not draft.photos.exists()


@pytest.mark.django_db
def test_a_ticket_is_not_given_for_what_would_be_refused(
    client: Client, draft: Order, store: s3.FilesOnS3, settings: Any
) -> None:
    for said, sentence in (
        ({"size": 0}, "is empty"),
        ({"size": "many"}, "is empty"),
        ({"size": settings.MAX_PHOTO_BYTES + 1}, "is too big: a photo may have up to 15 MB"),
        ({"kind": "text/html"}, "is not a photo we can read"),
        ({"kind": "image/png\r\nX: y"}, "is not a photo we can read"),
    ):
        response = ask(client, draft, **said)
        assert (response.status_code, sentence in text_of(response)) == (422, True), said
        assert response["Content-Type"].startswith("text/plain")
    assert ask(client, draft, name="photo.heic", kind="").status_code == 200
    settings.MAX_ORDER_BYTES = 999
    assert "together the photos may have" in text_of(ask(client, draft))


@pytest.mark.django_db
def test_the_eleventh_and_the_same_one_again_are_refused_before_or_after(
    client: Client, draft: Order, store: s3.FilesOnS3
) -> None:
    late = ask(client, draft).json()
    first, _ = send(client, draft, picture(0))
    assert first.status_code == 200
    twice, _ = send(client, draft, picture(0))
    assert (twice.status_code, "already here" in text_of(twice)) == (422, True)
    assert len(keys(store)) == 1
    for number in range(1, 10):
        services.add_photo(order=draft, upload=gate(photo(number)))
    full = ask(client, draft)
    assert (full.status_code, "a film takes up to 10 photos" in text_of(full)) == (409, True)
    assert put(late, picture(11)) == 201
    response = tell(client, draft, late["token"])
    assert (response.status_code, "a film takes up to 10 photos" in text_of(response)) == (409, True)
    assert len(keys(store)) == draft.photos.count() == 10


@pytest.mark.django_db
def test_what_did_not_arrive_or_is_somebody_elses_is_not_kept(
    client: Client, draft: Order, store: s3.FilesOnS3
) -> None:
    default_storage.save("orders/OTHER/in/AAAAAAAAAAAAAAAAAAAAAA", ContentFile(picture()))
    for token in ("AAAAAAAAAAAAAAAAAAAAAA", "../../OTHER/in/AAAAAAAAAAAAAAAAAAAAAA", "", "x" * 500):
        response = tell(client, draft, token)
        assert (response.status_code, "did not arrive" in text_of(response)) == (409, True)
    assert len(keys(store)) == 1


@pytest.mark.django_db
def test_a_row_that_fails_leaves_no_object_and_a_second_word_does_not_take_the_firsts(
    client: Client, draft: Order, store: s3.FilesOnS3
) -> None:
    _, token = send(client, draft, picture())
    Order.objects.filter(pk=draft.pk).update(state=OrderState.PLACED)
    seen = gate(photo(0))
    with pytest.raises(services.NotADraft):
        services.add_photo(order=draft, upload=seen, arrived=token)
    assert len(keys(store)) == 1, "it is the first one's file"
    default_storage.save(services.inbox(draft, "B" * 22), ContentFile(picture(3)))
    with pytest.raises(services.NotADraft):
        services.add_photo(order=draft, upload=seen, arrived="B" * 22)
    assert len(keys(store)) == 1


@pytest.mark.django_db
def test_the_page_offers_it_and_the_plain_form_still_works(client: Client, draft: Order, store: s3.FilesOnS3) -> None:
    page = text_of(client.get(reverse("orders:photos", args=[draft.code])))
    assert f'data-ticket="{reverse("orders:photo_ticket", args=[draft.code])}"' in page
    assert add(client, draft, photo()).status_code == 302
    assert keys(store) == [draft.photos.get().original]


@pytest.mark.django_db
def test_a_site_with_its_files_in_a_folder_gives_no_tickets(client: Client, draft: Order) -> None:
    assert far() is None
    assert "data-ticket" not in text_of(client.get(reverse("orders:photos", args=[draft.code])))
    assert ask(client, draft).status_code == 404
    assert tell(client, draft, "A" * 22).status_code == 409


@pytest.mark.django_db
def test_an_order_begun_again_has_copies_of_its_own(store: s3.FilesOnS3, creator: Any, fan_order: Order) -> None:
    Order.objects.filter(pk=fan_order.pk).update(state=OrderState.FAILED)
    fan_order.refresh_from_db()
    again = services.begin_again(ended=fan_order, fan=fan_order.fan)
    for old, new in zip(fan_order.photos.all(), again.photos.all(), strict=True):
        assert new.original == services.inbox(again, new.token)
        assert default_storage.open(new.original).read() == default_storage.open(old.original).read()


@pytest.fixture
def fan_order(store: s3.FilesOnS3, creator: Any) -> Order:
    order = services.begin(creator=creator, fan=User.objects.create_user("fan@films.example"), visitor="")
    return complete(order)


# --- faults -----------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_uploads_say_that_it_is_our_fault_and_may_come_again(
    client: Client, draft: Order, away: None, store_after: Any
) -> None:
    for response in (add(client, draft, photo(), script=True), tell(client, draft, "A" * 22)):
        assert response.status_code == 503
        assert response["Content-Type"].startswith("text/plain")
        assert "cannot keep photos just now, which is our fault" in text_of(response)
    assert add(client, draft, photo()).status_code == 503
    assert not draft.photos.exists()
    store_after()
    assert add(client, draft, photo()).status_code == 302


@pytest.fixture
def store_after(at: Any, server: str) -> Iterator[Any]:
    """The server comes back when this is called."""
    yield lambda: at(server)
    at(server).bucket.objects.all().delete()


@pytest.mark.django_db
def test_a_photo_that_arrived_is_not_refused_because_the_connection_broke(
    client: Client, draft: Order, store: s3.FilesOnS3, at: Any, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = ask(client, draft).json()
    assert put(given, picture()) == 201
    monkeypatch.setattr(s3, "RETRIES", 0)
    with stores.faulty(server) as (address, faults):
        at(address)
        faults.extend(["", "503"])  # it is there, and cannot be read
        assert tell(client, draft, given["token"]).status_code == 503
        assert len(keys(store)) == 1
        assert tell(client, draft, given["token"]).status_code == 200


@pytest.mark.django_db
def test_a_check_waits_for_the_store_uncounted_and_a_lost_original_is_asked_for_again(
    client: Client, draft: Order, store: s3.FilesOnS3, at: Any, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    send(client, draft, picture())
    one = draft.photos.get()
    monkeypatch.setattr(s3, "RETRIES", 0)
    at("http://127.0.0.1:9")
    photos.check(one.pk)
    one.refresh_from_db()
    assert (one.state, one.tries, one.lease) == (PhotoState.UPLOADED, 0, "")
    at(server)
    default_storage.delete(one.original)
    with time_machine.travel(timezone.now() + timedelta(seconds=photos.PARKED + 1)):
        photos.check(one.pk)
    one.refresh_from_db()
    assert (one.state, one.fault) == (PhotoState.REFUSED, "This photo did not arrive whole. Please upload it again.")


# --- a browser --------------------------------------------------------------------------------------------------------


@pytest.mark.browser
def test_a_browser_sends_photos_straight_and_through_us_when_it_cannot(
    live_server: Any, client: Client, draft: Order, server: str, store: s3.FilesOnS3, settings: Any
) -> None:
    policy = settings.CONTENT_SECURITY_POLICY["DIRECTIVES"]

    def allow(*origins: str) -> None:
        changed = {name: [*policy[name], *origins] for name in ("connect-src", "img-src")}
        settings.CONTENT_SECURITY_POLICY = {"DIRECTIVES": {**policy, **changed}}

    send(client, draft, STORY[3].read_bytes())
    photos.check(draft.photos.get().pk)
    loaded = "() => { const i = document.querySelector('[data-photo] img'); return i.complete && i.naturalWidth > 0 }"
    with chromium() as page:
        posts: list[str] = []
        page.on("request", lambda request: posts.append(request.url) if request.method == "POST" else None)
        session = client.cookies["sessionid"].value
        page.context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])
        address = live_server.url + reverse("orders:photos", args=[draft.code])
        allow(server)
        page.goto(address)
        page.wait_for_function(loaded)  # by our link, then the bucket
        page.set_input_files("#photos-input", [str(path) for path in STORY[:2]])
        expect(page.locator("[data-photo]")).to_have_count(3)
        server_name = server.removeprefix("http://")
        assert [url.rsplit("/", 2)[1] for url in posts] == ["ticket", server_name, "arrived"] * 2
        allow()
        page.goto(address)
        page.set_input_files("#photos-input", str(STORY[2]))
        expect(page.get_by_text("The connection was lost")).to_be_visible()
        page.get_by_role("button", name="Try again").click()
        expect(page.locator("[data-photo]")).to_have_count(4)
    assert draft.photos.count() == 4
    assert len(keys(store)) == 5, "three originals, and the checked one's picture and thumb"
