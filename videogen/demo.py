"""The three demo creators, plainly fictional, and the logins a fresh clone starts with. Never in production."""

from __future__ import annotations

import datetime as dt
import os
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from operator import attrgetter
from typing import TypeVar

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group
from django.db import transaction
from django.db.models import Model, QuerySet

from accounts import roles
from accounts.models import ApprovalMode, Creator, Template, User, Voice, VoiceLicence
from billing.models import Price
from orders.choices import Length, Occasion
from pipeline.providers.local_voice import words_per_second

Row = TypeVar("Row", bound=Model)


@dataclass(frozen=True)
class DemoCreator:
    """One of the three."""

    slug: str
    name: str
    tagline: str
    bio: str
    approval: ApprovalMode
    accent: str
    template: Template
    cents: dict[int, int]
    without: tuple[Occasion, ...] = ()


CREATORS = (
    DemoCreator(
        "mira",
        "Mira Solveig Lark",
        "Tells it like a good friend at the kitchen table",
        "Mira is a drawn storyteller with a warm, bright voice. She has never been in a hurry, and she remembers the "
        "small things: the mug, the cat, the way someone laughs.",
        ApprovalMode.AUTOMATIC,
        "#e4572e",
        Template.LETTER,
        {20: 1500, 30: 1900, 45: 2600, 60: 3200},
    ),
    DemoCreator(
        "bram",
        "Captain Bram Oakes",
        "A calm old voice for the big moments",
        "Captain Bram is a sea captain who exists only on paper and in sound. He speaks slowly, means every word, and "
        "is at his best at farewells, weddings and anything that took forty years.",
        ApprovalMode.AUTOMATIC,
        "#1f7a8c",
        Template.LOGBOOK,
        {20: 1900, 30: 2400, 45: 3200, 60: 3900},
    ),
    DemoCreator(
        "pip",
        "Pip Pepperwick",
        "Quick, cheeky, and watches every film first",
        "Pip is an invented troublemaker with a quick tongue. Birthdays, pets and teams are Pip’s home. Pip looks at "
        "every film personally before it goes out, and says no to sad occasions.",
        ApprovalMode.EVERY_FILM,
        "#7b4bb7",
        Template.COMIC,
        {20: 1200, 30: 1600, 45: 2200, 60: 2700},
        without=(Occasion.CONDOLENCE, Occasion.SORRY),
    ),
)

TERMS = "Personal films for private use, labelled as AI-generated with a licensed voice. No advertising, no politics."
STAFF_EMAIL = "staff@videogen.invalid"
# Staff of each role, named by it.
STAFF = (roles.Role.SUPPORT, roles.Role.FINANCE, roles.Role.ADMIN)


def password() -> str:
    """The demo logins' password: this clone's own, made once, unless DEMO_PASSWORD is set."""
    wanted = os.environ.get("DEMO_PASSWORD")
    if wanted:
        return wanted
    file = settings.VAR_DIR / "demo_password"
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT, 0o600), "w") as out:
            out.write(secrets.token_urlsafe(9))
    return file.read_text()


def logins() -> list[tuple[str, str]]:
    """Who may sign in at the admin, and as what."""
    return [
        (STAFF_EMAIL, "staff, with every right"),
        *((_desk(role), f"staff, {role.label.lower()} only") for role in STAFF),
        *((_address(demo), demo.name) for demo in CREATORS),
    ]


def _address(demo: DemoCreator) -> str:
    return f"{demo.slug}@videogen.invalid"


def _desk(role: roles.Role) -> str:
    return f"{role.value}@videogen.invalid"


def _rows(found: QuerySet[Row], wanted: Iterable[Row], key: Callable[[Row], object]) -> dict[object, Row]:
    """What was found, by its key; and what is wanted and was not found, made now."""
    rows = {key(row): row for row in found}
    missing = [row for row in wanted if key(row) not in rows]
    return rows | {key(row): row for row in found.model._default_manager.bulk_create(missing)}


@transaction.atomic
def seed() -> None:
    """Make what is missing; what exists stays as it was changed. Many rows, few statements."""
    if settings.PRODUCTION:
        raise RuntimeError("The demo creators and logins do not belong on a production site.")
    if not User.objects.filter(email=STAFF_EMAIL).exists():
        User.objects.create_superuser(STAFF_EMAIL, password(), name="Staff")
    secret = make_password(password())
    users = _rows(
        User.objects.filter(email__in=map(_address, CREATORS)),
        (User(email=_address(demo), password=secret, name=demo.name, is_staff=True) for demo in CREATORS),
        attrgetter("email"),
    )
    staff = _rows(
        User.objects.filter(email__in=map(_desk, STAFF)),
        (User(email=_desk(role), password=secret, name=str(role.label), is_staff=True) for role in STAFF),
        attrgetter("email"),
    )
    groups = {group.name: group for group in Group.objects.filter(name__in=roles.Role.values)}
    groups[roles.Role.CREATOR].user_set.add(*users.values())
    for role in STAFF:
        groups[role].user_set.add(staff[_desk(role)])
    creators = _rows(
        Creator.objects.filter(slug__in=[demo.slug for demo in CREATORS]),
        (
            Creator(
                slug=demo.slug,
                name=demo.name,
                tagline=demo.tagline,
                bio=demo.bio,
                user=users[_address(demo)],
                approval=demo.approval,
                accent=demo.accent,
                template=demo.template,
                portrait=f"creators/{demo.slug}.svg",
                place=place,
            )
            for place, demo in enumerate(CREATORS)
        ),
        attrgetter("slug"),
    )
    voices = _rows(
        Voice.objects.filter(creator__in=creators.values()),
        (
            Voice(
                creator=creators[demo.slug],
                provider="local-voice",
                provider_voice=demo.slug,
                words_per_second=words_per_second(demo.slug),
                sample=f"creators/{demo.slug}.m4a",
            )
            for demo in CREATORS
        ),
        attrgetter("creator_id"),
    )
    _rows(
        VoiceLicence.objects.filter(voice__in=voices.values()),
        (
            VoiceLicence(
                voice=voices[creators[demo.slug].pk],
                starts_on=dt.date(2026, 1, 1),
                occasions=[str(o) for o in Occasion if o not in demo.without] if demo.without else [],
                terms=TERMS,
            )
            for demo in CREATORS
        ),
        attrgetter("voice_id"),
    )
    _rows(
        Price.objects.filter(creator__in=creators.values()),
        (
            Price(creator=creators[demo.slug], seconds=length, amount=demo.cents[length], currency=settings.CURRENCY)
            for demo in CREATORS
            for length in Length
        ),
        attrgetter("creator_id", "seconds"),
    )
