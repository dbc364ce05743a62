"""What gateways told us, on the desk: their messages, and what comparisons of their books with ours found."""

from __future__ import annotations

from django.contrib import admin
from django.utils.translation import gettext_lazy

from accounts.desk import Finds, ReadOnly
from accounts.scoping import STAFF

from .models import GatewayEvent, Reconciliation


@admin.register(GatewayEvent)
class GatewayEventAdmin(Finds, ReadOnly):
    """Messages of gateways."""

    whose = STAFF
    list_display = ("at", "gateway", "kind", "outcome", "payment")
    list_filter = ("outcome",)
    list_select_related = ("payment__order",)
    show_full_result_count = False
    finds = ("event_id", "payment__order__code")


@admin.register(Reconciliation)
class ReconciliationAdmin(ReadOnly):
    """Comparisons of books, with every difference."""

    whose = STAFF
    list_display = ("day", "gateway", "compared", "mended_", "differences_", "ended_at")
    list_filter = ("gateway",)

    @admin.display(description=gettext_lazy("put right"))
    def mended_(self, row: Reconciliation) -> int:
        """How many."""
        return len(row.mended)

    @admin.display(description=gettext_lazy("differences"))
    def differences_(self, row: Reconciliation) -> int:
        """How many."""
        return len(row.differences)
