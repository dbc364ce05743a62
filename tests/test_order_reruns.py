"""Making again on the desk: the plan before the button, one making however often it is pressed, many at once."""

from __future__ import annotations

import re

import pytest
from django.urls import reverse

from accounts.models import Audit
from accounts.roles import Role
from orders.models import Order
from pipeline import amends, roster
from pipeline.models import Call, Production, Review, Take
from pipeline.order_forms import new_key

from . import films
from .entering import enter
from .test_order_desk import one_of, paid, staff

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def delivered(bells, monkeypatch) -> Order:
    return films.delivered(bells, monkeypatch)


def page(order: Order) -> str:
    return reverse("admin:orders_order_rerun", args=[order.pk])


def planned(answer) -> str:
    found = re.search(r'name="planned" value="([0-9a-f]{64})"', answer.content.decode())
    assert found, "a plan is shown"
    return found[1]


def test_one_shot_is_planned_first_and_made_once_however_often_the_button_is_pressed(bells, delivered):
    client = enter(staff())
    wish = {"key": new_key(), "from_stage": "shot", "scenes": ["3"], "calm": "on", "reason": "The cat jumped."}
    looked = client.post(page(delivered), wish | {"step": "look"})
    told = looked.content.decode()
    for words in ("Kept", "Writing the story", "Filming each shot: 3", "Vendors get at the most", "It usually takes"):
        assert words in told, words
    assert Production.objects.count() == 1, "looking makes nothing"
    for _ in range(2):
        client.post(page(delivered), wish | {"step": "go", "planned": planned(looked)})
    made = Production.objects.latest("number")
    assert (Production.objects.count(), made.key, made.asked_by) == (2, wish["key"], staff())
    assert made.change == {"from_stage": "shot", "scenes": [3], "calm": True}
    assert Audit.objects.get(verb="rerun.asked").reason == "The cat jumped."
    films.drain(bells)
    assert films.calls_by_stage(made) == {"shot": 1}
    shown = client.get(reverse("admin:orders_order_change", args=[delivered.pk])).content.decode()
    assert "The cat jumped." in shown
    assert "Making 2" in shown


def test_what_was_altered_after_the_plan_is_planned_again_and_not_begun(delivered):
    client = enter(staff())
    wish = {"key": new_key(), "from_stage": "shot", "scenes": ["3"], "reason": "x"}
    mark = planned(client.post(page(delivered), wish | {"step": "look"}))
    answer = client.post(page(delivered), wish | {"scenes": ["1", "2"], "step": "go", "planned": mark})
    assert "Something was altered since" in answer.content.decode()
    assert planned(answer) != mark
    assert Production.objects.count() == 1


def test_a_wish_that_makes_no_sense_is_answered_on_the_page(delivered):
    client = enter(staff())
    wish = {"key": new_key(), "reason": "x", "step": "look"}
    for values, words in (
        ({"from_stage": "cut", "photo": "another"}, "Photo, model, seed and less motion are for shots."),
        ({"from_stage": "shot", "scenes": ["99"]}, "99 is not one of the available choices"),
        ({"from_stage": "delivery"}, "delivery is not one of the available choices"),
    ):
        assert words in client.post(page(delivered), wish | values).content.decode()


def test_the_board_leads_to_one_shot_or_one_line(delivered):
    client = enter(staff())
    shown = client.get(reverse("admin:orders_order_change", args=[delivered.pk])).content.decode()
    link = f"{page(delivered)}?from_stage=shot&amp;scenes=2"
    assert link in shown
    form = client.get(link.replace("&amp;", "&")).content.decode()
    assert re.search(r'<input[^>]*name="scenes"[^>]*value="2"[^>]*checked', form)
    assert '<option value="shot" selected>' in form
    assert (
        page(delivered)
        not in enter(delivered.creator.user)
        .get(reverse("admin:orders_order_change", args=[delivered.pk]))
        .content.decode()
    )


def test_many_are_made_again_after_the_total_and_those_that_cannot_say_why(bells, delivered):
    other = paid("second@films.example")
    client = enter(staff())
    chosen = client.post(
        reverse("admin:orders_order_changelist"),
        {"action": "make_again", "_selected_action": [delivered.pk, other.pk]},
        follow=True,
    )
    told = chosen.content.decode()
    assert delivered.code in told
    assert other.code in told
    address = reverse("admin:orders_order_rerun_many")
    wish = {"key": new_key(), "ids": f"{delivered.pk}-{other.pk}", "from_stage": "cut", "reason": "A new label."}
    looked = client.post(address, wish | {"step": "look"})
    assert "1 film, vendors get at the most" in looked.content.decode()
    assert "was never finished" in looked.content.decode() or "being made" in looked.content.decode()
    assert Production.objects.filter(order=delivered).count() == 1
    for _ in range(2):
        client.post(address, wish | {"step": "go", "planned": planned(looked)})
    assert Production.objects.filter(order=delivered).count() == 2
    assert Production.objects.filter(order=other).count() == 1
    assert Audit.objects.filter(verb="rerun.asked").count() == 1


def test_a_photo_stood_in_only_where_a_vendor_was_asked_for_the_shot(delivered):
    shots = Take.objects.filter(shot__scene__script__production__order=delivered, selected=True)
    first = shots.order_by("shot__scene__number")[0]
    shots.update(kind="clip")
    calls = Call.objects.filter(step__stage="shot")
    calls.update(provider="a-studio")
    assert amends.facts_of(delivered).stood_in == 0, "all that was filmed is seen"
    Take.objects.filter(pk=first.pk).update(kind="still")
    facts = amends.facts_of(delivered)
    assert (facts.stood_in, facts.shots) == (1, shots.count())
    calls.update(provider=roster.LOCAL_STUDIO)
    assert amends.facts_of(delivered).stood_in == 0, "nobody else was meant to film it"


def test_only_who_may_has_films_made_again(delivered):
    many = reverse("admin:orders_order_rerun_many")
    for role, status in ((Role.SUPPORT, 200), (Role.ADMIN, 200), (Role.FINANCE, 403)):
        client = enter(one_of(role))
        assert client.get(page(delivered)).status_code == status, role
        assert client.get(many).status_code == status, role
    creator = enter(delivered.creator.user)
    assert creator.get(page(delivered)).status_code == 403
    wish = {"key": new_key(), "ids": str(delivered.pk), "from_stage": "cut", "reason": "x", "step": "go"}
    assert creator.post(many, wish).status_code == 403
    assert Review.objects.count() == Production.objects.count() == 1
