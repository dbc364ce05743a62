"""The desk: the admin site staff and creators work in."""

from django.contrib.admin import AdminSite
from django.utils.translation import gettext_lazy as _


class Desk(AdminSite):
    """The back office."""

    site_header = _("Videogen desk")
    site_title = _("Videogen desk")
    index_title = _("What needs you")
