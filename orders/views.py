"""The order wizard: for whom, story, summary; the photos have their own file."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.adapter import AFTER_SIGN_IN
from accounts.models import ApprovalMode, Creator, User, Voice

from . import cashier, drafts, reader, services
from .access import own_order
from .cards import FORMAT_HINTS, TONE_HINTS, cards
from .choices import Length
from .examples import EXAMPLES
from .far import StorageAway
from .forms import ConsentForm, ForWhomForm, StoryForm
from .limits import limited
from .models import MAX_MUST_SAY_LETTERS, MAX_NOTES, WITHOUT_FILM, Order, PhotoState
from .screens import errors_of, of_a_draft, screen
from .visitors import adopt, known_visitor, visitor

get_or_post = require_http_methods(["GET", "HEAD", "POST"])
# Where a creator has no voice yet, the pace most narrators read at.
WORDS_PER_SECOND = 2.4


@require_http_methods(["GET", "HEAD", "POST"])
@limited("begin", times=60, seconds=3600)
def begin(request: HttpRequest, slug: str) -> HttpResponse:
    """Begin a film with this creator. The browser's back button comes here with GET and finds the creator's page."""
    creator = get_object_or_404(Creator, slug=slug, is_active=True)
    if request.method != "POST":
        return redirect("creators:show", slug)
    fan = request.user if isinstance(request.user, User) else None
    try:
        order = services.begin(creator=creator, fan=fan, visitor=visitor(request))
    except services.NotTakingOrders as sorry:
        messages.warning(request, str(sorry))
        return redirect("creators:show", slug)
    return redirect("orders:for_whom", order.code)


@require_POST
@limited("begin", times=60, seconds=3600)
def begin_again(request: HttpRequest, code: str) -> HttpResponse:
    """Begin anew with the words and photos of a film that could not be made. Only its fan may."""
    ended = own_order(request, code)
    if ended.state not in WITHOUT_FILM or not isinstance(request.user, User):
        return redirect("pipeline:order", code)
    try:
        order = services.begin_again(ended=ended, fan=request.user)
    except services.NotTakingOrders as sorry:
        messages.warning(request, str(sorry))
        return redirect("pipeline:order", code)
    except StorageAway:
        messages.warning(
            request, _("We cannot copy your photos just now, which is our fault. Please try again in a few minutes.")
        )
        return redirect("pipeline:order", code)
    return redirect("orders:story", order.code)


@require_safe
@never_cache
def mine(request: HttpRequest) -> HttpResponse:
    """This visitor's films and drafts, newest first."""
    orders = (
        Order.objects.of(request.user, known_visitor(request))
        .select_related("creator", "brief")
        .prefetch_related("photos")
    )
    return render(request, "orders/mine.html", {"orders": orders})


@of_a_draft
@get_or_post
def for_whom(request: HttpRequest, order: Order) -> HttpResponse:
    """Screen 1. What is valid is kept even when something else needs another look."""
    prices = drafts.prices(order.creator, order.brief.occasion)
    form = ForWhomForm(
        request.POST if request.method == "POST" else None,
        initial=ForWhomForm.values(order.brief),
        occasions=drafts.occasions(order.creator),
        lengths=list(prices) or list(Length),
    )
    if form.is_bound:
        valid = form.is_valid()
        services.describe(order=order, **form.cleaned_data)
        if getattr(request, "htmx", False):
            return _saved(request, form)
        if valid:
            return redirect(f"orders:{drafts.next_screen(order, after='for_whom')}", order.code)
    questions = {
        "occasions": cards(form["occasion"]),
        "formats": cards(form["format"], FORMAT_HINTS),
        "tones": cards(form["tone"], TONE_HINTS),
        "lengths": cards(form["seconds"], {length: cashier.money(price) for length, price in prices.items()}),
    }
    return screen(request, order, "for_whom", {"form": form, **questions}, errors=errors_of(form))


@of_a_draft
@get_or_post
def story(request: HttpRequest, order: Order) -> HttpResponse:
    """Screen 3. Saved while it is typed; too little is said here, not at the till."""
    form = StoryForm(request.POST if request.method == "POST" else None, initial=StoryForm.values(order.brief))
    if form.is_bound:
        form.is_valid()
        services.tell_story(order=order, notes=form.cleaned_data.get("notes"), must_say=form.must_say)
        if getattr(request, "htmx", False):
            return _saved(request, form)
        if "notes" not in form.errors:
            for gap in drafts.missing(order):
                if gap.screen == "story":
                    form.add_error("notes", gap.sentence)
            # Said here, while it is easily put right, and not after the till.
            if not form.errors and (sentence := reader.objection(order)):
                form.add_error("notes", sentence)
        if not form.errors:
            return redirect(f"orders:{drafts.next_screen(order, after='story')}", order.code)
    try:
        pace = order.creator.voice.words_per_second
    except Voice.DoesNotExist:
        pace = WORDS_PER_SECOND
    notes = str(form["notes"].value() or "")
    context = {
        "form": form,
        "example": EXAMPLES.get(order.brief.occasion),
        "pace": pace,
        "letters": len(notes),
        "limit": MAX_NOTES,
        "line_limit": MAX_MUST_SAY_LETTERS,
        "fills": round(len(notes.split()) / pace),
    }
    return screen(request, order, "story", context, errors=errors_of(form))


@of_a_draft
@get_or_post
def summary(request: HttpRequest, order: Order) -> HttpResponse:
    """Screen 4: look at everything once more, agree, go to the till, where needed through the sign-in."""
    price = cashier.price(order.creator, order.brief.seconds, order.brief.occasion)
    form = ConsentForm(
        request.POST if request.method == "POST" else None, initial=dict.fromkeys(drafts.given(order), True)
    )
    errors: list[dict[str, str]] = []
    if form.is_bound:
        form.is_valid()
        services.agree(order=order, kinds=form.kinds)
        errors = [
            {"href": f"#id_{box}", "text": _("Please tick: “%s”") % form.fields[box].label} for box in form.errors
        ]
        if price is not None and request.POST.get("price") != _shown(price):
            errors.append({"href": "#price", "text": _("The price has changed: it is now %s.") % cashier.money(price)})
    gaps = drafts.missing(order)
    if form.is_bound:
        if not gaps and (sentence := reader.objection(order)):
            gaps.append(drafts.Gap("story", sentence))
        errors = [_link(order, gap) for gap in gaps if gap.screen != "summary"] + errors
        if not errors:
            if not isinstance(request.user, User):
                here = reverse("orders:summary", args=[order.code])
                request.session[AFTER_SIGN_IN] = here
                return redirect(f"{reverse('account_request_login_code')}?{urlencode({'next': here})}")
            if order.fan_id is None:
                adopt(order, request.user)
            try:
                payment = cashier.begin(order)
            except cashier.NotForSale:
                sorry = _(
                    "This film cannot be paid at the moment. Nothing was taken. Please try again in a little while."
                )
                errors = [{"href": "#price", "text": sorry}]
            else:
                return redirect("billing:till", payment.key)
    photos = list(order.photos.usable())
    context = {
        "form": form,
        "consents": list(form),
        "words_shared": reader.sharing().words,
        "gaps": [_link(order, gap) for gap in gaps if gap.screen != "summary"],
        "photos": photos,
        "unchecked": sum(photo.state == PhotoState.UPLOADED for photo in photos),
        "price": cashier.money(price) if price else "",
        "shown": _shown(price) if price else "",
        "time_range": drafts.time_range(order.creator),
        "looks_personally": order.creator.approval == ApprovalMode.EVERY_FILM,
    }
    return screen(request, order, "summary", context, errors=errors, gaps=gaps)


def _link(order: Order, gap: drafts.Gap) -> dict[str, str]:
    return {"href": reverse(f"orders:{gap.screen}", args=[order.code]), "text": gap.sentence}


def _shown(price: cashier.PriceLike) -> str:
    """The price as the form carries it, so that nobody pays another one than they saw."""
    return f"{price.amount} {price.currency}"


def _saved(request: HttpRequest, form: Any) -> HttpResponse:
    """What autosaving answers: saved, or what could not be. An empty field is no fault while one is still typing."""
    faults = [
        error.message if not error.params else error.message % error.params
        for errors in form.errors.as_data().values()
        for error in errors
        if error.code != "required"
    ]
    return render(request, "orders/_saved.html", {"faults": faults})
