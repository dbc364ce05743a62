"""Any number of productions in flight, as rows: each has its script and its lines, and waits for six shots."""

from __future__ import annotations

import datetime as dt

from django.core.management.color import no_style
from django.db import connection
from django.db.models import Model
from django.utils import timezone

from accounts.models import Creator, User
from billing.models import Payment, PaymentState
from orders.models import Brief, Order, OrderState, Photo, PhotoState
from pipeline.line import LINE
from pipeline.models import (
    Call,
    CallState,
    Event,
    Narration,
    Notice,
    NoticeKind,
    Production,
    Scene,
    Script,
    Step,
    StepState,
    Vendor,
)
from pipeline.providers.video_models import DEFAULT_MODELS

SHOTS = 6
PATTERN = 100
# Every copy's ids are so much higher than those of the copy before.
STRIDE = 100_000
VENDOR = "higgsfield"
# Nothing of the crowd comes due while it is measured.
LATER = dt.timedelta(hours=1)
HAPPENED = (
    "production.started",
    "step.done",
    "photos.looked_at",
    "step.done",
    "script.written",
    *["line.read"] * SHOTS,
)


# What a copy must have of its own, as SQL; {n} is the number of the copy.
OWN = {
    "code": "'C' || ({n} * 100000 + id)",
    "key": "key || '.' || {n}",
    "token": "CASE WHEN token = '' THEN '' ELSE token || '.' || {n} END",
    "external_id": "CASE WHEN external_id = '' THEN '' ELSE external_id || '-' || {n} END",
}
KINDS = (Order, Brief, Payment, Photo, Production, Notice, Script, Scene, Step, Call, Narration, Event)


def grow(to: int) -> None:
    """Have `to` productions in flight, a multiple of a hundred: the first hundred by the models, the others copied."""
    there = Production.objects.count()
    if not there:
        write(PATTERN)
        there = PATTERN
    if to > there:
        for kind in KINDS:
            _copy(kind, there // PATTERN, to // PATTERN - 1)


def with_the_vendor(slots: int) -> None:
    """Of all shots the first so many are with the vendor; all others wait in its queue."""
    calls = Call.objects.filter(provider=VENDOR)
    calls.update(state=CallState.QUEUED, slot_at=None, sent_at=None, look_at=None)
    now = timezone.now()
    if slots < calls.count():
        calls = calls.filter(pk__in=list(calls.order_by("lined_up_at", "pk").values_list("pk", flat=True)[:slots]))
    calls.update(state=CallState.SUBMITTED, slot_at=now, sent_at=now, look_at=now + LATER)
    Step.objects.filter(stage="shot").update(state=StepState.WAITING, not_before=now + LATER)


def _copy(kind: type[Model], first: int, last: int) -> None:
    """Copy the pattern's rows of one table, with their ids and those they name raised by a stride a copy."""
    columns, values = [], []
    for field in kind._meta.concrete_fields:
        columns.append(f'"{field.column}"')
        ours = field.primary_key or (field.is_relation and field.related_model in KINDS)
        values.append(f"{columns[-1]} + n * {STRIDE}" if ours else OWN.get(field.column, columns[-1]).format(n="n"))
    table = f'"{kind._meta.db_table}"'
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} ({', '.join(columns)}) "
            f"WITH RECURSIVE copies(n) AS (SELECT {first} UNION ALL SELECT n + 1 FROM copies WHERE n < {last}) "
            f"SELECT {', '.join(values)} FROM {table}, copies WHERE {table}.id < {STRIDE}"
        )
        for statement in connection.ops.sequence_reset_sql(no_style(), [kind]):
            cursor.execute(statement)


def write(count: int) -> list[Production]:
    """So many productions more; every shot is with the vendor."""
    Vendor.objects.get_or_create(name=VENDOR)
    creators = list(Creator.objects.all())
    fan = User.objects.get_or_create(email="crowd@films.example")[0]
    numbers = range(Production.objects.count(), Production.objects.count() + count)
    now = timezone.now()
    orders = Order.objects.bulk_create(
        Order(
            fan=fan,
            creator=creators[number % len(creators)],
            state=OrderState.PLACED,
            amount=2900,
            currency="EUR",
            placed_at=now - dt.timedelta(seconds=100) + dt.timedelta(milliseconds=number),
        )
        for number in numbers
    )
    Brief.objects.bulk_create(Brief(order=order, name="Eileen", seconds=30, notes="x" * 600) for order in orders)
    Payment.objects.bulk_create(
        Payment(
            order=order,
            key=f"pay-{order.pk}",
            gateway="sandbox",
            state=PaymentState.AUTHORIZED,
            amount=2900,
            currency="EUR",
            authorized_at=now,
        )
        for order in orders
    )
    photos = Photo.objects.bulk_create(
        Photo(
            order=order,
            place=place,
            state=PhotoState.CHECKED,
            sha256=f"{order.pk:056d}{place:08d}",
            file=f"orders/{order.code}/photos/p{place}.jpg",
            thumb=f"orders/{order.code}/photos/t{place}.jpg",
            facts={"faces": [[0.4, 0.3, 0.2, 0.2]], "interest": [0.25, 0.25, 0.5, 0.5], "hash": f"{order.pk:016x}"},
        )
        for order in orders
        for place in range(SHOTS)
    )
    productions = Production.objects.bulk_create(Production(order=order, shown=30) for order in orders)
    Notice.objects.bulk_create(
        Notice(order=one.order, production=one, kind=NoticeKind.REVIEW, sent_at=now) for one in productions
    )
    scripts = Script.objects.bulk_create(Script(production=one, title="A film") for one in productions)
    scenes = Scene.objects.bulk_create(
        Scene(script=script, number=item + 1, text="She flew the shuttle.", photo=photos[index * SHOTS + item])
        for index, script in enumerate(scripts)
        for item in range(SHOTS)
    )
    Narration.objects.bulk_create(Narration(scene=scene, audio="films/x.wav", seconds=4.0) for scene in scenes)
    steps = Step.objects.bulk_create(step for one in productions for step in _steps(one, now))
    Call.objects.bulk_create(_calls([step for step in steps if step.stage in ("narration", "shot")], now))
    Event.objects.bulk_create(
        Event(production=one, number=number, name=name)
        for one in productions
        for number, name in enumerate(HAPPENED, start=1)
    )
    return productions


def _steps(production: Production, now: dt.datetime) -> list[Step]:
    """The board of a production all of whose shots are being filmed."""
    found = []
    for line in LINE:
        for item in range(1, SHOTS + 1) if line.per_item else (0,):
            step = Step(production=production, stage=line.key, item=item, started_at=now, deadline_at=now + LATER)
            if line.key in ("photos", "script", "narration", "first_look"):
                step.state, step.ended_at, step.attempts = StepState.DONE, now, 1
            elif line.key == "shot":
                step.state, step.not_before, step.attempts = StepState.WAITING, now + LATER, 3
            else:
                step.started_at = step.deadline_at = None
            found.append(step)
    return found


def _calls(steps: list[Step], now: dt.datetime) -> list[Call]:
    model = DEFAULT_MODELS[0]
    calls = []
    for step in steps:
        call = Call(
            step=step,
            key=f"{step.production_id}.{step.stage}.{step.item}",
            request={"photo": "p.jpg", "width": 1080, "height": 1920, "seconds": 5.0, "prompt": "A shuttle. " * 10},
            lined_up_at=step.production.order.placed_at,
        )
        if step.stage == "narration":
            call.provider, call.job, call.state, call.cost = "local-voice", "voice", CallState.SUCCEEDED, 0
            call.sent_at = call.ended_at = now
        else:
            call.provider, call.job, call.model, call.name = VENDOR, "video", model.slug, "take-1"
            call.estimate, call.state, call.due_at = model.cost(5), CallState.SUBMITTED, now + LATER
            call.external_id, call.slot_at, call.sent_at, call.look_at = f"job-{step.pk}", now, now, now + LATER
        calls.append(call)
    return calls
