"""Reviews on the desk: the queue of films a creator is asked about, and the page where one is decided."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.contrib import admin
from django.db.models import BooleanField, ExpressionWrapper, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern
from django.utils import timezone
from django.utils.html import format_html
from django.utils.timesince import timesince, timeuntil
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.desk import ReadOnly

from . import order_lists, review_page, review_queue, review_views
from .media_links import link
from .models import Review, ReviewState


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
    change_list_template = "admin/pipeline/review/change_list.html"
    list_display = ("picture", "film_for", "clock", "light", "taken", "creator", "asked_at")
    own_list_display = ("picture", "film_for", "clock", "light", "taken")
    list_display_links = ("film_for",)
    empty_value_display = ""
    list_filter = (WhatWaits,)
    list_per_page = 50
    show_facets = admin.ShowFacets.NEVER
    list_select_related = ("cut__production__order__brief", "creator", "claimed_by", "decided_by")
    # What makes the search box appear; see get_search_results.
    search_fields = ("cut__production__order__code",)
    search_help_text = gettext_lazy("An order’s code, or the beginning of the name it is for.")
    actions = None
    ordering = (review_queue.WANTED_BY, "pk")
    show_full_result_count = False

    @admin.display(description=gettext_lazy("poster"))
    def picture(self, review: Review) -> str:
        """The film's poster, small."""
        poster = link(review.cut.poster)
        return format_html('<img class="rq-poster" src="{}" alt="" loading="lazy">', poster) if poster else ""

    @admin.display(description=gettext_lazy("film"))
    def film_for(self, review: Review) -> str:
        """Whom the film is for, what for, and its order."""
        order = review.cut.production.order
        return format_html(
            '<span class="rq-name">{}</span> <span class="rq-soft">{} · {} s · {}</span>',
            order.brief.name,
            order.brief.get_occasion_display(),
            round(review.cut.seconds),
            order.code,
        )

    @admin.display(description=gettext_lazy("wanted"))
    def clock(self, review: Review) -> str:
        """How long there is left until what was promised; of a decided one, what was decided."""
        if review.state != ReviewState.WAITING:
            return format_html('<span class="rq-chip rq-chip--{}">{}</span>', review.state, review.get_state_display())
        by = review_page.promised(review, review.cut.production.order)
        now = timezone.now()
        if by is None:
            return format_html(
                '<span class="rq-soft">{}</span>', _("asked %(t)s ago") % {"t": timesince(review.asked_at)}
            )
        if by < now:
            return format_html('<strong class="rq-late">{}</strong>', _("%(t)s late") % {"t": timesince(by, now)})
        return format_html('<span class="rq-time">{}</span>', _("in %(t)s") % {"t": timeuntil(by, now)})

    @admin.display(description=gettext_lazy("checks"))
    def light(self, review: Review) -> str:
        """What quality control and moderation said."""
        if review.flagged:  # type: ignore[attr-defined]
            return format_html('<span class="rq-light rq-light--red">{}</span>', _("moderation asks you"))
        if review.cut.verdict == "pass":
            return format_html('<span class="rq-light rq-light--green">{}</span>', _("all green"))
        return format_html('<span class="rq-light rq-light--amber">{}</span>', _("worth a look"))

    @admin.display(description=gettext_lazy("taken by"))
    def taken(self, review: Review) -> str:
        """Who is looking at it just now."""
        until = review.claimed_until
        if until is None or until < timezone.now():
            return ""
        mine = review.mine  # type: ignore[attr-defined]
        words = _("you are looking") if mine else _("%(who)s is looking") % {"who": review.claimed_by}
        return format_html('<span class="rq-soft">{}</span>', words)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Review]:
        """With what moderation said of each, and whether one is looking at it oneself."""
        mine = ExpressionWrapper(Q(claimed_by=request.user.pk), BooleanField())
        return review_queue.flagged(super().get_queryset(request)).annotate(mine=mine)

    def get_ordering(self, request: HttpRequest) -> Any:
        """The queue by when each is wanted; all there ever were by their key, which has an index."""
        return ("-pk",) if request.GET.get(WhatWaits.parameter_name) == "all" else self.ordering

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Review], search_term: str
    ) -> tuple[QuerySet[Review], bool]:
        """By the orders that are meant, since a search through the films' own rows reads all of them."""
        if not search_term.strip():
            return queryset, False
        return queryset.filter(cut__production__order__in=order_lists.named(search_term)), False

    def get_urls(self) -> list[URLPattern]:
        """The stock addresses, and those that decide."""
        return [*review_views.urls(self), *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The queue, with the ways into it."""
        extra = review_views.around(self, request) | {"title": _("Films that wait for you"), **(extra_context or {})}
        return super().changelist_view(request, extra)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """One film: everything about it, and the ways to decide."""
        extra = review_views.one(self, request, object_id) | (extra_context or {})
        return super().change_view(request, object_id, form_url, extra)
