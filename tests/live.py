"""Run as a program of its own: places orders in the database that VIDEOGEN_VAR names, or says how they stand (JSON)."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "videogen.settings")


def place(count: int) -> list[str]:
    """Place and pay this many orders with real photos; their codes."""
    from django.core.files.uploadedfile import UploadedFile

    from billing import services as billing
    from orders import services as orders
    from orders.models import ConsentKind
    from orders.uploads import gate
    from tests import making
    from tests.samples import make_photos

    codes = []
    with tempfile.TemporaryDirectory() as folder:
        for number in range(count):
            order = orders.begin(creator=making.creator(), fan=making.fan(f"fan{number}@films.example"), visitor="")
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


def look() -> dict[str, object]:
    """Every order's state, the steps that are open, and the invariants that are broken."""
    from orders.models import Order
    from pipeline import invariants
    from pipeline.models import Step

    return {
        "orders": dict(Order.objects.values_list("code", "state")),
        "payments": list(Order.objects.values_list("payments__state", flat=True)),
        "open": [f"{s.stage}[{s.item}] {s.state} {s.error}" for s in Step.objects.exclude(state="done")],
        "done": Step.objects.filter(state="done").count(),
        "broken": invariants.broken(),
    }


if __name__ == "__main__":
    django.setup()
    print(json.dumps(place(int(sys.argv[2])) if sys.argv[1] == "place" else look()))
