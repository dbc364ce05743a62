"""Whoever changes something by hand on the desk says why, on forms, deletions and actions; the audit keeps it."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ActionForm
from django.contrib.admin.utils import unquote
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponseRedirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from . import audit
from .scoping import sees_all

WHY = "why"
LONGEST = 300
# Sent by the page that asks whether one is sure.
SURE = "post"


def said(request: HttpRequest) -> str:
    """The reason that was sent; empty for none."""
    return request.POST.get(WHY, "").strip()[:LONGEST]


def asked(request: HttpRequest) -> bool:
    """Whether this person is asked for reasons: all who may change what is somebody else's."""
    return sees_all(request.user)


def missing(request: HttpRequest) -> bool:
    """Whether a reason was asked for and none was sent; says so, once."""
    lacks = asked(request) and not said(request)
    if lacks:
        messages.error(request, _("Please say why, in a few words: it stays in the audit. Nothing was changed."))
    return lacks


class Why(forms.CharField):
    """A reason. It is no field of the row, so it never counts as a change of it."""

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Never."""
        return False


def field(*, required: bool) -> Why:
    """The field, as forms and actions have it."""
    return Why(label=gettext_lazy("Why"), required=required, max_length=LONGEST)


class WhyActionForm(ActionForm):
    """What is done to the chosen rows, and why."""

    why = field(required=False)


class Reasoned(admin.ModelAdmin[Any]):
    """A class of the desk whose rows staff change by hand; to be mixed in before `Scoped`. No reason, no change."""

    change_form_template: ClassVar[Any] = "admin/reasoned_form.html"
    delete_confirmation_template: ClassVar[Any] = "admin/reasoned_delete.html"
    delete_selected_confirmation_template: ClassVar[Any] = "admin/reasoned_delete_many.html"

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """The form, with the reason where it can be sent."""
        may = self.has_change_permission(request, obj) if obj is not None else self.has_add_permission(request)
        if may and asked(request):
            base = kwargs.get("form", self.form)
            kwargs["form"] = type(base.__name__, (base,), {WHY: field(required=True)})
        return super().get_form(request, obj, change, **kwargs)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """The row's own: the reason stands above the buttons."""
        return [name for name in super().get_fields(request, obj) if name != WHY]

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """When all is saved, it is written down."""
        super().save_related(request, form, formsets, change)
        self.write_down(request, form, formsets, change)

    def write_down(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """What the audit keeps of a form that was saved: which fields. A class that knows more says more."""
        if not change or form.changed_data:
            what = "changed" if change else "added"
            self.keep(request, f"{self.opts.model_name}.{what}", form.instance, fields=sorted(form.changed_data))

    def keep(self, request: HttpRequest, verb: str, target: Model, **data: Any) -> None:
        """One line of the audit, with the reason that was sent."""
        audit.write(actor=request.user, verb=verb, target=target, reason=said(request), data=data)

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None) -> Any:
        """Asks whether one is sure, and why."""
        row = self.get_object(request, unquote(object_id))
        if request.method == "POST" and self.has_delete_permission(request, row) and missing(request):
            return HttpResponseRedirect(request.get_full_path())
        return super().delete_view(request, object_id, extra_context)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        """One row, and a line of the audit."""
        self.keep(request, f"{self.opts.model_name}.deleted", obj)
        super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Several, each with its line."""
        for one in queryset:
            self.keep(request, f"{self.opts.model_name}.deleted", one)
        super().delete_queryset(request, queryset)

    def get_actions(self, request: HttpRequest) -> Any:
        """Deleting several asks why as well."""
        actions = super().get_actions(request)
        if found := actions.get("delete_selected"):
            actions["delete_selected"] = (_sure(found[0]), *found[1:])
        return actions


def _sure(action: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(action)
    def reasoned(modeladmin: Any, request: HttpRequest, queryset: QuerySet[Any]) -> Any:
        if request.POST.get(SURE) and missing(request):
            return None
        return action(modeladmin, request, queryset)

    return reasoned
