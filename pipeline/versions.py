"""The other versions of a delivered film, as its fan reads them: which there are, how far they have come."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, cast

from django.utils.translation import gettext as _

from orders.choices import Format
from orders.models import Order

from . import renditions
from .media_links import link
from .models import Delivery, Rendition, RenditionState

State = Literal["offered", "waiting", "running", "ready", "failed"]

# What a version is called on the fan's machine, after the film's own name.
NAMES = {Format.TALL: "phone", Format.WIDE: "wide", Format.SQUARE: "square"}
CLEAN = "without-captions"


@dataclass(frozen=True)
class Version:
    """One version. `percent` while it is made; `download` is a short-lived signed link once it is there."""

    key: str
    format: str
    captions: bool
    name: str
    state: State
    percent: int = 0
    download: str = ""
    bytes: int = 0


@dataclass(frozen=True)
class Versions:
    """All versions of one film: those that were asked for, and those that still may be."""

    asked: list[Version]
    offered: list[Version]

    @property
    def underway(self) -> bool:
        """Whether one is still to come."""
        return any(version.state in ("waiting", "running") for version in self.asked)

    @property
    def said(self) -> str:
        """How they stand, for those who hear the page; it changes only when one comes or goes."""
        words = {
            "waiting": _("%(name)s is on its way."),
            "running": _("%(name)s is on its way."),
            "ready": _("%(name)s is ready."),
            "failed": _("%(name)s is not available."),
        }
        return " ".join(words[version.state] % {"name": version.name} for version in self.asked)


def read(order: Order, file_name: str) -> Versions | None:
    """The versions of an order's film; None where there is no film to have in other ways."""
    delivery = Delivery.objects.filter(order=order, revoked_at=None).first()
    if delivery is None:
        return None
    there = {(row.format, row.captions): row for row in Rendition.objects.filter(cut=delivery.cut_id)}
    more = renditions.left(order) > 0
    asked, offered = [], []
    for shape, captions in renditions.choices(order):
        row = there.get((shape.value, captions))
        if row is not None:
            asked.append(_version(shape, captions, row, file_name))
        elif more:
            offered.append(Version(_key(shape, captions), shape.value, captions, name(shape, captions), "offered"))
    return Versions(asked, offered)


def _key(shape: Format, captions: bool) -> str:
    return NAMES[shape] if captions else f"{NAMES[shape]}-{CLEAN}"


def name(shape: Format, captions: bool) -> str:
    """What people call a version."""
    words = _("%(shape)s with captions") if captions else _("%(shape)s without captions")
    return words % {"shape": shape.label}


def _version(shape: Format, captions: bool, row: Rendition, file_name: str) -> Version:
    key, ready = _key(shape, captions), row.state == RenditionState.READY
    state = cast(State, row.state)
    return Version(
        key=key,
        format=shape.value,
        captions=captions,
        name=name(shape, captions),
        state=state,
        percent=min(99, int(100 * row.progress)),
        download=link(row.file, filename=f"film-for-{file_name}-{key}.mp4") if ready else "",
        bytes=row.size,
    )
