"""What the wizard's tests share: a creator with a licence and prices, real photos made here, drafts at any stage."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from PIL import Image

from accounts.models import ApprovalMode, Creator, User, Voice, VoiceLicence
from billing import services as billing
from billing.models import Price
from orders import cashier, services
from orders.choices import Length
from orders.models import ConsentKind, Order
from orders.uploads import gate
from orders.visitors import KEY

from . import remembered

NOTES = "Eileen turns sixty on Friday. She taught half the village to swim."
WISHES: dict[str, Any] = {
    "occasion": "birthday",
    "name": "Eileen",
    "said_as": "",
    "sender": "",
    "format": "9:16",
    "tone": "warm",
    "seconds": "30",
}


@pytest.fixture(autouse=True)
def till() -> None:
    """The real till, plugged in as the site does."""
    cashier.use(price_for=billing.price_for, begin_payment=billing.begin_payment)


@pytest.fixture(autouse=True)
def media(settings: Any, tmp_path: Path) -> Path:
    """A storage of this test's own."""
    folder = tmp_path / "media"
    settings.STORAGES = settings.STORAGES | {
        "default": {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": folder}}
    }
    return folder


@pytest.fixture
def creator(db: None) -> Creator:
    """Takes orders for birthdays, weddings and pets, in every length."""
    return Creator.objects.get(slug="mira") if remembered.put_back("the wizard's creator") else _creator()


def _creator() -> Creator:
    made = Creator.objects.create(
        slug="mira", name="Mira Solveig Lark", tagline="…", bio="…", approval=ApprovalMode.AUTOMATIC
    )
    voice = Voice.objects.create(creator=made, provider_voice="mira")
    VoiceLicence.objects.create(
        voice=voice, starts_on=dt.date(2020, 1, 1), occasions=["birthday", "wedding", "pet"], terms="…"
    )
    Price.objects.bulk_create(
        Price(creator=made, seconds=length, amount=1900 + 1000 * number) for number, length in enumerate(Length)
    )
    return made


@pytest.fixture
def draft(client: Client, creator: Creator) -> Order:
    """An empty draft of the anonymous visitor behind `client`."""
    if remembered.put_back("the wizard's draft"):
        _begun_by(client)
    else:
        client.post(reverse("orders:begin", args=[creator.slug]))
    return Order.objects.get()


def _begun_by(client: Client) -> None:
    session = client.session
    session[KEY] = Order.objects.get().session_key
    session.save()


@pytest.fixture
def ready(client: Client, creator: Creator) -> Order:
    """A draft of the visitor behind `client` that can be paid: everything said, five photos, both consents."""
    if not remembered.put_back("the wizard's order"):
        client.post(reverse("orders:begin", args=[creator.slug]))
        return complete(Order.objects.get())
    _begun_by(client)
    order = Order.objects.get()
    for number, made in enumerate(order.photos.all()):
        default_storage.save(made.original, ContentFile(picture(number)))
    return order


def remember() -> None:
    """Do once for all tests what most begin with."""

    def begin() -> Order:
        return services.begin(creator=Creator.objects.get(), fan=None, visitor="a visitor of the tests")

    cashier.use(price_for=billing.price_for, begin_payment=billing.begin_payment)
    creator = "the wizard's creator"
    remembered.keep(creator, _creator)
    remembered.keep("the wizard's draft", begin, after=creator)
    remembered.keep("the wizard's order", lambda: complete(begin()), after=creator)


@pytest.fixture
def fan(db: None) -> User:
    """Someone with an account."""
    return User.objects.create_user("fan@example.org")


def complete(order: Order) -> Order:
    """Fill in everything that lacks."""
    services.describe(order=order, name="Eileen")
    for number in range(5):
        services.add_photo(order=order, upload=gate(photo(number)))
    services.tell_story(order=order, notes=NOTES)
    services.agree(order=order, kinds=list(ConsentKind))
    order.refresh_from_db()
    return order


def picture(number: int = 0, size: tuple[int, int] = (64, 48), kind: str = "JPEG", **options: Any) -> bytes:
    """A real encoded image; another number gives other bytes."""
    out = io.BytesIO()
    colour = (40 + 20 * number % 200, 90, 200 - 15 * number % 180)
    Image.new("RGB", size, colour).save(out, kind, **options)
    return out.getvalue()


def file(name: str, data: bytes) -> SimpleUploadedFile:
    """Those bytes as a browser sends them."""
    return SimpleUploadedFile(name, data, "image/jpeg")


def photo(number: int = 0) -> SimpleUploadedFile:
    """A small real JPEG."""
    return file(f"photo-{number}.jpg", picture(number))


def stored(folder: Path) -> list[Path]:
    """Every file in the storage."""
    return [path for path in folder.rglob("*") if path.is_file()]


def text_of(response: Any) -> str:
    """The page, with the apostrophes people read."""
    return response.content.decode().replace("&#x27;", "'").replace("&quot;", '"')


def add(client: Client, order: Order, *files: SimpleUploadedFile, script: bool = False) -> Any:
    """Send photos as the plain form or as our script does."""
    extra = {"HTTP_X_REQUESTED_WITH": "XMLHttpRequest"} if script else {}
    return client.post(reverse("orders:photo_add", args=[order.code]), {"photos": list(files)}, **extra)


def screens(order: Order) -> Iterator[str]:
    """The wizard's four addresses."""
    for name in ("for_whom", "photos", "story", "summary"):
        yield reverse(f"orders:{name}", args=[order.code])


def to(name: str, order: Order) -> str:
    """The address of one of an order's screens."""
    return reverse(f"orders:{name}", args=[order.code])


def consents() -> dict[str, str]:
    """Every consent, as the form sends it when it is given."""
    return {kind.value: "on" for kind in ConsentKind}
