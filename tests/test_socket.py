"""The live order page's socket: the truth on connect, a bell and the truth again, and nothing for strangers."""

from __future__ import annotations

import asyncio
import re

import pytest
from asgiref.sync import sync_to_async
from asgiref.testing import ApplicationCommunicator
from channels.layers import channel_layers, get_channel_layer
from django.conf import settings
from django.contrib.sessions.backends.db import SessionStore
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from orders.models import OrderState
from pipeline import consumers, live, services
from pipeline.consumers import MOST_SOCKETS, NOT_FOUND, TOO_MANY
from pipeline.models import Step
from videogen.asgi import application

from . import making
from .entering import enter
from .waiting import PATIENCE

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

CALM = 0.1  # short, and long enough for a burst


@pytest.fixture(autouse=True)
def layer(monkeypatch):
    monkeypatch.setattr(consumers, "CALM_SECONDS", CALM)
    monkeypatch.setattr(settings, "CHANNEL_LAYERS", {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}})
    channel_layers.backends.clear()
    consumers._open.clear()  # a test that leaves without goodbye still holds its socket
    yield
    channel_layers.backends.clear()


@pytest.fixture
def order():
    made = making.draft()
    made.state = OrderState.PLACED
    made.save()
    services.start(order=made)
    return made


class Socket(ApplicationCommunicator):
    """A browser's end of the socket. (Channels' own helper needs another web server to be installed.)"""

    async def connect(self) -> tuple[bool, int | None]:
        """Whether we were let in, and else the close code."""
        await self.send_input({"type": "websocket.connect"})
        answer = await self.receive_output(timeout=PATIENCE)
        return answer["type"] == "websocket.accept", answer.get("code")

    async def receive_from(self) -> str:
        """The next picture."""
        return (await self.receive_output(timeout=PATIENCE))["text"]

    async def disconnect(self) -> None:
        """Close the page."""
        await self.send_input({"type": "websocket.disconnect", "code": 1000})
        await self.wait(timeout=PATIENCE)


def connect(order, user=None, origin: str = "http://localhost", more: str = "", how: str = "password") -> Socket:
    client = Client() if user is None else enter(user, how=how)
    cookie = client.cookies[settings.SESSION_COOKIE_NAME].value if user is not None else ""
    host = (b"host", b"localhost")
    headers = [
        host,
        (b"origin", origin.encode()),
        (b"cookie", f"{settings.SESSION_COOKIE_NAME}={cookie}{more}".encode()),
    ]
    scope = {"type": "websocket", "path": f"/ws/orders/{order.code}/", "query_string": b"", "headers": headers}
    return Socket(application, {**scope, "subprotocols": []})


def session_of(socket: Socket) -> str:
    """The key in its cookie."""
    return dict(socket.scope["headers"])[b"cookie"].decode().split("=", 1)[1]


def test_the_present_state_comes_on_connect_and_again_when_the_order_changes(order):
    socket = connect(order, order.fan)

    async def talk():
        accepted, _ = await socket.connect()
        assert accepted
        first = await socket.receive_from()
        await get_channel_layer().group_send(live.group(order.code), {"type": "order.changed", "code": order.code})
        second = await socket.receive_from()
        await socket.disconnect()
        return first, second

    first, second = asyncio.run(talk())
    for page in (first, second):
        assert 'id="progress"' in page
        assert "Looking at your photos" in page


def test_a_button_that_came_over_the_socket_works(order):
    """The picture that brings it has the token that belongs to the visitor's cookie."""
    order.move(OrderState.PLACED, OrderState.FAILED, ended_at=timezone.now())
    client = Client(enforce_csrf_checks=True)
    client.force_login(order.fan)
    client.get(f"/orders/{order.code}/film/")
    cookie = client.cookies[settings.CSRF_COOKIE_NAME].value
    socket = connect(order, order.fan, more=f"; {settings.CSRF_COOKIE_NAME}={cookie}")

    async def talk():
        await socket.connect()
        page = await socket.receive_from()
        await socket.disconnect()
        return page

    [token] = set(re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', asyncio.run(talk())))
    again = reverse("orders:begin_again", args=[order.code])
    assert client.post(again).status_code == 403, "negative control"
    assert client.post(again, {"csrfmiddlewaretoken": token}).status_code == 302


def test_a_burst_of_bells_is_one_picture(order, monkeypatch):
    monkeypatch.setattr(consumers, "CALM_SECONDS", 5 * CALM)  # a slow machine rings its twenty bells in it, too
    socket = connect(order, order.fan)

    async def talk():
        await socket.connect()
        await socket.receive_from()
        for _ in range(20):
            await get_channel_layer().group_send(live.group(order.code), {"type": "order.changed", "code": order.code})
        await socket.receive_from()
        nothing = await socket.receive_nothing(timeout=10 * CALM)
        await socket.disconnect()
        return nothing

    assert asyncio.run(talk())


def shown(page: str) -> int:
    """The percentage a picture shows."""
    found = re.search(r'<progress[^>]* value="(\d+)"', page)
    assert found, page
    return int(found[1])


def test_of_two_tabs_one_that_lost_its_socket_sees_the_true_state_when_it_is_back_and_never_less(order):
    stays, drops, back = (connect(order, order.fan) for _ in range(3))

    async def talk():
        pages = []
        for tab in (stays, drops):
            await tab.connect()
            pages.append(await tab.receive_from())
        await drops.disconnect()
        await sync_to_async(Step.objects.filter(stage__in=["photos", "script"]).update)(state="done", progress=1)
        await get_channel_layer().group_send(live.group(order.code), {"type": "order.changed", "code": order.code})
        pages.append(await stays.receive_from())
        await sync_to_async(Step.objects.filter(stage="script").update)(state="running", progress=0)
        await back.connect()
        pages.append(await back.receive_from())
        for tab in (stays, back):
            await tab.disconnect()
        return [shown(page) for page in pages]

    first, second, later, again = asyncio.run(talk())
    assert first == second < later
    assert again == later, "what was shown once never goes back"


@pytest.mark.parametrize("who", ["nobody", "another fan", "another creator"])
def test_a_stranger_gets_nothing(order, who):
    users = {
        "nobody": None,
        "another fan": making.fan("stranger@films.example"),
        "another creator": making.creator(approval="every_film").user,
    }
    socket = connect(order, users[who])
    assert asyncio.run(socket.connect()) == (False, NOT_FOUND)


@pytest.mark.parametrize("who", ["staff", "the creator"])
def test_without_the_second_factor_the_socket_says_nothing_and_with_it_all(order, settings, who):
    staff = {"staff": User.objects.get(email="staff@videogen.invalid"), "the creator": order.creator.user}[who]
    settings.REQUIRE_MFA = True

    async def lets_in(socket):
        accepted, code = await socket.connect()
        if accepted:
            await socket.receive_from()
            await socket.disconnect()
        return accepted, code

    def asked(user, how="password"):
        return asyncio.run(lets_in(connect(order, user, how=how)))

    assert asked(staff) == (False, NOT_FOUND), "the first factor alone"
    assert asked(staff, how="mfa") == (True, None)
    assert asked(order.fan) == (True, None), "a fan has none to show"
    settings.REQUIRE_MFA = False
    assert asked(staff) == (True, None), "negative control: nothing else keeps them out"


def test_a_second_factor_that_is_asked_for_meanwhile_closes_the_socket(order, settings):
    socket = connect(order, User.objects.get(email="staff@videogen.invalid"))

    async def talk():
        await socket.connect()
        await socket.receive_from()
        settings.REQUIRE_MFA = True
        await get_channel_layer().group_send(live.group(order.code), {"type": "order.changed", "code": order.code})
        return await socket.receive_output(timeout=PATIENCE)

    assert asyncio.run(talk()) == {"type": "websocket.close", "code": NOT_FOUND}


@pytest.mark.parametrize("origin", ["https://evil.example", "http://localhost:9999", "null", ""])
def test_another_sites_page_may_not_connect(order, origin):
    socket = connect(order, order.fan, origin=origin)
    accepted, _code = asyncio.run(socket.connect())
    assert not accepted


def test_an_account_that_is_closed_meanwhile_is_shown_nothing_more(order):
    socket = connect(order, order.fan)

    async def talk():
        await socket.connect()
        await socket.receive_from()
        await asyncio.to_thread(User.objects.filter(pk=order.fan.pk).update, is_active=False)
        await get_channel_layer().group_send(live.group(order.code), {"type": "order.changed", "code": order.code})
        return await socket.receive_output(timeout=PATIENCE)

    assert asyncio.run(talk()) == {"type": "websocket.close", "code": NOT_FOUND}


def test_signing_out_closes_the_socket_at_the_next_change(order):
    socket = connect(order, order.fan)
    key = session_of(socket)

    async def talk():
        await socket.connect()
        await socket.receive_from()
        await asyncio.to_thread(SessionStore(key).flush)
        await get_channel_layer().group_send(live.group(order.code), {"type": "order.changed", "code": order.code})
        return await socket.receive_output(timeout=PATIENCE)

    assert asyncio.run(talk()) == {"type": "websocket.close", "code": NOT_FOUND}


def test_one_visitor_may_not_hold_endless_sockets(order):
    async def talk():
        held = []
        for _ in range(MOST_SOCKETS):
            socket = sockets.pop()
            accepted, _ = await socket.connect()
            assert accepted
            held.append(socket)
        one_more = await sockets.pop().connect()
        for socket in held:
            await socket.disconnect()
        return one_more

    sockets = [connect(order, order.fan) for _ in range(MOST_SOCKETS + 1)]
    assert asyncio.run(talk()) == (False, TOO_MANY)
