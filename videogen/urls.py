"""The site's addresses."""

from django.contrib import admin
from django.templatetags.static import static
from django.urls import include, path
from django.utils.functional import lazy
from django.views.generic import RedirectView

from . import views

urlpatterns = [
    # Browsers ask for it on pages that name no icon, such as the desk's.
    path("favicon.ico", RedirectView.as_view(url=lazy(static, str)("favicon.svg")), name="favicon"),
    path("", views.home, name="home"),
    path("", include("videogen.creator_urls")),
    path("accounts/", include("accounts.urls")),
    path("admin/", admin.site.urls),
    path("", include("orders.urls")),
    path("", include("billing.urls")),
    path("", include("pipeline.urls")),
    path("", include("pipeline.hooks")),
]
