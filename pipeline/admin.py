"""Making films on the desk: read-only views of the board. Reviews and renditions have files of their own."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext_lazy

from accounts.desk import Finds, ReadOnly, known
from accounts.scoping import STAFF, Scoped

from . import escalation_admin, order_admin, rendition_admin, review_admin, slots
from .line import LINE
from .media_links import link
from .models import Call, CallState, Concern, Cut, Event, Finding, HookEvent, Notice, Production, Step, Vendor

__all__ = [
    "escalation_admin",
    "order_admin",
    "rendition_admin",
    "review_admin",
]  # imported so that they register themselves


def stages() -> list[tuple[str, str]]:
    """Where a production may fail."""
    return [(stage.key, stage.key) for stage in LINE]


def vendors() -> list[tuple[str, str]]:
    """Whom we know."""
    names = Vendor.objects.exclude(name=slots.EVERYBODY).order_by("name").values_list("name", flat=True)
    return [(name, name) for name in names]


def _figure(value: float | None, unit: str) -> str:
    return f"{value:.3g}{unit}" if value is not None else ""


class StepInline(Scoped, admin.TabularInline[Step, Production]):
    """The board of one production."""

    whose = STAFF
    model = Step
    extra = 0
    can_delete = False
    fields = ("stage", "item", "state", "attempts", "failures", "not_before", "started_at", "ended_at", "error")
    readonly_fields = fields

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Only the engine adds steps."""
        return False


class ConcernInline(Scoped, admin.TabularInline[Concern, Production]):
    """What moderation flagged, with categories and scores."""

    whose = STAFF
    model = Concern
    extra = 0
    can_delete = False
    fields = ("what", "number", "category", "score", "source", "ends", "created_at")
    readonly_fields = fields

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Only moderation adds concerns."""
        return False


class EventInline(Scoped, admin.TabularInline[Event, Production]):
    """What happened in one production."""

    whose = STAFF
    model = Event
    extra = 0
    can_delete = False
    fields = ("number", "at", "name", "stage", "item", "data")
    readonly_fields = fields

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Only the engine writes history."""
        return False


@admin.register(Production)
class ProductionAdmin(Finds, ReadOnly):
    """One making of a film: its board and its history."""

    whose = STAFF
    list_display = ("__str__", "state", "failed_stage", "started_at", "ended_at")
    list_filter = ("state", known(gettext_lazy("failed at"), "failed_stage", stages))
    finds = ("order__code",)
    list_select_related = ("order",)
    readonly_fields = ("film", "findings", "in_front")
    inlines = (StepInline, ConcernInline, EventInline)

    @admin.display(description=gettext_lazy("film"))
    def film(self, production: Production) -> str:
        """A link to what was cut, whether it went out or not."""
        cut = Cut.objects.filter(production=production).first()
        return format_html('<a href="{}">{}</a>', link(cut.file), cut) if cut is not None else "–"

    @admin.display(description=gettext_lazy("quality control"))
    def findings(self, production: Production) -> str:
        """What quality control found, where and how much."""
        rows = Finding.objects.filter(cut__production=production)
        lines = (
            (
                found.severity,
                found.sentence,
                _figure(found.second, " s"),
                "" if found.frame is None else f"#{found.frame}",
                _figure(found.figure, ""),
            )
            for found in rows.select_related("cut")
        )
        return format_html_join("", "{}: {} {} {} {}<br>", lines) or "–"

    @admin.display(description=gettext_lazy("calls in front in the queue"))
    def in_front(self, production: Production) -> str:
        """How many calls of older orders come before this one's first; a dash where none of its own waits."""
        place = slots.place(production.order_id)
        return "–" if place is None else str(place)


@admin.register(Call)
class CallAdmin(Finds, ReadOnly):
    """Requests to providers."""

    whose = STAFF
    list_display = ("key", "provider", "job", "state", "cost", "created_at", "ended_at")
    list_filter = (known(gettext_lazy("provider"), "provider", vendors), "state")
    finds = ("key", "external_id", "step__production__order__code")


@admin.register(Vendor)
class VendorAdmin(ReadOnly):
    """Vendors and their breakers: who is left alone, until when, and why."""

    whose = STAFF
    list_display = ("name", "under_way", "in_queue", "failures", "open_until", "reason", "changed_at")
    ordering = ("name",)

    @admin.display(description=gettext_lazy("calls under way"))
    def under_way(self, vendor: Any) -> int:
        """How many of its slots are taken."""
        return int(vendor.calls_under_way)

    @admin.display(description=gettext_lazy("calls in the queue"))
    def in_queue(self, vendor: Any) -> int:
        """How many wait for a slot."""
        return int(vendor.calls_in_queue)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Vendor]:
        """Without the row that only keeps turns."""
        rows: QuerySet[Vendor] = super().get_queryset(request).exclude(name=slots.EVERYBODY)
        held = Call.objects.filter(state__in=[CallState.NEW, CallState.SUBMITTED], slot_at__isnull=False)
        queued = Call.objects.filter(state=CallState.QUEUED)
        return rows.annotate(calls_under_way=_counted(held), calls_in_queue=_counted(queued))


def _counted(calls: QuerySet[Call]) -> Coalesce:
    """How many of these calls a vendor has."""
    mine = calls.filter(provider=OuterRef("name")).order_by().values("provider")
    return Coalesce(Subquery(mine.annotate(times=Count("pk")).values("times")), 0)


@admin.register(HookEvent)
class HookEventAdmin(Finds, ReadOnly):
    """What vendors sent, and what became of it."""

    whose = STAFF
    list_display = ("received_at", "provider", "event_id", "outcome", "call")
    list_filter = (known(gettext_lazy("provider"), "provider", vendors),)
    finds = ("event_id", "call__key", "call__external_id")
    list_select_related = ("call",)


@admin.register(Notice)
class NoticeAdmin(ReadOnly):
    """Mails to fans."""

    whose = STAFF
    list_display = ("order", "kind", "created_at", "sent_at", "tries", "error")
    list_filter = ("kind",)
    list_select_related = ("order",)
