"""The three demo creators, plainly fictional, and the logins a fresh clone starts with. Never in production."""

from __future__ import annotations

import datetime as dt
import os
import secrets
from dataclasses import dataclass

from django.conf import settings
from django.contrib.auth.models import Group, Permission
from django.db import transaction

from accounts.models import ApprovalMode, Creator, User, Voice, VoiceLicence
from billing.models import Price
from orders.choices import Length, Occasion
from pipeline.providers.local_voice import words_per_second


@dataclass(frozen=True)
class DemoCreator:
    """One of the three."""

    slug: str
    name: str
    tagline: str
    bio: str
    approval: ApprovalMode
    accent: str
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
        {20: 1200, 30: 1600, 45: 2200, 60: 2700},
        without=(Occasion.CONDOLENCE, Occasion.SORRY),
    ),
)

TERMS = "Personal films for private use, labelled as AI-generated with a licensed voice. No advertising, no politics."
STAFF_EMAIL = "staff@videogen.invalid"
REVIEWERS = "Creators"


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
    return [(STAFF_EMAIL, "staff"), *((f"{demo.slug}@videogen.invalid", demo.name) for demo in CREATORS)]


@transaction.atomic
def seed() -> None:
    """Make what is missing; what exists stays as it was changed."""
    if settings.PRODUCTION:
        raise RuntimeError("The demo creators and logins do not belong on a production site.")
    reviewers, _created = Group.objects.get_or_create(name=REVIEWERS)
    reviewers.permissions.set(
        Permission.objects.filter(content_type__app_label="pipeline", codename__in=["view_review", "change_review"])
    )
    if not User.objects.filter(email=STAFF_EMAIL).exists():
        User.objects.create_superuser(STAFF_EMAIL, password(), name="Staff")
    for place, demo in enumerate(CREATORS):
        _seed_creator(demo, place, reviewers)


def _seed_creator(demo: DemoCreator, place: int, reviewers: Group) -> None:
    email = f"{demo.slug}@videogen.invalid"
    user = User.objects.filter(email=email).first()
    if user is None:
        user = User.objects.create_user(email, password(), name=demo.name, is_staff=True)
    user.groups.add(reviewers)
    creator, _created = Creator.objects.get_or_create(
        slug=demo.slug,
        defaults={
            "name": demo.name,
            "tagline": demo.tagline,
            "bio": demo.bio,
            "user": user,
            "approval": demo.approval,
            "accent": demo.accent,
            "portrait": f"creators/{demo.slug}.svg",
            "place": place,
        },
    )
    voice, _created = Voice.objects.get_or_create(
        creator=creator,
        defaults={
            "provider": "local-voice",
            "provider_voice": demo.slug,
            "words_per_second": words_per_second(demo.slug),
            "sample": f"creators/{demo.slug}.m4a",
        },
    )
    if not voice.licences.exists():
        VoiceLicence.objects.create(
            voice=voice,
            starts_on=dt.date(2026, 1, 1),
            occasions=[str(o) for o in Occasion if o not in demo.without] if demo.without else [],
            terms=TERMS,
        )
    for length in Length:
        if not Price.objects.filter(creator=creator, seconds=length).exists():
            Price.objects.create(
                creator=creator, seconds=length, amount=demo.cents[length.value], currency=settings.CURRENCY
            )
