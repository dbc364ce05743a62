"""The whole check of one photo: make it clean, find what matters, and say in short sentences what was noticed."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

from pipeline.media import depth, faces, likeness, pages, saliency, stills
from pipeline.media.stills import gettext_noop

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Box = tuple[float, float, float, float]
Params = dict[str, int]
Warn = Literal["rotated", "no_face", "page", "small", "blurred", "dark", "duplicate"]


@dataclass(frozen=True, slots=True)
class PhotoCheck:
    """What is known of a photo. Boxes are (x, y, width, height) in fractions of the clean upright picture.

    `file` and `thumb` are the JPEGs written (in JSON only their names); `width` and `height` are pixels of `file`.
    `rotated`: turned upright by the camera's own note; `turned`: degrees clockwise by which it was turned on top of
    that, because its faces lay on their side. `taken_at` is an ISO moment, empty when unknown. `hash` is the picture
    hash, for `others` of the next check; `file_hash` the SHA-256 of the upload; `like` the id of the photo this one
    repeats. `matte` is where its people are, empty where that is not certain (see depth).
    """

    file: Path
    thumb: Path
    width: int
    height: int
    format: str
    animated: bool
    rotated: bool
    turned: int
    taken_at: str
    faces: tuple[Box, ...]
    interest: Box
    sharpness: float
    brightness: float
    hash: str
    file_hash: str
    like: int | None
    warnings: tuple[Warn, ...]
    matte: str = ""

    @property
    def shape(self) -> Literal["portrait", "landscape", "square"]:
        """How the picture stands; within a tenth of equal sides it is square."""
        if abs(self.width - self.height) <= 0.1 * max(self.width, self.height):
            return "square"
        return "portrait" if self.height > self.width else "landscape"

    @property
    def taken_on(self) -> str:
        """The day it was taken as an ISO date, empty when unknown."""
        return self.taken_at[:10]

    def to_json(self) -> dict[str, Any]:
        """This check as dicts, lists, strings and numbers."""
        return dataclasses.asdict(self) | {"file": self.file.name, "thumb": self.thumb.name}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Rebuild from `to_json`'s answer, also after a journey through JSON; unknown keys are ignored."""
        known = {field.name for field in dataclasses.fields(cls)}
        values = {key: value for key, value in data.items() if key in known}
        values["file"], values["thumb"] = Path(values["file"]), Path(values["thumb"])
        values["faces"] = tuple(tuple(box) for box in values["faces"])
        return cls(**values | {"interest": tuple(values["interest"]), "warnings": tuple(values["warnings"])})


def check(source: Path, folder: Path, *, others: Sequence[tuple[int, str]] = ()) -> PhotoCheck:
    """Take a photo in: writes its clean JPEG and a thumbnail into `folder`, named after `source`, and measures them.

    `others` are the order's other photos: the id of each, and its picture hash. For worker processes
    (see faces). Checking again gives the same and overwrites the same files. Raises stills.PhotoFault.
    """
    photo, thumb = folder / f"{source.stem}.photo.jpg", folder / f"{source.stem}.thumb.jpg"
    still = stills.ingest(source, photo)
    width, height = still.width, still.height
    found = faces.find_faces(photo)
    if found.turned:
        width, height = stills.turn(photo, found.turned)
    stills.thumbnail(photo, thumb)
    sharpness, brightness = stills.sharpness(photo), stills.brightness(photo)
    hash_ = likeness.picture_hash(photo)
    like = next((number for number, other in others if likeness.alike(hash_, other)), None)
    noticed: dict[Warn, bool] = {
        "rotated": still.rotated or bool(found.turned),
        "no_face": not found.boxes,
        "page": pages.is_page(photo),
        "small": min(still.source_width, still.source_height) < stills.SOFT_SIDE,
        "blurred": sharpness < stills.BLURRED,
        "dark": brightness < stills.DARK,
        "duplicate": like is not None,
    }
    return PhotoCheck(
        file=photo,
        thumb=thumb,
        width=width,
        height=height,
        format=still.format,
        animated=still.animated,
        rotated=still.rotated,
        turned=found.turned,
        taken_at=still.taken_at.isoformat() if still.taken_at else "",
        faces=found.boxes,
        interest=saliency.interest(photo, found.boxes),
        sharpness=round(sharpness, 4),
        brightness=round(brightness, 3),
        hash=hash_,
        file_hash=likeness.file_hash(source),
        like=like,
        warnings=tuple(code for code, is_so in noticed.items() if is_so),
        matte="" if noticed["page"] else depth.matte(photo, found.boxes),
    )


_WARNINGS: dict[Warn, str] = {
    "rotated": gettext_noop("Turned upright"),
    "page": gettext_noop("A page or a screen – shown whole"),
    "small": gettext_noop("Small – it may look soft"),
    "blurred": gettext_noop("A little blurred – it may look soft"),
    "dark": gettext_noop("Quite dark – faces and details may be hard to see"),
    "duplicate": gettext_noop("Very like photo %(number)d – one of them is enough"),
}


def sentences(checked: PhotoCheck) -> list[tuple[str, Params]]:
    """What the fan reads about a photo, as (message id, parameters): `gettext(msgid) % params`. The faces come first.

    Message ids are English and marked for makemessages. `photo` is the id given in `others`: what number the fan knows
    it by is only known when it is said, since photos may be moved. It is to be said as `number`.
    """
    said: list[tuple[str, Params]] = []
    count = len(checked.faces)
    if count == 0 and "page" in checked.warnings:
        pass  # that it is a page says enough
    elif count == 0:
        said.append((gettext_noop("No face found – we follow what stands out"), {}))
    elif count == 1:
        said.append((gettext_noop("One face found"), {}))
    else:
        said.append((gettext_noop("%(count)d faces found"), {"count": count}))
    if checked.animated:
        said.append((gettext_noop("A moving picture – we use its first moment"), {}))
    for code in checked.warnings:
        if code == "duplicate" and checked.like is not None:
            said.append((_WARNINGS[code], {"photo": checked.like}))
        elif code in _WARNINGS:
            said.append((_WARNINGS[code], {}))
    return said


def order_by_date(taken_at: Sequence[str | None]) -> list[int]:
    """The photos' places (0-based) in the order they were taken, from each one's `taken_at` (empty or None: unknown).

    A photo without a date stays behind the photo it was uploaded behind, so that a run of scans is not torn apart;
    those before the first dated one stay in front. Two photos of the same moment stay as uploaded.
    """
    moments = [datetime.fromisoformat(text) if text else None for text in taken_at]
    dated = [moment for moment in moments if moment]
    if not all(moment.tzinfo for moment in dated):
        # Only some cameras write their zone. Clocks as people read them are then the fairest common measure.
        moments = [moment.replace(tzinfo=None) if moment else None for moment in moments]
    start: list[int] = []
    runs: list[tuple[datetime, list[int]]] = []
    for place, moment in enumerate(moments):
        if moment:
            runs.append((moment, [place]))
        else:
            (runs[-1][1] if runs else start).append(place)
    runs.sort(key=lambda run: run[0])
    return start + [place for _, run in runs for place in run]
