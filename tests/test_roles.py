"""Roles on the desk: each may do what its table says, no more, and `migrate` keeps it so."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group, Permission
from django.core.management import call_command
from django.urls import reverse

from accounts import roles
from accounts.models import Audit, User
from accounts.roles import Role
from pipeline.access import may_see

from . import making
from .entering import enter

pytestmark = pytest.mark.django_db


def rights(role: Role) -> set[str]:
    found = Group.objects.get(name=role).permissions.select_related("content_type")
    return {f"{right.content_type.app_label}.{right.codename}" for right in found}


def user(role: Role) -> User:
    return User.objects.get(email=f"{role.value}@videogen.invalid")


def test_every_role_has_what_the_table_says_and_nothing_else():
    for role in set(Role) - {Role.ADMIN}:
        assert rights(role) <= roles.TABLE[role], role
        assert rights(role), role
    assert "billing.view_ledgerentry" in rights(Role.ADMIN)
    assert not {right for right in rights(Role.ADMIN) if right.split(".")[0] not in roles.OURS}


def test_a_right_given_by_hand_is_gone_after_the_next_migrate():
    support = Group.objects.get(name=Role.SUPPORT)
    by_hand = Permission.objects.get(codename="view_ledgerentry")
    support.permissions.add(by_hand)
    support.permissions.remove(Permission.objects.get(codename="view_order"))
    call_command("migrate", verbosity=0)
    assert "billing.view_ledgerentry" not in rights(Role.SUPPORT)
    assert "orders.view_order" in rights(Role.SUPPORT)


def test_support_has_no_books_and_finance_no_photos():
    assert not {"billing.view_ledgerentry", "billing.change_price"} & rights(Role.SUPPORT)
    assert "billing.view_ledgerentry" in rights(Role.FINANCE)
    for private in ("orders.view_photo", "orders.view_brief", "pipeline.view_review", "pipeline.view_production"):
        assert private not in rights(Role.FINANCE)
        assert private in rights(Role.SUPPORT)
    assert not {right for right in rights(Role.CREATOR) if right.startswith("billing.add")}


def test_giving_a_role_takes_the_others_away():
    someone = making.fan("someone@films.example")
    roles.give(someone, Role.SUPPORT)
    roles.give(someone, Role.FINANCE)
    assert roles.of(someone) == [Role.FINANCE]


def test_who_keeps_the_books_does_not_see_a_film_or_its_photos():
    order = making.draft()
    assert not may_see(order, user(Role.FINANCE), None)
    assert may_see(order, User.objects.get(email="staff@videogen.invalid"), None), "negative control"


@pytest.mark.parametrize(
    ("role", "model", "status"),
    [
        (Role.SUPPORT, "billing_ledgerentry", 403),
        (Role.SUPPORT, "billing_payment", 200),
        (Role.SUPPORT, "accounts_audit", 403),
        (Role.FINANCE, "billing_ledgerentry", 200),
        (Role.FINANCE, "orders_order", 200),
        (Role.FINANCE, "pipeline_production", 403),
        (Role.FINANCE, "pipeline_review", 403),
        (Role.FINANCE, "accounts_user", 403),
        (Role.ADMIN, "billing_ledgerentry", 200),
        (Role.ADMIN, "accounts_audit", 200),
        (Role.ADMIN, "auth_group", 403),
        (Role.CREATOR, "billing_ledgerentry", 403),
    ],
)
def test_the_desk_opens_what_the_role_may_see(client, role, model, status):
    making.creator()
    who = User.objects.get(email="pip@videogen.invalid") if role == Role.CREATOR else user(role)
    client.force_login(who)
    assert client.get(reverse(f"admin:{model}_changelist")).status_code == status


def test_an_order_shows_finance_its_money_and_not_what_it_tells(client):
    order = making.draft()
    page = reverse("admin:orders_order_change", args=[order.pk])
    told, label = order.brief.notes, order.photos.all()[0].label
    client.force_login(user(Role.FINANCE))
    seen = client.get(page).content.decode()
    assert order.code in seen
    assert told not in seen
    assert label not in seen
    client.force_login(User.objects.get(email="staff@videogen.invalid"))
    seen = client.get(page).content.decode()
    assert told in seen, "negative control"


def test_an_admin_gives_roles_and_no_powers_of_a_superuser(client):
    making.creator()
    someone = making.fan("someone@films.example")
    strong = Group.objects.create(name="strong")
    client.force_login(user(Role.ADMIN))
    page = reverse("admin:accounts_user_change", args=[someone.pk])
    assert client.get(page).status_code == 200
    support = Group.objects.get(name=Role.SUPPORT)
    words = {"name": "Someone", "is_active": "on", "is_staff": "on", "is_superuser": "on", "email": "x@films.example"}
    words |= {"why": "Joins us."}
    client.post(page, words | {"groups": [support.pk]})
    someone.refresh_from_db()
    assert (someone.name, someone.is_staff, someone.is_superuser) == ("Someone", True, False)
    assert (someone.email, roles.of(someone)) == ("someone@films.example", [Role.SUPPORT])
    entry = Audit.objects.get()
    assert (entry.verb, entry.data["groups"], entry.who) == ("user.empowered", ["support"], "admin@videogen.invalid")
    assert entry.reason == "Joins us."
    client.post(page, words | {"groups": [strong.pk]})
    assert not someone.groups.filter(pk=strong.pk).exists()


def test_an_admin_does_not_touch_a_superuser(client):
    making.creator()
    client.force_login(user(Role.ADMIN))
    staff = User.objects.get(email="staff@videogen.invalid")
    page = reverse("admin:accounts_user_change", args=[staff.pk])
    assert client.post(page, {"name": "Gone"}).status_code == 403
    assert client.post(reverse("admin:accounts_user_delete", args=[staff.pk]), {"post": "yes"}).status_code == 403
    staff.refresh_from_db()
    assert (staff.name, staff.is_active) == ("Staff", True)


def test_an_account_made_on_the_desk_has_no_password(client):
    making.creator()
    client.force_login(user(Role.ADMIN))
    words = {"email": "new@films.example", "name": "New", "is_active": "on", "why": "Joins us."}
    client.post(reverse("admin:accounts_user_add"), words)
    made = User.objects.get(email="new@films.example")
    assert not made.has_usable_password()


def test_a_licence_is_changed_by_who_is_surely_there_and_the_audit_says_so(client):
    voice = making.creator().voice
    page = reverse("admin:accounts_voice_change", args=[voice.pk])
    staff = User.objects.get(email="staff@videogen.invalid")
    client.force_login(staff)
    assert client.get(page).url.startswith(reverse("account_reauthenticate"))
    licence = voice.licences.get()
    words = {
        "creator": voice.creator_id, "provider": voice.provider, "provider_voice": voice.provider_voice,
        "settings": "{}", "words_per_second": "2.4", "sample": voice.sample, "licences-TOTAL_FORMS": "1",
        "licences-INITIAL_FORMS": "1", "licences-0-id": licence.pk, "licences-0-voice": voice.pk,
        "licences-0-starts_on": "2026-01-01", "licences-0-ends_on": "2026-12-31", "licences-0-occasions": "[]",
        "licences-0-terms": "Less.", "why": "A new contract.",
    }  # fmt: skip
    client.post(page, words)
    licence.refresh_from_db()
    assert licence.terms != "Less."
    assert enter(staff, client=client).post(page, words).status_code == 302
    licence.refresh_from_db()
    assert licence.terms == "Less."
    assert Audit.objects.get(verb="licence.changed").reason == "A new contract."
