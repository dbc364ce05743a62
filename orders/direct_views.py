"""The two requests around an upload that goes straight to storage. Only our script makes them."""

from __future__ import annotations

from dataclasses import asdict

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from . import direct
from .far import StorageAway
from .limits import limited
from .models import Order
from .photo_views import CONFLICT, fragment, refusal, unstored
from .screens import UNUSABLE, of_a_draft
from .uploads import NoRoom, Refused, label


@limited("photo", times=150, seconds=600)
@of_a_draft
@require_POST
def ticket(request: HttpRequest, order: Order) -> HttpResponse:
    """Where and how to put a photo of this `name`, `size` and `type`; 404 where photos only come through us."""
    try:
        size = int(request.POST.get("size", ""))
    except ValueError:
        size = 0
    try:
        given = direct.ticket(
            order=order, name=request.POST.get("name", ""), size=size, kind=request.POST.get("type", "")
        )
    except Refused as refused:
        return _no(request, order, refused)
    except StorageAway:
        return unstored(request, order)
    if given is None:
        raise Http404
    return JsonResponse(asdict(given))


@limited("arrived", times=150, seconds=600)
@of_a_draft
@require_POST
def arrived(request: HttpRequest, order: Order) -> HttpResponse:
    """The photo of this `token` stands in storage: look at it, and answer with the list as after any upload."""
    name = request.POST.get("name", "")
    try:
        photo = direct.arrived(order=order, token=request.POST.get("token", ""), name=name)
    except Refused as refused:
        return _no(request, order, refused)
    except FileNotFoundError:
        lost = _("“%(name)s” did not arrive. Please try again.") % {"name": label(name)}
        return refusal(request, order, [lost], status=CONFLICT)
    except StorageAway:
        return unstored(request, order)
    response = fragment(request, order)
    response["X-Photo"] = photo.token
    return response


def _no(request: HttpRequest, order: Order, refused: Refused) -> HttpResponse:
    status = CONFLICT if isinstance(refused, NoRoom) else UNUSABLE
    return refusal(request, order, [str(refused)], status)
