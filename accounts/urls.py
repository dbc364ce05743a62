"""Signing in and out: allauth's views that we use, and none of its others. Sign-in is by e-mailed code alone."""

from __future__ import annotations

from allauth.account import views as allauth
from django.urls import path
from django.views.generic import RedirectView

from . import views

# What the library links to by name and we do not have leads to the one way in.
ELSEWHERE = (
    "login",
    "signup",
    "reauthenticate",
    "email_verification_sent",
    "inactive",
    "set_password",
    "change_password",
)
sign_in = RedirectView.as_view(pattern_name="account_request_login_code", query_string=True)

urlpatterns = [
    path("login/code/", allauth.request_login_code, name="account_request_login_code"),
    path("login/code/confirm/", allauth.confirm_login_code, name="account_confirm_login_code"),
    path("login/code/another/", views.another_address, name="account_another_address"),
    path("logout/", allauth.logout, name="account_logout"),
    *(path(f"{name.replace('_', '-')}/", sign_in, name=f"account_{name}") for name in ELSEWHERE),
]
