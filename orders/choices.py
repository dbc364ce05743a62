"""The closed lists a fan chooses from."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Occasion(models.TextChoices):
    """What the film is for."""

    BIRTHDAY = "birthday", _("Birthday")
    WEDDING = "wedding", _("Wedding")
    ANNIVERSARY = "anniversary", _("Anniversary")
    GRADUATION = "graduation", _("Graduation")
    RETIREMENT = "retirement", _("Retirement")
    NEW_BABY = "new_baby", _("New baby")
    THANK_YOU = "thank_you", _("Thank you")
    SORRY = "sorry", _("Apology")
    CONDOLENCE = "condolence", _("Condolence")
    PET = "pet", _("A pet")
    TEAM = "team", _("A team")
    JUST_BECAUSE = "just_because", _("Just because")


class Tone(models.TextChoices):
    """How the narration speaks."""

    WARM = "warm", _("Warm")
    FUNNY = "funny", _("Funny")
    HEARTFELT = "heartfelt", _("Heartfelt")
    EPIC = "epic", _("Epic")


class Format(models.TextChoices):
    """The film's shape."""

    TALL = "9:16", _("Phone (9:16)")
    WIDE = "16:9", _("Wide (16:9)")
    SQUARE = "1:1", _("Square (1:1)")

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the finished film in pixels."""
        return {"9:16": (1080, 1920), "16:9": (1920, 1080), "1:1": (1080, 1080)}[self.value]


class Length(models.IntegerChoices):
    """How long the film should be, in seconds."""

    SHORT = 20, _("About 20 seconds")
    MEDIUM = 30, _("About 30 seconds")
    LONG = 45, _("About 45 seconds")
    FULL = 60, _("About a minute")
