"""Making a vendor's clip fit the film: its own rate, size and length to the film's, frame by frame."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from types import TracebackType

import av
import cv2
from av.video.reformatter import Colorspace

from pipeline.media import frames
from pipeline.media.motion import Box, CameraPath, hull, placed

LEAST = 0.4  # of a clip's picture that a crop leaves; tall in wide is 0.32, a square in either 0.56
SLOWEST = 0.75  # a short clip is played no slower than this; after that its last picture is held


@lru_cache(maxsize=64)
def measure(clip: Path) -> tuple[float, tuple[int, int]]:
    """A clip's seconds and its (width, height) in pixels. Raises av.error.FFmpegError for what is no video."""
    with av.open(str(clip)) as container:
        stream = container.streams.video[0]
        if stream.duration is not None and stream.time_base is not None:
            seconds = float(stream.duration * stream.time_base)
        else:
            begun = float((stream.start_time or 0) * (stream.time_base or 0))  # such a file says when it ends
            seconds = max(0.0, (container.duration or 0) / av.time_base - begun)
        return seconds, (stream.width, stream.height)


def framing(
    clip: tuple[int, int], frame: tuple[int, int], faces: Sequence[Box], interest: Box, *, closer: bool = False
) -> CameraPath:
    """Crop a clip to the frame's shape around its faces, or show it whole on a soft ground.

    That is where a crop would cut a face, or leave so little of the clip that it would be enlarged past recognition:
    a tall clip in a wide film, and the reverse.

    With `closer` it ends a touch closer than it starts, so that a clip whose last picture must be held still lives.
    """
    w = min(clip[0], clip[1] * frame[0] / frame[1])
    h = w * frame[1] / frame[0]
    about = hull(faces).scaled(*clip) if faces else interest.scaled(*clip)
    if (faces and (about.w > w or about.h > h)) or w * h < LEAST * clip[0] * clip[1]:
        fit = min(frame[0] / clip[0], frame[1] / clip[1])
        card = Box((frame[0] - clip[0] * fit) / 2, (frame[1] - clip[1] * fit) / 2, clip[0] * fit, clip[1] * fit)
        ground = Box(0, 0, *frame)
        return CameraPath("push_in", True, (float(frame[0]), float(frame[1])), Box(0, 0, 1, 1), card, ground, ground)
    wide = close = _around(about, w, h, clip, whole=bool(faces))
    if closer:
        close = _around(about, w / 1.04, h / 1.04, clip, whole=bool(faces))
        close = close if not faces or close.holds(about) else wide
    return CameraPath(
        "push_in", False, (float(clip[0]), float(clip[1])), Box(0, 0, 1, 1), Box(0, 0, *clip), wide, close
    )


def _around(about: Box, w: float, h: float, clip: tuple[int, int], *, whole: bool) -> Box:
    x = placed(about.x, about.w, w, clip[0], 0.5, whole=whole)
    y = placed(about.y, about.h, h, clip[1], 0.44, whole=whole)
    return Box(x, y, w, h)


class ClipReader:
    """Reads a clip forward and draws it into film frames. Not for two threads at once; close it when done."""

    def __init__(self, clip: Path, path: CameraPath) -> None:
        self._path = path
        self._container = av.open(str(clip))
        self._stream = self._container.streams.video[0]
        self._stream.thread_count = 1
        self._frames = self._container.decode(self._stream)
        self._ahead: av.VideoFrame | None = next(self._frames, None)
        self._now: frames.Planes | None = None
        self._first = self._ahead.time if self._ahead is not None and self._ahead.time is not None else 0.0

    def __enter__(self) -> ClipReader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._container.close()

    def draw(self, seconds: float, share: float, out: frames.Planes) -> None:
        """Draw the picture of `seconds` into the clip at `share` of the camera's move; time only goes forward.

        Past the end the last picture stays. On a ground (a clip that is shown whole) only the clip's card is drawn.
        """
        picked: av.VideoFrame | None = None
        while self._ahead is not None and (self._ahead.time or 0.0) - self._first <= seconds + 1e-4:
            picked, self._ahead = self._ahead, next(self._frames, None)
        if picked is not None:
            shown = frames.of_frame(_film_colours(picked))
            self._now = frames.Planes(*(p.copy() for p in shown)) if self._path.fill else frames.margined(shown)
        if self._now is None:
            raise ValueError("the clip holds no picture")
        if not self._path.fill:
            frames.warp(self._now, self._path.window(share), out)
            return
        card = self._path.card
        x, y, w, h = (int(v) // 2 * 2 for v in card)
        for source, plane, step in zip(self._now, out, (1, 2, 2), strict=True):
            area = plane[y // step : (y + h) // step, x // step : (x + w) // step]
            cv2.resize(source, (area.shape[1], area.shape[0]), dst=area, interpolation=cv2.INTER_AREA)


def _film_colours(frame: av.VideoFrame) -> av.VideoFrame:
    """The frame in 8-bit 4:2:0, BT.709, limited range, whatever it came in."""
    small = frame.height < 720 and frame.colorspace in (2, Colorspace.ITU601)
    source = Colorspace.ITU601 if small or frame.colorspace in (5, 6) else Colorspace.ITU709
    same = frame.format.name == "yuv420p" and frame.color_range != 2 and source == Colorspace.ITU709
    even = frame.width % 2 == 0 and frame.height % 2 == 0
    if same and even:
        return frame
    return frame.reformat(
        width=frame.width // 2 * 2,
        height=frame.height // 2 * 2,
        format="yuv420p",
        src_colorspace=source,
        dst_colorspace=Colorspace.ITU709,
        dst_color_range="MPEG",
    )
