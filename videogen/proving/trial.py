"""One trial: orders are placed as others end, processes are killed on the way, and everything is waited for."""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from django.core.files.uploadedfile import UploadedFile
from django.db import OperationalError

from accounts.models import Creator, User
from billing import services as billing
from billing.gateways.base import GatewayError
from billing.models import PaymentState, Refund, RefundState
from orders import services as orders
from orders.cashier import NotForSale
from orders.models import ConsentKind, Order, OrderState, PhotoState
from orders.uploads import gate
from pipeline.models import Production, ProductionState
from videogen.supervisor import Supervisor

from .paying import pay
from .people import People

# (for whom, what is told): five to nine photos make each film, in every shape that is sold.
STORIES = (
    ("Eileen", "She dreamed of space as a girl, flew the shuttle, drinks too much coffee, and has a bossy cat."),
    ("Joris", "He rode his bike to the sea with a broken chain. He sings in the kitchen. He never says no to pie."),
    ("Amina", "She learned to swim at sixty. She keeps every letter. Her garden won a prize, twice."),
)
NAP = 0.25
# A gateway that was away is left alone for a minute or two; seconds in which all money has to come to its end.
SETTLING = 300
ENDED = (OrderState.DELIVERED, OrderState.REFUSED, OrderState.FAILED, OrderState.CANCELLED)


@dataclass(frozen=True)
class Plan:
    """How many orders, how many of them at once, how long a film, and what else happens.

    `kill_every` is in seconds, 0 for never. After `patience` seconds in which no order ended the trial is given up.
    """

    orders: int
    in_flight: int
    seconds: int
    seed: int
    kill_every: float
    money: bool
    patience: float


@dataclass
class Trial:
    """A running trial over a site whose processes `site` looks after."""

    plan: Plan
    site: Supervisor
    photos: Sequence[Path]
    creators: Sequence[Creator]
    say: Callable[[str], None]
    drafts: list[Order] = field(default_factory=list)
    placed: dict[str, OrderState] = field(default_factory=dict)  # code → how it should end
    kills: list[str] = field(default_factory=list)
    # CPU seconds this process spent as the fans' web server would.
    cpu: float = 0.0

    def __post_init__(self) -> None:
        self._people = People(self.plan.money)

    def run(self) -> None:
        """Until every order has ended and its money with it, or patience is at its end."""
        dice = random.Random(self.plan.seed)
        next_kill = time.monotonic() + self.plan.kill_every
        ended, moved = 0, time.monotonic()
        while ended < self.plan.orders and time.monotonic() - moved < self.plan.patience:
            self.site.look_after()
            if self.plan.kill_every and time.monotonic() >= next_kill:
                self._kill(dice)
                next_kill = time.monotonic() + self.plan.kill_every * dice.uniform(0.5, 1.5)
            now = self._calmly(self._move)
            if now is not None and now > ended:
                ended, moved = now, time.monotonic()
                self.say(f"{ended} of {self.plan.orders} ended, {len(self.kills)} processes killed")
            time.sleep(NAP)
        self._settle()

    def _calmly(self, do: Callable[[], int]) -> int | None:
        """A database that is busy is asked again at the next turn."""
        try:
            return do()
        except OperationalError:
            return None

    def _move(self) -> int:
        """Bring everything one step further; how many orders have ended."""
        over = Order.objects.filter(code__in=self.placed, state__in=ENDED)
        ended = over.exclude(productions__state=ProductionState.RUNNING).count()
        begun = len(self.placed) + len(self.drafts)
        before = time.thread_time()
        if begun < self.plan.orders and begun - ended < self.plan.in_flight:
            self.drafts.append(self._draft(begun))
        for order in list(self.drafts):
            if not order.photos.filter(state=PhotoState.UPLOADED).exists() and self._paid(order):
                self.drafts.remove(order)
        self.cpu += time.thread_time() - before
        for code in self._people.look(self.placed):
            self.placed[code] = OrderState.REFUSED
        self._people.mend(self.placed)
        return ended

    def _draft(self, number: int) -> Order:
        """A fan's draft with photos that are still to be checked."""
        name, notes = STORIES[number % len(STORIES)]
        creator = self.creators[number % len(self.creators)]
        email = f"fan{number}@films.example"
        fan = User.objects.filter(email=email).first() or User.objects.create_user(email)
        order = orders.begin(creator=creator, fan=fan, visitor="")
        orders.describe(order=order, name=name, seconds=self.plan.seconds)
        orders.tell_story(order=order, notes=notes, must_say=[])
        for path in self.photos:
            with path.open("rb") as source:
                upload = gate(UploadedFile(source, name=path.name, size=path.stat().st_size))
                orders.add_photo(order=order, upload=upload)
        orders.agree(order=order, kinds=ConsentKind.values)
        return order

    def _pay(self, order: Order) -> None:
        """At the till. With money in the play every third card is declined first, and every fourth fan clicks twice."""
        order.refresh_from_db()
        number = len(self.placed)
        if self.plan.money and number % 3 == 0:
            try:
                pay(billing.begin_payment(order=order), "declined")
            except GatewayError:
                order.refresh_from_db()
        payment = billing.begin_payment(order=order)
        pay(payment, "good")
        if self.plan.money and number % 4 == 0:
            payment.refresh_from_db()
            pay(payment, "good")
        self.placed[order.code] = OrderState.DELIVERED

    def _paid(self, order: Order) -> bool:
        """Whether the fan could pay; a gateway that is away is tried again at the next turn."""
        try:
            self._pay(order)
        except GatewayError as error:
            self.say(f"the till of {order}: {error}")
            order.refresh_from_db()
        except NotForSale:  # the answer was lost, and the money was held all the same
            order.refresh_from_db()
        if order.is_draft:
            return False
        self.placed.setdefault(order.code, OrderState.DELIVERED)
        return True

    def _kill(self, dice: random.Random) -> None:
        """Kill one process of the site, as a machine that runs out of memory would."""
        alive = [(child.name, child.pid) for child in self.site.children if child.pid is not None]
        if alive:
            name, pid = dice.choice(alive)
            self.kills.append(name)
            os.kill(pid, signal.SIGKILL)

    def _settle(self) -> None:
        """Wait until the money of ended orders has come to its end, and their productions; a sweep does it."""

        def open_still() -> int:
            going_back = Refund.objects.filter(state__in=(RefundState.CREATED, RefundState.SENT)).count()
            running = Production.objects.filter(state=ProductionState.RUNNING).count()
            held = Order.objects.filter(payments__state=PaymentState.AUTHORIZED).count()
            return billing.unsettled().count() + held + going_back + running

        until = time.monotonic() + SETTLING
        while time.monotonic() < until and self._calmly(open_still) != 0:
            self.site.look_after()
            time.sleep(NAP)


def to_the_terminal(sentence: str) -> None:
    """Say how far it is, where people see it and no program reads it."""
    print(sentence, file=sys.stderr, flush=True)
