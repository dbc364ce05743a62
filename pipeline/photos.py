"""The check of one uploaded photo, claimed like any other work, and the photos' order by date."""

from __future__ import annotations

import datetime as dt
import functools
import logging
from collections.abc import Sequence

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext_noop

from orders import disk
from orders.faults import faultpoint
from orders.models import Photo, PhotoState
from orders.services import drop

from . import files, live, queue
from .media import best
from .media.photocheck import check as check_pixels
from .media.photocheck import order_by_date, sentences
from .media.stills import PhotoFault

log = logging.getLogger(__name__)

MAX_TRIES = 4
PARKED = 15  # seconds until a photo is looked at again for which there was no room, or no storage


def ring(photo: Photo) -> None:
    """Ask for the photo's check, after commit."""
    queue.ring("pixels", "check_photo", photo.pk, f"photo-{photo.pk}-{photo.tries}")


def check(pk: int) -> None:
    """Check one photo: re-encode it upright and bare, find faces and what stands out, answer in words."""
    photo = Photo.objects.select_related("order").filter(pk=pk).first()
    lease = photo.claim(2 * settings.LEASE_SECONDS) if photo else None
    if photo is None or lease is None:
        return
    photo.refresh_from_db(fields=["tries"])
    if photo.tries > MAX_TRIES:
        _refuse(photo, lease, gettext_noop("We could not check this photo. Please try another one."))
        return
    folder = f"orders/{photo.order.code}/photos"
    try:
        with files.workspace("photo") as work:
            source = files.fetch(photo.original, work)
            others = [
                (other.pk, other.facts["hash"])
                for other in photo.order.photos.filter(state=PhotoState.CHECKED).order_by("place")
                if "hash" in other.facts
            ]
            found = check_pixels(source, work, others=others)
            faultpoint("photo.after_check")
            file = files.publish(found.file, folder)
            thumb = files.publish(found.thumb, folder)
    except PhotoFault as fault:
        _refuse(photo, lease, fault.sentence)
        return
    except FileNotFoundError:
        _refuse(photo, lease, gettext_noop("This photo did not arrive whole. Please upload it again."))
        return
    except OSError as error:
        if not (disk.is_at_fault(error)):
            raise
        log.exception("No room to check photo %s, or no storage", photo)
        photo.put_back(lease, PARKED)
        return
    facts = found.to_json() | {"notes": sentences(found)}
    with transaction.atomic():
        settled = photo.settle(
            lease,
            state=PhotoState.CHECKED,
            file=file,
            thumb=thumb,
            width=found.width,
            height=found.height,
            facts=facts,
            taken_at=_moment(found.taken_at),
            original="",
        )
        # Whoever lost the claim throws its files away; whoever has it, the original with its metadata.
        gone = [photo.original] if settled else [file, thumb]
        for name in gone:
            transaction.on_commit(functools.partial(drop, name))
    live.order_changed(photo.order.code)


def _moment(text: str | None) -> dt.datetime | None:
    if not text:
        return None
    moment = parse_datetime(text)
    if moment is not None and timezone.is_naive(moment):
        moment = timezone.make_aware(moment)
    return moment


def _refuse(photo: Photo, lease: str, sentence: str) -> None:
    with transaction.atomic():
        if photo.settle(lease, state=PhotoState.REFUSED, fault=sentence[:200], original=""):
            transaction.on_commit(functools.partial(drop, photo.original))
    live.order_changed(photo.order.code)


def settle(photos: Sequence[Photo]) -> None:
    """Put photos nobody has sorted into the film's order: by date where they know it, the best one kept for the end."""
    dated = [photos[index] for index in order_by_date([photo.facts.get("taken_at") for photo in photos])]
    for place, index in enumerate(best.best_last([photo.facts for photo in dated])):
        Photo.objects.filter(pk=dated[index].pk).update(place=place)


def sweep() -> int:
    """Ring again for photos nobody has checked. Returns how many there were."""
    due = list(Photo.objects.due(timezone.now()).order_by("pk")[:200])
    for photo in due:
        queue.again("pixels", "check_photo", photo.pk, f"photo-{photo.pk}-{photo.tries}")
    return len(due)
