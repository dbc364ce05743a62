"""Signing in and out: allauth's views that we use, and none of its others.

Everyone signs in by e-mailed code; staff and creators may use a password at the desk's door, and show a second factor.
"""

from __future__ import annotations

from allauth.account import views as allauth
from allauth.mfa.base import views as mfa
from allauth.mfa.recovery_codes import views as recovery
from allauth.mfa.totp import views as totp
from django.urls import path
from django.views.generic import RedirectView

from . import views

# What the library links to by name and we do not have leads to the one way in.
ELSEWHERE = (
    "login",
    "signup",
    "email_verification_sent",
    "inactive",
    "set_password",
    "change_password",
)
sign_in = RedirectView.as_view(pattern_name="account_request_login_code", query_string=True)

SECOND_FACTOR = {
    "": ("index", mfa.index),
    "app/": ("activate_totp", totp.activate_totp),
    "app/remove/": ("deactivate_totp", totp.deactivate_totp),
    "codes/": ("view_recovery_codes", recovery.view_recovery_codes),
    "codes/new/": ("generate_recovery_codes", recovery.generate_recovery_codes),
    "codes/file/": ("download_recovery_codes", recovery.download_recovery_codes),
}

urlpatterns = [
    path("login/code/", allauth.request_login_code, name="account_request_login_code"),
    path("login/code/confirm/", allauth.confirm_login_code, name="account_confirm_login_code"),
    path("login/code/another/", views.another_address, name="account_another_address"),
    path("logout/", allauth.logout, name="account_logout"),
    path("desk/", views.desk, name="account_desk"),
    path("reauthenticate/", allauth.reauthenticate, name="account_reauthenticate"),
    path("second-factor/show/", mfa.authenticate, name="mfa_authenticate"),
    path("second-factor/show-again/", mfa.reauthenticate, name="mfa_reauthenticate"),
    *(path(f"second-factor/{at}", views.staff_only(view), name=f"mfa_{n}") for at, (n, view) in SECOND_FACTOR.items()),
    *(path(f"{name.replace('_', '-')}/", sign_in, name=f"account_{name}") for name in ELSEWHERE),
]
