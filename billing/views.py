"""The till."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from orders.cashier import NotForSale
from orders.limits import limited

from . import services
from .gateways.base import GatewayError
from .gateways.sandbox import CARDS
from .models import Payment

# What the till said to the last try to pay, kept for the page that follows it.
SAID = "till"


@login_required
@limited("pay", times=60, seconds=3600)
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def till(request: HttpRequest, key: str) -> HttpResponse:
    """Pay one order with a test card; a paid one goes to its film."""
    payment = get_object_or_404(
        Payment.objects.select_related("order__brief", "order__creator"), key=key, order__fan=request.user
    )
    order = payment.order
    if payment.state in services.LIVE:
        services.settle(order=order)  # paid, and perhaps never placed: whoever comes back finds it put right
        return redirect("pipeline:order", order.code)
    if request.method == "POST":
        card = request.POST.get("card", "")
        try:
            services.pay(payment=payment, card=card)
            return redirect("pipeline:order", order.code)
        except GatewayError as refused:
            error = refused.fan
        except NotForSale as closed:
            error = str(closed)
        # A page of its own, so that the way back leads to the till and not to a form that was sent.
        request.session[SAID] = {"key": key, "error": error, "card": card}
        return redirect("billing:till", key)
    said = request.session.pop(SAID, {})
    said = said if said.get("key") == key else {}
    return render(
        request,
        "billing/till.html",
        {
            "payment": payment,
            "order": order,
            "brief": order.brief,
            "creator": order.creator,
            "cards": CARDS,
            "error": said.get("error", ""),
            "chosen": said.get("card", ""),
        },
    )
