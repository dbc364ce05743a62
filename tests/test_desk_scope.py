"""Whose rows are on the desk: every address of the admin, walked as everyone who might try it."""

from __future__ import annotations

import pytest
from django.contrib import admin
from django.contrib.admin.options import InlineModelAdmin
from django.db.models import ForeignKey
from django.test import Client
from django.urls import reverse

from accounts import roles, scoping
from accounts.models import ApprovalMode, Creator, User
from accounts.roles import Role
from accounts.scoping import STAFF, Scoped, sees_all
from pipeline.media_links import link
from videogen.admin import Desk

from . import making
from .desk import World, addresses, every_right, everything
from .entering import enter

CLOSED = (302, 403, 404, 405)
# Open to whoever asks: they say nothing about anyone.
ANYBODY = {"login", "logout", "jsi18n"}


def both() -> tuple[World, World]:
    """Two creators, each with a row of everything."""
    making.creator()
    quick, careful = Creator.objects.filter(approval=ApprovalMode.EVERY_FILM), Creator.objects.all()
    first = World(quick[0], "Zenobia", 1)
    return first, World(careful.exclude(pk=quick[0].pk)[0], "Quentin", 2)


def client_of(user: User | None) -> Client:
    client = Client(raise_request_exception=True)
    return client if user is None else enter(user, client=client)


def leaks(response: object, marks: list[str]) -> list[str]:
    text = getattr(response, "content", b"").decode(errors="replace")
    return [mark for mark in marks if mark in text]


def test_every_class_on_the_desk_says_whose_its_rows_are():
    silent = []
    for model, known in admin.site._registry.items():
        for one in (known, *(inline(model, admin.site) for inline in known.inlines)):
            said = any("whose" in vars(kind) for kind in type(one).__mro__ if kind is not Scoped)
            if not (isinstance(one, Scoped) and said):
                silent.append(type(one).__name__)
    assert silent == [], "mix in accounts.scoping.Scoped and say `whose` the rows are"


def test_a_class_that_says_nothing_is_closed_to_creators(db):
    class Forgotten(admin.ModelAdmin):
        pass

    site = Desk("elsewhere")
    site.register(Creator, Forgotten)
    made = site._registry[Creator]
    assert isinstance(made, Scoped)
    assert made.whose is STAFF


@pytest.mark.django_db
def test_who_sees_everybodys_rows():
    first, _second = both()
    assert not sees_all(every_right(first.user))
    assert sees_all(User.objects.get(email="staff@videogen.invalid"))
    loose = User.objects.create_user("loose@films.example", is_staff=True)
    assert not sees_all(every_right(loose)), "whoever enters the desk without being anyone sees nobody's rows"


@pytest.mark.slow
@pytest.mark.django_db
@pytest.mark.parametrize("who", ["nobody", "fan", "fan of it"])
def test_the_desk_is_closed_to_whoever_is_not_of_it(who):
    first, _second = both()
    client = client_of({"nobody": None, "fan": making.fan(), "fan of it": first.order.fan}[who])
    opened = []
    for address in addresses(first):
        if address.name in ANYBODY:
            continue
        answers = (client.get(address.path), client.post(address.path))
        bad = [one.status_code for one in answers if one.status_code not in CLOSED or leaks(one, first.marks())]
        opened += [(address.path, status) for status in bad]
    assert opened == []


def walk(first: World, second: World, user: User) -> list[tuple[str, object]]:
    """What a user is answered, or reads, of the first's rows and should not: every address, got and sent."""
    client = client_of(user)
    wrong: list[tuple[str, object]] = []
    for address in addresses(first):
        if address.name in ("logout", "login"):
            continue
        # With what somebody would send who knows that the row is there.
        wish = {"_save": "1", "post": "yes", "verdict": "approve"}
        for response in (client.get(address.path), client.post(address.path, wish)):
            if address.of_a_row and response.status_code not in CLOSED:
                wrong.append((address.path, response.status_code))
            if found := leaks(response, first.marks()):
                wrong.append((address.path, found))
    for address in addresses(second):
        if address.of_a_row:  # the forms of one's own rows offer nothing of the other's
            response = client.get(address.path)
            if response.status_code == 200 and (found := leaks(response, first.marks())):
                wrong.append((address.path, found))
    return wrong


def lists(first: World, user: User) -> list[tuple[str, object]]:
    """What of the first's rows one finds by searches, filters, actions and autocompletes, and should not."""
    client = client_of(user)
    wrong: list[tuple[str, object]] = []

    def look(at: str, how: object, response: object, marks: list[str]) -> None:
        if found := leaks(response, marks):
            wrong.append((at, (how, found)))

    for model, known in admin.site._registry.items():
        meta = model._meta
        at = reverse(f"admin:{meta.app_label}_{meta.model_name}_changelist")
        typed = [mark for mark in first.marks() if mark != first.word]  # a search shows what was typed
        for query in ({"q": first.word}, {"_facets": "True"}, {"creator__id__exact": first.creator.pk}, {"all": ""}):
            look(at, query, client.get(at, query, follow=True), typed)
        for _function, action, _words in known._get_base_actions():
            wish = {"action": action, "_selected_action": [first.row(model).pk], "index": "0", "post": "yes"}
            look(at, action, client.post(at, wish, follow=True), first.marks())
        for field in meta.get_fields():
            if isinstance(field, ForeignKey):
                asked = {"app_label": meta.app_label, "model_name": meta.model_name, "field_name": field.name}
                look(at, field.name, client.get(reverse("admin:autocomplete"), asked | {"term": ""}), first.marks())
    return wrong


@pytest.mark.slow
@pytest.mark.django_db
@pytest.mark.parametrize("rights", ["usual", "all but one"])
def test_no_creator_meets_anothers_rows_anywhere(rights):
    first, second = both()
    list(addresses(first)), list(addresses(second))  # makes a row of everything for either
    user = every_right(second.user) if rights == "all but one" else second.user
    before = everything()
    assert walk(first, second, user) == []
    assert lists(first, user) == []
    assert everything() == before
    first.review.refresh_from_db()
    assert first.review.claimed_by is None


@pytest.mark.slow
@pytest.mark.django_db
def test_the_walk_would_notice(monkeypatch):
    first, second = both()
    list(addresses(first)), list(addresses(second))
    user = every_right(second.user)
    monkeypatch.setattr(scoping, "owned", lambda rows, user, whose: rows)
    seen = {path for path, _what in walk(first, second, user)}
    for name, row in (("pipeline_review", first.review), ("orders_order", first.order)):
        assert reverse(f"admin:{name}_change", args=[row.pk]) in seen
        assert reverse(f"admin:{name}_history", args=[row.pk]) in seen
        assert reverse(f"admin:{name}_changelist") in seen
    monkeypatch.setattr(scoping, "sees_all", lambda user: True)
    found = lists(first, user)
    assert {how for _at, (how, _marks) in found if isinstance(how, str)} >= {"creator", "delete_selected"}


@pytest.mark.django_db
def test_a_creator_does_see_their_own():
    first, second = both()
    client = client_of(every_right(first.user))
    for model in ("pipeline_review", "orders_order", "accounts_voice", "billing_price"):
        page = client.get(reverse(f"admin:{model}_changelist"))
        assert page.status_code == 200
        assert not leaks(page, second.marks()), model
        row = first.row({m._meta.label_lower.replace(".", "_"): m for m in admin.site._registry}[model])
        opened = client.get(reverse(f"admin:{model}_change", args=[row.pk]))
        assert opened.status_code == 200, model
        assert client.get(reverse(f"admin:{model}_history", args=[row.pk])).status_code == 200
    listed = client.get(reverse("admin:pipeline_review_changelist"))
    assert leaks(listed, [first.word, first.order.code]) == [first.word, first.order.code]


@pytest.mark.django_db
def test_a_creator_reads_what_a_film_is_about_but_not_who_pays():
    first, _second = both()
    client = client_of(every_right(first.user))
    opened = client.get(reverse("admin:orders_order_change", args=[first.order.pk])).content.decode()
    assert f"{first.word} likes tea." in opened
    assert first.order.fan.email not in opened
    found = client.get(reverse("admin:orders_order_changelist"), {"q": first.order.fan.email[:12]})
    assert first.order.code not in found.content.decode(), "a search is no way to try addresses"


@pytest.mark.django_db
def test_a_link_to_a_film_or_a_photo_is_of_no_use_to_another_creator():
    first, second = both()
    files = [link(first.cut.file), link(first.order.photos.all()[0].thumb)]
    page = reverse("pipeline:order", args=[first.order.code])
    stranger, own = client_of(every_right(second.user)), client_of(first.user)
    for address in (*files, page):
        assert stranger.get(address).status_code == 404
        assert own.get(address).status_code == 200


@pytest.mark.django_db
def test_the_way_from_the_desk_to_the_site_asks_whose_it_is():
    from django.contrib.contenttypes.models import ContentType

    first, second = both()
    kind = ContentType.objects.get_for_model(first.review)
    address = reverse("admin:view_on_site", args=[kind.pk, first.review.pk])
    for user in (second.user, every_right(second.user)):
        assert client_of(user).get(address).status_code == 404
    assert client_of(User.objects.get(email="staff@videogen.invalid")).get("/admin/r/x/1/").status_code == 404


@pytest.mark.slow
@pytest.mark.django_db
@pytest.mark.parametrize("role", [Role.SUPPORT, Role.FINANCE, Role.ADMIN])
def test_each_role_of_the_staff_opens_what_its_table_says_and_no_page_breaks(role):
    first, _second = both()
    user = User.objects.create_user(f"{role}@films.example", is_staff=True)
    roles.give(user, role)
    client = client_of(user)
    wrong = []
    for address in addresses(first):
        if address.name in ANYBODY or address.model is None or not address.name.endswith(("_changelist", "_change")):
            continue
        meta = address.model._meta
        may = any(user.has_perm(f"{meta.app_label}.{verb}_{meta.model_name}") for verb in ("view", "change"))
        status = client.get(address.path).status_code
        if (status == 200) != may or status not in (200, 403):
            wrong.append((address.path, status, may))
    assert wrong == []
    assert sees_all(user)


@pytest.mark.slow
@pytest.mark.django_db
def test_a_superuser_opens_every_page():
    first, _second = both()
    client = client_of(User.objects.get(email="staff@videogen.invalid"))
    broken = []
    for address in addresses(first):
        if address.name in ANYBODY or address.name == "view_on_site":
            continue
        response = client.get(address.path)
        if response.status_code not in (200, 302, 403, 404, 405):
            broken.append((address.path, response.status_code))
        if address.of_a_row and address.name.endswith(("_change", "_history")) and response.status_code != 200:
            broken.append((address.path, response.status_code))
    assert broken == []


def test_inlines_are_scoped_too():
    for model, known in admin.site._registry.items():
        for inline in known.inlines:
            assert issubclass(inline, InlineModelAdmin), model
            assert issubclass(inline, Scoped), f"{inline.__name__} of {model.__name__}"
