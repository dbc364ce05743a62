"""Reviews on the desk: the queue of films a creator is asked about, and the page where one is decided."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Case, QuerySet, Value, When
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from accounts.desk import ReadOnly

from . import services
from .media_links import link
from .models import Review, ReviewState, Scene

LONGEST_REASON = 300


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

    whose = "creator"
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
