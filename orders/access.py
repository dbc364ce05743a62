"""One door to a draft: its owner passes, everyone else, staff too, meets a 404."""

from __future__ import annotations

from django.http import Http404, HttpRequest

from .models import Order
from .visitors import known_visitor


def own_order(request: HttpRequest, code: str) -> Order:
    """The visitor's or the signed-in fan's own order. Raises Http404 for everyone else."""
    found = (
        Order.objects.of(request.user, known_visitor(request))
        .select_related("creator__voice", "brief")
        .filter(code=code)
    ).first()
    if found is None:
        raise Http404(code)
    return found
