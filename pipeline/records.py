"""All we know of an order: handed out as one archive, or erased but for what the law wants kept of the money."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from typing import Any

from django.core.files.storage import default_storage
from django.core.serializers.json import DjangoJSONEncoder
from django.db import transaction
from django.db.models import Model, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import audit
from accounts.models import User
from billing.models import LedgerEntry, Payment, Refund
from orders.models import Brief, Consent, Order, OrderEvent, OrderState, Photo

from . import housekeeping, live
from .models import (
    OPEN_CALLS,
    Call,
    Concern,
    Cut,
    Delivery,
    Escalation,
    Event,
    Finding,
    FirstLook,
    Narration,
    Notice,
    Production,
    ProductionState,
    RefundRequest,
    Rendition,
    Review,
    Scene,
    Script,
    Step,
    Take,
)

CHUNK = 256 * 1024
# What an order's own events keep: figures and codes, nothing that anybody typed.
PLAIN = {"amount", "currency", "payment", "refund", "creator", "kinds"}
# Never handed out: marks that let somebody act in our name, and links between rows that mean nothing outside.
SECRET = {"id", "session_key", "lease", "lease_until", "token", "key", "prepared"}


class InUse(Exception):  # noqa: N818  (said to people)
    """Something still works on the order. The message is a sentence for whoever asked."""


# --- export -----------------------------------------------------------------------------------------------------------


def tables(order: Order) -> dict[str, QuerySet[Any]]:
    """Every table that knows something of the order, by the name it has in the archive."""
    made = Production.objects.filter(order=order)
    scenes = Scene.objects.filter(script__production__in=made)
    return {
        "order": Order.objects.filter(pk=order.pk),
        "brief": Brief.objects.filter(order=order),
        "photos": Photo.objects.filter(order=order),
        "consents": Consent.objects.filter(order=order),
        "events": OrderEvent.objects.filter(order=order).order_by("number"),
        "payments": Payment.objects.filter(order=order),
        "refunds": Refund.objects.filter(payment__order=order),
        "ledger": LedgerEntry.objects.filter(order=order),
        "productions": made.order_by("number"),
        "steps": Step.objects.filter(production__in=made),
        "calls": Call.objects.filter(step__production__in=made),
        "production_events": Event.objects.filter(production__in=made).order_by("production", "number"),
        "scripts": Script.objects.filter(production__in=made),
        "scenes": scenes.order_by("script", "number"),
        "narrations": Narration.objects.filter(scene__in=scenes),
        "takes": Take.objects.filter(shot__scene__in=scenes),
        "concerns": Concern.objects.filter(production__in=made),
        "cuts": Cut.objects.filter(production__in=made),
        "renditions": Rendition.objects.filter(cut__production__in=made),
        "findings": Finding.objects.filter(cut__production__in=made),
        "reviews": Review.objects.filter(cut__production__in=made),
        "mails": Notice.objects.filter(order=order),
    }


def _plain(row: Model) -> dict[str, Any]:
    values = {field.attname: field.value_from_object(row) for field in row._meta.concrete_fields}
    return {name: value for name, value in values.items() if name not in SECRET}


class _Pipe(io.RawIOBase):
    """Where a zip is written to and taken from again, bit by bit."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def writable(self) -> bool:
        """It is only written to."""
        return True

    def write(self, data: Any) -> int:
        """Keep it until it is taken."""
        self._parts.append(bytes(data))
        return len(data)

    def take(self) -> bytes:
        """What was written since."""
        parts, self._parts = self._parts, []
        return b"".join(parts)


def archive(order: Order) -> Iterator[bytes]:
    """A zip of `order.json` and every stored file of the order, in pieces: no size takes more memory."""
    pipe = _Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as out:
        data = {name: [_plain(row) for row in rows] for name, rows in tables(order).items()}
        out.writestr("order.json", json.dumps(data, cls=DjangoJSONEncoder, ensure_ascii=False, indent=1))
        yield pipe.take()
        for name in sorted(housekeeping.known_names({order.code})):
            yield from _stored(out, pipe, name)
    yield pipe.take()


def _stored(out: zipfile.ZipFile, pipe: _Pipe, name: str) -> Iterator[bytes]:
    """One file, not packed again: films and photos are packed already. One that is gone is passed over."""
    try:
        source = default_storage.open(name, "rb")
    except FileNotFoundError:
        return
    entry = zipfile.ZipInfo(f"files/{name}", timezone.now().timetuple()[:6])
    with source, out.open(entry, "w", force_zip64=True) as target:
        while chunk := source.read(CHUNK):
            target.write(chunk)
            yield pipe.take()


def told_of_export(*, order: Order, by: User, reason: str) -> None:
    """Write down that somebody takes an order's data with them."""
    with order.locked():
        order.tell("order.exported", actor=by.email, reason=reason)
        audit.write(actor=by, verb="order.exported", target=order, reason=reason)


# --- erase ------------------------------------------------------------------------------------------------------------


def objection(order: Order) -> str:
    """Why an order cannot be erased now, in one sentence; empty when it can."""
    if order.state in (OrderState.DRAFT, OrderState.PLACED):
        return _("Only an order that has ended can be erased. Cancel it first.")
    if order.productions.filter(state=ProductionState.RUNNING).exists():
        return _("A film is being made for it. Stop that first.")
    if Call.objects.filter(step__production__order=order, state__in=OPEN_CALLS).exists():
        return _("A vendor still works for it. It is being called back; try again in a few minutes.")
    if order.payments.filter(state="authorized").exists():
        return _("Its money is still held. Try again when it was taken or let go.")
    return ""


def erase(*, order: Order, by: User, reason: str) -> None:
    """Forget what the fan told and showed us: rows emptied in one transaction, links dead, then the files removed.

    Kept are the order's code and dates, payments, refunds and the ledger, the costs of calls, that consent was given,
    and who of us did what: what the books and the law need, naming nobody. `reason` stays in the audit. Raises InUse.
    Done twice it is done once.
    """
    with order.locked():  # whoever opens the order again, or makes something for it, waits here or is seen below
        order.refresh_from_db()
        if order.erased_at is not None:
            return
        if sentence := objection(order):
            raise InUse(sentence)
        audit.forget(tables(order).values(), keep=PLAIN)
        _forget_making(Production.objects.filter(order=order))
        _forget_wishes(order)
        Order.objects.filter(pk=order.pk).update(fan=None, session_key="", ending="", erased_at=timezone.now())
        order.tell("order.erased", actor=by.email)
        audit.write(actor=by, verb="order.erased", target=order, reason=reason)
        transaction.on_commit(lambda: remove_files(order.code))
    order.refresh_from_db()
    live.order_changed(order.code)


def _forget_wishes(order: Order) -> None:
    Photo.objects.filter(order=order).delete()
    Brief.objects.filter(order=order).update(name="", said_as="", sender="", notes="", must_say=[])
    Notice.objects.filter(order=order).delete()
    RefundRequest.objects.filter(order=order).update(note="")
    Refund.objects.filter(payment__order=order).update(note="", error="")
    Payment.objects.filter(order=order).update(url="", error="")
    for event in OrderEvent.objects.filter(order=order):
        kept = {key: value for key, value in event.data.items() if key in PLAIN}
        OrderEvent.objects.filter(pk=event.pk).update(data=kept)


def _forget_making(made: QuerySet[Production]) -> None:
    """Empty all that was made. Rows that others point at stay, without what they said."""
    now = timezone.now()
    Delivery.objects.filter(order__in=made.values("order")).update(revoked_at=now)
    cuts = Cut.objects.filter(production__in=made)
    Finding.objects.filter(cut__in=cuts).delete()
    Review.objects.filter(cut__in=cuts).update(reason="", change={})
    cuts.update(file="", poster="", captions="", timeline={}, sheet={})
    FirstLook.objects.filter(production__in=made).delete()
    Concern.objects.filter(production__in=made).delete()
    Script.objects.filter(production__in=made).delete()
    Event.objects.filter(production__in=made).update(data={})
    calls = Call.objects.filter(step__production__in=made)
    calls.update(request={}, prepared=None, result={}, files={}, error="", fan_sentence="")
    Step.objects.filter(production__in=made).update(error="")
    Rendition.objects.filter(cut__in=cuts).delete()
    Escalation.objects.filter(production__in=made).update(note="", error="")
    made.update(error="", reason="", change={}, wishes={})


def remove_files(code: str) -> int:
    """Remove every file of an order from storage; how many there were. What a crash leaves, tidying finds later."""
    gone = 0
    for name in list(housekeeping.stored_of(code)):
        default_storage.delete(name)
        gone += 1
    return gone
