"""The staff's order desk: lists, search, one order's page, and who sees which part of it."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts import audit
from accounts.models import ApprovalMode, User
from accounts.roles import Role
from billing import services as billing
from billing.ledger import post
from billing.models import Account
from orders.models import Order, OrderState
from pipeline import escalations, history, jobs, order_lists, pausing, queue
from pipeline.models import Call, CallState, EscalationKind, Notice, NoticeKind

from . import making
from .test_review import finished

pytestmark = pytest.mark.django_db(transaction=True)

LIST = "admin:orders_order_changelist"


def staff() -> User:
    return User.objects.get(email="staff@videogen.invalid")


def one_of(role: Role) -> User:
    """The demo's member of staff with this role."""
    return User.objects.get(email=f"{role.value}@videogen.invalid")


def paid(mail: str = "fan@films.example", **values: object) -> Order:
    order = making.draft(by=making.fan(mail))
    billing.pay(payment=billing.begin_payment(order=order), card="good")
    Order.objects.filter(pk=order.pk).update(**values)
    order.refresh_from_db()
    return order


def listed(client, **query: str) -> list[str]:
    """The codes of the orders that the list shows."""
    response = client.get(reverse(LIST), query)
    assert response.status_code == 200
    return [order.code for order in response.context["cl"].result_list]


def asked(client, address: str) -> int:
    """How many questions a page asks the database, once the content types are known."""
    client.get(address)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert client.get(address).status_code == 200
    return len(queries)


def test_saved_filters_show_what_they_say(client):
    now = timezone.now()
    late = paid("a@films.example", promised_at=now - dt.timedelta(minutes=5))
    good = paid("b@films.example", promised_at=now + dt.timedelta(hours=5))
    failed = paid("c@films.example", state=OrderState.FAILED, ended_at=now)
    draft = making.draft(by=making.fan("d@films.example"))
    client.force_login(staff())
    assert set(listed(client)) == {late.code, good.code, failed.code}
    assert listed(client, show="late") == [late.code]
    assert listed(client, show="making") == [late.code, good.code]  # the oldest promise first
    assert listed(client, show="failed") == [failed.code]
    assert listed(client, show="drafts") == [draft.code]
    assert listed(client, show="review") == []
    page = client.get(reverse(LIST), {"show": "late"}).content.decode()
    assert re.search(r"\d+ min late", page)
    counts = order_lists.counts(Order.objects.all(), order_lists.SAVED)
    assert (counts["late"], counts["making"], counts["failed"]) == (1, 2, 1)


def test_a_film_with_its_creator_stands_in_review(bells, monkeypatch, client):
    review = finished(bells, monkeypatch)
    client.force_login(staff())
    assert listed(client, show="review") == [review.cut.production.order.code]


def test_orders_are_found_by_what_people_have_at_hand(bells, monkeypatch, client):
    review = finished(bells, monkeypatch)
    order = review.cut.production.order
    other = paid("somebody@else.example")
    payment = order.payments.get()
    call = Call.objects.create(
        step=review.cut.production.steps.first(), key="k-77", provider="x", job="shot", request={}, external_id="hf_42"
    )
    client.force_login(staff())
    for term in (
        order.code,
        order.code.lower().replace("-", ""),
        f"{order.code}-P-1",
        f"{order.code}-R-1",
        order.fan.email,
        order.fan.email.upper(),
        payment.key,
        payment.external_id,
        call.external_id,
        call.key,
    ):
        assert listed(client, q=term) == [order.code], term
    assert set(listed(client, q="eil")) == {order.code, other.code}  # the name both films are for
    assert listed(client, q="somebody@") == [other.code]
    assert listed(client, q="hf_43") == []


def test_the_list_and_the_page_ask_few_questions_however_much_there_is(bells, monkeypatch, client):
    review = finished(bells, monkeypatch)
    order = review.cut.production.order
    client.force_login(one_of(Role.ADMIN))
    few = asked(client, reverse(LIST))
    page = asked(client, reverse("admin:orders_order_change", args=[order.pk]))
    for number in range(12):
        paid(f"many{number}@films.example")
    step = review.cut.production.steps.first()
    for number in range(30):
        Call.objects.create(step=step, key=f"c{number}", provider="x", job="shot", request={}, state=CallState.FAILED)
    assert asked(client, reverse(LIST)) == few <= 15
    assert asked(client, reverse("admin:orders_order_change", args=[order.pk])) == page <= 15


def test_a_sale_that_left_little_is_found_by_its_margin(bells, monkeypatch, client):
    review = finished(bells, monkeypatch, approval=ApprovalMode.AUTOMATIC)
    queue.drain(bells, jobs.JOBS)
    order = review.cut.production.order
    client.force_login(one_of(Role.ADMIN))
    assert listed(client, show="margin") == []
    post(order=order, fact="cost:x", lines={Account.PROVIDERS: -(order.amount or 0)})
    assert listed(client, show="margin") == [order.code]
    page = client.get(reverse("admin:orders_order_change", args=[order.pk])).content.decode()
    assert "Creator’s share" in page
    client.force_login(one_of(Role.SUPPORT))
    assert "Low margin" not in client.get(reverse(LIST)).content.decode()
    assert listed(client, show="margin") == [order.code], "the first filter: all orders"


def test_the_page_tells_money_steps_calls_mails_and_reviews_in_one_timeline(bells, monkeypatch, client):
    review = finished(bells, monkeypatch)
    production = review.cut.production
    order = production.order
    Call.objects.create(
        step=production.steps.first(),
        key="k",
        provider="studio",
        job="shot",
        request={},
        state=CallState.FAILED,
        error="no room",
    )
    Notice.objects.get_or_create(order=order, production=production, kind=NoticeKind.REVIEW)
    client.force_login(staff())
    page = client.get(reverse("admin:orders_order_change", args=[order.pk])).content.decode()
    for words in (
        "The money is held on the card.",
        "The making began.",
        "The creator was asked.",
        "studio was asked",
        "no room",
        "The creator is looking at it",
        "The order was placed.",
    ):
        assert words in page, words
    only = client.get(reverse("admin:orders_order_change", args=[order.pk]), {"timeline": "money"}).content.decode()
    assert "The money is held on the card." in only
    assert "The making began." not in only


def test_finance_sees_no_photos_and_support_no_ledger(bells, monkeypatch, client):
    review = finished(bells, monkeypatch)
    order = review.cut.production.order
    address = reverse("admin:orders_order_change", args=[order.pk])
    client.force_login(one_of(Role.FINANCE))
    page = client.get(address).content.decode()
    assert "In the ledger" in page
    assert "/media/" not in page  # neither photos nor films
    assert order.brief.notes not in page
    assert order.brief.name not in page
    assert order.fan.email not in page
    assert "The creator was asked." not in page
    client.force_login(one_of(Role.SUPPORT))
    page = client.get(address).content.decode()
    assert order.brief.notes in page
    assert "The creator was asked." in page
    assert "The money is held on the card." in page
    assert "In the ledger" not in page


def test_a_creator_meets_only_the_orders_placed_with_them(client):
    order = paid()
    mine, other = order.creator.user, User.objects.filter(creator__isnull=False).exclude(creator=order.creator).first()
    address = reverse("admin:orders_order_change", args=[order.pk])
    for user, codes, status in ((mine, [order.code], 200), (other, [], 404)):
        client.force_login(user)
        assert listed(client) == codes
        assert listed(client, q=order.fan.email) == []
        page = client.get(address)
        assert page.status_code == status
        assert order.fan.email not in page.content.decode()
        assert "Timeline" not in page.content.decode()
    client.force_login(order.fan)
    assert client.get(address).status_code == 302


def test_the_timeline_tells_what_staff_did_once_with_the_reason_and_which_versions_there_are(
    bells, monkeypatch, client
):
    review = finished(bells, monkeypatch)
    production = review.cut.production
    order, by = production.order, staff()
    pausing.pause(order=order, by=by, reason="The photo is somebody else’s.")
    audit.write(actor=by, verb="refund.confirmed", target=order, reason="As promised.")
    audit.write(actor=by, verb="order.paused", target=making.creator(), reason="of something else")
    history.tell(production, "rendition.asked", format="16:9", captions=False)
    history.tell(production, "review.change_asked", by="Mira", code="face", change={"scenes": [2]})
    history.tell(production, "rendition.asked", format="1:1", captions=True, by=by.email)
    audit.write(actor=by, verb="rendition.asked", target=order, reason="The disk was full.")
    escalations.escalate(production, EscalationKind.UNSAFE, "A stranger’s child.")
    client.force_login(by)
    address = reverse("admin:orders_order_change", args=[order.pk])
    page = client.get(address).content.decode()
    assert page.count("The photo is somebody else’s.") == 1, "told by the history and the audit, shown once"
    assert "As promised." in page
    assert "A second person agreed to the refund." in page
    assert "of something else" not in page
    assert "Wide (16:9) without captions" in page
    entries = {entry.note: entry for entry in client.get(address).context["page"].entries}
    again = entries["Square (1:1) with captions · The disk was full."]
    assert (again.who, again.kind) == (by.email, "making")
    assert entries["Wide (16:9) without captions"].kind == "fan"
    assert entries["A face looks wrong · scene 2"].title == "A change was asked for."
    called = entries["A stranger’s child."]
    assert (called.title, called.tone) == ("Staff were called: A creator says it must not go out.", "bad")
    only = client.get(address, {"timeline": "staff"}).content.decode()
    assert "A stranger’s child." in only
    assert "Wide (16:9)" not in only
    client.force_login(one_of(Role.FINANCE))
    assert "A stranger’s child." not in client.get(address).content.decode()


def test_what_a_filter_has_is_counted_once_and_is_what_is_listed(client):
    for number in range(3):
        paid(f"fan{number}@films.example")
    client.force_login(one_of(Role.ADMIN))
    address = reverse("admin:orders_order_changelist")
    for query, found in (("?show=making", 3), ("?show=making&q=nobody", 0), ("?show=late", 0), ("", 3)):
        shown = client.get(address + query).context["cl"]
        assert (shown.result_count, len(shown.result_list)) == (found, found), query
    with CaptureQueriesContext(connection) as caught:
        client.get(f"{address}?show=making")
    assert [one["sql"] for one in caught if one["sql"].startswith("SELECT COUNT")] == []
