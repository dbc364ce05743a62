"""Stage `photos`: every photo checked, enough of them usable, in a sensible order."""

from __future__ import annotations

from django.utils.translation import gettext as _

from orders.models import MIN_PHOTOS, PhotoState

from .. import photos
from ..engine import DONE, Done, StageFailed, Wait, Work
from ..history import tell


def run(work: Work) -> Done | Wait:
    """Check what nobody has checked yet, then settle the order of the film's photos."""
    order = work.order
    for photo in order.photos.filter(state=PhotoState.UPLOADED):
        photos.check(photo.pk)
        work.beat()
    if order.photos.filter(state=PhotoState.UPLOADED).exists():
        return Wait(2)  # another worker has one in hand
    usable = list(order.photos.usable())
    if len(usable) < MIN_PHOTOS:
        raise StageFailed(
            f"only {len(usable)} usable photos",
            fan=_("Only %(count)d of your photos could be opened, and a film needs %(least)d.")
            % {"count": len(usable), "least": MIN_PHOTOS},
        )
    with work.fence():
        if not order.photos_sorted:
            photos.settle(usable)
        tell(work.production, "photos.looked_at", stage="photos", count=len(usable))
    return DONE
