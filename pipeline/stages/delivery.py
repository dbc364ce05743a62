"""Stage `delivery`: the film becomes the fan's, then the held money is taken."""

from __future__ import annotations

import logging

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
    if work.order.state != OrderState.DELIVERED:
        _deliver(work)
    try:
        billing.settle(order=work.order)
    except GatewayError as error:
        # The film is the fan's already; the sweep settles until the gateway answers.
        log.warning("The money of order %s is not settled yet: %s", work.order, error)
    return DONE


def _deliver(work: Work) -> None:
    cut = Cut.objects.select_related("review").get(production=work.production)
    if cut.review.state != ReviewState.APPROVED or cut.review.sha256 != cut.sha256:
        raise StageFailed("the approval is not for this cut")
    with work.fence():
        Delivery.objects.get_or_create(order=work.order, defaults={"cut": cut})
        faultpoint("delivery.before_finish")
        if not orders.finish(order=work.order, state=OrderState.DELIVERED):
            raise StageFailed("the order was ended by someone else")
        tell(work.production, "film.delivered", stage="delivery")
    work.order.refresh_from_db()
