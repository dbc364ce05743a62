"""Making a film again from some stage on: what is kept, what is made, what it costs and takes; then a new production.

The old production stays as it was. What lies before the change is taken over (see inherit), so no call of a kept step
is bought again; what comes after is made and paid within the order's same budget. One making runs at a time.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import IntegrityError, transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing import refunds
from orders import services as orders
from orders.models import Order, OrderState

from . import asking, engine, inherit, live, pace, roster, slots, wishes, wording
from .history import tell
from .line import LINE, STAGES, Stage
from .media import music
from .models import (
    Call,
    Production,
    ProductionState,
    ReasonCode,
    Review,
    ReviewState,
    Scene,
)
from .wishes import LOCAL, LONGEST_NOTE, Change

__all__ = ["Busy", "CannotRerun", "Change", "Part", "Plan", "plan", "rerun"]

# Where a making can begin anew. A first look is only for waiting, and a delivery follows an approval.
FROM = ("photos", "moderation", "script", "narration", "shot", "conform", "cut", "qc", "review")
# Stages whose scenes can be chosen.
BY_SCENE = ("narration", "shot", "conform", "cut")
LONGEST_RESPELLING = 80


class CannotRerun(Exception):  # noqa: N818  (said to people)
    """This cannot be made again so. The message is a sentence for whoever asked."""


class Busy(CannotRerun):
    """A film is being made for this order already; `production` is it."""

    def __init__(self, production: Production | None) -> None:
        super().__init__(_("This film is being made right now. Wait until it is there, or stop it first."))
        self.production = production


@dataclass(frozen=True)
class Part:
    """A stage of a re-run, with the scenes it is about where it is not about all."""

    stage: str
    label: str
    scenes: tuple[int, ...] = ()

    def __str__(self) -> str:
        return f"{self.label}: {', '.join(map(str, self.scenes))}" if self.scenes else self.label


@dataclass(frozen=True)
class Plan:
    """What a re-run would do. `price` is in minor units of `currency`: the most that vendors will be paid for it.

    `seconds` is what such stages usually take here, `slow` what one in ten takes; a person's look is not in them. Where
    it does not fit into what is `left` of the order's budget (minor units), shots are filmed from the photos.
    """

    base: Production
    change: Change
    kept: tuple[Part, ...]
    remade: tuple[Part, ...]
    price: int
    currency: str
    seconds: int
    slow: int
    left: int

    @property
    def fits(self) -> bool:
        """Whether the order's budget pays for all of it."""
        return self.price <= self.left


LABELS = {"first_look": gettext_lazy("First look"), "conform": gettext_lazy("Fitting shots into the film")}


def plan(*, order: Order, change: Change) -> Plan:
    """What would be kept and made anew, the price and the time. Nothing is written. Raises CannotRerun."""
    base = _base(order, change)
    steps = inherit.pieces(base, change)
    anew = [line for line in LINE if any(s.anew for s in steps if s.stage == line.key) or _comes(line, change)]
    try:
        millionths = sum(_prices(order, base, change))
    except ImproperlyConfigured as error:
        raise CannotRerun(str(error)) from None
    left = slots.order_cap(order.amount) - slots.spent(Call.objects.filter(step__production__order=order))
    timed = [pace.seconds_of(line) for line in anew if line.key != "review"]
    return Plan(
        base=base,
        change=change,
        kept=tuple(_parts(steps, change, anew=False)),
        remade=tuple(_parts(steps, change, anew=True)),
        price=_minor(millionths),
        currency=settings.CURRENCY,
        seconds=math.ceil(sum(usual for usual, _slow in timed)),
        slow=math.ceil(sum(slow for _usual, slow in timed)),
        left=max(0, int(left * settings.USD_RATE / 10_000)),
    )


def rerun(*, order: Order, change: Change, by: Any, reason: str, key: str) -> Production:
    """Make it again as planned, in a new production. The same key gives the same production, however often.

    `by` is the user who asked (None: the command line), `reason` is theirs. An order that ended without a film is
    opened again, and nothing is charged for it. A film that waits for its review gives way. Raises CannotRerun, and of
    that Busy while one is being made.
    """
    if (known := _known(order, key)) is not None:
        return known
    order.refresh_from_db()
    base = _base(order, change)
    try:
        with order.locked():
            return begin(order=order, base=base, change=change, by=by, reason=reason, key=key)
    except IntegrityError:
        # Another click, or somebody else, was first.
        if (known := _known(order, key)) is not None:
            return known
        raise Busy(_running(order)) from None


def objection(*, base: Production, change: Change) -> str:
    """Why this production cannot be changed so, as a sentence; empty where it can."""
    return _closed(base.order) or _objection(base, change)


def begin(*, order: Order, base: Production, change: Change, by: Any, reason: str, key: str) -> Production:
    """Write the new production, in the caller's transaction. What waits for a review gives way; Busy otherwise."""
    _claim(order)
    if (known := _known(order, key)) is not None:
        return known  # another click was first
    if sentence := _objection(base, change):
        raise CannotRerun(sentence)
    running = _running(order)
    actor = str(by) if by else "command line"
    if running is not None:
        _take_place_of(running, by=by, reason=reason)
    elif order.state in (OrderState.FAILED, OrderState.REFUSED):
        if order.payments.filter(state="authorized").exists():
            raise CannotRerun(_("The money held for this order has not been let go yet. Try again in a minute."))
        if not orders.reopen(order=order, actor=actor):
            raise Busy(_running(order))
    last = order.productions.aggregate(last=Max("number"))["last"] or 0
    numbers = [scene.number for scene in inherit.scenes_of(base)]
    production = Production.objects.create(
        order=order,
        number=last + 1,
        based_on=base,
        from_stage=change.from_stage,
        key=key,
        change=change.to_json(),
        wishes=wishes.merged(base.wishes, change, scenes=change.scenes or numbers, name=order.brief.name),
        reason=reason[:300],
        asked_by=by,
    )
    inherit.take_over(base, production, change)
    tell(
        production,
        "production.started",
        stage=change.from_stage,
        by=actor,
        reason=reason[:300],
        based_on=str(base),
        change=change.to_json(),
    )
    engine.advance(production)
    transaction.on_commit(lambda: live.order_changed(order.code))
    return production


def _claim(order: Order) -> None:
    """Whoever ends the order, or begins another making, comes before this transaction or after it."""
    if not Order.objects.filter(pk=order.pk, state=order.state).update(changed_at=timezone.now()):
        raise CannotRerun(_("This order has changed just now. Please look again."))
    if sentence := _closed(order):
        raise CannotRerun(sentence)


def _take_place_of(running: Production, *, by: Any, reason: str) -> None:
    """A film that waits for its review gives way to its next version. Raises Busy where it does not wait."""
    waits = Review.objects.filter(cut__production=running, state=ReviewState.WAITING)
    if waits.update(state=ReviewState.CHANGED, decided_by=by, reason=reason[:300], decided_at=timezone.now()):
        replace(running)
    elif not Review.objects.filter(
        cut__production=running, state=ReviewState.CHANGED, takes_effect_at=None
    ).exists():  # a change that can still be taken back is about to take effect, as an approval is
        raise Busy(running)
    else:
        replace(running)


def replace(running: Production) -> None:
    """End a production whose review was answered by a new one. Raises Busy where it ended meanwhile."""
    if not engine.end_production(running, ProductionState.REPLACED, stage="", error="", fan=""):
        raise Busy(running)


def _known(order: Order, key: str) -> Production | None:
    found = Production.objects.filter(key=key).first()
    if found is not None and found.order_id != order.pk:
        raise CannotRerun(_("This request was for another order."))
    return found


def _running(order: Order) -> Production | None:
    return order.productions.filter(state=ProductionState.RUNNING).first()


# --- may it, and from what --------------------------------------------------------------------------------------------


def _base(order: Order, change: Change) -> Production:
    """The newest production that has everything the re-run takes over. Raises CannotRerun."""
    if sentence := _closed(order):
        raise CannotRerun(sentence)
    if change.from_stage not in FROM:
        raise CannotRerun(_("A film can be made again from: %(stages)s.") % {"stages": ", ".join(FROM)})
    base = next((made for made in order.productions.order_by("-number") if inherit.is_whole(made, change)), None)
    if base is None:
        raise CannotRerun(
            _("What comes before “%(stage)s” was never finished. Begin earlier.")
            % {"stage": label_of(change.from_stage)}
        )
    if sentence := _objection(base, change):
        raise CannotRerun(sentence)
    return base


def _closed(order: Order) -> str:
    """Why nothing more is made for an order; empty where it may be."""
    if order.state == OrderState.DRAFT:
        return _("This order has not been paid.")
    if order.state == OrderState.CANCELLED:
        return _("This order was cancelled. Nothing more is made for it.")
    if refunds.is_whole(order):
        return _("All the money of this order was given back. Nothing more is made for it.")
    if Review.objects.filter(cut__production__order=order, state=ReviewState.REFUSED, code=ReasonCode.UNSAFE).exists():
        return _("The creator said that this film must not go out. Nothing more is made for it.")
    if order.creator.voice.licence_for(order.brief.occasion, timezone.now().date()) is None:
        return _("The licence for this voice does not cover this film any more.")
    return ""


def _objection(base: Production, change: Change) -> str:
    """What is wrong with a wish, as a sentence; empty where nothing is."""
    if change.scenes and change.from_stage not in BY_SCENE:
        return _("Single scenes can be chosen for lines, shots and captions only.")
    unknown = sorted(set(change.scenes) - {scene.number for scene in inherit.scenes_of(base)})
    if unknown:
        return _("There is no scene %(number)d.") % {"number": unknown[0]}
    if (change.photo or change.model or change.calm or change.seed is not None) and change.from_stage != "shot":
        return _("Photo, model, seed and less motion are for shots.")
    if change.photo not in ("", wishes.ANOTHER) and not base.order.photos.usable().filter(token=change.photo).exists():
        return _("There is no such photo.")
    models = [model.slug for model in roster.video_models()]
    if change.model not in ("", LOCAL, *models):
        return _("There is no such model; known: %(known)s.") % {"known": ", ".join([LOCAL, *models])}
    if change.music not in ("", wishes.ANOTHER, *music.moods()):
        return _("There is no such music; known: %(known)s.") % {"known": ", ".join([wishes.ANOTHER, *music.moods()])}
    if change.respelling and change.from_stage not in ("script", "narration"):
        return _("A respelling is for lines.")
    if len(change.respelling) > LONGEST_RESPELLING or not change.respelling.isprintable():
        return _("Please spell it shorter, as it is said.")
    if change.note and change.from_stage != "script":
        return _("A note is for the script.")
    if len(change.note) > LONGEST_NOTE:
        return _("Please put it in fewer words.")
    return ""


# --- what it is, costs and takes --------------------------------------------------------------------------------------


def label_of(stage: str) -> str:
    """What people read for a stage."""
    return str(STAGES[stage].label or LABELS.get(stage, stage))


def _comes(line: Stage, change: Change) -> bool:
    """Whether a stage's items come with a script that is written anew."""
    return line.per_item and change.from_stage in ("photos", "moderation", "script")


def _parts(steps: Iterable[inherit.Piece], change: Change, *, anew: bool) -> Iterable[Part]:
    rows = list(steps)
    for line in LINE:
        mine = [row for row in rows if row.stage == line.key]
        chosen = [row for row in mine if row.anew == anew]
        if chosen:
            part = line.per_item and len(chosen) < len(mine)
            yield Part(line.key, label_of(line.key), tuple(row.item for row in chosen) if part else ())
        elif anew and _comes(line, change):
            yield Part(line.key, label_of(line.key))


def _prices(order: Order, base: Production, change: Change) -> Iterable[int]:
    """The estimate of every call that would be asked anew, in millionths of a US dollar."""
    scenes = inherit.scenes_of(base)
    steps = {(step.stage, step.item): step.anew for step in inherit.pieces(base, change)}
    numbers = [scene.number for scene in scenes]
    wished = Production(
        order=order,
        wishes=wishes.merged(base.wishes, change, scenes=change.scenes or numbers, name=order.brief.name),
    )
    rewritten = steps.get(("script", 0), False)
    if rewritten:
        writer = roster.writer()
        yield writer.estimate(wording.request_for(order, eyes=True, production=wished).to_json())
    reader = roster.voice(order.creator.voice.provider)
    # A script that is written anew has as many scenes as the last, for all we know.
    for scene in scenes:
        if rewritten or steps.get(("narration", scene.number)):
            yield reader.estimate(asking.line(order, wished, scene).to_json())
        if rewritten or steps.get(("shot", scene.number)):
            yield _shot_price(order, wished, scene, len(scenes))


def _shot_price(order: Order, wished: Production, scene: Scene, scenes: int) -> int:
    request = asking.shot(order, wished, scene, scenes)
    ladder = asking.ladder(order, wished, scene, request.seconds, scenes)
    return ladder[0].provider.estimate(request.to_json()) if ladder else 0


def _minor(millionths: int) -> int:
    """Vendors' money in minor units of CURRENCY, rounded up."""
    return math.ceil(millionths * float(settings.USD_RATE) / 10_000)
