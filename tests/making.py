"""Orders and productions for tests of the board: real rows, no pixels."""

from __future__ import annotations

import functools
import itertools

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from accounts.models import ApprovalMode, Creator, User
from orders import services as orders
from orders.models import ConsentKind, Order, OrderState, Photo, PhotoState
from pipeline import services
from pipeline.models import Production
from videogen import demo

from . import remembered

PHOTOS = 5
_numbers = itertools.count(1)


def creator(*, approval: ApprovalMode = ApprovalMode.AUTOMATIC) -> Creator:
    """A demo creator who approves as asked."""
    if not Creator.objects.exists() and (User.objects.exists() or not remembered.put_back("demo")):
        demo.seed()
    wanted = Creator.objects.filter(approval=approval).first()
    assert wanted is not None
    return wanted


def fan(email: str = "fan@films.example") -> User:
    """Someone with an account."""
    return User.objects.filter(email=email).first() or User.objects.create_user(email)


def photo(order: Order, number: int) -> Photo:
    """A photo that has been checked; its files hold a few bytes."""
    file = default_storage.save(f"orders/{order.code}/photos/p{number}.jpg", ContentFile(b"photo"))
    thumb = default_storage.save(f"orders/{order.code}/photos/t{number}.jpg", ContentFile(b"thumb"))
    return Photo.objects.create(
        order=order,
        place=number,
        state=PhotoState.CHECKED,
        label=f"{number}.jpg",
        sha256=f"{next(_numbers):064d}",
        size=5,
        file=file,
        thumb=thumb,
        width=1200,
        height=1600,
        facts={"faces": [], "interest": [0.25, 0.25, 0.5, 0.5], "hash": f"{number:016x}", "taken_at": ""},
    )


def draft(*, by: User | None = None, approval: ApprovalMode = ApprovalMode.AUTOMATIC, photos: int = PHOTOS) -> Order:
    """An order that could be paid."""
    if by is None and photos == PHOTOS and not User.objects.exists() and remembered.put_back(f"draft {approval}"):
        order = Order.objects.get()
        for one in order.photos.all():
            default_storage.save(one.file, ContentFile(b"photo"))
            default_storage.save(one.thumb, ContentFile(b"thumb"))
        return order
    order = orders.begin(creator=creator(approval=approval), fan=by or fan(), visitor="")
    orders.describe(order=order, name="Eileen", seconds=20)
    orders.tell_story(order=order, notes="She dreamed of space as a girl and drinks too much coffee.", must_say=[])
    for number in range(photos):
        photo(order, number)
    orders.agree(order=order, kinds=ConsentKind.values)
    order.refresh_from_db()
    return order


def production(*, by: User | None = None) -> Production:
    """A making that has just begun, of an order for which nothing was paid."""
    order = draft(by=by)
    order.state = OrderState.PLACED
    order.save()
    return services.start(order=order)


def remember() -> None:
    """Do once for all tests what most begin with."""
    remembered.keep("demo", demo.seed)
    for approval in (ApprovalMode.AUTOMATIC, ApprovalMode.EVERY_FILM):  # as the demo's creators have it
        remembered.keep(f"draft {approval}", functools.partial(draft, approval=approval))
