"""What staff are called for, on the desk: late reviews, films that must not go out, new versions that failed."""

from __future__ import annotations

from django.contrib import admin, messages
from django.db.models import Case, F, QuerySet, Value, When
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.desk import Finds, ReadOnly
from accounts.models import User
from accounts.reasons import WhyActionForm, missing, said
from accounts.scoping import STAFF

from . import escalations
from .models import Escalation


@admin.register(Escalation)
class EscalationAdmin(Finds, ReadOnly):
    """Open ones first, the oldest on top; settled ones stay on record."""

    whose = STAFF
    list_display = ("order_link", "kind", "note", "raised_at", "settled_at", "settled_by")
    list_display_links = None
    list_filter = ("kind", ("settled_at", admin.EmptyFieldListFilter))
    list_select_related = ("order", "settled_by")
    finds = ("order__code",)
    ordering = (Case(When(settled_at=None, then=Value(0)), default=Value(1)), F("raised_at"))
    actions = ("look_after",)
    action_form = WhyActionForm

    def has_settle_permission(self, request: HttpRequest) -> bool:
        """Who may say that it was looked after."""
        return request.user.has_perm("pipeline.change_escalation")

    @admin.display(description=gettext_lazy("order"))
    def order_link(self, row: Escalation) -> str:
        """The order's own page on the desk."""
        return format_html('<a href="{}">{}</a>', reverse("admin:orders_order_change", args=[row.order_id]), row.order)

    @admin.action(description=gettext_lazy("Looked after"), permissions=["settle"])
    def look_after(self, request: HttpRequest, chosen: QuerySet[Escalation]) -> None:
        """Take those of the chosen that are open off the list."""
        assert isinstance(request.user, User)
        if missing(request):
            return
        rows = chosen.select_related("order")
        count = sum(escalations.settle(escalation=row, by=request.user, reason=said(request)) for row in rows)
        words = ngettext("%(count)d was looked after.", "%(count)d were looked after.", count)
        messages.info(request, words % {"count": count} if count else _("These were looked after before."))
