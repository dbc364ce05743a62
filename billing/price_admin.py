"""Prices on the desk: changing one ends it and begins another, so every price there ever was can be read."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.reasons import Reasoned, WhyActionForm, missing
from accounts.scoping import Scoped, sees_all

from . import figures, prices
from .models import Price


class PriceForm(forms.ModelForm[Price]):
    """One price, in the currency's own units."""

    price = forms.DecimalField(
        label=gettext_lazy("Price"),
        min_value=Decimal(settings.LEAST_PRICE) / 100,
        max_value=Decimal(100_000),
        decimal_places=2,
        help_text=gettext_lazy("In %(currency)s. Films that are ordered from now on cost this; orders keep theirs.")
        % {"currency": settings.CURRENCY},
    )

    class Meta:
        model = Price
        fields = ("creator", "occasion", "seconds")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.fields["price"].initial = figures.plain(self.instance.amount)
        if "occasion" in self.fields:
            choices: Any = self.fields["occasion"]
            choices.choices = [("", _("Every occasion")), *choices.choices[1:]]


class InForce(admin.SimpleListFilter):
    """Prices in force unless asked otherwise."""

    title = gettext_lazy("what to show")
    parameter_name = "show"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """The other choice; the first one has no name in the address."""
        return [("all", gettext_lazy("All there ever were"))]

    def choices(self, changelist: Any) -> Any:
        """“In force” in place of the stock “All”."""
        now = changelist.get_query_string(remove=[self.parameter_name])
        everything = changelist.get_query_string({self.parameter_name: "all"})
        yield {"selected": self.value() is None, "query_string": now, "display": _("In force")}
        yield {"selected": self.value() == "all", "query_string": everything, "display": _("All there ever were")}

    def queryset(self, request: HttpRequest, queryset: QuerySet[Price]) -> QuerySet[Price]:
        """Only those that hold, or all. One row is found whatever the list shows."""
        if self.value() == "all":
            return queryset
        return queryset.filter(Q(ends_at=None) | Q(ends_at__gt=timezone.now()))


@admin.register(Price)
class PriceAdmin(Reasoned, Scoped, admin.ModelAdmin[Price]):
    """Prices with their history. Creators change their own, and are not asked why."""

    whose = "creator"
    form = PriceForm
    list_display = ("price", "creator", "for_occasion", "seconds", "starts_at", "ends_at")
    own_list_display = ("price", "for_occasion", "seconds", "starts_at", "ends_at")
    list_filter = (InForce, "occasion", "seconds", "creator")
    own_list_filter = (InForce, "occasion", "seconds")
    list_select_related = ("creator",)
    ordering = ("creator", "seconds", "occasion", "-starts_at")
    actions = ("stop",)
    action_form = WhyActionForm

    @admin.display(description=gettext_lazy("price"), ordering="amount")
    def price(self, price: Price) -> SafeString:
        """As people write it."""
        return figures.cell(price.amount, price.currency)

    @admin.display(description=gettext_lazy("occasion"), ordering="occasion")
    def for_occasion(self, price: Price) -> str:
        """Its occasion, or all."""
        return price.get_occasion_display() if price.occasion else _("Every occasion")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """What it is the price of, and the price."""
        return ("creator", "occasion", "seconds", "price", *(("starts_at", "ends_at") if obj else ()))

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Only the price changes: another length or occasion is another price."""
        return ("creator", "occasion", "seconds", "starts_at", "ends_at") if obj else ()

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        """Whoever may change prices; a creator for an occasion of their own, say."""
        may = request.user.has_perm("billing.change_price")
        return may and (sees_all(request.user) or getattr(request.user, "creator", None) is not None)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A price that has ended is history."""
        if isinstance(obj, Price) and obj.ends_at is not None:
            return False
        return super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Prices stay."""
        return False

    def save_model(self, request: HttpRequest, obj: Price, form: Any, change: bool) -> None:
        """End the price in force and begin this one; the row that is shown then is the new one."""
        new = prices.change(
            creator=obj.creator,
            seconds=obj.seconds,
            occasion=obj.occasion,
            amount=figures.minor(form.cleaned_data["price"]),
        )
        if new.pk != obj.pk:
            self.keep(request, "price.changed", new, amount=new.amount)
        obj.pk, obj.amount, obj.currency = new.pk, new.amount, new.currency
        obj.starts_at, obj.ends_at = new.starts_at, new.ends_at

    def write_down(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Told where it is saved: one price ended and another began, or none did."""

    @admin.action(description=gettext_lazy("Stop offering these"), permissions=["change"])
    def stop(self, request: HttpRequest, queryset: QuerySet[Price]) -> None:
        """End prices without beginning others."""
        if missing(request):
            return
        ended = [price for price in queryset.select_related("creator") if prices.end(price=price)]
        for price in ended:
            self.keep(request, "price.ended", price)
        said = ngettext("%(n)d price has ended.", "%(n)d prices have ended.", len(ended)) % {"n": len(ended)}
        self.message_user(request, said, messages.SUCCESS if ended else messages.WARNING)
