"""Where Stripe rings: verified, written down once, answered fast. A message is a bell only; Stripe is asked afterwards.

Answers: 2xx once written down (also for what is not about us, or was seen before), 401 for what is not Stripe's, 404
where no secret is set, 413 for too much, 503 for our own trouble, so that Stripe tries again.
"""

from __future__ import annotations

import hmac
import json
import logging
import time
from collections.abc import Mapping, Sequence
from typing import Any

from django.conf import settings
from django.db import DatabaseError, IntegrityError, transaction
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from orders.faults import faultpoint

from . import signals
from .models import GatewayEvent, Payment

log = logging.getLogger(__name__)

LARGEST = 64 * 1024
TOLERANCE = 300  # seconds a message may be old, or early


class Forged(Exception):  # noqa: N818  (what it is)
    """It is not Stripe's, or too old."""


@csrf_exempt
@require_POST
def stripe_hook(request: HttpRequest) -> HttpResponse:
    """One message of Stripe's."""
    if not settings.STRIPE_WEBHOOK_SECRETS:
        return HttpResponse(status=404)
    length = request.headers.get("Content-Length", "")
    if not length.isascii() or not length.isdigit() or len(length) > 9 or int(length) > LARGEST:
        return HttpResponse(status=413)
    header = request.headers.get("Stripe-Signature", "")
    try:
        event = verified(request.body, header, settings.STRIPE_WEBHOOK_SECRETS, time.time())
    except Forged as error:
        log.warning("A message to Stripe's address was refused: %s", error)
        return HttpResponse(status=401)
    try:
        outcome = _record(event)
    except DatabaseError:
        log.exception("A message of Stripe's could not be written down; it will be sent again.")
        return HttpResponse(status=503)
    return HttpResponse(outcome, content_type="text/plain")


def verified(body: bytes, header: str, secrets: Sequence[str], now: float) -> Mapping[str, Any]:
    """The event, if one of the secrets signed it just now: `t=…,v1=hex` over "t.body" (HMAC-SHA256). Raises Forged."""
    pairs = [part.strip().partition("=") for part in header.split(",")]
    stamp = next((value for name, _, value in pairs if name == "t"), "")
    given = [value for name, _, value in pairs if name == "v1"]
    if not stamp.isascii() or not stamp.isdigit() or len(stamp) > 12 or abs(int(stamp) - now) > TOLERANCE:
        raise Forged("its time is missing or far off")
    wanted = [hmac.digest(secret.encode(), f"{stamp}.".encode() + body, "sha256").hex() for secret in secrets]
    if not any(hmac.compare_digest(one.encode(), two.encode()) for one in given for two in wanted):
        raise Forged("the signature does not fit")
    try:
        event = json.loads(body)
    except ValueError:
        raise Forged("it is no JSON") from None
    if not isinstance(event, dict) or not isinstance(event.get("id"), str) or not event["id"]:
        raise Forged("it is no event")
    return event


def _record(event: Mapping[str, Any]) -> str:
    """Write the event down once, and bring its payment's alarm forward; what it came to."""
    payment = _payment(event)
    outcome = "rung" if payment is not None else "unknown"
    try:
        with transaction.atomic():
            GatewayEvent.objects.create(
                gateway="stripe",
                event_id=event["id"][:120],
                kind=str(event.get("type", ""))[:80],
                payment=payment,
                outcome=outcome,
            )
            if payment is not None:
                Payment.objects.filter(pk=payment.pk).update(look_at=timezone.now())
                signals.payment_rang.send(Payment, payment_id=payment.pk)
            faultpoint("till.before_commit")
    except IntegrityError:
        return "seen"
    faultpoint("till.after_commit")
    return outcome


def _payment(event: Mapping[str, Any]) -> Payment | None:
    """Which payment an event is about: by our key, the session, or the intent. Its words count no further."""
    data = event.get("data")
    thing = data.get("object") if isinstance(data, dict) else None
    if not isinstance(thing, dict):
        return None
    names = thing.get("metadata")
    key = names.get("payment") if isinstance(names, dict) else None
    ids = [value for name in ("id", "payment_intent") if isinstance(value := thing.get(name), str) and value]
    wanted = Q(external_id__in=ids) | Q(session__in=ids)
    if isinstance(key, str) and key:
        wanted |= Q(key=key)
    return Payment.objects.filter(wanted, gateway="stripe").first()
