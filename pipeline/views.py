"""The order page: one address for life."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import content_disposition_header
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from billing import receipt
from orders.access import own_order
from orders.choices import Format
from orders.models import WITHOUT_FILM, Order, OrderState
from orders.visitors import known_visitor

from . import progress as board
from . import renditions
from .access import may_see


def find(request: HttpRequest, code: str) -> Order:
    """The order, for those who may see it. Everyone else learns nothing: 404."""
    order = Order.objects.select_related("brief", "creator", "fan").filter(code=code).first()
    if order is None or not may_see(order, request.user, known_visitor(request)):
        raise Http404
    return order


@require_safe
@never_cache
def order(request: HttpRequest, code: str) -> HttpResponse:
    """The film being made, and then the film."""
    found = find(request, code)
    if found.is_draft:
        return redirect("orders:summary", found.code)
    return render(request, "pipeline/order.html", context(found, request.user))


@require_safe
@never_cache
def progress(request: HttpRequest, code: str) -> HttpResponse:
    """The live part alone, for pages whose socket is closed."""
    found = find(request, code)
    return render(request, "pipeline/_progress.html", context(found, request.user))


WORDS = {"srt": ("captions", "application/x-subrip"), "txt": ("transcript", "text/plain")}


@require_safe
@never_cache
def words(request: HttpRequest, code: str, kind: str) -> HttpResponse:
    """What is said in the film, as a file to keep."""
    found = find(request, code)
    text = board.words(found, kind) if kind in WORDS else ""
    if not text:
        raise Http404
    name, type_ = WORDS[kind]
    file_name = f"{name}-for-{board.file_name(found)}.{kind}"
    headers = {"Content-Disposition": content_disposition_header(True, file_name) or "attachment"}
    return HttpResponse(text, content_type=f"{type_}; charset=utf-8", headers=headers)


@require_POST
def version(request: HttpRequest, code: str) -> HttpResponse:
    """The fan asks for the film in another shape, or without captions in the picture."""
    found = own_order(request, code)
    shape, captions = request.POST.get("format", ""), request.POST.get("captions", "")
    if shape not in Format.values or captions not in ("yes", "no"):
        return HttpResponseBadRequest()
    try:
        renditions.ask(order=found, format=shape, captions=captions == "yes")
    except renditions.NotOffered as reason:
        messages.warning(request, str(reason))
    return redirect(reverse("pipeline:order", args=[found.code]) + "#film-versions")


def context(order: Order, viewer: Any) -> dict[str, object]:
    """What the order page and its fragment show. The fan's address, and beginning again, are for the fan alone."""
    is_fan = order.fan is not None and order.fan == viewer
    return {
        "order": order,
        "brief": order.brief,
        "creator": order.creator,
        "progress": board.read(order),
        "receipt": receipt.of(order),
        "mail_to": order.fan.email if order.fan is not None and is_fan else "",
        "ask_url": reverse("pipeline:version", args=[order.code])
        if is_fan and order.state == OrderState.DELIVERED
        else "",
        "restart_url": reverse("orders:begin_again", args=[order.code])
        if is_fan and order.state in WITHOUT_FILM
        else "",
    }
