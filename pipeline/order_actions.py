"""What staff do to an order, each on a page of its own: a form that works without scripts, a reason, one result."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import audit
from accounts.models import User
from accounts.recent import recent_required
from billing.models import Refund, RefundReason
from billing.refunds import NotRefundable
from orders import cashier
from orders import services as orders
from orders.models import Order, OrderState

from . import amends, giving_back, letters, pausing, records
from .models import Notice, RefundRequest, RequestState
from .notices import subject as subject_of
from .order_desk import May, may
from .order_forms import CancelForm, DecideForm, EraseForm, MessageForm, ReasonForm, RefundForm
from .order_lists import money


class Desk(Protocol):
    """The order desk, as its actions use it."""

    def find(self, request: HttpRequest, pk: str) -> Order:
        """The order, for those who may see it."""

    def rows(self, request: HttpRequest) -> QuerySet[Order]:
        """The orders of those who may see them."""

    def page(self, request: HttpRequest, order: Order | None, template: str, context: dict[str, Any]) -> HttpResponse:
        """A page in the desk's frame."""


View = Callable[..., HttpResponseBase]


@dataclass(frozen=True)
class Action:
    """An action: its address, its words, who may, and when it makes sense."""

    name: str
    label: str | Promise
    right: Callable[[May], bool]
    when: Callable[[Order, bool | None], bool]
    grave: bool = False


def _ended(order: Order) -> bool:
    return order.state not in (OrderState.DRAFT, OrderState.PLACED)


# `held` is None where nothing runs, else whether it is paused.
ACTIONS: tuple[Action, ...] = (
    Action(
        "refund", gettext_lazy("Give money back"), lambda m: m.refund, lambda order, held: order.placed_at is not None
    ),
    Action(
        "rerun",
        gettext_lazy("Make it again"),
        lambda m: m.rerun,
        lambda order, held: order.placed_at is not None and order.erased_at is None and order.state != "cancelled",
    ),
    Action("message", gettext_lazy("Write to the fan"), lambda m: m.write, lambda order, held: order.fan is not None),
    Action("pause", gettext_lazy("Pause"), lambda m: m.change, lambda order, held: held is False),
    Action("resume", gettext_lazy("Go on"), lambda m: m.change, lambda order, held: held is True),
    Action(
        "cancel",
        gettext_lazy("Cancel the order"),
        lambda m: m.change,
        lambda order, held: order.state == OrderState.PLACED,
        grave=True,
    ),
    Action("export", gettext_lazy("Export its data"), lambda m: m.export, lambda order, held: order.erased_at is None),
    Action(
        "erase",
        gettext_lazy("Erase its data"),
        lambda m: m.erase,
        lambda order, held: order.erased_at is None and _ended(order),
        grave=True,
    ),
)


def offered(order: Order, rights: May, held: bool | None) -> list[dict[str, Any]]:
    """What may and can be done to an order now, as links."""
    return [
        {"url": address(one.name, order), "label": one.label, "grave": one.grave}
        for one in ACTIONS
        if one.right(rights) and one.when(order, held)
    ]


def address(name: str, order: Order) -> str:
    """An action's page."""
    return reverse(f"admin:orders_order_{name}", args=[order.pk])


def _person(request: HttpRequest) -> User:
    if not isinstance(request.user, User):
        raise PermissionDenied
    return request.user


def allowed(request: HttpRequest, right: Callable[[May], bool]) -> User:
    """Whoever asks, if they may. Raises PermissionDenied."""
    user = _person(request)
    if not right(may(user)):
        raise PermissionDenied
    return user


def back(order: Order) -> HttpResponse:
    """To the order's page."""
    return HttpResponseRedirect(reverse("admin:orders_order_change", args=[order.pk]))


# --- money ------------------------------------------------------------------------------------------------------------


@recent_required
def refund(request: HttpRequest, pk: str, desk: Desk) -> HttpResponseBase:
    """Give money back: the amount is proposed from the facts, with the rules that speak for it."""
    by = allowed(request, lambda m: m.refund)
    order = desk.find(request, pk)
    proposal = amends.propose(order)
    sign = cashier.SIGNS.get(order.currency, order.currency)
    values = {"amount": f"{proposal.amount / 100:.2f}" if proposal.amount else "", "reason": proposal.reason}
    form = RefundForm(request.POST or None, initial=values, room=proposal.room, sign=sign)
    if request.method == "POST" and form.is_valid():
        told = form.cleaned_data
        try:
            made = giving_back.give_back(
                order=order, amount=told["amount"], reason=told["reason"], note=told["note"], by=by, key=told["key"]
            )
        except NotRefundable as error:
            form.add_error(None, str(error))
        else:
            what = money(made.amount, order.currency)
            if isinstance(made, Refund):
                messages.success(request, _("%(amount)s goes back to the fan.") % {"amount": what})
            else:
                messages.warning(request, _("%(amount)s waits for a second person.") % {"amount": what})
            return back(order)
    waiting = RefundRequest.objects.filter(order=order, state=RequestState.WAITING).exists()
    context = {
        "heading": _("Give money back"),
        "form": form,
        "proposal": proposal,
        "lines": [(line.says, f"{line.percent:.0f} %", money(line.amount, order.currency)) for line in proposal.lines],
        "proposed": money(proposal.amount, order.currency),
        "room": money(proposal.room, order.currency),
        "waiting": waiting,
        "two": giving_back.needs_two(order, proposal.room),
        "alone": money(giving_back.alone(order), order.currency),
    }
    return desk.page(request, order, "refund.html", context)


@recent_required
def confirm(request: HttpRequest, pk: str, desk: Desk) -> HttpResponseBase:
    """A second person looks at a refund that is too much for one."""
    by = allowed(request, lambda m: m.confirm)
    order = desk.find(request, pk)
    asked = get_object_or_404(
        RefundRequest.objects.select_related("order", "asked_by").filter(order=order, state=RequestState.WAITING)
    )
    form = DecideForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        reason = form.cleaned_data["reason"]
        try:
            if request.POST.get("verdict") == "confirm":
                giving_back.confirm(asked=asked, by=by)
                messages.success(request, _("Confirmed: the money goes back to the fan."))
                return back(order)
            if reason:
                giving_back.decline(asked=asked, by=by, reason=reason)
                messages.success(request, _("Declined. Nothing goes back."))
                return back(order)
            form.add_error("reason", _("Please say why, in a few words."))
        except (NotRefundable, giving_back.NotYours) as error:
            form.add_error(None, str(error))
    context = {
        "heading": _("A refund to confirm"),
        "form": form,
        "asked": asked,
        "amount": money(asked.amount, order.currency),
        "reason": RefundReason(asked.reason).label,
        "own": asked.asked_by_id == by.pk,
        "room": money(amends.propose(order).room, order.currency),
    }
    return desk.page(request, order, "confirm.html", context)


# --- words ------------------------------------------------------------------------------------------------------------


def message(request: HttpRequest, pk: str, desk: Desk) -> HttpResponseBase:
    """Write to the fan: a look at the mail first, then it is sent."""
    by = allowed(request, lambda m: m.write)
    order = desk.find(request, pk)
    form = MessageForm(request.POST or None)
    shown = None
    if request.method == "POST" and form.is_valid():
        told = form.cleaned_data
        if request.POST.get("step") == "send":
            try:
                letters.write(order=order, subject=told["subject"], body=told["body"], by=by, key=told["key"])
            except letters.NoFan as error:
                form.add_error(None, str(error))
            else:
                messages.success(request, _("The mail is on its way."))
                return back(order)
        else:
            shown = Notice(order=order, kind="message", subject=told["subject"], body=told["body"])
    context = {
        "heading": _("Write to the fan"),
        "form": form,
        "shown": shown,
        "subject": subject_of(shown) if shown else "",
        "rights": may(by),
    }
    return desk.page(request, order, "message.html", context)


# --- the making -------------------------------------------------------------------------------------------------------


def _with_reason(
    request: HttpRequest,
    pk: str,
    desk: Desk,
    *,
    title: str,
    says: str,
    button: str,
    do: Callable[..., bool],
    done: str,
    not_done: str,
) -> HttpResponseBase:
    by = allowed(request, lambda m: m.change)
    order = desk.find(request, pk)
    form = ReasonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        if do(order=order, by=by, reason=form.cleaned_data["reason"]):
            messages.success(request, done)
        else:
            messages.warning(request, not_done)
        return back(order)
    context = {"form": form, "heading": title, "says": says, "button": button}
    return desk.page(request, order, "reason.html", context)


def pause(request: HttpRequest, pk: str, desk: Desk) -> HttpResponseBase:
    """Hold what is being made."""
    return _with_reason(
        request,
        pk,
        desk,
        title=_("Pause the making"),
        says=_("What runs now ends, and what vendors do already is paid. Nothing new begins until it goes on."),
        button=_("Pause"),
        do=pausing.pause,
        done=_("Paused."),
        not_done=_("Nothing is being made, or it is paused already."),
    )


def resume(request: HttpRequest, pk: str, desk: Desk) -> HttpResponseBase:
    """Let it go on."""
    return _with_reason(
        request,
        pk,
        desk,
        title=_("Let the making go on"),
        says=_("It goes on where it stood. Its deadlines move by the time it was paused."),
        button=_("Go on"),
        do=pausing.resume,
        done=_("It goes on."),
        not_done=_("It was not paused."),
    )


def cancel(request: HttpRequest, pk: str, desk: Desk) -> HttpResponseBase:
    """End an order that is being made: nothing more is bought, held money is let go, taken money goes back."""
    by = allowed(request, lambda m: m.change)
    order = desk.find(request, pk)
    form = CancelForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        told = form.cleaned_data
        with order.locked():
            ended = orders.cancel(order=order, actor=by.email, ending=told["ending"])
            if ended:
                audit.write(actor=by, verb="order.cancelled", target=order, reason=told["reason"])
        if ended:
            messages.success(request, _("Cancelled. Held money is let go, and what was taken goes back, in a minute."))
        else:
            messages.warning(request, _("This order had ended already."))
        return back(order)
    return desk.page(request, order, "cancel.html", {"heading": _("Cancel the order"), "form": form})


# --- data -------------------------------------------------------------------------------------------------------------


@recent_required
def export(request: HttpRequest, pk: str, desk: Desk) -> HttpResponseBase:
    """All we know of the order as one archive."""
    by = allowed(request, lambda m: m.export)
    order = desk.find(request, pk)
    form = ReasonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        records.told_of_export(order=order, by=by, reason=form.cleaned_data["reason"])
        response = StreamingHttpResponse(_pieces(records.archive(order)), content_type="application/zip")
        response["Content-Disposition"] = content_disposition_header(True, f"order-{order.code}.zip") or "attachment"
        response["Cache-Control"] = "private, no-store"
        return response
    context = {
        "form": form,
        "heading": _("Export the order’s data"),
        "says": _("One archive: a file with every row we have of this order, and all photos, recordings and films."),
        "button": _("Download the archive"),
    }
    return desk.page(request, order, "reason.html", context)


async def _pieces(source: Iterator[bytes]) -> AsyncIterator[bytes]:
    """The same pieces, read in a thread: a server that awaits would read a plain iterator whole into memory."""
    while (piece := await asyncio.to_thread(next, source, None)) is not None:
        if piece:
            yield piece


@recent_required
def erase(request: HttpRequest, pk: str, desk: Desk) -> HttpResponseBase:
    """Forget what the fan told and showed us."""
    by = allowed(request, lambda m: m.erase)
    order = desk.find(request, pk)
    form = EraseForm(request.POST or None, wanted=order.code)
    if request.method == "POST" and form.is_valid():
        try:
            records.erase(order=order, by=by, reason=form.cleaned_data["reason"])
        except records.InUse as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, _("Erased. What the law wants kept of the money is still here."))
            return back(order)
    context = {"heading": _("Erase the order’s data"), "form": form, "objection": records.objection(order)}
    return desk.page(request, order, "erase.html", context)


VIEWS: dict[str, View] = {
    "refund": refund,
    "confirm": confirm,
    "message": message,
    "pause": pause,
    "resume": resume,
    "cancel": cancel,
    "export": export,
    "erase": erase,
}
