"""The shop window: the home page and the creators' pages."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from accounts.models import Creator
from orders import reader

from . import showcase


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """What this is, who lends a voice, how long it really takes here."""
    cards = showcase.cards()
    lowest = min((c.lowest for c in cards if c.lowest is not None), key=lambda price: price.amount, default=None)
    sharing = reader.sharing()
    context = {
        "cards": cards,
        "lowest": lowest,
        "measured": showcase.measured(),
        "shared": [*sharing.words, *sharing.photos],
    }
    return render(request, "home.html", context)


@require_safe
def creator(request: HttpRequest, slug: str) -> HttpResponse:
    """Who lends this voice, what it sounds like, what it may be used for and what it costs."""
    found = get_object_or_404(Creator, slug=slug)
    return render(
        request,
        "creators/show.html",
        {"card": showcase.card(found), "creator": found, "usual_look": showcase.usual_look(found)},
    )
