"""The second factor: staff and creators need one, and whoever does grave things is asked again."""

from __future__ import annotations

import re
import time

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth as totp
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import reverse

from accounts import recent
from accounts.models import Audit, User
from pipeline import media_links
from videogen.checks import production_is_not_a_demo

from . import making
from .entering import enter

pytestmark = pytest.mark.django_db

PASSWORD = "only-for-tests-1"


@pytest.fixture(autouse=True)
def required(settings):
    settings.REQUIRE_MFA = True


@pytest.fixture
def staff() -> User:
    making.creator()
    user = User.objects.get(email="staff@videogen.invalid")
    user.set_password(PASSWORD)
    user.save()
    return user


def code(user: User) -> str:
    """What the app of somebody who has set one up shows now."""
    secret = totp.decrypt(Authenticator.objects.get(user=user, type="totp").data["secret"])
    return shown(secret)


def shown(secret: str) -> str:
    counter = int(time.time()) // 30
    return totp.format_hotp_value(totp.hotp_value(secret, counter))


def sign_in(client: Client, user: User) -> HttpResponse:
    address = reverse("account_desk")
    return client.post(address, {"login": user.email, "password": PASSWORD, "next": "/admin/"}, follow=True)


def set_up(client: Client) -> HttpResponse:
    """Scan the picture and type the code, as the page asks."""
    page = client.get(reverse("mfa_activate_totp")).content.decode()
    secret = re.search(r'door__secret">(\w+)<', page)[1]
    return client.post(reverse("mfa_activate_totp"), {"code": shown(secret)}, follow=True)


@pytest.mark.django_db(transaction=True)
def test_the_first_sign_in_leads_to_setting_it_up_and_then_to_the_desk(client, staff):
    page = sign_in(client, staff)
    assert page.redirect_chain[-1][0] == reverse("mfa_activate_totp")
    assert client.get(reverse("admin:index")).status_code == 302, "not yet"
    page = set_up(client)
    assert "Recovery codes" in page.content.decode()
    assert client.get(reverse("admin:index")).status_code == 200


def test_each_later_sign_in_asks_for_the_code_before_anyone_is_signed_in(client, staff):
    sign_in(client, staff)
    set_up(client)
    another = Client()
    page = sign_in(another, staff)
    assert page.redirect_chain[-1][0] == reverse("mfa_authenticate")
    assert "_auth_user_id" not in another.session
    assert another.get(reverse("admin:index")).status_code == 302
    wrong = another.post(reverse("mfa_authenticate"), {"code": "000000"})
    assert "not right" in wrong.content.decode()
    page = another.post(reverse("mfa_authenticate"), {"code": recovery(staff)}, follow=True)
    assert page.redirect_chain[-1][0] == "/admin/"
    assert page.status_code == 200


def recovery(user: User) -> str:
    return Authenticator.objects.get(user=user, type="recovery_codes").wrap().get_unused_codes()[0]


def test_a_session_from_before_it_was_set_up_is_asked_for_it(client, staff):
    sign_in(client, staff)
    stolen = enter(staff)
    assert stolen.get(reverse("admin:index")).url == reverse("mfa_activate_totp")
    set_up(client)
    asked = stolen.get(reverse("admin:index"))
    assert asked.url == f"{reverse('mfa_reauthenticate')}?next=%2Fadmin%2F"
    stolen.post(asked.url, {"code": code(staff), "next": "/admin/"})
    assert stolen.get(reverse("admin:index")).status_code == 200


@pytest.mark.parametrize("email", ["staff", "support", "finance", "admin", "pip"])
def test_nobody_enters_the_desk_without_one(staff, email):
    user = User.objects.get(email=f"{email}@videogen.invalid")
    client = enter(user)
    assert client.get(reverse("admin:index")).url == reverse("mfa_activate_totp")
    assert client.post(reverse("admin:index")).status_code == 302
    assert enter(user, how="mfa").get(reverse("admin:index")).status_code == 200, "negative control"


def test_neither_do_they_see_a_fans_film_elsewhere(client, staff, settings):
    order = making.draft(by=making.fan())
    link = media_links.link(order.photos.all()[0].thumb)
    address = reverse("pipeline:order", args=[order.code])
    assert {enter(staff).get(path).status_code for path in (link, address)} == {302}
    assert enter(staff, how="mfa").get(link).status_code == 200
    fan = enter(order.fan, how="code")
    assert fan.get(link).status_code == 200, "fans need none"
    settings.REQUIRE_MFA = False
    assert enter(staff).get(link).status_code == 200, "nor does anyone where it is off"


def test_its_secret_is_not_in_the_database_as_it_is(client, staff):
    sign_in(client, staff)
    page = client.get(reverse("mfa_activate_totp")).content.decode()
    secret = re.search(r'door__secret">(\w+)<', page)[1]
    client.post(reverse("mfa_activate_totp"), {"code": shown(secret)})
    kept = [str(row.data) for row in Authenticator.objects.all()]
    assert len(kept) == 2
    assert not any(secret in one for one in kept)


def test_fans_have_no_such_pages_and_meet_a_sentence_at_the_desk(client):
    fan = enter(making.fan(), how="code")
    assert fan.get(reverse("mfa_index")).status_code == 404
    assert fan.get(reverse("mfa_activate_totp")).status_code == 404
    page = fan.get(reverse("admin:index"), follow=True)
    assert page.status_code == 403
    assert "not open to you" in page.content.decode()
    assert client.get(reverse("mfa_index")).status_code == 302


def test_the_desk_leads_to_the_one_way_in(client, staff):
    asked = client.get(reverse("admin:orders_order_changelist"), follow=True)
    assert asked.redirect_chain[-1][0].startswith(reverse("account_desk"))
    wrong = client.post(reverse("account_desk"), {"login": staff.email, "password": "wrong"})
    assert "do not belong together" in wrong.content.decode()


def test_a_next_page_elsewhere_is_not_gone_to(client, staff, settings):
    settings.REQUIRE_MFA = False
    address = reverse("account_desk")
    answer = client.post(address, {"login": staff.email, "password": PASSWORD, "next": "https://elsewhere.example/"})
    assert answer.status_code == 302
    assert "elsewhere" not in answer.url


# --- once more --------------------------------------------------------------------------------------------------------


@recent.recent_required
def grave(request: HttpRequest) -> HttpResponse:
    return HttpResponse("done")


@pytest.mark.parametrize(
    ("ago", "method", "status"),
    [(0, "get", 200), (599, "post", 200), (601, "get", 302), (1100, "post", 200), (1201, "post", 302)],
)
def test_who_was_asked_lately_is_not_asked_again_and_others_are(rf, staff, ago, method, status):
    client = enter(staff, ago=ago)
    request = getattr(rf, method)("/refund/?order=1")
    request.session, request.user = client.session, staff
    answer = grave(request)
    assert answer.status_code == status
    if status == 302:
        assert answer.url == f"{reverse('account_reauthenticate')}?next=%2Frefund%2F%3Forder%3D1"


def test_a_session_without_a_record_of_how_it_began_is_asked(rf, staff, client):
    client.force_login(staff)
    request = rf.get("/refund/")
    request.session, request.user = client.session, staff
    assert grave(request).status_code == 302


def test_showing_it_again_leads_back_and_counts(client, staff, settings):
    settings.REQUIRE_MFA = False
    old = enter(staff, ago=3600)
    address = f"{reverse('account_reauthenticate')}?next=/admin/"
    assert "Is it you?" in old.get(address).content.decode()
    assert old.post(address, {"password": "wrong", "next": "/admin/"}).status_code == 200
    assert old.post(address, {"password": PASSWORD, "next": "/admin/"}).url == "/admin/"
    request = old.get("/admin/").wsgi_request
    assert recent.recently(request)


def test_with_a_second_factor_a_password_alone_is_not_enough(client, staff):
    sign_in(client, staff)
    set_up(client)
    answer = client.get(reverse("account_reauthenticate"))
    assert answer.url == reverse("mfa_reauthenticate")


# --- on the desk ------------------------------------------------------------------------------------------------------


def test_an_admin_takes_one_away_from_who_lost_the_phone_and_not_from_superusers(client, staff):
    sign_in(client, staff)
    set_up(client)
    support = User.objects.get(email="support@videogen.invalid")
    support.set_password(PASSWORD)
    support.save()
    theirs = Client()
    sign_in(theirs, support)
    set_up(theirs)
    desk = enter(User.objects.get(email="admin@videogen.invalid"), how="mfa")
    seen = desk.get(reverse("admin:mfa_authenticator_changelist")).content.decode()
    assert f">{support.name}</a>" in seen
    assert f">{staff.name}</a>" not in seen
    app = Authenticator.objects.get(user=support, type="totp")
    row = desk.get(reverse("admin:mfa_authenticator_change", args=[app.pk])).content.decode()
    assert app.data["secret"] not in row
    desk.post(reverse("admin:mfa_authenticator_delete", args=[app.pk]), {"post": "yes"})
    assert Authenticator.objects.filter(pk=app.pk).exists(), "not without a reason"
    desk.post(reverse("admin:mfa_authenticator_delete", args=[app.pk]), {"post": "yes", "why": "Lost the phone."})
    assert not Authenticator.objects.filter(user=support).exists(), "its recovery codes go with it"
    assert {line.verb for line in Audit.objects.all()} == {"second_factor.removed"}
    assert {line.reason for line in Audit.objects.all()} == {"Lost the phone."}
    protected = Authenticator.objects.get(user=staff, type="totp")
    desk.post(reverse("admin:mfa_authenticator_delete", args=[protected.pk]), {"post": "yes", "why": "A try."})
    assert Authenticator.objects.filter(pk=protected.pk).exists()
    assert (
        enter(User.objects.get(email="support@videogen.invalid"), how="mfa")
        .get(reverse("admin:mfa_authenticator_changelist"))
        .status_code
        == 403
    )


def test_production_without_it_is_said_loudly(settings):
    settings.PRODUCTION, settings.REQUIRE_MFA = True, False
    assert "videogen.W002" in [found.id for found in production_is_not_a_demo(None)]
    settings.REQUIRE_MFA = True
    assert "videogen.W002" not in [found.id for found in production_is_not_a_demo(None)], "negative control"
