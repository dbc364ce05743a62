"""Renditions: a delivered film in another shape, or without captions in the picture, made because its fan asked for it.

A row is claimed like a step and asks no vendor for anything. What has not changed is taken out of the films that are
there, photos are moved over anew for the new shape, takes are cropped or laid on a soft ground. Films that are still
being made go first.
"""

from __future__ import annotations

import datetime as dt
import logging
import os
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db.models import Case, F, Value, When
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import audit
from accounts.models import User
from orders import disk
from orders.choices import Format
from orders.codes import token as new_token
from orders.faults import faultpoint
from orders.models import Order

from . import engine, files, film, live, queue
from .claims import Claim, LostLease
from .history import tell
from .line import LINE
from .media import meters, picture, verdict
from .media.timeline import Timeline, plan
from .models import Delivery, Rendition, RenditionState, Step

log = logging.getLogger(__name__)

MOST_FAILURES = 3  # a film that was made from the same things needs no more tries
DEADLINE = dt.timedelta(hours=2)  # from its first claim, for a full disk or a storage that is away
PATIENCE = dt.timedelta(minutes=15)  # for films that are being made, which go first; after that it is its turn, too
PAUSE = 10.0  # seconds until it looks again whether they are done
RENDERED = 0.85  # of the work; the rest is measuring
RENDERS = tuple(stage.key for stage in LINE if stage.queue == "render")


class NotOffered(Exception):  # noqa: N818  (said to people, not a bug)
    """This rendition cannot be asked for; the sentence says why."""


class Unfit(Exception):  # noqa: N818
    """It was made and did not pass its checks; the same again would come out the same."""

    def __init__(self, findings: list[dict[str, Any]]) -> None:
        super().__init__(next(one["sentence"] for one in findings if one["severity"] == "fail"))
        self.findings = findings


class Making(Claim):
    """A claimed rendition."""

    def __init__(self, row: Rendition) -> None:
        super().__init__(row.cut.production)
        self.row = row

    def __str__(self) -> str:
        return str(self.row)

    def _renew(self, **changes: Any) -> None:
        until = timezone.now() + engine.lease()
        if not _mine(self.row).update(lease_until=until, **changes) or not _wanted(self.row):
            raise LostLease(str(self.row))


def choices(order: Order) -> list[tuple[Format, bool]]:
    """What a delivered film may be had as, besides what it is: shape, and whether captions stand in the picture."""
    delivered = order.brief.format
    shapes = sorted(Format, key=lambda shape: shape.value != delivered)
    return [(shape, with_) for shape in shapes for with_ in (True, False) if (shape.value, with_) != (delivered, True)]


def left(order: Order) -> int:
    """How many more renditions of an order's film may be asked for; none once it or its voice is withdrawn."""
    delivery = Delivery.objects.filter(order=order, revoked_at=None).first()
    if delivery is None or not _licensed(order):
        return 0
    most: int = settings.RENDITIONS_PER_FILM
    return max(0, most - Rendition.objects.filter(cut=delivery.cut_id).count())


def ask(*, order: Order, format: str, captions: bool) -> Rendition:
    """Ask for a rendition of a delivered film. Asking twice gives the first. Raises NotOffered."""
    with order.locked():  # all who ask for this film stand in line, so that nobody goes past the limit together
        if not Delivery.objects.filter(order=order, revoked_at=None).exists():
            raise NotOffered(_("There is no film here to make another version of."))
        cut = Delivery.objects.select_related("cut__production").get(order=order).cut
        there = Rendition.objects.filter(cut=cut, format=format, captions=captions).first()
        if there is not None:
            return there
        if (format, captions) not in [(shape.value, with_) for shape, with_ in choices(order)]:
            raise NotOffered(_("That is the film you have already."))
        if not _licensed(order):
            raise NotOffered(_("This voice is not offered any more, so no other versions can be made."))
        if not left(order):
            raise NotOffered(_("All versions that come with this film have been made."))
        row = Rendition.objects.create(cut=cut, format=format, captions=captions)
        tell(cut.production, "rendition.asked", format=format, captions=captions)
        ring(row)
    live.order_changed(order.code)
    return row


def again(*, row: Rendition, by: User, reason: str) -> bool:
    """Staff's second try for one that failed. True for one caller."""
    order = row.cut.production.order
    with order.locked():
        begun = Rendition.objects.filter(pk=row.pk, state=RenditionState.FAILED).update(
            state=RenditionState.WAITING, not_before=timezone.now(), failures=0, deadline_at=None, ended_at=None
        )
        if begun:
            tell(row.cut.production, "rendition.asked", format=row.format, captions=row.captions, by=by.email)
            audit.write(actor=by, verb="rendition.asked", target=order, reason=reason, data={"what": str(row)})
            ring(row)
    live.order_changed(order.code)
    return bool(begun)


def _licensed(order: Order) -> bool:
    return order.creator.voice.licence_for(order.brief.occasion, timezone.now().date()) is not None


# --- claim and leave ------------------------------------------------------------------------------------------------


def ring(row: Rendition) -> None:
    """Ask a worker to make it, after commit."""
    queue.ring("render", "make_rendition", row.pk, f"rendition-{row.pk}-{row.attempts}")


def sweep() -> int:
    """Ring again for whatever is due. Returns how much there was."""
    due = list(Rendition.objects.due(timezone.now()).order_by("asked_at").values_list("pk", "attempts")[:100])
    for pk, attempts in due:
        queue.again("render", "make_rendition", pk, f"rendition-{pk}-{attempts}")
    return len(due)


def _mine(row: Rendition) -> Any:
    return Rendition.objects.filter(pk=row.pk, token=row.token, state=RenditionState.RUNNING)


def _wanted(row: Rendition) -> bool:
    return Rendition.objects.wanted().filter(pk=row.pk).exists()


def claim(pk: int) -> Rendition | None:
    """Take one that is due by one conditional UPDATE; None when someone else was first, or films go first."""
    now = timezone.now()
    found = Rendition.objects.due(now).filter(pk=pk).first()
    if found is None:
        return None
    films = Step.objects.due(now).filter(stage__in=RENDERS)
    if found.state == RenditionState.WAITING and now - found.asked_at < PATIENCE and films.exists():
        later = now + dt.timedelta(seconds=PAUSE)
        Rendition.objects.filter(pk=pk, state=RenditionState.WAITING).update(not_before=later)
        return None
    token = new_token()
    taken = (
        Rendition.objects.takeable(now)
        .filter(pk=pk)
        .update(
            # A lease that ran out is a worker that died in the middle: that counts as a failure.
            failures=F("failures") + Case(When(state=RenditionState.RUNNING, then=1), default=0),
            state=RenditionState.RUNNING,
            token=token,
            lease_until=now + engine.lease(),
            attempts=F("attempts") + 1,
            started_at=Coalesce(F("started_at"), Value(now)),
            deadline_at=Coalesce(F("deadline_at"), Value(now + DEADLINE)),
            progress=0,
        )
    )
    rows = Rendition.objects.select_related("cut__production__order__creator", "cut__production__order__brief")
    return rows.get(pk=pk, token=token) if taken else None


def make(pk: int) -> None:
    """Claim a rendition, make and measure it, and leave it as that went. Losing the claim is quiet."""
    row = claim(pk)
    if row is None:
        return
    work = Making(row)
    try:
        if row.failures >= MOST_FAILURES:
            raise RuntimeError(f"gave up after {row.failures} failures: {row.error or 'its worker died each time'}")
        _make(work)
    except LostLease:
        log.info("%s: another worker took over, or it is not wanted any more", row)
    except Unfit as error:
        _fail(work, f"quality control: {error}", error.findings)
    except Exception as error:
        # Whatever goes wrong must end in the row: the fan's page waits for it.
        what = f"{type(error).__name__}: {error}"
        overdue = row.deadline_at is not None and row.deadline_at < timezone.now()
        if disk.is_at_fault(error) and not overdue:
            log.warning("%s is parked: %s", row, what)
            _put_back(work, what, engine.PARKED.total_seconds(), counted=0)
        elif row.failures + 1 >= MOST_FAILURES or overdue:
            log.exception("%s failed for good", row)
            _fail(work, what, [])
        else:
            log.exception("%s failed", row)
            _put_back(work, what, float(engine.BACKOFF[row.failures + 1]), counted=1)
    live.order_changed(work.order.code)


def _put_back(work: Making, error: str, seconds: float, *, counted: int) -> None:
    _mine(work.row).update(
        state=RenditionState.WAITING,
        not_before=timezone.now() + dt.timedelta(seconds=seconds),
        failures=F("failures") + counted,
        error=error[:2000],
        lease_until=None,
    )


def _fail(work: Making, error: str, findings: list[dict[str, Any]]) -> None:
    row = work.row
    with work.order.locked():
        lost = _mine(row).update(
            state=RenditionState.FAILED,
            error=error[:2000],
            findings=findings,
            verdict="fail" if findings else "",
            lease_until=None,
            ended_at=timezone.now(),
        )
        if lost:
            log.error("The fan of order %s gets no %s: %s", work.order, row, error)
            tell(work.production, "rendition.failed", format=row.format, captions=row.captions, error=error[:500])


# --- the making -----------------------------------------------------------------------------------------------------


def _make(work: Making) -> None:
    row, clock = work.row, _cpu()
    with files.workspace("rendition") as folder:
        parts = film.material(work, folder)
        shape = film.spec(work, shape=Format(row.format).size, look=row.cut.timeline.get("look"))
        timeline = plan([part.scene for part in parts], shape)
        if not row.captions:
            timeline = replace(timeline, captions=())
        track, segments = film.soundtrack(work, parts, timeline), folder / "segments"
        held = film.parted(timeline, track.name)
        names = [name for name, _first, _end in held]
        with work.waiting(files.PATIENCE):
            film.bring(film.pieces(work), names, segments)
        film.take_back(work, names, segments, fps=timeline.spec.fps)
        sound, out = partial(track.make, segments), folder / "film.mp4"
        threads, told = settings.RENDER_THREADS, film.facts(parts, timeline)
        picture.render_film(
            timeline,
            sound,
            out,
            segments,
            threads=threads,
            on_progress=lambda share: work.beat(share * RENDERED),
            keep_in=files.kept(),
        )
        faultpoint("rendition.after_render")
        findings = _judged(work, out, told, folder)
        with work.waiting(files.PATIENCE):
            stored = files.publish(out, work.production.folder)
        _keep(work, timeline, out, stored, held, findings, _cpu() - clock)


def _cpu() -> float:
    """CPU seconds of this process and the children it has waited for."""
    return sum(os.times()[:4])


def _judged(work: Making, out: Path, told: dict[str, Any], folder: Path) -> list[dict[str, Any]]:
    """What quality control says of it: the same meters and limits as for the film. Raises Unfit."""
    with work.waiting(files.PATIENCE):
        expected = film.expected(told, folder)
    measures = meters.measure(out, at=verdict.looks(expected), on_progress=lambda: work.beat(RENDERED))
    judged = verdict.judge(measures, expected)
    findings = [asdict(found) for found in judged.findings]
    if judged.verdict == "fail":
        raise Unfit(findings)
    return findings


def _keep(
    work: Making,
    timeline: Timeline,
    out: Path,
    stored: str,
    held: list[tuple[str, int, int]],
    findings: list[dict[str, Any]],
    cpu: float,
) -> None:
    width, height = timeline.spec.size
    told = files.sha256(out)
    with work.fence():
        _mine(work.row).update(
            state=RenditionState.READY,
            file=stored,
            sha256=told,
            size=out.stat().st_size,
            width=width,
            height=height,
            seconds=timeline.seconds,
            verdict="warn" if any(one["severity"] == "warn" for one in findings) else "pass",
            findings=findings,
            pieces=held,
            cpu_seconds=F("cpu_seconds") + cpu,
            progress=1,
            failures=0,
            error="",
            lease_until=None,
            ended_at=timezone.now(),
        )
        tell(work.production, "rendition.made", format=work.row.format, captions=work.row.captions)
