"""What gateways told us, and what a comparison of their books with ours found."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from .payments import Payment


class GatewayEvent(models.Model):
    """One message of a gateway, written down once however often it comes. It is a bell only: the gateway is asked."""

    gateway = models.CharField(_("gateway"), max_length=20)
    event_id = models.CharField(_("its id"), max_length=120)
    kind = models.CharField(_("what"), max_length=80)
    payment = models.ForeignKey(
        Payment, models.SET_NULL, null=True, blank=True, related_name="events", verbose_name=_("payment")
    )
    outcome = models.CharField(_("what came of it"), max_length=12)
    at = models.DateTimeField(_("when"), auto_now_add=True)

    class Meta:
        verbose_name = _("message of a gateway")
        verbose_name_plural = _("messages of gateways")
        ordering = ["-at"]
        constraints = [models.UniqueConstraint(fields=["gateway", "event_id"], name="gateway_event_once")]

    def __str__(self) -> str:
        return f"{self.gateway} {self.kind} {self.event_id}"


class Reconciliation(models.Model):
    """One comparison of a gateway's books with the ledger, and every difference, each as a sentence."""

    day = models.DateField(_("day"))
    gateway = models.CharField(_("gateway"), max_length=20)
    differences = models.JSONField(_("differences"), default=list, blank=True)
    mended = models.JSONField(_("put right on the way"), default=list, blank=True)
    compared = models.PositiveIntegerField(_("payments compared"), default=0)
    begun_at = models.DateTimeField(_("begun"), auto_now_add=True)
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)

    class Meta:
        verbose_name = _("reconciliation")
        verbose_name_plural = _("reconciliations")
        ordering = ["-day", "gateway"]
        constraints = [models.UniqueConstraint(fields=["day", "gateway"], name="one_reconciliation_a_day")]

    def __str__(self) -> str:
        return f"{self.gateway} {self.day}"
