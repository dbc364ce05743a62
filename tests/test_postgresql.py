"""PostgreSQL beside SQLite: what concurrency could break is tried again."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from . import postgres

pytestmark = pytest.mark.slow

# Whatever is raced for, the calls with their slots and budgets, the bells. TEST_DATABASE_URL runs any other test there.
AGAIN = (
    "test_races",
    "test_money_races",
    "test_money_controls",
    "test_creators_races",
    "test_calls",
    "test_call_troubles",
    "test_call_budgets",
    "test_call_late",
    "test_hooks",
    "test_books_desk",
    "test_reconcile",
    "test_reviewing",
)
# Of longer modules what asks the database in ways in which databases differ.
OF_OTHERS = (
    "test_creators_money.py::test_a_month_lists_films_refunds_and_payouts_with_the_balance_after_each",
    "test_creators_money.py::test_a_month_is_closed_a_day_after_it_is_over_and_once",
    "test_creators_money.py::test_a_statement_that_does_not_add_up_is_refused_by_the_database",
    "test_creators_money.py::test_what_was_paid_out_and_refunded_later_is_carried_over",
    "test_creators_money.py::test_margins_by_day_and_creator_leave_payouts_out_and_name_empty_days",
    "test_creators_money.py::test_many_orders_margins_are_two_queries",
    "test_order_desk.py::test_a_sale_that_left_little_is_found_by_its_margin",
    "test_many.py::test_what_is_made_is_plausible_and_twice_is_twice",
    "test_erasing.py",
)


@pytest.fixture(scope="module")
def database() -> Iterator[str]:
    with postgres.running() as server:
        yield server.url


def test_what_holds_on_sqlite_holds_on_postgresql(database: str):
    wanted = (*(f"{module}.py" for module in AGAIN), *OF_OTHERS)
    postgres.run_python("-m", "pytest", *(f"tests/{name}" for name in wanted), TEST_DATABASE_URL=database)
