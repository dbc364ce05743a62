"""Stage `review`: the creator approves the exact cut, or has agreed that green checks are enough."""

from __future__ import annotations

from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import ApprovalMode

from ..engine import DONE, Done, StageFailed, Wait, Work
from ..history import tell
from ..models import Cut, Review, ReviewState

# A bell brings the alarm forward; this is only how often a forgotten review is looked at.
LOOK_EVERY = 600.0


def run(work: Work) -> Done | Wait:
    """Ask the creator once; done when approved, failed when refused."""
    cut = Cut.objects.get(production=work.production)
    review = Review.objects.filter(cut=cut).first() or _ask(work, cut)
    if review.state == ReviewState.APPROVED:
        return DONE
    if review.state == ReviewState.REFUSED:
        raise StageFailed(
            f"refused by {review.creator}: {review.reason}",
            fan=_("%(creator)s decided not to lend their voice to this film: “%(reason)s”")
            % {"creator": review.creator.name, "reason": review.reason},
        )
    return Wait(LOOK_EVERY)


def _ask(work: Work, cut: Cut) -> Review:
    creator = work.order.creator
    # What moderation was not sure of, a person decides.
    green = cut.verdict == "pass" and not work.production.concerns.exists()
    automatic = creator.approval == ApprovalMode.AUTOMATIC and green
    now = timezone.now()
    with work.fence():
        review = Review.objects.create(
            cut=cut,
            creator=creator,
            sha256=cut.sha256,
            automatic=automatic,
            state=ReviewState.APPROVED if automatic else ReviewState.WAITING,
            decided_at=now if automatic else None,
        )
        name = "review.approved" if automatic else "review.asked"
        tell(work.production, name, stage="review", automatic=automatic)
    return review
