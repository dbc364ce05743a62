"""Money coming in and going back: payments and refunds, each with its own machine of states."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from orders.models import Order


class PaymentState(models.TextChoices):
    """A payment's life: held on the card, then captured when the film is approved, or released."""

    CREATED = "created", _("Begun")
    AUTHORIZED = "authorized", _("Held")
    CAPTURED = "captured", _("Paid")
    FAILED = "failed", _("Failed")
    CANCELLED = "cancelled", _("Released")
    EXPIRED = "expired", _("Expired")


class Payment(models.Model):
    """One attempt to pay for one order."""

    order = models.ForeignKey(Order, models.PROTECT, related_name="payments", verbose_name=_("order"))
    number = models.PositiveSmallIntegerField(_("number"), default=1)
    key = models.CharField(_("our key"), max_length=64, unique=True)
    gateway = models.CharField(_("gateway"), max_length=20)
    external_id = models.CharField(_("the gateway's id"), max_length=120, blank=True, db_index=True)
    # The gateway's own page where the fan pays: its id there, and its address.
    session = models.CharField(_("checkout"), max_length=120, blank=True, db_index=True)
    url = models.TextField(_("address of the checkout"), blank=True)
    state = models.CharField(_("state"), max_length=12, choices=PaymentState, default=PaymentState.CREATED)
    amount = models.PositiveIntegerField(_("amount, minor units"))
    # Written before the gateway is asked to take it: what is refunded after that goes back, and is not let go.
    wanted = models.PositiveIntegerField(_("to be taken, minor units"), null=True, blank=True)
    captured = models.PositiveIntegerField(_("taken, minor units"), default=0)
    # What goes back or is not taken. Refunds claim their share of `amount` here, so that all together never pass it.
    refunded = models.PositiveIntegerField(_("given back or let go, minor units"), default=0)
    currency = models.CharField(_("currency"), max_length=3)
    # What the gateway says it kept of it; until it does, the ledger has an estimate.
    fee = models.PositiveIntegerField(_("the gateway's fee, minor units"), null=True, blank=True)
    # The creator's share as it was when the payment was begun, in hundredths of a percent.
    share_points = models.PositiveSmallIntegerField(_("creator's share"), null=True, blank=True)
    error = models.CharField(_("what went wrong"), max_length=200, blank=True)
    created_at = models.DateTimeField(_("begun"), auto_now_add=True)
    authorized_at = models.DateTimeField(_("held"), null=True, blank=True)
    captured_at = models.DateTimeField(_("paid"), null=True, blank=True)
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)
    capture_before = models.DateTimeField(_("hold ends"), null=True, blank=True)
    # When the gateway is asked next how it stands, and how often it was. A message from there brings the alarm forward.
    look_at = models.DateTimeField(_("asked again"), null=True, blank=True, db_index=True)
    looks = models.PositiveSmallIntegerField(default=0, editable=False)
    # Counts requests whose idempotency key the gateway has used up with an error of its own.
    turn = models.PositiveSmallIntegerField(default=0, editable=False)

    class Meta:
        verbose_name = _("payment")
        verbose_name_plural = _("payments")
        ordering = ["-created_at"]
        # The sweep looks for held money among all payments there ever were.
        indexes = [
            models.Index(fields=["state", "order"], name="payment_state"),
            models.Index(fields=["captured_at", "order", "captured"], name="payment_captured"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["order", "number"], name="payment_number_once"),
            models.UniqueConstraint(
                fields=["order"], condition=Q(state__in=["authorized", "captured"]), name="one_live_payment_per_order"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.order.code}-P-{self.number}"

    def move(self, old: PaymentState | tuple[PaymentState, ...], new: PaymentState, **values: Any) -> bool:
        """Claim a change of state: True for exactly one caller."""
        olds = old if isinstance(old, tuple) else (old,)
        moved = Payment.objects.filter(pk=self.pk, state__in=olds).update(state=new, **values)
        if moved:
            self.refresh_from_db()
        return bool(moved)


class RefundState(models.TextChoices):
    """A refund's life."""

    CREATED = "created", _("Begun")
    SENT = "sent", _("Sent")
    DONE = "done", _("Done")
    FAILED = "failed", _("Failed")


class RefundReason(models.TextChoices):
    """Why money goes back."""

    FAILED = "failed", _("The film could not be made")
    REFUSED = "refused", _("The creator refused the film")
    CANCELLED = "cancelled", _("The order was cancelled")
    UNPLACED = "unplaced", _("Paid for an order that could not be placed")
    LATE = "late", _("Later than promised")
    QUALITY = "quality", _("Not as good as promised")
    DUPLICATE = "duplicate", _("Paid twice")
    REQUESTED = "requested", _("The fan asked for it")
    GOODWILL = "goodwill", _("Goodwill")
    UNSAFE = "unsafe", _("The film must not be made")
    OUTSIDE = "outside", _("Made at the gateway")
    CHARGEBACK = "chargeback", _("The bank took it back")
    OTHER = "other", _("Another reason")


class RefundSource(models.TextChoices):
    """Who wanted the money back."""

    FAN = "fan", _("Fan")
    STAFF = "staff", _("Staff")
    SYSTEM = "system", _("System")
    BANK = "bank", _("Bank")


class Refund(models.Model):
    """Money going back to the fan, whole or in part."""

    payment = models.ForeignKey(Payment, models.PROTECT, related_name="refunds", verbose_name=_("payment"))
    number = models.PositiveSmallIntegerField(_("number"), default=1)
    key = models.CharField(_("our key"), max_length=64, unique=True)
    external_id = models.CharField(_("the gateway's id"), max_length=120, blank=True, db_index=True)
    source = models.CharField(_("source"), max_length=8, choices=RefundSource)
    state = models.CharField(_("state"), max_length=8, choices=RefundState, default=RefundState.CREATED)
    amount = models.PositiveIntegerField(_("amount, minor units"))
    reason = models.CharField(_("reason"), max_length=40, choices=RefundReason)
    note = models.TextField(_("note"), blank=True)
    actor = models.CharField(_("who"), max_length=120, default="system")
    # It was only held: it is let go, or not taken, and nothing travels back.
    released = models.BooleanField(_("released, not sent"), default=False)
    error = models.CharField(_("what went wrong"), max_length=200, blank=True)
    # While it is open: when it is sent, or the gateway asked about it, next; how often that was.
    look_at = models.DateTimeField(_("looked at again"), null=True, blank=True, db_index=True)
    looks = models.PositiveSmallIntegerField(default=0, editable=False)
    turn = models.PositiveSmallIntegerField(default=0, editable=False)
    created_at = models.DateTimeField(_("begun"), auto_now_add=True)
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)

    class Meta:
        verbose_name = _("refund")
        verbose_name_plural = _("refunds")
        ordering = ["-created_at"]
        constraints = [models.UniqueConstraint(fields=["payment", "number"], name="refund_number_once")]

    def __str__(self) -> str:
        return f"{self.payment.order.code}-R-{self.number}"

    def move(self, old: RefundState | tuple[RefundState, ...], new: RefundState, **values: Any) -> bool:
        """Claim a change of state: True for exactly one caller."""
        olds = old if isinstance(old, tuple) else (old,)
        moved = Refund.objects.filter(pk=self.pk, state__in=olds).update(state=new, **values)
        if moved:
            self.refresh_from_db()
        return bool(moved)

    def reopen(self) -> bool:
        """What was let go was taken all the same, so it has to travel: True for exactly one caller."""
        mine = Refund.objects.filter(pk=self.pk, state=RefundState.DONE, released=True)
        opened = mine.update(state=RefundState.CREATED, released=False, look_at=timezone.now(), ended_at=None)
        if opened:
            self.refresh_from_db()
        return bool(opened)
