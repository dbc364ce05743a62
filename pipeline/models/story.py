"""The story: a script of scenes, each with its shot (and the shot's takes) and its narration."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from orders.models import Photo

from .board import Call, Production


class Subject(models.TextChoices):
    """What moderation looks at."""

    NOTES = "notes", _("story")
    LINE = "line", _("must-say line")
    NAME = "name", _("name")
    PHOTO = "photo", _("photo")
    SCRIPT = "script", _("scene")


class Concern(models.Model):
    """One thing moderation flagged in what a film is made of: it ended the making, or the creator looks at the film."""

    production = models.ForeignKey(Production, models.CASCADE, related_name="concerns", verbose_name=_("production"))
    what = models.CharField(_("in"), max_length=8, choices=Subject)
    # Which one, counted from 1 as the fan does; of the script the scene, its title being 0.
    number = models.PositiveSmallIntegerField(_("number"), default=0)
    category = models.CharField(_("category"), max_length=40)
    score = models.FloatField(_("score"))
    source = models.CharField(_("judged by"), max_length=40)
    ends = models.BooleanField(_("ended the making"), default=False)
    created_at = models.DateTimeField(_("noticed"), auto_now_add=True)

    class Meta:
        verbose_name = _("concern")
        verbose_name_plural = _("concerns")
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["production", "what", "number", "category", "source"], name="concern_once")
        ]

    def __str__(self) -> str:
        title = self.what == Subject.SCRIPT and not self.number
        where = f"{_('title') if title else self.get_what_display()} {self.number or ''}".strip()
        return f"{where}: {self.category}, {self.score:.0%} ({self.source})"


class Script(models.Model):
    """What is said, in scenes. A production has one; a re-run may write another."""

    production = models.OneToOneField(Production, models.CASCADE, related_name="script", verbose_name=_("production"))
    title = models.CharField(_("title"), max_length=120)
    language = models.CharField(_("language"), max_length=12, default="en")
    left_out = models.JSONField(_("facts that did not fit"), default=list, blank=True)
    call = models.ForeignKey(Call, models.PROTECT, null=True, blank=True, verbose_name=_("written by"))
    created_at = models.DateTimeField(_("written"), auto_now_add=True)

    class Meta:
        verbose_name = _("script")
        verbose_name_plural = _("scripts")

    def __str__(self) -> str:
        return self.title


class Scene(models.Model):
    """One line and its photo. `fact` quotes the fan's own words the line was made from."""

    script = models.ForeignKey(Script, models.CASCADE, related_name="scenes", verbose_name=_("script"))
    number = models.PositiveSmallIntegerField(_("number"))
    text = models.TextField(_("line"))
    fact = models.TextField(_("made from"), blank=True)
    role = models.CharField(_("role"), max_length=10, default="fact")
    idea = models.CharField(_("picture idea"), max_length=200, blank=True)
    photo = models.ForeignKey(Photo, models.PROTECT, related_name="scenes", verbose_name=_("photo"))

    class Meta:
        verbose_name = _("scene")
        verbose_name_plural = _("scenes")
        ordering = ["script", "number"]
        constraints = [models.UniqueConstraint(fields=["script", "number"], name="scene_number_once")]

    def __str__(self) -> str:
        return f"{self.number}: {self.text[:40]}"


class Narration(models.Model):
    """A scene's line as read: the audio and each word's timing in seconds."""

    scene = models.OneToOneField(Scene, models.CASCADE, related_name="narration", verbose_name=_("scene"))
    call = models.ForeignKey(Call, models.PROTECT, null=True, blank=True, verbose_name=_("read by"))
    audio = models.CharField(_("audio"), max_length=200)
    seconds = models.FloatField(_("seconds"))
    words = models.JSONField(_("words"), default=list)

    class Meta:
        verbose_name = _("narration")
        verbose_name_plural = _("narrations")

    def __str__(self) -> str:
        return f"{self.scene_id}: {self.seconds:.1f} s"


class Shot(models.Model):
    """A scene's moving picture; the best of its takes is selected."""

    scene = models.OneToOneField(Scene, models.CASCADE, related_name="shot", verbose_name=_("scene"))

    class Meta:
        verbose_name = _("shot")
        verbose_name_plural = _("shots")

    def __str__(self) -> str:
        return f"shot {self.scene_id}"


class TakeState(models.TextChoices):
    """A take's life."""

    WANTED = "wanted", _("Wanted")
    READY = "ready", _("Ready")
    REFUSED = "refused", _("Not usable")


class TakeKind(models.TextChoices):
    """What a take is made of."""

    STILL = "still", _("The fan's photo, moved by a camera")
    CLIP = "clip", _("A clip made by a video provider")


class Take(models.Model):
    """One attempt at a shot. A still take has no file: the cut draws it from the photo by its plan."""

    shot = models.ForeignKey(Shot, models.CASCADE, related_name="takes", verbose_name=_("shot"))
    number = models.PositiveSmallIntegerField(_("number"), default=1)
    kind = models.CharField(_("kind"), max_length=6, choices=TakeKind)
    state = models.CharField(_("state"), max_length=8, choices=TakeState, default=TakeState.WANTED)
    provider = models.CharField(_("provider"), max_length=40)
    call = models.ForeignKey(Call, models.PROTECT, null=True, blank=True, verbose_name=_("call"))
    file = models.CharField(_("file"), max_length=200, blank=True)
    thumb = models.CharField(_("small picture"), max_length=200, blank=True)
    # Pieces of the film already encoded from it, by the name of their content (see media.picture).
    segments = models.JSONField(_("segments"), default=dict, blank=True)
    plan = models.JSONField(_("plan"), default=dict, blank=True)
    score = models.FloatField(_("score"), default=0)
    selected = models.BooleanField(_("selected"), default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("take")
        verbose_name_plural = _("takes")
        ordering = ["shot", "number"]
        constraints = [
            models.UniqueConstraint(fields=["shot", "number"], name="take_number_once"),
            models.UniqueConstraint(fields=["shot"], condition=Q(selected=True), name="one_selected_take_per_shot"),
        ]

    def __str__(self) -> str:
        return f"{self.shot_id}/{self.number} {self.kind}"
