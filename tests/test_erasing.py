"""Erasing an order forgets every word of it: each text of each linked row, but for a short list with reasons."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import pytest
from django.apps import apps
from django.db import models
from django.utils import timezone

from accounts.models import Audit, Creator, User, Voice, VoiceLicence
from billing.models import LedgerEntry, TestCharge, TestRefund
from orders.models import Order, OrderState
from pipeline import records
from pipeline.models import OPEN_CALLS, Call, Production, ProductionState

from . import making
from .desk import World

pytestmark = pytest.mark.django_db(transaction=True)

MARK = "Zenobia"
# People and voices stand before orders; an account has a page of its own where it goes.
OTHERS = (User, Creator, Voice, VoiceLicence)
# What may still say what it said, and why.
KEPT: dict[str, set[str]] = {
    "our own random keys and the gateway's, by which the books are compared": {
        "billing.Payment.key",
        "billing.Payment.external_id",
        "billing.Payment.session",
        "billing.Refund.key",
        "billing.Refund.external_id",
        "billing.TestCharge.key",
        "billing.TestRefund.key",
        "billing.GatewayEvent.event_id",
        "pipeline.RefundRequest.key",
        "pipeline.Production.key",
        "pipeline.Call.key",
        "pipeline.Call.external_id",
        "pipeline.HookEvent.event_id",
    },
    "names of ours for kinds of things, which nobody types": {
        "billing.Payment.gateway",
        "billing.GatewayEvent.gateway",
        "billing.GatewayEvent.kind",
        "billing.GatewayEvent.outcome",
        "billing.TestCharge.status",
        "billing.TestRefund.status",
        "orders.OrderEvent.name",
        "pipeline.Call.name",
        "pipeline.Call.provider",
        "pipeline.Call.model",
        "pipeline.Call.job",
        "pipeline.Call.trouble",
        "pipeline.Event.name",
        "pipeline.Event.stage",
        "pipeline.HookEvent.provider",
        "pipeline.HookEvent.outcome",
        "pipeline.Production.from_stage",
        "pipeline.Production.failed_stage",
        "pipeline.RefundRequest.reason",
        "pipeline.Step.holder",
        "pipeline.Step.stage",
        "pipeline.Step.token",
    },
    "who of us did it, for the audit": {"orders.OrderEvent.actor", "billing.Refund.actor"},
    "fingerprints of films that are gone, by which approvals can still be proved": {
        "pipeline.Cut.sha256",
        "pipeline.Cut.token",
        "pipeline.Review.sha256",
    },
    "the words that everybody agrees to": {"orders.Consent.words"},
    "the order's name in the books": {"orders.Order.code"},
    "written once and never changed, from the above: the database refuses it": {"billing.LedgerEntry.fact"},
    "to which row somebody did something on the desk: of an order, its code": {"accounts.Audit.target_label"},
}
EVERY_KEPT = set(itertools.chain.from_iterable(KEPT.values()))


def linked() -> list[type[models.Model]]:
    """Every model with a way of relations to an order."""
    found: list[type[models.Model]] = [Order]
    more = True
    while more:
        more = False
        for model in apps.get_models():
            if model not in found and model not in OTHERS and model is not Audit:
                leads = [field.related_model for field in model._meta.concrete_fields if field.is_relation]
                if set(leads) & set(found):
                    found.append(model)
                    more = True
    # The till for tests knows payments by their keys.
    return [*found, TestCharge, TestRefund]


def texts(model: type[models.Model]) -> Iterator[models.Field[Any, Any]]:
    """The fields of a model in which somebody's words could stand."""
    for field in model._meta.concrete_fields:
        wide = field.max_length is None or field.max_length >= len(MARK) + 3
        words = isinstance(field, models.CharField | models.TextField) and wide and not field.choices
        if words or isinstance(field, models.JSONField):
            yield field


def filled(order: Order, world: World) -> None:
    """At least one row of every linked model, and the mark in every text of every one."""
    for model in linked():
        row = world.row(model)
        assert model._base_manager.filter(pk=row.pk).exists(), model
        for field in texts(model):
            if model is LedgerEntry:
                continue  # its trigger refuses it; what is written there is made of keys
            for pk in model._base_manager.values_list("pk", flat=True):
                value: Any = f"{MARK}{pk % 1000}"  # with the room that `texts` asks for, however many rows there were
                if isinstance(field, models.JSONField):
                    value = {"said": MARK, MARK: [{"deep": MARK}], "note": MARK}
                models.QuerySet(model).filter(pk=pk).update(**{field.attname: value})
    for target in (order, order.productions.get(), world.review):
        said = {"reason": MARK, "data": {"note": MARK, "amount": 5, "change": {"name": MARK}}}
        Audit.objects.create(
            who="support@films.example",
            verb="order.looked_at",
            target_type=target._meta.label_lower,
            target_pk=str(target.pk),
            target_label=MARK,
            **said,
        )


def remembering() -> set[str]:
    """Every text field of the whole database in which the mark stands, as app.Model.field."""
    found: set[str] = set()
    for model in apps.get_models():
        if model in OTHERS or not model._meta.managed or model._meta.proxy:
            continue
        for field in model._meta.concrete_fields:
            if isinstance(field, models.CharField | models.TextField | models.JSONField):
                values = model._base_manager.values_list(field.attname, flat=True)
                if any(MARK in str(value) for value in values):
                    found.add(f"{model._meta.app_label}.{model.__name__}.{field.name}")
    return found


@pytest.fixture
def order(bells: Any) -> Order:
    """A delivered order with a row of everything, and the mark in all of them."""
    making.creator()
    world = World(Creator.objects.all()[0], "quentin", 7)
    order = world.order
    filled(order, world)
    now = timezone.now()
    Order.objects.filter(pk=order.pk).update(state=OrderState.DELIVERED, ended_at=now)
    Production.objects.update(state=ProductionState.DONE, ended_at=now)
    Call.objects.filter(state__in=OPEN_CALLS).update(state="succeeded")
    order.payments.update(state="captured", captured=2900)
    order.refresh_from_db()
    return order


def test_no_word_of_an_erased_order_is_left_but_what_is_named_here_with_its_reason(order: Order) -> None:
    before = remembering()
    records.erase(order=order, by=User.objects.get(email="staff@videogen.invalid"), reason="asked for")
    after = remembering()
    assert after - EVERY_KEPT == set()
    assert EVERY_KEPT - before - {"billing.LedgerEntry.fact"} == set(), "what is kept was there to be kept"
    assert len(before - after) > 40, "negative control: the mark stood nearly everywhere"


def test_negative_control_every_linked_model_had_a_row_with_the_mark(order: Order) -> None:
    marked = {name.rsplit(".", 1)[0] for name in remembering()}
    silent = {f"{one._meta.app_label}.{one.__name__}" for one in linked() if list(texts(one))} - marked
    assert silent <= {"billing.LedgerEntry"}


def test_what_was_done_on_the_desk_stays_without_what_was_typed(order: Order) -> None:
    records.erase(order=order, by=User.objects.get(email="staff@videogen.invalid"), reason="The fan asked.")
    entries = Audit.objects.filter(verb="order.looked_at")
    assert set(entries.values_list("reason", flat=True)) == {""}
    assert [entry.data for entry in entries] == [{"amount": 5}] * 3
    assert Audit.objects.get(verb="order.erased").reason == "The fan asked."
    other = Audit.objects.create(
        who="x", verb="price.changed", target_type="billing.price", target_pk="1", reason="A word."
    )
    with pytest.raises(ValueError, match="append-only"):
        Audit.objects.filter(pk=other.pk).update(reason="")
