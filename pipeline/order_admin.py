"""Orders on the desk: the list with its saved filters, and the page of one order."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import PermissionDenied
from django.db.models import Exists, OuterRef, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.scoping import Scoped, sees_all
from orders.models import Order, OrderState

from . import order_actions, order_desk, order_lists, order_reruns


class SavedFilter(admin.SimpleListFilter):
    """The saved filters. They stand above the list as links, so the box beside it leaves them out."""

    title = gettext_lazy("saved filter")
    parameter_name = "show"
    template = "admin/orders/order/_no_filter.html"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """All of them."""
        return [(one.key, one.label) for one in order_lists.SAVED]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Order]) -> QuerySet[Order]:
        """The rows of the one that is asked for. A search without one looks everywhere, drafts too."""
        if not self.value() and request.GET.get("q"):
            return queryset
        return order_lists.saved(self.value(), request.user).rows(queryset)


class OrderList(ChangeList):
    """One page of orders, each with what the list says about it."""

    def get_results(self, request: HttpRequest) -> None:
        """The page's orders, and their rows in three queries more."""
        super().get_results(request)
        self.result_list = list(self.result_list)
        rows = order_lists.rows(self.result_list)
        for order in self.result_list:
            order.row = rows[order.pk]


@admin.register(Order)
class OrderAdmin(Scoped, admin.ModelAdmin[Order]):
    """Orders: found, read, and mended by the actions of their pages.

    A creator reads what a film is about, not who pays for it.
    """

    whose = "creator"
    own_list_display = ("code_", "film", "standing", "placed_at")
    own_list_filter = ("state",)
    own_search_fields = ("code", "brief__name")
    list_filter = (SavedFilter, "state", "creator")
    list_select_related = ("fan", "creator", "brief")
    list_per_page = 50
    list_max_show_all = 200
    search_fields = ("code",)
    search_help_text = gettext_lazy("Code, mail, name, payment id, or a vendor’s id")
    actions = ("make_again",)
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    sortable_by = ("placed_at",)
    change_list_template = "admin/orders/order/change_list.html"

    class Media:
        css = {"all": ("css/pages/order_desk.css",)}

    @admin.display(description=gettext_lazy("order"))
    def code_(self, order: Order) -> str:
        """Its code, which leads to its page."""
        return order.code

    @admin.display(description=gettext_lazy("film for"))
    def film(self, order: Order) -> str:
        """Whom it is for."""
        return order.brief.name or "–"

    @admin.display(description=gettext_lazy("fan"))
    def mail(self, order: Order) -> str:
        """The fan's address."""
        return order.fan.email if order.fan is not None else "–"

    @admin.display(description=gettext_lazy("stands"))
    def standing(self, order: Order) -> str:
        """Its state, and what is being done now."""
        row: order_lists.Row = order.row  # type: ignore[attr-defined]
        held = row.production is not None and row.production.state == "running" and row.production.paused_at
        label = _("Paused") if held else order.get_state_display()
        note = row.now if order.state == OrderState.PLACED else ""
        if order.state == "failed" and row.production is not None:
            note = row.production.failed_stage
        if row.makings > 1:
            note = f"{note} · {_('making %(n)d') % {'n': row.makings}}".strip(" ·")
        chip = format_html('<span class="od-chip od-chip--{}">{}</span>', "paused" if held else order.state, label)
        return format_html('{}<br><small class="od-soft">{}</small>', chip, note) if note else chip

    @admin.display(description=gettext_lazy("promise"))
    def promise(self, order: Order) -> str:
        """How it stands against its promise."""
        found = order_lists.promised(order)
        return format_html('<span class="od-promise od-promise--{}">{}</span>', found.look or "none", found.words)

    @admin.display(description=gettext_lazy("price"))
    def price(self, order: Order) -> str:
        """What it costs the fan, and what went back."""
        row: order_lists.Row = order.row  # type: ignore[attr-defined]
        words = order_lists.money(order.amount, order.currency)
        if not row.refunded:
            return words
        back = order_lists.money(-row.refunded, order.currency)
        return format_html('{}<br><small class="od-soft">{}</small>', words, back)

    # --- what there is and for whom -----------------------------------------------------------------------------------

    def get_list_display(self, request: HttpRequest) -> Any:
        """The columns that one may see."""
        if not sees_all(request.user):
            return self.own_list_display
        may = order_desk.may(request.user)
        wanted = {"film": may.brief, "mail": may.mail, "price": may.money}
        columns = ("code_", "film", "mail", "standing", "promise", "price", "creator", "placed_at")
        return [name for name in columns if wanted.get(name, True)]

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        """Fans begin orders."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """The verbs change orders, by the actions of their pages."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Orders stay."""
        return False

    def own_rows(self, rows: QuerySet[Order]) -> QuerySet[Order]:
        """A draft is the fan's alone."""
        return rows.exclude(state=OrderState.DRAFT)

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        """As the saved filter says."""
        return order_lists.saved(request.GET.get("show"), request.user).order_by

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Order], search_term: str
    ) -> tuple[QuerySet[Order], bool]:
        """By what people have at hand; see `order_lists.search`."""
        if not sees_all(request.user):
            return super().get_search_results(request, queryset, search_term)
        return order_lists.search(queryset, search_term), False

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        """Ours, which fills in the rows."""
        return OrderList

    def get_paginator(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """One that does not count again what stands beside the filter."""
        paginator = super().get_paginator(request, *args, **kwargs)
        if (counted := getattr(request, "counted", None)) is not None:
            paginator.count = counted
        return paginator

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The list, under its saved filters."""
        if not sees_all(request.user):
            return super().changelist_view(request, extra_context)
        filters = [one for one in order_lists.SAVED if one.open_to(request.user)]
        numbers = order_lists.counts(self.get_queryset(request), filters)
        chosen = order_lists.saved(request.GET.get("show"), request.user).key
        if set(request.GET) <= {"show", "p"} and chosen in numbers:
            request.counted = numbers[chosen]  # type: ignore[attr-defined]
        address = reverse("admin:orders_order_changelist")
        shown = [
            {
                "label": one.label,
                "url": f"{address}?show={one.key}" if one.key else address,
                "count": numbers.get(one.key, 0) if one.counted else None,
                "chosen": one.key == chosen and not (request.GET.get("q") and not chosen),
            }
            for one in filters
        ]
        return super().changelist_view(request, {"saved": shown, "title": _("Orders"), **(extra_context or {})})

    def get_urls(self) -> list[URLPattern]:
        """The stock addresses, and one for each action."""
        actions = [
            path(
                f"<int:pk>/{name}/",
                self.admin_site.admin_view(partial(self.act, view)),
                name=f"orders_order_{name}",
            )
            for name, view in (order_actions.VIEWS | {"rerun": order_reruns.make_again}).items()
        ]
        many = path("rerun/", self.admin_site.admin_view(self.many), name="orders_order_rerun_many")
        return [many, *actions, *super().get_urls()]

    def act(self, view: order_actions.View, request: HttpRequest, pk: int) -> HttpResponseBase:
        """An action's page."""
        return view(request, str(pk), self)

    def many(self, request: HttpRequest) -> HttpResponseBase:
        """Several orders made again."""
        return order_reruns.make_many_again(request, self)

    def rows(self, request: HttpRequest) -> QuerySet[Order]:
        """The orders one may see."""
        return self.get_queryset(request)

    def has_rerun_permission(self, request: HttpRequest) -> bool:
        """Who may have films made again."""
        return order_desk.may(request.user).rerun

    @admin.action(description=gettext_lazy("Make the films again"), permissions=["rerun"])
    def make_again(self, request: HttpRequest, queryset: QuerySet[Order]) -> HttpResponse:
        """To the page that says what that means for each, and in total."""
        most = order_reruns.MOST_AT_ONCE
        chosen = list(queryset.values_list("pk", flat=True)[: most + 1])
        if len(chosen) > most:
            messages.warning(request, _("The first %(n)d were taken: look at so many at once.") % {"n": most})
        ids = "-".join(str(pk) for pk in chosen[:most])
        return HttpResponseRedirect(f"{reverse('admin:orders_order_rerun_many')}?ids={ids}")

    def find(self, request: HttpRequest, pk: str) -> Order:
        """The order of a page, with what every page of it shows. Raises Http404 and PermissionDenied."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        orders = self.get_queryset(request).select_related("fan", "creator__user", "brief", "delivery")
        orders = orders.annotate(asks=Exists(order_desk.waiting_requests().filter(order=OuterRef("pk"))))
        found: Order | None = orders.filter(pk=pk).first() if pk.isdigit() else orders.filter(code=pk).first()
        if found is None:
            raise Http404
        return found

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The page of one order."""
        order = self.find(request, object_id)
        page = order_desk.read(order, request.user, kind=request.GET.get("timeline", ""))
        held = None if page.running is None else page.running.paused_at is not None
        context = {
            "page": page,
            "actions": order_actions.offered(order, page.may, held),
            "asked": order_lists.money(page.request.amount, order.currency) if page.request else "",
        }
        return self.page(request, order, "page.html", context | (extra_context or {}))

    def page(self, request: HttpRequest, order: Order | None, template: str, context: dict[str, Any]) -> HttpResponse:
        """One of an order's pages, or of several orders', in the desk's frame."""
        title = order.code if order is not None else _("Orders")
        return TemplateResponse(
            request,
            f"admin/orders/order/{template}",
            {
                **self.admin_site.each_context(request),
                "opts": self.opts,
                "order": order,
                "title": title,
                "subtitle": None,
                "media": self.media,
                **context,
            },
        )
