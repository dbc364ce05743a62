"""What the fan asked for: the order, its brief, its photos, the consents given and the history."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.db import models, transaction
from django.db.models import F, Max, Q
from django.db.models.functions import Upper
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Creator

from .choices import Format, Length, Occasion, Tone
from .codes import order_code, token
from .history import NAMES

MIN_PHOTOS = 5
MAX_PHOTOS = 10
MAX_NAME = 40
MAX_NOTES = 5000
MAX_MUST_SAY = 3
MAX_MUST_SAY_LETTERS = 160


class OrderState(models.TextChoices):
    """Where the order stands for the fan. Money has states of its own."""

    DRAFT = "draft", _("Draft")
    PLACED = "placed", _("Being made")
    DELIVERED = "delivered", _("Delivered")
    FAILED = "failed", _("Could not be made")
    REFUSED = "refused", _("Refused by the creator")
    CANCELLED = "cancelled", _("Cancelled")


# The ends of an order at which the fan has no film and pays nothing.
WITHOUT_FILM = (OrderState.FAILED, OrderState.REFUSED, OrderState.CANCELLED)


class OrderQuerySet(models.QuerySet["Order"]):
    """Orders by who may see them."""

    def of(self, user: Any, session_key: str | None) -> OrderQuerySet:
        """The orders of this visitor: their account's, and the session's own that no account has claimed."""
        mine = Q(pk=None)
        if user is not None and user.is_authenticated:
            mine |= Q(fan=user)
        if session_key:
            mine |= Q(fan=None, session_key=session_key)
        return self.filter(mine)


class Order(models.Model):
    """One film asked for by one fan. Its code is its address for life."""

    code = models.CharField(_("code"), max_length=12, unique=True, default=order_code, editable=False)
    fan = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="orders", verbose_name=_("fan")
    )
    # An anonymous draft belongs to the session that began it until someone signs in.
    session_key = models.CharField(max_length=40, blank=True, db_index=True, editable=False)
    creator = models.ForeignKey(Creator, models.PROTECT, related_name="orders", verbose_name=_("creator"))
    state = models.CharField(_("state"), max_length=12, choices=OrderState, default=OrderState.DRAFT)
    amount = models.PositiveIntegerField(_("price, minor units"), null=True, blank=True)
    currency = models.CharField(_("currency"), max_length=3, blank=True)
    photos_sorted = models.BooleanField(_("the fan sorted the photos"), default=False)
    created_at = models.DateTimeField(_("begun"), auto_now_add=True)
    changed_at = models.DateTimeField(auto_now=True)
    placed_at = models.DateTimeField(_("placed"), null=True, blank=True)
    promised_at = models.DateTimeField(_("promised for"), null=True, blank=True)
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)
    # What the fan reads when an order ends without a film.
    ending = models.TextField(_("sentence for the fan"), blank=True)
    # What the fan told and showed us is gone since then; what the law wants kept of the money is not.
    erased_at = models.DateTimeField(_("erased"), null=True, blank=True, editable=False)

    objects = OrderQuerySet.as_manager()

    class Meta:
        verbose_name = _("order")
        verbose_name_plural = _("orders")
        ordering = ["-created_at"]
        # The desk's lists: newest first, by state, and by promise.
        indexes = [
            models.Index(fields=["state", "placed_at"]),
            models.Index(fields=["state", "promised_at"], name="order_promise"),
            models.Index(fields=["placed_at"], name="order_placed"),
            models.Index(fields=["created_at"], name="order_begun"),
        ]

    def __str__(self) -> str:
        return self.code

    @property
    def is_draft(self) -> bool:
        """Whether the fan may still change it."""
        return self.state == OrderState.DRAFT

    def move(self, old: OrderState | tuple[OrderState, ...], new: OrderState, **values: Any) -> bool:
        """Claim a change of state: True for exactly one caller, and only from the old state."""
        olds = old if isinstance(old, tuple) else (old,)
        moved = Order.objects.filter(pk=self.pk, state__in=olds).update(state=new, changed_at=timezone.now(), **values)
        if moved:
            self.refresh_from_db()
        return bool(moved)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """A transaction that has this order's row before any other row of the order, its money or its making.

        All who write more than one row of an order do it in here. Taken in another order by two at once, rows lock in
        a circle, and the database breaks one of the two off.
        """
        with transaction.atomic():
            # A write, and not `select_for_update`: what tests watch is seen on databases without row locks, too.
            Order.objects.filter(pk=self.pk).update(state=F("state"))
            yield

    def tell(self, name: str, actor: str = "system", **data: Any) -> OrderEvent:
        """Append to the order's history; gap-free numbers. Raises KeyError for what the desk has no sentence for."""
        if name not in NAMES:
            raise KeyError(f"{name} is not an event")
        with self.locked():
            last = self.events.aggregate(last=Max("number"))["last"] or 0
            return OrderEvent.objects.create(order=self, number=last + 1, name=name, actor=actor, data=data)


class Brief(models.Model):
    """What the film should be and say; frozen at purchase."""

    order = models.OneToOneField(Order, models.CASCADE, related_name="brief", verbose_name=_("order"))
    occasion = models.CharField(_("occasion"), max_length=20, choices=Occasion, default=Occasion.BIRTHDAY)
    name = models.CharField(_("who it is for"), max_length=MAX_NAME, blank=True)
    said_as = models.CharField(_("how the name is said"), max_length=MAX_NAME, blank=True)
    sender = models.CharField(_("from"), max_length=MAX_NAME, blank=True)
    format = models.CharField(_("format"), max_length=5, choices=Format, default=Format.TALL)
    tone = models.CharField(_("tone"), max_length=12, choices=Tone, default=Tone.WARM)
    seconds = models.PositiveSmallIntegerField(_("length"), choices=Length, default=Length.MEDIUM)
    notes = models.TextField(_("story notes"), max_length=MAX_NOTES, blank=True)
    must_say = models.JSONField(_("lines that must be said"), default=list, blank=True)
    frozen_at = models.DateTimeField(_("frozen"), null=True, blank=True)

    class Meta:
        verbose_name = _("brief")
        verbose_name_plural = _("briefs")
        # PostgreSQL looks for the beginning of a name in capitals, and learns from this how many share one.
        indexes = [models.Index(Upper("name"), name="brief_name_upper")]

    def __str__(self) -> str:
        return f"{self.order.code}: {self.name}"

    @property
    def size(self) -> tuple[int, int]:
        """The film's width and height in pixels."""
        return Format(self.format).size


class PhotoState(models.TextChoices):
    """How far a photo's check has come."""

    UPLOADED = "uploaded", _("Being checked")
    CHECKED = "checked", _("Checked")
    REFUSED = "refused", _("Cannot be used")


class PhotoQuerySet(models.QuerySet["Photo"]):
    """Photos by their check."""

    def due(self, now: dt.datetime) -> PhotoQuerySet:
        """Photos whose check has not been done and is in nobody's hands."""
        return self.filter(state=PhotoState.UPLOADED).filter(Q(lease_until=None) | Q(lease_until__lt=now))

    def usable(self) -> PhotoQuerySet:
        """Photos that may appear in the film, in the film's order."""
        return self.exclude(state=PhotoState.REFUSED).order_by("place", "pk")


class Photo(models.Model):
    """One photo of an order. `original` is deleted once the re-encoded `file` exists."""

    order = models.ForeignKey(Order, models.CASCADE, related_name="photos", verbose_name=_("order"))
    token = models.CharField(max_length=32, unique=True, default=token, editable=False)
    place = models.PositiveSmallIntegerField(_("place"), default=0)
    state = models.CharField(_("state"), max_length=10, choices=PhotoState, default=PhotoState.UPLOADED)
    label = models.CharField(_("file name as uploaded"), max_length=120, blank=True)
    sha256 = models.CharField(max_length=64, editable=False)
    size = models.PositiveIntegerField(_("bytes"), default=0)
    original = models.CharField(max_length=200, blank=True, editable=False)
    file = models.CharField(max_length=200, blank=True, editable=False)
    thumb = models.CharField(max_length=200, blank=True, editable=False)
    width = models.PositiveIntegerField(default=0)
    height = models.PositiveIntegerField(default=0)
    # The check's answer: faces and interest as fractions, hash, warnings; see pipeline.media.photocheck.
    facts = models.JSONField(_("check"), default=dict, blank=True)
    fault = models.CharField(_("why it cannot be used"), max_length=200, blank=True)
    taken_at = models.DateTimeField(_("taken"), null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    # The check is claimed like any other work.
    lease = models.CharField(max_length=32, blank=True, editable=False)
    lease_until = models.DateTimeField(null=True, editable=False)
    tries = models.PositiveSmallIntegerField(default=0, editable=False)

    objects = PhotoQuerySet.as_manager()

    class Meta:
        verbose_name = _("photo")
        verbose_name_plural = _("photos")
        ordering = ["place", "pk"]
        constraints = [models.UniqueConstraint(fields=["order", "sha256"], name="photo_once_per_order")]
        indexes = [models.Index(fields=["state", "lease_until"])]

    def __str__(self) -> str:
        return f"{self.order_id}/{self.place} {self.label}"

    def claim(self, seconds: int) -> str | None:
        """Take the check for some seconds; the claim's token, or None when another worker has it."""
        now = timezone.now()
        lease = token()
        taken = (
            Photo.objects.due(now)
            .filter(pk=self.pk)
            .update(lease=lease, lease_until=now + dt.timedelta(seconds=seconds), tries=F("tries") + 1)
        )
        return lease if taken else None

    def put_back(self, lease: str, seconds: int) -> None:
        """Give the check up for some seconds without counting the try: it was not the photo's fault."""
        Photo.objects.filter(pk=self.pk, lease=lease, state=PhotoState.UPLOADED).update(
            lease="", lease_until=timezone.now() + dt.timedelta(seconds=seconds), tries=F("tries") - 1
        )

    def settle(self, lease: str, **values: Any) -> bool:
        """Write the check's answer, if the claim is still ours."""
        done = Photo.objects.filter(pk=self.pk, lease=lease, state=PhotoState.UPLOADED).update(
            lease="", lease_until=None, **values
        )
        return bool(done)


class ConsentKind(models.TextChoices):
    """What a fan may agree to. Each is its own unticked box; `orders.consents` says which are asked, in which words."""

    PHOTOS = "photos", _("I may use these photos, and the people in them would be fine with it.")
    AI_VOICE = "ai_voice", _("I understand the film is AI-generated with a licensed voice, and is labelled so.")
    LOOK = "look", _("OpenAI may also look at small copies of my photos, so that the story fits them.")
    LIKENESS = (
        "likeness",
        _(
            "Faces in filmed shots may also be compared with those in my photos, so that people stay who they are. "
            "What is measured of a face is never kept."
        ),
    )


class Consent(models.Model):
    """A consent given, with the words that were agreed to."""

    order = models.ForeignKey(Order, models.CASCADE, related_name="consents", verbose_name=_("order"))
    kind = models.CharField(_("kind"), max_length=12, choices=ConsentKind)
    words = models.TextField(_("words agreed to"))
    given_at = models.DateTimeField(_("given"), auto_now_add=True)

    class Meta:
        verbose_name = _("consent")
        verbose_name_plural = _("consents")
        constraints = [models.UniqueConstraint(fields=["order", "kind"], name="consent_once")]

    def __str__(self) -> str:
        return f"{self.order_id}: {self.kind}"


class OrderEvent(models.Model):
    """One thing that happened to an order. Append-only."""

    order = models.ForeignKey(Order, models.CASCADE, related_name="events", verbose_name=_("order"))
    number = models.PositiveIntegerField(_("number"))
    name = models.CharField(_("what"), max_length=40)
    actor = models.CharField(_("who"), max_length=120, default="system")
    data = models.JSONField(_("with"), default=dict, blank=True)
    at = models.DateTimeField(_("when"), auto_now_add=True)

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("events")
        ordering = ["order", "number"]
        constraints = [models.UniqueConstraint(fields=["order", "number"], name="order_event_number_once")]

    def __str__(self) -> str:
        return f"{self.order_id}#{self.number} {self.name}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Written once, never changed."""
        if not self._state.adding:
            raise ValueError("History is append-only.")
        super().save(*args, **kwargs)
