"""The orders app: what the fan asked for."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class OrdersConfig(AppConfig):
    """Orders, briefs, photos, consents and what happened to them."""

    name = "orders"
    verbose_name = _("Orders")

    def ready(self) -> None:
        """A visitor's drafts become the account's at sign-in."""
        from django.contrib.auth.signals import user_logged_in  # noqa: PLC0415  (the registry must be loaded first)

        from . import visitors  # noqa: PLC0415

        user_logged_in.connect(visitors.adopt_drafts, dispatch_uid="orders.adopt_drafts")
