"""What a film was meant to be, for quality control to hold it against, and when each part of it is looked at."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pipeline.media import hearing
from pipeline.media.motion import Box

DISSOLVE = 0.6  # seconds at each end of a shot in which another may be seen, too


@dataclass(frozen=True, slots=True)
class TextBox:
    """Where text must stand, in pixels of the film, from `start` to `end` seconds."""

    start: float
    end: float
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class ExpectedPhoto:
    """A photo, the faces in it (fractions of it), and where it lies in the frame (shares; None: about the middle)."""

    photo: Path
    faces: tuple[Box, ...] = ()
    place: Box | None = None


@dataclass(frozen=True, slots=True)
class ExpectedShot:
    """From `start` to `end` seconds the film shows `photo`. `filmed`: as a filmed take, which may leave the photo.

    `faces` are fractions of the photo; shots of one `scene` (by number) show the same photo, of None nobody knows.
    `place` (shares of the frame) is its own where a second photo lies `beside` it, or where it lies higher. With
    `depth` who stands in front moves a little further than what is behind them. One that `goes_on` is one move with the
    shot before.
    """

    start: float
    end: float
    photo: Path
    filmed: bool = False
    faces: tuple[Box, ...] = ()
    scene: int | None = None
    place: Box | None = None
    beside: ExpectedPhoto | None = None
    depth: bool = False
    goes_on: bool = False

    @property
    def photos(self) -> tuple[ExpectedPhoto, ...]:
        """Everything that is shown."""
        own = ExpectedPhoto(self.photo, self.faces, self.place)
        return (own,) if self.beside is None else (own, self.beside)


@dataclass(frozen=True, slots=True)
class Expected:
    """What the film was meant to be. Boxes are in the film's pixels, times in seconds."""

    width: int
    height: int
    fps: float
    seconds: float
    captions: tuple[TextBox, ...] = ()
    labels: tuple[TextBox, ...] = ()
    shots: tuple[ExpectedShot, ...] = ()
    # What should be heard, where somebody listens.
    lines: tuple[hearing.Line, ...] = ()


def caption_times(box: TextBox) -> tuple[float, ...]:
    """The seconds at which a caption is looked at: twice, where it stands long enough for the picture to move on."""
    long = box.end - box.start
    return tuple(round(box.start + share * long, 3) for share in ((0.3, 0.7) if long > 0.6 else (0.5,)))


def label_times(box: TextBox) -> tuple[float, ...]:
    """Every four seconds or so, from once it has faded in."""
    first, last = box.start + min(0.6, (box.end - box.start) / 2), box.end - 0.1
    count = max(2, min(9, round((last - first) / 4) + 1))
    return tuple(round(first + (last - first) * i / (count - 1), 3) for i in range(count))


def shot_times(shot: ExpectedShot) -> tuple[float, ...]:
    """Outside the dissolves; early for a filmed take, which leaves its photo as it goes; as far apart as can be where
    the picture may be bent on its way."""
    if shot.depth:
        early = min(DISSOLVE, 0.3 * (shot.end - shot.start))
        return round(shot.start + early, 3), round(shot.end - early, 3)
    shares = (0.25, 0.5) if shot.filmed else (0.45, 0.75)
    return tuple(round(shot.start + share * (shot.end - shot.start), 3) for share in shares)
