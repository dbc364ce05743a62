"""Run as a program of its own on the site that VIDEOGEN_VAR names: places orders, says how they stand (JSON).

`voices NAME …` gives the creators who approve by themselves those voices, `place COUNT [FIRST]` orders films of them in
turn, beginning with that one, `pay` pays what was left unpaid, `version CODE` asks for a delivered
film's wide version, `look` says how everything stands, `books` what the ledger and the gateway say.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "videogen.settings")


def place(count: int, first: int = 0) -> list[str]:
    """Place and pay this many orders with real photos, of the creators who need not look in turn; their codes."""
    from django.core.files.uploadedfile import UploadedFile

    from accounts.models import ApprovalMode, Creator
    from billing import services as billing
    from orders import services as orders
    from orders.models import ConsentKind
    from orders.uploads import gate
    from tests import making
    from tests.samples import make_photos

    codes = []
    creators = Creator.objects.filter(approval=ApprovalMode.AUTOMATIC)
    with tempfile.TemporaryDirectory() as folder:
        for number in range(first, first + count):
            order = orders.begin(
                creator=creators[number % len(creators)], fan=making.fan(f"fan{number}@films.example"), visitor=""
            )
            orders.describe(order=order, name="Eileen", seconds=20)
            orders.tell_story(order=order, notes="She flew the shuttle. She drinks too much coffee.", must_say=[])
            for path in make_photos(Path(folder), 5, size=(480, 640)):
                with path.open("rb") as source:
                    upload = UploadedFile(source, name=path.name, size=path.stat().st_size)
                    orders.add_photo(order=order, upload=gate(upload))
            orders.agree(order=order, kinds=ConsentKind.values)
            order.refresh_from_db()
            billing.pay(payment=billing.begin_payment(order=order), card="good")
            codes.append(order.code)
    return codes


def pay() -> list[str]:
    """Click again where paying came to nothing; the codes of all orders."""
    from billing import services as billing
    from billing.models import Payment, PaymentState
    from orders.models import Order

    for payment in Payment.objects.filter(state=PaymentState.CREATED):
        billing.pay(payment=payment, card="good")
    return list(Order.objects.values_list("code", flat=True))


def voices(*names: str) -> list[str]:
    """Let these providers read for the creators who approve by themselves, one each."""
    from accounts.models import ApprovalMode, Voice

    for name, voice in zip(names, Voice.objects.filter(creator__approval=ApprovalMode.AUTOMATIC), strict=True):
        Voice.objects.filter(pk=voice.pk).update(provider=name)
    return list(names)


def version(code: str) -> list[str]:
    """Ask for the wide version of a delivered film, twice."""
    from orders.models import Order
    from pipeline import renditions

    order = Order.objects.get(code=code)
    return [str(renditions.ask(order=order, format="16:9", captions=True)) for _ in range(2)]


def look() -> dict[str, object]:
    """Every order's state, the steps that are open, the calls that were sent, and the invariants that are broken."""
    from orders.models import Order
    from pipeline import invariants
    from pipeline.models import Call, Step

    return {
        "orders": dict(Order.objects.values_list("code", "state")),
        "payments": list(Order.objects.values_list("payments__state", flat=True)),
        "open": [f"{s.stage}[{s.item}] {s.state} {s.error}" for s in Step.objects.exclude(state="done")],
        "done": Step.objects.filter(state="done").count(),
        "calls": list(Call.objects.exclude(sent_at=None).values("provider", "key", "state", "maybe_paid_twice")),
        "broken": invariants.broken(),
    }


def books() -> dict[str, object]:
    """What the ledger says by account, what differs from the gateway's books, and every creator's running month."""
    from datetime import timedelta

    from django.db.models import Sum

    from accounts.models import Creator
    from billing import reconcile, statements
    from billing.models import LedgerEntry

    reconcile.FRESH = timedelta(0)  # all that was to be written down is
    sums = LedgerEntry.objects.order_by().values("account").annotate(sum=Sum("amount"))
    found = [reconcile.compare(name) for name in reconcile.gateways()]
    return {
        "accounts": {row["account"]: row["sum"] for row in sums},
        "owed": {creator.slug: statements.balance(creator, "EUR") for creator in Creator.objects.all()},
        "differences": [sentence for one in found for sentence in one.differences],
    }


if __name__ == "__main__":
    django.setup()
    verb, *words = sys.argv[1:]
    if verb == "place":
        print(json.dumps(place(*map(int, words))))
    else:
        print(
            json.dumps({"voices": voices, "pay": pay, "version": version, "look": look, "books": books}[verb](*words))
        )
