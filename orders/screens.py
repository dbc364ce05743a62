"""What the wizard's screens share: only the owner's drafts, the steps, the error summary, nothing kept by browsers."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from django.contrib import messages
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django_htmx.http import HttpResponseClientRedirect

from .access import own_order
from .drafts import SCREENS, Gap, missing
from .models import Order
from .services import NotADraft

LABELS = {
    "for_whom": gettext_lazy("For whom"),
    "photos": gettext_lazy("Photos"),
    "story": gettext_lazy("Story"),
    "summary": gettext_lazy("Pay"),
}
UNUSABLE = 422


def of_a_draft(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """The view gets its own visitor's draft. What is no draft any more sends its owner to the film."""

    @never_cache
    @functools.wraps(view)
    def inner(request: HttpRequest, code: str, **rest: Any) -> HttpResponse:
        order = own_order(request, code)
        try:
            if not order.is_draft:
                raise NotADraft(code)
            return view(request, order, **rest)
        except NotADraft:
            return _to_the_film(request, order)

    return inner


def is_script(request: HttpRequest) -> bool:
    """Whether our own upload script asks, which wants a sentence or a fragment instead of a page."""
    return request.headers.get("X-Requested-With") == "XMLHttpRequest"


def errors_of(form: BaseForm, prefix: str = "id_") -> list[dict[str, str]]:
    """Every error with the address of its field, for the summary at the top."""
    return [
        {"href": f"#{prefix}{field}", "text": str(error)} for field, errors in form.errors.items() for error in errors
    ]


def screen(
    request: HttpRequest,
    order: Order,
    name: str,
    context: dict[str, Any],
    *,
    errors: Sequence[dict[str, str]] = (),
    gaps: list[Gap] | None = None,
) -> HttpResponse:
    """One screen of the wizard as a page."""
    found = missing(order) if gaps is None else gaps
    lacking = {gap.screen for gap in found}
    steps = [
        {
            "label": LABELS[step],
            "url": reverse(f"orders:{step}", args=[order.code]),
            "state": "now" if step == name else "next" if step in lacking or step == SCREENS[-1] else "done",
        }
        for step in SCREENS
    ]
    shared = {"order": order, "brief": order.brief, "creator": order.creator, "steps": steps, "errors": errors}
    return render(request, f"orders/{name}.html", shared | context, status=UNUSABLE if errors else 200)


def _to_the_film(request: HttpRequest, order: Order) -> HttpResponse:
    """The order is placed: whatever was sent is answered with the way to its film."""
    film = reverse("pipeline:order", args=[order.code])
    if is_script(request):
        return HttpResponse(_("This order is already placed: its photos can no longer change."), status=409)
    if getattr(request, "htmx", False):
        return HttpResponseClientRedirect(film)
    if request.method == "POST":
        messages.info(request, _("This order is already placed, so it can no longer be changed."))
    return redirect(film)
