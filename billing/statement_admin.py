"""Statements on the desk: closed months in a list, any month as a page and as a file for a spreadsheet."""

from __future__ import annotations

import csv
import datetime as dt
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import formats
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.desk import ReadOnly
from accounts.models import Creator
from accounts.scoping import SELF, owned

from . import figures, payouts, statements
from .models import Statement
from .statements import Month

AT_MOST = 100
# As many lines of a month as anyone reads on a page.
MOST_LINES = 200


@admin.register(Statement)
class StatementAdmin(ReadOnly):
    """Creators' months. A creator sees their own."""

    whose = "creator"
    change_list_template = "admin/billing/statement/change_list.html"
    list_display = ("month_", "creator", "films", "earned_", "reversed_", "paid_out_", "closing_")
    own_list_display = ("month_", "films", "earned_", "reversed_", "paid_out_", "closing_")
    list_filter = ("creator",)
    list_select_related = ("creator",)
    ordering = ("-month", "creator")
    show_full_result_count = False

    class Media:
        css = {"all": ("css/pages/books.css",)}

    @admin.display(description=gettext_lazy("month"), ordering="month")
    def month_(self, statement: Statement) -> str:
        """Its name."""
        return formats.date_format(statement.month, "YEAR_MONTH_FORMAT")

    @admin.display(description=gettext_lazy("earned"), ordering="earned")
    def earned_(self, statement: Statement) -> SafeString:
        """For films."""
        return figures.cell(statement.earned, statement.currency)

    @admin.display(description=gettext_lazy("refunds"), ordering="reversed")
    def reversed_(self, statement: Statement) -> SafeString:
        """Taken back."""
        return figures.cell(statement.reversed, statement.currency)

    @admin.display(description=gettext_lazy("paid out"), ordering="paid_out")
    def paid_out_(self, statement: Statement) -> SafeString:
        """Sent to the creator."""
        return figures.cell(statement.paid_out, statement.currency)

    @admin.display(description=gettext_lazy("closing balance"), ordering="closing")
    def closing_(self, statement: Statement) -> SafeString:
        """What was owed at its end."""
        return figures.cell(statement.closing, statement.currency)

    def get_urls(self) -> list[URLPattern]:
        """The stock addresses, and a month as a page and as a file."""
        page = self.admin_site.admin_view(self.month_view)
        file = self.admin_site.admin_view(self.csv_view)
        return [
            path("of/<int:creator>/<str:month>/", page, name="billing_statement_month"),
            path("of/<int:creator>/<str:month>/csv/", file, name="billing_statement_csv"),
            *super().get_urls(),
        ]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The closed months, below what is owed now."""
        creators = list(owned(Creator.objects.all(), request.user, SELF)[:AT_MOST])
        now = statements.balances(creators, settings.CURRENCY)
        rows = [(one, figures.written(now[one.pk], settings.CURRENCY), _link(one)) for one in creators]
        context = {"title": _("Statements"), "balances": rows, **(extra_context or {})}
        return super().changelist_view(request, context)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """A closed month is its page."""
        found = self.get_object(request, object_id)
        if found is None or not self.has_view_permission(request, found):
            return super().change_view(request, object_id, form_url, extra_context)
        return self.month_view(request, found.creator_id, f"{found.month:%Y-%m}")

    def month_view(self, request: HttpRequest, creator: int, month: str) -> HttpResponse:
        """One creator's month, its latest lines; the file has all."""
        found = self._month(request, creator, month, latest=MOST_LINES)
        known = statements.months(found.creator, found.currency)
        around = {
            "earlier": [m for m in known if m < found.first][:1],
            "later": [m for m in known if m > found.first][-1:],
        }
        payable = payouts.payable(found.creator, found.currency)
        context = {
            **self.admin_site.each_context(request),
            "title": _("%(name)s, %(month)s")
            % {"name": found.creator, "month": formats.date_format(found.first, "YEAR_MONTH_FORMAT")},
            "month": found,
            "file": reverse("admin:billing_statement_csv", args=[creator, month]),
            "around": {name: (m, _link(found.creator, m)) for name, months in around.items() for m in months},
            "present": found.closed_at is None and not around["later"],
            "payable": payable,
            "waits": statements.balance(found.creator, found.currency) - payable,
            "window": settings.REFUND_WINDOW_DAYS,
            "may_see_orders": request.user.has_perm("orders.view_order"),
            "opts": self.model._meta,
        }
        return TemplateResponse(request, "admin/billing/statement/month.html", context)

    def csv_view(self, request: HttpRequest, creator: int, month: str) -> HttpResponse:
        """The same for a spreadsheet."""
        found = self._month(request, creator, month)
        response = HttpResponse(content_type="text/csv; charset=utf-8")
        name = f"statement-{found.creator.slug}-{found.first:%Y-%m}.csv"
        response["Content-Disposition"] = f'attachment; filename="{name}"'
        out = csv.writer(response)
        out.writerow(
            [
                "date",
                "what",
                "order",
                "occasion",
                "seconds",
                "fan_paid",
                "share_percent",
                "amount",
                "balance",
                "currency",
            ]
        )
        balance = [found.first.isoformat(), "opening balance", *[""] * 6, figures.plain(found.opening), found.currency]
        out.writerow(balance)
        for line in found.lines:
            order = line.order
            brief = order.brief if order is not None else None
            out.writerow(
                [
                    line.at.isoformat(timespec="seconds"),
                    str(line.what),
                    order.code if order else "",
                    brief.occasion if brief else "",
                    brief.seconds if brief else "",
                    figures.plain(line.paid) if order else "",
                    f"{line.percent:.2f}" if order and line.percent is not None else "",
                    figures.plain(line.amount),
                    figures.plain(line.balance),
                    found.currency,
                ]
            )
        last = statements.after(found.first) - dt.timedelta(days=1)
        out.writerow([last.isoformat(), "closing balance", *[""] * 6, figures.plain(found.closing), found.currency])
        return response

    def _month(self, request: HttpRequest, creator: int, month: str, latest: int | None = None) -> Month:
        """The month that an address asks for. Raises Http404 for what is not one's own, or no month there was."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        one = owned(Creator.objects.filter(pk=creator), request.user, SELF).first()
        try:
            first = dt.datetime.strptime(month, "%Y-%m").date()
        except ValueError:
            raise Http404 from None
        if one is None:
            raise Http404
        known = first in statements.months(one, settings.CURRENCY)
        if not known and not Statement.objects.filter(creator=one, month=first).exists():
            raise Http404
        return statements.month(one, first, settings.CURRENCY, latest)


def _link(creator: Creator, month: dt.date | None = None) -> str:
    """A month's page; by default the present one's."""
    first = month or statements.present()
    return reverse("admin:billing_statement_month", args=[creator.pk, f"{first:%Y-%m}"])
