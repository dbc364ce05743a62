"""Photos that go from the browser straight to the far storage: a ticket before, a look at what arrived after."""

from __future__ import annotations

import re
from dataclasses import dataclass

from django.core.files.storage import default_storage
from django.core.files.uploadedfile import UploadedFile

from . import services
from .codes import token as new_token
from .far import far
from .models import Order, Photo
from .uploads import Refused, gate, label, unreadable, weigh

# How long a ticket holds: a slow phone needs four minutes for 15 MB.
SECONDS = 600
_TOKEN = re.compile(r"[\w-]{22}", re.ASCII)
_IMAGE = re.compile(r"image/[\w.+-]{1,60}", re.ASCII)
# Not every browser has a word for HEIC. What the bytes are is looked at when they are here.
NAMELESS = "image/unknown"


@dataclass(frozen=True, slots=True)
class Ticket:
    """Leave to put one file into storage: the form's address and fields, and the token to say afterwards."""

    url: str
    fields: dict[str, str]
    token: str


def offered() -> bool:
    """Whether this site's browsers may upload straight to storage."""
    return far() is not None


def ticket(*, order: Order, name: str, size: int, kind: str) -> Ticket | None:
    """A ticket for a file of this name, size in bytes and type; None where files stand in a folder.

    Raises Refused when that file would not be taken anyway, StorageAway.
    """
    store = far()
    if store is None:
        return None
    shown = label(name)
    weigh(shown, size)
    kind = kind or NAMELESS
    if not _IMAGE.fullmatch(kind):
        raise unreadable(shown)
    services.room_for(order=order, label=shown, size=size)
    token = new_token()
    form = store.upload_form(services.inbox(order, token), kind=kind, most=size, seconds=SECONDS)
    return Ticket(form["url"], form["fields"], token)


def arrived(*, order: Order, token: str, name: str) -> Photo:
    """Look at what the browser says it has stored, as the gate does, and keep it. Said twice, it is kept once.

    Raises FileNotFoundError when nothing is there, Refused (the file is then gone), NotADraft, StorageAway.
    """
    if not offered() or not _TOKEN.fullmatch(token):
        raise FileNotFoundError(token)
    known = order.photos.filter(token=token).first()
    if known is not None:
        return known
    stored = services.inbox(order, token)
    with default_storage.open(stored, "rb") as file:
        upload = UploadedFile(file, name=name, size=file.size)
        try:
            weigh(label(name), file.size)
            file.seek(0)  # fetches it: inside the gate a broken connection would look like a broken photo
            seen = gate(upload)
        except Refused:
            services.drop(stored)
            raise
        return services.add_photo(order=order, upload=seen, arrived=token)
