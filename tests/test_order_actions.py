"""What staff do to an order: give money back, write, pause, cancel, export, erase. Each once, with a reason."""

from __future__ import annotations

import datetime as dt
import io
import json
import zipfile

import pytest
from django.core import mail
from django.core.files.storage import default_storage
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from accounts.models import Audit, User
from accounts.roles import Role
from billing.models import LedgerEntry, Payment, PaymentState, Refund, RefundSource, RefundState
from billing.refunds import NotRefundable
from orders.models import Order, OrderState
from pipeline import amends, engine, giving_back, invariants, jobs, pausing, queue, records, sweeping
from pipeline.models import Call, CallState, Delivery, Notice, ProductionState, RefundRequest, Step
from pipeline.order_forms import new_key

from . import making
from .entering import enter
from .test_order_desk import one_of, paid, staff
from .test_review import finished

pytestmark = pytest.mark.django_db(transaction=True)


def delivered(bells, monkeypatch) -> Order:
    """An order whose film is with the fan and whose money is taken."""
    order = finished(bells, monkeypatch, approval=making.ApprovalMode.AUTOMATIC).cut.production.order
    queue.drain(bells, jobs.JOBS)
    order.refresh_from_db()
    assert (order.state, order.payments.get().state) == (OrderState.DELIVERED, PaymentState.CAPTURED)
    return order


def page(name: str, order: Order) -> str:
    return reverse(f"admin:orders_order_{name}", args=[order.pk])


def post(client, name: str, order: Order, **values: object):
    return client.post(page(name, order), {"key": new_key(), **values}, follow=True)


def second_person() -> User:
    return User.objects.create_superuser("second@staff.example", None)


# --- money ------------------------------------------------------------------------------------------------------------


def test_half_of_the_price_goes_back_once_however_often_it_is_sent(bells, monkeypatch):
    order = delivered(bells, monkeypatch)
    client = enter(staff())
    key, half = new_key(), order.amount // 2
    values = {"key": key, "amount": f"{half / 100:.2f}", "reason": "goodwill", "note": "The cat was cut off."}
    for _ in range(2):
        answer = client.post(page("refund", order), values, follow=True)
        assert "goes back to the fan" in answer.content.decode()
    made = Refund.objects.get()
    assert (made.amount, made.reason, made.actor, made.source) == (half, "goodwill", staff().email, RefundSource.STAFF)
    queue.drain(bells, jobs.JOBS)
    sweeping.sweep_once()
    queue.drain(bells, jobs.JOBS)
    made.refresh_from_db()
    assert made.state == RefundState.DONE
    entry = Audit.objects.get(verb="refund.begun")
    assert (entry.actor, entry.reason) == (staff(), "The cat was cut off.")
    # The film of these tests is a few bytes with a made-up hash.
    assert [one for one in invariants.broken() if "not the one that was made" not in one] == []
    shown = client.get(reverse("admin:orders_order_change", args=[order.pk])).content.decode()
    assert "Money is to go back." in shown


def test_who_has_not_shown_who_they_are_lately_is_asked_and_nothing_goes_back(bells, monkeypatch):
    order = delivered(bells, monkeypatch)
    client = enter(staff(), ago=86_400)
    answer = client.post(page("refund", order), {"key": new_key(), "amount": "1", "reason": "late", "note": "x"})
    assert answer.status_code == 302
    assert "reauthenticate" in answer["Location"] or "mfa" in answer["Location"]
    assert not Refund.objects.exists()


@pytest.mark.parametrize("amount", ["0", "-1", "9999", "", "1.001", "nan"])
def test_an_amount_that_cannot_be_is_refused_in_words(bells, monkeypatch, amount):
    order = delivered(bells, monkeypatch)
    answer = post(enter(staff()), "refund", order, amount=amount, reason="goodwill", note="x")
    assert "errorlist" in answer.content.decode()
    assert not Refund.objects.exists()


def test_above_the_limit_a_second_person_confirms_and_the_first_cannot(bells, monkeypatch, settings):
    settings.REFUND_FOUR_EYES = 500
    order = delivered(bells, monkeypatch)
    first = enter(staff())
    answer = post(first, "refund", order, amount="10", reason="late", note="Three days.")
    assert "waits for a second person" in answer.content.decode()
    asked = RefundRequest.objects.get()
    assert not Refund.objects.exists()
    own = post(first, "confirm", order, verdict="confirm")
    assert "Somebody else has to look at it" in own.content.decode()
    assert not Refund.objects.exists()
    with pytest.raises(giving_back.NotYours):
        giving_back.confirm(asked=asked, by=staff())
    post(enter(second_person()), "confirm", order, verdict="confirm")
    made = Refund.objects.get()
    assert (made.amount, made.key) == (1000, asked.key)
    assert "second@staff.example" in made.actor
    with pytest.raises(NotRefundable):
        giving_back.confirm(asked=asked, by=User.objects.get(email="second@staff.example"))
    assert Refund.objects.count() == 1


def test_a_refund_in_small_pieces_passes_the_limit_all_the_same(bells, monkeypatch, settings):
    settings.REFUND_FOUR_EYES = 500
    order = delivered(bells, monkeypatch)
    client = enter(staff())
    post(client, "refund", order, amount="3", reason="late", note="x")
    post(client, "refund", order, amount="3", reason="late", note="x")
    assert [refund.amount for refund in Refund.objects.all()] == [300]
    assert RefundRequest.objects.get().amount == 300
    answer = post(enter(second_person()), "confirm", order, verdict="decline", reason="Once is enough.")
    assert "Declined" in answer.content.decode()
    assert Refund.objects.count() == 1
    assert Audit.objects.get(verb="refund.declined").reason == "Once is enough."


def test_a_declined_request_needs_a_reason_and_only_who_may_decides(bells, monkeypatch, settings):
    settings.REFUND_FOUR_EYES = 1
    order = delivered(bells, monkeypatch)
    post(enter(staff()), "refund", order, amount="3", reason="late", note="x")
    support = enter(one_of(Role.SUPPORT))
    assert support.post(page("confirm", order), {"key": new_key(), "verdict": "confirm"}).status_code == 403
    answer = post(enter(one_of(Role.FINANCE)), "confirm", order, verdict="decline")
    assert "Please say why" in answer.content.decode()
    post(enter(one_of(Role.FINANCE)), "confirm", order, verdict="confirm")
    assert Refund.objects.get().amount == 300


def test_the_amount_is_proposed_from_the_facts(bells, monkeypatch):
    order = delivered(bells, monkeypatch)
    assert amends.propose(order).amount == 0
    Order.objects.filter(pk=order.pk).update(promised_at=order.ended_at - dt.timedelta(hours=30))
    order = Order.objects.get(pk=order.pk)
    proposal = amends.propose(order)
    assert (proposal.amount, proposal.reason) == (round(order.amount * 0.25), "late")
    shown = enter(staff()).get(page("refund", order)).content.decode()
    assert "Late by 1 day" in shown
    assert f'value="{proposal.amount / 100:.2f}"' in shown
    giving_back.give_back(order=order, amount=proposal.amount, reason="late", note="x", by=staff(), key=new_key())
    assert amends.propose(order).amount == 0, "what went back already counts"


def test_rules_add_up_by_what_happened_and_never_pass_the_price():
    facts = amends.Facts("delivered", dt.timedelta(hours=80), 2, 6, False, False)
    shares = {rule.key: rule.percent(facts) for rule in amends.RULES}
    assert shares == {"no_film": 0, "late": 50, "stood_in": pytest.approx(50 / 3), "writer": 0}
    on_time = amends.Facts("delivered", dt.timedelta(), 0, 6, False, False)
    assert not any(rule.percent(on_time) for rule in amends.RULES)


# --- words and the making ---------------------------------------------------------------------------------------------


def test_a_message_is_looked_at_then_sent_once_and_stays_in_the_timeline(bells):
    order = paid()
    client = enter(staff())
    key = new_key()
    words = {"key": key, "subject": "About\nyour film", "body": "Which name is it?\n<b>Robin</b> or Robyn?"}
    looked = client.post(page("message", order), words | {"step": "look"}).content.decode()
    assert "&lt;b&gt;Robin&lt;/b&gt;" in looked
    assert not Notice.objects.filter(kind="message").exists()
    for _ in range(2):
        client.post(page("message", order), words | {"step": "send"})
    queue.drain(
        bells,
        {"send_notice": jobs.JOBS["send_notice"]} | dict.fromkeys(jobs.JOBS.keys() - {"send_notice"}, lambda pk: None),
    )
    sent = [one for one in mail.outbox if one.subject == "About your film"]
    assert len(sent) == 1
    assert sent[0].to == [order.fan.email]
    assert "Which name is it?" in sent[0].body
    assert "&lt;b&gt;" in sent[0].alternatives[0][0]
    shown = client.get(reverse("admin:orders_order_change", args=[order.pk])).content.decode()
    assert "Which name is it?" in shown


def test_a_paused_making_stands_still_and_goes_on_with_its_time_kept(bells):
    order = paid()
    production = order.productions.get()
    assert Step.objects.due(timezone.now()).filter(production=production).exists()
    client = enter(staff())
    post(client, "pause", order, reason="The fan called.")
    assert not Step.objects.due(timezone.now()).filter(production=production).exists()
    assert not pausing.pause(order=order, by=staff(), reason="again")
    before = production.steps.filter(state="done").count()
    queue.drain(bells, jobs.JOBS)
    engine.sweep()
    queue.drain(bells, jobs.JOBS)
    assert production.steps.filter(state="done").count() == before
    assert [one for one in invariants.broken() if "due since" in one] == []
    step = production.steps.filter(state="ready").first()
    deadline = timezone.now() + dt.timedelta(seconds=100)
    Step.objects.filter(pk=step.pk).update(deadline_at=deadline)
    type(production).objects.filter(pk=production.pk).update(paused_at=timezone.now() - dt.timedelta(seconds=500))
    post(client, "resume", order, reason="All is well.")
    step.refresh_from_db()
    assert step.deadline_at >= deadline + dt.timedelta(seconds=500)
    assert engine.claim(step.pk) is not None
    assert [entry.verb for entry in Audit.objects.order_by("pk")] == ["order.paused", "order.resumed"]


def test_a_paused_orders_money_is_still_settled_when_it_is_cancelled(bells):
    order = paid()
    client = enter(staff())
    post(client, "pause", order, reason="x")
    post(client, "cancel", order, reason="The fan asked.", ending="As you wished.")
    order.refresh_from_db()
    assert (order.state, order.ending) == (OrderState.CANCELLED, "As you wished.")
    assert order.productions.get().state == ProductionState.CANCELLED
    sweeping.sweep_once()
    queue.drain(bells, jobs.JOBS)
    assert order.payments.get().state == PaymentState.CANCELLED
    again = post(client, "cancel", order, reason="x", ending="x")
    assert "had ended already" in again.content.decode()


# --- data -------------------------------------------------------------------------------------------------------------


def test_an_export_holds_every_row_and_every_file(bells, monkeypatch):
    order = delivered(bells, monkeypatch)
    client = enter(staff())
    answer = client.post(page("export", order), {"key": new_key(), "reason": "The fan asked for it."})
    with pytest.warns(Warning, match="asynchronous iterator"):
        whole = b"".join(answer)
    archive = zipfile.ZipFile(io.BytesIO(whole))
    assert archive.testzip() is None
    told = json.loads(archive.read("order.json"))
    assert told["order"][0]["code"] == order.code
    assert told["brief"][0]["notes"] == order.brief.notes
    assert [row["kind"] for row in told["consents"]]
    assert len(told["photos"]) == order.photos.count()
    names = set(archive.namelist()) - {"order.json"}
    assert names == {f"files/{name}" for name in records.housekeeping.known_names({order.code})}
    assert order.payments.get().key not in whole.decode("utf-8", "ignore")
    assert Audit.objects.get(verb="order.exported").reason == "The fan asked for it."


def test_erasing_keeps_the_books_and_nothing_of_the_person(bells, monkeypatch):
    order = delivered(bells, monkeypatch)
    fan, notes, name = order.fan, order.brief.notes, order.brief.name
    files = records.housekeeping.known_names({order.code})
    production = order.productions.get()
    step = production.steps.first()
    Call.objects.create(
        step=step, key="call", provider="x", job="shot", request={"text": notes}, state=CallState.SUCCEEDED, cost=7
    )
    client = enter(staff())
    wrong = post(client, "erase", order, reason="asked", code="K7QF-3M2X")
    assert "not this order’s code" in wrong.content.decode()
    order.refresh_from_db()
    assert order.erased_at is None
    ledger = list(LedgerEntry.objects.values_list("fact", "amount"))
    done = post(client, "erase", order, reason="The fan asked.", code=order.code.lower())
    assert "Erased." in done.content.decode()
    order = Order.objects.get(pk=order.pk)
    assert (order.fan, order.brief.notes, order.brief.name, order.photos.count()) == (None, "", "", 0)
    assert list(LedgerEntry.objects.values_list("fact", "amount")) == ledger
    assert Payment.objects.get(order=order).state == PaymentState.CAPTURED
    assert order.consents.exists()
    assert Delivery.objects.get(order=order).revoked_at is not None
    assert not any(default_storage.exists(one) for one in files)
    assert Call.objects.get(key="call").cost == 7
    client.force_login(fan)
    assert client.get(reverse("pipeline:order", args=[order.code])).status_code == 404
    assert invariants.broken() == []
    everything = json.dumps(
        [[records._plain(row) for row in rows] for rows in records.tables(order).values()], default=str
    )
    for secret in (notes, name, fan.email):
        assert secret not in everything


def test_what_is_being_made_is_not_erased(bells, monkeypatch):
    order = finished(bells, monkeypatch).cut.production.order
    with pytest.raises(records.InUse):
        records.erase(order=order, by=staff(), reason="x")
    order.refresh_from_db()
    assert order.erased_at is None
    assert order.photos.exists()
    delivered_ = Order.objects.filter(pk=order.pk)
    delivered_.update(state=OrderState.FAILED, ended_at=timezone.now())
    order.productions.update(state=ProductionState.FAILED)
    order.payments.update(state=PaymentState.CANCELLED)
    Call.objects.create(
        step=order.productions.get().steps.first(),
        key="k",
        provider="x",
        job="shot",
        request={},
        state=CallState.SUBMITTED,
    )
    with pytest.raises(records.InUse, match="vendor"), transaction.atomic():
        records.erase(order=order, by=staff(), reason="x")


# --- who may ----------------------------------------------------------------------------------------------------------

MAY = {
    "refund": {Role.SUPPORT, Role.FINANCE, Role.ADMIN},
    "message": {Role.SUPPORT, Role.ADMIN},
    "pause": {Role.SUPPORT, Role.ADMIN},
    "resume": {Role.SUPPORT, Role.ADMIN},
    "cancel": {Role.SUPPORT, Role.ADMIN},
    "export": {Role.SUPPORT, Role.ADMIN},
    "erase": {Role.ADMIN},
}


def test_every_action_opens_for_the_roles_of_the_table_and_for_nobody_else(bells):
    order = paid()
    people = {role: enter(one_of(role)) for role in (Role.SUPPORT, Role.FINANCE, Role.ADMIN)}
    creator, fan = enter(order.creator.user), enter(order.fan)
    for name, roles in MAY.items():
        for role, client in people.items():
            wanted = 200 if role in roles else 403
            assert client.get(page(name, order)).status_code == wanted, (name, role)
            assert (
                page(name, order) in client.get(reverse("admin:orders_order_change", args=[order.pk])).content.decode()
            ) <= (role in roles)
        assert creator.get(page(name, order)).status_code == 403, name
        assert fan.get(page(name, order)).status_code == 302, name
