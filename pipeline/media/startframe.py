"""The picture a video vendor begins with: the part of a photo that has the film's shape, with every face whole."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from pipeline.media import frames, stage
from pipeline.media.motion import Box, CameraPath, hull, placed

LONGEST = 1280  # pixels; vendors film at 720 lines for our price: more would only be uploaded
LEAST = 720  # a smaller part of a photo is enlarged to this: vendors refuse stamps
_AIR = 0.12  # kept free around faces where there is room, in face sizes
_EYES = 0.44  # where in the frame the subject's middle stands, from above


def write(
    photo: Path, out: Path, shape: tuple[int, int], faces: Sequence[Box], interest: Box, *, longest: int = LONGEST
) -> tuple[int, int]:
    """Write the start picture of a film of `shape` pixels to `out` (JPEG); its size, at most `longest` pixels long.

    `faces` and `interest` are fractions of the photo. It is cropped around them; where no crop of that shape holds
    every face, the whole photo lies on a soft ground of itself. Raises OSError for a photo that cannot be decoded.
    """
    with Image.open(photo) as source:
        full = source.size
    size, path = _framed(full, shape, faces, interest, longest)
    picture = frames.blank(*size)
    stage.build(photo, path, size).draw(path, 0.0, picture)
    frames.to_image(picture).save(out, "JPEG", quality=92)
    return size


def seen(
    photo: tuple[int, int], shape: tuple[int, int], faces: Sequence[Box], interest: Box, parts: Sequence[Box]
) -> list[Box]:
    """Where `parts` of the photo (fractions of it) lie in the start picture, and so in its clip: fractions of that.

    `photo` and `shape` are pixels; a part that was cropped away lies partly or wholly outside 0..1.
    """
    size, path = _framed(photo, shape, faces, interest, LONGEST)
    return [path.on_screen(part, size).scaled(1 / size[0], 1 / size[1]) for part in parts]


def crop(photo: tuple[int, int], shape: tuple[int, int], faces: Sequence[Box], interest: Box) -> Box | None:
    """The largest part of a photo (in its pixels) of `shape`'s proportions that cuts no face; None when every one does.

    `photo` and `shape` are pixels, `faces` and `interest` fractions of the photo.
    """
    w = min(photo[0], photo[1] * shape[0] / shape[1])
    h = w * shape[1] / shape[0]
    for air in (_AIR, 0.0):
        keep = hull([_aired(face, air) for face in faces]).scaled(*photo) if faces else None
        if keep is None or (keep.w <= w and keep.h <= h):
            about = keep or interest.scaled(*photo)
            x = placed(about.x, about.w, w, photo[0], 0.5, whole=keep is not None)
            y = placed(about.y, about.h, h, photo[1], _EYES, whole=keep is not None)
            return Box(x, y, w, h)
    return None


def _aired(face: Box, air: float) -> Box:
    left, top = max(0.0, face.x - air * face.w), max(0.0, face.y - air * face.h)
    right, bottom = min(1.0, face.right + air * face.w), min(1.0, face.bottom + air * face.h)
    return Box(left, top, right - left, bottom - top)


def _framed(
    photo: tuple[int, int], shape: tuple[int, int], faces: Sequence[Box], interest: Box, longest: int
) -> tuple[tuple[int, int], CameraPath]:
    """The start picture's size, and a camera that stands still over what it shows."""
    part = crop(photo, shape, faces, interest)
    if part is not None:
        size = _scaled(shape, min(longest, max(LEAST, round(max(part.w, part.h)))))
        canvas = float(photo[0]), float(photo[1])
        return size, CameraPath("push_in", False, canvas, Box(0, 0, 1, 1), Box(0, 0, *photo), part, part)
    size = _scaled(shape, longest)
    fit = min(size[0] / photo[0], size[1] / photo[1])
    w, h = photo[0] * fit, photo[1] * fit
    card, ground = Box((size[0] - w) / 2, (size[1] - h) / 2, w, h), Box(0, 0, *size)
    return size, CameraPath("push_in", True, (float(size[0]), float(size[1])), Box(0, 0, 1, 1), card, ground, ground)


def _scaled(shape: tuple[int, int], longest: int) -> tuple[int, int]:
    """`shape` at `longest` pixels, both sides even, as film planes want them."""
    scale = longest / max(shape)
    return max(2, round(shape[0] * scale / 2) * 2), max(2, round(shape[1] * scale / 2) * 2)
