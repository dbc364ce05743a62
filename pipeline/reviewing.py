"""The review's verbs: take it, approve or refuse the exact cut, ask for a change, take a decision back in time.

A decision is one conditional UPDATE on a review that waits, for the hash that was shown; so of two at once one counts.
It takes effect after REVIEW_UNDO_SECONDS by the board's own alarm: nobody's browser has to stay open. What was decided,
by whom and why, is an event of the production, which is never changed.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.db import IntegrityError
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from . import engine, live, rerun, wishes
from .history import tell
from .models import Cut, Production, ProductionState, ReasonCode, Review, ReviewState
from .rerun import CannotRerun, Plan
from .wishes import Change

DECIDED = (ReviewState.APPROVED, ReviewState.REFUSED, ReviewState.CHANGED)
# The columns of a review that waits, as if nobody had said anything.
UNDECIDED: dict[str, Any] = {
    "state": ReviewState.WAITING,
    "decided_by": None,
    "decided_at": None,
    "takes_effect_at": None,
    "code": "",
    "reason": "",
    "change": {},
}


class StaleReview(Exception):  # noqa: N818  (said to people, not a bug)
    """The review was decided already, or is for another version of the film."""


class Taken(StaleReview):
    """Somebody else is looking at it just now."""


class TooLate(StaleReview):
    """The decision has taken effect, or was not yours."""


# --- who is looking ---------------------------------------------------------------------------------------------------


def claim(*, review: Review, by: Any) -> bool:
    """Take a waiting review for REVIEW_CLAIM_SECONDS, or keep it for as long again. False: somebody else has it."""
    until = timezone.now() + dt.timedelta(seconds=settings.REVIEW_CLAIM_SECONDS)
    return bool(_free(by).filter(pk=review.pk).update(claimed_by=by, claimed_until=until))


def let_go(*, review: Review, by: Any) -> bool:
    """Leave it to others. False when it was not this person's."""
    mine = Review.objects.filter(pk=review.pk, claimed_by=by)
    return bool(mine.update(claimed_by=None, claimed_until=None))


def _free(by: Any) -> QuerySet[Review]:
    """Waiting reviews that nobody else is looking at. The command line, nobody, is not kept from any."""
    waiting = Review.objects.filter(state=ReviewState.WAITING)
    if by is None:
        return waiting
    return waiting.filter(Q(claimed_by=None) | Q(claimed_by=by) | Q(claimed_until__lt=timezone.now()))


# --- yes and no -------------------------------------------------------------------------------------------------------


def decide(
    *,
    review: Review,
    approve: bool,
    by: Any,
    sha256: str,
    reason: str = "",
    code: str = "",
    at: dt.datetime | None = None,
) -> None:
    """The creator's word on one exact cut, given once. Raises StaleReview when it is late or for another version.

    It can be taken back for REVIEW_UNDO_SECONDS, and takes effect then; at once where nobody is there to do so. What
    was decided by one click bears one moment, `at`, and is taken back by one.
    """
    now = at or timezone.now()
    window = settings.REVIEW_UNDO_SECONDS if by is not None else 0
    with review.cut.production.order.locked():
        _answer(
            review,
            by,
            sha256,
            state=ReviewState.APPROVED if approve else ReviewState.REFUSED,
            decided_by=by,
            code=code,
            reason=reason[:300],
            decided_at=now,
            takes_effect_at=now + dt.timedelta(seconds=window) if window else None,
        )
        name = "review.approved" if approve else "review.refused"
        _tell(review, name, by, sha256=sha256, reason=reason[:300], code=code, seconds=window)
        engine.ring_step(review.cut.production, "review")
    live.order_changed(review.cut.production.order.code)


def undo(*, review: Review, by: Any) -> None:
    """Take back one's own decision before it takes effect: the review waits again. Raises TooLate."""
    now = timezone.now()
    with review.cut.production.order.locked():
        undone = Review.objects.filter(
            pk=review.pk,
            decided_by=by,
            state__in=DECIDED,
            takes_effect_at__gt=now,
        ).update(**UNDECIDED)
        if not undone:
            raise TooLate(str(review))
        _tell(review, "review.undone", by)
        engine.ring_step(review.cut.production, "review")
    live.order_changed(review.cut.production.order.code)


def _answer(review: Review, by: Any, sha256: str, **values: Any) -> None:
    """Write the answer to a review that waits, for this exact cut of a film still being made. Raises StaleReview."""
    same = Cut.objects.filter(pk=review.cut_id, sha256=sha256, production__state=ProductionState.RUNNING).exists()
    mine = _free(by).filter(pk=review.pk, sha256=sha256)
    if not (same and mine.update(**values)):
        waits = Review.objects.filter(pk=review.pk, state=ReviewState.WAITING, sha256=sha256).exists()
        raise Taken(str(review)) if same and waits else StaleReview(str(review))


def _tell(review: Review, name: str, by: Any, **data: Any) -> None:
    told = {key: value for key, value in data.items() if value not in ("", None)}
    tell(review.cut.production, name, stage="review", by=str(by) if by else "command line", **told)


# --- a change ---------------------------------------------------------------------------------------------------------


def change_for(
    review: Review, code: str, *, note: str = "", scenes: Sequence[int] = (), respelling: str = ""
) -> Change | None:
    """What a reason has made again; None for what must not go out. Raises CannotRerun where something lacks."""
    chosen = tuple(sorted(set(scenes)))
    if code == ReasonCode.FACE:
        if not chosen:
            raise CannotRerun(_("Say which shot: the scene’s number."))
        return Change("shot", scenes=chosen, photo=wishes.ANOTHER, calm=True)
    if code == ReasonCode.NAME:
        if not respelling.strip():
            raise CannotRerun(_("Spell the name as it is said, such as see-oh-MAH-ra."))
        return Change("narration", scenes=chosen or _saying(review, respelling), respelling=respelling.strip())
    if code == ReasonCode.TONE:
        if not note.strip():
            raise CannotRerun(_("Say in a few words how it should sound."))
        return Change("script", note=note.strip())
    if code == ReasonCode.CAPTION:
        return Change("cut", scenes=chosen, captions=True)
    if code == ReasonCode.OTHER:
        raise CannotRerun(_("Say which of the others it is: only then something can be made again."))
    if code != ReasonCode.UNSAFE:
        raise CannotRerun(_("There is no such reason."))
    return None


def _saying(review: Review, respelling: str) -> tuple[int, ...]:
    """The scenes whose lines say the word that is respelled."""
    word, is_pair, _said = respelling.partition("=")
    name = word.strip() if is_pair else review.cut.production.order.brief.name
    scenes = [
        scene.number
        for scene in review.cut.production.script.scenes.order_by("number")
        if name.casefold() in scene.text.casefold()
    ]
    if not scenes:
        raise CannotRerun(_("No line says “%(word)s”.") % {"word": name})
    return tuple(scenes)


def plan_change(
    *, review: Review, code: str, note: str = "", scenes: Sequence[int] = (), respelling: str = ""
) -> Plan | None:
    """What asking for this would make again, its price and time; None where the film is refused. Raises CannotRerun."""
    change = change_for(review, code, note=note, scenes=scenes, respelling=respelling)
    return rerun.plan(order=review.cut.production.order, change=change) if change is not None else None


def request_change(
    *,
    review: Review,
    by: Any,
    sha256: str,
    code: str,
    note: str = "",
    scenes: Sequence[int] = (),
    respelling: str = "",
) -> Production:
    """Have the film changed for a reason, given once on one exact cut; the new production, which asks again.

    As long as it can be taken back nothing is made again, and the film's own production is returned; so it is for what
    must not go out, which is refused: the hold is released when that takes effect, and staff are told. Raises
    StaleReview, CannotRerun.
    """
    production = review.cut.production
    change = change_for(review, code, note=note, scenes=scenes, respelling=respelling)
    if change is None:
        said = note.strip() or str(ReasonCode(code).label)
        decide(review=review, approve=False, by=by, sha256=sha256, reason=said, code=code)
        return production
    if sentence := rerun.objection(base=production, change=change):
        raise CannotRerun(sentence)
    now = timezone.now()
    window = settings.REVIEW_UNDO_SECONDS if by is not None else 0
    try:
        with production.order.locked():
            _answer(
                review,
                by,
                sha256,
                state=ReviewState.CHANGED,
                decided_by=by,
                code=code,
                reason=note[:300],
                change=change.to_json(),
                decided_at=now,
                takes_effect_at=now + dt.timedelta(seconds=window) if window else None,
            )
            told = {"code": code, "note": note[:300], "change": change.to_json(), "sha256": sha256, "seconds": window}
            _tell(review, "review.change_asked", by, **told)
            if window:
                engine.ring_step(production, "review")
            else:
                review.refresh_from_db()
                production = carry_out(review=review)
    except IntegrityError:
        raise StaleReview(str(review)) from None
    live.order_changed(production.order.code)
    return production


def carry_out(*, review: Review) -> Production:
    """Begin what a change asks for that counts now, in the caller's transaction. Raises CannotRerun."""
    production = review.cut.production
    production.order.refresh_from_db()
    return rerun.begin(
        order=production.order,
        base=production,
        change=Change.from_json(review.change),
        by=review.decided_by,
        reason=review.reason or review.get_code_display(),
        key=f"review-{review.pk}",
    )


def cannot(*, review: Review, why: str) -> None:
    """A change that was asked for cannot be made any more: the film waits again, and the history says why."""
    with review.cut.production.order.locked():
        changed = Review.objects.filter(pk=review.pk, state=ReviewState.CHANGED)
        if changed.update(**UNDECIDED):
            _tell(review, "review.undone", "system", reason=why[:300])
