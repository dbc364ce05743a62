"""From the board to what the fan sees: a sentence, stages, a percentage that never goes back, a range of time left."""

from __future__ import annotations

import datetime as dt
import statistics
from dataclasses import dataclass
from typing import Literal

from django.db.models import Max, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import ApprovalMode
from orders.models import Order, OrderState

from . import pace, review_pace, slots, versions
from .line import LINE, Stage
from .media import subtitles
from .media_links import link
from .models import (
    Cut,
    Delivery,
    FirstLook,
    Production,
    ProductionState,
    Review,
    ReviewState,
    Scene,
    Step,
    StepState,
    Take,
)
from .versions import Versions

StateKey = Literal["making", "review", "delivered", "failed", "refused", "cancelled"]

ENDED: dict[str, StateKey] = {
    OrderState.DELIVERED: "delivered",
    OrderState.FAILED: "failed",
    OrderState.REFUSED: "refused",
    OrderState.CANCELLED: "cancelled",
}
# What is shown before the film is there never reads "nearly": the last percent belong to the delivery.
MOST_BEFORE_DELIVERY = 97


@dataclass(frozen=True)
class StageLine:
    """One stage as the fan reads it. `done` of `total` items; `seconds` it took, once it is done."""

    key: str
    label: str
    state: Literal["waiting", "now", "done", "failed"]
    done: int
    total: int
    seconds: float | None


@dataclass(frozen=True)
class Frame:
    """One scene on the filmstrip, filling up as it is made. Links are short-lived and signed; empty until made."""

    number: int
    text: str
    thumb: str
    read: bool
    filmed: bool


@dataclass(frozen=True)
class Preview:
    """A first look: a small film from the photos, to watch while the shots are made."""

    video: str
    poster: str
    width: int
    height: int


@dataclass(frozen=True)
class Film:
    """The finished film's links and facts."""

    video: str
    download: str
    poster: str
    captions: str
    transcript: list[str]
    width: int
    height: int
    seconds: float
    bytes: int
    srt: str = ""
    text: str = ""
    key: str = ""  # which film it is, whatever its links are


@dataclass(frozen=True)
class Progress:
    """All of the order page's live part. `version` rises with every change; `eta` is (low, high) seconds or None."""

    code: str
    version: int
    state: StateKey
    sentence: str
    detail: str
    percent: int
    eta: tuple[int, int] | None
    elapsed: int
    stages: list[StageLine]
    frames: list[Frame]
    preview: Preview | None
    film: Film | None
    versions: Versions | None = None
    renewing: bool = False

    @property
    def moves(self) -> bool:
        """Whether something is still to come, so that an open page has a reason to look again."""
        coming = self.renewing or (self.versions is not None and self.versions.underway)
        return self.state in ("making", "review") or coming


def read(order: Order) -> Progress:
    """The truth about a placed order, as of now. A handful of queries, and one write when the percentage rose."""
    production = _shown(order)
    steps = list(production.steps.all()) if production else []
    stages = _stages(steps, by_itself=order.creator.approval == ApprovalMode.AUTOMATIC and not _asked(production))
    state = _state(order, production)
    percent = _percent(production, steps, state)
    renewing = state == "delivered" and _is_renewed(order)
    sentence, detail = _words(order, production, state, stages)
    if renewing:
        detail = _renewing(order)
    ended = order.ended_at if state in ENDED.values() else None
    begun = order.placed_at or order.created_at
    return Progress(
        code=order.code,
        version=_version(order.productions.order_by("-number").first()),
        state=state,
        sentence=sentence,
        detail=detail,
        percent=percent,
        eta=_eta(steps) if state == "making" and not (production and production.paused_at) else None,
        elapsed=max(0, int(((ended or timezone.now()) - begun).total_seconds())),
        stages=stages,
        frames=_frames(production),
        preview=_preview(production) if state == "making" else None,
        film=_film(order) if state == "delivered" else None,
        versions=versions.read(order, file_name(order)) if state == "delivered" else None,
        renewing=renewing,
    )


def _shown(order: Order) -> Production | None:
    """The making the page is about: the newest, or the one the fan has the film of."""
    made = order.productions.order_by("-number")
    if order.state == OrderState.DELIVERED:
        return made.filter(cut__deliveries__order=order).first() or made.first()
    return made.first()


def _version(production: Production | None) -> int:
    """Rises with every event of a production and with every new production."""
    if production is None:
        return 0
    last: int = production.events.aggregate(last=Max("number"))["last"] or 0
    return production.number * 100_000 + last


def _state(order: Order, production: Production | None) -> StateKey:
    if order.state in ENDED:
        return ENDED[order.state]
    if production and Review.objects.filter(_open(), cut__production=production).exists():
        return "review"
    return "making"


def _open() -> Q:
    """Reviews that are not answered: a decision that can still be taken back is none."""
    return Q(state=ReviewState.WAITING) | Q(takes_effect_at__isnull=False)


def _asked(production: Production | None) -> bool:
    """Whether a person was asked to look at this film."""
    return Review.objects.filter(cut__production=production, automatic=False).exists() if production else False


def _of(steps: list[Step], line: Stage) -> list[Step]:
    return [step for step in steps if step.stage == line.key]


def _stages(steps: list[Step], *, by_itself: bool) -> list[StageLine]:
    """The stages as the fan reads them; an approval that the checks give by themselves is none."""
    found = []
    for line in LINE:
        if not line.label or (line.key == "review" and by_itself):
            continue
        mine = _of(steps, line)
        done = [step for step in mine if step.state == StepState.DONE]
        state: Literal["waiting", "now", "done", "failed"] = "waiting"
        seconds = None
        if any(step.state == StepState.FAILED for step in mine):
            state = "failed"
        elif mine and len(done) == len(mine):
            state = "done"
            starts = [step.started_at for step in mine if step.started_at]
            ends = [step.ended_at for step in mine if step.ended_at]
            seconds = (max(ends) - min(starts)).total_seconds() if starts and ends else None
        elif any(step.state in (StepState.RUNNING, StepState.READY, StepState.WAITING) for step in mine) or done:
            state = "now"
        found.append(StageLine(line.key, str(line.label), state, len(done), len(mine), seconds))
    return found


def _fraction(steps: list[Step], line: Stage) -> float:
    mine = _of(steps, line)
    if not mine:
        return 0.0
    return sum(1.0 if step.state == StepState.DONE else step.progress for step in mine) / len(mine)


def _percent(production: Production | None, steps: list[Step], state: StateKey) -> int:
    if state == "delivered":
        return 100
    if production is None:
        return 0
    total = sum(line.weight for line in LINE)
    now = int(100 * sum(line.weight * _fraction(steps, line) for line in LINE) / total)
    now = min(MOST_BEFORE_DELIVERY, max(1, now))
    if now > production.shown:
        Production.objects.filter(pk=production.pk, shown__lt=now).update(shown=now)
        production.shown = now
    return production.shown


def _eta(steps: list[Step]) -> tuple[int, int] | None:
    """Seconds left as a range: what each stage took here lately (median and 90th percentile), for what is left of it.

    Stages without history count with the table's expectation, doubled for the upper end.
    """
    low = high = 0.0
    for line in LINE:
        if line.key == "review":
            continue  # a person's time is told in words, not seconds
        left = 1 - _fraction(steps, line)
        middle, slow = pace.seconds_of(line)
        low += left * middle
        high += left * slow
    if high <= 0:
        return None
    return max(1, round(low * 0.8)), max(2, round(high * 1.1))


def _words(order: Order, production: Production | None, state: StateKey, stages: list[StageLine]) -> tuple[str, str]:
    names = {"name": order.brief.name, "creator": order.creator.name}
    if state == "delivered":
        delivery = Delivery.objects.filter(order=order).first()
        if delivery is not None and delivery.revoked_at is not None:
            return _("The film for %(name)s was paid back.") % names, _("So it can no longer be watched here.")
        if delivery is not None and delivery.renewed_at is not None:
            return _("The new version of your film for %(name)s is here.") % names, ""
        return _("Your film for %(name)s is ready.") % names, ""
    if state == "review":
        return _("%(creator)s is looking at your film.") % names, review_pace.said(order)
    if state == "cancelled":
        return _("This order was cancelled."), order.ending or _("Nothing was charged.")
    if state in ("failed", "refused"):
        calm = _("Nothing was charged: the amount held on your card is released.")
        return order.ending or _("We could not make this film."), calm
    if production is not None and production.paused_at is not None:
        return _("Somebody of our staff is looking at your film."), _("It goes on after that; you need to do nothing.")
    current = next((stage for stage in stages if stage.state == "now"), None)
    if current is None or production is None:
        return _("Your film for %(name)s is about to begin.") % names, ""
    sentences = {
        "photos": _("We are looking at your photos."),
        "moderation": _("We are checking that everything may be said and shown."),
        "script": _("The story for %(name)s is being written."),
        "narration": _("%(creator)s’s voice is reading it aloud."),
        "shot": _("Each shot is being filmed."),
        "cut": _("Your film for %(name)s is being cut."),
        "qc": _("We are checking picture and sound."),
        "review": _("The film goes to %(creator)s for approval."),
        "delivery": _("Your film is on its way to you."),
    }
    detail = _in_front(order) if current.key == "shot" else ""
    if not detail and production.based_on_id is not None:
        detail = _("A part of it is made again, and what was good is kept. It takes less time than the first.")
    return sentences[current.key] % names, detail


def _is_renewed(order: Order) -> bool:
    """Whether a new version of a delivered film is under way; of one that was paid back none is shown."""
    running = order.productions.filter(state=ProductionState.RUNNING)
    return running.exists() and Delivery.objects.filter(order=order, revoked_at=None).exists()


def _renewing(order: Order) -> str:
    """What the fan reads of that; whoever made the wish, and whoever looks at it, the film that is there stays."""
    with_creator = Review.objects.filter(
        _open(), cut__production__order=order, cut__production__state=ProductionState.RUNNING
    )
    if with_creator.exists():
        now = _("A new version of it is made, and %(creator)s is looking at it.") % {"creator": order.creator.name}
    else:
        now = _("We are making a new version of it.")
    rest = _(
        "This one stays here until the new one is approved. Then it takes its place on this page, and we write to you."
    )
    return f"{now} {rest}"


def _in_front(order: Order) -> str:
    """How many shots of earlier orders wait for the same studio, where any do."""
    count = slots.place(order.pk)
    if not count:
        return ""
    return ngettext(
        "%(count)d shot of an earlier film is in front of yours.",
        "%(count)d shots of earlier films are in front of yours.",
        count,
    ) % {"count": count}


def _frames(production: Production | None) -> list[Frame]:
    if production is None:
        return []
    scenes = Scene.objects.filter(script__production=production).select_related("photo", "narration").order_by("number")
    # A shot's own picture takes the photo's place as soon as its take has landed.
    landed = dict(
        Take.objects.filter(shot__scene__script__production=production, selected=True).values_list(
            "shot__scene_id", "thumb"
        )
    )
    return [
        Frame(
            number=scene.number,
            text=scene.text,
            thumb=link(landed.get(scene.pk) or scene.photo.thumb),
            read=hasattr(scene, "narration"),
            filmed=scene.pk in landed,
        )
        for scene in scenes
    ]


def _preview(production: Production | None) -> Preview | None:
    look = FirstLook.objects.filter(production=production).first() if production is not None else None
    return Preview(link(look.file), link(look.poster), look.width, look.height) if look is not None else None


def _film(order: Order) -> Film | None:
    delivery = Delivery.objects.filter(order=order, revoked_at=None).select_related("cut__production").first()
    if delivery is None:
        return None
    cut, name = delivery.cut, file_name(order)
    lines = _lines(cut)
    return Film(
        video=link(cut.file),
        download=link(cut.file, filename=f"film-for-{name}.mp4"),
        poster=link(cut.poster),
        captions=link(cut.captions),
        transcript=lines,
        width=cut.width,
        height=cut.height,
        seconds=cut.seconds,
        bytes=cut.size,
        srt=reverse("pipeline:words", args=[order.code, "srt"]) if cut.timeline.get("cues") else "",
        text=reverse("pipeline:words", args=[order.code, "txt"]) if lines else "",
        key=cut.sha256[:16],
    )


def _lines(cut: Cut) -> list[str]:
    """What is said in a film, scene by scene."""
    scenes = Scene.objects.filter(script__production=cut.production).order_by("number")
    return list(scenes.values_list("text", flat=True))


def file_name(order: Order) -> str:
    """What a film's files are called on the fan's machine, without their endings."""
    return slugify(order.brief.name) or order.code.lower()


def words(order: Order, kind: str) -> str:
    """What is said in a delivered film: as SubRip captions (`srt`), or as a text to read (`txt`); empty for no film."""
    delivery = Delivery.objects.filter(order=order, revoked_at=None).select_related("cut__production").first()
    if delivery is None:
        return ""
    if kind == "txt":
        return subtitles.transcript(_lines(delivery.cut)).lstrip()
    return subtitles.srt([(start, end, text) for start, end, text in delivery.cut.timeline.get("cues", ())])


def measured() -> tuple[int, float, float] | None:
    """How long the last films really took here, from placed to delivered: count, median and 90th percentile seconds."""
    times: list[dt.timedelta] = [
        delivered - placed
        for placed, delivered in Order.objects.filter(
            state=OrderState.DELIVERED, placed_at__isnull=False, fan__isnull=False
        )
        .order_by("-placed_at")
        .values_list("placed_at", "ended_at")[:100]
        if delivered and placed
    ]
    if not times:
        return None
    seconds = [time.total_seconds() for time in times]
    return len(seconds), statistics.median(seconds), pace.p90(seconds)
