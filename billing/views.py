"""Paying: the way to the gateway's page, the test till, and the page a fan comes back to."""

from __future__ import annotations

import logging

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe
from django_htmx.http import HttpResponseClientRedirect

from orders.cashier import NotForSale
from orders.limits import limited

from . import services, truth
from .gateways import chosen
from .gateways.base import GatewayError, Stand
from .gateways.sandbox import CARDS, SandboxTill
from .models import Payment, PaymentState

log = logging.getLogger(__name__)

# What the till said to the last try to pay, kept for the page that follows it.
SAID = "till"


def _payment(request: HttpRequest, key: str) -> Payment:
    mine = Payment.objects.select_related("order__brief", "order__creator").filter(order__fan=request.user.pk)
    return get_object_or_404(mine, key=key)


@login_required
@limited("pay", times=60, seconds=3600)
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def till(request: HttpRequest, key: str) -> HttpResponse:
    """Pay one order: on the gateway's page, or here with a test card. A paid one goes to its film."""
    payment = _payment(request, key)
    if payment.state in truth.LIVE:
        _settle(payment)  # paid, and perhaps never placed: whoever comes back finds it put right
        return redirect("pipeline:order", payment.order.code)
    if request.method == "POST":
        return _pay(request, payment)
    said = request.session.pop(SAID, {})
    said = said if said.get("key") == key else {}
    asks = False
    try:
        opened = services.checkout(payment=payment)
        if opened.url != request.path:
            return redirect(opened.url)
        gateway = chosen.named(payment.gateway)
        if isinstance(gateway, SandboxTill):
            asks = gateway.asks(payment)
    except NotForSale as closed:
        said = said or {"error": str(closed)}
    except GatewayError as away:
        log.warning("Nobody could be sent to pay %s: %s", payment, away)
        return render(request, "billing/away.html", {"payment": payment, "order": payment.order}, status=503)
    return render(
        request,
        "billing/till.html",
        {
            "payment": payment,
            "order": payment.order,
            "brief": payment.order.brief,
            "creator": payment.order.creator,
            "cards": CARDS,
            "asks": asks,
            "error": said.get("error", ""),
            "chosen": said.get("card", ""),
        },
    )


def _pay(request: HttpRequest, payment: Payment) -> HttpResponse:
    """Somebody paid with a test card."""
    card = request.POST.get("card", "")
    try:
        services.pay(payment=payment, card=card)
        payment.refresh_from_db()
        if payment.state in truth.LIVE:
            return redirect("pipeline:order", payment.order.code)
        return redirect("billing:back" if card == "late" else "billing:till", payment.key)
    except GatewayError as refused:
        error = refused.fan
    except NotForSale as closed:
        error = str(closed)
    # A page of its own, so that the way back leads to the till and not to a form that was sent.
    request.session[SAID] = {"key": payment.key, "error": error, "card": card}
    return redirect("billing:till", payment.key)


@login_required
@limited("back", times=600, seconds=3600)
@never_cache
@require_safe
def back(request: HttpRequest, key: str) -> HttpResponse:
    """A fan comes back from paying: what is so is read there, whoever told us, or nobody did."""
    payment = _payment(request, key)
    stand = None
    if payment.state == PaymentState.CREATED:
        try:
            stand = truth.look(payment).stand
        except GatewayError as away:
            log.warning("Payment %s could not be looked at: %s", payment, away)
    payment.refresh_from_db()
    if payment.state in truth.LIVE:
        return _go(request, reverse("pipeline:order", args=[payment.order.code]))
    over = payment.state != PaymentState.CREATED
    if not over and stand == Stand.OPEN:
        return _go(request, reverse("orders:summary", args=[payment.order.code]))
    return render(request, "billing/back.html", {"payment": payment, "order": payment.order, "over": over})


def _go(request: HttpRequest, where: str) -> HttpResponse:
    """To another page, also where only a part of this one asked."""
    return HttpResponseClientRedirect(where) if getattr(request, "htmx", False) else redirect(where)


def _settle(payment: Payment) -> None:
    try:
        services.settle(order=payment.order)
    except GatewayError as away:
        log.warning("The money of order %s is not settled: %s", payment.order, away)
