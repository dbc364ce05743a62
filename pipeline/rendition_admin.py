"""Other versions of delivered films on the desk: those that failed can be tried once more."""

from __future__ import annotations

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.desk import ReadOnly
from accounts.models import User
from accounts.reasons import WhyActionForm, missing, said
from accounts.scoping import STAFF

from . import renditions
from .models import Rendition, RenditionState


@admin.register(Rendition)
class RenditionAdmin(ReadOnly):
    """One version of a film: how it stands, and why there is none."""

    whose = STAFF
    list_display = ("film_for", "format", "captions", "state", "verdict", "asked_at", "ended_at", "attempts", "error")
    list_filter = ("state", "format", "captions")
    list_select_related = ("cut__production__order__brief",)
    search_fields = ("cut__production__order__code",)
    actions = ("try_again",)
    action_form = WhyActionForm

    def has_retry_permission(self, request: HttpRequest) -> bool:
        """Who may have failed ones made again."""
        return request.user.has_perm("pipeline.change_rendition")

    @admin.display(description=gettext_lazy("film"))
    def film_for(self, row: Rendition) -> str:
        """Whom the film is for, and its order."""
        order = row.cut.production.order
        return f"{order.brief.name} ({order.code})"

    @admin.action(description=gettext_lazy("Try again"), permissions=["retry"])
    def try_again(self, request: HttpRequest, chosen: QuerySet[Rendition]) -> None:
        """Staff's second try, for those of the chosen that failed."""
        assert isinstance(request.user, User)
        if missing(request):
            return
        rows = chosen.filter(state=RenditionState.FAILED).select_related("cut__production__order")
        begun = sum(renditions.again(row=row, by=request.user, reason=said(request)) for row in rows)
        messages.info(request, _("%(count)d will be tried again.") % {"count": begun})
