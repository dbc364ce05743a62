"""Do the people of a take keep looking like those in its photo? Asked only where the fan agreed to that.

What is measured of a face lives in this function's memory and nowhere else: all that comes out is how far one face is
from another.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.media import faces
from pipeline.media.motion import Box

Colour = npt.NDArray[np.uint8]  # RGB, (height, width, 3)


def apart(photo: Colour, head: Box, looks: Sequence[tuple[Colour, Sequence[Box]]]) -> list[float | None]:
    """How far the face of a photo is from the nearest in each look; None where nobody is seen there.

    `head` and the heads of each look are as from `faces.heads`. Distances are those of dlib's face model: two pictures
    of one person are less than 0.6 apart, those of two nearly always more. A quarter of a CPU second a face; for worker
    processes that have the models.
    """
    known = _measured(photo, head)
    return [
        min((float(np.linalg.norm(known - _measured(picture, other))) for other in heads), default=None)
        for picture, heads in looks
    ]


def _measured(picture: Colour, head: Box) -> npt.NDArray[np.float64]:
    """What the model measures of a face; `head` is wider than the square it was found in (see faces)."""
    height, width = picture.shape[:2]
    place = faces.square(head).scaled(width, height)
    edges = (round(place.y), round(place.right), round(place.bottom), round(place.x))
    found: Any = faces.recognition().face_encodings(np.ascontiguousarray(picture), [edges])[0]
    return np.asarray(found, np.float64)
