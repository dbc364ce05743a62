"""Appends to a production's history: gap-free numbers, names from one list."""

from __future__ import annotations

from typing import Any

from django.db.models import Max

from .models import Event, Production

# noun.past_verb, each with what staff read.
NAMES = {
    "production.started": "The making began.",
    "production.done": "The film is made.",
    "production.failed": "The making failed.",
    "production.paused": "Staff paused the making.",
    "production.resumed": "The making goes on.",
    "production.cancelled": "The making was stopped.",
    "production.replaced": "A new making took its place.",
    "photos.looked_at": "The photos were looked at.",
    "moderation.stood_in": "The vendor's moderation was away: our own rules judged alone, and photos were not judged.",
    "moderation.flagged": "Moderation flagged something: see the concerns.",
    "script.written": "The script was written.",
    "line.read": "A line was read.",
    "shot.filmed": "A shot was filmed.",
    "take.refused": "A take was of no use: its data say why.",
    "shot.conformed": "A shot was fitted into the film.",
    "model.retired": "A video model is not there any more: choose another in VIDEO_MODELS.",
    "writer.stood_in": "The local writer stood in.",
    "first_look.made": "A first look was made.",
    "film.cut": "The film was cut.",
    "film.checked": "The film was checked.",
    "film.mended": "The film did not pass; it is cut once more, with what its data say changed.",
    "review.asked": "The creator was asked.",
    "review.approved": "The film was approved.",
    "review.refused": "The film was refused.",
    "review.undone": "The decision was taken back.",
    "review.change_asked": "A change was asked for.",
    "review.escalated": "The review is late, and staff were told.",
    "film.delivered": "The film was delivered.",
    "rendition.asked": "Another version of the film was asked for.",
    "rendition.made": "Another version of the film was made.",
    "rendition.failed": "Another version of the film cannot be had: its data say why.",
    "film.renewed": "A new version took the place of the film that was delivered.",
    "step.done": "A step was finished.",
    "step.failed": "A step failed.",
}


def tell(production: Production, name: str, *, stage: str = "", item: int = 0, **data: Any) -> Event:
    """Append one event."""
    if name not in NAMES:
        raise KeyError(f"{name} is not an event")
    with production.order.locked():
        last = production.events.aggregate(last=Max("number"))["last"] or 0
        return Event.objects.create(
            production=production, number=last + 1, name=name, stage=stage, item=item, data=data
        )
