"""The desk: the admin site staff and creators work in."""

from __future__ import annotations

from typing import Any

from django.contrib.admin import AdminSite, ModelAdmin
from django.contrib.contenttypes.models import ContentType
from django.contrib.contenttypes.views import shortcut
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, path, reverse
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _

from accounts.reasons import Reasoned
from accounts.scoping import STAFF, Scoped
from pipeline import health_desk, review_queue

from . import needs


class Desk(AdminSite):
    """The back office."""

    site_header = _("Videogen desk")
    site_title = _("Videogen desk")
    index_title = _("What needs you")

    def register(self, model_or_iterable: Any, admin_class: Any = None, **options: Any) -> None:
        """A class that does not say whose its rows are, such as another package's, is closed to creators and asks why.

        Its own actions, which do not, are left out.
        """
        admin_class = admin_class or ModelAdmin
        if not issubclass(admin_class, Scoped):
            body = {"__module__": admin_class.__module__, "whose": STAFF, "actions": ()}
            admin_class = type(admin_class.__name__, (Reasoned, Scoped, admin_class), body)
        super().register(model_or_iterable, admin_class, **options)

    def get_urls(self) -> list[URLPattern | URLResolver]:
        """The stock addresses; the one that leads from the desk to the site asks whose it is."""
        onto_site = path(
            "r/<path:content_type_id>/<path:object_id>/", self.admin_view(self.view_on_site), name="view_on_site"
        )
        return [onto_site, *health_desk.urls(self), *super().get_urls()]

    def view_on_site(self, request: HttpRequest, content_type_id: str, object_id: str) -> HttpResponseBase:
        """To a row's page on the site, for whoever may see the row on the desk. Raises Http404."""
        kind = ContentType.objects.filter(pk=content_type_id).first() if content_type_id.isdecimal() else None
        model = kind.model_class() if kind else None
        known = self._registry.get(model) if model else None
        if known is None or not known.has_view_permission(request) or known.get_object(request, object_id) is None:
            raise Http404
        return shortcut(request, content_type_id, object_id)

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """To the one way in, which knows second factors. Who is in and may not be here is told so."""
        if request.user.is_authenticated and not self.has_permission(request):
            return render(request, "account/no_desk.html", status=403)
        wanted = request.GET.get("next") or reverse("admin:index")
        return redirect(f"{reverse('account_desk')}?{urlencode({'next': wanted})}")

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        """The first page says what waits for whoever looks, and leads to the first film of it."""
        may_look = request.user.has_perm("pipeline.change_review")
        mine = review_queue.free(needs.reviews_of(request.user), request.user) if may_look else None
        found = needs.needs(request)
        context = {
            "needs": found,
            "may_see_health": health_desk.may_look(request),
            "greeting": needs.greeting(found),
            "next_film": mine.select_related("cut__production__order__brief").first() if mine is not None else None,
            "undoable": review_queue.undoable(request.user),
            **needs.lately(request.user),
            **(extra_context or {}),
        }
        return super().index(request, context)
