"""Creators' payout accounts on the desk: those that staff keep, and the page where a creator completes their own."""

from __future__ import annotations

import datetime as dt
import functools
import logging
from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import ImproperlyConfigured, PermissionDenied
from django.db import transaction
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import audit
from accounts.desk import RecentChanges
from accounts.models import Creator, User
from accounts.reasons import Reasoned
from accounts.recent import ask, recently
from accounts.scoping import STAFF, Scoped

from . import figures, payout_accounts, statements
from .gateways import chosen
from .gateways.base import GatewayError
from .gateways.sandbox import SandboxTill
from .models import PayoutAccount, Standing

log = logging.getLogger(__name__)

# Opening the page again within this asks nobody again.
JUST_LOOKED = dt.timedelta(seconds=10)


@admin.register(PayoutAccount)
class PayoutAccountAdmin(RecentChanges, Reasoned, Scoped, admin.ModelAdmin[PayoutAccount]):
    """Where creators' money goes."""

    whose = STAFF
    fields = ("creator", "external_id", "paused", "standing", "missing", "looked_at")
    readonly_fields = ("standing", "missing", "looked_at")
    list_display = ("creator", "external_id", "standing", "paused", "owed")
    list_filter = ("paused", "standing")
    list_select_related = ("creator",)

    class Media:
        css = {"all": ("css/pages/books.css",)}

    @admin.display(description=gettext_lazy("owed"))
    def owed(self, account: PayoutAccount) -> SafeString:
        """What we owe the creator now."""
        return figures.cell(account.owes, settings.CURRENCY)  # type: ignore[attr-defined]

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """One question about all of the page's balances."""
        found = super().get_changelist_instance(request)
        owed = statements.balances([row.creator for row in found.result_list], settings.CURRENCY)
        for row in found.result_list:
            row.owes = owed[row.creator_id]
        return found

    def get_urls(self) -> list[URLPattern]:
        """The stock addresses, and a creator's own page."""
        page = self.admin_site.admin_view(self.own_view)
        return [path("mine/", page, name="billing_payoutaccount_mine"), *super().get_urls()]

    def save_model(self, request: HttpRequest, obj: PayoutAccount, form: Any, change: bool) -> None:
        """Another account was looked at by nobody yet; the gateway is asked after the commit."""
        if "external_id" in form.changed_data:
            obj.standing, obj.missing, obj.gateway, obj.looked_at = Standing.UNASKED, "", "", None
        obj.look_at = timezone.now()
        super().save_model(request, obj, form, change)
        transaction.on_commit(functools.partial(self._look, request, obj))

    def write_down(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Where the money goes from now on."""
        account = form.instance
        self.keep(request, "payout_account.changed", account, account=account.external_id, paused=account.paused)

    def own_view(self, request: HttpRequest) -> HttpResponseBase:
        """Where a creator reads whether they can be paid, and goes on to the gateway to complete their account."""
        creator = own(request.user)
        if creator is None or not request.user.has_perm("billing.view_payout"):
            raise PermissionDenied
        tests = chosen.name() == SandboxTill.name  # there is nothing to open or to look at
        if request.method == "POST" and not tests:
            return self._to_the_gateway(request, creator) if recently(request) else ask(request)
        if "again" in request.GET:
            self.message_user(request, _("That page had run out. Press the button once more."), messages.WARNING)
            return redirect("admin:billing_payoutaccount_mine")
        account = PayoutAccount.objects.select_related("creator").filter(creator=creator).first()
        if account is not None and account.external_id and account.standing != Standing.READY and not tests:
            since = account.looked_at
            if since is None or since < timezone.now() - JUST_LOOKED:
                self._look(request, account, quiet=True)
        return self._page(request, creator, account)

    def _page(
        self, request: HttpRequest, creator: Creator, account: PayoutAccount | None, there: str = ""
    ) -> HttpResponseBase:
        """The page; with the address at the gateway as a link, since no form may lead to where we do not know."""
        context = {
            **self.admin_site.each_context(request),
            "title": _("How you are paid"),
            "account": account,
            "there": there,
            "trouble": payout_accounts.trouble(creator, account),
            "tests": chosen.name() == SandboxTill.name,
            "opts": self.model._meta,
        }
        return TemplateResponse(request, "admin/billing/payoutaccount/mine.html", context)

    def _to_the_gateway(self, request: HttpRequest, creator: Creator) -> HttpResponseBase:
        here = reverse("admin:billing_payoutaccount_mine")
        back = settings.SITE_URL.rstrip("/") + here
        try:
            there = payout_accounts.onboarding(creator, back=back, again=f"{back}?again=1")
        except (GatewayError, ImproperlyConfigured) as error:
            log.warning("%s could not go on to the gateway: %s", creator, error)
            self.message_user(request, _("The payment service does not answer. Try again later."), messages.ERROR)
            return redirect(here)
        account = PayoutAccount.objects.get(creator=creator)
        if isinstance(request.user, User):
            data = {"account": account.external_id}
            audit.write(actor=request.user, verb="payout_account.opened", target=account, reason="", data=data)
        return self._page(request, creator, account, there)

    def _look(self, request: HttpRequest, account: PayoutAccount, *, quiet: bool = False) -> None:
        """Ask the gateway about it, and say what it said."""
        try:
            trouble = payout_accounts.look(account)
        except (GatewayError, ImproperlyConfigured) as error:
            log.warning("The payout account of %s could not be looked at: %s", account.creator, error)
            trouble = _("The gateway could not be asked. It is asked again within the hour.")
        if trouble and not quiet:
            self.message_user(request, trouble, messages.WARNING)


def own(user: Any) -> Creator | None:
    """The creator that somebody signs in as; None for everybody else."""
    found = getattr(user, "creator", None)
    return found if isinstance(found, Creator) else None
