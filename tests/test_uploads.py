"""What happens to every kind of file a fan may send, through the real views."""

# ruff: noqa: F811  (fixtures arrive as imports and are named again as arguments)

from __future__ import annotations

import errno
import io
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pillow_heif
import pytest
import time_machine
from django.conf import settings
from django.core.files.storage import default_storage
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from PIL import Image

from orders import photo_views, services, signals
from orders.models import ConsentKind, Order, OrderEvent, Photo, PhotoState
from orders.uploads import FORMATS, MAX_PIXELS, gate, label
from pipeline import photos
from pipeline.media import stills

from .wizard import add, creator, draft, file, media, photo, picture, ready, stored, text_of, till  # noqa: F401

pytestmark = pytest.mark.django_db


def animated_webp() -> bytes:
    out = io.BytesIO()
    frames = [Image.new("RGB", (40, 40), colour) for colour in ("red", "green", "blue")]
    frames[0].save(out, "WEBP", save_all=True, append_images=frames[1:], duration=100)
    return out.getvalue()


def heic() -> bytes:
    out = io.BytesIO()
    pillow_heif.from_pillow(Image.new("RGB", (64, 64), "teal")).save(out)
    return out.getvalue()


def mpo() -> bytes:
    out = io.BytesIO()
    left, right = Image.new("RGB", (64, 48), "red"), Image.new("RGB", (64, 48), "blue")
    left.save(out, "MPO", save_all=True, append_images=[right])
    return out.getvalue()


@cache
def huge_png() -> bytes:
    out = io.BytesIO()
    Image.new("1", (9000, 9000)).save(out, "PNG")
    return out.getvalue()


GOOD = {
    "jpeg": picture,
    "png": lambda: picture(kind="PNG"),
    "webp": lambda: picture(kind="WEBP"),
    "animated webp": animated_webp,
    "heic": heic,
    "mpo": mpo,
    "truncated jpeg": lambda: picture(size=(400, 300), quality=95)[:2000],
}
BAD = {
    "pdf": (lambda: b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<<>>\nendobj\n", "is not a photo we can read"),
    "empty": (lambda: b"", "is empty"),
    "gif": (lambda: picture(kind="GIF"), "is not a photo we can read"),
    "html": (lambda: b"<html><script>alert(1)</script>", "is not a photo we can read"),
    "half a header": (lambda: picture()[:12], "is not a photo we can read"),
    "broken heic": (lambda: heic()[:60], "is not a photo we can read"),
    "9000×9000": (huge_png, "has 81 megapixels"),
    "20 MB": (lambda: picture() + b"\0" * (20 * 1024 * 1024), "is too big: a photo may have up to 15 MB"),
}


@pytest.mark.parametrize("kind", GOOD)
@pytest.mark.parametrize("script", [False, True])
def test_a_photo_is_kept_whatever_its_name_says(
    client: Client,
    draft: Order,
    media: Path,
    kind: str,
    script: bool,
) -> None:
    data = GOOD[kind]()
    response = add(client, draft, file("holiday.jpg", data), script=script)
    assert response.status_code == (200 if script else 302)
    kept = draft.photos.get()
    assert kept.state == PhotoState.UPLOADED
    assert kept.original == f"orders/{draft.code}/in/{kept.token}"
    assert [path.read_bytes() for path in stored(media)] == [data]


@pytest.mark.parametrize("kind", BAD)
@pytest.mark.parametrize("script", [False, True])
def test_what_is_no_photo_is_refused_with_a_sentence_and_leaves_nothing(
    client: Client,
    draft: Order,
    media: Path,
    kind: str,
    script: bool,
) -> None:
    make, sentence = BAD[kind]
    response = add(client, draft, file("holiday.jpg", make()), script=script)
    assert response.status_code == 422
    assert sentence in text_of(response)
    assert "holiday.jpg" in text_of(response)
    assert not draft.photos.exists()
    assert stored(media) == []


def test_the_good_ones_of_a_batch_are_kept_and_each_bad_one_gets_its_sentence(client: Client, draft: Order) -> None:
    response = add(client, draft, photo(1), file("letter.jpg", b"%PDF-1.7 letter"), photo(2), file("none.png", b""))
    page = text_of(response)
    assert response.status_code == 422
    assert draft.photos.count() == 2
    assert "“letter.jpg” is not a photo" in page
    assert "“none.png” is empty" in page
    assert "2 things need another look" in page


def test_the_eleventh_photo_is_left_out_and_ten_stay(client: Client, draft: Order, media: Path) -> None:
    response = add(client, draft, *[photo(n) for n in range(11)])
    assert draft.photos.count() == 10
    assert "“photo-10.jpg” was left out: a film takes up to 10 photos" in text_of(response)
    assert len(stored(media)) == 10


def test_more_files_than_any_form_has_get_a_sentence(client: Client, draft: Order) -> None:
    response = add(client, draft, *[photo(n) for n in range(25)])
    assert response.status_code == 422
    assert "too many files at once" in text_of(response)


def test_more_bytes_than_an_order_may_have_are_refused_before_they_are_read(
    client: Client,
    draft: Order,
    settings: Any,
) -> None:
    settings.MAX_ORDER_BYTES = 500 - photo_views.SLACK
    response = add(client, draft, photo())
    assert response.status_code == 413
    assert "too much at once" in text_of(response)


def test_photos_together_may_not_be_too_big(client: Client, draft: Order, settings: Any) -> None:
    settings.MAX_ORDER_BYTES = len(picture(0)) + len(picture(1)) - 1
    response = add(client, draft, photo(0), photo(1))
    assert draft.photos.count() == 1
    assert "“photo-1.jpg” was left out: together" in text_of(response)


def test_the_same_photo_five_times_is_kept_once_and_said_kindly(client: Client, draft: Order, media: Path) -> None:
    response = add(client, draft, *[photo(1) for _ in range(5)])
    assert draft.photos.count() == 1
    assert text_of(response).count('href="#photos-input">“photo-1.jpg” is already here') == 4
    assert len(stored(media)) == 1


@pytest.mark.parametrize("script", [False, True])
def test_a_full_disk_is_our_fault_and_the_photo_may_come_again(
    client: Client, draft: Order, media: Path, monkeypatch: pytest.MonkeyPatch, script: bool
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(services.default_storage, "save", no_room)
        response = add(client, draft, photo(), script=script)
    assert response.status_code == 503
    assert "no room for more photos just now" in text_of(response)
    assert (Photo.objects.count(), stored(media)) == (0, [])
    assert add(client, draft, photo(), script=script).status_code in (200, 302)
    assert Photo.objects.count() == 1


def test_a_disk_without_room_while_a_photo_is_checked_does_not_cost_it_a_try(
    client: Client, draft: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(client, draft, photo())
    one = Photo.objects.get()
    with monkeypatch.context() as patch:
        patch.setattr(photos.files, "fetch", no_room)
        photos.check(one.pk)
    one.refresh_from_db()
    assert (one.state, one.tries, one.lease) == (PhotoState.UPLOADED, 0, "")
    assert one.claim(60) is None, "it is left alone for a moment"
    with time_machine.travel(timezone.now() + timedelta(seconds=photos.PARKED + 1)):
        assert one.claim(60) is not None


def no_room(*args: Any, **kwargs: Any) -> Any:
    raise OSError(errno.ENOSPC, "No space left on device")


def test_the_gate_and_the_check_know_the_same_limits() -> None:
    assert stills.MAX_BYTES == settings.MAX_PHOTO_BYTES
    assert stills.MAX_PIXELS == MAX_PIXELS
    assert set(stills._READERS) == set(FORMATS)


def test_choosing_nothing_gets_a_sentence(client: Client, draft: Order) -> None:
    response = client.post(reverse("orders:photo_add", args=[draft.code]), {})
    assert response.status_code == 422
    assert "Choose one or more photos first." in text_of(response)


def test_the_address_of_the_upload_form_leads_back_to_the_photos(client: Client, draft: Order) -> None:
    assert client.get(reverse("orders:photo_add", args=[draft.code])).url == reverse("orders:photos", args=[draft.code])


def test_an_upload_without_the_forms_token_is_refused(draft: Order) -> None:
    strict = Client(enforce_csrf_checks=True)
    session = strict.session
    session["visitor"] = draft.session_key
    session.save()
    strict.cookies["sessionid"] = session.session_key
    assert add(strict, draft, photo()).status_code == 403
    assert not draft.photos.exists()


def test_the_script_gets_the_new_list_and_the_photos_token(client: Client, draft: Order) -> None:
    response = add(client, draft, photo(), script=True)
    token = draft.photos.get().token
    assert response["X-Photo"] == token
    assert f'id="photo-{token}"' in text_of(response)
    assert "Being checked…" in text_of(response)
    assert 'hx-trigger="every 2s"' in text_of(response)


def test_the_list_is_asked_again_only_while_a_check_runs(client: Client, draft: Order) -> None:
    add(client, draft, photo())
    address = reverse("orders:photo_list", args=[draft.code])
    assert "every 2s" in text_of(client.get(address))
    facts = {"notes": [["%(count)d faces", {"count": 2}], ["Sharp & big", {}], ["%(lost)s", {"other": 1}], "plain"]}
    draft.photos.update(state=PhotoState.CHECKED, facts=facts)
    page = text_of(client.get(address))
    assert "every 2s" not in page
    for said in ("2 faces", "Sharp &amp; big", "%(lost)s", "plain"):
        assert f"<li>{said}</li>" in page


def test_a_photo_the_worker_refused_is_shown_with_its_reason_and_does_not_count(client: Client, ready: Order) -> None:
    first = ready.photos.first()
    ready.photos.filter(pk=first.pk).update(state=PhotoState.REFUSED, fault="This photo is damaged.", original="")
    page = text_of(client.get(reverse("orders:photos", args=[ready.code])))
    assert "Cannot be used" in page
    assert "This photo is damaged." in page
    assert "4 of 5–10" in page
    response = client.post(reverse("orders:photos", args=[ready.code]))
    assert response.status_code == 422
    assert "Add at least 1 more photo" in text_of(response)


def test_four_photos_do_not_lead_on_and_five_unchecked_ones_do(client: Client, draft: Order) -> None:
    address = reverse("orders:photos", args=[draft.code])
    add(client, draft, *[photo(n) for n in range(4)])
    response = client.post(address)
    assert response.status_code == 422
    assert "Add at least 1 more photo: a film needs 5 to 10." in text_of(response)
    add(client, draft, photo(9))
    assert client.post(address).url == reverse("orders:story", args=[draft.code])


def test_removing_a_photo_takes_its_files_and_closes_the_gap(
    client: Client,
    ready: Order,
    media: Path,
    django_capture_on_commit_callbacks: Any,
) -> None:
    second = list(ready.photos.all())[1]
    with django_capture_on_commit_callbacks(execute=True):
        address = reverse("orders:photo_remove", args=[ready.code, second.token])
        assert client.post(address).url == reverse("orders:photos", args=[ready.code])
    assert len(stored(media)) == 4
    assert [p.place for p in ready.photos.all()] == [0, 1, 2, 3]
    assert client.post(address).status_code == 302  # the double click
    assert ready.photos.count() == 4


def test_a_row_that_fails_leaves_no_file(ready: Order, media: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*args: Any, **kwargs: Any) -> None:
        raise RuntimeError("the listener broke")

    monkeypatch.setattr(signals.photo_uploaded, "send", broken)
    with pytest.raises(RuntimeError):
        services.add_photo(order=ready, upload=gate(photo(9)))
    assert ready.photos.count() == 5
    assert len(stored(media)) == 5


def test_two_equal_uploads_at_once_end_in_one_photo_and_a_sentence(
    ready: Order,
    media: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(services, "_room_for", lambda order, upload: None)  # both looked before either wrote
    with pytest.raises(services.Refused, match="already here"):
        services.add_photo(order=ready, upload=gate(photo(0)))
    assert len(stored(media)) == ready.photos.count() == 5


def test_the_news_of_a_photo_goes_up_with_its_id(draft: Order) -> None:
    heard: list[int] = []

    def listen(sender: Any, photo_id: int, **kwargs: Any) -> None:
        heard.append(photo_id)

    signals.photo_uploaded.connect(listen)
    try:
        added = services.add_photo(order=draft, upload=gate(photo()))
    finally:
        signals.photo_uploaded.disconnect(listen)
    assert heard == [added.pk]


def test_a_new_photo_asks_again_whether_the_photos_may_be_used(client: Client, ready: Order) -> None:
    add(client, ready, photo(9))
    assert [c.kind for c in ready.consents.all()] == [ConsentKind.AI_VOICE]


def test_moving_by_button_and_by_drag_keeps_every_photo(client: Client, ready: Order) -> None:
    address = reverse("orders:photo_sort", args=[ready.code])
    a, b, c, d, e = (p.token for p in ready.photos.all())

    def now() -> list[str]:
        return [p.token for p in ready.photos.all()]

    client.post(address, {"move": c, "to": "earlier"})
    assert now() == [a, c, b, d, e]
    client.post(address, {"move": a, "to": "earlier"})
    assert now() == [a, c, b, d, e]
    client.post(address, {"order": f"{e},{a},nobody,{e}"})
    assert now() == [e, a, c, b, d]
    ready.refresh_from_db()
    assert ready.photos_sorted
    response = client.post(address, {"move": e, "to": "later"}, headers={"HX-Request": "true"})
    assert "Now photo 2 of 5." in response["HX-Trigger-After-Settle"]


def test_after_removing_the_focus_goes_to_the_next_photo(client: Client, ready: Order) -> None:
    tokens = [p.token for p in ready.photos.all()]
    htmx = {"HX-Request": "true"}
    response = client.post(reverse("orders:photo_remove", args=[ready.code, tokens[1]]), headers=htmx)
    assert f"remove-{tokens[2]}" in response["HX-Trigger-After-Settle"]


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("..\\..\\evil.jpg", "evil.jpg"),
        ("/etc/passwd", "passwd"),
        ("a\u202egpj.exe", "a_gpj.exe"),
        ("<b>x</b>.png", "b_.png"),
        ("Großmutter (2).jpg", "Großmutter (2).jpg"),
        ("", "photo"),
        ("x" * 300 + ".jpg", "x" * 116 + ".jpg"),
    ],
)
def test_a_files_name_is_only_ever_shown_and_harmless(sent: str, shown: str) -> None:
    assert label(sent) == shown


def test_history_names_photos_by_token_alone(ready: Order) -> None:
    added = OrderEvent.objects.filter(order=ready, name="photo.added")
    assert [set(event.data) for event in added] == [{"photo"}] * 5
    assert default_storage.exists(Photo.objects.first().original)
