"""The photos' screen: adding one or many, removing, sorting, and the list that is asked again while checks run."""

from __future__ import annotations

import logging
from typing import Any

from django.conf import settings
from django.core.exceptions import TooManyFilesSent
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django_htmx.http import trigger_client_event

from . import direct, disk, drafts, services
from .far import StorageAway
from .limits import limited
from .models import MAX_PHOTOS, MIN_PHOTOS, Order, Photo, PhotoState
from .screens import UNUSABLE, is_script, of_a_draft, screen
from .uploads import NoRoom, Refused, gate, megabytes

log = logging.getLogger(__name__)

# Room for the form's own lines around the files.
SLACK = 1024 * 1024
FIELD = "#photos-input"
CONFLICT = 409


@of_a_draft
@require_http_methods(["GET", "HEAD", "POST"])
def photos(request: HttpRequest, order: Order) -> HttpResponse:
    """Screen 2. Going on asks for enough photos; the checks of those that are here need not be done."""
    problems: list[str] = []
    if request.method == "POST":
        problems = [gap.sentence for gap in drafts.missing(order) if gap.screen == "photos"]
        if not problems:
            return redirect(f"orders:{drafts.next_screen(order, after='photos')}", order.code)
    return _page(request, order, problems)


@limited("photo", times=150, seconds=600)
@csrf_exempt  # looking for the token reads the whole body, so its size is looked at first; _add is protected
@of_a_draft
@require_http_methods(["GET", "HEAD", "POST"])
def photo_add(request: HttpRequest, order: Order) -> HttpResponse:
    """Add the photos sent: one by our script, any number by a plain form. The good ones of a batch are kept."""
    if request.method != "POST":  # the address bar, after a plain form came back with a sentence
        return redirect("orders:photos", order.code)
    try:
        length = int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        length = 0
    if length > settings.MAX_ORDER_BYTES + SLACK:
        limit = megabytes(settings.MAX_ORDER_BYTES)
        return refusal(request, order, [_("That is too much at once: up to %d MB together.") % limit], status=413)
    try:
        return _add(request, order)
    except TooManyFilesSent:
        return refusal(
            request, order, [_("Those are too many files at once: a film takes up to %d photos.") % MAX_PHOTOS]
        )
    except OSError as error:
        if isinstance(error, StorageAway):
            return unstored(request, order)
        if not disk.is_full(error):
            raise
        log.exception("No room for a photo of order %s", order)
        sorry = _("We have no room for more photos just now, which is our fault. Please try again in a few minutes.")
        return refusal(request, order, [sorry], status=503)


@csrf_protect
def _add(request: HttpRequest, order: Order) -> HttpResponse:
    files = request.FILES.getlist("photos")
    problems = [] if files else [_("Choose one or more photos first.")]
    status = UNUSABLE
    photo: Photo | None = None
    for file in files:
        try:
            photo = services.add_photo(order=order, upload=gate(file))
        except Refused as refused:
            problems.append(str(refused))
            status = CONFLICT if isinstance(refused, NoRoom) else status
    if problems:
        return refusal(request, order, problems, status)
    if not is_script(request):
        return redirect("orders:photos", order.code)
    response = fragment(request, order)
    if photo is not None:
        response["X-Photo"] = photo.token
    return response


def unstored(request: HttpRequest, order: Order) -> HttpResponse:
    """The file store does not answer, said inside the `except`: the photo may come again."""
    log.exception("A photo of order %s cannot be stored", order)
    sorry = _("We cannot keep photos just now, which is our fault. Please try again in a few minutes.")
    return refusal(request, order, [sorry], status=503)


@of_a_draft
@require_POST
def photo_remove(request: HttpRequest, order: Order, token: str) -> HttpResponse:
    """Take a photo out. One that is gone already is gone."""
    before = [photo.token for photo in order.photos.all()]
    services.remove_photo(order=order, token=token)
    left = [photo.token for photo in order.photos.all()]
    at = min(before.index(token), len(left) - 1) if token in before else -1
    focus = f"remove-{left[at]}" if at >= 0 else "photos-input"
    return _changed(request, order, _("Photo removed. %s") % _count(order), focus)


@of_a_draft
@require_POST
def photo_sort(request: HttpRequest, order: Order) -> HttpResponse:
    """Sort the photos: all of them as dragged (`order`, tokens with commas), or one place on (`move` and `to`)."""
    tokens = [photo.token for photo in order.photos.usable()]
    moved = request.POST.get("move", "")
    if dragged := request.POST.get("order", ""):
        services.sort_photos(order=order, tokens=dragged.split(",")[: 2 * MAX_PHOTOS])
    elif moved in tokens:
        here = tokens.index(moved)
        there = max(0, here - 1) if request.POST.get("to") == "earlier" else min(len(tokens) - 1, here + 1)
        if there != here:
            tokens.insert(there, tokens.pop(here))
            services.sort_photos(order=order, tokens=tokens)
    now = [photo.token for photo in order.photos.usable()]
    if moved not in now:
        return _changed(request, order, "")
    where = {"place": now.index(moved) + 1, "count": len(now)}
    return _changed(request, order, _("Now photo %(place)d of %(count)d.") % where)


@of_a_draft
@require_safe
def photo_list(request: HttpRequest, order: Order) -> HttpResponse:
    """The list alone, asked for every two seconds while a photo is being checked."""
    return fragment(request, order)


def _cards(order: Order) -> dict[str, Any]:
    """What the list shows: usable photos with their numbers, the refused ones apart."""
    found = list(order.photos.order_by("place", "pk"))
    good = [photo for photo in found if photo.state != PhotoState.REFUSED]
    numbers = {photo.pk: number for number, photo in enumerate(good, 1)}
    return {
        "order": order,
        "cards": [{"photo": p, "number": numbers[p.pk], "notes": drafts.notes_on(p, numbers)} for p in good],
        "refused": [{"photo": p, "fault": _(p.fault) if p.fault else ""} for p in found if p not in good],
        "checking": any(photo.state == PhotoState.UPLOADED for photo in found),
        "count": len(good),
        "lacking": max(0, MIN_PHOTOS - len(good)),
        "full": len(good) >= MAX_PHOTOS,
        "min": MIN_PHOTOS,
        "max": MAX_PHOTOS,
    }


def _count(order: Order) -> str:
    return _("%(count)d of %(min)d–%(max)d.") % {
        "count": order.photos.usable().count(),
        "min": MIN_PHOTOS,
        "max": MAX_PHOTOS,
    }


def fragment(request: HttpRequest, order: Order) -> HttpResponse:
    """The list of photos, for our scripts."""
    return render(request, "orders/_photo_list.html", _cards(order))


def _page(request: HttpRequest, order: Order, problems: list[str]) -> HttpResponse:
    context = _cards(order) | {
        "problems": problems,
        "max_bytes": settings.MAX_PHOTO_BYTES,
        "max_megabytes": megabytes(settings.MAX_PHOTO_BYTES),
        "direct": direct.offered(),
    }
    return screen(request, order, "photos", context, errors=[{"href": FIELD, "text": text} for text in problems])


def refusal(request: HttpRequest, order: Order, problems: list[str], status: int = UNUSABLE) -> HttpResponse:
    """Our script reads the sentence; a plain form gets the page with every sentence on it."""
    if is_script(request):
        return HttpResponse("\n".join(problems), status=status, content_type="text/plain; charset=utf-8")
    page = _page(request, order, problems)
    page.status_code = status
    return page


def _changed(request: HttpRequest, order: Order, say: str, focus: str = "") -> HttpResponse:
    """The new list for htmx, with what screen readers should hear; the page again for a plain form."""
    if not getattr(request, "htmx", False):
        return redirect("orders:photos", order.code)
    response = fragment(request, order)
    return trigger_client_event(response, "say", {"text": say, "focus": focus}, after="settle")
