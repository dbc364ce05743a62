"""Every address of the site, as everyone who may come: a new address without a row here fails the test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.test import Client
from django.urls import NoReverseMatch, URLPattern, URLResolver, get_resolver, reverse

from accounts.models import User
from billing import services as billing
from orders.models import Order, OrderState

from . import making

pytestmark = pytest.mark.django_db

ROLES = ("nobody", "another fan", "owner", "creator", "another creator", "staff")
# What a GET is answered with, in the order of ROLES. 302 leads to the sign-in or, for a draft, to its next screen.
OPEN = (200,) * 6
OWNERS = (404, 404, 200, 404, 404, 404)
POST_ONLY = (404, 404, 405, 404, 404, 404)
TABLE: dict[str, tuple[int, ...]] = {
    "home": OPEN,
    "favicon": (302,) * 6,
    "creators:show": OPEN,
    "orders:mine": OPEN,
    "orders:begin": (302,) * 6,  # a GET leads to the creator's page
    "orders:begin_again": (405,) * 6,  # what a POST does has its own tests
    "orders:for_whom": OWNERS,
    "orders:photos": OWNERS,
    "orders:photo_list": OWNERS,
    "orders:story": OWNERS,
    "orders:summary": OWNERS,
    "orders:photo_add": (404, 404, 302, 404, 404, 404),  # a GET leads back to the photos
    "orders:photo_sort": POST_ONLY,
    "orders:photo_remove": POST_ONLY,
    "orders:photo_ticket": POST_ONLY,
    "orders:photo_arrived": POST_ONLY,
    "billing:till": (302, 404, 200, 404, 404, 404),
    "billing:back": (302, 404, 302, 404, 404, 404),  # nothing paid yet: back to the order
    # A placed order's page is also for the creator whose voice it is, and for staff.
    "pipeline:order": (404, 404, 200, 200, 404, 200),
    "pipeline:progress": (404, 404, 200, 200, 404, 200),
    "pipeline:words": (404, 404, 404, 404, 404, 404),  # no film yet; a delivered one's have their own tests
    "pipeline:version": (405,) * 6,
    "billing:stripe_hook": (405,) * 6,
    "hooks:vendor": (405,) * 6,  # what a POST does has its own tests
    "hooks:call": (405,) * 6,
    "pipeline:media": (404,) * 6,  # a forged link; real ones have their own tests
}
# Addresses that other packages bring, by the beginning of their names.
BROUGHT = {
    "account_": "allauth's sign-in",
    "mfa_": "allauth's second factor; tests/test_second_factor.py",
    "admin:": "the desk; walked below",
    "djdt": "",
    "rq_": "the queue's dashboard",
}
# What a creator may open on the desk.
CREATORS_DESK = {
    "admin:index",
    "admin:login",
    "admin:logout",
    "admin:password_change",
    "admin:password_change_done",
    "admin:jsi18n",
    "admin:autocomplete",
    "admin:app_list",
    "admin:view_on_site",
    *(
        f"admin:{model}_{page}"
        for model in (
            "accounts_creator",
            "accounts_voice",
            "orders_order",
            "billing_price",
            "billing_statement",
            "billing_payout",
        )
        for page in ("changelist", "change", "history")
    ),
    "admin:billing_price_add",
    "admin:billing_statement_month",
    "admin:billing_statement_csv",
    "admin:billing_payoutaccount_mine",
    "admin:pipeline_review_changelist",
    "admin:pipeline_review_change",
    "admin:pipeline_review_history",
    "admin:review_next",
    "admin:review_green",
    "admin:review_plan",
}


def names(resolver: URLResolver, prefix: str = "") -> Iterator[str]:
    """The names of all addresses, with their namespaces."""
    for pattern in resolver.url_patterns:
        if isinstance(pattern, URLResolver):
            yield from names(pattern, f"{prefix}{pattern.namespace}:" if pattern.namespace else prefix)
        elif isinstance(pattern, URLPattern) and pattern.name:
            yield prefix + pattern.name


ALL = sorted(set(names(get_resolver())))


@pytest.fixture
def order() -> Order:
    return making.draft()


@pytest.fixture
def placed() -> Order:
    made = making.draft(by=making.fan("fan2@films.example"))
    billing.pay(payment=billing.begin_payment(order=made), card="good")
    made.refresh_from_db()
    assert made.state == OrderState.PLACED
    return made


def who(role: str, order: Order) -> User | None:
    return {
        "nobody": None,
        "another fan": making.fan("stranger@films.example"),
        "owner": order.fan,
        "creator": order.creator.user,
        "another creator": User.objects.filter(creator__isnull=False).exclude(pk=order.creator.user_id).first(),
        "staff": User.objects.get(email="staff@videogen.invalid"),
    }[role]


def address_of(name: str, draft: Order, placed: Order) -> str:
    order = placed if name.startswith("pipeline:") else draft
    arguments = {
        "creators:show": [order.creator.slug],
        "orders:begin": [order.creator.slug],
        "orders:photo_remove": [order.code, order.photos.all()[0].token],
        "pipeline:media": ["forged", "film.mp4"],
        "pipeline:words": [order.code, "srt"],
        "hooks:vendor": ["higgsfield"],
        "hooks:call": ["higgsfield", "forged"],
    }
    if name in ("billing:till", "billing:back"):
        return reverse(name, args=[billing.begin_payment(order=order).key])
    if name in ("home", "favicon", "orders:mine", "billing:stripe_hook"):
        return reverse(name)
    return reverse(name, args=arguments.get(name, [order.code]))


def test_every_address_has_a_row():
    ours = [name for name in ALL if not name.startswith(tuple(BROUGHT))]
    assert sorted(ours) == sorted(TABLE), "write down who may open the new address"


def clients(order: Order) -> dict[str, Client]:
    """A browser for each role, signed in."""
    made = {}
    for role in ROLES:
        made[role] = Client()
        user = who(role, order)
        if user is not None:
            made[role].force_login(user)
    return made


@pytest.mark.slow
@pytest.mark.parametrize("group", ["drafts", "films"])
def test_everyone_gets_what_the_table_says(group, order, placed):
    films = group == "films"
    browsers = clients(placed if films else order)
    wrong = []
    for name, wanted in TABLE.items():
        if name.startswith("pipeline:") is not films:
            continue
        address = address_of(name, order, placed)
        answers = tuple(browsers[role].get(address).status_code for role in ROLES)
        if answers != wanted:
            wrong.append((name, dict(zip(ROLES, answers, strict=True))))
    assert wrong == []


def desk_address(name: str) -> str:
    for arguments in ([], [1], ["accounts"] if name == "admin:app_list" else [1, 1]):
        try:
            return reverse(name, args=arguments)
        except NoReverseMatch:
            continue
    raise AssertionError(f"{name} cannot be reached: say how in this test")


@pytest.mark.slow
def test_the_desk_is_closed_to_fans_and_narrow_for_creators(order):
    browsers = clients(order)
    desk = [name for name in ALL if name.startswith("admin:")]
    assert len(desk) > 50
    opened = []
    for name in desk:
        address = desk_address(name)
        for role in ("nobody", "another fan", "owner"):
            status = browsers[role].get(address).status_code
            if status not in (302, 404) and name not in ("admin:login", "admin:jsi18n", "admin:logout"):
                opened.append((name, role, status))
        if name not in CREATORS_DESK and browsers["creator"].get(address).status_code not in (302, 403, 404, 405):
            opened.append((name, "creator", 200))
        if name == "admin:logout":
            browsers["creator"].force_login(order.creator.user)
    assert opened == []
