"""Money on its way to creators, and where it goes."""

from __future__ import annotations

from typing import Any

from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Creator


class Standing(models.TextChoices):
    """What the gateway says of an account."""

    UNASKED = "unasked", _("Not looked at yet")
    INCOMPLETE = "incomplete", _("Not complete yet")
    READY = "ready", _("Can be paid")
    UNKNOWN = "unknown", _("Not known to the gateway")


class PayoutAccount(models.Model):
    """Where a creator's money goes: a connected account at the gateway, and what the gateway says of it."""

    creator = models.OneToOneField(Creator, models.PROTECT, related_name="payout_account", verbose_name=_("creator"))
    # Empty while the gateway is asked to open one.
    external_id = models.CharField(
        _("account at the gateway"),
        max_length=120,
        blank=True,
        validators=[RegexValidator(r"^acct_[A-Za-z0-9_]+$")],
        help_text=_("At Stripe it begins with acct_."),
    )
    paused = models.BooleanField(_("nothing is paid out"), default=False)
    # Which gateway said the following, what it lacks, and when.
    gateway = models.CharField(_("gateway"), max_length=20, blank=True, editable=False)
    standing = models.CharField(
        _("standing"), max_length=10, choices=Standing, default=Standing.UNASKED, editable=False
    )
    missing = models.CharField(_("what is missing"), max_length=200, blank=True, editable=False)
    looked_at = models.DateTimeField(_("looked at"), null=True, blank=True, editable=False)
    look_at = models.DateTimeField(_("looked at again"), null=True, blank=True, db_index=True, editable=False)

    class Meta:
        verbose_name = _("payout account")
        verbose_name_plural = _("payout accounts")

    def __str__(self) -> str:
        return f"{self.creator} {self.external_id}"


class PayoutState(models.TextChoices):
    """A payout's life."""

    CREATED = "created", _("Begun")
    PAID = "paid", _("Paid out")
    FAILED = "failed", _("Failed")


class Payout(models.Model):
    """One transfer of a creator's balance. It is in the ledger once it is paid, and only then."""

    creator = models.ForeignKey(Creator, models.PROTECT, related_name="payouts", verbose_name=_("creator"))
    key = models.CharField(_("our key"), max_length=64, unique=True)
    gateway = models.CharField(_("gateway"), max_length=20)
    destination = models.CharField(_("account at the gateway"), max_length=120)
    external_id = models.CharField(_("the gateway's id"), max_length=120, blank=True, db_index=True)
    state = models.CharField(_("state"), max_length=8, choices=PayoutState, default=PayoutState.CREATED)
    amount = models.PositiveIntegerField(_("amount, minor units"))
    currency = models.CharField(_("currency"), max_length=3)
    actor = models.CharField(_("who"), max_length=120, default="system")
    error = models.CharField(_("what went wrong"), max_length=200, blank=True)
    created_at = models.DateTimeField(_("begun"), auto_now_add=True)
    # Sent at least once: the gateway may have done it, whatever we heard.
    sent_at = models.DateTimeField(_("sent"), null=True, blank=True)
    look_at = models.DateTimeField(_("tried again"), null=True, blank=True)
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)

    class Meta:
        verbose_name = _("payout")
        verbose_name_plural = _("payouts")
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["creator", "currency"], condition=Q(state="created"), name="one_open_payout_per_creator"
            )
        ]
        indexes = [models.Index(fields=["state", "look_at"], name="payout_open")]

    def __str__(self) -> str:
        return f"{self.creator.slug}-{self.pk}"

    def move(self, old: PayoutState, new: PayoutState, **values: Any) -> bool:
        """Claim a change of state: True for exactly one caller."""
        moved = Payout.objects.filter(pk=self.pk, state=old).update(state=new, **values)
        if moved:
            self.refresh_from_db()
        return bool(moved)
