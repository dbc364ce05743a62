"""Makes one order's film in this very process: the same stages and engine, without web server, Redis or workers."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.core.files.base import File
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext as _

from accounts.models import Creator
from billing.models import Price
from orders import drafts, reader
from orders import services as orders
from orders.choices import Length
from orders.consents import REQUIRED
from orders.forms import ForWhomForm, StoryForm
from orders.models import MAX_PHOTOS, MIN_PHOTOS, Order, PhotoState
from orders.uploads import Refused, Upload, gate
from pipeline import engine, jobs, live, queue, services
from pipeline.models import Production, ProductionState, Review, ReviewState
from pipeline.providers import local_voice

log = logging.getLogger(__name__)

# What the forms' fields are called on the command line.
OPTIONS = {
    "occasion": "--occasion",
    "name": "--for",
    "said_as": "--said-as",
    "sender": "--from",
    "format": "--format",
    "tone": "--tone",
    "seconds": "--seconds",
    "notes": "--story",
    "line_1": "--must-say",
    "line_2": "--must-say",
    "line_3": "--must-say",
}
# How long to sleep when the board has nothing due, in seconds.
NAP = 0.1


class BadInput(Exception):  # noqa: N818  (said to people)
    """What was asked for cannot be made; one sentence per fault, and nothing was left behind."""

    def __init__(self, faults: Sequence[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = list(faults)


@dataclass(frozen=True)
class Wish:
    """What to make, as typed on the command line."""

    photos: Sequence[Path]
    story: str
    name: str
    occasion: str
    creator: str
    format: str
    tone: str
    seconds: int
    said_as: str = ""
    sender: str = ""
    must_say: Sequence[str] = field(default_factory=list)


def order_for(wish: Wish) -> Order:
    """A complete draft, its photos checked. Raises BadInput with every fault found, having removed the draft again."""
    creator = Creator.objects.filter(slug=wish.creator, is_active=True).first()
    if creator is None:
        known = ", ".join(Creator.objects.filter(is_active=True).values_list("slug", flat=True))
        raise BadInput(
            [_("No creator is called “%(slug)s”; there are: %(known)s.") % {"slug": wish.creator, "known": known}]
        )
    brief, story, faults = _words(wish, creator)
    uploads = _photos(wish.photos, faults)
    if faults:
        raise BadInput(faults)
    if creator.voice.provider == local_voice.LocalVoice.name:
        # While photos are looked at on one core, the voice comes into memory on another.
        threading.Thread(target=_load_the_voice).start()
    order = orders.begin(creator=creator, fan=None, visitor="")
    try:
        orders.describe(order=order, **brief)
        orders.tell_story(order=order, **story)
        with queue.inline() as bells:
            for path, upload in uploads:
                with path.open("rb") as source:
                    orders.add_photo(order=order, upload=_with_file(upload, source))
            orders.sort_photos(order=order, tokens=list(order.photos.order_by("pk").values_list("token", flat=True)))
            orders.agree(order=order, kinds=REQUIRED)
            queue.drain(bells, jobs.JOBS)
        faults = [f"{photo.label}: {_(photo.fault)}" for photo in order.photos.filter(state=PhotoState.REFUSED)]
        faults += [gap.sentence for gap in drafts.missing(order)] if not faults else []
        faults += [sentence] if not faults and (sentence := reader.objection(order)) else []
        if faults:
            raise BadInput(faults)
    except (BadInput, Refused) as fault:
        forget(order)
        raise fault if isinstance(fault, BadInput) else BadInput([str(fault)]) from None
    except BaseException:
        forget(order)
        raise
    return order


def _load_the_voice() -> None:
    try:
        local_voice.load()
    except Exception as error:
        log.warning("The voice could not be loaded ahead: %s", error)  # the first line says so itself


def forget(order: Order) -> None:
    """Remove a draft with its photos' files."""
    for photo in order.photos.all():
        orders.remove_photo(order=order, token=photo.token)
    with order.locked():
        order.delete()


def _words(wish: Wish, creator: Creator) -> tuple[Any, Any, list[str]]:
    lengths = [
        Length(price) for price in Price.objects.current().filter(creator=creator).values_list("seconds", flat=True)
    ]
    for_whom = ForWhomForm(
        {
            "occasion": wish.occasion,
            "name": wish.name,
            "said_as": wish.said_as,
            "sender": wish.sender,
            "format": wish.format,
            "tone": wish.tone,
            "seconds": wish.seconds,
        },
        occasions=drafts.occasions(creator),
        lengths=lengths,
    )
    lines = [*wish.must_say, "", "", ""]
    story = StoryForm({"notes": wish.story, "line_1": lines[0], "line_2": lines[1], "line_3": lines[2]})
    faults = [
        f"{OPTIONS[field]}: {error}"
        for form in (for_whom, story)
        for field, errors in form.errors.items()
        for error in errors
    ]
    if not wish.story.strip():
        faults.append(
            _("The story is empty. Tell us a few things about %(name)s.") % {"name": wish.name.strip()[:60] or "…"}
        )
    if len(wish.must_say) > 3:
        faults.append(_("At most three lines can be must-say lines."))
    if faults:
        return {}, {}, faults
    told = {
        "notes": story.cleaned_data["notes"],
        "must_say": [story.cleaned_data[f"line_{n}"] for n in (1, 2, 3)],
    }
    return for_whom.cleaned_data, told, faults


def _photos(paths: Sequence[Path], faults: list[str]) -> list[tuple[Path, Upload]]:
    found: list[tuple[Path, Upload]] = []
    if not MIN_PHOTOS <= len(paths) <= MAX_PHOTOS:
        faults.append(
            _("A film needs %(least)d to %(most)d photos; there are %(count)d.")
            % {"least": MIN_PHOTOS, "most": MAX_PHOTOS, "count": len(paths)}
        )
    for path in paths:
        try:
            with path.open("rb") as source:
                upload = gate(UploadedFile(source, name=path.name, size=path.stat().st_size))
        except OSError as error:
            faults.append(_("“%(path)s” cannot be read: %(why)s.") % {"path": path, "why": error.strerror or error})
            continue
        except Refused as refused:
            faults.append(str(refused))
            continue
        twin = next((other for other, seen in found if seen.sha256 == upload.sha256), None)
        if twin is not None:
            faults.append(_("“%(name)s” is the same photo as “%(twin)s”.") % {"name": path.name, "twin": twin.name})
        found.append((path, upload))
    return found


def _with_file(upload: Upload, source: Any) -> Upload:
    return Upload(
        file=UploadedFile(File(source), name=upload.label, size=upload.size),
        label=upload.label,
        sha256=upload.sha256,
        size=upload.size,
        width=upload.width,
        height=upload.height,
    )


def make(order: Order, *, on_change: Callable[[str], None]) -> Production:
    """Place the order without payment and do every step here until the production has ended. The operator approves."""
    with queue.inline() as bells, live.watching(on_change):
        orders.place(order=order, actor="command line")
        production = order.productions.get()
        while production.state == ProductionState.RUNNING:
            if bells:
                queue.drain(bells, jobs.JOBS)
            else:
                engine.sweep()
                if not bells:
                    time.sleep(NAP)
            _approve(production)
            production.refresh_from_db()
        queue.drain(bells, jobs.JOBS)
    return production


def _approve(production: Production) -> None:
    """Whoever runs the command on this machine stands in for the creator; the review says so."""
    review = Review.objects.filter(cut__production=production, state=ReviewState.WAITING).first()
    if review is not None:
        services.decide(
            review=review, approve=True, by=None, sha256=review.sha256, reason="approved on the command line"
        )
