"""Who locks what first: an order's row before all that belongs to it, so that no two wait for each other."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import transaction
from django.db.models import F

from billing.models import Payment
from orders.models import Order
from pipeline.models import Vendor

from . import locks
from .test_refunds import held

pytestmark = pytest.mark.django_db


def touch(order: Order) -> None:
    Payment.objects.filter(order=order).update(looks=F("looks") + 1)


def touch_a_vendor(_order: Order) -> None:
    Vendor.objects.create(name="local-studio")
    Vendor.objects.filter(name="local-studio").update(failures=1)


def miss_the_order(order: Order) -> None:
    Order.objects.filter(pk=order.pk, code="").update(ending="")  # fits no row, and so takes none
    touch(order)


@pytest.mark.parametrize(
    ("first", "taken"),
    [(touch, "billing_payment"), (touch_a_vendor, "pipeline_vendor"), (miss_the_order, "billing_payment")],
)
def test_what_is_taken_before_the_order_is_noticed(
    the_order_first: locks.Watch, first: Callable[[Order], None], taken: str
) -> None:
    order = held()
    with transaction.atomic():
        first(order)
        order.tell("order.paused")
    assert the_order_first.faults == [f"a transaction took {taken}, then orders_order, then orders_orderevent"]
    the_order_first.faults.clear()


def test_rows_of_two_orders_together_are_noticed(the_order_first: locks.Watch) -> None:
    one, other = held(), held()
    with one.locked(), other.locked():
        touch(one)
    assert the_order_first.faults == ["a transaction took the rows of 2 orders"]
    the_order_first.faults.clear()


def test_the_order_first_is_well_and_so_is_one_row_alone(the_order_first: locks.Watch) -> None:
    order = held()
    with order.locked():
        touch(order)
        order.tell("order.paused")
    with transaction.atomic():
        touch(order)
    assert the_order_first.faults == []


def test_what_belongs_to_an_order_is_known_however_far_away(the_order_first: locks.Watch) -> None:
    far = {"billing_refund", "pipeline_step", "pipeline_call", "pipeline_rendition", "pipeline_review"}
    assert far <= the_order_first.tables
    assert not {"accounts_creator", "pipeline_vendor", "billing_ledgerentry"} & the_order_first.tables
