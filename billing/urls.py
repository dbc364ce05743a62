"""Billing's addresses."""

from django.urls import path

from . import hooks, views

app_name = "billing"
urlpatterns = [
    path("pay/<str:key>/", views.till, name="till"),
    path("hooks/stripe/", hooks.stripe_hook, name="stripe_hook"),
    path("pay/<str:key>/back/", views.back, name="back"),
]
