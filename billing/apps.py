"""The billing app: money."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class BillingConfig(AppConfig):
    """Prices, payments, refunds and the ledger."""

    name = "billing"
    verbose_name = _("Money")

    def ready(self) -> None:
        """Plug the till in where the orders expect it."""
        from orders import cashier  # noqa: PLC0415  (models must be loaded first)

        from . import services  # noqa: PLC0415

        cashier.use(price_for=services.price_for, begin_payment=services.begin_payment)
