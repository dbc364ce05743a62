"""The desk: the admin site staff and creators work in."""

from __future__ import annotations

from typing import Any

from django.contrib.admin import AdminSite
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils.translation import gettext_lazy as _

from pipeline.models import Review, ReviewState


class Desk(AdminSite):
    """The back office."""

    site_header = _("Videogen desk")
    site_title = _("Videogen desk")
    index_title = _("What needs you")

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        """The first page says how many films wait for whoever looks."""
        waiting = Review.objects.filter(state=ReviewState.WAITING)
        if not request.user.is_superuser:
            waiting = waiting.filter(creator__user__pk=request.user.pk or 0)
        may_look = request.user.has_perm("pipeline.view_review")
        context = {"waiting": waiting.count() if may_look else None, **(extra_context or {})}
        return super().index(request, context)
