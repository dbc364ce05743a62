"""Money and making, together: held at the till, taken when delivered, released when there is no film."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.core import mail
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.urls import reverse
from django.utils import timezone

from accounts.models import VoiceLicence
from billing import holds, prices, truth
from billing import services as billing
from billing.gateways import chosen
from billing.gateways.base import GatewayError
from billing.gateways.sandbox import SandboxTill
from billing.models import LedgerEntry, Payment, PaymentState
from orders import services as orders
from orders.cashier import NotForSale
from orders.models import Order, OrderState
from pipeline import engine, invariants, jobs, queue, reviewing, sweeping
from pipeline.engine import DONE, StageFailed
from pipeline.models import Delivery, Notice, Production, ProductionState
from pipeline.stages import delivery

from . import locks, making
from .board import Died, Stages, run
from .test_review import finished

pytestmark = pytest.mark.django_db(transaction=True)


def sweep(bells):
    """Sweep, and answer the bells that money rang."""
    sweeping.sweep_once()
    for bell in [bell for bell in bells if bell[0] in ("settle_order", "look_at_payment", "send_refund")]:
        bells.remove(bell)
        jobs.JOBS[bell[0]](bell[1])


@pytest.fixture
def payment():
    return billing.begin_payment(order=making.draft())


def test_a_second_click_gets_the_same_payment(payment):
    assert billing.begin_payment(order=payment.order).pk == payment.pk


def test_a_film_that_became_longer_in_that_moment_has_the_longer_ones_price():
    order = making.draft()
    short = billing.begin_payment(order=order)
    with locks.before(lambda: orders.describe(order=Order.objects.get(pk=order.pk), seconds=60)):
        long = billing.begin_payment(order=order)
    price = prices.price_for(creator=order.creator, seconds=60, occasion=order.brief.occasion)
    assert (long.amount, order.amount) == (price.amount, price.amount)
    assert short.amount < long.amount


def test_paying_holds_the_amount_places_the_order_and_begins_the_film_once(payment):
    billing.pay(payment=payment, card="good")
    billing.pay(payment=Payment.objects.get(pk=payment.pk), card="good")
    payment.refresh_from_db()
    payment.order.refresh_from_db()
    assert payment.state == PaymentState.AUTHORIZED
    assert payment.order.state == OrderState.PLACED
    assert payment.order.brief.frozen_at is not None
    assert Production.objects.filter(order=payment.order).count() == 1
    assert not LedgerEntry.objects.exists()


def test_a_declined_card_changes_nothing_and_says_so(payment):
    with pytest.raises(GatewayError) as refused:
        billing.pay(payment=payment, card="declined")
    assert "Nothing was taken" in refused.value.fan
    payment.order.refresh_from_db()
    assert payment.order.is_draft
    billing.pay(payment=payment, card="good")
    assert Payment.objects.get(pk=payment.pk).state == PaymentState.AUTHORIZED


def test_an_order_that_lost_a_photo_since_cannot_be_paid_and_holds_nothing(payment):
    orders.remove_photo(order=payment.order, token=payment.order.photos.first().token)
    with pytest.raises(NotForSale):
        billing.pay(payment=Payment.objects.get(pk=payment.pk), card="good")
    assert Payment.objects.get(pk=payment.pk).state == PaymentState.CREATED


def test_a_draft_that_changes_between_the_click_and_the_hold_gets_its_money_back(payment, monkeypatch):
    def gone(**kwargs):
        raise orders.NotADraft("gone")

    monkeypatch.setattr(orders, "place", gone)
    with pytest.raises(NotForSale):
        billing.pay(payment=payment, card="good")
    assert Payment.objects.get(pk=payment.pk).state == PaymentState.CANCELLED


def test_a_film_that_fails_releases_the_money_and_writes_to_the_fan(payment, bells, monkeypatch):
    billing.pay(payment=payment, card="good")

    def impossible(work):
        raise StageFailed("broken", fan="We could not make this film.")

    monkeypatch.setattr(engine, "stage_of", lambda key: impossible)
    queue.drain(bells, jobs.JOBS)
    payment.refresh_from_db()
    assert payment.state == PaymentState.CANCELLED
    assert [message.to for message in mail.outbox] == [[payment.order.fan.email]]
    assert "We could not make this film." in mail.outbox[0].body
    assert Notice.objects.get().sent_at is not None
    assert invariants.broken() == []


def test_the_sweep_settles_money_that_a_crash_left_held(payment, bells):
    billing.pay(payment=payment, card="good")
    Production.objects.update(state=ProductionState.DONE)
    payment.order.move(OrderState.PLACED, OrderState.DELIVERED)
    sweep(bells)
    payment.refresh_from_db()
    assert payment.state == PaymentState.CAPTURED
    assert sum(LedgerEntry.objects.values_list("amount", flat=True)) == 0
    billing.settle(order=payment.order)
    assert set(LedgerEntry.objects.values_list("fact", flat=True)) == {
        f"charge:{payment.key}",
        f"share:{payment.key}",
    }
    assert LedgerEntry.objects.count() == 4


def test_cancelling_stops_the_film_and_releases_the_money(payment, monkeypatch, bells):
    billing.pay(payment=payment, card="good")
    orders.cancel(order=payment.order)
    sweep(bells)
    payment.refresh_from_db()
    assert payment.state == PaymentState.CANCELLED
    assert Production.objects.get().state == ProductionState.CANCELLED
    monkeypatch.setattr(engine, "stage_of", lambda key: lambda work: DONE)
    assert engine.sweep() == 0


def test_the_till_is_for_its_fan_only_and_pays_once(payment, client):
    address = reverse("billing:till", args=[payment.key])
    assert client.get(address).status_code == 302  # to sign in
    client.force_login(making.fan("stranger@films.example"))
    assert client.get(address).status_code == 404
    client.force_login(payment.order.fan)
    assert client.get(address).status_code == 200
    refused = client.post(address, {"card": "declined"}, follow=True)
    assert "The bank declined this card" in refused.content.decode()
    film = reverse("pipeline:order", args=[payment.order.code])
    for _ in range(2):
        assert client.post(address, {"card": "good"})["Location"] == film
    assert client.get(address)["Location"] == film
    assert Payment.objects.filter(state=PaymentState.AUTHORIZED).count() == 1


def test_the_sandbox_till_is_closed_in_production_and_says_so_kindly(payment, settings, client):
    settings.PRODUCTION = True
    with pytest.raises(ImproperlyConfigured, match="closed in production"):
        chosen.gateway()
    with pytest.raises(NotForSale):
        billing.begin_payment(order=payment.order)
    client.force_login(payment.order.fan)
    answer = client.post(reverse("billing:till", args=[payment.key]), {"card": "good"}, secure=True, follow=True)
    assert "Nothing was taken." in answer.content.decode()
    payment.refresh_from_db()
    assert payment.state == PaymentState.CREATED


@pytest.mark.parametrize("point", ["payment.after_hold", "payment.after_place"])
def test_a_worker_that_dies_while_the_fan_pays_costs_neither_order_nor_money(payment, monkeypatch, point):
    def die(name):
        if name == point:
            raise Died(name)

    with monkeypatch.context() as patch:
        for module in (billing, truth, holds):
            patch.setattr(module, "faultpoint", die)
        with pytest.raises(Died):
            billing.pay(payment=payment, card="good")
    again = billing.begin_payment(order=payment.order) if payment.order.is_draft else payment
    billing.pay(payment=Payment.objects.get(pk=again.pk), card="good")
    payment.order.refresh_from_db()
    assert payment.order.state == OrderState.PLACED
    assert Payment.objects.filter(state=PaymentState.AUTHORIZED).count() == 1
    assert Production.objects.count() == 1
    assert invariants.broken() == []


@pytest.mark.parametrize("ready", [True, False])
def test_money_held_for_a_draft_places_it_or_is_released_by_the_sweep(payment, ready, bells):
    order = payment.order
    payment.move(PaymentState.CREATED, PaymentState.AUTHORIZED, authorized_at=timezone.now() - timedelta(minutes=5))
    if not ready:
        orders.agree(order=order, kinds=[])
    assert any("was not placed" in sentence for sentence in invariants.broken())
    sweep(bells)
    order.refresh_from_db()
    payment.refresh_from_db()
    wanted = (OrderState.PLACED, PaymentState.AUTHORIZED) if ready else (OrderState.DRAFT, PaymentState.CANCELLED)
    assert (order.state, payment.state) == wanted
    assert not any("was not placed" in sentence for sentence in invariants.broken())


def test_a_hold_whose_payment_was_closed_meanwhile_is_given_back(payment, monkeypatch):
    released = []
    real = SandboxTill.hold
    monkeypatch.setattr(SandboxTill, "release", lambda self, payment: released.append(payment.external_id))

    def slow(self, payment, card):
        real(self, payment, card)
        Payment.objects.filter(pk=payment.pk).update(state=PaymentState.EXPIRED)

    monkeypatch.setattr(SandboxTill, "hold", slow)
    with pytest.raises(NotForSale):
        billing.pay(payment=payment, card="good")
    assert released == [f"sandbox-{payment.key}"]
    payment.order.refresh_from_db()
    assert payment.order.is_draft


def test_a_gateway_that_is_away_delays_the_money_and_neither_the_film_nor_the_mail(payment, bells, monkeypatch):
    billing.pay(payment=payment, card="good")
    order = payment.order

    def away(self, payment):
        raise GatewayError("no answer", fan="")

    monkeypatch.setattr(SandboxTill, "capture", away)
    stages = Stages()
    monkeypatch.setattr(engine, "stage_of", lambda key: delivery.run if key == "delivery" else stages.of(key))
    monkeypatch.setattr(delivery, "_deliver", lambda work: orders.finish(order=work.order, state=OrderState.DELIVERED))
    with time_machine.travel(timezone.now(), tick=False) as clock:
        run(bells, clock.shift)
    assert Production.objects.get().state == ProductionState.DONE
    assert Notice.objects.get(order=order).kind == "ready"
    payment.refresh_from_db()
    assert payment.state == PaymentState.AUTHORIZED
    sweep(bells)  # the gateway is still away: nothing breaks
    monkeypatch.undo()
    sweep(bells)
    payment.refresh_from_db()
    assert payment.state == PaymentState.AUTHORIZED, "it is left alone for a minute"
    Payment.objects.update(look_at=timezone.now())
    sweep(bells)  # how things stand is read, and then it is taken
    sweep(bells)
    payment.refresh_from_db()
    assert payment.state == PaymentState.CAPTURED


def test_invariants_command_says_what_is_broken(payment, capsys):
    billing.pay(payment=payment, card="good")
    call_command("invariants")
    Production.objects.all().update(state=ProductionState.DONE)
    with pytest.raises(SystemExit):
        call_command("invariants")
    assert "is placed and nothing is being made" in capsys.readouterr().out


def approved_without_a_licence(bells, monkeypatch):
    """A film that was made and waits for the creator, whose licence ends before they say yes."""
    review = finished(bells, monkeypatch)
    VoiceLicence.objects.update(revoked_at=timezone.now())
    reviewing.decide(review=review, approve=True, by=None, sha256=review.sha256)
    queue.drain(bells, jobs.JOBS)
    return Order.objects.get()


def test_a_licence_that_ends_on_the_way_ends_the_order_and_lets_the_money_go(bells, monkeypatch):
    order = approved_without_a_licence(bells, monkeypatch)
    assert (order.state, Payment.objects.get().state) == (OrderState.FAILED, PaymentState.CANCELLED)
    assert "licence" in order.ending
    assert not Delivery.objects.exists()


def test_negative_control_without_the_look_at_the_licence_the_film_goes_out(bells, monkeypatch):
    monkeypatch.setattr(delivery, "_ask_the_licence", lambda work: None)
    order = approved_without_a_licence(bells, monkeypatch)
    assert order.state == OrderState.DELIVERED
    assert any("without a licence" in says for says in invariants.i6_delivered_means_whole())


def test_a_site_that_takes_money_at_once_does_not_say_that_it_holds_it(payment, settings, client):
    client.force_login(payment.order.fan)
    pages = ["/", reverse("orders:summary", args=[payment.order.code]), reverse("billing:till", args=[payment.key])]
    assert all("held" in client.get(page).content.decode() for page in pages), "negative control"
    settings.CAPTURE_AT_ONCE = True
    assert [page for page in pages if "held" in client.get(page).content.decode()] == []
