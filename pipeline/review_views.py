"""What the review desk answers: parse, call one verb of `reviewing`, lead on to the next film."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from . import review_page, review_queue, reviewing
from .models import ReasonCode, Review, ReviewState
from .order_lists import money
from .rerun import CannotRerun, Plan

LONGEST_REASON = 300
MOST_AT_ONCE = 100
LOADED = (
    "cut__production__order__brief",
    "cut__production__order__creator__voice",
    "creator",
    "claimed_by",
    "decided_by",
)
# Reasons something can be made again for; what must not go out is refused.
ASKABLE = (ReasonCode.FACE, ReasonCode.NAME, ReasonCode.TONE, ReasonCode.CAPTION)


def urls(desk: Any) -> list[URLPattern]:
    """The addresses that decide, inside the desk's own door."""
    site = desk.admin_site

    def at(route: str, view: Any, name: str, kind: Any = require_POST) -> URLPattern:
        def call(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            answer: HttpResponse = view(desk, request, *args, **kwargs)
            return answer

        made: URLPattern = path(route, site.admin_view(kind(call)), name=name)
        return made

    return [
        at("next/", next_film, "review_next", require_safe),
        at("undo/", undo, "review_undo"),
        at("green/", green, "review_green", lambda view: view),
        at("<int:pk>/decide/", decide, "decide_review"),
        at("<int:pk>/ask/", ask, "review_ask"),
        at("<int:pk>/plan/", plan, "review_plan", require_safe),
        at("<int:pk>/hold/", hold, "review_hold"),
        at("<int:pk>/skip/", skip, "review_skip"),
    ]


# --- what is shown ----------------------------------------------------------------------------------------------------


def around(desk: Any, request: HttpRequest) -> dict[str, Any]:
    """What stands around the queue and every film: how many wait, how many are green, what can be taken back."""
    rows = desk.get_queryset(request)
    return {
        "may_decide": request.user.has_perm("pipeline.change_review"),
        "count": rows.filter(state=ReviewState.WAITING).count(),
        "green_count": review_queue.green(rows, request.user).count(),
        "undoable": review_queue.undoable(request.user),
    }


def one(desk: Any, request: HttpRequest, object_id: str) -> dict[str, Any]:
    """What the page of one film shows; nothing for one that is not there for this person."""
    rows = desk.get_queryset(request)
    found = rows.filter(pk=object_id) if str(object_id).isdecimal() else rows.none()
    review = found.select_related(*LOADED).prefetch_related("cut__production__order__creator__voice__licences").first()
    if review is None:
        return {}
    extra = around(desk, request)
    waits = review.state == ReviewState.WAITING
    mine = extra["may_decide"] and waits and reviewing.claim(review=review, by=request.user)
    page = review_page.read(review)
    return extra | {
        "page": page,
        "review": review,
        "waiting": waits,
        "can_decide": mine,
        "taken_by": review.claimed_by if waits and extra["may_decide"] and not mine else None,
        "title": _("Film for %(name)s") % {"name": page.brief.name},
        "reasons": [ReasonCode(code) for code in ASKABLE],
        **asked(review, request),
    }


# What the form for a change sends, besides what it keeps secret.
WISH = ("code", "scene", "respelling", "note")


def asked(review: Review, request: HttpRequest) -> dict[str, Any]:
    """What the form for a change holds, and the plan for it, as far as it is filled in."""
    told = request.GET
    wish: dict[str, Any] = {
        "code": told.get("code", ""),
        "note": told.get("note", "").strip()[:LONGEST_REASON],
        "respelling": told.get("respelling", "").strip()[:80],
        "scenes": _numbers(told.getlist("scene")),
    }
    made: Plan | None = None
    trouble = ""
    if wish["code"] in ASKABLE:
        try:
            made = reviewing.plan_change(review=review, **wish)
        except CannotRerun as error:
            trouble = str(error)
    price = money(made.price, made.currency) if made is not None else ""
    # That somebody looks at it and that it is sent goes without saying.
    remade = [part for part in made.remade if part.stage not in ("review", "delivery")] if made is not None else []
    return {"wish": wish, "plan": made, "plan_trouble": trouble, "price": price, "remade": remade}


def _numbers(words: Sequence[str]) -> tuple[int, ...]:
    return tuple(sorted({int(word) for word in words if word.isdecimal() and len(word) < 4}))


# --- what is done -----------------------------------------------------------------------------------------------------


def _own(desk: Any, request: HttpRequest, pk: int) -> Review:
    """A review that is there for this person, who may decide. Raises Http404, PermissionDenied."""
    if not desk.has_view_permission(request):
        raise PermissionDenied
    review: Review = get_object_or_404(desk.get_queryset(request).select_related(*LOADED), pk=pk)
    if not request.user.has_perm("pipeline.change_review"):
        raise PermissionDenied
    return review


def _page(pk: int, part: str = "") -> str:
    return reverse("admin:pipeline_review_change", args=[pk]) + part


def _onwards(desk: Any, request: HttpRequest, review: Review | None = None) -> HttpResponseRedirect:
    """To the next film, or to the queue where none waits."""
    following = review_queue.after(desk.get_queryset(request), request.user, review)
    return HttpResponseRedirect(_page(following.pk) if following else reverse("admin:pipeline_review_changelist"))


def _refuse(request: HttpRequest, error: reviewing.StaleReview) -> None:
    if isinstance(error, reviewing.Taken):
        messages.error(request, _("Somebody else is looking at this film just now. Nothing was decided."))
    else:
        messages.error(request, _("This film was decided already, or has changed since you opened it."))


def next_film(desk: Any, request: HttpRequest) -> HttpResponse:
    """To the film with the oldest promise that nobody is looking at."""
    if not desk.has_view_permission(request):
        raise PermissionDenied
    return _onwards(desk, request)


def decide(desk: Any, request: HttpRequest, pk: int) -> HttpResponse:
    """Approve or refuse the exact version that was shown."""
    review = _own(desk, request, pk)
    approve = request.POST.get("verdict") == "approve"
    reason = request.POST.get("reason", "").strip()[:LONGEST_REASON]
    code = ReasonCode.UNSAFE.value if request.POST.get("unsafe") and not approve else ""
    if not approve and not reason:
        messages.error(request, _("Please say why, in a few words: the fan reads it. Nothing was decided."))
        return HttpResponseRedirect(_page(pk, "#refuse"))
    sha256 = request.POST.get("sha256", "")
    try:
        reviewing.decide(
            review=review, approve=approve, by=request.user, sha256=sha256, reason="" if approve else reason, code=code
        )
    except reviewing.StaleReview as error:
        _refuse(request, error)
        return HttpResponseRedirect(_page(pk))
    if not settings.REVIEW_UNDO_SECONDS:  # else the note at the foot of the page says it, and takes it back
        messages.success(request, _("Approved. The film is on its way.") if approve else _("Refused. The fan is told."))
    return _onwards(desk, request, review)


def ask(desk: Any, request: HttpRequest, pk: int) -> HttpResponse:
    """Have something made again, for a reason, in the exact version that was shown."""
    review = _own(desk, request, pk)
    told = request.POST
    code = told.get("code", "")
    kept = urlencode([(name, word) for name in WISH for word in told.getlist(name) if word])
    back = HttpResponseRedirect(_page(pk, f"?{kept}#change"))
    if "plan" in told:
        return back
    try:
        if code not in ASKABLE:
            raise CannotRerun(_("Choose what should be different."))
        reviewing.request_change(
            review=review,
            by=request.user,
            sha256=told.get("sha256", ""),
            code=code,
            note=told.get("note", "").strip()[:LONGEST_REASON],
            scenes=_numbers(told.getlist("scene")),
            respelling=told.get("respelling", "").strip()[:80],
        )
    except CannotRerun as error:
        messages.error(request, str(error))
        return back
    except reviewing.StaleReview as error:
        _refuse(request, error)
        return HttpResponseRedirect(_page(pk))
    name = review.cut.production.order.brief.name
    if not settings.REVIEW_UNDO_SECONDS:
        said = _("It is being made again. The film for %(name)s comes back to you.")
        messages.success(request, said % {"name": name})
    return _onwards(desk, request, review)


def plan(desk: Any, request: HttpRequest, pk: int) -> HttpResponse:
    """What a change would make again, its price and its time: the part of the page that says it."""
    review = _own(desk, request, pk)
    return render(request, "admin/pipeline/review/_plan.html", asked(review, request))


def hold(desk: Any, request: HttpRequest, pk: int) -> HttpResponse:
    """Still looking: keep it from others for a while longer. 409 where somebody else has it."""
    review = _own(desk, request, pk)
    return HttpResponse(status=204 if reviewing.claim(review=review, by=request.user) else 409)


def skip(desk: Any, request: HttpRequest, pk: int) -> HttpResponse:
    """Leave this film to others and go to the next."""
    review = _own(desk, request, pk)
    reviewing.let_go(review=review, by=request.user)
    return _onwards(desk, request, review)


def undo(desk: Any, request: HttpRequest) -> HttpResponse:
    """Take back what was decided a moment ago, as long as that has not taken effect."""
    if not desk.has_view_permission(request):
        raise PermissionDenied
    wanted = _pks(request.POST.getlist("review"))
    rows = list(desk.get_queryset(request).select_related(*LOADED).filter(pk__in=wanted))
    if not rows:
        raise Http404
    back = 0
    for review in rows:
        try:
            reviewing.undo(review=review, by=request.user)
            back += 1
        except reviewing.StaleReview:
            continue
    if back == len(rows):
        said = ngettext("Taken back. The film waits again.", "Taken back. %(count)d films wait again.", back)
        messages.success(request, said % {"count": back})
    else:
        late = len(rows) - back
        said = ngettext("It was too late: that is done.", "It was too late for %(count)d films.", late)
        messages.error(request, said % {"count": late})
    if len(rows) == 1:
        return HttpResponseRedirect(_page(rows[0].pk))
    return HttpResponseRedirect(reverse("admin:pipeline_review_changelist"))


def _pks(words: Sequence[str]) -> list[int]:
    return [int(word) for word in words[:MOST_AT_ONCE] if word.isdecimal() and len(word) < 19]


def green(desk: Any, request: HttpRequest) -> HttpResponse:
    """What is all green, to be approved at once: each in the version that was shown."""
    if not desk.has_view_permission(request) or not request.user.has_perm("pipeline.change_review"):
        raise PermissionDenied
    rows = review_queue.green(desk.get_queryset(request), request.user).select_related(*LOADED)
    if request.method == "POST":
        return _approve_all(request, rows)
    shown = [review_page.card(review) for review in rows[:MOST_AT_ONCE]]
    context = desk.admin_site.each_context(request) | around(desk, request)
    context |= {"title": _("Approve what is green"), "cards": shown, "opts": desk.opts}
    return render(request, "admin/pipeline/review/green.html", context)


def _approve_all(request: HttpRequest, rows: Any) -> HttpResponse:
    # Each box holds the review and the hash that was on the page.
    boxes = [box.partition(":") for box in request.POST.getlist("film")[:MOST_AT_ONCE]]
    wanted = {int(pk): sha256 for pk, _colon, sha256 in boxes if pk.isdecimal() and len(pk) < 19}
    approved = 0
    now = timezone.now()
    for review in rows.filter(pk__in=wanted):
        try:
            reviewing.decide(review=review, approve=True, by=request.user, sha256=wanted[review.pk], at=now)
            approved += 1
        except reviewing.StaleReview:
            continue
    left = len(boxes) - approved
    if left:
        said = ngettext(
            "%(count)d film had changed or was taken, and still waits.",
            "%(count)d films had changed or were taken, and still wait.",
            left,
        )
        messages.warning(request, said % {"count": left})
    if not boxes:
        messages.warning(request, _("No film was chosen, and none was approved."))
    return HttpResponseRedirect(reverse("admin:pipeline_review_changelist"))
