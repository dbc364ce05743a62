"""What a re-run takes over: rows are copied, files and paid calls shared by reference. Nothing is asked of anybody."""

from __future__ import annotations

from dataclasses import dataclass

from orders.models import Photo

from .line import LINE, following, leading_to
from .models import (
    Concern,
    Cut,
    Finding,
    FirstLook,
    Narration,
    Production,
    Scene,
    Script,
    Shot,
    Step,
    StepState,
    Subject,
    Take,
)
from .models.story import TakeState
from .wishes import ANOTHER, Change


@dataclass(frozen=True)
class Piece:
    """One step of a re-run: taken over, or made anew. `item` is its scene; 0 for the whole film."""

    stage: str
    item: int
    anew: bool


def scenes_of(production: Production) -> list[Scene]:
    """A production's scenes, in order; none before its script is written."""
    rows = Scene.objects.filter(script__production=production).select_related("photo", "script", "narration")
    return list(rows.order_by("number"))


def pieces(base: Production, change: Change) -> list[Piece]:
    """Every step that a re-run has at its start. The items of a script that is written anew come with it.

    What was never finished is made anew, too, whether the change is about it or not.
    """
    after = {line.key for line in following(change.from_stage)}
    done = set(base.steps.filter(state=StepState.DONE).values_list("stage", "item"))
    numbers = [scene.number for scene in scenes_of(base)]
    touched = set(change.scenes or numbers)
    found = []
    for line in LINE:
        if not line.per_item:
            found.append(Piece(line.key, 0, line.key in after or (line.key, 0) not in done))
        elif "script" not in after:
            for number in numbers:
                meant = line.key in after and number in touched
                found.append(Piece(line.key, number, meant or (line.key, number) not in done))
    return found


def is_whole(base: Production, change: Change) -> bool:
    """Whether all that the change builds on has been made."""
    needed = {line.key for line in leading_to(change.from_stage)}
    missing = base.steps.filter(stage__in=needed).exclude(state=StepState.DONE).exists()
    return not missing and needed <= set(base.steps.values_list("stage", flat=True))


def take_over(base: Production, production: Production, change: Change) -> None:
    """Copy the rows before the change, and write the steps: done where they are taken over. In a transaction."""
    steps = pieces(base, change)
    kept = {(step.stage, step.item) for step in steps if not step.anew}
    _concerns(base, production, kept)
    if ("script", 0) in kept:
        _story(base, production, change, kept)
    if ("cut", 0) in kept:
        _film(base, production, kept)
    for piece in steps:
        # Without times: what was taken over took no time here.
        Step.objects.create(
            production=production,
            stage=piece.stage,
            item=piece.item,
            state=StepState.BLOCKED if piece.anew else StepState.DONE,
            progress=0 if piece.anew else 1,
        )


Kept = set[tuple[str, int]]  # steps that are taken over, by stage and item


def _concerns(base: Production, production: Production, kept: Kept) -> None:
    for concern in base.concerns.all():
        if ("script" if concern.what == Subject.SCRIPT else "moderation", 0) in kept:
            fields = ("what", "number", "category", "score", "source", "ends")
            Concern.objects.create(production=production, **{name: getattr(concern, name) for name in fields})


def _story(base: Production, production: Production, change: Change, kept: Kept) -> None:
    old = base.script
    script = Script.objects.create(
        production=production, title=old.title, language=old.language, left_out=old.left_out, call=old.call
    )
    scenes = scenes_of(base)
    touched = set(change.scenes or [scene.number for scene in scenes])
    for scene in scenes:
        mine = scene.number in touched
        copy = Scene.objects.create(
            script=script,
            number=scene.number,
            text=scene.text,
            fact=scene.fact,
            role=scene.role,
            idea=scene.idea,
            photo=_photo(base, scene, change) if mine and change.from_stage == "shot" else scene.photo,
        )
        if ("narration", scene.number) in kept:
            _narration(scene, copy)
        if ("shot", scene.number) in kept:
            afresh = change.from_stage == "conform" or (change.from_stage == "cut" and change.only_again)
            _shot(scene, copy, afresh=mine and afresh)
    look = FirstLook.objects.filter(production=base).first()
    if look is not None and ("first_look", 0) in kept:
        fields = ("file", "poster", "segments", "width", "height", "seconds")
        FirstLook.objects.create(production=production, **{name: getattr(look, name) for name in fields})


def _narration(scene: Scene, copy: Scene) -> None:
    read = Narration.objects.filter(scene=scene).first()
    if read is not None:
        Narration.objects.create(scene=copy, call=read.call, audio=read.audio, seconds=read.seconds, words=read.words)


def _shot(scene: Scene, copy: Scene, *, afresh: bool) -> None:
    """The scene's selected take; `afresh` forgets what was encoded from it."""
    take = Take.objects.filter(shot__scene=scene, selected=True).first()
    if take is not None:
        Take.objects.create(
            shot=Shot.objects.create(scene=copy),
            kind=take.kind,
            state=TakeState.READY,
            provider=take.provider,
            call=take.call,
            file=take.file,
            thumb=take.thumb,
            segments={} if afresh else take.segments,
            plan=take.plan,
            score=take.score,
            selected=True,
        )


def _film(base: Production, production: Production, kept: Kept) -> None:
    """The film itself, to be checked or reviewed once more."""
    old = base.cut
    fields = ("file", "poster", "captions", "sha256", "size", "width", "height", "fps", "seconds", "timeline")
    cut = Cut.objects.create(production=production, **{name: getattr(old, name) for name in fields})
    if ("qc", 0) not in kept:
        return
    Cut.objects.filter(pk=cut.pk).update(verdict=old.verdict, lufs=old.lufs, true_peak=old.true_peak)
    for found in old.findings.all():
        told = ("code", "severity", "sentence", "second", "figure")
        Finding.objects.create(cut=cut, **{name: getattr(found, name) for name in told})


def _photo(base: Production, scene: Scene, change: Change) -> Photo:
    """The photo that a scene whose shot is made again is filmed from."""
    if not change.photo:
        return scene.photo
    if change.photo == ANOTHER:
        return another_photo(base, scene)
    return base.order.photos.usable().get(token=change.photo)


def another_photo(base: Production, scene: Scene) -> Photo:
    """Another photo for a scene: with faces, without a warning and not beside itself, where there is one."""
    others = [photo for photo in base.order.photos.usable() if photo.pk != scene.photo_id]
    beside = {one.photo_id for one in scenes_of(base) if abs(one.number - scene.number) == 1}

    def rank(photo: Photo) -> tuple[bool, bool, bool, int]:
        faces, warnings = photo.facts.get("faces", ()), photo.facts.get("warnings", ())
        return (photo.pk in beside, bool(warnings), not faces, photo.place)

    return min(others, key=rank, default=scene.photo)
