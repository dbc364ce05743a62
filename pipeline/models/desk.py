"""What staff ask of each other: a refund so large that two people must want it."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from orders.models import Order


class RequestState(models.TextChoices):
    """How a wish stands."""

    WAITING = "waiting", _("Waits for a second person")
    CONFIRMED = "confirmed", _("Confirmed")
    REFUSED = "refused", _("Refused")


class RefundRequest(models.Model):
    """A refund above the limit of one person: one asks, another confirms. `key` becomes the refund's own."""

    order = models.ForeignKey(Order, models.PROTECT, related_name="refund_requests", verbose_name=_("order"))
    key = models.CharField(max_length=64, unique=True, editable=False)
    amount = models.PositiveIntegerField(_("amount, minor units"))
    reason = models.CharField(_("reason"), max_length=40)
    note = models.TextField(_("note"), blank=True)
    state = models.CharField(_("state"), max_length=10, choices=RequestState, default=RequestState.WAITING)
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("asked by"))
    asked_at = models.DateTimeField(_("asked"), auto_now_add=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("decided by")
    )
    decided_at = models.DateTimeField(_("decided"), null=True, blank=True)

    class Meta:
        verbose_name = _("refund request")
        verbose_name_plural = _("refund requests")
        ordering = ["-asked_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["order"], condition=Q(state="waiting"), name="one_waiting_refund_request_per_order"
            )
        ]

    def __str__(self) -> str:
        return f"{self.order.code}: {self.amount}"

    def decide(self, state: RequestState, by: Any) -> bool:
        """Claim the decision: True for exactly one caller, and never for the one who asked."""
        waiting = RefundRequest.objects.filter(pk=self.pk, state=RequestState.WAITING).exclude(asked_by=by)
        decided = waiting.update(state=state, decided_by=by, decided_at=timezone.now())
        if decided:
            self.refresh_from_db()
        return bool(decided)
