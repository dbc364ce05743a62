"""Making films on the desk: the review queue, and read-only views of the board."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Case, QuerySet, Value, When
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from . import services, slots
from .media_links import link
from .models import (
    Call,
    CallState,
    Concern,
    Cut,
    Event,
    Finding,
    HookEvent,
    Notice,
    Production,
    Review,
    ReviewState,
    Scene,
    Step,
    Vendor,
)

LONGEST_REASON = 300


class ReadOnly(admin.ModelAdmin[Any]):
    """Rows that only the engine writes."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody adds one by hand."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody changes one by hand."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody deletes one by hand."""
        return False


class WhatWaits(admin.SimpleListFilter):
    """Waiting films unless asked otherwise: the list is a queue first and a record second."""

    title = gettext_lazy("what to show")
    parameter_name = "show"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """The other choice; the first one has no name in the address."""
        return [("all", gettext_lazy("All"))]

    def choices(self, changelist: Any) -> Iterator[Any]:
        """“Waiting” in place of the stock “All”."""
        waiting = changelist.get_query_string(remove=[self.parameter_name])
        everything = changelist.get_query_string({self.parameter_name: "all"})
        yield {"selected": self.value() is None, "query_string": waiting, "display": _("Waiting for a look")}
        yield {"selected": self.value() == "all", "query_string": everything, "display": _("All")}

    def queryset(self, request: HttpRequest, queryset: QuerySet[Review]) -> QuerySet[Review]:
        """Only those that wait, or all."""
        return queryset if self.value() == "all" else queryset.filter(state=ReviewState.WAITING)


@admin.register(Review)
class ReviewAdmin(ReadOnly):
    """The films a creator is asked about. Creators see their own, staff see all."""

    change_form_template = "admin/pipeline/review/change_form.html"
    list_display = ("film_for", "creator", "state", "verdict", "asked_at", "decided_at", "decided_by")
    list_filter = (WhatWaits,)
    ordering = (Case(When(state=ReviewState.WAITING, then=Value(0)), default=Value(1)), "asked_at")
    list_select_related = ("cut__production__order__brief", "creator")
    search_fields = ("cut__production__order__code", "cut__production__order__brief__name")

    @admin.display(description=gettext_lazy("film"))
    def film_for(self, review: Review) -> str:
        """Whom the film is for, and its order."""
        order = review.cut.production.order
        return f"{order.brief.name} ({order.code})"

    @admin.display(description=gettext_lazy("checks"))
    def verdict(self, review: Review) -> str:
        """What quality control said."""
        return {"pass": _("all green"), "warn": _("worth a look"), "fail": _("failed")}.get(review.cut.verdict, "–")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Review]:
        """Waiting ones first, oldest first; a creator sees only their own."""
        rows: QuerySet[Review] = super().get_queryset(request)
        if request.user.is_superuser:
            return rows
        return rows.filter(creator__user__pk=request.user.pk or 0)

    def get_urls(self) -> list[URLPattern]:
        """The stock addresses, and the one that decides."""
        decide = path("<int:pk>/decide/", self.admin_site.admin_view(require_POST(self.decide)), name="decide_review")
        return [decide, *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """One film: the player, what is said, what was found, approve or refuse."""
        review = self.get_queryset(request).filter(pk=object_id).select_related("cut__production__order__brief").first()
        extra: dict[str, Any] = dict(extra_context or {})
        if review is not None:
            cut = review.cut
            scenes = Scene.objects.filter(script__production=cut.production).select_related("photo").order_by("number")
            extra |= {
                "review": review,
                "cut": cut,
                "order": cut.production.order,
                "brief": cut.production.order.brief,
                "video": link(cut.file),
                "poster": link(cut.poster),
                "captions": link(cut.captions),
                "scenes": [(scene, link(scene.photo.thumb)) for scene in scenes],
                "findings": cut.findings.all(),
                "concerns": cut.production.concerns.all(),
                "waiting": review.state == ReviewState.WAITING,
                "title": _("Film for %(name)s") % {"name": cut.production.order.brief.name},
            }
        return super().change_view(request, object_id, form_url, extra)

    def decide(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Approve or refuse the exact version that was shown."""
        review = get_object_or_404(self.get_queryset(request), pk=pk)
        if not request.user.has_perm("pipeline.change_review"):
            raise PermissionDenied
        approve = request.POST.get("verdict") == "approve"
        reason = request.POST.get("reason", "").strip()[:LONGEST_REASON]
        back = HttpResponseRedirect(reverse("admin:pipeline_review_change", args=[pk]))
        if not approve and not reason:
            messages.error(request, _("Please say why, in a few words: the fan reads it. Nothing was decided."))
            return back
        try:
            services.decide(
                review=review, approve=approve, by=request.user, sha256=request.POST.get("sha256", ""), reason=reason
            )
        except services.StaleReview:
            messages.error(request, _("This film was decided already, or has changed since you opened it."))
            return back
        messages.success(request, _("Approved. The film is on its way.") if approve else _("Refused. The fan is told."))
        following = self.get_queryset(request).filter(state=ReviewState.WAITING).first()
        if following is not None:
            return HttpResponseRedirect(reverse("admin:pipeline_review_change", args=[following.pk]))
        return HttpResponseRedirect(reverse("admin:pipeline_review_changelist"))


def _figure(value: float | None, unit: str) -> str:
    return f"{value:.3g}{unit}" if value is not None else ""


class StepInline(admin.TabularInline[Step, Production]):
    """The board of one production."""

    model = Step
    extra = 0
    can_delete = False
    fields = ("stage", "item", "state", "attempts", "failures", "not_before", "started_at", "ended_at", "error")
    readonly_fields = fields

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Only the engine adds steps."""
        return False


class ConcernInline(admin.TabularInline[Concern, Production]):
    """What moderation flagged, with categories and scores."""

    model = Concern
    extra = 0
    can_delete = False
    fields = ("what", "number", "category", "score", "source", "ends", "created_at")
    readonly_fields = fields

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Only moderation adds concerns."""
        return False


class EventInline(admin.TabularInline[Event, Production]):
    """What happened in one production."""

    model = Event
    extra = 0
    can_delete = False
    fields = ("number", "at", "name", "stage", "item", "data")
    readonly_fields = fields

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Only the engine writes history."""
        return False


@admin.register(Production)
class ProductionAdmin(ReadOnly):
    """One making of a film: its board and its history."""

    list_display = ("__str__", "state", "failed_stage", "started_at", "ended_at")
    list_filter = ("state", "failed_stage")
    search_fields = ("order__code",)
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
class CallAdmin(ReadOnly):
    """Requests to providers."""

    list_display = ("key", "provider", "job", "state", "cost", "created_at", "ended_at")
    list_filter = ("provider", "state")
    search_fields = ("key", "external_id")


@admin.register(Vendor)
class VendorAdmin(ReadOnly):
    """Vendors and their breakers: who is left alone, until when, and why."""

    list_display = ("name", "under_way", "in_queue", "failures", "open_until", "reason", "changed_at")
    ordering = ("name",)

    @admin.display(description=gettext_lazy("calls under way"))
    def under_way(self, vendor: Vendor) -> int:
        """How many of its slots are taken."""
        return slots.holding(vendor.name).count()

    @admin.display(description=gettext_lazy("calls in the queue"))
    def in_queue(self, vendor: Vendor) -> int:
        """How many wait for a slot."""
        return Call.objects.filter(provider=vendor.name, state=CallState.QUEUED).count()

    def get_queryset(self, request: HttpRequest) -> QuerySet[Vendor]:
        """Without the row that only keeps turns."""
        return super().get_queryset(request).exclude(name=slots.EVERYBODY)


@admin.register(HookEvent)
class HookEventAdmin(ReadOnly):
    """What vendors sent, and what became of it."""

    list_display = ("received_at", "provider", "event_id", "outcome", "call")
    list_filter = ("provider", "outcome")
    search_fields = ("event_id",)
    list_select_related = ("call",)


@admin.register(Notice)
class NoticeAdmin(ReadOnly):
    """Mails to fans."""

    list_display = ("order", "kind", "created_at", "sent_at", "tries", "error")
    list_filter = ("kind",)
    list_select_related = ("order",)
