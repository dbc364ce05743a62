"""The site's addresses."""

from django.contrib import admin
from django.urls import include, path

from . import views

urlpatterns = [
    path("", views.home, name="home"),
    path("", include("videogen.creator_urls")),
    path("accounts/", include("allauth.urls")),
    path("admin/", admin.site.urls),
    path("", include("orders.urls")),
    path("", include("billing.urls")),
    path("", include("pipeline.urls")),
]
