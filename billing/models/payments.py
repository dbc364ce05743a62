"""Money coming in and going back: payments and refunds, each with its own machine of states."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Q
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
    state = models.CharField(_("state"), max_length=12, choices=PaymentState, default=PaymentState.CREATED)
    amount = models.PositiveIntegerField(_("amount, minor units"))
    currency = models.CharField(_("currency"), max_length=3)
    # The creator's share as it was when the payment was begun, in hundredths of a percent.
    share_points = models.PositiveSmallIntegerField(_("creator's share"), null=True, blank=True)
    error = models.CharField(_("what went wrong"), max_length=200, blank=True)
    created_at = models.DateTimeField(_("begun"), auto_now_add=True)
    authorized_at = models.DateTimeField(_("held"), null=True, blank=True)
    captured_at = models.DateTimeField(_("paid"), null=True, blank=True)
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)
    capture_before = models.DateTimeField(_("hold ends"), null=True, blank=True)

    class Meta:
        verbose_name = _("payment")
        verbose_name_plural = _("payments")
        ordering = ["-created_at"]
        # The sweep looks for held money among all payments there ever were.
        indexes = [models.Index(fields=["state", "order"], name="payment_state")]
        constraints = [
            models.UniqueConstraint(fields=["order", "number"], name="payment_number_once"),
            models.UniqueConstraint(
                fields=["order"], condition=Q(state__in=["authorized", "captured"]), name="one_live_payment_per_order"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.order.code}-P-{self.number}"

    def move(self, old: PaymentState, new: PaymentState, **values: Any) -> bool:
        """Claim a change of state: True for exactly one caller."""
        moved = Payment.objects.filter(pk=self.pk, state=old).update(state=new, **values)
        if moved:
            self.refresh_from_db()
        return bool(moved)


class RefundState(models.TextChoices):
    """A refund's life."""

    CREATED = "created", _("Begun")
    SENT = "sent", _("Sent")
    DONE = "done", _("Done")
    FAILED = "failed", _("Failed")


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
    reason = models.CharField(_("reason"), max_length=40)
    note = models.TextField(_("note"), blank=True)
    actor = models.CharField(_("who"), max_length=120, default="system")
    created_at = models.DateTimeField(_("begun"), auto_now_add=True)
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)

    class Meta:
        verbose_name = _("refund")
        verbose_name_plural = _("refunds")
        ordering = ["-created_at"]
        constraints = [models.UniqueConstraint(fields=["payment", "number"], name="refund_number_once")]

    def __str__(self) -> str:
        return f"{self.payment.order.code}-R-{self.number}"
