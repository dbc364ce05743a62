"""The billing app: money."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class BillingConfig(AppConfig):
    """Prices, payments, refunds and the ledger."""

    name = "billing"
    verbose_name = _("Money")

    def ready(self) -> None:
        """Plug the till in where the orders expect it; guard the ledger whenever its table may have been made anew."""
        from orders import cashier  # noqa: PLC0415  (models must be loaded first)

        from . import append_only, prices, services  # noqa: PLC0415

        cashier.use(price_for=prices.price_for, begin_payment=services.begin_payment)
        post_migrate.connect(append_only.guard, sender=self, dispatch_uid="billing.append_only")
