"""The board: one production's steps, the calls they make, and what happened."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from orders.models import Order


class ProductionState(models.TextChoices):
    """How a making stands."""

    RUNNING = "running", _("Running")
    DONE = "done", _("Done")
    FAILED = "failed", _("Failed")
    CANCELLED = "cancelled", _("Cancelled")
    REPLACED = "replaced", _("Made again")


class Production(models.Model):
    """One making of an order's film. A re-run is a new production; history stays."""

    order = models.ForeignKey(Order, models.PROTECT, related_name="productions", verbose_name=_("order"))
    number = models.PositiveSmallIntegerField(_("number"), default=1)
    state = models.CharField(_("state"), max_length=10, choices=ProductionState, default=ProductionState.RUNNING)
    # A re-run names the production whose finished work it copies, and the stage from which it makes anew.
    based_on = models.ForeignKey("self", models.PROTECT, null=True, blank=True, verbose_name=_("re-run of"))
    from_stage = models.CharField(_("made anew from"), max_length=20, blank=True)
    # Whoever asks for a re-run twice under one key gets one.
    key = models.CharField(_("our key"), max_length=80, null=True, blank=True, unique=True)
    # What was asked for (see pipeline.rerun.Change), and all that was asked for until then (see pipeline.wishes).
    change = models.JSONField(_("what is to be different"), default=dict, blank=True)
    wishes = models.JSONField(_("all that was asked for"), default=dict, blank=True)
    reason = models.CharField(_("why"), max_length=300, blank=True)
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, verbose_name=_("asked for by")
    )
    failed_stage = models.CharField(_("failed at"), max_length=20, blank=True)
    error = models.TextField(_("error"), blank=True)
    # The highest percentage the fan has seen: what is shown never goes back.
    shown = models.PositiveSmallIntegerField(default=0, editable=False)
    # Counts advances; writing it serializes them on databases with row locks.
    version = models.PositiveIntegerField(default=0, editable=False)
    started_at = models.DateTimeField(_("started"), auto_now_add=True)
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)
    # Staff hold it: what runs ends, nothing new begins until they let it go on.
    paused_at = models.DateTimeField(_("paused"), null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("production")
        verbose_name_plural = _("productions")
        ordering = ["-started_at"]
        constraints = [
            models.UniqueConstraint(fields=["order", "number"], name="production_number_once"),
            models.UniqueConstraint(
                fields=["order"], condition=Q(state="running"), name="one_running_production_per_order"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.order.code}-{self.number}"

    @property
    def folder(self) -> str:
        """Where this production's files live in storage."""
        return f"films/{self.order.code}/{self.number}"


ANEW = 1000  # added to a scene's number in the item of a step that does its work once more: no step is done twice


class StepState(models.TextChoices):
    """A step's life on the board."""

    BLOCKED = "blocked", _("Waits for others")
    READY = "ready", _("Ready")
    RUNNING = "running", _("Running")
    WAITING = "waiting", _("Waits for an alarm")
    DONE = "done", _("Done")
    FAILED = "failed", _("Failed")


class StepQuerySet(models.QuerySet["Step"]):
    """Steps by what should happen to them."""

    def takeable(self, now: dt.datetime) -> StepQuerySet:
        """Steps that are ready, whose alarm has gone off, or that a dead worker left behind.

        Only columns of the row itself: a conditional UPDATE that looks at other tables checks them again in an old
        snapshot when two workers race on PostgreSQL, and both would win.
        """
        return self.filter(
            Q(state__in=[StepState.READY, StepState.WAITING], not_before__lte=now)
            | Q(state=StepState.RUNNING, lease_until__lt=now)
        )

    def due(self, now: dt.datetime) -> StepQuerySet:
        """Takeable steps of productions that are still being made, and that nobody holds."""
        return self.takeable(now).filter(production__state=ProductionState.RUNNING, production__paused_at=None)


class Step(models.Model):
    """One stage, or one item of a stage, of one production."""

    production = models.ForeignKey(Production, models.CASCADE, related_name="steps", verbose_name=_("production"))
    stage = models.CharField(_("stage"), max_length=20)
    item = models.PositiveSmallIntegerField(_("item"), default=0)
    state = models.CharField(_("state"), max_length=8, choices=StepState, default=StepState.BLOCKED)
    token = models.CharField(max_length=32, blank=True, editable=False)
    lease_until = models.DateTimeField(_("lease until"), null=True, blank=True)
    # The process that took it; see pipeline/holders.py.
    holder = models.CharField(max_length=100, blank=True, editable=False)
    not_before = models.DateTimeField(_("alarm"), null=True, blank=True)
    deadline_at = models.DateTimeField(_("deadline"), null=True, blank=True)
    # A bell raises `wanted`; a claim notes what it has `seen`. A difference at leaving means: look once more.
    wanted = models.PositiveIntegerField(default=0)
    seen = models.PositiveIntegerField(default=0)
    rung_at = models.DateTimeField(null=True, blank=True, editable=False)
    attempts = models.PositiveIntegerField(_("attempts"), default=0)
    failures = models.PositiveIntegerField(_("failures"), default=0)
    error = models.TextField(_("error"), blank=True)
    progress = models.FloatField(_("progress"), default=0)
    cpu_seconds = models.FloatField(_("CPU seconds"), default=0)
    started_at = models.DateTimeField(_("started"), null=True, blank=True)
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)

    objects = StepQuerySet.as_manager()

    class Meta:
        verbose_name = _("step")
        verbose_name_plural = _("steps")
        ordering = ["production", "pk"]
        constraints = [models.UniqueConstraint(fields=["production", "stage", "item"], name="step_once")]
        indexes = [
            models.Index(fields=["state", "not_before"], name="step_due"),
            models.Index(fields=["state", "lease_until"], name="step_lease"),
        ]

    def __str__(self) -> str:
        return f"{self.production_id} {self.stage}[{self.item}]"

    @property
    def scene(self) -> int:
        """The number of the scene that a per-item stage's step is about."""
        return self.item % ANEW

    @property
    def again(self) -> bool:
        """Whether it does a scene's work once more."""
        return self.item >= ANEW


class CallState(models.TextChoices):
    """A request's life, from written down to answered."""

    NEW = "new", _("Written down")
    QUEUED = "queued", _("Waits for a slot")
    SUBMITTED = "submitted", _("Sent")
    SUCCEEDED = "succeeded", _("Answered")
    FAILED = "failed", _("Failed")
    EXPIRED = "expired", _("Given up")
    CANCELLED = "cancelled", _("Cancelled")


OPEN_CALLS = (CallState.NEW, CallState.QUEUED, CallState.SUBMITTED)


class Call(models.Model):
    """One request to a provider, written before it is sent. `key` is ours and goes out as the idempotency key."""

    step = models.ForeignKey(Step, models.PROTECT, related_name="calls", verbose_name=_("step"))
    # Which of its step's calls: a shot may have several takes under way at once.
    name = models.CharField(_("name"), max_length=20, blank=True)
    key = models.CharField(_("our key"), max_length=120, unique=True)
    attempt = models.PositiveSmallIntegerField(_("attempt"), default=1)
    provider = models.CharField(_("provider"), max_length=40)
    model = models.CharField(_("model"), max_length=120, blank=True)
    job = models.CharField(_("job"), max_length=10)
    request = models.JSONField(_("request"))
    # The exact body, as it was or will be sent: a vendor's idempotency key holds only for the same bytes.
    prepared = models.JSONField(_("as sent"), null=True, blank=True)
    state = models.CharField(_("state"), max_length=10, choices=CallState, default=CallState.NEW)
    external_id = models.CharField(_("the vendor's id"), max_length=200, blank=True, db_index=True)
    result = models.JSONField(_("result"), default=dict, blank=True)
    files = models.JSONField(_("files"), default=dict, blank=True)
    # Of all its sendings that may have been charged: one, but where a vendor without a memory had to be asked again.
    estimate = models.BigIntegerField(_("estimated cost, millionths"), default=0)
    cost = models.BigIntegerField(_("cost, millionths"), default=0)
    # What of it is in the ledger, and since when that is the last word: see pipeline/costs.py.
    booked = models.BigIntegerField(_("in the ledger, millionths"), default=0, editable=False)
    booked_at = models.DateTimeField(null=True, blank=True, editable=False)
    # The vendor may have done it and we may have paid twice: said here, never hidden.
    maybe_paid_twice = models.BooleanField(_("possible double cost"), default=False)
    error = models.TextField(_("error"), blank=True)
    trouble = models.CharField(_("trouble"), max_length=10, blank=True)
    retryable = models.BooleanField(_("asking again may help"), default=False)
    fan_sentence = models.CharField(_("what the fan may read"), max_length=300, blank=True)
    due_at = models.DateTimeField(_("given up at"), null=True, blank=True)
    look_at = models.DateTimeField(_("next look"), null=True, blank=True)
    # Its place in the vendor's queue: when its order was placed.
    lined_up_at = models.DateTimeField(_("in the queue since"), default=timezone.now, editable=False)
    # Holds one of the vendor's slots, and its estimate of the budgets, while it is open.
    slot_at = models.DateTimeField(_("slot since"), null=True, blank=True)
    created_at = models.DateTimeField(_("written"), auto_now_add=True)
    sent_at = models.DateTimeField(_("sent"), null=True, blank=True)
    ended_at = models.DateTimeField(_("answered"), null=True, blank=True)

    class Meta:
        verbose_name = _("call")
        verbose_name_plural = _("calls")
        ordering = ["-created_at"]
        # Nothing here may cost more because more is in flight: benchmarks/sweep.py measures it.
        indexes = [
            models.Index(fields=["provider", "state", "model", "lined_up_at"], name="call_queue"),
            models.Index(fields=["state", "look_at"]),
            models.Index(fields=["model", "sent_at"], name="call_latency"),
            models.Index(
                fields=["booked_at", "slot_at"],
                condition=Q(slot_at__isnull=False, booked_at=None),
                name="call_unbooked",
            ),
            models.Index(
                fields=["slot_at", "state", "maybe_paid_twice", "cost", "estimate"],
                condition=Q(slot_at__isnull=False),
                name="call_spending",
            ),
        ]

    def __str__(self) -> str:
        return self.key

    @property
    def is_open(self) -> bool:
        """Whether its outcome is still to come."""
        return self.state in OPEN_CALLS

    @property
    def latency(self) -> dt.timedelta | None:
        """From sent to answered."""
        return self.ended_at - self.sent_at if self.sent_at and self.ended_at else None


class Vendor(models.Model):
    """What we know of a vendor: its breaker. Whoever hands out its slots, or spends money, first raises `turn`.

    That write lines up all who would do the same at once, on databases with row locks as on those without.
    """

    name = models.CharField(_("name"), max_length=40, unique=True)
    turn = models.PositiveBigIntegerField(default=0, editable=False)
    failures = models.PositiveIntegerField(_("failures in a row"), default=0)
    open_until = models.DateTimeField(_("breaker open until"), null=True, blank=True)
    reason = models.CharField(_("why"), max_length=300, blank=True)
    # Staff opened the breaker: an answer to an older call does not close it.
    by_hand = models.BooleanField(_("by staff"), default=False)
    changed_at = models.DateTimeField(_("changed"), auto_now=True)

    class Meta:
        verbose_name = _("vendor")
        verbose_name_plural = _("vendors")

    def __str__(self) -> str:
        return self.name


class HookEvent(models.Model):
    """One webhook message, recorded once. What it did is told; its body is not kept, the vendor is asked instead."""

    provider = models.CharField(_("provider"), max_length=40)
    event_id = models.CharField(_("message id"), max_length=200)
    call = models.ForeignKey(Call, models.SET_NULL, null=True, blank=True, verbose_name=_("call"))
    outcome = models.CharField(_("outcome"), max_length=20)
    received_at = models.DateTimeField(_("received"), auto_now_add=True)

    class Meta:
        verbose_name = _("webhook message")
        verbose_name_plural = _("webhook messages")
        ordering = ["-received_at"]
        constraints = [models.UniqueConstraint(fields=["provider", "event_id"], name="hook_event_once")]

    def __str__(self) -> str:
        return f"{self.provider} {self.event_id}"


class Event(models.Model):
    """One thing that happened in a production. Append-only; names are `noun.past_verb`."""

    production = models.ForeignKey(Production, models.CASCADE, related_name="events", verbose_name=_("production"))
    number = models.PositiveIntegerField(_("number"))
    name = models.CharField(_("what"), max_length=40)
    stage = models.CharField(_("stage"), max_length=20, blank=True)
    item = models.PositiveSmallIntegerField(_("item"), default=0)
    data = models.JSONField(_("with"), default=dict, blank=True)
    at = models.DateTimeField(_("when"), auto_now_add=True)

    class Meta:
        verbose_name = _("production event")
        verbose_name_plural = _("production events")
        ordering = ["production", "number"]
        constraints = [models.UniqueConstraint(fields=["production", "number"], name="event_number_once")]

    def __str__(self) -> str:
        return f"{self.production_id}#{self.number} {self.name}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Written once, never changed."""
        if not self._state.adding:
            raise ValueError("History is append-only.")
        super().save(*args, **kwargs)


class Sweeper(models.Model):
    """The sweep's own row: whoever holds it sweeps; when it stops, another process takes over."""

    holder = models.CharField(max_length=32, blank=True)
    until = models.DateTimeField(null=True, blank=True)
    swept_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("sweeper")
        verbose_name_plural = _("sweepers")

    def __str__(self) -> str:
        return f"swept {self.swept_at}"


class Checkup(models.Model):
    """What one look at everything that must always hold found: no sentences mean that all is well."""

    name = models.CharField(_("what was looked at"), max_length=40)
    found = models.JSONField(_("found"), default=list, blank=True)
    count = models.PositiveIntegerField(_("how many"), default=0)
    seconds = models.FloatField(_("took, seconds"), default=0)
    at = models.DateTimeField(_("when"), auto_now_add=True)

    class Meta:
        verbose_name = _("checkup")
        verbose_name_plural = _("checkups")
        ordering = ["-pk"]
        indexes = [models.Index(fields=["name"], name="checkup_name")]

    def __str__(self) -> str:
        return f"{self.name}: {self.count}"
