"""A film's picture from its timeline: segments encoded side by side and kept by content, then joined with the sound."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path

import cv2
from PIL import Image

from pipeline.media import encode, frames
from pipeline.media.compose import Composer, Scenery
from pipeline.media.frames import Planes
from pipeline.media.timeline import FilmSpec, Shot, Timeline

# Raise it when the same timeline is drawn differently, so that kept segments are made anew; `cards` has one, too.
LOOKS = 8
_BEAT = 8  # frames between two signs of life
_SOON = 0.5  # seconds between two while only the sound is waited for
HALVED = 60  # frames of a clip's body from which it is two segments: the clip that lands last keeps two cores busy

Progress = Callable[[float], None]


class Stopped(Exception):  # noqa: N818 - not an error: somebody asked for it
    """The drawing was told to stop."""


@dataclass(frozen=True, slots=True)
class Segment:
    """Frames `start` to `end` (not included) of a film, at `path`; its name tells what determines its pixels."""

    start: int
    end: int
    path: Path


def segments(timeline: Timeline, workdir: Path) -> list[Segment]:
    """The segments of a film in order: every shot's own body (a clip's in halves) and every dissolve between two."""
    whole = sorted({0, timeline.frames} | {edge for shot in timeline.shots for edge in (shot.start, shot.end)})
    halves = {(a + b) // 2 for a, b in pairwise(whole) if b - a >= HALVED and _is_clip(timeline.shots_at(a))}
    edges = sorted({*whole, *halves})
    told = {path: _told(path) for shot in timeline.shots for path in _files(shot) if path}
    return [Segment(a, b, workdir / f"{_name(timeline, a, b, told)}.mp4") for a, b in pairwise(edges) if b > a]


def _files(shot: Shot) -> tuple[str, ...]:
    return shot.photo, shot.clip, shot.beside.photo if shot.beside else ""


def _is_clip(shots: Sequence[Shot]) -> bool:
    return [shot.kind for shot in shots] == ["clip"]


def render_picture(
    timeline: Timeline,
    workdir: Path,
    *,
    threads: int = 2,
    on_progress: Progress | None = None,
    only: Sequence[Segment] | None = None,
    keep_in: Path | None = None,
) -> list[Segment]:
    """Encode every segment (or `only` some) that is not in `workdir` yet, on `threads` threads; return them in order.

    What other films show as well is kept in the folder `keep_in`, if there is one.
    `on_progress(share)` is called from the calling thread while frames are being made, at least every 15 of them; what
    it raises stops the work within a few frames, leaves no unfinished file, and comes out of here.
    """
    workdir.mkdir(parents=True, exist_ok=True)
    cv2.setNumThreads(1)  # the segments are the threads; OpenCV's own would fight them
    wanted = segments(timeline, workdir) if only is None else list(only)
    missing = {part.path: part for part in wanted if not part.path.exists()}
    work = _Work(timeline, Scenery(timeline, keep_in or workdir), missing.values())
    pool = ThreadPoolExecutor(max(1, threads), thread_name_prefix="picture")
    try:
        # In the film's order, so that only the photos around the present moment are held in memory.
        pending: set[Future[None]] = {pool.submit(work.encode, part) for part in missing.values()}
        told = -1
        while pending:
            finished, pending = wait(pending, timeout=0.05, return_when=FIRST_COMPLETED)
            for future in finished:
                future.result()
            if on_progress is not None and work.done != told:
                told = work.done
                on_progress(min(1.0, told / max(1, work.total)))
    finally:
        work.stop.set()
        pool.shutdown(wait=True, cancel_futures=True)
    return wanted


def join(parts: Sequence[Segment], audio: Path | None, out: Path, *, fps: int = 30, title: str = "") -> None:
    """Join rendered segments and a sound of `encode.sound` into a film. Raises ValueError when frames are missing."""
    count = encode.join([part.path for part in parts], audio, out, fps=fps, title=title)
    if count != parts[-1].end:
        out.unlink()
        raise ValueError(f"the film has {count} frames instead of {parts[-1].end}")


def render_film(
    timeline: Timeline,
    sound: Callable[[], Path] | None,
    out: Path,
    workdir: Path,
    *,
    threads: int = 2,
    on_progress: Progress | None = None,
    keep_in: Path | None = None,
) -> None:
    """Render the whole film to `out`, as `render_picture` does; its sound, if it has any, is made meanwhile.

    A sound that fails ends the drawing, too.
    """
    with ThreadPoolExecutor(1, thread_name_prefix="sound") as beside:
        making = beside.submit(sound) if sound is not None else None

        def move(share: float) -> None:
            if making is not None and making.done():
                making.result()
            if on_progress is not None:
                on_progress(share)

        parts = render_picture(timeline, workdir, threads=threads, on_progress=move, keep_in=keep_in)
        while making is not None and not wait([making], timeout=_SOON).done:
            move(1.0)
        audio = making.result() if making is not None else None
    move(1.0)
    join(parts, audio, out, fps=timeline.spec.fps, title=timeline.spec.title)


def still(timeline: Timeline, frame: int, workdir: Path) -> Image.Image:
    """One frame of the film as a picture, without encoding anything."""
    out = frames.blank(*timeline.spec.size)
    with Composer(Scenery(timeline, workdir)) as composer:
        composer.draw(frame, out)
    return frames.to_image(out)


def poster(timeline: Timeline, out: Path, workdir: Path) -> None:
    """Write the film's poster (JPEG): the title at its clearest, or the first picture of a film without one."""
    title = next((shot for shot in timeline.shots if shot.kind == "title"), None)
    follower = timeline.shots[1].start if title is not None else timeline.frames // 3
    with encode.replaced(out) as temporary:
        still(timeline, max(0, follower - 1), workdir).save(temporary, "JPEG", quality=88, optimize=True)


class _Work:
    """The encoding of one film's segments: counts frames, stops when told."""

    def __init__(self, timeline: Timeline, scenery: Scenery, parts: Iterable[Segment]) -> None:
        self.stop = threading.Event()
        self.done = 0
        self._left = set(parts)
        self.total = sum(part.end - part.start for part in self._left)
        self._timeline, self._scenery = timeline, scenery
        self._lock = threading.Lock()

    def encode(self, part: Segment) -> None:
        spec = self._timeline.spec
        with Composer(self._scenery) as composer:

            def draw(i: int, out: Planes) -> None:
                if self.stop.is_set():
                    raise Stopped
                composer.draw(part.start + i, out)
                if i % _BEAT == _BEAT - 1:
                    self._count(_BEAT)

            count = part.end - part.start
            encode.segment(part.path, spec.size, spec.fps, count, draw, options=_options(spec))
            self._count(count % _BEAT)
        self._finish(part)

    def _finish(self, part: Segment) -> None:
        """Let go of every shot that no segment still to be made shows."""
        with self._lock:
            self._left.discard(part)
            for shot in self._timeline.shots:
                if not any(shot.start < other.end and shot.end > other.start for other in self._left):
                    self._scenery.release(shot)

    def _count(self, made: int) -> None:
        with self._lock:
            self.done += made


def _options(spec: FilmSpec) -> dict[str, str]:
    return encode.DRAFT if spec.draft else encode.OPTIONS


def _told(path: str) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _name(timeline: Timeline, start: int, end: int, told: dict[str, str]) -> str:
    """A name made of everything that determines a segment's pixels, with times counted from its own start."""
    spec = timeline.spec
    shots = [shot for shot in timeline.shots if shot.start < end and shot.end > start]
    kinds = {shot.kind for shot in shots}
    facts = {
        "looks": (LOOKS, _options(spec), spec.size, spec.fps, spec.accent, spec.template, end - start),
        "shots": [
            {
                **asdict(shot),
                "scene": 0,
                "photo": told.get(shot.photo),
                "clip": told.get(shot.clip),
                "beside": shot.beside and (told[shot.beside.photo], shot.beside.crop, shot.beside.card),
                **{key: getattr(shot, key) - start for key in ("start", "end", "move_start", "move_end")},
            }
            for shot in shots
        ],
        "captions": [
            {
                **asdict(caption),
                "start": caption.start - start,
                "end": caption.end - start,
                "words": [{**asdict(w), "start": w.start - start, "end": w.end - start} for w in caption.words],
            }
            for caption in timeline.captions
            if caption.start < end and caption.end > start
        ],
        "labels": [
            (max(a - start, -spec.fps), min(b, end) - start, box, spec.label)
            for a, b, box in timeline.labels
            if a < end and b > start
        ],
        "title": (spec.title, spec.subtitle) if "title" in kinds else None,
        "end": (spec.end_title, spec.end_note) if "end" in kinds else None,
    }
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:32]
