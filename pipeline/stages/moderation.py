"""Stage `moderation`: the fan's words and photos are judged before anybody is sent them to make something of them."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.functional import Promise
from django.utils.text import get_text_list
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from orders.models import Brief, Photo, PhotoState

from .. import judging
from ..engine import DONE, Done, StageFailed, Wait, Work
from ..judging import Noticed
from ..models import Subject
from ..providers.moderation import Flag, by_our_rules, named

# What the fan reads of the categories that end a making.
SAID: dict[str, str | Promise] = {
    "sexual": gettext_lazy("sexual content"),
    "sexual/minors": gettext_lazy("sexual content"),
    "hate/threatening": gettext_lazy("hateful threats"),
    "harassment/threatening": gettext_lazy("threats"),
    "illicit/violent": gettext_lazy("instructions for violence"),
    "self-harm/instructions": gettext_lazy("instructions for self-harm"),
    "refuse": gettext_lazy("hateful or threatening words"),
}

Thing = tuple[Subject, int, str]


def run(work: Work) -> Done | Wait:
    """Judge the words, then the photos. What may not be ends the making; what gives pause is for the creator."""
    things = _words(work.order.brief)
    ours = _noticed(things, by_our_rules([text for _what, _number, text in things]))
    _end(work, [one for one in ours if one.flag.ends])
    judged = judging.words(work, "words", [text for _what, _number, text in things])
    if isinstance(judged, Wait):
        return judged
    found = _noticed(things, judged)
    _end(work, found)
    # Every photo that passed its check, also one that this stage refused before it died: it ends the same way again.
    photos = list(work.order.photos.exclude(file="").order_by("place", "pk"))
    judged = judging.photos(work, photos)
    if isinstance(judged, Wait):
        return judged
    found += [Noticed(Subject.PHOTO, flag.where + 1, flag) for flag in judged]
    _end(work, found, photos)
    if found:
        with work.fence():
            judging.keep(work, found)
    return DONE


def _words(brief: Brief) -> list[Thing]:
    """Everything the fan wrote, each with what it is and its number."""
    lines = [(Subject.LINE, number, line) for number, line in enumerate(brief.must_say, start=1)]
    names = [(Subject.NAME, number, text) for number, text in enumerate((brief.name, brief.said_as, brief.sender), 1)]
    return [(Subject.NOTES, 0, brief.notes), *lines, *names]


def _noticed(things: Sequence[Thing], flags: Sequence[Flag]) -> list[Noticed]:
    return [Noticed(things[flag.where][0], things[flag.where][1], flag) for flag in flags]


def _end(work: Work, found: Sequence[Noticed], photos: Sequence[Photo] = ()) -> None:
    """Raises StageFailed where something was found that no film may be made with; a photo of that kind is refused."""
    ending = [one for one in found if one.flag.ends]
    if not ending:
        return
    kinds = get_text_list(sorted({str(SAID[one.flag.category]) for one in ending}), _("and"))
    shown = sorted({one.number for one in ending if one.what == Subject.PHOTO})
    with work.fence():
        judging.keep(work, found)
        for number in shown:
            # An order begun again takes along what is usable.
            fault = _("Our automatic check saw %(kinds)s in it.") % {"kinds": kinds}
            Photo.objects.filter(pk=photos[number - 1].pk).update(state=PhotoState.REFUSED, fault=fault[:200])
    if shown:
        labels = [f"{number} (“{photos[number - 1].label}”)" for number in shown]
        fan = _(
            "We cannot make this film: our automatic check sees %(kinds)s in photo %(photos)s. "
            "Begin again, and it is left out."
        ) % {"kinds": kinds, "photos": get_text_list(labels, _("and"))}
    else:
        places = {
            Subject.NOTES: _("your story"),
            Subject.LINE: _("a line that must be said"),
            Subject.NAME: _("a name"),
        }
        where = get_text_list([str(places[what]) for what in places if any(o.what == what for o in ending)], _("and"))
        fan = _("We cannot make this film: our automatic check sees %(kinds)s in %(where)s. Please put it differently.")
        fan = fan % {"kinds": kinds, "where": where}
    raise StageFailed(f"moderation: {named(one.flag for one in ending)}", fan=fan)
