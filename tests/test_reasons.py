"""Whoever changes something by hand on the desk says why; without a reason nothing is changed."""

from __future__ import annotations

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group
from django.test import RequestFactory
from django.urls import reverse

from accounts.models import Audit, Creator, User
from accounts.reasons import Reasoned, WhyActionForm
from billing.models import Price
from pipeline import escalations
from pipeline.models import Escalation, EscalationKind

from . import films, making
from .entering import enter

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff() -> User:
    making.creator()
    return User.objects.get(email="staff@videogen.invalid")


def test_every_class_that_staff_change_by_hand_asks_why_and_so_does_every_action(staff):
    request = RequestFactory().get("/")
    request.user = staff
    silent = []
    for known in admin.site._registry.values():
        by_hand = (known.has_add_permission, known.has_change_permission, known.has_delete_permission)
        if any(may(request) for may in by_hand) and not isinstance(known, Reasoned):
            silent.append(type(known).__name__)
        does = set(known.get_actions(request)) - {"delete_selected", "make_again"}  # these have pages of their own
        if does and known.action_form is not WhyActionForm:
            silent.append(f"{type(known).__name__}: {does}")
    assert silent == [], "mix in accounts.reasons.Reasoned, before Scoped"


def words_of(creator: Creator, **more: str) -> dict[str, str]:
    fields = ("slug", "name", "tagline", "bio", "approval", "accent", "template", "sample_percent", "portrait", "place")
    return {name: getattr(creator, name) for name in fields} | {"is_active": "on", "user": creator.user_id} | more


def test_a_creators_template_is_changed_with_a_reason_and_not_without(staff, client):
    creator = Creator.objects.get(slug="pip")
    before = creator.template
    wanted = "letter" if before != "letter" else "comic"
    page = reverse("admin:accounts_creator_change", args=[creator.pk])
    enter(staff, client=client)
    assert 'name="why"' in client.get(page).content.decode()
    for why in ({}, {"why": "  "}):
        answer = client.post(page, words_of(creator, template=wanted, **why))
        assert answer.status_code == 200
        assert "errorlist" in answer.content.decode()
    creator.refresh_from_db()
    assert (creator.template, Audit.objects.count()) == (before, 0)
    assert client.post(page, words_of(creator, template=wanted, why="She asked for it.")).status_code == 302
    creator.refresh_from_db()
    assert creator.template == wanted
    line = Audit.objects.get()
    assert (line.verb, line.reason, line.who, line.data["fields"]) == (
        "creator.changed",
        "She asked for it.",
        staff.email,
        ["template"],
    )
    assert client.post(page, words_of(creator, template=wanted, why="Again.")).status_code == 302
    assert Audit.objects.count() == 1, "saved without a change"


def test_who_may_only_look_is_not_asked(staff, client):
    enter(User.objects.get(email="support@videogen.invalid"), client=client)
    page = client.get(reverse("admin:accounts_creator_change", args=[Creator.objects.get(slug="pip").pk]))
    assert page.status_code == 200
    assert 'name="why"' not in page.content.decode()


def test_staff_end_a_price_with_a_reason_and_a_creator_their_own_without(staff, client):
    price = Price.objects.filter(creator__slug="pip", ends_at=None).first()
    listed = reverse("admin:billing_price_changelist")
    stop = {"action": "stop", "_selected_action": [price.pk]}
    enter(staff, client=client)
    said = client.post(listed, stop, follow=True).content.decode()
    assert "Please say why" in said
    assert Price.objects.get(pk=price.pk).ends_at is None
    client.post(listed, {**stop, "why": "Not offered any more."})
    assert Price.objects.get(pk=price.pk).ends_at is not None
    assert Audit.objects.get().reason == "Not offered any more."
    other = Price.objects.filter(creator__slug="pip", ends_at=None).first()
    enter(other.creator.user, client=client)
    page = client.get(reverse("admin:billing_price_change", args=[other.pk])).content.decode()
    assert 'name="why"' not in page
    client.post(listed, {"action": "stop", "_selected_action": [other.pk]})
    assert Price.objects.get(pk=other.pk).ends_at is not None


def test_rows_of_another_package_are_deleted_with_a_reason_one_by_one_or_many_at_once(staff, client):
    enter(staff, client=client)
    groups = [Group.objects.create(name=name) for name in ("one", "two", "three")]
    page = reverse("admin:auth_group_delete", args=[groups[0].pk])
    assert 'name="why"' in client.get(page).content.decode()
    assert client.post(page, {"post": "yes"}).url == page
    assert client.post(page, {"post": "yes", "why": "Nobody is in it."}).status_code == 302
    listed = reverse("admin:auth_group_changelist")
    many = {"action": "delete_selected", "_selected_action": [group.pk for group in groups[1:]]}
    assert 'name="why"' in client.post(listed, many).content.decode()
    client.post(listed, many | {"post": "yes"})
    assert Group.objects.filter(name__in=["two", "three"]).count() == 2
    client.post(listed, many | {"post": "yes", "why": "Nor in these."})
    assert not Group.objects.filter(name__in=["one", "two", "three"]).exists()
    told = Audit.objects.order_by("pk").values_list("verb", "target_label", "reason")
    assert list(told) == [
        ("group.deleted", "one", "Nobody is in it."),
        ("group.deleted", "three", "Nor in these."),
        ("group.deleted", "two", "Nor in these."),
    ]


@pytest.mark.django_db(transaction=True)
def test_what_staff_were_called_for_is_settled_with_a_word_about_it(bells, monkeypatch, client):
    production = films.waiting(bells, monkeypatch).cut.production
    escalations.escalate(production, EscalationKind.LATE_REVIEW, "Nobody looked.")
    enter(User.objects.get(email="staff@videogen.invalid"), client=client)
    listed = reverse("admin:pipeline_escalation_changelist")
    chosen = {"action": "look_after", "_selected_action": [Escalation.objects.get().pk]}
    client.post(listed, chosen)
    assert Escalation.objects.get().settled_at is None
    client.post(listed, chosen | {"why": "I rang her."})
    assert Escalation.objects.get().settled_at is not None
    page = client.get(reverse("admin:orders_order_change", args=[production.order_id])).content.decode()
    assert "Staff were called: A review is late." in page
    assert "Nobody looked." in page
    assert page.count("I rang her.") == 1
