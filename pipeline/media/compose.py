"""One frame of a film: the shot of the moment or the dissolve of two, then the captions and the label."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from pipeline.media import captions, cards, frames, label, lettering, stage, templates
from pipeline.media.conform import ClipReader
from pipeline.media.frames import Overlay, Planes
from pipeline.media.motion import Box
from pipeline.media.timeline import Shot, Timeline

_Made = TypeVar("_Made")


class Scenery:
    """Everything a film is drawn from, made when first asked for and shared by the threads that draw."""

    def __init__(self, timeline: Timeline, keep_in: Path) -> None:
        self.timeline = timeline
        self._keep_in = keep_in
        self._made: dict[Hashable, Any] = {}
        self._locks: dict[Hashable, threading.Lock] = {}
        self._lock = threading.Lock()

    def stage(self, shot: Shot) -> stage.Stage:
        """The photo of a shot, ready for its camera."""
        assert shot.path is not None
        path, size = shot.path, self.timeline.spec.size
        blurred, card = shot.kind == "title", shot.kind != "clip"
        pane, grain = shot.beside, templates.of(self.timeline.spec.template).grain
        beside = (Path(pane.photo), pane.crop, pane.card) if pane is not None else None
        return self._once(
            shot,
            lambda: stage.build(
                Path(shot.photo), path, size, blurred=blurred, card=card, beside=beside, relief=shot.relief, grain=grain
            ),
        )

    def release(self, shot: Shot) -> None:
        """Let go of a shot's pixels: nothing more will be drawn from them."""
        with self._lock:
            self._made.pop(shot, None)

    def caption(self, caption: captions.Caption) -> tuple[Overlay, tuple[Overlay, ...]]:
        """A caption's bitmaps."""
        return self._once(caption, lambda: lettering.bitmaps(caption, self.timeline.spec.accent))

    def label(self, box: Box) -> Overlay:
        """The label's bitmap for a corner."""
        spec = self.timeline.spec
        return self._once(("label", box), lambda: label.bitmap(spec.label, box, spec.size))

    def title(self) -> Overlay:
        """The title's bitmap."""
        spec = self.timeline.spec
        words = spec.title, spec.subtitle
        return self._once("title", lambda: cards.title_bitmap(spec.size, *words, spec.accent, spec.template))

    def end(self) -> tuple[Planes, tuple[Overlay, ...]]:
        """The end card's ground and its type, frame by frame."""
        spec, keep_in = self.timeline.spec, self._keep_in
        words = spec.end_title, spec.end_note
        return self._once(
            "end",
            lambda: (
                cards.end_ground(spec.size, spec.accent, spec.template),
                cards.end_bitmaps(spec.size, *words, spec.accent, spec.template, fps=spec.fps, keep_in=keep_in),
            ),
        )

    def _once(self, key: Hashable, make: Callable[[], _Made]) -> _Made:
        with self._lock:
            lock = self._locks.setdefault(key, threading.Lock())
        with lock:
            if key not in self._made:
                self._made[key] = make()
            made: _Made = self._made[key]
            return made


class Composer:
    """Draws frames of a film, forward, for one thread; close it when done (it may hold clips open)."""

    def __init__(self, scenery: Scenery) -> None:
        self._scenery = scenery
        self._timeline = scenery.timeline
        self._readers: dict[Shot, ClipReader] = {}
        size = self._timeline.spec.size
        self._spare = frames.blank(*size), frames.blank(*size)

    def __enter__(self) -> Composer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for reader in self._readers.values():
            reader.__exit__(kind, error, trace)

    def draw(self, frame: int, out: Planes) -> None:
        """Draw one frame of the film into `out`."""
        shots = self._timeline.shots_at(frame)
        if len(shots) == 1:
            self._shot(shots[0], frame, out)
        else:
            first, second = self._spare
            self._shot(shots[0], frame, first)
            self._shot(shots[1], frame, second)
            frames.WAYS[shots[1].enter](first, second, self._share(shots[0], shots[1], frame), out)
        caption = self._timeline.caption_at(frame)
        if caption is not None:
            self._caption(caption, frame, out)
        box = self._timeline.label_box(frame)
        if box is not None:
            coming = (frame - self._timeline.labels[0][0] + 1) / (self._timeline.spec.fps / 2)
            frames.lay(out, self._scenery.label(box), min(1.0, coming))

    @staticmethod
    def _share(first: Shot, second: Shot, frame: int) -> float:
        t = (frame - second.start + 1) / (first.end - second.start + 1)
        return t * t * (3 - 2 * t)

    def _shot(self, shot: Shot, frame: int, out: Planes) -> None:
        if shot.kind == "end":
            ground, type_ = self._scenery.end()
            frames.copy(ground, out)
            frames.lay(out, type_[min(len(type_) - 1, max(0, frame - shot.start))])
            return
        assert shot.path is not None
        if shot.kind == "clip":
            self._clip(shot, frame, out)
            return
        self._scenery.stage(shot).draw(shot.path, shot.share(frame), out)
        if shot.kind == "title":
            frames.lay(out, self._scenery.title(), min(1.0, (frame - cards.TITLE_DELAY) / cards.TITLE_IN))

    def _clip(self, shot: Shot, frame: int, out: Planes) -> None:
        assert shot.path is not None
        if shot not in self._readers:
            self._readers[shot] = ClipReader(Path(shot.clip), shot.path)
        if shot.path.fill:
            self._scenery.stage(shot).draw(shot.path, 0.0, out)
        seconds = (frame - shot.start) / self._timeline.spec.fps * shot.clip_speed
        self._readers[shot].draw(seconds, shot.share(frame), out)

    def _caption(self, caption: captions.Caption, frame: int, out: Planes) -> None:
        text, pills = self._scenery.caption(caption)
        opacity = caption.opacity(frame)
        frames.lay(out, text, opacity)
        spoken = caption.spoken(frame)
        if spoken is not None:
            frames.lay(out, pills[spoken], opacity)
