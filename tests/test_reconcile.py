"""Comparing books: nothing to say where they agree, and each kind of difference is a sentence of its own."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.utils import timezone

from billing import payouts, reconcile, truth
from billing import services as billing
from billing.gateways.base import Line, Sent, Stand
from billing.gateways.sandbox import SandboxTill
from billing.models import Payment, PaymentState, Payout, PayoutState, Reconciliation, Refund, RefundState
from orders.models import OrderState
from pipeline import jobs
from pipeline.models import Checkup

from . import making
from .test_refunds import answer, back, taken

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def books(bells: Any, settings: Any) -> Payment:
    """A film that was taken, of which a part went back, and of whose share the creator was paid; the books agree."""
    settings.PAYOUT_MINIMUM, settings.REFUND_WINDOW_DAYS = 1, 0
    settings.GATEWAY_FEE_POINTS = 150
    order = taken()
    back(order, 700)
    answer(bells)
    truth.look(Payment.objects.get())
    assert [one.state for one in payouts.run()] == [PayoutState.PAID]
    long_ago = timezone.now() - dt.timedelta(days=2)
    Payment.objects.update(created_at=long_ago)
    Payout.objects.update(created_at=long_ago)
    found = reconcile.compare("sandbox")
    assert (found.compared, found.mended, found.differences) == (1, [], [])
    return Payment.objects.get()


def lists(monkeypatch: pytest.MonkeyPatch, name: str, change: Callable[[list[Any]], list[Any]]) -> None:
    """Have the till list other books than its own."""
    real = getattr(SandboxTill, name)

    def told(self: SandboxTill, since: dt.datetime) -> Iterator[Any]:
        return iter(change(list(real(self, since))))

    monkeypatch.setattr(SandboxTill, name, told)


def other(**values: Any) -> Callable[[list[Any]], list[Any]]:
    """Every line with these values; a function makes one of what the line has."""

    def change(lines: list[Any]) -> list[Any]:
        return [
            dataclasses.replace(line, **{n: v(getattr(line, n)) if callable(v) else v for n, v in values.items()})
            for line in lines
        ]

    return change


MORE = (1).__add__


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (other(stand=Stand.GONE), "it is gone there and captured here"),
        (other(stand=Stand.HELD), "it is held there and captured here"),
        (other(currency="USD"), "its currency is USD there and EUR here"),
        (other(captured=MORE), "was taken there"),
        (other(back=MORE), "went back there"),
        (other(fee=MORE), "was kept there as its fee"),
        (other(key="nobody's", external_id="ch_1"), "we know nothing of it"),
        (lambda lines: [], "not listed there"),
    ],
)
def test_what_the_gateway_lists_otherwise_is_a_difference(
    change: Callable[[list[Any]], list[Line]], says: str, books: Payment, monkeypatch: pytest.MonkeyPatch
) -> None:
    lists(monkeypatch, "books", change)
    found = reconcile.compare("sandbox")
    assert found.mended == []
    # A line that is not ours leaves ours without one.
    assert [says in sentence for sentence in found.differences] == [True] + [False] * (len(found.differences) - 1)
    assert len(found.differences) == (2 if says == "we know nothing of it" else 1)
    assert found.differences[0].startswith("ch_1" if "we know" in says else str(books))


def test_another_shops_payment_on_the_same_account_is_none(books: Payment, monkeypatch: pytest.MonkeyPatch) -> None:
    theirs = Line("", "ch_theirs", Stand.TAKEN, 100, "EUR", 100, 0)
    lists(monkeypatch, "books", lambda lines: [*lines, theirs])
    assert reconcile.compare("sandbox").differences == []


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda: Payment.objects.update(captured=1), "1 was taken as its row says"),
        (lambda: Payment.objects.update(fee=1), "1 is said here"),
        (lambda: Payment.objects.update(fee=1), "1 was kept as its fee as its row says"),
        (lambda: Refund.objects.update(state=RefundState.CREATED), "0 went back as its refunds say"),
        (lambda: Refund.objects.update(amount=699), "699 went back as its refunds say"),
        (lambda: Refund.objects.update(key="lost"), "is in the ledger"),
        (lambda: Payment.objects.update(state=PaymentState.EXPIRED, captured=0), "here"),
    ],
)
def test_a_row_that_is_not_what_the_ledger_says_is_a_difference_or_put_right(
    change: Callable[[], Any], says: str, books: Payment
) -> None:
    change()
    found = reconcile.compare("sandbox")
    assert any(says in sentence for sentence in (*found.differences, *found.mended))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (other(amount=MORE), "EUR was sent there"),
        (other(currency="USD"), "USD was sent there"),
        (other(back=5), "5 of it was taken back there"),
        (other(key="nobody's", external_id="tr_1"), "the transfer tr_1 is at sandbox under our name"),
        (lambda lines: [*lines, *lines], "it was sent there more than once"),
        (lambda lines: [], "is paid here, and not listed there"),
    ],
)
def test_what_creators_were_sent_otherwise_is_a_difference(
    change: Callable[[list[Any]], list[Sent]], says: str, books: Payment, monkeypatch: pytest.MonkeyPatch
) -> None:
    lists(monkeypatch, "sent", change)
    found = reconcile.compare("sandbox")
    assert says in found.differences[0]
    assert len(found.differences) == (2 if says.startswith("the transfer") else 1)


def test_a_transfer_without_our_name_is_none_of_ours(books: Payment, monkeypatch: pytest.MonkeyPatch) -> None:
    lists(monkeypatch, "sent", lambda lines: [*lines, Sent("", "tr_theirs", 100, "EUR", 0)])
    assert reconcile.compare("sandbox").differences == []


def test_a_payout_that_failed_here_and_went_there_is_a_difference(
    books: Payment, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = list(SandboxTill().sent(timezone.now() - dt.timedelta(days=9)))
    Payout.objects.update(state=PayoutState.FAILED)
    monkeypatch.setattr(SandboxTill, "sent", lambda self, since: iter(sent))
    [sentence] = reconcile.compare("sandbox").differences
    assert "it was sent there and has failed here" in sentence


def test_a_payout_that_is_not_in_the_ledger_is_a_difference(books: Payment) -> None:
    Payout.objects.update(key="written by nobody")
    [sentence] = reconcile.compare("sandbox").differences
    assert "0 is in the ledger" in sentence


def test_news_that_never_came_is_put_right_and_no_difference(bells: Any) -> None:
    order = making.draft()
    payment = billing.begin_payment(order=order)
    billing.checkout(payment=payment)
    SandboxTill().hold(payment, "good")
    found = reconcile.compare("sandbox")
    assert found.differences == []
    assert "it is held there and created here" in found.mended[0]
    order.refresh_from_db()
    assert order.state == OrderState.PLACED


def test_the_daily_comparison_keeps_every_difference_for_the_desk_and_the_log(
    books: Payment, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    lists(monkeypatch, "books", other(captured=MORE, fee=MORE))
    lists(monkeypatch, "sent", other(back=5))
    jobs.JOBS["compare_books"](0)
    row = Reconciliation.objects.get()
    assert len(row.differences) == 3
    assert all(sentence in caplog.text for sentence in row.differences)
    assert Checkup.objects.get().found == row.differences
