"""Making again, on the desk: what is kept, the price and the time first, then a button. One order, or many."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest, HttpResponseRedirect, QueryDict
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from orders.models import Order

from . import again, inherit, rerun, roster
from .media import music
from .models import Production
from .order_actions import Desk, allowed, back
from .order_desk import may
from .order_forms import LONGEST_REASON, Keyed
from .order_lists import lasting, money
from .rerun import CannotRerun, Change
from .wishes import ANOTHER, LOCAL, LONGEST_NOTE

# As many as can be looked over before the button.
MOST_AT_ONCE = 50
AS_IS = ("", gettext_lazy("as it is"))


def _stages() -> list[tuple[str, str]]:
    return [(stage, rerun.label_of(stage)) for stage in rerun.FROM]


def _models() -> list[tuple[str, Any]]:
    try:
        known = [(model.slug, model.slug) for model in roster.video_models()]
    except ImproperlyConfigured:
        known = []
    return [AS_IS, *known, (LOCAL, _("the photo itself, moved by a camera"))]


class ChangeForm(Keyed):
    """What is made again from where, and what should be different."""

    from_stage = forms.ChoiceField(
        label=gettext_lazy("Begin with"), help_text=gettext_lazy("Everything before it is kept and not paid again.")
    )
    model = forms.ChoiceField(label=gettext_lazy("Filmed by"), required=False)
    music = forms.ChoiceField(label=gettext_lazy("Music"), required=False)
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=LONGEST_REASON,
        help_text=gettext_lazy("It stays in the order’s history and in the audit. The fan does not read it."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._offer("from_stage", _stages())
        self._offer("model", _models())
        self._offer("music", [AS_IS, (ANOTHER, _("another track")), *((mood, mood) for mood in music.moods())])

    def _offer(self, name: str, choices: list[tuple[str, Any]]) -> None:
        field = self.fields[name]
        if isinstance(field, forms.ChoiceField):
            field.choices = choices

    def change(self) -> Change:
        """What was asked for."""
        told = self.cleaned_data
        return Change(
            from_stage=told["from_stage"],
            scenes=tuple(sorted(int(number) for number in told.get("scenes", ()))),
            model=told.get("model", ""),
            seed=told.get("seed"),
            photo=told.get("photo", ""),
            respelling=told.get("respelling", "").strip(),
            music=told.get("music", ""),
            note=told.get("note", "").strip(),
            calm=told.get("calm", False),
            captions=told.get("captions", False),
        )


class RerunForm(ChangeForm):
    """The same for one order: single scenes, another photo, a respelling, a note to the writer."""

    scenes = forms.MultipleChoiceField(
        label=gettext_lazy("Only these scenes"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("For lines, shots and captions. None ticked means all."),
    )
    photo = forms.ChoiceField(label=gettext_lazy("Photo of the shot"), required=False)
    seed = forms.IntegerField(label=gettext_lazy("Seed of the shot"), required=False, min_value=0, max_value=2**31 - 1)
    calm = forms.BooleanField(label=gettext_lazy("Less motion in the shot"), required=False)
    respelling = forms.CharField(
        label=gettext_lazy("Said as"),
        required=False,
        max_length=rerun.LONGEST_RESPELLING,
        help_text=gettext_lazy("How the name is said, such as see-oh-MAH-ra; or another word: Oma=OH-mah."),
    )
    note = forms.CharField(
        label=gettext_lazy("Note to the writer"),
        required=False,
        max_length=LONGEST_NOTE,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    captions = forms.BooleanField(label=gettext_lazy("Captions in another place"), required=False)
    field_order = (
        "from_stage",
        "scenes",
        "photo",
        "model",
        "seed",
        "calm",
        "respelling",
        "note",
        "music",
        "captions",
        "reason",
        "key",
    )

    def __init__(self, *args: Any, order: Order, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        written = Production.objects.filter(order=order, script__isnull=False).order_by("-number").first()
        scenes = inherit.scenes_of(written) if written is not None else []
        self._offer("scenes", [(str(scene.number), f"{scene.number}: {scene.text}") for scene in scenes])
        photos = [(one.token, _("photo %(n)d") % {"n": n}) for n, one in enumerate(order.photos.usable(), start=1)]
        self._offer("photo", [AS_IS, (ANOTHER, _("another photo")), *photos])
        if not scenes:
            del self.fields["scenes"]


def _asked_for(query: QueryDict) -> dict[str, Any]:
    """What a link on the board fills in: the stage and the scene."""
    return {"from_stage": query.get("from_stage", "shot"), "scenes": query.getlist("scenes")}


def _seen(request: HttpRequest, change: Change) -> bool:
    """Whether the button was pressed below the plan of this very change. What was altered since is looked at first."""
    if request.POST.get("step") != "go":
        return False
    if request.POST.get("planned") == mark_of(change):
        return True
    messages.warning(request, _("Something was altered since: this is what it means now. Nothing was begun."))
    return False


def mark_of(change: Change) -> str:
    """A change's own mark, which its plan bears."""
    return hashlib.sha256(json.dumps(change.to_json(), sort_keys=True).encode()).hexdigest()


def make_again(request: HttpRequest, pk: str, desk: Desk) -> HttpResponseBase:
    """Make one order's film again: a look at what that means, then the button."""
    by = allowed(request, lambda m: m.rerun)
    order = desk.find(request, pk)
    form = RerunForm(request.POST or None, order=order, initial=_asked_for(request.GET))
    plan = None
    if request.method == "POST" and form.is_valid():
        told = form.cleaned_data
        try:
            if _seen(request, form.change()):
                made = again.make(order=order, change=form.change(), by=by, reason=told["reason"], key=told["key"])
                messages.success(request, _("Making %(made)s has begun.") % {"made": made})
                return back(order)
            plan = rerun.plan(order=order, change=form.change())
        except CannotRerun as error:
            form.add_error(None, str(error))
    context = {
        "heading": _("Make it again"),
        "form": form,
        "plan": plan,
        "told": told_of(plan) if plan else {},
        "planned": mark_of(plan.change) if plan else "",
    }
    return desk.page(request, order, "rerun.html", context)


def told_of(plan: rerun.Plan) -> dict[str, Any]:
    """A plan in words."""
    return {
        "price": money(plan.price, plan.currency),
        "left": money(plan.left, plan.currency),
        "usual": lasting(dt.timedelta(seconds=plan.seconds)),
        "slow": lasting(dt.timedelta(seconds=plan.slow)),
    }


def make_many_again(request: HttpRequest, desk: Desk) -> HttpResponseBase:
    """Make the films of several orders again: each one's price and the total first."""
    by = allowed(request, lambda m: m.rerun)
    wanted = [int(pk) for pk in (request.POST.get("ids") or request.GET.get("ids", "")).split("-") if pk.isdigit()]
    orders = list(desk.rows(request).filter(pk__in=wanted).select_related("creator__voice", "brief")[:MOST_AT_ONCE])
    form = ChangeForm(request.POST or None, initial={"from_stage": "cut"})
    found: list[again.Candidate] = []
    if request.method == "POST" and form.is_valid():
        told = form.cleaned_data
        if _seen(request, form.change()):
            made, faults = again.make_many(
                orders=orders, change=form.change(), by=by, reason=told["reason"], key=told["key"]
            )
            done = ngettext("%(n)d film is made again.", "%(n)d films are made again.", made)
            messages.success(request, done % {"n": made})
            for fault in faults:
                messages.warning(request, fault)
            return HttpResponseRedirect(reverse("admin:orders_order_changelist"))
        found = again.candidates(orders, form.change())
    plans = [one.plan for one in found if one.plan is not None]
    total = money(sum(plan.price for plan in plans), plans[0].currency) if plans else ""
    context = {
        "heading": _("Make films again"),
        "form": form,
        "ids": "-".join(str(order.pk) for order in orders),
        "orders": orders,
        "found": [(one, told_of(one.plan) if one.plan else {}) for one in found],
        "count": len(plans),
        "planned": mark_of(plans[0].change) if plans else "",
        "total": total,
        "rights": may(by),
    }
    return desk.page(request, None, "rerun_many.html", context)
