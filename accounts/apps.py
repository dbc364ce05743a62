"""The accounts app: who people are."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class AccountsConfig(AppConfig):
    """Users, creators, voices and their licences."""

    name = "accounts"
    verbose_name = _("People and voices")

    def ready(self) -> None:
        """Keep the roles' rights as their table says."""
        from . import roles  # noqa: PLC0415  (the models must be loaded first)

        post_migrate.connect(roles.after_migrate, dispatch_uid="accounts.roles")
