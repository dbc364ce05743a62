"""The health page of the desk, and its buttons: leave a vendor alone, or ask it again. Each is asked for a reason."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.admin import AdminSite
from django.core.cache import cache
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts import audit
from accounts.scoping import sees_all
from orders.models import OrderState

from . import breaker, checkups, health, slots
from .health import Day
from .models import Vendor
from .plots import Plot, Series, stacked

LONGEST_REASON = 300
# A month, and a week's failures, are added up once a minute and not at every look.
ADDED_UP, ADDED_UP_SECONDS = "health.added_up", 60
# For how long staff may leave a vendor alone, in minutes.
PAUSES = (15, 60, 6 * 60, 24 * 60)
# What became of a day's orders, from the ground up, each with the end of its colour's class.
ENDS = (
    (OrderState.DELIVERED, "good"),
    (OrderState.PLACED, "now"),
    (OrderState.REFUSED, "warn"),
    (OrderState.CANCELLED, "soft"),
    (OrderState.FAILED, "bad"),
)


def may_look(request: HttpRequest) -> bool:
    """Whether the page is for them: staff who may see vendors."""
    return sees_all(request.user) and request.user.has_perm("pipeline.view_vendor")


def money(minor: int) -> str:
    """An amount in the site's currency, as it is read on the desk."""
    return f"{minor / 100:,.2f} {settings.CURRENCY}"


def urls(site: AdminSite) -> list[URLPattern]:
    """The page's addresses, for the desk."""

    def page(request: HttpRequest) -> HttpResponse:
        return show(request, site)

    return [
        path("health/", site.admin_view(page), name="health"),
        path("health/breaker/<str:vendor>/", site.admin_view(require_POST(move_breaker)), name="health_breaker"),
    ]


def show(request: HttpRequest, site: AdminSite) -> HttpResponse:
    """Vendors, queues, failures, plots and what was checked. Raises PermissionDenied."""
    if not may_look(request):
        raise PermissionDenied
    books = request.user.has_perm("billing.view_ledgerentry")
    added_up = cache.get_or_set(ADDED_UP, lambda: (health.by_day(), health.failures()), ADDED_UP_SECONDS)
    days, causes = added_up or ([], [])
    spent, cap = health.spent_today(), settings.DAY_BUDGET
    context: dict[str, Any] = {
        **site.each_context(request),
        "title": _("Health"),
        "vendors": [
            {
                "health": one,
                "error_rate": None if one.error_rate is None else f"{one.error_rate:.0%}",
                "spent": money(one.spent),
            }
            for one in health.vendors()
        ],
        "queues": health.queues(),
        "causes": causes,
        "spent": money(spent),
        "cap": money(cap) if cap else "",
        "share": min(100, round(100 * spent / cap)) if cap else None,
        "plots": [orders_plot(days), *([margin_plot(days)] if books else [])],
        "checkups": checkups.latest(),
        "pauses": [(minutes, _pause(minutes)) for minutes in PAUSES],
        "may_move": request.user.has_perm("pipeline.change_vendor"),
    }
    return TemplateResponse(request, "admin/health.html", context)


def move_breaker(request: HttpRequest, vendor: str) -> HttpResponse:
    """Leave a vendor alone for some minutes, or ask it again; written into the audit with the reason."""
    if not (may_look(request) and request.user.has_perm("pipeline.change_vendor")):
        raise PermissionDenied
    row = get_object_or_404(Vendor.objects.exclude(name=slots.EVERYBODY), name=vendor)
    reason = request.POST.get("reason", "").strip()[:LONGEST_REASON]
    minutes = request.POST.get("minutes", "")
    if not reason:
        messages.error(request, _("Please say why, in a few words: the others read it. Nothing was changed."))
    elif request.POST.get("do") == "close":
        with transaction.atomic():
            breaker.close(vendor)
            audit.write(actor=request.user, verb="breaker.closed", target=row, reason=reason)
        messages.success(request, _("%(vendor)s is asked again.") % {"vendor": vendor})
    elif request.POST.get("do") == "open" and minutes in map(str, PAUSES):
        with transaction.atomic():
            until = timezone.now() + dt.timedelta(minutes=int(minutes))
            breaker.hold(vendor, until, reason)
            audit.write(
                actor=request.user, verb="breaker.opened", target=row, reason=reason, data={"minutes": int(minutes)}
            )
        messages.success(
            request,
            _("%(vendor)s is left alone until %(until)s.")
            % {"vendor": vendor, "until": date_format(timezone.localtime(until), "H:i")},
        )
    else:
        messages.error(request, _("Choose for how long. Nothing was changed."))
    return redirect("admin:health")


def _pause(minutes: int) -> str:
    return _("%(n)d hours") % {"n": minutes // 60} if minutes > 60 else _("%(n)d minutes") % {"n": minutes}


def orders_plot(days: list[Day]) -> Plot:
    """What became of each day's orders."""
    series = [
        Series(kind, state.label, [day.ends[state] for day in days], [str(day.ends[state]) for day in days])
        for state, kind in ENDS
    ]
    return stacked("orders", _("Orders by the day they were placed"), _labels(days), series)


def margin_plot(days: list[Day]) -> Plot:
    """What each day's money became: all of a bar is what was taken."""
    parts: list[tuple[str, str, list[int]]] = [
        ("good", _("Left for us"), [day.money.margin for day in days]),
        ("now", _("Creators"), [day.money.share for day in days]),
        ("soft", _("Vendors and fees"), [day.money.cost + day.money.fee for day in days]),
        ("bad", _("Given back"), [day.money.refunded for day in days]),
    ]
    series = [
        Series(kind, name, [minor / 100 for minor in amounts], [money(minor) for minor in amounts])
        for kind, name, amounts in parts
    ]
    return stacked("margin", _("What became of each day’s money"), _labels(days), series)


def _labels(days: list[Day]) -> list[str]:
    return [date_format(day.date, "j M") for day in days]
