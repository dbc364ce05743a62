"""What the tests of the fan's pages share: a creator with a price, a fan, an order in any state, and a clean page."""

from __future__ import annotations

import dataclasses
import datetime as dt
import re

import pytest
from django.template.loader import render_to_string
from django.test import Client
from django.utils import timezone

from accounts.models import Creator, User, Voice, VoiceLicence
from billing.models import Payment, Price
from orders import drafts
from orders.models import Brief, Order, OrderState
from pipeline.progress import Film, Frame, Progress, StageLine

INLINE = re.compile(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=|javascript:", re.IGNORECASE)
IDS = re.compile(r'\sid="([^"]+)"')
FINAL = ("delivered", "failed", "refused", "cancelled")


def make_creator(slug: str = "mira", **values) -> Creator:
    """A creator with a voice, a licence for everything and one price."""
    values = {
        "name": "Mira Solveig Lark",
        "tagline": "Tells it warmly",
        "bio": "Drawn.",
        "approval": "automatic",
    } | values
    creator = Creator.objects.create(slug=slug, **values)
    voice = Voice.objects.create(creator=creator, provider_voice=slug)
    VoiceLicence.objects.create(voice=voice, starts_on=dt.date(2020, 1, 1), terms="All of it.")
    Price.objects.create(creator=creator, seconds=30, amount=1900)
    return creator


@pytest.fixture
def creator() -> Creator:
    return make_creator()


@pytest.fixture
def fan() -> User:
    return User.objects.create_user("eileen@example.org")


@pytest.fixture
def fan_client(fan: User) -> Client:
    client = Client()
    client.force_login(fan, backend="django.contrib.auth.backends.ModelBackend")
    return client


def make_order(creator: Creator, fan: User, state: str = OrderState.PLACED, name: str = "Eileen") -> Order:
    """An order of this fan in this state."""
    placed = None if state == OrderState.DRAFT else timezone.now() - dt.timedelta(seconds=90)
    order = Order.objects.create(creator=creator, fan=fan, state=state, amount=1900, currency="EUR", placed_at=placed)
    Brief.objects.create(order=order, name=name)
    return order


def make_progress(state: str = "making", **values) -> Progress:
    """What the board might say of an order in this state."""
    stages = [StageLine("photos", "Looking at your photos", "done", 1, 1, 0.4)]
    stages.append(StageLine("narration", "Reading it aloud", "now", 2, 6, None))
    frames = [Frame(1, "Eileen, today is yours.", "/t/1.jpg", True, False), Frame(2, "", "", False, False)]
    film = Film(
        "/m/film.mp4", "/d/film.mp4", "/m/p.jpg", "/m/c.vtt", ["Eileen, today is yours."], 1080, 1920, 31.6, 9_000_000
    )
    made = Progress(
        code="ABCD",
        version=3,
        state=state,
        sentence="The story for Eileen is being written.",
        detail="About an hour.",
        percent=42,
        eta=(20, 40),
        elapsed=47,
        stages=stages,
        frames=frames,
        preview=None,
        film=film if state == "delivered" else None,
    )
    return dataclasses.replace(made, **values)


def fragment(order: Order, progress: Progress, **more) -> str:
    context = {"order": order, "brief": order.brief, "creator": order.creator, "progress": progress, **more}
    return render_to_string("pipeline/_progress.html", context)


def clean(html: str) -> str:
    """The page, having checked that nothing in it is inline and no id comes twice."""
    assert not INLINE.findall(html)
    ids = IDS.findall(html)
    assert len(ids) == len(set(ids))
    return html


def page(client: Client, address: str, status: int = 200) -> str:
    answer = client.get(address)
    assert answer.status_code == status
    return clean(answer.content.decode())


@pytest.fixture
def payment(creator, fan, monkeypatch) -> Payment:
    """A payment at the till for a draft that lacks nothing."""
    monkeypatch.setattr(drafts, "missing", lambda order: [])
    order = make_order(creator, fan, OrderState.DRAFT)
    return Payment.objects.create(order=order, key="k" * 20, gateway="sandbox", amount=1950, currency="EUR")
