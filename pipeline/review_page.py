"""All that is shown of one film to whoever decides about it, read once and in few queries."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import VoiceLicence
from orders.choices import Occasion
from orders.models import Brief, Order

from . import review_marks
from .media_links import link
from .models import Concern, Cut, Finding, Review, Scene, Subject
from .review_lights import Light, lights
from .review_marks import Piece

# Places in the film nearer to a finding than this show it.
NEAR = 0.75


@dataclass(frozen=True)
class Still:
    """One frame of the contact sheet: where it stands in the film, and where on the sheet."""

    second: float
    box: str
    evidence: str = ""

    @property
    def clock(self) -> str:
        """As players write it."""
        return clock(self.second)


@dataclass(frozen=True)
class Sheet:
    """The contact sheet as a picture and its size."""

    url: str
    width: int
    height: int


@dataclass(frozen=True)
class Row:
    """One scene: the fan's photo, the shot's frames, the line with its marks, and what it was made from."""

    number: int
    start: float
    photo: str
    stills: list[Still]
    pieces: list[Piece]
    fact: str
    concerns: list[Concern]

    @property
    def clock(self) -> str:
        """Where it begins, as players write it."""
        return clock(self.start)

    @property
    def middle(self) -> Still:
        """Its frame that shows most; only where there are any."""
        return self.stills[len(self.stills) // 2]


@dataclass(frozen=True)
class MustSay:
    """A line the fan wanted said, and the scenes in which it is."""

    text: str
    scenes: list[int]


@dataclass(frozen=True)
class Found:
    """A finding with the frame that shows it, where there is one."""

    finding: Finding
    still: Still | None


@dataclass(frozen=True)
class LightRow:
    """A light and its findings with their frames."""

    light: Light
    found: list[Found]


@dataclass(frozen=True)
class Rules:
    """What the voice's licence says of a film like this one; `allowed` is None where there is no licence."""

    allowed: bool
    terms: str
    occasions: list[str]
    until: dt.date | None


@dataclass(frozen=True)
class Page:
    """The film as the page shows it."""

    review: Review
    cut: Cut
    order: Order
    brief: Brief
    video: str
    poster: str
    captions: str
    sheet: Sheet | None
    rows: list[Row]
    opening: list[Still]
    close: list[Still]
    must_say: list[MustSay]
    concerns: list[Concern]
    lights: list[LightRow]
    rules: Rules
    promised: dt.datetime | None

    @property
    def green(self) -> bool:
        """Nothing was found and nothing flagged."""
        return is_green(self.cut.verdict, flagged=bool(self.concerns) or any(row.concerns for row in self.rows))

    @property
    def late(self) -> bool:
        """Past what was promised."""
        return self.promised is not None and self.promised < timezone.now()


def is_green(verdict: str, *, flagged: bool) -> bool:
    """Whether a film is one that could be approved without a second thought."""
    return verdict == "pass" and not flagged


def clock(second: float) -> str:
    """Minutes and seconds, as players write them."""
    return f"{int(second) // 60}:{int(second) % 60:02d}"


def read(review: Review) -> Page:
    """Everything about the film of a review whose cut, production, order, brief, creator and voice are loaded."""
    cut, order = review.cut, review.cut.production.order
    brief = order.brief
    scenes = list(Scene.objects.filter(script__production=cut.production_id).select_related("photo").order_by("number"))
    findings = list(cut.findings.all())
    for finding in findings:
        finding.cut = cut
    concerns: dict[int, list[Concern]] = defaultdict(list)
    for concern in cut.production.concerns.all():
        concerns[concern.number if concern.what == Subject.SCRIPT else 0].append(concern)
    sheet, stills = _stills(cut, findings)
    spans = [tuple(span[:2]) for span in cut.timeline.get("scenes", ())]
    names = [name for name in (brief.name, brief.sender) if name]
    wanted = [str(line) for line in brief.must_say]
    first = spans[0][0] if spans else cut.seconds
    last = spans[-1][1] if spans else cut.seconds
    return Page(
        review=review,
        cut=cut,
        order=order,
        brief=brief,
        video=link(cut.file),
        poster=link(cut.poster),
        captions=link(cut.captions),
        sheet=sheet,
        rows=[
            Row(
                number=scene.number,
                start=_start(spans, scene.number),
                photo=link(scene.photo.thumb),
                stills=_between(stills, spans, scene.number),
                pieces=review_marks.pieces(
                    scene.text, names=names, must_say=wanted, flagged=bool(concerns[scene.number])
                ),
                fact=scene.fact,
                concerns=concerns[scene.number],
            )
            for scene in scenes
        ],
        opening=[still for still in stills if still.second < first],
        close=[still for still in stills if still.second >= last] if spans else [],
        must_say=[MustSay(line, review_marks.says([scene.text for scene in scenes], line)) for line in wanted],
        concerns=concerns[0],
        lights=[
            LightRow(light, [Found(one, _shows(one, stills)) for one in light.found]) for light in lights(findings)
        ],
        rules=_rules(order, brief),
        promised=promised(review, order),
    )


def promised(review: Review, order: Order) -> dt.datetime | None:
    """By when the film is wanted: as the fan was promised, else as the review was asked for."""
    return getattr(review, "due_at", None) or order.promised_at


def _stills(cut: Cut, findings: Sequence[Finding]) -> tuple[Sheet | None, list[Still]]:
    told: dict[str, Any] = cut.sheet
    if not told:
        return None, []
    (wide, high), across, seconds = told["tile"], told["across"], told["seconds"]
    rows = -(-len(seconds) // across)

    def box(number: int) -> str:
        return f"{number % across * wide} {number // across * high} {wide} {high}"

    evidence = {
        min(seconds, key=lambda second: abs(second - at)): finding.sentence
        for finding in findings
        if (at := finding.second) is not None and finding.severity != "info"
    }
    stills = [Still(second, box(n), evidence.get(second, "")) for n, second in enumerate(seconds)]
    return Sheet(link(told["file"]), wide * across, high * rows), stills


def _start(spans: Sequence[tuple[float, ...]], number: int) -> float:
    return spans[number - 1][0] if number <= len(spans) else 0.0


def _between(stills: list[Still], spans: Sequence[tuple[float, ...]], number: int) -> list[Still]:
    if number > len(spans):
        return []
    start, end = spans[number - 1][:2]
    return [still for still in stills if start <= still.second < end]


def _shows(finding: Finding, stills: list[Still]) -> Still | None:
    if finding.second is None or not stills:
        return None
    at = finding.second
    nearest = min(stills, key=lambda still: abs(still.second - at))
    return nearest if abs(nearest.second - at) <= NEAR else None


def _rules(order: Order, brief: Brief) -> Rules:
    on = timezone.localdate(order.placed_at) if order.placed_at else timezone.localdate()
    licences = list(order.creator.voice.licences.all())
    covering = next((one for one in licences if one.covers(brief.occasion, on)), None)
    shown: VoiceLicence | None = covering or next(iter(licences), None)
    if shown is None:
        return Rules(False, "", [], None)
    labels = dict(Occasion.choices)
    occasions = [str(labels.get(one, one)) for one in shown.occasions] or [_("every occasion")]
    return Rules(covering is not None, shown.terms, occasions, shown.ends_on)


@dataclass(frozen=True)
class Card:
    """A film among others: its poster, its first words, and what an approval is bound to."""

    review: Review
    name: str
    about: str
    poster: str
    video: str
    value: str


def card(review: Review) -> Card:
    """A film among others, of a review whose cut, production, order and brief are loaded."""
    cut, order = review.cut, review.cut.production.order
    about = f"{order.brief.get_occasion_display()} · {round(cut.seconds)} s · {order.code}"
    return Card(review, order.brief.name, about, link(cut.poster), link(cut.file), f"{review.pk}:{review.sha256}")
