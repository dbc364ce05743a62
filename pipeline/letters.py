"""What staff write to a fan: kept as a row, sent like every other mail, once however often the button is pressed."""

from __future__ import annotations

from django.db import IntegrityError
from django.utils.translation import gettext as _

from accounts import audit
from accounts.models import User
from orders.models import Order

from . import queue
from .models import Notice, NoticeKind


class NoFan(Exception):  # noqa: N818  (said to people)
    """There is nobody to write to. The message is a sentence for whoever asked."""


def write(*, order: Order, subject: str, body: str, by: User, key: str) -> Notice:
    """Promise the fan a mail with these words. The same key is the same mail. Raises NoFan."""
    if order.fan is None:
        raise NoFan(_("This order has no fan to write to."))
    known = Notice.objects.filter(order=order, kind=NoticeKind.MESSAGE, about=key)
    if (found := known.first()) is not None:
        return found
    try:
        with order.locked():
            notice = Notice.objects.create(
                order=order,
                production=order.productions.order_by("-number").first(),
                kind=NoticeKind.MESSAGE,
                about=key,
                subject=subject,
                body=body,
                by=by,
            )
            order.tell("message.written", actor=by.email, what=subject)
            audit.write(actor=by, verb="message.written", target=order, reason=subject)
            queue.ring("control", "send_notice", notice.pk, f"notice-{notice.pk}")
    except IntegrityError:
        return known.get()  # the same click, at the same moment
    return notice
