"""Payouts on the desk: what was sent, and sending what has waited long enough; and creators' shares."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts import audit
from accounts.desk import ReadOnly, RecentChanges
from accounts.models import Creator, User
from accounts.reasons import Reasoned, missing, said
from accounts.recent import ask, recently
from accounts.scoping import STAFF, Scoped

from . import figures, payouts, shares
from .models import Payout, ShareRate
from .payout_account_admin import own


@admin.register(Payout)
class PayoutAdmin(ReadOnly):
    """Money sent to creators. A creator sees their own."""

    whose = "creator"
    change_list_template = "admin/billing/payout/change_list.html"
    list_display = ("amount_", "creator", "state", "created_at", "ended_at", "error")
    own_list_display = ("amount_", "state", "created_at", "ended_at")
    own_fields = ("amount_", "state", "created_at", "ended_at")
    fields = (
        "creator",
        "amount_",
        "state",
        "gateway",
        "destination",
        "external_id",
        "key",
        "actor",
        "error",
        "created_at",
        "sent_at",
        "ended_at",
    )
    list_filter = ("state", "creator")
    own_list_filter = ("state",)
    list_select_related = ("creator",)
    search_fields = ("external_id", "key")
    own_search_fields = ("external_id",)

    class Media:
        css = {"all": ("css/pages/books.css",)}

    @admin.display(description=gettext_lazy("amount"), ordering="amount")
    def amount_(self, payout: Payout) -> SafeString:
        """As books write it."""
        return figures.cell(payout.amount, payout.currency)

    def get_urls(self) -> list[URLPattern]:
        """The stock addresses, and the page that begins payouts."""
        page = self.admin_site.admin_view(self.run_view)
        return [path("begin/", page, name="billing_payout_begin"), *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """With the way to the page that begins them, for whoever may."""
        context = {"may_begin": _may_begin(request), "mine": own(request.user), **(extra_context or {})}
        return super().changelist_view(request, context)

    def run_view(self, request: HttpRequest) -> HttpResponseBase:
        """Who would be sent what; and doing it, for those who are ticked."""
        if not _may_begin(request):
            raise PermissionDenied
        if not recently(request):
            return ask(request)
        if request.method == "POST" and not missing(request):
            begun = self._begin(request, set(request.POST.getlist("creator")))
            said = ngettext("%(n)d payout has begun.", "%(n)d payouts have begun.", begun) % {"n": begun}
            self.message_user(request, said, messages.SUCCESS if begun else messages.WARNING)
            return redirect("admin:billing_payout_changelist")
        rows = payouts.outlook(settings.CURRENCY)
        context = {
            **self.admin_site.each_context(request),
            "title": _("Pay creators"),
            "rows": rows,
            "total": sum(row.payable for row in rows if row.ready),
            "currency": settings.CURRENCY,
            "window": settings.REFUND_WINDOW_DAYS,
            "least": settings.PAYOUT_MINIMUM,
            "opts": self.model._meta,
        }
        return TemplateResponse(request, "admin/billing/payout/begin.html", context)

    def _begin(self, request: HttpRequest, wanted: set[str]) -> int:
        """Write them down; a worker sends them within seconds, and again where nothing is heard."""
        begun = 0
        notes = {row.creator.pk: row.note for row in payouts.outlook(settings.CURRENCY)}
        for creator in Creator.objects.filter(pk__in=[pk for pk in wanted if pk.isdecimal()]):
            payout = payouts.begin(creator=creator, currency=settings.CURRENCY, actor=str(request.user.pk))
            if payout is not None and isinstance(request.user, User):
                data = {"amount": payout.amount, "currency": payout.currency}
                audit.write(actor=request.user, verb="payout.begun", target=payout, reason=said(request), data=data)
                begun += 1
            elif note := notes.get(creator.pk):
                self.message_user(request, f"{creator}: {note}", messages.WARNING)
        return begun


def _may_begin(request: HttpRequest) -> bool:
    return request.user.has_perm("billing.add_payout") and request.user.has_perm("accounts.see_every_creator")


class ShareForm(forms.ModelForm[ShareRate]):
    """A creator's share in percent."""

    percent = forms.DecimalField(
        label=gettext_lazy("Share, percent"),
        min_value=Decimal(0),
        max_value=Decimal(100),
        decimal_places=2,
        help_text=gettext_lazy("Of what the fan pays. Counts for payments that begin from now on."),
    )

    class Meta:
        model = ShareRate
        fields = ("creator",)


@admin.register(ShareRate)
class ShareRateAdmin(RecentChanges, Reasoned, Scoped, admin.ModelAdmin[ShareRate]):
    """What was agreed with creators, with its history."""

    whose = STAFF
    form = ShareForm
    list_display = ("creator", "percent", "starts_at", "ends_at")
    list_filter = ("creator",)
    list_select_related = ("creator",)

    @admin.display(description=gettext_lazy("share"), ordering="points")
    def percent(self, rate: ShareRate) -> str:
        """In percent."""
        return f"{rate.points / 100:.2f} %"

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Adding asks for a percentage; what is agreed is read."""
        return ("creator", "percent", *(("starts_at", "ends_at") if obj else ()))

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """What was agreed stays as it was: another share is another row."""
        return ("creator", "percent", "starts_at", "ends_at") if obj else ()

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """By adding another."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never."""
        return False

    def save_model(self, request: HttpRequest, obj: ShareRate, form: Any, change: bool) -> None:
        """End the creator's share and begin this one."""
        new = shares.set_rate(creator=obj.creator, points=figures.minor(form.cleaned_data["percent"]))
        obj.pk, obj.points, obj.starts_at, obj.ends_at = new.pk, new.points, new.starts_at, new.ends_at

    def write_down(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """What was agreed."""
        self.keep(request, "share.changed", form.instance, points=form.instance.points)
