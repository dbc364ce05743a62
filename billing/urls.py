"""Billing's addresses."""

from django.urls import path

from . import views

app_name = "billing"
urlpatterns = [
    path("pay/<str:key>/", views.till, name="till"),
    path("pay/<str:key>/back/", views.back, name="back"),
]
