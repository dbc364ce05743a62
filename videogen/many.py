"""A hundred thousand orders within seconds, for work on speed: plausible rows, made by the database itself. No files.

Each kind of row is one `INSERT … SELECT` over the numbers 1 … n or over the rows before it. What a column is not told
gets its model's default, so that a new column needs no line here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db import connection, models, transaction
from django.db.models import Max
from django.utils import timezone

from accounts.models import Audit, Creator, User
from billing.models import Account, LedgerEntry, Payment, Refund
from orders.models import Brief, Consent, Order, OrderEvent, Photo
from pipeline.models import (
    Call,
    Cut,
    Delivery,
    Event,
    Finding,
    HookEvent,
    Notice,
    Production,
    Review,
    Scene,
    Script,
    Step,
    Vendor,
)

# Of a hundred orders so many end so; the rest is delivered. `i` is the number of an order.
STATE = (
    "CASE WHEN {i} % 100 < 2 THEN 'placed' WHEN {i} % 100 < 4 THEN 'failed' WHEN {i} % 100 < 6 THEN 'refused'"
    " WHEN {i} % 100 < 8 THEN 'draft' ELSE 'delivered' END"
)
# Seconds between two orders: a hundred thousand of them are some three months.
APART = 80
STAGES = ("photos", "moderation", "script", "narration", "shot", "first_look", "conform", "cut", "qc", "review")
# Stage, vendor, job and seconds of a call, and what it costs in millionths: `s` is its step. Some films cost too much.
JOBS = (
    ("narration", "elevenlabs", "voice", 4, "60000 + s.id % 900"),
    ("script", "openai-writer", "script", 6, "12000 + s.id % 900"),
    ("shot", "higgsfield", "video", 90, "CASE WHEN s.id % 16 = 0 THEN 4500000 ELSE 1900000 END + s.id % 900"),
)
# The creator's share in hundredths of a percent.
SHARE = 5000


class Filler:
    """Fills the database; `says` hears how many rows of what were made."""

    def __init__(self) -> None:
        self.sqlite = connection.vendor == "sqlite"
        now = timezone.now()
        self.now = f"'{now:%Y-%m-%d %H:%M:%S}'" if self.sqlite else f"'{now:%Y-%m-%d %H:%M:%S}+00'::timestamptz"
        self.creators = list(Creator.objects.order_by("pk").values_list("pk", flat=True))

    def ago(self, i: str, plus: str = "0") -> str:
        """The moment of order `i`, and so many seconds later, never after now."""
        seconds = f"(({i}) * {APART} - ({plus}))"
        if self.sqlite:
            return f"strftime('%Y-%m-%d %H:%M:%f', {self.now}, '-' || max(0, {seconds}) || ' seconds') || '000'"
        return f"({self.now} - make_interval(secs => greatest(0, {seconds})))"

    def padded(self, i: str) -> str:
        """A number in seven digits."""
        cut = "substr('0000000' || ({i}), -7)" if self.sqlite else "right('0000000' || ({i}), 7)"
        return cut.format(i=i)

    def json(self, text: str) -> str:
        """A JSON value."""
        return f"'{text}'" if self.sqlite else f"'{text}'::jsonb"

    def insert(self, model: type[models.Model], source: str, told: Mapping[str, str]) -> int:
        """Rows of a model: `told` has an SQL expression for each field it names; the others get their defaults."""
        columns, expressions, values = [], [], []
        for field in model._meta.concrete_fields:
            if field.primary_key:
                continue
            columns.append(connection.ops.quote_name(str(field.column)))
            if field.name in told:
                expressions.append(told[field.name].replace("%", "%%"))
            elif getattr(field, "auto_now", False) or getattr(field, "auto_now_add", False):
                expressions.append(self.now)
            else:
                default = field.get_default()
                expressions.append("%s" if self.sqlite else f"CAST(%s AS {field.rel_db_type(connection)})")
                values.append(field.get_db_prep_save(default, connection))
        sql = f"INSERT INTO {connection.ops.quote_name(model._meta.db_table)} ({', '.join(columns)}) " + source.replace(
            "%", "%%"
        ).replace("SELECT *", f"SELECT {', '.join(expressions)}")
        with connection.cursor() as cursor:
            cursor.execute(sql, values)
            return int(cursor.rowcount)


def numbers(count: int) -> str:
    """A source of the numbers 1 … count, as `n.i`."""
    return f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count}) SELECT * FROM n"


def last(model: type[models.Model]) -> int:
    """The highest key there is."""
    return model._default_manager.aggregate(last=Max("pk"))["last"] or 0


def fill(count: int) -> Iterator[tuple[str, int]]:
    """Make so many orders and all that belongs to them; yields what was made and how many of it.

    Raises RuntimeError on a production site.
    """
    if settings.PRODUCTION:
        raise RuntimeError("Invented orders do not belong on a production site.")
    with transaction.atomic():
        yield from _fill(Filler(), count)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def _fill(to: Filler, count: int) -> Iterator[tuple[str, int]]:
    batch = last(Order)
    fans, first, made = last(User), last(Order), last(Production)
    people = max(1, count // 3)
    word = make_password(None)
    mail = f"'fan-{batch}-' || n.i || '@films.invalid'"
    told = {"email": mail, "password": f"'{word}'", "name": "''", "date_joined": to.ago(f"{people} - n.i")}
    yield "fans", to.insert(User, numbers(people), told)

    age = f"({count} - n.i)"
    creator = "CASE n.i % {n} {w} END".format(
        n=len(to.creators), w=" ".join(f"WHEN {at} THEN {pk}" for at, pk in enumerate(to.creators))
    )
    state = STATE.format(i="n.i")
    digits = to.padded(f"{batch} + n.i")
    placed = "CASE WHEN n.i % 100 BETWEEN 6 AND 7 THEN NULL ELSE {at} END"
    ended = "CASE WHEN n.i % 100 < 2 OR n.i % 100 BETWEEN 6 AND 7 THEN NULL ELSE {at} END"
    yield (
        "orders",
        to.insert(
            Order,
            numbers(count),
            {
                "code": f"'M' || substr({digits}, 1, 3) || '-' || substr({digits}, 4, 4)",
                "fan": f"{fans} + 1 + n.i % {people}",
                "creator": creator,
                "state": state,
                "amount": "1200 + 100 * (n.i % 20)",
                "currency": f"'{settings.CURRENCY}'",
                "created_at": to.ago(age),
                "changed_at": to.ago(age, "400"),
                "placed_at": placed.format(at=to.ago(age, "60")),
                "promised_at": placed.format(at=to.ago(age, "900")),
                "ended_at": ended.format(at=to.ago(age, "300 + n.i % 600")),
            },
        ),
    )
    i = f"(o.id - {first})"
    each = f"SELECT * FROM orders_order o WHERE o.id > {first}"
    paid = f"{each} AND o.state <> 'draft'"
    told = {"order": "o.id", "name": f"'Eileen ' || {i}", "notes": "'She dreamed of space and drinks too much coffee.'"}
    yield "briefs", to.insert(Brief, each, told)
    three = "(SELECT 1 AS k UNION SELECT 2 UNION SELECT 3) p"
    three = f"SELECT * FROM orders_order o CROSS JOIN {three} WHERE o.id > {first}"
    thumb = {"file": "''", "thumb": "''", "width": "1200", "height": "1600"}
    told = {"order": "o.id", "place": "p.k", "state": "'checked'", "label": "'photo.jpg'", **thumb}
    told |= {"token": "'many-' || o.id || '-' || p.k", "sha256": "'many-' || o.id || '-' || p.k"}
    yield "photos", to.insert(Photo, three, told)
    yield "consents", to.insert(Consent, paid, {"order": "o.id", "kind": "'photos'", "words": "'Yes.'"})
    for number, name in enumerate(("order.begun", "payment.authorized", "order.placed"), 1):
        told = {"order": "o.id", "number": str(number), "name": f"'{name}'", "at": "o.created_at"}
        yield name, to.insert(OrderEvent, paid, told)

    money = {"amount": "o.amount", "currency": "o.currency", "created_at": "o.created_at"}
    pay_state = "CASE o.state WHEN 'delivered' THEN 'captured' WHEN 'placed' THEN 'authorized' ELSE 'cancelled' END"
    told = {"order": "o.id", "key": "'many-' || o.id", "gateway": "'sandbox'", "state": pay_state, **money}
    told |= {"external_id": "'sandbox-' || o.id", "authorized_at": "o.placed_at"}
    told |= {"captured": "CASE WHEN o.state = 'delivered' THEN o.amount ELSE 0 END"}
    told |= {"refunded": "CASE WHEN o.state = 'delivered' AND o.id % 50 = 0 THEN o.amount / 2 ELSE 0 END"}
    told |= {"captured_at": "CASE WHEN o.state = 'delivered' THEN o.ended_at END", "ended_at": "o.ended_at"}
    told |= {"fee": "CASE WHEN o.state = 'delivered' THEN 25 + o.amount * 15 / 1000 END", "share_points": str(SHARE)}
    yield "payments", to.insert(Payment, paid, told)
    back = "SELECT * FROM billing_payment y WHERE y.key LIKE 'many-%' AND y.state = 'captured'"
    back += f" AND y.order_id > {first} AND y.order_id % 50 = 0"
    told = {"payment": "y.id", "key": "'many-back-' || y.id", "source": "'staff'", "state": "'done'"}
    told |= {"amount": "y.amount / 2", "reason": "'late'", "created_at": "y.captured_at", "ended_at": "y.captured_at"}
    yield "refunds", to.insert(Refund, back, told)

    making = "CASE o.state WHEN 'placed' THEN 'running' WHEN 'failed' THEN 'failed' ELSE 'done' END"
    failed = "CASE WHEN o.state = 'failed' THEN CASE WHEN o.id % 3 = 0 THEN 'qc' ELSE 'narration' END ELSE '' END"
    told = {"order": "o.id", "number": "1", "state": making, "failed_stage": failed, "shown": "100"}
    told |= {"started_at": "o.placed_at", "ended_at": "o.ended_at"}
    yield "productions", to.insert(Production, paid, told)
    yield from _fill_board(to, made)
    yield from _fill_books(to, first)
    yield from _fill_finish(to, made)
    told = {"who": "'support@videogen.invalid'", "verb": "'order.looked_at'", "target_type": "'orders.order'"}
    told |= {"target_pk": "CAST(o.id AS varchar(20))", "target_label": "o.code", "reason": "'A fan asked.'"}
    told |= {"at": "o.placed_at"}
    yield "audit", to.insert(Audit, f"{paid} AND o.id % 10 = 0", told)


def _fill_board(to: Filler, made: int) -> Iterator[tuple[str, int]]:
    each = f"FROM pipeline_production p WHERE p.id > {made}"
    for at, stage in enumerate(STAGES):
        state = "CASE p.state WHEN 'running' THEN 'blocked' ELSE 'done' END"
        told = {"production": "p.id", "stage": f"'{stage}'", "item": "0", "state": state, "attempts": "1"}
        told |= {"started_at": "p.started_at", "ended_at": "p.ended_at"}
        yield f"steps, {stage}", to.insert(Step, f"SELECT * {each}", told)
        told = {"production": "p.id", "number": str(at + 1), "name": "'step.done'", "stage": f"'{stage}'"}
        yield "events", to.insert(Event, f"SELECT * {each}", told | {"at": "p.started_at"})
    for _stage, name, _job, _seconds, _cost in JOBS:
        Vendor.objects.get_or_create(name=name)
    for stage, vendor, job, seconds, cost in JOBS:
        source = "SELECT * FROM pipeline_step s JOIN pipeline_production p ON p.id = s.production_id"
        source += f" WHERE p.id > {made} AND s.stage = '{stage}' AND p.state <> 'running'"
        state = "CASE WHEN s.id % 25 = 0 THEN 'failed' ELSE 'succeeded' END"
        why = "CASE WHEN s.id % 2 = 0 THEN 'nsfw' ELSE 'away' END"
        trouble = f"CASE WHEN s.id % 25 = 0 THEN {why} ELSE '' END"
        told = {"step": "s.id", "key": "'many-' || s.id", "provider": f"'{vendor}'", "model": "'m-1'"}
        told |= {
            "job": f"'{job}'",
            "request": to.json("{}"),
            "state": state,
            "trouble": trouble,
            "cost": cost,
            "booked": cost,
            "booked_at": "p.started_at",
        }
        told |= {"lined_up_at": "p.started_at", "slot_at": "p.started_at", "created_at": "p.started_at"}
        told |= {"sent_at": "p.started_at", "ended_at": _later(to, "p.started_at", f"{seconds} + s.id % {seconds}")}
        yield f"calls, {vendor}", to.insert(Call, source, told)
    source = f"SELECT * FROM pipeline_call c JOIN pipeline_step s ON s.id = c.step_id WHERE s.production_id > {made}"
    told = {"provider": "c.provider", "event_id": "'many-' || c.id", "call": "c.id", "outcome": "'rung'"}
    told |= {"received_at": "c.ended_at"}
    yield "webhook messages", to.insert(HookEvent, f"{source} AND c.job = 'video'", told)


def _fill_books(to: Filler, first: int) -> Iterator[tuple[str, int]]:
    """The ledger of the orders after `first`: each fact as `billing` and `pipeline.costs` would post it."""
    sold = f"SELECT * FROM billing_payment y JOIN orders_order o ON o.id = y.order_id WHERE o.id > {first}"
    sold += " AND y.captured > 0"
    back = "SELECT * FROM billing_refund r JOIN billing_payment y ON y.id = r.payment_id"
    back += f" JOIN orders_order o ON o.id = y.order_id WHERE o.id > {first} AND y.captured > 0"
    gateway, creator, fees = (Account.GATEWAY, 1), (Account.CREATOR, -1), (Account.FEES, 1)
    share, again = f"y.captured * {SHARE} / 10000", f"r.amount * {SHARE} / 10000"
    for fact, source, amount, (account, sign), other, at in (
        ("'charge:' || y.key", sold, "y.captured", gateway, Account.SALES, "y.captured_at"),
        ("'share:' || y.key", sold, share, creator, Account.SALES, "y.captured_at"),
        ("'fee:' || y.key", sold, "y.fee", fees, Account.GATEWAY, "y.captured_at"),
        ("'refund:' || r.key", back, "-r.amount", gateway, Account.SALES, "r.created_at"),
        ("'share-back:' || r.key", back, f"-({again})", creator, Account.SALES, "r.created_at"),
    ):
        told = {"fact": fact, "currency": "o.currency", "order": "o.id", "creator": "o.creator_id", "at": at}
        made = to.insert(LedgerEntry, source, told | {"account": f"'{account}'", "amount": f"{sign} * ({amount})"})
        made += to.insert(LedgerEntry, source, told | {"account": f"'{other}'", "amount": f"{-sign} * ({amount})"})
        yield f"ledger, {fact.split(':')[0].strip(chr(39))}", made
    # What a call adds to its order's rounded total.
    known = "SELECT c.key AS key, c.ended_at AS ended_at, c.cost AS cost, p.order_id AS order_id,"
    known += " CAST(sum(c.cost) OVER (PARTITION BY p.order_id ORDER BY c.id) AS bigint) AS total"
    known += " FROM pipeline_call c JOIN pipeline_step s ON s.id = c.step_id"
    known += f" JOIN pipeline_production p ON p.id = s.production_id WHERE p.order_id > {first}"
    rate = round(settings.USD_RATE * 1_000_000)
    minor = "((({total}) * {rate} + 5000000000) / 10000000000)"
    worth = f"{minor.format(total='t.total', rate=rate)} - {minor.format(total='t.total - t.cost', rate=rate)}"
    source = f"SELECT * FROM ({known}) t JOIN orders_order o ON o.id = t.order_id"
    told = {"fact": "'cost:' || t.key", "order": "o.id", "creator": "o.creator_id", "at": "t.ended_at"}
    told |= {"currency": f"'{settings.CURRENCY}'"}
    made = to.insert(LedgerEntry, source, told | {"account": f"'{Account.PROVIDERS}'", "amount": f"-({worth})"})
    made += to.insert(LedgerEntry, source, told | {"account": f"'{Account.SALES}'", "amount": worth})
    yield "ledger, cost", made


def _later(to: Filler, moment: str, seconds: str) -> str:
    if to.sqlite:
        return f"strftime('%Y-%m-%d %H:%M:%f', {moment}, '+' || ({seconds}) || ' seconds') || '000'"
    return f"({moment} + make_interval(secs => {seconds}))"


def _fill_finish(to: Filler, made: int) -> Iterator[tuple[str, int]]:
    each = f"FROM pipeline_production p JOIN orders_order o ON o.id = p.order_id WHERE p.id > {made}"
    whole = f"SELECT * {each} AND o.state <> 'failed'"
    yield "scripts", to.insert(Script, whole, {"production": "p.id", "title": "'For Eileen'"})
    source = f"SELECT * FROM pipeline_script t JOIN pipeline_production p ON p.id = t.production_id WHERE p.id > {made}"
    photo = "(SELECT min(f.id) FROM orders_photo f WHERE f.order_id = p.order_id)"
    told = {"script": "t.id", "number": "1", "text": "'Eileen dreamed of space.'", "photo": photo}
    yield "scenes", to.insert(Scene, source, told)
    told = {"production": "p.id", "token": "'many-' || p.id", "file": "'many.mp4'", "sha256": "'many'"}
    told |= {"verdict": "'pass'"}
    told |= {
        "verdict": "'pass'",
        "width": "1080",
        "height": "1920",
        "fps": "30",
        "seconds": "30",
        "created_at": "p.started_at",
    }
    yield "cuts", to.insert(Cut, whole, told)
    source = "SELECT * FROM pipeline_cut c JOIN pipeline_production p ON p.id = c.production_id"
    source += f" JOIN orders_order o ON o.id = p.order_id WHERE p.id > {made}"
    told = {"cut": "c.id", "code": "'soft'", "severity": "'note'", "sentence": "'A little soft.'", "second": "1"}
    yield "findings", to.insert(Finding, f"{source} AND c.id % 4 = 0", told)
    state = "CASE o.state WHEN 'delivered' THEN 'approved' WHEN 'refused' THEN 'refused' ELSE 'waiting' END"
    told = {"cut": "c.id", "creator": "o.creator_id", "state": state, "sha256": "'many'"}
    told |= {"asked_at": "c.created_at", "decided_at": "o.ended_at"}
    yield "reviews", to.insert(Review, source, told)
    told = {"order": "o.id", "cut": "c.id", "delivered_at": "o.ended_at"}
    yield "deliveries", to.insert(Delivery, f"{source} AND o.state = 'delivered'", told)
    told = {"order": "o.id", "production": "p.id", "kind": "'ready'"}
    told |= {"created_at": "o.ended_at", "sent_at": "o.ended_at"}
    yield "mails", to.insert(Notice, f"SELECT * {each} AND o.state = 'delivered'", told)
