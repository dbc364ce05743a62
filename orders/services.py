"""The verbs of an order, from begun to ended. Each is one transaction and one event; side effects wait for the commit.

While an order is a draft every verb first touches its row, conditionally: that refuses what comes after the purchase,
and lines up two requests for the same order, so the counts below can be trusted.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterable, Sequence
from typing import Any, TypedDict, Unpack

from django.conf import settings
from django.core.files.base import File
from django.core.files.storage import default_storage
from django.db import IntegrityError, transaction
from django.db.models import F, Max, Sum
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Creator, User

from . import consents, drafts, signals
from .choices import Occasion
from .codes import token
from .far import far
from .models import (
    MAX_MUST_SAY,
    MAX_PHOTOS,
    Brief,
    Consent,
    Order,
    OrderState,
    Photo,
    PhotoState,
)
from .uploads import NoRoom, Refused, Upload, megabytes

# What an order begun again takes along; consents, prices and dates it does not.
KEPT_IN_BRIEF = ("occasion", "name", "said_as", "sender", "format", "tone", "seconds", "notes", "must_say")
KEPT_OF_PHOTO = ("state", "label", "sha256", "size", "width", "height", "facts", "taken_at")


class NotADraft(Exception):  # noqa: N818
    """The order has been placed or ended: what was asked for can no longer be changed."""


class NotReady(Exception):  # noqa: N818
    """Something still lacks before the order can be placed. Carries what, as `drafts.missing` says it."""

    def __init__(self, gaps: list[drafts.Gap]) -> None:
        super().__init__("; ".join(gap.sentence for gap in gaps))
        self.gaps = gaps


class NotTakingOrders(Exception):  # noqa: N818  (said to people)
    """The creator's voice cannot be used for a new film now. The message is a sentence for the fan."""


class Wishes(TypedDict, total=False):
    """The brief's fields of the first screen; those not given stay as they are."""

    occasion: str
    name: str
    said_as: str
    sender: str
    format: str
    tone: str
    seconds: int


@transaction.atomic
def begin(*, creator: Creator, fan: User | None, visitor: str) -> Order:
    """A draft with this creator. One that was begun and never touched is used again, so a double click makes one.

    Raises NotTakingOrders.
    """
    _line_up(creator)
    allowed = drafts.occasions(creator)
    if not creator.is_active or not allowed:
        raise NotTakingOrders(_("%(name)s is not taking new films at the moment.") % {"name": creator.name})
    owner: dict[str, Any] = {"fan": fan} if fan is not None else {"fan": None, "session_key": visitor}
    untouched = Order.objects.filter(
        **owner, creator=creator, state=OrderState.DRAFT, brief__name="", brief__notes="", photos=None
    )
    if (found := untouched.select_related("brief").first()) is not None:
        return found
    order = Order.objects.create(creator=creator, fan=fan, session_key="" if fan is not None else visitor)
    occasion = Occasion.BIRTHDAY if Occasion.BIRTHDAY in allowed else allowed[0]
    Brief.objects.create(order=order, occasion=occasion)
    order.tell("order.begun", actor="fan", creator=creator.slug)
    return order


def begin_again(*, ended: Order, fan: User) -> Order:
    """A new draft with the brief and the usable photos of an order that ended without a film.

    A second click gets the same draft, for as long as it is one. Files are copied: each order owns its own. They are
    copied first, since no transaction waits for storage, and go again if the rows fail. Raises NotTakingOrders,
    StorageAway.
    """
    if (known := _begun_again(ended, fan)) is not None:
        return known
    if not ended.creator.is_active or not drafts.occasions(ended.creator):
        raise NotTakingOrders(_("%(name)s is not taking new films at the moment.") % {"name": ended.creator.name})
    order = Order(creator=ended.creator, fan=fan, photos_sorted=ended.photos_sorted)
    photos: list[Photo] = []
    try:
        for place, photo in enumerate(ended.photos.usable()):
            values = {field: getattr(photo, field) for field in KEPT_OF_PHOTO}
            copy = Photo(order=order, token=token(), place=place, **values)
            photos.append(copy)
            copy.original = _copied(photo.original, inbox(order, copy.token))
            copy.file = _copied(photo.file, f"orders/{order.code}/photos/{copy.token}.jpg")
            copy.thumb = _copied(photo.thumb, f"orders/{order.code}/photos/{token()}.jpg")
        made = _keep_again(ended, order, photos)
    except BaseException:
        _drop_files(photos)
        raise
    if made is not order:
        _drop_files(photos)
    return made


def _drop_files(photos: Sequence[Photo]) -> None:
    for photo in photos:
        for name in filter(None, (photo.original, photo.file, photo.thumb)):
            drop(name)


@transaction.atomic
def _keep_again(ended: Order, order: Order, photos: Sequence[Photo]) -> Order:
    """Write down an order begun again, or return the one that another click has written meanwhile."""
    Order.objects.filter(pk=ended.pk).update(state=F("state"))  # lines up the two
    if (known := _begun_again(ended, order.fan)) is not None:
        return known
    order.save(force_insert=True)
    Brief.objects.create(order=order, **{field: getattr(ended.brief, field) for field in KEPT_IN_BRIEF})
    order.tell("order.begun", actor="fan", creator=ended.creator.slug, again=ended.code)
    for photo in photos:
        photo.order = order  # it has its number only now
        photo.save(force_insert=True)
        if photo.state == PhotoState.UPLOADED:
            signals.photo_uploaded.send(Photo, photo_id=photo.pk)
    return order


def _begun_again(ended: Order, fan: User | None) -> Order | None:
    drafts_of = Order.objects.filter(fan=fan, state=OrderState.DRAFT)
    return drafts_of.filter(events__name="order.begun", events__data__again=ended.code).first()


def _copied(name: str, target: str) -> str:
    if not name:
        return ""
    if (store := far()) is not None:
        return store.copy(name, target)
    with default_storage.open(name, "rb") as source:
        return str(default_storage.save(target, File(source)))


@transaction.atomic
def describe(*, order: Order, **wishes: Unpack[Wishes]) -> None:
    """Save for whom the film is and how it should be. Raises NotADraft."""
    _touch(order)
    if "seconds" in _save_brief(order, dict(wishes), "brief.described"):
        # The price at the till was for another length: a payment that is open for it can no longer place the order.
        Order.objects.filter(pk=order.pk).update(amount=None, currency="")


@transaction.atomic
def tell_story(*, order: Order, notes: str | None = None, must_say: Sequence[str] | None = None) -> None:
    """Save the story notes and the lines that must be said; None leaves them as they are. Raises NotADraft."""
    _touch(order)
    values: dict[str, Any] = {}
    if notes is not None:
        values["notes"] = notes
    if must_say is not None:
        values["must_say"] = [line for line in must_say if line][:MAX_MUST_SAY]
    _save_brief(order, values, "story.told")


def inbox(order: Order, name: str) -> str:
    """Where the original of the photo with this token is stored until its check."""
    return f"orders/{order.code}/in/{name}"


def add_photo(*, order: Order, upload: Upload, arrived: str = "") -> Photo:
    """Keep an uploaded photo. The file is written first, under an unguessable name, and goes again if the row fails.

    `arrived` is the token of a file that stands in the inbox already; said twice, the second gets the first's photo.
    Raises Refused (too many, too much, or the same file twice) and NotADraft.
    """
    if arrived:
        name, stored = arrived, inbox(order, arrived)
    else:
        _room_for(order, upload)  # cheap, before the file is written; asked again below where it counts
        name = token()
        stored = default_storage.save(inbox(order, name), File(upload.file))
    try:
        with transaction.atomic():
            _touch(order)
            if arrived and (known := order.photos.filter(token=name).first()) is not None:
                return known
            _room_for(order, upload)
            last = order.photos.aggregate(last=Max("place"))["last"]
            photo = Photo.objects.create(
                order=order,
                token=name,
                place=0 if last is None else last + 1,
                label=upload.label,
                sha256=upload.sha256,
                size=upload.size,
                width=upload.width,
                height=upload.height,
                original=stored,
            )
            # "I may use these photos" was said of the others.
            order.consents.filter(kind__in=consents.OF_PHOTOS).delete()
            order.tell("photo.added", actor="fan", photo=photo.token)
            signals.photo_uploaded.send(Photo, photo_id=photo.pk)
    except BaseException as failure:
        if not (arrived and order.photos.filter(token=name).exists()):  # then it is that photo's file
            drop(stored)
        if isinstance(failure, IntegrityError):
            raise _twice(upload) from failure
        raise
    return photo


def drop(stored: str) -> None:
    """Remove a file that nothing names. One that cannot be removed now is housekeeping's, later."""
    with contextlib.suppress(OSError):
        default_storage.delete(stored)


@transaction.atomic
def remove_photo(*, order: Order, token: str) -> bool:
    """Take a photo out of a draft; its files go once that is committed. False when it was gone. Raises NotADraft."""
    _touch(order)
    photo = order.photos.filter(token=token).first()
    if photo is None:
        return False
    for name in filter(None, (photo.original, photo.file, photo.thumb)):
        transaction.on_commit(functools.partial(drop, name))
    photo.delete()
    _renumber(order, order.photos.order_by("place", "pk"))
    order.tell("photo.removed", actor="fan", photo=token)
    return True


@transaction.atomic
def sort_photos(*, order: Order, tokens: Sequence[str]) -> None:
    """Put the photos in this order. Unknown tokens are passed over; photos not named keep their order, at the end.

    Raises NotADraft.
    """
    _touch(order)
    photos = {photo.token: photo for photo in order.photos.order_by("place", "pk")}
    named = list(dict.fromkeys(name for name in tokens if name in photos))
    _renumber(order, [photos[name] for name in named] + [p for name, p in photos.items() if name not in named])
    Order.objects.filter(pk=order.pk).update(photos_sorted=True)
    order.photos_sorted = True
    _tell_once(order, "photos.sorted")


@transaction.atomic
def agree(*, order: Order, kinds: Iterable[str]) -> None:
    """Record the consents given, with the words agreed to; those no longer given are withdrawn. Raises NotADraft."""
    _touch(order)
    words = consents.asked()
    wanted = words.keys() & set(kinds)
    order.consents.exclude(kind__in=wanted).delete()
    held = drafts.given(order)
    for kind in sorted(wanted - held):
        Consent.objects.update_or_create(order=order, kind=kind, defaults={"words": words[kind]})
    if wanted - held:
        order.tell("consent.given", actor="fan", kinds=sorted(wanted))


@transaction.atomic
def place(*, order: Order, amount: int | None = None, currency: str = "", actor: str = "fan") -> bool:
    """The payment is held: freeze the brief, hand the order on. True for exactly one caller, False when it was placed.

    `amount` (minor units) and `currency` are what is held; it must be what was agreed when the payment was begun.
    Raises NotReady when the draft lacks something, and NotADraft when it ended in another way; the money must then be
    released.
    """
    now = timezone.now()
    # Claimed before it is looked at: nobody may change the draft between the look and the placing.
    is_draft = Order.objects.filter(pk=order.pk, state=OrderState.DRAFT).update(changed_at=now)
    order.refresh_from_db()
    if is_draft:
        order.brief.refresh_from_db()
        gaps = drafts.missing(order)
        if amount is not None and (amount, currency) != (order.amount, order.currency):
            gaps.append(drafts.Gap("summary", _("The film was changed after the till was opened. Please pay again.")))
        if gaps:
            raise NotReady(gaps)
    values: dict[str, Any] = {"placed_at": now, "session_key": ""}
    if not order.move(OrderState.DRAFT, OrderState.PLACED, **values):
        order.refresh_from_db()
        if order.placed_at is None:
            raise NotADraft(order.code)
        return False
    Brief.objects.filter(order=order, frozen_at=None).update(frozen_at=now)
    order.tell("order.placed", actor=actor, amount=order.amount, currency=order.currency)
    signals.order_placed.send(Order, order_id=order.pk)
    return True


@transaction.atomic
def cancel(*, order: Order, actor: str = "fan", ending: str = "") -> bool:
    """End a draft, or an order that is being made. True for exactly one caller, False when it had ended."""
    if not order.move(
        (OrderState.DRAFT, OrderState.PLACED), OrderState.CANCELLED, ended_at=timezone.now(), ending=ending
    ):
        return False
    order.tell("order.cancelled", actor=actor)
    signals.order_cancelled.send(Order, order_id=order.pk)
    return True


ENDINGS = {
    OrderState.DELIVERED: "order.delivered",
    OrderState.FAILED: "order.failed",
    OrderState.REFUSED: "order.refused",
}


@transaction.atomic
def finish(*, order: Order, state: OrderState, ending: str = "", actor: str = "system") -> bool:
    """The making ended: delivered, failed or refused, with the sentence the fan reads. True for exactly one caller."""
    if not order.move(OrderState.PLACED, state, ended_at=timezone.now(), ending=ending):
        return False
    order.tell(ENDINGS[state], actor=actor)
    return True


@transaction.atomic
def reopen(*, order: Order, actor: str) -> bool:
    """Staff make a film again after it ended without one. True for exactly one caller.

    What was delivered stays delivered while a new version is made.
    """
    ended = (OrderState.FAILED, OrderState.REFUSED)
    if not order.move(ended, OrderState.PLACED, ended_at=None, ending=""):
        return False
    order.tell("order.reopened", actor=actor)
    return True


def _line_up(creator: Creator) -> None:
    """Whoever begins a film with a creator first makes this write, so that of two at once the second sees the first's.

    Where rows lock it waits for the other's commit; where they do not, the transaction itself has waited already.
    """
    Creator.objects.filter(pk=creator.pk).update(place=F("place"))


def _touch(order: Order) -> None:
    """Claim the draft for this transaction. Raises NotADraft."""
    if not Order.objects.filter(pk=order.pk, state=OrderState.DRAFT).update(changed_at=timezone.now()):
        raise NotADraft(order.code)


def _save_brief(order: Order, values: dict[str, Any], event: str) -> set[str]:
    """Write what is new in the brief and name it; nothing happens, and nothing is told, when nothing is."""
    brief = Brief.objects.get(order=order)
    changed = {field: value for field, value in values.items() if getattr(brief, field) != value}
    if changed:
        Brief.objects.filter(pk=brief.pk).update(**changed)
        _tell_once(order, event)
    order.brief = Brief.objects.get(pk=brief.pk)
    return set(changed)


def _tell_once(order: Order, event: str) -> None:
    """A run of the same small changes, as autosaving makes them, is one line in the history."""
    last = order.events.order_by("-number").first()
    if last is None or last.name != event:
        order.tell(event, actor="fan")


def _renumber(order: Order, photos: Iterable[Photo]) -> None:
    for place, photo in enumerate(photos):
        if photo.place != place:
            order.photos.filter(pk=photo.pk).update(place=place)


def _twice(upload: Upload) -> Refused:
    return Refused(_("“%(name)s” is already here: the same photo is not needed twice.") % {"name": upload.label})


def _room_for(order: Order, upload: Upload) -> None:
    if order.photos.filter(sha256=upload.sha256).exists():
        raise _twice(upload)
    room_for(order=order, label=upload.label, size=upload.size)


def room_for(*, order: Order, label: str, size: int) -> None:
    """Raises Refused when this would be one photo or too many bytes more than fit. `size` is in bytes."""
    photos = order.photos.all()
    if photos.usable().count() >= MAX_PHOTOS:
        raise NoRoom(
            _("“%(name)s” was left out: a film takes up to %(limit)d photos. Remove one to make room.")
            % {"name": label, "limit": MAX_PHOTOS}
        )
    if (photos.aggregate(sum=Sum("size"))["sum"] or 0) + size > settings.MAX_ORDER_BYTES:
        raise NoRoom(
            _("“%(name)s” was left out: together the photos may have up to %(limit)d MB.")
            % {"name": label, "limit": megabytes(settings.MAX_ORDER_BYTES)}
        )
