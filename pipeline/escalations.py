"""What staff are called for: a flag on the desk, and a mail to STAFF_MAIL, written with the fact and sent after it."""

from __future__ import annotations

import datetime as dt
import logging

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import audit
from accounts.models import User

from . import queue
from .models import Escalation, EscalationKind, Production

log = logging.getLogger(__name__)

LEASE = dt.timedelta(seconds=60)
PAUSE = dt.timedelta(minutes=5)
MAX_TRIES = 50


def escalate(production: Production, kind: EscalationKind, note: str = "") -> bool:
    """Call staff about a production, once for each kind; in the caller's transaction. True for the one that did."""
    made, created = Escalation.objects.get_or_create(
        production=production, kind=kind, defaults={"order": production.order, "note": note[:300]}
    )
    if created:
        queue.ring("control", "send_escalation", made.pk, f"escalation-{made.pk}")
    return created


def settle(*, escalation: Escalation, by: User, reason: str) -> bool:
    """Somebody has looked after it, and says how. True for exactly one caller."""
    open_one = Escalation.objects.filter(pk=escalation.pk, settled_at=None)
    with transaction.atomic():
        settled = open_one.update(settled_at=timezone.now(), settled_by=by)
        if settled:
            data = {"kind": escalation.kind}
            audit.write(actor=by, verb="escalation.settled", target=escalation.order, reason=reason, data=data)
    return bool(settled)


def _due() -> QuerySet[Escalation]:
    now = timezone.now()
    unsent = Escalation.objects.filter(sent_at=None, settled_at=None, tries__lt=MAX_TRIES)
    return unsent.filter(Q(lease_until=None) | Q(lease_until__lt=now))


def send(pk: int) -> None:
    """Send one mail to staff, if nobody else is at it. Without STAFF_MAIL the desk alone says it."""
    if not settings.STAFF_MAIL:
        return
    if not _due().filter(pk=pk).update(lease_until=timezone.now() + LEASE, tries=F("tries") + 1):
        return
    made = Escalation.objects.select_related("order__creator", "production").get(pk=pk)
    address = settings.SITE_URL + reverse("admin:pipeline_production_change", args=[made.production_id])
    said = _("%(what)s: order %(code)s, %(creator)s.") % {
        "what": made.get_kind_display(),
        "code": made.order.code,
        "creator": made.order.creator.name,
    }
    mail = EmailMessage(
        subject=f"{made.get_kind_display()}: {made.order.code}",
        body="\n\n".join(filter(None, (said, made.note, address))),
        to=settings.STAFF_MAIL,
    )
    try:
        mail.send()
    except OSError as error:  # smtplib's errors are OSErrors
        log.warning("Staff were not mailed about %s: %s", made, error)
        Escalation.objects.filter(pk=pk).update(error=str(error)[:300], lease_until=timezone.now() + PAUSE)
        return
    Escalation.objects.filter(pk=pk).update(sent_at=timezone.now(), lease_until=None, error="")


def sweep() -> int:
    """Ring again for mails that did not leave. Returns how many there were."""
    due = list(_due().values_list("pk", "tries")[:200]) if settings.STAFF_MAIL else []
    for pk, tries in due:
        queue.again("control", "send_escalation", pk, f"escalation-{pk}-{tries}")
    return len(due)
