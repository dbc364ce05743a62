"""Where vendors ring: verified, recorded once, answered fast. A message is only a bell; the vendor is asked afterwards.

Answers: 2xx once recorded (also for what is late or seen before), 401 for what is not theirs, 404 for an address that
is not ours, 413 for too much, 503 for our own trouble, so that they try again.
"""

from __future__ import annotations

import logging
import time

from django.db import DatabaseError, IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from orders.faults import faultpoint

from . import calls, hook_links, roster
from .models import Call, HookEvent
from .providers.base import BadHook

log = logging.getLogger(__name__)

LARGEST = 64 * 1024


@csrf_exempt
@require_POST
def hook(request: HttpRequest, provider: str, signed: str = "") -> HttpResponse:
    """One message of one vendor."""
    hooked = roster.hooked(provider)
    if hooked is None:
        return HttpResponse(status=404)
    key = hook_links.read(provider, signed) if signed else ""
    if key is None:
        return HttpResponse(status=404)
    length = request.headers.get("Content-Length", "")
    if not length.isascii() or not length.isdigit() or len(length) > 9 or int(length) > LARGEST:
        return HttpResponse(status=413)
    try:
        news = hooked.verify(
            {name.lower(): value for name, value in request.headers.items()}, request.body, time.time()
        )
    except BadHook as error:
        log.warning("A message to %s was refused: %s", provider, error)
        return HttpResponse(status=401)
    try:
        outcome = _record(provider, key, news.event_id, news.external_id)
    except DatabaseError:
        log.exception("A message of %s could not be recorded; they will send it again.", provider)
        return HttpResponse(status=503)
    return HttpResponse(outcome, content_type="text/plain")


def _record(provider: str, key: str, event_id: str, external_id: str) -> str:
    """Write the message down once and ring; what it came to."""
    known = Call.objects.filter(provider=provider).select_related("step__production__order")
    call = None
    if key:
        call = known.filter(key=key).first()
    elif external_id:
        call = known.filter(external_id=external_id).first()
    try:
        with call.step.production.order.locked() if call is not None else transaction.atomic():
            if call is not None:
                call = known.get(pk=call.pk)  # while we stood in line its answer may have come
            event = HookEvent.objects.create(provider=provider, event_id=event_id[:200], call=call, outcome="new")
            event.outcome = calls.ring(call, external_id) if call is not None else "unknown"
            HookEvent.objects.filter(pk=event.pk).update(outcome=event.outcome)
            faultpoint("hook.before_commit", provider)
    except IntegrityError:
        return "seen"
    faultpoint("hook.after_commit", provider)
    return event.outcome


app_name = "hooks"
urlpatterns = [
    path("hooks/<slug:provider>/", hook, name="vendor"),
    path("hooks/<slug:provider>/<str:signed>/", hook, name="call"),
]
