"""Mail to the fan: promised in the transaction that makes it true, sent after it, again until it left."""

from __future__ import annotations

import datetime as dt
import logging

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db.models import F, Q, QuerySet
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from billing import receipt

from . import queue
from .models import Notice, NoticeKind, Production

log = logging.getLogger(__name__)

LEASE = dt.timedelta(seconds=60)
# Minutes until the second, third … try; the last one repeats. A mail server may be away for a weekend.
PAUSES = (1, 2, 5, 15, 60, 120, 240)
MAX_TRIES = 20


def subject(notice: Notice) -> str:
    """The mail's subject line."""
    name = notice.order.brief.name
    if notice.kind == NoticeKind.MESSAGE:
        return notice.subject
    return {
        NoticeKind.READY: _("The film for %(name)s is ready"),
        NoticeKind.ATTENTION: _("About the film for %(name)s"),
        NoticeKind.REVIEW: _("The film for %(name)s is with %(creator)s"),
        NoticeKind.REFUND: _("Your money for the film for %(name)s"),
        NoticeKind.RENEWED: _("The film for %(name)s is better now"),
    }[NoticeKind(notice.kind)] % {"name": name, "creator": notice.order.creator.name}


def promise(production: Production, kind: NoticeKind, about: str = "") -> None:
    """Promise a mail about this production, once per kind and what it is about; orders without a fan get none."""
    order = production.order
    if order.fan is None:
        return
    notice, created = Notice.objects.get_or_create(
        production=production, kind=kind, about=about, defaults={"order": order}
    )
    if created:
        queue.ring("control", "send_notice", notice.pk, f"notice-{notice.pk}")


def _due() -> QuerySet[Notice]:
    now = timezone.now()
    return Notice.objects.filter(sent_at=None, tries__lt=MAX_TRIES).filter(Q(lease_until=None) | Q(lease_until__lt=now))


def send(pk: int) -> None:
    """Send one promised mail, if nobody else is at it."""
    if not _due().filter(pk=pk).update(lease_until=timezone.now() + LEASE, tries=F("tries") + 1):
        return
    notice = Notice.objects.select_related("order__fan", "order__brief", "order__creator").get(pk=pk)
    order = notice.order
    if order.fan is None:
        return
    context = {
        "notice": notice,
        "order": order,
        "brief": order.brief,
        "creator": order.creator,
        "url": settings.SITE_URL + reverse("pipeline:order", args=[order.code]),
        "receipt": receipt.of(order),
    }
    mail = EmailMultiAlternatives(
        subject=subject(notice),
        body=render_to_string(f"mail/{notice.kind}.txt", context),
        to=[order.fan.email],
    )
    mail.attach_alternative(render_to_string(f"mail/{notice.kind}.html", context), "text/html")
    try:
        mail.send()
    except OSError as error:  # smtplib's errors are OSErrors
        log.warning("Mail %s was not sent: %s", notice, error)
        pause = dt.timedelta(minutes=PAUSES[min(notice.tries, len(PAUSES)) - 1])
        Notice.objects.filter(pk=pk).update(error=str(error)[:300], lease_until=timezone.now() + pause)
        return
    Notice.objects.filter(pk=pk).update(sent_at=timezone.now(), lease_until=None, error="")


def sweep() -> int:
    """Ring again for mails that did not leave. Returns how many there were."""
    due = list(_due().values_list("pk", "tries")[:200])
    for pk, tries in due:
        queue.again("control", "send_notice", pk, f"notice-{pk}-{tries}")
    return len(due)
