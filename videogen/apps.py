"""The project's own apps: the admin with our site, and the wiring's checks."""

from django.apps import AppConfig
from django.contrib.admin import apps as admin_apps


class AdminConfig(admin_apps.AdminConfig):
    """The desk instead of the stock admin site."""

    default = False
    default_site = "videogen.admin.Desk"


class VideogenConfig(AppConfig):
    """Wiring: settings, addresses, commands."""

    default = True
    name = "videogen"

    def ready(self) -> None:
        """Register the system checks."""
        from . import checks  # noqa: F401, PLC0415  (the registry must be loaded first)
