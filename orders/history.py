"""The names of what happens to an order, each with the sentence staff read on the desk."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

# noun.past_verb; `Order.tell` appends them. What a fan reads is on the order's page and in the mails.
NAMES: dict[str, str | Promise] = {
    "order.begun": _("The order was begun."),
    "order.claimed": _("The fan signed in; the order is theirs."),
    "brief.described": _("The fan said for whom the film is."),
    "story.told": _("The fan wrote the story."),
    "photo.added": _("A photo was added."),
    "photo.removed": _("A photo was removed."),
    "photos.sorted": _("The photos were sorted."),
    "consent.given": _("Consent was given."),
    "order.placed": _("The order was placed."),
    "order.delivered": _("The film was delivered."),
    "order.failed": _("The order ended: the film could not be made."),
    "order.refused": _("The order ended: the creator refused the film."),
    "order.cancelled": _("The order was cancelled."),
    "order.reopened": _("The order was opened again."),
    "order.paused": _("The making was paused."),
    "order.resumed": _("The making goes on."),
    "order.exported": _("The order’s data were exported."),
    "order.erased": _("What the fan told and showed us was erased."),
    "rerun.asked": _("Making again was asked for."),
    "message.written": _("The fan was written to."),
    "payment.authorized": _("The money is held on the card."),
    "payment.captured": _("The money was taken."),
    "payment.released": _("The held money was let go."),
    "payment.lost": _("The hold on the money ended by itself."),
    "payment.unwanted": _("Money was taken that nobody asked for; it goes back."),
    "refund.asked": _("A refund waits for a second person."),
    "refund.declined": _("A second person declined the refund."),
    "refund.begun": _("Money is to go back."),
    "refund.released": _("Held money was let go, or is not taken."),
    "refund.sent": _("The gateway was told to give money back."),
    "refund.done": _("The money is back."),
    "refund.failed": _("Money could not be given back."),
}
