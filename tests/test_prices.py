"""Prices: per creator, occasion and length, with their history; orders keep the one they were begun with."""

from __future__ import annotations

import pytest

from billing import prices
from billing import services as billing
from billing.models import Price
from orders import cashier, drafts
from orders.choices import Length, Occasion

from . import making

pytestmark = pytest.mark.django_db(transaction=True)


def amount(**words):
    found = prices.price_for(creator=making.creator(), seconds=20, **words)
    return found and found.amount


def test_an_occasions_own_price_goes_before_the_one_for_every_occasion():
    everywhere = amount()
    prices.change(creator=making.creator(), seconds=20, occasion=Occasion.WEDDING, amount=9900)
    assert amount(occasion=Occasion.WEDDING) == 9900
    assert amount(occasion=Occasion.BIRTHDAY) == everywhere == amount()


def test_an_order_for_a_wedding_is_paid_at_the_weddings_price():
    order = making.draft()
    prices.change(creator=order.creator, seconds=20, occasion=order.brief.occasion, amount=9900)
    assert drafts.prices(order.creator, order.brief.occasion)[Length.SHORT].amount == 9900
    assert cashier.price(order.creator, 20) != cashier.price(order.creator, 20, order.brief.occasion)
    assert billing.begin_payment(order=order).amount == 9900


def test_changing_a_price_ends_the_old_one_at_the_moment_the_new_one_begins():
    creator = making.creator()
    before = prices.price_for(creator=creator, seconds=20)
    new = prices.change(creator=creator, seconds=20, amount=before.amount + 500)
    before.refresh_from_db()
    assert before.ends_at == new.starts_at
    assert new.pk != before.pk
    assert amount() == before.amount + 500
    assert Price.objects.filter(creator=creator, seconds=20, ends_at=None).count() == 1


def test_changing_a_price_to_itself_changes_nothing():
    before = Price.objects.count()
    found = prices.price_for(creator=making.creator(), seconds=20)
    before = Price.objects.count()
    assert prices.change(creator=found.creator, seconds=20, amount=found.amount) == found
    assert Price.objects.count() == before


def test_an_order_keeps_the_price_it_was_paid_at_whatever_the_price_becomes():
    order = making.draft()
    payment = billing.begin_payment(order=order)
    billing.pay(payment=payment, card="good")
    prices.change(creator=order.creator, seconds=20, amount=payment.amount + 1000)
    order.refresh_from_db()
    payment.refresh_from_db()
    assert order.amount == payment.amount != amount()


def test_a_length_whose_price_has_ended_is_not_for_sale_and_ends_once():
    found = prices.price_for(creator=making.creator(), seconds=20)
    assert [prices.end(price=found), prices.end(price=found)] == [True, False]
    assert amount() is None


def test_a_price_no_gateway_takes_is_refused():
    with pytest.raises(ValueError, match="gateway"):
        prices.change(creator=making.creator(), seconds=20, amount=49)
    assert amount() > 49
