"""Stage `delivery`: the film becomes the fan's, in an older one's place if there was one; then held money is taken."""

from __future__ import annotations

import logging

from django.utils import timezone
from django.utils.translation import gettext as _

from billing import refunds
from billing import services as billing
from billing.gateways.base import GatewayError
from orders import services as orders
from orders.faults import faultpoint
from orders.models import OrderState

from ..engine import DONE, Done, StageFailed, Wait, Work
from ..history import tell
from ..models import Cut, Delivery, ReviewState

log = logging.getLogger(__name__)


def run(work: Work) -> Done | Wait:
    """Deliver an approved cut, once; then take the money that was held for it."""
    shown = Delivery.objects.filter(order=work.order, cut__production=work.production).exists()
    if work.order.state != OrderState.DELIVERED or (work.production.based_on_id is not None and not shown):
        _deliver(work)
    try:
        billing.settle(order=work.order)
    except GatewayError as error:
        # The film is the fan's already; the sweep settles until the gateway answers.
        log.warning("The money of order %s is not settled yet: %s", work.order, error)
    return DONE


def _deliver(work: Work) -> None:
    cut = Cut.objects.select_related("review").get(production=work.production)
    review = cut.review
    if review.state != ReviewState.APPROVED or review.sha256 != cut.sha256 or review.takes_effect_at is not None:
        raise StageFailed("the approval is not for this cut")
    _ask_the_licence(work)
    with work.fence():
        if refunds.is_whole(work.order):
            raise StageFailed("the money was given back: nothing more is delivered")
        delivery, created = Delivery.objects.get_or_create(order=work.order, defaults={"cut": cut})
        faultpoint("delivery.before_finish")
        if created or work.order.state != OrderState.DELIVERED:
            if delivery.cut_id != cut.pk:
                Delivery.objects.filter(pk=delivery.pk).update(cut=cut, renewed_at=timezone.now())
            if not orders.finish(order=work.order, state=OrderState.DELIVERED):
                raise StageFailed("the order was ended by someone else")
            tell(work.production, "film.delivered", stage="delivery")
        else:
            _renew(work, delivery, cut)
    work.order.refresh_from_db()


def _ask_the_licence(work: Work) -> None:
    """A creator's look may take days: the licence that held for the reading has to hold today. Raises StageFailed."""
    voice, brief = work.order.creator.voice, work.order.brief
    if voice.licence_for(brief.occasion, timezone.now().date()) is None:
        raise StageFailed(
            f"no licence of {voice} covers {brief.occasion} today",
            fan=_("The licence for this voice does not cover this film any more."),
        )


def _renew(work: Work, delivery: Delivery, cut: Cut) -> None:
    """Show this cut from now on where an older one was shown; what was closed stays closed."""
    older = delivery.cut.sha256
    open_ones = Delivery.objects.filter(pk=delivery.pk, revoked_at=None, order__state=OrderState.DELIVERED)
    if not open_ones.update(cut=cut, renewed_at=timezone.now()):
        raise StageFailed("the film of this order was closed")
    tell(work.production, "film.renewed", stage="delivery", before=older, now=cut.sha256)
