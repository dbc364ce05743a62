"""Stage `review`: the creator approves the exact cut, or has agreed that green checks are enough.

A decision is acted on once it can no longer be taken back, by this step's own alarm. A review that is late calls staff.
"""

from __future__ import annotations

import datetime as dt
import hashlib

from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import ApprovalMode, Creator
from orders.faults import faultpoint

from .. import reviewing
from ..engine import DONE, Done, StageFailed, Wait, Work
from ..escalations import escalate
from ..history import tell
from ..models import Cut, EscalationKind, ReasonCode, Review, ReviewState
from ..rerun import CannotRerun

# A bell brings the alarm forward; this is only how often a forgotten review is looked at.
LOOK_EVERY = 600.0
# A review that is asked for when its order is late already is not late itself for so long.
LEAST = dt.timedelta(hours=1)


def run(work: Work) -> Done | Wait:
    """Ask the creator once; done when an approval has taken effect, failed when a refusal has.

    A change that takes effect begins another production, and this one gives way to it.
    """
    cut = Cut.objects.get(production=work.production)
    review = Review.objects.filter(cut=cut).first() or _ask(work, cut)
    if review.state in reviewing.DECIDED:
        return _take_effect(work, review)
    if _is_late(review):
        _escalate(work, review)
    soonest = LOOK_EVERY if review.due_at is None or review.late_at else _seconds_to(review.due_at)
    return Wait(min(LOOK_EVERY, max(1.0, soonest)))


def _seconds_to(moment: dt.datetime) -> float:
    return (moment - timezone.now()).total_seconds()


def _take_effect(work: Work, review: Review) -> Done | Wait:
    if review.takes_effect_at is not None and (left := _seconds_to(review.takes_effect_at)) > 0:
        return Wait(left)
    faultpoint("review.before_effect")
    if review.takes_effect_at is not None:
        try:
            with work.fence():
                if not _counts(review):
                    return Wait(1.0)
                if review.state == ReviewState.CHANGED:
                    # With the same transaction: a change that counts is one that is being made.
                    reviewing.carry_out(review=review)
        except CannotRerun as error:
            reviewing.cannot(review=review, why=str(error))
            return Wait(1.0)
    faultpoint("review.after_effect")
    if review.state == ReviewState.CHANGED:
        return Wait(LOOK_EVERY)  # this production has given way: nobody looks again
    if review.state == ReviewState.APPROVED:
        return DONE
    if review.code == ReasonCode.UNSAFE:
        with work.fence():
            escalate(work.production, EscalationKind.UNSAFE, review.reason)
    raise StageFailed(
        f"refused by {review.creator}: {review.reason}",
        fan=_("%(creator)s decided not to lend their voice to this film: “%(reason)s”")
        % {"creator": review.creator.name, "reason": review.reason},
    )


def _counts(review: Review) -> bool:
    """From here on it cannot be taken back: whoever was quicker decides."""
    mine = Review.objects.filter(pk=review.pk, state=review.state, takes_effect_at__lte=timezone.now())
    if not mine.update(takes_effect_at=None):
        return False
    review.refresh_from_db()
    return True


def _ask(work: Work, cut: Cut) -> Review:
    automatic = not is_asked(work, cut.verdict)
    now = timezone.now()
    promised = work.order.promised_at
    with work.fence():
        review = Review.objects.create(
            cut=cut,
            creator=work.order.creator,
            sha256=cut.sha256,
            automatic=automatic,
            state=ReviewState.APPROVED if automatic else ReviewState.WAITING,
            due_at=max(promised, now + LEAST) if promised is not None else None,
            decided_at=now if automatic else None,
        )
        name = "review.approved" if automatic else "review.asked"
        tell(work.production, name, stage="review", automatic=automatic, sha256=cut.sha256)
    return review


def is_asked(work: Work, verdict: str) -> bool:
    """Whether a person looks at this film, of which quality control says `verdict`, before it goes out."""
    # What moderation was not sure of, a person decides.
    if verdict != "pass" or work.production.concerns.exists():
        return True
    # Who was not content with a version looks at the next.
    answers = [ReviewState.CHANGED, ReviewState.REFUSED]
    if Review.objects.filter(cut__production__order=work.order, state__in=answers).exists():
        return True
    creator = work.order.creator
    if creator.approval == ApprovalMode.SAMPLED:
        return is_sampled(work.order.code, creator)
    return creator.approval != ApprovalMode.AUTOMATIC


def is_sampled(code: str, creator: Creator) -> bool:
    """Whether an order is of those its creator looks at: by its code, so that trying again draws the same lot."""
    lot = int.from_bytes(hashlib.sha256(f"sample:{code}".encode()).digest()[:8], "big")
    return lot % 100 < creator.sample_percent


def _is_late(review: Review) -> bool:
    return review.late_at is None and review.due_at is not None and review.due_at <= timezone.now()


def _escalate(work: Work, review: Review) -> None:
    now = timezone.now()
    with work.fence():
        waits = Review.objects.filter(pk=review.pk, state=ReviewState.WAITING, late_at=None)
        if waits.update(late_at=now):
            note = _("%(creator)s has not looked at it yet.") % {"creator": review.creator.name}
            escalate(work.production, EscalationKind.LATE_REVIEW, note)
            tell(work.production, "review.escalated", stage="review", asked_at=review.asked_at.isoformat())
    review.late_at = now
