"""From an order to what a writer is asked, from its answer to what may be used: the same for every writer."""

from __future__ import annotations

from pathlib import Path

from django.utils.translation import gettext as _

from orders.models import MAX_PHOTOS, MIN_PHOTOS, ConsentKind, Order

from . import roster, wishes
from .media import fonts
from .models import Production
from .providers.base import PhotoNote, ProviderError, ScriptDraft, WriteRequest
from .providers.local_writer import LocalWriter
from .providers.writing import review

FEWEST_SCENES, MOST_SCENES = 5, 10
LONGEST_LINE = 400


def request_for(order: Order, *, eyes: bool = False, production: Production | None = None) -> WriteRequest:
    """What the writer is asked for: the brief, and what is known of the usable photos.

    With `eyes` it names small copies of the photos, where the writer can see and the fan agreed to that. `production`
    is the making it is for: a re-run may bring a note.
    """
    brief, photos = order.brief, list(order.photos.usable())
    looks = eyes and roster.writer_has_eyes() and order.consents.filter(kind=ConsentKind.LOOK).exists()
    return WriteRequest(
        name=brief.name,
        occasion=brief.occasion,
        tone=brief.tone,
        notes=brief.notes,
        must_say=tuple(brief.must_say),
        seconds=brief.seconds,
        creator=order.creator.name,
        sender=brief.sender,
        words_per_second=order.creator.voice.words_per_second,
        photos=tuple(
            PhotoNote(
                index=index,
                faces=len(photo.facts.get("faces", ())),
                shape="portrait" if photo.height > photo.width else "landscape",
                taken_on=photo.taken_at.date().isoformat() if photo.taken_at else "",
            )
            for index, photo in enumerate(photos)
        ),
        pictures=tuple(Path(photo.thumb).name for photo in photos) if looks else (),
        note=wishes.note(production) if production is not None else "",
        telling=wishes.telling(production) if production is not None else 0,
    )


def undrawable(*texts: str) -> str:
    """A character of these texts that no font at hand can draw; empty where all can be."""
    return min(fonts.missing_glyphs(" ".join(texts)), default="")


def cannot_draw(sign: str) -> str:
    """That a character cannot be drawn, as a sentence for the fan."""
    return _("We have no typeface for the sign “%(sign)s”. Please write it in another way.") % {"sign": sign}


def undrawable_words(order: Order) -> str:
    """A character of what must stand in the film as the fan wrote it that no font can draw; empty where all can be."""
    return undrawable(order.brief.name, order.brief.sender, *order.brief.must_say)


def fault_of(draft: ScriptDraft, *, photos: int, must_say: tuple[str, ...]) -> str:
    """What makes a script unusable, in one phrase; empty when nothing does. A writer's answer is hostile until here."""
    if not FEWEST_SCENES <= len(draft.scenes) <= MOST_SCENES:
        return f"{len(draft.scenes)} scenes"
    if any(not scene.text.strip() or len(scene.text) > LONGEST_LINE for scene in draft.scenes):
        return "a line is empty or too long"
    if {scene.photo for scene in draft.scenes} != set(range(photos)):
        return "not every photo is used, or one is named that does not exist"
    if sign := undrawable(draft.title, *(scene.text for scene in draft.scenes)):
        return f"no font draws {sign} (U+{ord(sign):04X})"
    said = " ".join(" ".join(scene.text for scene in draft.scenes).split())
    missing = [line for line in must_say if " ".join(line.split()) not in said]
    if missing:
        return f"a line that must be said is missing: {missing[0]}"
    return ""


def objection(order: Order) -> str:
    """Why no script would be written from this order's words, as a sentence for the fan; empty where one would.

    The local writer writes the whole script to find out, which takes it a tenth of a second. A vendor is not asked,
    since that costs: our own rules say what nobody should be asked.
    """
    request = request_for(order)
    if sign := undrawable_words(order):
        return cannot_draw(sign)
    if not MIN_PHOTOS <= len(request.photos) <= MAX_PHOTOS:
        return ""
    if roster.writer().name != LocalWriter.name:
        no = review.objection(request)
        return no.fan if no is not None else ""
    try:
        answer = LocalWriter().submit("dry run", request.to_json(), Path())
    except ProviderError as error:
        return error.fan
    draft = ScriptDraft.from_json(answer.result)
    if fault_of(draft, photos=len(request.photos), must_say=request.must_say):
        sign = undrawable(*(scene.text for scene in draft.scenes))
        if sign:
            return cannot_draw(sign)
        return _("We cannot make a story of these words. Please write a few plain sentences.")
    return ""
