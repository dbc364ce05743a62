"""The accounts app: who people are."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AccountsConfig(AppConfig):
    """Users, creators, voices and their licences."""

    name = "accounts"
    verbose_name = _("People and voices")
